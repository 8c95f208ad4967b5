//! What silence and lateness do.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::notice::Notice;
use crate::gate::rules::{LaneRules, Shape, SilenceThen};
use crate::gate::safe::SafeCommand;
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{heartbeat, position_lane, velocity_lane};
use crate::gate::verdict::Verdict;

#[test]
fn when_killed_before_any_arm_expect_the_measured_pose_and_silence_without_one() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.7];
    bench.run(50);
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(bench.run(10), [[0.7]]);

    let mut blind = Bench::new(rules(vec![position_lane(1)]));
    blind.feedback = false;
    blind.gate.kill(SERVICE, blind.now());
    assert!(blind.run(100).is_empty());
    assert!(blind.gate.notices().drain().any(|n| n == Notice::NoSafeCommand { lane: 0 }));
    // As soon as the pose is known it is held.
    blind.feedback = true;
    assert!(!blind.run(20).is_empty());
}

#[test]
fn when_the_source_falls_silent_in_motion_expect_holding_and_after_neutral_waiting() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.run(20);
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed);
    bench.run(190);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    let safe = bench.run(100);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert!(!safe.is_empty() && safe.iter().all(|values| *values == [0.0]));
    // Heard again: flowing again.
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed);
    bench.run(20);
    assert_eq!(bench.verdict(0, &[0.0]), Verdict::Passed);
    bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Waiting, "a finished goal is not a fault");
    bench.run(60_000);
    assert_eq!(bench.verdict(0, &[0.01]), Verdict::Passed, "a new goal needs no arm");
    assert_eq!(bench.gate.machine().state(), State::Active);
}

/// A plan is motion until its last point, however long nothing is heard; after it a silence is at rest.
#[test]
fn when_a_source_falls_silent_expect_holding_within_its_plan_and_waiting_after_it() {
    let safe = SafeCommand::HoldPoint { tolerance: 0.5 };
    let lane = LaneRules { shape: Shape::Trajectory, safe, ..position_lane(1) };
    for (seconds, state) in [(1, LaneState::Holding), (0, LaneState::Waiting)] {
        let mut bench = Bench::new(rules(vec![lane.clone()])).armed();
        bench.run(20);
        let mut plan = Command::with_capacity(1, 4);
        plan.times.push(seconds * 1_000_000_000 + 100_000_000);
        plan.position.push(0.1);
        plan.points = 1;
        assert!(bench.send_command(0, 0, &mut plan).forwards());
        bench.run(180);
        assert_eq!(bench.lane_state(0), LaneState::Flowing);
        bench.run(120);
        assert_eq!(bench.lane_state(0), state, "{seconds}");
    }
}

#[test]
fn when_silence_is_to_disarm_or_kill_expect_that_after_its_time() {
    for (then, state) in [
        (SilenceThen::Disarm(Duration::from_millis(300)), State::Disarmed),
        (SilenceThen::Kill(Duration::from_millis(300)), State::Killed),
        (SilenceThen::Hold, State::Active),
    ] {
        let lane = LaneRules { silence: then, ..velocity_lane(1) };
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.verdict(0, &[0.01]);
        bench.run(400);
        assert_eq!(bench.gate.machine().state(), State::Active);
        bench.run(200);
        assert_eq!(bench.gate.machine().state(), state, "{then:?}");
        let told = bench.gate.machine().last_trip();
        assert_eq!(told.is_some(), state != State::Active);
        if let Some(trip) = told {
            assert_eq!((trip.cause, trip.bound), (Cause::SourceSilent, 0.3));
            assert!((trip.found - 0.3).abs() < 0.011, "{trip:?}");
        }
    }
}

#[test]
fn when_one_lane_holds_expect_all_to_hold_unless_it_is_independent() {
    for independent in [false, true] {
        let first = LaneRules { independent, ..velocity_lane(1) };
        let mut bench = Bench::new(rules(vec![first, velocity_lane(1)])).armed();
        bench.send(0, 0, &[0.01]);
        for _ in 0..15 {
            bench.send(1, 0, &[0.01]);
            bench.run(20);
        }
        assert_eq!(bench.lane_state(0), LaneState::Holding);
        let other = if independent { LaneState::Flowing } else { LaneState::Holding };
        assert_eq!(bench.lane_state(1), other);
        let verdict = bench.send(1, 0, &[0.01]).0.verdict;
        assert_eq!(verdict == Verdict::Withheld, !independent);
        // The silent one speaks again: both flow again.
        assert!(bench.send(0, 0, &[0.01]).0.forwards());
        bench.run(10);
        assert!(bench.send(1, 0, &[0.01]).0.forwards());
    }
}

