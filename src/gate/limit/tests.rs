mod reach;

use proptest::prelude::*;

use super::*;
use crate::gate::limits::DimensionLimits;
use crate::gate::units::at_most;

const LIMITS: DimensionLimits = DimensionLimits {
    locked: false,
    position: Some(Bounds { min: -1.0, max: 1.0 }),
    velocity: Some(Bounds { min: -2.0, max: 2.0 }),
    acceleration: None,
    deceleration: None,
    jerk: None,
    effort: None,
    kp: None,
    kd: None,
    total_effort: None,
    position_unlimited: false,
    velocity_unlimited: false,
    acceleration_unlimited: false,
    effort_unlimited: false,
    gains_unlimited: false,
};

const WITH_ACCELERATION: DimensionLimits =
    DimensionLimits { acceleration: Some(10.0), deceleration: Some(20.0), ..LIMITS };

const STEP: Allowance = Allowance::of(0.02);

fn scaled(credit_s: f64, scale: f64) -> Allowance {
    Allowance { velocity: scale, acceleration: scale, ..Allowance::of(credit_s) }
}

/// Toward a target that stands still.
fn limit_to_rest(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    limit_position(commanded, 0.0, sent, limits, allowance)
}

fn at(value: f64) -> Reference {
    Reference { value, rate: 0.0 }
}

fn only(limit: Limit) -> LimitSet {
    LimitSet::EMPTY.with(limit)
}

#[test]
fn when_inside_expect_the_same_bits() {
    for value in [0.0, -0.0, 0.01, -0.04, f64::MIN_POSITIVE / 2.0] {
        let limited = limit_to_rest(value, at(0.0), &LIMITS, STEP);
        assert_eq!(limited.value.to_bits(), value.to_bits());
        assert!(limited.by.is_empty());
    }
}

#[test]
fn when_too_far_for_one_step_expect_the_velocity_limit() {
    let limited = limit_to_rest(0.5, at(0.0), &LIMITS, STEP);
    assert_eq!(limited.value, 0.04);
    assert_eq!(limited.by, only(Limit::Velocity));
}

#[test]
fn when_beyond_the_position_limit_expect_the_bound() {
    let limited = limit_to_rest(1.5, at(0.99), &LIMITS, STEP);
    assert_eq!(limited.value, 1.0);
    assert_eq!(limited.by, only(Limit::Position));
}

#[test]
fn hazard_09_dt_zero_negative_huge() {
    // No credit: no change, whatever is asked; and what is asked for may be "stay".
    for credit_s in [0.0, -0.0] {
        let none = Allowance::of(credit_s);
        for limits in [LIMITS, WITH_ACCELERATION] {
            assert_eq!(limit_to_rest(0.5, at(0.25), &limits, none).value, 0.25);
            assert!(limit_to_rest(0.25, at(0.25), &limits, none).by.is_empty());
        }
        assert_eq!(limit_velocity(1.0, at(0.5), &WITH_ACCELERATION, none).value, 0.5);
    }
    // A small credit is used as it is.
    let small = Allowance::of(1e-9);
    assert!((limit_to_rest(0.5, at(0.0), &LIMITS, small).value - 2e-9).abs() < 1e-18);
}

#[test]
fn when_it_starts_outside_expect_inward_or_still_never_outward() {
    let outside = at(1.1);
    assert_eq!(limit_to_rest(1.3, outside, &LIMITS, STEP).value, 1.1);
    assert_eq!(limit_to_rest(1.08, outside, &LIMITS, STEP).value, 1.08);
    assert!((limit_to_rest(0.0, outside, &LIMITS, STEP).value - 1.06).abs() < 1e-12);
    let far_below = limit_to_rest(0.0, at(-3.0), &LIMITS, STEP);
    assert!((far_below.value + 2.96).abs() < 1e-12);
}

