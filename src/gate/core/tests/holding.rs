//! What goes out in a stop, for each kind of safe command; profiles, derating; who is selected.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::core::SelectRefused;
use crate::gate::fault::Level;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;
use crate::gate::rules::{GateRules, LaneRules, ProfileRules};
use crate::gate::safe::SafeCommand;
use crate::gate::snapshot::Snapshot;
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::verdict::Verdict;

/// Kind, values, targets.
type Sent = Option<(SafeCommand, Vec<f64>, Vec<f64>)>;

/// Runs to flowing at 0.05, kills, and gives what the safe command is.
fn killed(lane: LaneRules) -> (Bench, Sent) {
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.stream(0, 0, &[0.05], 400);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.lane_state(0), LaneState::Safe);
    let now = bench.now().steady;
    let mut scratch = [9.0];
    let burst = bench.gate.would_send(0, &mut scratch, (now, now));
    let burst = burst.map(|out| (out.command, out.values.to_vec(), out.targets.to_vec()));
    let out = bench.gate.take_safe(0, now);
    let out = out.map(|out| (out.command, out.values.to_vec(), out.targets.to_vec()));
    assert_eq!(out, burst, "the burst sends the same");
    (bench, out)
}

#[test]
fn every_safe_command_gives_its_values_and_targets() {
    let freeze = SafeCommand::Freeze { tolerance: 0.1 };
    let hold = SafeCommand::HoldPoint { tolerance: 0.1 };
    let zero = SafeCommand::ZeroVelocity { deceleration: None };
    let with =
        |safe, target: &[f64], lane| LaneRules { safe, safe_targets: target.to_vec(), ..lane };
    let position = || position_lane(1);
    let case = |lane| killed(lane).1;
    assert_eq!(case(with(freeze, &[], position())), Some((freeze, vec![0.05], vec![])));
    assert_eq!(case(with(hold, &[], position())), Some((hold, vec![0.05], vec![])));
    assert_eq!(case(with(zero, &[], velocity_lane(1))), Some((zero, vec![0.0], vec![])));
    let values = SafeCommand::Values;
    let expected = Some((values, vec![0.3], vec![0.3]));
    assert_eq!(case(with(values, &[0.3], position())), expected, "at once, as written");
    let damping = SafeCommand::Damping;
    let expected = Some((damping, vec![0.05], vec![4.0]));
    assert_eq!(case(with(damping, &[4.0], position())), expected);
    let expected = Some((damping, vec![0.0], vec![4.0]));
    assert_eq!(case(with(damping, &[4.0], velocity_lane(1))), expected);
    // Silent says nothing, but the lane is in its state all the same.
    let (mut bench, out) = killed(with(SafeCommand::Silent, &[], position()));
    assert_eq!(out, None);
    assert!(bench.run(500).is_empty());
    assert_eq!((bench.lane_state(0), bench.gate.next_safe()), (LaneState::Safe, None));
}

#[test]
fn when_a_stop_left_the_joints_to_themselves_expect_the_first_command_from_where_they_are() {
    for safe in [SafeCommand::Damping, SafeCommand::Silent] {
        let lane = LaneRules { safe, safe_targets: vec![4.0], ..position_lane(1) };
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.stream(0, 0, &[0.05], 200);
        bench.send(0, 0, &[0.06]);
        bench.run(300);
        assert_eq!(bench.lane_state(0), LaneState::Holding);
        // It sagged; the policy goes on where it was.
        bench.pose = vec![-0.5];
        bench.run(50);
        let (decision, sent) = bench.send(0, 0, &[0.06]);
        assert!(decision.forwards() && sent[0] < -0.5 + 0.061, "{safe:?}: {sent:?}");
    }
}