#[test]
fn when_two_lanes_fell_silent_expect_that_each_can_come_back() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1), velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    bench.send(1, 0, &[0.01]);
    bench.run(400);
    assert_eq!(bench.send(0, 0, &[0.01]).0.verdict, Verdict::Withheld);
    assert!(bench.send(1, 0, &[0.01]).0.forwards());
    bench.run(10);
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
}

#[test]
fn when_a_kill_input_falls_silent_expect_hold_then_kill() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![heartbeat(Duration::from_millis(500))];
    let mut bench = Bench::new(rules);
    for _ in 0..30 {
        let receipt = bench.receipt();
        bench.gate.kill_input(0, Some(false), &receipt);
        bench.run(10);
    }
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()));
    let mut states = Vec::new();
    for _ in 0..50 {
        bench.verdict(0, &[0.01]);
        bench.run(20);
        states.push((bench.gate.machine().state(), bench.lane_state(0)));
    }
    states.dedup();
    assert_eq!(
        states,
        [
            (State::Active, LaneState::Flowing),
            (State::Active, LaneState::Holding),
            (State::Killed, LaneState::Safe),
        ]
    );
    assert_eq!(bench.gate.machine().first_trip().unwrap().cause, Cause::KillInputSilent);
}

/// A hold on `limited_ratio` must not begin with every arm, nor a hand-over after it begin the next.
#[test]
fn when_the_start_ramp_limits_expect_no_limited_ratio_and_after_it_expect_one() {
    let lane = LaneRules { start_ramp: Duration::from_secs(1), ..position_lane(1) };
    let mut rules = rules(vec![lane]);
    rules.causes[Cause::LimitedRatio.index()].action = Some(Action::Hold);
    let mut bench = Bench::new(rules).armed();
    let mut limited = 0;
    for step in 0..50 {
        let target = 0.03 * f64::from(step);
        limited += usize::from(
            bench.verdict(0, &[if target < 0.4 { target } else { 0.4 }]) == Verdict::Limited,
        );
        bench.run(20);
        assert_eq!(bench.lane_state(0), LaneState::Flowing, "step {step}");
    }
    assert!(limited > 25, "{limited} of the first second");
    // The same eagerness without a ramp is the source's own.
    for step in 0..100 {
        bench.verdict(0, &[if step % 2 == 0 { -0.4 } else { 0.4 }]);
        bench.run(20);
    }
    assert_eq!(bench.lane_state(0), LaneState::Holding);
}

#[test]
fn when_feedback_goes_stale_expect_hold_and_back() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    bench.feedback = false;
    bench.run(150);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert!(!bench.gate.is_permitted());
    assert_eq!(bench.verdict(0, &[0.02]), Verdict::Withheld);
    bench.feedback = true;
    bench.run(10);
    assert!(bench.send(0, 0, &[0.02]).0.forwards());
}

#[test]
fn when_the_tick_is_late_expect_disarmed_and_the_cause_told() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    bench.run(10);
    bench.now_ms += 61;
    assert!(bench.gate.is_stalled(bench.now().steady));
    bench.gate.tick(bench.now());
    assert_eq!(bench.gate.machine().state(), State::Disarmed);
    assert_eq!(bench.gate.machine().last_trip().unwrap().cause, Cause::GateStalled);
    assert_eq!(bench.lane_state(0), LaneState::Safe);
}

#[test]
fn when_disarmed_expect_the_safe_command_for_release_and_then_silence() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    assert_eq!(bench.gate.disarm(bench.now()), Err(Refused::AlreadyDisarmed));
    assert!(bench.run(1_000).iter().all(|values| *values == [0.0]));
    assert!(bench.run(2_000).is_empty());
}

