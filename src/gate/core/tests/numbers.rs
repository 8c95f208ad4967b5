//! What an operator is told with each condition: which joint, how much there is, how much is needed; and
//! what a snapshot says of inputs.

use std::time::Duration;

use super::bench::*;
use crate::gate::awaits::SafeWaits;
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::conditions::{AWAITS_COMMAND, AWAITS_MIRROR, Condition};
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{Engage, KillInputRules, LaneRules};
use crate::gate::safe::SafeCommand;
use crate::gate::snapshot::{KillInputView, Snapshot};
use crate::gate::test_rules::{heartbeat, position_lane, velocity_lane};

fn told(bench: &Bench, code: ConditionCode) -> Condition {
    let conditions = bench.conditions();
    let found = conditions.iter().find(|condition| condition.code == code);
    *found.unwrap_or_else(|| panic!("no {code}: {conditions:?}"))
}

/// Found and needed, and the joint or axis.
fn expect(bench: &Bench, code: ConditionCode, numbers: (f64, f64), dimension: Option<usize>) {
    let condition = told(bench, code);
    let close = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(
        close(condition.found, numbers.0) && close(condition.needed, numbers.1),
        "{condition:?}"
    );
    assert_eq!(condition.dimension, dimension, "{condition:?}");
}

#[test]
fn settling_tells_how_long_all_has_been_well_and_how_long_it_must_be() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.run(50);
    expect(&bench, ConditionCode::Settling, (0.04, 0.1), None);
}

#[test]
fn silence_tells_how_long_and_how_long_it_may_be() {
    let mut rules = rules(vec![position_lane(1)]);
    rules.kill_inputs = vec![heartbeat(Duration::from_secs(60))];
    let mut bench = Bench::new(rules);
    bench.feedback = false;
    bench.run(50);
    let never = told(&bench, ConditionCode::FeedbackStale);
    assert!(never.found.is_nan(), "{never:?}");
    assert_eq!(never.needed, 0.1);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(false), &receipt);
    bench.feedback = true;
    bench.run(10);
    bench.feedback = false;
    bench.run(400);
    expect(&bench, ConditionCode::FeedbackStale, (0.4, 0.1), None);
    expect(&bench, ConditionCode::KillInputSilent, (0.41, 0.3), None);
}

#[test]
fn a_press_tells_whose() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![KillInputRules::default()];
    let mut bench = Bench::new(rules);
    let receipt = Receipt { publisher: Some([7; 16]), ..bench.receipt() };
    bench.gate.kill_input(0, Some(true), &receipt);
    assert_eq!(told(&bench, ConditionCode::KillInputAsserted).publisher, Some([7; 16]));
}

#[test]
fn a_moving_joint_is_named_with_its_velocity() {
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    bench.velocity = vec![0.0, -0.25];
    bench.run(50);
    expect(&bench, ConditionCode::NotStandingStill, (-0.25, 0.05), Some(1));
}

#[test]
fn a_safe_command_that_cannot_be_built_tells_what_it_waits_for() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    for (waits, found) in [
        (SafeWaits::Command, AWAITS_COMMAND),
        (SafeWaits::Mirror, AWAITS_MIRROR),
        (SafeWaits::Kept, AWAITS_COMMAND),
    ] {
        bench.gate.safe_waits(0, Some(waits));
        assert_eq!(told(&bench, ConditionCode::NoSafeCommand).found, found);
    }
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.feedback = false;
    bench.run(10);
    assert!(told(&bench, ConditionCode::NoSafeCommand).found.is_nan(), "a pose");
}

