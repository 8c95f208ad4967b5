//! Who is in charge of a lane.

use super::bench::*;
use crate::gate::command::Command;
use crate::gate::core::SelectRefused;
use crate::gate::lane_state::LaneState;
use crate::gate::rules::{Interface, LaneRules, ReturnTo, Shape};
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::verdict::Verdict;

#[test]
fn when_priorities_meet_expect_up_by_motion_and_down_only_on_purpose() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let (teleop, policy) = (0, 1);
    // An idle joystick does not keep the policy away.
    assert_eq!(bench.verdict(teleop, &[0.0]), Verdict::Passed);
    bench.run(10);
    assert!(bench.send(0, policy, &[0.01]).0.forwards());
    assert_eq!(bench.verdict(teleop, &[0.0]), Verdict::NotSelected);
    bench.run(10);
    // Moved, it takes over; let go, it keeps the lane, alive or silent.
    assert!(bench.send(0, teleop, &[-0.01]).0.forwards());
    bench.run(20);
    assert!(bench.send(0, teleop, &[0.0]).0.forwards());
    assert_eq!(bench.verdict(policy, &[0.01]), Verdict::NotSelected);
    bench.run(5_000);
    assert_eq!(bench.verdict(policy, &[0.01]), Verdict::NotSelected);
    // Back only when somebody says so.
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
    assert!(bench.send(0, policy, &[0.01]).0.forwards());
    bench.run(300);
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(teleop), now), Err(SelectRefused::Silent));
    assert_eq!(bench.gate.select_source(0, Some(7), now), Err(SelectRefused::UnknownSource));
    assert_eq!(bench.gate.select_source(7, None, now), Err(SelectRefused::UnknownLane));
}

#[test]
fn when_return_to_is_auto_expect_the_lower_source_back_after_silence() {
    let lane = LaneRules { return_to: ReturnTo::Auto, ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    bench.run(100);
    assert_eq!(bench.verdict(1, &[0.01]), Verdict::NotSelected);
    bench.run(300);
    assert!(bench.send(0, 1, &[0.01]).0.forwards());
}

#[test]
fn when_a_higher_source_holds_the_pose_expect_it_to_wait_and_when_it_moves_either_way_to_take_over()
{
    // Standing still is 0.05 per s, so 0.001 in a period.
    for (target, takes_over) in
        [(0.0105, false), (0.0095, false), (0.0115, true), (0.0085, true), (-0.01, true)]
    {
        let mut bench = Bench::new(rules(vec![position_lane(2)])).armed();
        // Led from the pose held.
        for _ in 0..100 {
            assert!(bench.send(0, 1, &[0.01, 0.0]).0.forwards());
            bench.run(20);
        }
        assert_eq!(bench.gate.lanes[0].sent()[0].value, 0.01);
        let verdict = bench.verdict(0, &[target, 0.0]);
        assert_eq!(verdict != Verdict::NotSelected, takes_over, "{target}: {verdict:?}");
    }
}

#[test]
fn when_a_plan_has_points_expect_motion_asked_for() {
    let lane = LaneRules { shape: Shape::Trajectory, ..position_lane(1) };
    let bench = Bench::new(rules(vec![lane])).armed();
    for points in 0..3 {
        let mut command = Command::with_capacity(1, 3);
        command.points = points;
        assert_eq!(bench.gate.lanes[0].asks_for_motion(&command, 0.02), points > 0);
    }
}

#[test]
fn when_an_effort_is_not_zero_expect_motion_asked_for() {
    let lane = LaneRules { interface: Interface::Effort, ..velocity_lane(2) };
    let bench = Bench::new(rules(vec![lane]));
    for (effort, given, moves) in [
        ([0.0, 0.0], [true, true], false),
        ([0.0, 1e-9], [true, true], false),
        ([0.0, -0.5], [true, true], true),
        ([0.0, f64::NAN], [true, false], false),
        ([f64::NAN, 0.5], [false, true], true),
    ] {
        let mut command = Command::with_capacity(2, 2);
        command.effort.extend(effort);
        command.given.copy_from_slice(&given);
        let moved = bench.gate.lanes[0].asks_for_motion(&command, 0.02);
        assert_eq!(moved, moves, "{effort:?}");
    }
}

#[test]
fn when_the_source_in_charge_is_chosen_again_expect_no_change_of_hands() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    assert_eq!(bench.verdict(1, &[0.01]), Verdict::NotSelected);
    let now = bench.now().steady;
    let lane = &mut bench.gate.lanes[0];
    assert_eq!(lane.select(Some(0), true, now), Ok(None));
    assert!(lane.sources[0].engaged, "it goes on where it was");
    // Before an arm it is only remembered.
    assert_eq!(lane.select(Some(1), false, now), Ok(None));
    assert_eq!((lane.owner, lane.selected), (Some(0), Some(1)));
    assert_eq!(lane.select(Some(1), true, now), Ok(Some(Some(0))));
}

#[test]
fn when_the_motion_has_just_ended_expect_a_silence_at_rest() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    assert!(bench.send(0, 0, &[0.01]).0.forwards());
    bench.now_ms += 1_000;
    let now = bench.now().steady;
    let lane = &mut bench.gate.lanes[0];
    lane.moves_until = Some(now);
    assert_eq!(lane.silence(now), Some(false));
    lane.moves_until = Some(crate::gate::units::SteadyTime::from_nanos(now.as_nanos() + 1));
    assert_eq!(lane.silence(now), Some(true));
}

/// A source without a timeout is never silent; what the one before it sent last must not stand for ever.
#[test]
fn when_a_quiet_source_is_put_in_charge_in_motion_expect_a_stop_until_it_is_heard() {
    let mut lane = velocity_lane(1);
    lane.sources[0].timeout = None;
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.send(0, 0, &[0.0]);
    bench.run(20);
    bench.stream(0, 1, &[0.5], 1_000);
    assert_eq!(bench.gate.lane(0).unwrap().owner(), Some(1));
    assert!(bench.gate.select_source(0, Some(0), bench.now().steady).is_ok());
    for _ in 0..10 {
        assert_eq!(bench.verdict(1, &[0.5]), Verdict::NotSelected);
        bench.run(20);
    }
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    let safe = bench.run(20);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert_eq!(safe.last(), Some(&vec![0.0]));
    assert!(bench.send(0, 0, &[0.02]).0.forwards());
    // Heard since: without a timeout it is never silent.
    bench.run(2_000);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
}
