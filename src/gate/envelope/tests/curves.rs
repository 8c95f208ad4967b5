//! Plans whose points carry velocities, and plans that began before now or begin later.

use super::plans::plan_lane;
use super::*;
use crate::gate::limits::Bounds;

const SECOND: i64 = 1_000_000_000;
const STILL: Present<'_> = Present { position: Some(&[0.0]), velocity: Some(&[0.0]) };

fn with_velocities(points: &[(i64, &[f64])], velocity: &[f64]) -> Command {
    let mut plan = trajectory(points);
    plan.velocity = velocity.to_vec();
    plan
}

fn refused(rules: &LaneRules, plan: &mut Command, present: Present<'_>) -> Option<(Reason, usize)> {
    let result = Envelope::new(1).apply(plan, rules, STEP, present);
    result.err().map(|refusal| (refusal.reason, refusal.point))
}

#[test]
fn when_a_curve_swings_beyond_a_bound_expect_position_with_how_far() {
    let rules = plan_lane(Some(1.0));
    for sign in [1.0, -1.0] {
        // Arrives at 0.45 rad/s and stays there for ten seconds: 0.67 rad further in between.
        let points: &[(i64, &[f64])] = &[(2 * SECOND, &[sign * 0.9]), (12 * SECOND, &[sign * 0.9])];
        let mut plan = with_velocities(points, &[sign * 0.45, 0.0]);
        let refusal = Envelope::new(1).apply(&mut plan, &rules, STEP, STILL).unwrap_err();
        assert_eq!((refusal.reason, refusal.point), (Reason::Position, 1));
        assert!((sign * refusal.found - 0.9 - 4.5 * 4.0 / 27.0).abs() < 1e-9, "{refusal:?}");
        assert_eq!(refusal.bound, sign);
        assert_eq!(refused(&rules, &mut trajectory(points), STILL), None, "straight lines");
    }
}

#[test]
fn when_a_curve_is_faster_than_its_segment_expect_velocity_with_how_fast() {
    // A mean of 1.5 rad/s, from rest to rest: 2.25 in the middle, of 2 and a twentieth of 4.
    let points: &[(i64, &[f64])] = &[(SECOND, &[0.0]), (SECOND + SECOND / 5, &[0.3])];
    let mut plan = with_velocities(points, &[0.0, 0.0]);
    let refusal = Envelope::new(1).apply(&mut plan, &plan_lane(None), STEP, STILL).unwrap_err();
    assert_eq!((refusal.reason, refusal.point, refusal.bound), (Reason::Velocity, 1, 2.0));
    assert!((refusal.found - 2.25).abs() < 1e-9, "{refusal:?}");
    let slower: &[(i64, &[f64])] = &[(SECOND, &[0.0]), (SECOND + SECOND / 5, &[0.29])];
    let mut plan = with_velocities(slower, &[0.0, 0.0]);
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), None);
    // What a planner rounds is a 24th of its acceleration, and no more: 0.08 rad/s here.
    let faster: &[(i64, &[f64])] = &[(SECOND, &[0.0]), (SECOND + SECOND / 5, &[0.32])];
    let mut rounded = with_velocities(faster, &[0.0, 0.0]);
    let limited = plan_lane(Some(10.0));
    assert_eq!(refused(&limited, &mut rounded, STILL), Some((Reason::Velocity, 1)));
    // With accelerations it is a curve of fifth degree, and faster still: 15/8 of the mean.
    plan.acceleration = vec![0.0, 0.0];
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Velocity, 1)));
}

/// From where the joint is, and how fast it moves, to the first point.
#[test]
fn when_the_way_to_the_first_point_swings_out_expect_position() {
    let moving = Present { position: Some(&[0.95]), velocity: Some(&[1.5]) };
    let points: &[(i64, &[f64])] = &[(2 * SECOND, &[0.95])];
    let mut plan = with_velocities(points, &[0.0]);
    assert_eq!(refused(&plan_lane(None), &mut plan, moving), Some((Reason::Position, 0)));
    let still = Present { velocity: Some(&[0.0]), ..moving };
    assert_eq!(refused(&plan_lane(None), &mut plan, still), None);
}

