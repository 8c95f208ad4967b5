//! Position commands: bounds, velocity, acceleration, and the distance that braking needs.

use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::units::{at_least, at_most, is_within};
use crate::gate::verdict::Limit;

use super::reach::{Range, braking_velocity, is_over_braking, reachable};
use super::{Allowance, LimitSet, Limited, Reference};

/// The step's time and what follows from it, once for all joints of a command.
#[derive(Clone, Copy, Debug)]
pub(in crate::gate) struct Step {
    time: f64,
    squared: f64,
    velocity: f64,
    acceleration: f64,
}

impl Step {
    /// A step that takes all of the allowance's credit.
    #[inline]
    pub(in crate::gate) fn of(allowance: Allowance) -> Self {
        let squared = allowance.credit_s * allowance.credit_s;
        Self {
            time: allowance.credit_s,
            squared,
            velocity: allowance.velocity * allowance.credit_s,
            acceleration: allowance.acceleration * squared,
        }
    }
}

/// Whether a position is inside every limit, by comparisons alone: true only where
/// [`limit_position`] leaves it unchanged. A few unchanged values are not recognised, which slow
/// down faster than they may speed up. False for NaN.
#[inline]
pub(in crate::gate) fn fits_position(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    step: Step,
) -> bool {
    let change = commanded - sent.value;
    let mut fits = change.is_finite();
    if let Some(bounds) = limits.velocity {
        fits &= is_within(change, bounds.min * step.velocity, bounds.max * step.velocity);
    }
    if let (Some(acceleration), Some(deceleration)) = (limits.acceleration, limits.deceleration) {
        let most = at_most(acceleration * step.acceleration, deceleration * step.squared);
        fits &= (change - sent.rate * step.time).abs() <= most;
    }
    if let Some(bounds) = limits.position {
        fits &= is_within(commanded, bounds.min, bounds.max);
        if let Some(deceleration) = limits.deceleration {
            let ahead = if change > 0.0 { bounds.max } else { bounds.min };
            let room = (ahead - commanded).abs();
            fits &= change * change <= 2.0 * deceleration * step.squared * room;
        }
    }
    fits
}

/// Limits a position command.
///
/// # Units
/// `commanded` and the reference in rad or m, the credit in s.
pub(in crate::gate) fn limit_position(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let limited = limit(commanded, sent, limits, allowance);
    limited.named(allowance, |full| limit(commanded, sent, limits, full))
}

/// The positions that can be reached in the credit, and the target brought inside the bounds.
pub(in crate::gate) fn position_range(
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
    let (reach, inward) = velocities(sent, limits, allowance);
    positions(reach, sent, allowance, inward)
}

/// What starts outside its bounds may stay or move inward, never outward.
fn inward(sent: Reference, bounds: Option<Bounds>) -> Bounds {
    let bounds = bounds.unwrap_or(Bounds { min: f64::NEG_INFINITY, max: f64::INFINITY });
    Bounds { min: at_most(bounds.min, sent.value), max: at_least(bounds.max, sent.value) }
}

/// The velocities of the step within every limit, and those within acceleration alone.
#[inline]
fn velocities(
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> ((Range, Range), Bounds) {
    // Jerk is a limit of velocity lanes.
    let own = DimensionLimits { jerk: None, ..*limits };
    let from = Reference { value: sent.rate, rate: 0.0 };
    let speed = reachable(from, &own, allowance);
    let mut reach = speed;
    reach.narrow(limits.velocity, allowance.velocity);
    if let (Some(deceleration), Some(bounds)) = (limits.deceleration, limits.position) {
        let time = allowance.credit_s;
        // A start outside has no room; moving inward is free of this rule.
        let room = bounds.max - sent.value;
        if sent.value >= bounds.min && is_over_braking(reach.high, room, deceleration, time) {
            reach.lower_to(braking_velocity(room, deceleration, time), Limit::Position);
        }
        let room = sent.value - bounds.min;
        if sent.value <= bounds.max && is_over_braking(-reach.low, room, deceleration, time) {
            reach.raise_to(-braking_velocity(room, deceleration, time), Limit::Position);
        }
    }
    ((reach, speed), inward(sent, limits.position))
}

fn positions(
    reach: (Range, Range),
    sent: Reference,
    allowance: Allowance,
    inward: Bounds,
) -> Range {
    let reach = reach.0;
    Range {
        low: at_least(sent.value + reach.low * allowance.credit_s, inward.min),
        high: at_most(sent.value + reach.high * allowance.credit_s, inward.max),
        ..reach
    }
}

fn limit(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let (reach, inward) = velocities(sent, limits, allowance);
    let range = positions(reach, sent, allowance, inward);
    let target = at_least(at_most(commanded, inward.max), inward.min);
    if range.contains(target) {
        return if range.contains(commanded) {
            Limited::unchanged(commanded)
        } else {
            Limited::moved(target, LimitSet::EMPTY.with(Limit::Position), target)
        };
    }
    let (edge, by) =
        if target > range.high { (range.high, range.high_by) } else { (range.low, range.low_by) };
    let mut by = LimitSet::EMPTY.with(by);
    if !is_within(commanded, inward.min, inward.max) {
        by = by.with(Limit::Position);
    }
    let value = match limits.deceleration {
        Some(deceleration) => {
            approach(target, edge, sent, (deceleration, allowance.credit_s), reach.1)
        }
        None => edge,
    };
    Limited::moved(at_least(at_most(value, inward.max), inward.min), by, edge)
}

/// Slows down toward a target that cannot be reached in this step, so that the command can stop on
/// it; never slower than the deceleration limit allows, never past `edge`.
fn approach(
    target: f64,
    edge: f64,
    sent: Reference,
    (deceleration, time): (f64, f64),
    speed: Range,
) -> f64 {
    let (change, room) = (edge - sent.value, target - sent.value);
    // The rule of `is_over_braking`, times the square of the time.
    let step = deceleration * time * time;
    if change.abs() * (change.abs() + 2.0 * step) <= 2.0 * step * room.abs() {
        return edge;
    }
    if target > edge && room > 0.0 {
        let slow = braking_velocity(room, deceleration, time);
        at_most(edge, sent.value + at_least(slow, speed.low) * time)
    } else if target < edge && room < 0.0 {
        let slow = -braking_velocity(-room, deceleration, time);
        at_least(edge, sent.value + at_most(slow, speed.high) * time)
    } else {
        edge
    }
}