/// The bound that is told is where the limit ends, which is not where a value goes that slows down
/// for its target.
#[test]
fn when_a_position_is_moved_expect_the_bound_that_moved_it_told() {
    const NARROW: DimensionLimits =
        DimensionLimits { position: Some(Bounds { min: -0.5, max: 0.5 }), ..LIMITS };
    let moving = |rate: f64| Reference { value: 0.0, rate };
    for (limits, commanded, sent, value, bound) in [
        (LIMITS, 1.5, at(0.99), 1.0, 1.0),
        (NARROW, 1.5, at(0.49), 0.5, 0.5),
        (WITH_ACCELERATION, 0.5, at(0.0), 0.004, 0.004),
        (WITH_ACCELERATION, 0.5, moving(2.0), 0.04, 0.04),
        (WITH_ACCELERATION, 0.05, moving(1.5), 0.022, 0.034),
        // It goes on while it slows down.
        (WITH_ACCELERATION, 0.01, moving(2.0), 0.032, 0.032),
        (WITH_ACCELERATION, -0.5, moving(2.0), 0.032, 0.032),
    ] {
        for sign in [1.0, -1.0] {
            let sent = Reference { value: sign * sent.value, rate: sign * sent.rate };
            let limited = limit_to_rest(sign * commanded, sent, &limits, STEP);
            let found = (sign * limited.value, sign * limited.bound);
            assert!((found.0 - value).abs() < 1e-12, "{commanded} {sent:?}: {limited:?}");
            assert!((found.1 - bound).abs() < 1e-12, "{commanded} {sent:?}: {limited:?}");
        }
    }
}

#[test]
fn when_the_velocity_limit_shrinks_expect_no_more_than_deceleration() {
    let fast = scaled(0.02, 0.1);
    let limited = limit_velocity(2.0, at(2.0), &WITH_ACCELERATION, fast);
    assert!((limited.value - 1.6).abs() < 1e-12);
    assert_eq!(limited.by, only(Limit::Deceleration));
}

#[test]
fn when_reversing_expect_deceleration_then_acceleration() {
    // 0.2 rad/s is gone after 0.01 s at 20 rad/s²; the other 0.01 s speeds up at 10 rad/s².
    let limited = limit_velocity(-2.0, at(0.2), &WITH_ACCELERATION, STEP);
    assert!((limited.value + 0.1).abs() < 1e-12);
    assert_eq!(limited.by, only(Limit::Acceleration));
}

#[test]
fn when_a_bound_fits_exactly_expect_unchanged() {
    let bounds = Bounds { min: -1.0, max: 1.0 };
    assert!(limit_to(1.0, bounds, Limit::Effort).by.is_empty());
    assert_eq!(limit_to(1.0 + f64::EPSILON, bounds, Limit::Effort).value, 1.0);
    assert_eq!(limit_to(-3.0, bounds, Limit::Effort).by, only(Limit::Effort));
}

fn commands() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-3.0..3.0f64, 0.0..0.03f64), 1..200)
}

