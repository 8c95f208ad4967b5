//! Where the first command starts from, and what must be known before it may come.

use std::time::Duration;

use super::bench::*;
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::rules::{Engage, Interface, LaneRules, OnLimit};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::{braking_lane, position_lane, velocity_lane};
use crate::gate::verdict::Verdict;

/// A stop that leaves the joints to themselves, and nothing that measures them.
fn unmeasured() -> LaneRules {
    LaneRules { safe: SafeCommand::Silent, feedback: None, ..position_lane(1) }
}

#[test]
fn when_nothing_is_measured_expect_the_first_command_inside_its_bounds_all_the_same() {
    for (asked, expected) in [(50.0, 1.0), (-50.0, -1.0), (0.9, 0.9)] {
        let mut bench = Bench::new(rules(vec![unmeasured()])).armed();
        let (decision, sent) = bench.send(0, 0, &[asked]);
        assert_eq!(sent, [expected]);
        assert_eq!(decision.verdict == Verdict::Limited, asked != expected, "{asked}");
    }
}

#[test]
fn when_feedback_went_stale_expect_the_pose_measured_last_and_not_the_command_itself() {
    let lane =
        LaneRules { safe: SafeCommand::Damping, safe_targets: vec![1.0], ..position_lane(1) };
    let mut rules = rules(vec![lane]);
    let stale = crate::gate::cause::Cause::FeedbackStale;
    rules.causes[stale.index()].action = Some(crate::gate::cause::Action::Warn);
    let mut bench = Bench::new(rules).armed();
    bench.feedback = false;
    bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Waiting);
    let (_, sent) = bench.send(0, 0, &[0.9]);
    assert!(sent[0] <= 2.0 * 1.5 / 50.0 + 1e-9, "{sent:?}");
}

#[test]
fn when_a_silent_velocity_lane_is_armed_again_expect_it_from_zero() {
    let lane = LaneRules { safe: SafeCommand::Silent, ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    for _ in 0..100 {
        bench.send(0, 0, &[0.5]);
        bench.run(20);
    }
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.5);
    // A silence in motion: whoever heard nothing has stopped, or not; zero is the way out.
    bench.run(400);
    let (_, sent) = bench.send(0, 0, &[0.0]);
    assert_eq!(sent, [0.0]);
    for _ in 0..100 {
        bench.send(0, 0, &[0.5]);
        bench.run(20);
    }
    // Armed within the release.
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.run(300);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.unmet());
    let (_, sent) = bench.send(0, 0, &[0.0]);
    assert_eq!(sent, [0.0]);
}

/// What is on the wire is where the next command starts from, though it was a stop that put it there.
#[test]
fn when_a_velocity_lane_is_armed_again_while_it_still_slows_down_expect_it_from_there() {
    let safe = SafeCommand::ZeroVelocity { deceleration: Some(0.5) };
    let mut bench = Bench::new(rules(vec![LaneRules { safe, ..velocity_lane(1) }])).armed();
    bench.stream(0, 0, &[0.9], 2_000);
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    let wire = bench.run(300).last().unwrap()[0];
    assert!((wire - 0.75).abs() < 0.02, "{wire}");
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.unmet());
    let (_, sent) = bench.send(0, 0, &[0.0]);
    assert!(sent[0] > 0.5, "{sent:?}");
}

#[test]
fn when_positions_are_no_longer_told_expect_the_feedback_stale_and_not_an_old_pose() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    bench.stream(0, 0, &[0.02], 100);
    bench.feedback = false;
    for _ in 0..20 {
        bench.run(10);
        // Alive, but it only tells velocities now.
        assert!(!bench.gate.feedback(0, &[], &[0.0], bench.now().steady));
    }
    assert!(bench.gate.feedback(0, &[0.02], &[0.0], bench.now().steady));
    let measured = bench.gate.measured(0).unwrap();
    assert_eq!(measured.velocity(), Some([0.0].as_slice()));
    // A velocity that is no longer told is not the newest one for ever.
    bench.run(10);
    assert!(bench.gate.feedback(0, &[0.03], &[], bench.now().steady));
    assert_eq!(bench.gate.measured(0).unwrap().velocity(), None);
    // Where no rule is about the pose, velocities are all that is asked for.
    let lane = LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane]));
    assert!(bench.gate.feedback(0, &[], &[0.0], bench.now().steady));
}

#[test]
fn when_a_rule_is_about_the_measured_pose_expect_no_arm_before_one() {
    let mut total = LaneRules {
        interface: Interface::Effort,
        safe: SafeCommand::Values,
        safe_targets: vec![0.0],
        ..position_lane(1)
    };
    total.limits[0].total_effort = Some(10.0);
    let mut window =
        LaneRules { safe: SafeCommand::Values, safe_targets: vec![0.0], ..position_lane(1) };
    window.sources[1].engage = Engage::Window(0.1);
    for lane in [total, window] {
        let mut bench = Bench::new(rules(vec![lane]));
        bench.pose = Vec::new();
        bench.velocity = vec![0.0];
        bench.run(200);
        assert_eq!(bench.unmet(), [ConditionCode::FeedbackStale]);
        bench.pose = vec![0.0];
        bench.run(200);
        assert_eq!(bench.unmet(), []);
    }
}

/// As the configuration builds such a lane. From limits of nothing not one of these would pass.
#[test]
fn when_speed_is_rejected_without_a_ramp_expect_a_stream_that_begins_at_the_pose_to_pass() {
    for (start_ramp, expected) in [(Duration::ZERO, 400), (Duration::from_secs(1), 0)] {
        let mut lane = LaneRules { start_ramp, ..braking_lane(1) };
        lane.on_limit.velocity = OnLimit::Reject;
        lane.on_limit.acceleration = OnLimit::Reject;
        lane.sources[0].timeout = Some(Duration::from_secs(5));
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.run(20);
        let mut passed = 0;
        for step in 0..400 {
            // 0.05 rad/s of 2.
            let (decision, _) = bench.send(0, 0, &[1e-5 + 0.001 * f64::from(step)]);
            passed += u32::from(decision.forwards());
            bench.run(20);
            bench.pose = vec![bench.gate.lane(0).unwrap().sent()[0].value];
        }
        assert_eq!(passed, expected, "{start_ramp:?}");
    }
}
