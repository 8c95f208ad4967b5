//! Plans: points, segments, the start, the end, the horizon.

use super::*;
use crate::gate::safe::SafeCommand;

const SECOND: i64 = 1_000_000_000;

fn plan_lane(acceleration: Option<f64>) -> LaneRules {
    let mut rules = LaneRules {
        shape: Shape::Trajectory,
        safe: SafeCommand::HoldPoint { tolerance: 0.05 },
        ..position_lane(1)
    };
    rules.limits[0].acceleration = acceleration;
    rules.limits[0].deceleration = acceleration;
    rules
}

fn judge(
    rules: &LaneRules,
    command: &mut Command,
    present: Present<'_>,
) -> Option<(Reason, usize)> {
    crate::gate::check::check(command, rules).unwrap();
    let result = Envelope::new(1).apply(command, rules, STEP, present);
    result.err().map(|refusal| (refusal.reason, refusal.point))
}

#[test]
fn when_a_plan_reaches_too_far_expect_horizon() {
    let mut plan = trajectory(&[(0, &[0.0]), (60 * SECOND + 1, &[0.1])]);
    assert_eq!(judge(&plan_lane(None), &mut plan, at(&[0.0])), Some((Reason::Horizon, 1)));
    let mut plan = trajectory(&[(0, &[0.0]), (60 * SECOND, &[0.1])]);
    assert_eq!(judge(&plan_lane(None), &mut plan, at(&[0.0])), None);
}

#[test]
fn when_segments_change_velocity_too_fast_expect_acceleration_at_that_point() {
    // 0.5 rad/s, then -0.5 rad/s, 0.1 s from middle to middle.
    let points: &[(i64, &[f64])] =
        &[(0, &[0.0]), (SECOND / 10, &[0.05]), (SECOND / 5, &[0.0]), (SECOND, &[0.0])];
    assert_eq!(
        judge(&plan_lane(Some(9.0)), &mut trajectory(points), at(&[0.0])),
        Some((Reason::Acceleration, 2))
    );
    assert_eq!(judge(&plan_lane(Some(10.0)), &mut trajectory(points), at(&[0.0])), None);
    assert_eq!(judge(&plan_lane(None), &mut trajectory(points), at(&[0.0])), None);
}

#[test]
fn when_a_planner_uses_its_acceleration_fully_expect_the_plan_to_pass() {
    // From rest at 2 rad/s² for half a second, then braking at the same, 20 ms apart.
    let points: Vec<(i64, Vec<f64>)> = (0..=50i64)
        .map(|step| {
            let time = step as f64 * 0.02;
            let left = 1.0 - time;
            let position = if time <= 0.5 { time * time } else { 0.5 - left * left };
            (step * SECOND / 50, vec![position])
        })
        .collect();
    let borrowed: Vec<(i64, &[f64])> =
        points.iter().map(|(time, values)| (*time, values.as_slice())).collect();
    let still = Present { position: Some(&[0.0]), velocity: Some(&[0.0]) };
    for first in [0, 1] {
        let mut plan = trajectory(&borrowed[first..]);
        let before = plan.clone();
        assert_eq!(judge(&plan_lane(Some(2.0)), &mut plan, still), None);
        assert_eq!(plan, before);
    }
    let mut plan = trajectory(&borrowed);
    assert!(judge(&plan_lane(Some(1.9)), &mut plan, still).is_some());
}

#[test]
fn when_a_chunk_of_a_policy_starts_in_motion_expect_it_to_pass() {
    // Eight points within 0.4 s at 0.8 rad/s, while the robot lags 0.03 rad behind.
    let values: Vec<f64> = (1..=8).map(|step| f64::from(step) * 0.04).collect();
    let points: Vec<(i64, &[f64])> =
        values.chunks_exact(1).zip(1..).map(|(value, step)| (step * SECOND / 20, value)).collect();
    let moving = Present { position: Some(&[-0.03]), velocity: Some(&[0.7]) };
    assert_eq!(judge(&plan_lane(Some(5.0)), &mut trajectory(&points), moving), None);
}

#[test]
fn when_the_first_segment_lunges_expect_velocity_or_acceleration() {
    let still = Present { position: Some(&[0.0]), velocity: Some(&[0.0]) };
    let mut far = trajectory(&[(SECOND / 10, &[0.3])]);
    assert_eq!(judge(&plan_lane(None), &mut far, still), Some((Reason::Velocity, 0)));
    let mut lunge = trajectory(&[(SECOND / 10, &[0.2])]);
    assert_eq!(judge(&plan_lane(None), &mut lunge, still), None);
    assert_eq!(judge(&plan_lane(Some(10.0)), &mut lunge, still), Some((Reason::Acceleration, 0)));
}

#[test]
fn when_nothing_is_measured_expect_the_plan_to_start_from_what_was_sent() {
    let mut envelope = Envelope::new(1);
    envelope.sent_mut()[0].value = 0.5;
    let rules = plan_lane(None);
    let mut near = trajectory(&[(0, &[0.52])]);
    assert!(envelope.apply(&mut near, &rules, STEP, Present::UNKNOWN).is_ok());
    let mut far = trajectory(&[(0, &[0.0])]);
    let refusal = envelope.apply(&mut far, &rules, STEP, Present::UNKNOWN).unwrap_err();
    assert_eq!(refusal.reason, Reason::Discontinuity);
}

#[test]
fn when_a_plan_ends_in_motion_expect_room_to_stop() {
    let ends = |velocity: f64| {
        let mut plan = trajectory(&[(0, &[0.0]), (SECOND, &[0.9])]);
        plan.velocity = vec![0.0, velocity];
        judge(&plan_lane(Some(5.0)), &mut plan, at(&[0.0]))
    };
    assert_eq!(ends(0.0), None);
    assert_eq!(ends(0.99), None);
    assert_eq!(ends(1.1), Some((Reason::Velocity, 1)));
    assert_eq!(ends(-1.5), None);
}