proptest! {
    /// Whatever is asked, at whatever moments: position, velocity, acceleration and deceleration
    /// of what is sent stay inside, and the braking distance is kept.
    #[test]
    fn any_sequence_of_positions_stays_inside(commands in commands()) {
        let mut sent = at(0.0);
        for (commanded, credit_s) in commands {
            let allowance = Allowance::of(credit_s);
            let limited = limit_to_rest(commanded, sent, &WITH_ACCELERATION, allowance);
            prop_assert!(is_within(limited.value, -1.0, 1.0));
            prop_assert_eq!(limited.by.is_empty(), limited.value.to_bits() == commanded.to_bits());
            if credit_s > 1e-6 {
                let rate = (limited.value - sent.value) / credit_s;
                let slack = 1e-9 / credit_s;
                prop_assert!(rate.abs() <= 2.0 + slack);
                let change = rate - sent.rate;
                prop_assert!(change.abs() <= 20.0 * credit_s + slack, "{change} in {credit_s}");
                if rate.abs() > sent.rate.abs() && rate * sent.rate >= 0.0 {
                    prop_assert!(change.abs() <= 10.0 * credit_s + slack);
                }
                let room = if rate > 0.0 { 1.0 - limited.value } else { limited.value + 1.0 };
                prop_assert!(rate * rate <= 40.0 * room + 1e-6 + 4.0 * slack, "{rate} {room}");
                sent = Reference { value: limited.value, rate };
            } else {
                sent.value = limited.value;
            }
        }
    }

    #[test]
    fn any_sequence_of_velocities_stays_inside(commands in commands(), scale in 0.1..1.0f64) {
        let mut sent = 0.0f64;
        for (commanded, credit_s) in commands {
            let limited =
                limit_velocity(commanded, at(sent), &WITH_ACCELERATION, scaled(credit_s, scale));
            prop_assert!(limited.value.abs() <= 2.0 * scale + 1e-12);
            prop_assert!((limited.value - sent).abs() <= 20.0 * credit_s + 1e-12);
            sent = limited.value;
        }
    }

    /// What passes by comparisons alone passes the limits to the same bits, and what is well inside
    /// needs no other look.
    #[test]
    fn a_velocity_that_fits_is_left_alone(
        (share, value, rate) in (-1.3..1.3f64, -1.0..1.0f64, -3.0..3.0f64),
        (credit_s, velocity, acceleration) in (0.001..0.5f64, 0.1..=1.0f64, 0.1..=1.0f64),
        (up, down, jerk) in (0.5..20.0f64, 0.5..20.0f64, 1.0..200.0f64),
        kinds in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let limits = DimensionLimits {
            velocity: kinds.0.then_some(Bounds { min: -1.5, max: 2.0 }),
            acceleration: kinds.1.then_some(up),
            deceleration: kinds.2.then_some(down),
            jerk: kinds.3.then_some(jerk),
            ..DimensionLimits::default()
        };
        let sent = Reference { value: value * velocity, rate };
        let allowance = Allowance { velocity, acceleration, ..Allowance::of(credit_s) };
        let most = [
            kinds.1.then_some(up * acceleration * credit_s),
            kinds.2.then_some(down * credit_s),
            kinds.3.then_some(jerk * acceleration * credit_s * credit_s),
        ];
        let most = most.into_iter().flatten().fold(f64::INFINITY, at_most);
        let commanded = sent.value + share * if most.is_finite() { most } else { 2.0 };
        let fits = fits_velocity(commanded, sent, &limits, allowance);
        let limited = limit_velocity(commanded, sent, &limits, allowance);
        if fits {
            prop_assert!(limited.by.is_empty(), "{limited:?}");
            prop_assert_eq!(limited.value.to_bits(), commanded.to_bits());
        }
        let inside = !kinds.0 || is_within(commanded, -1.5 * velocity, 2.0 * velocity);
        prop_assert_eq!(fits, inside && (share.abs() <= 1.0 || !most.is_finite()));
    }

    /// The one-sided judgement agrees with the whole range, and the comparisons with both.
    #[test]
    fn a_limited_position_is_in_reach_and_an_unlimited_one_was(
        commanded in -3.0..3.0f64,
        value in -1.3..1.3f64,
        rate in -2.5..2.5f64,
        aim_rate in -5.0..5.0f64,
        (credit_s, velocity, acceleration) in (0.0..0.05f64, 0.0..=1.0f64, 0.0..=1.0f64),
        kinds in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let limits = DimensionLimits {
            position: kinds.0.then_some(Bounds { min: -1.0, max: 1.0 }),
            velocity: kinds.1.then_some(Bounds { min: -1.5, max: 2.0 }),
            acceleration: kinds.2.then_some(10.0),
            deceleration: kinds.3.then_some(20.0),
            ..DimensionLimits::default()
        };
        let sent = Reference { value, rate };
        let allowance = Allowance { velocity, acceleration, ..Allowance::of(credit_s) };
        let limited = limit_position(commanded, aim_rate, sent, &limits, allowance);
        let range = position_range(sent, &limits, allowance);
        let near = |value: f64| (range.nearest(value) - value).abs() <= 1e-12;
        prop_assert!(near(limited.value), "{limited:?} {range:?}");
        let fits = fits_position(commanded, sent, &limits, Step::of(allowance));
        if limited.by.is_empty() {
            prop_assert_eq!(limited.value.to_bits(), commanded.to_bits());
        } else {
            prop_assert!(!fits || near(commanded));
            prop_assert!((range.nearest(commanded) - commanded).abs() > 0.0 || near(commanded));
        }
        if fits {
            prop_assert!(near(commanded));
        }
    }
}

proptest! {
    /// What a command far beyond everything gets is the end of the range: neither more, which the room
    /// to brake forbids, nor less.
    #[test]
    fn a_command_far_away_is_limited_to_the_end_of_what_is_in_reach(
        (value, rate) in (-1.3..1.3f64, -2.5..2.5f64),
        (credit_s, velocity, acceleration) in (0.001..0.3f64, 0.1..=1.0f64, 0.1..=1.0f64),
        (up, down) in (0.5..10.0f64, 0.5..20.0f64),
    ) {
        let limits = DimensionLimits {
            acceleration: Some(up),
            deceleration: Some(down),
            ..LIMITS
        };
        let sent = Reference { value, rate };
        let allowance = Allowance { velocity, acceleration, ..Allowance::of(credit_s) };
        let range = position_range(sent, &limits, allowance);
        for (commanded, end) in [(9.0, range.high), (-9.0, range.low)] {
            let limited = limit_to_rest(commanded, sent, &limits, allowance);
            prop_assert!((limited.value - end).abs() <= 1e-12, "{limited:?} {range:?}");
        }
    }
}