/// What a planner makes of a trapezoid, sampled at any distance, with and without accelerations.
#[test]
fn when_a_planner_uses_all_it_may_expect_its_curves_to_pass() {
    // 2 rad/s² up to 0.5 rad/s, 0.65 rad in all.
    let (speed, up) = (0.5, 2.0);
    let at = |time: f64| -> (f64, f64, f64) {
        let (ramp, end) = (speed / up, 0.65 / speed + speed / up);
        if time <= ramp {
            (0.5 * up * time * time, up * time, up)
        } else if time <= end - ramp {
            (speed * (time - 0.5 * ramp), speed, 0.0)
        } else {
            let left = if time < end { end - time } else { 0.0 };
            (0.65 - 0.5 * up * left * left, up * left, if left > 0.0 { -up } else { 0.0 })
        }
    };
    let mut rules = plan_lane(Some(up));
    rules.limits[0].velocity = Some(crate::gate::limits::Bounds { min: -speed, max: speed });
    for step_ms in [10, 20, 50, 70, 100] {
        for given in [1, 2] {
            let mut plan = Command::with_capacity(1, 256);
            for place in 1..=(1_600 / step_ms) {
                let time = place * step_ms;
                let (position, velocity, acceleration) = at(time as f64 * 1e-3);
                plan.times.push(time * 1_000_000);
                plan.position.push(position);
                plan.velocity.push(velocity);
                if given == 2 {
                    plan.acceleration.push(acceleration);
                }
                plan.points += 1;
            }
            assert_eq!(refused(&rules, &mut plan, STILL), None, "{step_ms} ms, {given}");
        }
    }
}

#[test]
fn when_a_plan_began_before_expect_what_is_due_now_judged_against_the_present() {
    let rules = plan_lane(None);
    // Half a radian a second; the joint may be 0.05 rad away.
    let points: &[(i64, &[f64])] = &[(0, &[0.0]), (SECOND, &[0.5]), (2 * SECOND, &[1.0])];
    for (before, position, fits) in [
        (0, 0.0, true),
        (SECOND / 20, 0.0, true),
        (SECOND / 5, 0.0, false),
        (SECOND / 5, 0.1, true),
        (SECOND, 0.5, true),
        (SECOND * 3 / 2, 0.75, true),
        (SECOND * 3 / 2, 0.5, false),
        // All of it is over: its end is what counts.
        (SECOND * 5, 1.0, true),
        (SECOND * 5, 0.9, false),
    ] {
        let mut plan = trajectory(points);
        plan.starts_in = -before;
        let judged = Envelope::new(1).apply(&mut plan, &rules, STEP, at(&[position]));
        assert_eq!(judged.is_ok(), fits, "{before} at {position}: {judged:?}");
        if let Err(refusal) = judged {
            assert_eq!(refusal.reason, Reason::Discontinuity);
        }
    }
}

/// A curve is not on the straight line between its points: 0.075 rad from it here, of a tolerance of 0.05.
#[test]
fn when_a_curve_began_before_expect_its_own_place_judged_against_the_present() {
    let rules = plan_lane(Some(8.0));
    let mut plan = with_velocities(&[(0, &[0.0]), (SECOND, &[0.8])], &[0.0, 0.0]);
    plan.starts_in = -SECOND / 4;
    for (position, judged) in [(0.125, None), (0.2, Some((Reason::Discontinuity, 1)))] {
        let position = [position];
        let present = Present { position: Some(&position), velocity: Some(&[0.9]) };
        assert_eq!(refused(&rules, &mut plan.clone(), present), judged, "{position:?}");
    }
}

/// Whatever part of it is over when it comes, as long as the joint is where the plan has it.
#[test]
fn when_a_plan_that_uses_all_it_may_comes_late_expect_it_to_pass() {
    // 2 rad/s² up to half a second, then down, 20 ms apart.
    let at_time = |time: f64| {
        let left = 1.0 - time;
        if time <= 0.5 { (time * time, 2.0 * time) } else { (0.5 - left * left, 2.0 * left) }
    };
    let mut plan = Command::with_capacity(1, 64);
    for step in 0..=50_i64 {
        plan.times.push(step * SECOND / 50);
        plan.position.push(at_time(step as f64 * 0.02).0);
        plan.points += 1;
    }
    let rules = plan_lane(Some(2.0));
    for late_ms in 0..1_000 {
        let mut late = plan.clone();
        late.starts_in = -late_ms * 1_000_000;
        let (position, velocity) = at_time(late_ms as f64 * 1e-3);
        let (position, velocity) = ([position], [velocity]);
        let present = Present { position: Some(&position), velocity: Some(&velocity) };
        assert_eq!(refused(&rules, &mut late, present), None, "{late_ms} ms");
    }
}

/// One of the two limits is enough to be judged by.
#[test]
fn when_only_one_way_of_changing_speed_is_limited_expect_it_asked() {
    let points: &[(i64, &[f64])] =
        &[(0, &[0.0]), (SECOND / 10, &[0.05]), (SECOND / 5, &[0.15]), (SECOND, &[0.15])];
    let mut rules = plan_lane(None);
    assert_eq!(refused(&rules, &mut trajectory(points), STILL), None);
    rules.limits[0].deceleration = Some(2.0);
    assert_eq!(refused(&rules, &mut trajectory(points), STILL), Some((Reason::Acceleration, 3)));
    rules.limits[0].deceleration = None;
    rules.limits[0].acceleration = Some(2.0);
    assert_eq!(refused(&rules, &mut trajectory(points), STILL), Some((Reason::Acceleration, 2)));
}

