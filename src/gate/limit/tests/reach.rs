//! What can be reached in one step, piece by piece.

use super::*;
use crate::gate::limit::reach::{Range, braking_velocity, change_time, is_over_braking, reachable};

const fn range(low: f64, high: f64) -> Range {
    Range { low, high, low_by: Limit::Acceleration, high_by: Limit::Acceleration }
}

#[test]
fn when_a_range_is_narrowed_expect_each_end_named_by_what_moved_it() {
    for (bound, high, by) in [
        (2.0, 1.0, Limit::Acceleration),
        // What is there already moves nothing.
        (1.0, 1.0, Limit::Acceleration),
        (0.5, 0.5, Limit::Velocity),
        (-1.0, -1.0, Limit::Velocity),
        // Not below the lower end: that would be faster than deceleration allows.
        (-1.5, -1.0, Limit::Deceleration),
    ] {
        let mut upper = range(-1.0, 1.0);
        upper.lower_to(bound, Limit::Velocity);
        assert_eq!((upper.low, upper.high), (-1.0, high));
        assert_eq!((upper.low_by, upper.high_by), (Limit::Acceleration, by), "{bound}");
        let mut lower = range(-1.0, 1.0);
        lower.raise_to(-bound, Limit::Velocity);
        assert_eq!((lower.low, lower.high), (-high, 1.0));
        assert_eq!((lower.low_by, lower.high_by), (by, Limit::Acceleration), "{bound}");
    }
}

#[test]
fn when_only_one_kind_of_limit_is_given_expect_it_to_hold_alone() {
    let from = Reference { value: 0.5, rate: 0.0 };
    let (speeding_up, slowing_down) = (
        DimensionLimits { acceleration: Some(10.0), ..DimensionLimits::default() },
        DimensionLimits { deceleration: Some(20.0), ..DimensionLimits::default() },
    );
    let of = |limits: &DimensionLimits, jerk| {
        let range = reachable(from, limits, jerk, STEP);
        (range.low, range.high)
    };
    // Free to stop at once, so all of the time is left to speed up the other way.
    let (low, high) = of(&speeding_up, None);
    assert!((low + 0.2).abs() < 1e-12 && (high - 0.7).abs() < 1e-12, "{low} {high}");
    let (low, high) = of(&slowing_down, None);
    assert!((low - 0.1).abs() < 1e-12 && high > 1e100, "{low} {high}");
    let (low, high) = of(&DimensionLimits::default(), Some(100.0));
    assert!((low + 0.04).abs() < 1e-12 && (high - 0.54).abs() < 1e-12, "{low} {high}");
    assert_eq!(of(&DimensionLimits::default(), None), (f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn when_jerk_and_acceleration_allow_the_same_expect_acceleration_named() {
    let limits = DimensionLimits { acceleration: Some(10.0), ..DimensionLimits::default() };
    let one = Allowance::of(1.0);
    for (jerk, by) in [(9.0, Limit::Jerk), (10.0, Limit::Acceleration), (11.0, Limit::Acceleration)]
    {
        let range = reachable(at(0.0), &limits, Some(jerk), one);
        assert_eq!((range.low_by, range.high_by), (by, by), "{jerk}");
    }
}

/// The acceleration so far counts in its own direction, and against the other not at all.
#[test]
fn when_it_accelerates_already_expect_jerk_to_add_to_that_in_the_same_direction_only() {
    let limits = DimensionLimits { acceleration: Some(50.0), ..DimensionLimits::default() };
    for sign in [1.0, -1.0] {
        let from = Reference { value: 0.0, rate: sign * 3.0 };
        let range = reachable(from, &limits, Some(100.0), STEP);
        let (with, against) =
            if sign > 0.0 { (range.high, -range.low) } else { (-range.low, range.high) };
        assert!((with - 5.0 * 0.02).abs() < 1e-12, "{range:?}");
        assert!((against - 2.0 * 0.02).abs() < 1e-12, "{range:?}");
    }
}

#[test]
fn a_change_of_velocity_takes_the_time_of_its_own_limits() {
    for (from, to, time_s) in [
        (0.0, 1.0, 0.1),
        (0.5, 1.0, 0.05),
        (1.0, 0.5, 0.025),
        (1.0, 0.0, 0.05),
        (0.5, -1.0, 0.125),
        (1.0, 1.0, 0.0),
        (0.0, 0.0, 0.0),
    ] {
        for sign in [1.0, -1.0] {
            let time = change_time(sign * from, sign * to, 10.0, 20.0);
            assert!((time - time_s).abs() < 1e-12, "{from} to {to}: {time}");
        }
    }
}

#[test]
fn whether_a_velocity_is_too_fast_to_brake_agrees_with_the_one_that_is_not() {
    for room in [1e-6, 0.001, 0.3, 2.0] {
        for deceleration in [0.5, 20.0, 1e6] {
            for time in [1e-4, 0.02, 0.5] {
                let most = braking_velocity(room, deceleration, time);
                let over = |velocity| is_over_braking(velocity, room, deceleration, time);
                assert!(!over(most * (1.0 - 1e-9)), "{room} {deceleration} {time}");
                assert!(over(most * (1.0 + 1e-9)), "{room} {deceleration} {time}");
                assert!(!over(0.0) && !over(-most), "{room} {deceleration} {time}");
            }
        }
    }
    // 2 m/s for one second and 1 m/s² to stop: 2 + 2 metres, all of them.
    assert!(!is_over_braking(2.0, 4.0, 1.0, 1.0));
    for none in [0.0, -0.1] {
        assert!(is_over_braking(1e-9, none, 20.0, 0.02));
        assert!(!is_over_braking(0.0, none, 20.0, 0.02));
        assert_eq!(braking_velocity(none, 20.0, 0.02), 0.0);
        assert_eq!(braking_velocity(none, 20.0, 0.0), 0.0);
    }
}