#[test]
fn when_a_silence_that_holds_is_as_long_as_it_may_be_expect_the_kill_after_it_and_its_length_told()
{
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![heartbeat(Duration::from_millis(200))];
    rules.causes[Cause::KillInputSilent.index()].action = Some(Action::Hold);
    let mut bench = Bench::new(rules);
    for _ in 0..20 {
        let receipt = bench.receipt();
        bench.gate.kill_input(0, Some(false), &receipt);
        bench.run(10);
    }
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(false), &receipt);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.unmet());
    bench.run(500);
    assert_eq!(bench.state(), State::Active);
    bench.run(10);
    assert_eq!(bench.state(), State::Killed);
    let trip = bench.gate.machine().last_trip().unwrap();
    assert_eq!((trip.cause, trip.bound), (Cause::KillInputSilent, 0.3));
    assert!((trip.found - 0.51).abs() < 1e-9, "{trip:?}");
}

#[test]
fn when_a_silence_is_only_told_expect_the_safe_command_all_the_same() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.causes[Cause::SourceSilent.index()].action = Some(Action::Warn);
    let mut bench = Bench::new(rules).armed();
    bench.stream(0, 0, &[0.01], 200);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    bench.run(190);
    let safe = bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Waiting);
    assert!(!safe.is_empty() && safe.iter().all(|values| *values == [0.0]));
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
}

#[test]
fn when_a_tick_is_as_late_as_it_may_be_expect_no_stall() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.run(100);
    // A period, and the 50 ms that it may be late.
    bench.now_ms += 60;
    assert!(!bench.gate.is_stalled(bench.now().steady));
    bench.now_ms += 1;
    assert!(bench.gate.is_stalled(bench.now().steady));
}

#[test]
fn when_the_state_changes_expect_it_told_with_its_trip_where_there_was_one() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let told = |bench: &mut Bench| {
        let said = |notice: &Notice| match notice {
            Notice::State { from, to, seq } => Some(format!("{from:?} {to:?} {seq}")),
            Notice::Trip(trip) => Some(format!("{} {}", trip.cause, trip.seq)),
            Notice::ResetRefused(_)
            | Notice::ArmRefused(_)
            | Notice::DisarmRefused(_)
            | Notice::Lane { .. }
            | Notice::Owner { .. }
            | Notice::Rejected { .. }
            | Notice::Stalled { .. }
            | Notice::Cause { .. }
            | Notice::Motion { .. }
            | Notice::NoSafeCommand { .. } => None,
        };
        bench.notices().iter().filter_map(said).collect::<Vec<String>>()
    };
    told(&mut bench);
    let seq = bench.gate.machine().seq();
    bench.gate.kill(SERVICE, bench.now());
    let killed = format!("Active Killed {}", seq + 1);
    assert_eq!(told(&mut bench), [killed, format!("kill_service {}", seq + 1)]);
    // A kill of what is killed changes no state; it is one all the same.
    bench.gate.kill(SERVICE, bench.now());
    let again = bench.gate.machine().seq();
    assert!(told(&mut bench).iter().all(|text| *text == format!("kill_service {again}")));
    assert_eq!(bench.gate.reset(again, bench.now()), Ok(()));
    let seq = bench.gate.machine().seq();
    assert_eq!(told(&mut bench), [format!("Killed Disarmed {seq}")]);
    let mut bench = bench.armed();
    told(&mut bench);
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    let seq = bench.gate.machine().seq();
    assert_eq!(told(&mut bench), [format!("Active Disarmed {seq}")]);
}

#[test]
fn when_a_sample_of_the_body_is_no_number_expect_it_refused_and_no_sign_of_life() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.feedback[0].max_tilt = Some(0.5);
    let mut bench = Bench::new(rules);
    for (tilt, spin) in [(f64::NAN, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)] {
        assert!(!bench.gate.imu(0, tilt, spin, bench.now()));
        assert!(bench.unmet().contains(&ConditionCode::FeedbackStale));
    }
    assert!(bench.gate.imu(0, 0.0, 0.0, bench.now()));
    assert!(!bench.unmet().contains(&ConditionCode::FeedbackStale));
}
