//! Plans: points, segments, the start, the end, the horizon.

use super::*;
use crate::gate::check::Refusal;
use crate::gate::safe::SafeCommand;

const SECOND: i64 = 1_000_000_000;

pub(in crate::gate::envelope) fn plan_lane(acceleration: Option<f64>) -> LaneRules {
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
    assert_eq!(ends(-0.5), None);
}

/// What a plan is refused for, from `at` and `speed`, with every limit scaled by `scale`.
fn refused(rules: &LaneRules, points: &[(i64, &[f64])], speed: f64, scale: f64) -> Refusal {
    let present = Present { position: Some(&[0.0]), velocity: Some(&[speed]) };
    let allowance = Allowance { velocity: scale, acceleration: scale, ..STEP };
    Envelope::new(1).apply(&mut trajectory(points), rules, allowance, present).unwrap_err()
}

fn told(refusal: Refusal, reason: Reason, point: usize, found: f64, bound: f64) {
    assert_eq!((refusal.reason, refusal.point), (reason, point), "{refusal:?}");
    for (value, expected) in [(refusal.found, found), (refusal.bound, bound)] {
        assert!((value / expected - 1.0).abs() < 1e-9, "{refusal:?}");
    }
}

#[test]
fn when_a_plan_is_refused_expect_what_was_found_and_the_bound_in_force_told() {
    let mut rules = plan_lane(Some(10.0));
    rules.limits[0].deceleration = Some(20.0);
    let free = plan_lane(None);
    let tenth = SECOND / 10;
    let far: &[(i64, &[f64])] = &[(0, &[0.0]), (60 * SECOND + 1, &[0.1])];
    told(refused(&free, far, 0.0, 1.0), Reason::Horizon, 1, 60.000_000_001, 60.0);
    for sign in [1.0, -1.0] {
        for (scale, bound) in [(1.0, 2.0), (0.25, 0.5)] {
            let fast: &[(i64, &[f64])] = &[(tenth, &[sign * 0.3])];
            told(refused(&free, fast, 0.0, scale), Reason::Velocity, 0, sign * 3.0, sign * bound);
        }
        // From rest to at least 1.5 rad/s, the tolerance taken off, 0.05 s from middle to middle.
        for (scale, bound) in [(1.0, 10.0), (0.9, 9.0)] {
            let lunge: &[(i64, &[f64])] = &[(tenth, &[sign * 0.2])];
            let refusal = refused(&rules, lunge, 0.0, scale);
            told(refusal, Reason::Acceleration, 0, sign * 1.5 / 0.05, bound);
        }
        // 1.5 rad/s, then none, 0.055 s from middle to middle; slowing down is never scaled.
        for scale in [1.0, 0.9] {
            let stop: &[(i64, &[f64])] = &[
                (tenth, &[sign * 0.15]),
                (2 * tenth, &[sign * 0.3]),
                (2 * tenth + tenth / 10, &[sign * 0.3]),
            ];
            let refusal = refused(&rules, stop, sign * 1.5, scale);
            told(refusal, Reason::Acceleration, 2, -sign * 1.5 / 0.055, 20.0);
        }
        // As fast back as it was: what it slows down with is told.
        let back: &[(i64, &[f64])] = &[
            (tenth, &[sign * 0.05]),
            (2 * tenth, &[sign * 0.1]),
            (2 * tenth + tenth / 10, &[sign * 0.095]),
        ];
        let refusal = refused(&rules, back, sign * 0.5, 1.0);
        told(refusal, Reason::Acceleration, 2, -sign / 0.055, 20.0);
    }
}

/// A derated lane speeds up by less, and so do its plans.
#[test]
fn when_a_lane_is_derated_expect_plans_judged_by_the_acceleration_in_force() {
    let points: &[(i64, &[f64])] =
        &[(0, &[0.0]), (SECOND / 10, &[0.0]), (SECOND / 5, &[0.06]), (SECOND, &[0.06])];
    let still = Present { position: Some(&[0.0]), velocity: Some(&[0.0]) };
    // 0.6 rad/s in 0.1 s.
    for (scale, fits) in [(1.0, true), (0.6, true), (0.59, false), (0.1, false)] {
        let allowance = Allowance { acceleration: scale, ..STEP };
        let rules = plan_lane(Some(10.0));
        let result = Envelope::new(1).apply(&mut trajectory(points), &rules, allowance, still);
        assert_eq!(result.is_ok(), fits, "{scale}: {result:?}");
    }
}

/// Times are whole nanoseconds, and what planners make rounds: a part in 10⁹ of the range of velocity, a
/// hundredth at the end of a plan, and no more.
#[test]
fn when_a_plan_is_at_its_limits_expect_rounding_forgiven_and_no_more() {
    for sign in [1.0, -1.0] {
        for (over, fits) in [(0.0, true), (3e-9, true), (5e-9, false), (1e-3, false)] {
            let (start, end) = (sign * 0.2, sign * 0.2 - sign * (2.0 + over) * 0.1);
            let points: &[(i64, &[f64])] =
                &[(0, &[0.0]), (SECOND, &[start]), (SECOND + SECOND / 10, &[end])];
            let judged = judge(&plan_lane(None), &mut trajectory(points), at(&[0.0]));
            assert_eq!(judged, (!fits).then_some((Reason::Velocity, 2)), "{sign} {over}");
        }
        // 0.1 rad to stop in at 5 rad/s²: from 1 rad/s.
        for (over, fits) in [(0.005, true), (0.02, false)] {
            let mut plan = trajectory(&[(0, &[0.0]), (SECOND, &[sign * 0.9])]);
            plan.velocity = vec![0.0, sign * (1.0 + over)];
            let result = Envelope::new(1).apply(&mut plan, &plan_lane(Some(5.0)), STEP, at(&[0.0]));
            assert_eq!(result.is_ok(), fits, "{sign} {over}");
            if let Err(refusal) = result {
                told(refusal, Reason::Velocity, 1, sign * (1.0 + over), sign);
            }
        }
    }
}