/// A point far away that would be due in no time, were its way not counted from the plan's start.
#[test]
fn when_a_plan_began_before_expect_no_leap_to_its_first_point() {
    let mut plan = trajectory(&[(SECOND * 8 / 5, &[0.9]), (3 * SECOND, &[0.95])]);
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), None);
    plan.starts_in = -SECOND * 8 / 5;
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Discontinuity, 0)));
    plan.starts_in = -SECOND * 3 / 2;
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Velocity, 0)));
}

#[test]
fn when_a_plan_begins_later_expect_its_way_to_the_first_point_longer_and_its_horizon_nearer() {
    let mut plan = trajectory(&[(SECOND / 10, &[0.5])]);
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Velocity, 0)));
    plan.starts_in = SECOND;
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), None);
    plan.starts_in = 60 * SECOND;
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Horizon, 0)));
    plan.starts_in = i64::MAX;
    assert_eq!(refused(&plan_lane(None), &mut plan, STILL), Some((Reason::Horizon, 0)));
}

/// What is limited bends the curve: an acceleration that is cut leaves it further out.
#[test]
fn when_accelerations_are_cut_expect_the_curve_judged_as_it_is_sent() {
    let rules = plan_lane(Some(1.0));
    let points: &[(i64, &[f64])] = &[(2 * SECOND, &[0.9]), (3 * SECOND, &[0.9])];
    let mut plan = with_velocities(points, &[0.5, 0.0]);
    plan.acceleration = vec![-1.0, 0.0];
    assert_eq!(refused(&rules, &mut plan, STILL), None);
    let mut plan = with_velocities(points, &[1.0, 0.0]);
    plan.acceleration = vec![-10.0, 0.0];
    assert_eq!(refused(&rules, &mut plan, STILL), Some((Reason::Position, 1)));
    assert_eq!(plan.acceleration, [-1.0, 0.0]);
}

#[test]
fn when_segments_take_seconds_expect_no_more_room_for_what_planners_round() {
    let mut rules = plan_lane(Some(11.0));
    rules.limits[0].position = Some(Bounds { min: -3.0, max: 3.0 });
    rules.limits[0].velocity = Some(Bounds { min: -1.0, max: 1.0 });
    let still = Present { position: Some(&[-1.0]), velocity: Some(&[0.0]) };
    let one = |after: i64, velocity: f64| {
        let mut plan = with_velocities(&[(after * SECOND, &[1.0])], &[velocity]);
        refused(&rules, &mut plan, still)
    };
    // From rest to rest, half as fast again in the middle.
    assert_eq!(one(2, 0.0), Some((Reason::Velocity, 0)));
    assert_eq!(one(3, 0.0), None);
    let two = |until: i64, velocity: &[f64]| {
        let points: &[(i64, &[f64])] = &[(SECOND, &[-1.0]), (until * SECOND, &[1.0])];
        refused(&rules, &mut with_velocities(points, velocity), still)
    };
    assert_eq!(two(3, &[0.0, 0.0]), Some((Reason::Velocity, 1)));
    assert_eq!(two(3, &[-1.0, -1.0]), Some((Reason::Velocity, 1)));
    assert_eq!(two(4, &[0.0, 0.0]), None);
}

/// Nobody knows how fast a joint moves that a plan is moving, where feedback has no velocities; at rest
/// it is at rest. What is too fast already may slow down.
#[test]
fn when_the_way_to_the_first_point_is_fast_expect_velocity_where_its_start_is_known() {
    let mut rules = plan_lane(None);
    rules.limits[0].velocity = Some(Bounds { min: -1.0, max: 1.0 });
    let unknown = Present { position: Some(&[0.0]), velocity: None };
    let fast = Present { position: Some(&[0.0]), velocity: Some(&[1.4]) };
    let mut envelope = Envelope::new(1);
    let mut apply = |present| {
        envelope.rest(SteadyTime::from_nanos(1), 0.02);
        let mut plan = with_velocities(&[(SECOND, &[0.95])], &[0.9]);
        let result = envelope.apply(&mut plan, &rules, STEP, present);
        envelope.commit_at(SteadyTime::from_nanos(1), 0.02);
        result.err().map(|refusal| refusal.reason)
    };
    assert_eq!(apply(fast), None);
    assert_eq!(apply(unknown), None, "of the plan before it has a velocity");
    // That one is over, and its joint at rest.
    let mut later = |ns: u64| {
        envelope.rest(SteadyTime::from_nanos(ns), 0.02);
        let mut plan = with_velocities(&[(SECOND, &[0.95])], &[0.9]);
        envelope.apply(&mut plan, &rules, STEP, unknown).err().map(|refusal| refusal.reason)
    };
    assert_eq!(later(1_000_000_000), None);
    assert_eq!(later(1_000_000_001), Some(Reason::Velocity));
    let mut plan = with_velocities(&[(SECOND, &[0.95])], &[0.9]);
    let refusal = Envelope::new(1).apply(&mut plan, &rules, STEP, unknown).unwrap_err();
    assert_eq!((refusal.reason, refusal.bound), (Reason::Velocity, 1.0));
}