/// Who holds a pose needs one, and so does a first position command after a stop that let the joints
/// sag; a velocity, and a leg that is never altered, start from nothing.
#[test]
fn a_lane_waits_for_a_pose_where_something_starts_from_it() {
    let position = |safe| LaneRules { safe, safe_targets: vec![1.0], ..position_lane(1) };
    let velocity =
        |safe| LaneRules { safe, safe_targets: vec![1.0], feedback: Some(0), ..velocity_lane(1) };
    let freeze = SafeCommand::Freeze { tolerance: 0.1 };
    let point = SafeCommand::HoldPoint { tolerance: 0.1 };
    let zero = SafeCommand::ZeroVelocity { deceleration: None };
    let (damping, silent) = (SafeCommand::Damping, SafeCommand::Silent);
    for (lane, waits) in [
        (position(freeze), true),
        (position(point), true),
        (position(damping), true),
        (position(silent), true),
        (position(SafeCommand::Values), false),
        (LaneRules { feedback: None, ..position(damping) }, false),
        (LaneRules { balance: true, ..position(damping) }, false),
        (LaneRules { balance: true, ..position(silent) }, false),
        (velocity(zero), false),
        (velocity(damping), false),
        (velocity(silent), false),
    ] {
        let text = format!("{lane:?}");
        let mut bench = Bench::new(rules(vec![lane]));
        bench.feedback = false;
        bench.run(10);
        assert_eq!(bench.unmet().contains(&ConditionCode::NoSafeCommand), waits, "{text}");
    }
}

#[test]
fn a_source_that_is_elsewhere_is_told_by_how_much() {
    let mut lane = position_lane(2);
    lane.sources[0].engage = Engage::Window(0.1);
    let mut bench = Bench::new(rules(vec![lane]));
    bench.pose = vec![0.0, 0.5];
    bench.run(50);
    bench.send(0, 0, &[0.05, 0.25]);
    expect(&bench, ConditionCode::SourceNotReady, (-0.25, 0.1), Some(1));
}

#[test]
fn strangers_on_the_output_are_counted_and_causes_have_their_numbers() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.gate.graph(0, LaneGraph { foreign_publishers: 3, ..READ });
    let now = bench.now();
    let level = Level { present: true, found: 81.5, bound: 80.0 };
    bench.gate.level(Cause::TemperatureTrip, Subject::Temperature(2), level, now);
    expect(&bench, ConditionCode::ForeignPublisher, (3.0, 0.0), None);
    expect(&bench, ConditionCode::CausePresent, (81.5, 80.0), None);
    let hot = told(&bench, ConditionCode::CausePresent);
    assert_eq!((hot.cause, hot.subject), (Some(Cause::TemperatureTrip), Subject::Temperature(2)));
}

/// One fact, one line: a stranger that a detector also found is not told twice, and hides nothing else
/// of its lane.
#[test]
fn a_stranger_is_told_once_and_hides_no_other_cause() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.gate.graph(0, LaneGraph { foreign_publishers: 1, ..READ });
    let now = bench.now();
    for cause in [Cause::ForeignPublisher, Cause::ControllerChanged] {
        bench.gate.level(cause, Subject::Lane(0), Level::plain(true), now);
    }
    let causes: Vec<_> = bench.conditions().iter().filter_map(|one| one.cause).collect();
    assert_eq!(causes, [Cause::ControllerChanged]);
    assert_eq!(bench.unmet(), [ConditionCode::ForeignPublisher, ConditionCode::CausePresent]);
}

#[test]
fn while_disarmed_a_warning_is_told_unless_a_condition_says_the_same() {
    let mut rules = rules(vec![position_lane(1)]);
    for cause in [Cause::Tilt, Cause::FeedbackStale] {
        rules.causes[cause.index()].action = Some(Action::Warn);
    }
    for active in [false, true] {
        let bench = Bench::new(rules.clone());
        let mut bench = if active { bench.armed() } else { bench };
        bench.run(10);
        bench.notices();
        bench.feedback = false;
        let now = bench.now();
        bench.gate.level(Cause::Tilt, Subject::Feedback(0), Level::over(1.0, 0.5), now);
        bench.run(500);
        let mut told: Vec<_> = bench
            .notices()
            .iter()
            .filter_map(|notice| {
                let Notice::Cause { cause, present: true, .. } = notice else { return None };
                Some(*cause)
            })
            .collect();
        told.sort_by_key(|cause| cause.index());
        let both = [Cause::Tilt, Cause::FeedbackStale];
        assert_eq!(told.len(), if active { 2 } else { 1 }, "{told:?}");
        assert!(told.iter().all(|cause| both.contains(cause)) && told.contains(&Cause::Tilt));
    }
}

