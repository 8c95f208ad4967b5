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

/// Limits a position command. `aim_rate` is how fast the commanded position itself moves: a value
/// that has fallen behind catches up with it instead of slowing down toward where it is now.
///
/// # Units
/// `commanded` and the reference in rad or m, their rates per s, the credit in s.
pub(in crate::gate) fn limit_position(
    commanded: f64,
    aim_rate: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let limited = limit(commanded, aim_rate, sent, limits, allowance);
    limited.named(allowance, |full| limit(commanded, aim_rate, sent, limits, full))
}

/// The positions that can be reached in the credit.
pub(in crate::gate) fn position_range(
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
    let reach = narrowed(speed_range(sent, limits, allowance), sent, limits, allowance);
    positions(reach, sent, allowance, inward(sent, limits.position))
}

/// What starts outside its bounds may stay or move inward, never outward.
#[inline]
fn inward(sent: Reference, bounds: Option<Bounds>) -> Bounds {
    let bounds = bounds.unwrap_or(Bounds { min: f64::NEG_INFINITY, max: f64::INFINITY });
    Bounds { min: at_most(bounds.min, sent.value), max: at_least(bounds.max, sent.value) }
}

/// The velocities that acceleration and deceleration allow. Jerk is a limit of velocity lanes.
#[inline]
fn speed_range(sent: Reference, limits: &DimensionLimits, allowance: Allowance) -> Range {
    reachable(Reference { value: sent.rate, rate: 0.0 }, limits, None, allowance)
}

/// Of these, the ones within the velocity bounds, and after which the room suffices to brake.
#[inline]
fn narrowed(
    mut reach: Range,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
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
    reach
}

#[inline]
fn positions(reach: Range, sent: Reference, allowance: Allowance, inward: Bounds) -> Range {
    Range {
        low: at_least(sent.value + reach.low * allowance.credit_s, inward.min),
        high: at_most(sent.value + reach.high * allowance.credit_s, inward.max),
        ..reach
    }
}

fn limit(
    commanded: f64,
    aim_rate: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let inward = inward(sent, limits.position);
    let speed = speed_range(sent, limits, allowance);
    let reach = narrowed(speed, sent, limits, allowance);
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
            let aim = Reference { value: target, rate: aim_rate };
            approach(aim, edge, sent, (deceleration, allowance.credit_s), speed)
        }
        None => edge,
    };
    Limited::moved(at_least(at_most(value, inward.max), inward.min), by, edge)
}

/// Slows down toward a target that cannot be reached in this step, so that the command can meet it
/// at its own velocity; never slower than the deceleration limit allows, never past `edge`.
#[inline]
fn approach(
    aim: Reference,
    edge: f64,
    sent: Reference,
    (deceleration, time): (f64, f64),
    speed: Range,
) -> f64 {
    let (change, room) = (edge - sent.value, aim.value - sent.value);
    // The rule of `is_over_braking`, times the square of the time.
    let step = deceleration * time * time;
    if change.abs() * (change.abs() + 2.0 * step) <= 2.0 * step * room.abs() {
        return edge;
    }
    if aim.value > edge && room > 0.0 {
        let slow = braking_velocity(room, deceleration, time) + at_least(aim.rate, 0.0);
        at_most(edge, sent.value + at_least(slow, speed.low) * time)
    } else if aim.value < edge && room < 0.0 {
        let slow = at_most(aim.rate, 0.0) - braking_velocity(-room, deceleration, time);
        at_least(edge, sent.value + at_most(slow, speed.high) * time)
    } else {
        edge
    }
}