/// Most commands need no limit; that the comparisons alone see it is what keeps the gate quick.
#[test]
fn when_a_position_is_well_inside_expect_the_comparisons_alone_to_say_so() {
    let step = Step::of(STEP);
    for sign in [1.0, -1.0] {
        let from_rest = (at(0.0), sign * 0.002);
        let in_motion = (Reference { value: 0.0, rate: sign * 1.0 }, sign * 0.02);
        let at_the_bound = (at(sign * 0.97), sign * 0.973);
        for (sent, commanded) in [from_rest, in_motion, at_the_bound] {
            assert!(fits_position(commanded, sent, &WITH_ACCELERATION, step), "{sent:?}");
        }
        // No room to stop from 2 rad/s within 0.02 rad.
        let sent = Reference { value: sign * 0.94, rate: sign * 2.0 };
        assert!(!fits_position(sign * 0.98, sent, &WITH_ACCELERATION, step));
    }
}

/// `unlimited: [acceleration]` leaves speeding up free, and slowing down limited.
#[test]
fn when_only_deceleration_is_limited_expect_it_asked_of_every_command() {
    let limits = DimensionLimits { deceleration: Some(2.0), ..LIMITS };
    for sign in [1.0, -1.0] {
        let sent = Reference { value: 0.0, rate: sign * 2.0 };
        assert!(!fits_position(0.0, sent, &limits, Step::of(STEP)));
        let limited = limit_to_rest(0.0, sent, &limits, STEP);
        assert!((limited.value - sign * 1.96 * 0.02).abs() < 1e-12, "{limited:?}");
        assert_eq!(limited.by, only(Limit::Deceleration));
    }
    let limits = DimensionLimits { acceleration: Some(2.0), ..LIMITS };
    assert!(!fits_position(0.02, at(0.0), &limits, Step::of(STEP)));
}

/// A name for each end: at a tie the one that was there first.
#[test]
fn when_a_smaller_velocity_limit_is_in_force_expect_what_really_ends_the_step_named() {
    for (rate, velocity, by) in [
        (0.0, 0.05, Limit::Velocity),
        // 10 rad/s² for 0.02 s are 0.2 rad/s, and so is the velocity limit.
        (0.0, 0.1, Limit::Acceleration),
        (2.0, 0.9, Limit::Velocity),
        (2.0, 0.8, Limit::Velocity),
        (2.0, 0.1, Limit::Deceleration),
    ] {
        let allowance = Allowance { velocity, ..STEP };
        let sent = Reference { value: -0.9, rate };
        let limited = limit_to_rest(0.9, sent, &WITH_ACCELERATION, allowance);
        assert_eq!(limited.by, only(by), "{rate} {velocity}");
    }
}

#[test]
fn when_derating_is_named_expect_it_judged_by_the_lanes_own_limits_and_nothing_unmoved_named() {
    let derated = Allowance {
        velocity: 0.5,
        acceleration: 0.4,
        effort: 0.3,
        because: Some(Limit::Derating),
        ..Allowance::of(0.02)
    };
    let own = |full: Allowance| {
        assert_eq!((full.velocity, full.acceleration, full.effort), (1.0, 1.0, 1.0));
        assert_eq!(full.credit_s, 0.02);
        Limited::unchanged(0.5)
    };
    let moved = Limited::moved(0.2, LimitSet::EMPTY.with(Limit::Velocity), 0.2);
    assert_eq!(moved.named(derated, own).by, LimitSet::EMPTY.with(Limit::Derating));
    assert_eq!(Limited::unchanged(0.5).named(derated, own), Limited::unchanged(0.5));
}

/// One step of it and then the full deceleration end exactly where the room does.
#[test]
fn when_there_is_room_to_brake_expect_the_velocity_that_uses_all_of_it() {
    for room in [1e-6, 0.001, 0.3, 2.0] {
        for deceleration in [0.5, 20.0, 1e6] {
            for time in [1e-4, 0.02, 0.5] {
                let velocity = super::reach::braking_velocity(room, deceleration, time);
                let used = velocity * time + velocity * velocity / (2.0 * deceleration);
                assert!((used / room - 1.0).abs() < 1e-9, "{room} {deceleration} {time}: {used}");
                assert!(velocity > 0.0);
            }
        }
    }
}