#[test]
fn when_written_values_are_on_the_wire_expect_the_first_command_from_there() {
    let lane = LaneRules { safe: SafeCommand::Values, safe_targets: vec![0.3], ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    assert_eq!(bench.run(20)[0], [0.3]);
    let sent = bench.send(0, 0, &[-1.0]).1;
    assert!((sent[0] - 0.26).abs() < 1e-9, "{sent:?}");
}

#[test]
fn when_a_profile_is_armed_expect_its_factors_and_its_actions() {
    let mut rules = rules(vec![velocity_lane(1)]);
    let actions = vec![(Cause::SourceSilent, Action::Kill), (Cause::BatteryTrip, Action::Warn)];
    rules.profiles.push(ProfileRules { velocity: 0.5, acceleration: 0.5, effort: 0.5, actions });
    let mut bench = Bench::new(rules);
    bench.run(200);
    let now = bench.now();
    assert_eq!(bench.gate.arm(1, 2, now), Err(Refused::UnknownProfile));
    // A cause that the profile only warns of does not prevent it.
    bench.gate.level(Cause::BatteryTrip, Subject::Battery(0), Level::over(2.0, 1.0), now);
    bench.run(10);
    assert_eq!(bench.gate.arm(1, 0, bench.now()), Err(Refused::Unmet));
    bench.gate.level(Cause::BatteryTrip, Subject::Battery(0), Level::plain(false), now);
    bench.run(200);
    assert_eq!(bench.gate.arm(1, 1, bench.now()), Ok(()));
    assert_eq!(bench.gate.profile(), Some(1));
    assert_eq!(Snapshot::new(&bench.gate, bench.now()).profile, Some(1));
    let mut fastest = 0.0;
    for _ in 0..50 {
        bench.run(20);
        let before = fastest;
        fastest = bench.send(0, 0, &[1.0]).1[0];
        assert!(fastest - before <= 2.0 * 0.5 * 0.03 + 1e-9);
    }
    assert!((fastest - 0.5).abs() < 1e-9);
    bench.run(300);
    assert_eq!((bench.state(), bench.last_cause()), (State::Killed, Some(Cause::SourceSilent)));
    assert_eq!(bench.gate.profile(), None);
}

#[test]
fn when_heat_derates_expect_a_slower_lane_and_never_less_than_a_fifth() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.stream(0, 0, &[1.0], 2_000);
    assert_eq!(bench.gate.derating(), 1.0);
    for (ratio, speed) in [(0.5, 0.5), (0.0, 0.2), (f64::NAN, 0.2), (1.0, 1.0)] {
        bench.gate.set_derating(ratio, bench.now());
        assert_eq!(bench.gate.derating(), speed);
        bench.stream(0, 0, &[1.0], 2_000);
        let sent = bench.gate.lane(0).unwrap().sent()[0].value;
        assert!((sent - speed).abs() < 1e-9, "{ratio}: {sent}");
    }
}

#[test]
fn when_a_source_is_selected_while_disarmed_expect_it_remembered_for_the_arm() {
    let (teleop, policy) = (0, 1);
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.stream(0, policy, &[0.01], 200);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(teleop), now), Err(SelectRefused::Silent));
    assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
    bench.stream(0, policy, &[0.01], 100);
    let mut bench = bench.armed();
    assert_eq!(bench.gate.lane(0).unwrap().owner(), Some(policy));
    // Pinned: one that only idles does not take over, one that moves does, and ends the choice.
    assert_eq!(bench.verdict(teleop, &[0.0]), Verdict::NotSelected);
    bench.stream(0, policy, &[0.01], 100);
    assert!(bench.send(0, teleop, &[0.01]).0.forwards());
    assert_eq!(bench.gate.lane(0).unwrap().selected(), None);
    // By priority again: the next one heard.
    bench.run(1_000);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, None, now), Ok(()));
    assert!(bench.send(0, policy, &[0.01]).0.forwards());
    // A disarm forgets what was chosen for the run before.
    bench.stream(0, policy, &[0.01], 100);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.run(2_000);
    let bench = bench.armed();
    assert_eq!(bench.gate.lane(0).unwrap().owner(), None);
}

#[test]
fn when_a_cause_flaps_expect_it_to_act_all_the_same() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.causes[Cause::TemperatureTrip.index()].debounce = Some(Duration::from_secs(1));
    let mut bench = Bench::new(GateRules { ..rules }).armed();
    let mut acted_at = None;
    for step in 0..1_000_u64 {
        let level = Level::plain(step.is_multiple_of(2));
        let now = bench.now();
        bench.gate.level(Cause::TemperatureTrip, Subject::Temperature(0), level, now);
        bench.run(50);
        if bench.state() != State::Active {
            acted_at = Some(step * 50);
            break;
        }
    }
    let acted_at = acted_at.expect("half of the time is enough");
    assert!((1_000..=2_800).contains(&acted_at), "{acted_at} ms");
}

#[test]
fn when_a_cause_only_warns_expect_it_told_once_and_gone_told_once() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.notices();
    for present in [true, false] {
        for _ in 0..20 {
            let level = Level { present, found: 3.0, bound: 1.0 };
            bench.gate.level(Cause::ClockStep, Subject::Node, level, bench.now());
            bench.run(10);
        }
        let told: Vec<Notice> = bench.notices();
        let told = told.iter().filter(|n| matches!(n, Notice::Cause { .. })).collect::<Vec<_>>();
        let expected = |notice: &Notice| {
            matches!(notice, Notice::Cause { cause: Cause::ClockStep, action: Action::Warn,
                present: found, .. } if *found == present)
        };
        assert!(told.len() == 1 && expected(told[0]), "{told:?}");
        let snapshot = Snapshot::new(&bench.gate, bench.now());
        assert_eq!(snapshot.causes.len(), usize::from(present));
    }
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn when_feedback_of_one_independent_lane_is_stale_expect_only_that_lane_held() {
    let blind = LaneRules { independent: true, ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![velocity_lane(1), blind])).armed();
    bench.stream(0, 0, &[0.01], 60);
    bench.feedback = false;
    bench.stream(0, 0, &[0.01], 200);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    assert_eq!(bench.lane_state(1), LaneState::Holding);
    assert!(bench.gate.is_permitted(), "the other still may");
}