#[test]
fn when_two_lanes_share_a_topic_expect_the_one_held_that_lacks_its_joints() {
    let lane = || LaneRules { independent: true, ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane(), lane()])).armed();
    bench.feedback = false;
    for _ in 0..20 {
        // The message has the joint of lane 0 only.
        let now = bench.now().steady;
        assert!(bench.gate.feedback(0, &[0.0], &[], now));
        bench.send(0, 0, &[0.01]);
        bench.send(1, 0, &[0.01]);
        bench.run(20);
    }
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    assert!(!bench.send(1, 0, &[0.01]).0.forwards());
}

#[test]
fn who_reads_an_output_is_enough_by_name_or_without_one() {
    for (named, reads, subscribers, fits) in [
        (false, false, 1, true),
        (false, false, 0, false),
        (true, true, 2, true),
        (true, false, 2, false),
        (true, true, 0, false),
    ] {
        let mut bench =
            Bench::new(rules(vec![LaneRules { names_controller: named, ..velocity_lane(1) }]));
        let graph = LaneGraph { subscribers, controller_reads: reads, ..LaneGraph::default() };
        bench.gate.graph(0, graph);
        let told = bench.unmet();
        let missing = told.contains(&ConditionCode::NoController)
            || told.contains(&ConditionCode::ControllerMismatch);
        assert_eq!(missing, !fits, "{named} {reads} {subscribers}: {told:?}");
        assert_eq!(bench.gate.lane(0).unwrap().subscribers(), subscribers);
    }
}

#[test]
fn when_nobody_looks_at_the_graph_expect_unknown_readers_told_apart_from_none() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    let found = |bench: &Bench| {
        let told = bench.conditions();
        let about: Vec<_> =
            told.iter().filter(|one| one.code == ConditionCode::NoController).collect();
        assert_eq!(about.len(), 1, "{told:?}");
        about[0].found
    };
    bench.gate.graph(0, LaneGraph::default());
    assert!(found(&bench).is_nan());
    bench.gate.graph(0, LaneGraph { is_unseen: true, ..LaneGraph::default() });
    assert_eq!(found(&bench), f64::INFINITY);
}

#[test]
fn what_a_snapshot_says_of_inputs_is_what_is_there_now() {
    let mut rules = rules(vec![position_lane(1)]);
    rules.kill_inputs = vec![heartbeat(Duration::from_secs(60))];
    let mut bench = Bench::new(rules);
    let view = |bench: &Bench| {
        let snapshot = Snapshot::new(&bench.gate, bench.now());
        (snapshot.kill_inputs[0], snapshot.feedback[0].fresh)
    };
    bench.feedback = false;
    bench.run(10);
    assert_eq!(view(&bench), (KillInputView::default(), false));
    // What cannot be read asserts, and is told, until something can.
    let receipt = bench.receipt();
    bench.gate.kill_input(0, None, &receipt);
    assert!(view(&bench).0.asserted && view(&bench).0.unread);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(true), &receipt);
    bench.feedback = true;
    bench.run(10);
    let heard = KillInputView {
        asserted: true,
        unread: false,
        lost: false,
        seen: true,
        last_seen: Some(receipt.at.steady),
        asserted_by: receipt.publisher,
    };
    assert_eq!(view(&bench), (heard, true));
    bench.feedback = false;
    // As old as it may be, and a tick older.
    bench.run(100);
    assert!(view(&bench).1);
    bench.run(10);
    assert!(!view(&bench).1);
    bench.run(300);
    let (lost, _) = view(&bench);
    assert!(lost.lost && lost.seen && lost.last_seen == heard.last_seen, "{lost:?}");
}
