//! Position commands: bounds, velocity, acceleration, and the distance that braking needs.

use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::units::{at_least, at_most, is_within};
use crate::gate::verdict::Limit;

use super::reach::{FREE, Range, braking_velocity, fastest, is_over_braking, reachable};
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
    if let Some(bounds) = limits.velocity
        && !is_within(change, bounds.min * step.velocity, bounds.max * step.velocity)
    {
        return false;
    }
    let most = match (limits.acceleration, limits.deceleration) {
        (Some(faster), Some(slower)) => {
            Some(at_most(faster * step.acceleration, slower * step.squared))
        }
        (Some(faster), None) => Some(faster * step.acceleration),
        (None, Some(slower)) => Some(slower * step.squared),
        (None, None) => None,
    };
    if let Some(most) = most {
        let difference = change - sent.rate * step.time;
        if !is_within(difference, -most, most) {
            return false;
        }
    }
    let Some(bounds) = limits.position else { return commanded.is_finite() };
    if !is_within(commanded, bounds.min, bounds.max) {
        return false;
    }
    limits.deceleration.is_none_or(|deceleration| {
        let ahead = if change > 0.0 { bounds.max } else { bounds.min };
        let room = (ahead - commanded).abs();
        change * change <= 2.0 * deceleration * step.squared * room
    })
}

/// Limits a position command. `aim_rate` is how fast the commanded position itself moves: a value
/// that has fallen behind catches up with it instead of slowing down toward where it is now.
///
/// # Units
/// `commanded` and the reference in rad or m, their rates per s, the credit in s.
#[inline(always)]
pub(in crate::gate) fn limit_position(
    commanded: f64,
    aim_rate: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let limited = limit(commanded, aim_rate, sent, limits, allowance);
    limited.named(allowance, |full| limit_in_full(commanded, aim_rate, sent, limits, full))
}

/// By the lane's own limits, for the name of what made them smaller.
#[cold]
#[inline(never)]
fn limit_in_full(
    commanded: f64,
    aim_rate: f64,
    sent: Reference,
    limits: &DimensionLimits,
    full: Allowance,
) -> Limited {
    limit(commanded, aim_rate, sent, limits, full)
}

/// The positions that can be reached in the credit.
pub(in crate::gate) fn position_range(
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
    // Jerk is a limit of velocity lanes.
    let speed = reachable(Reference { value: sent.rate, rate: 0.0 }, limits, None, allowance);
    let reach = narrowed(speed, sent, limits, allowance);
    positions(reach, sent, allowance, inward(sent, limits.position))
}

/// What starts outside its bounds may stay or move inward, never outward.
fn inward(sent: Reference, bounds: Option<Bounds>) -> Bounds {
    let bounds = bounds.unwrap_or(Bounds { min: f64::NEG_INFINITY, max: f64::INFINITY });
    Bounds { min: at_most(bounds.min, sent.value), max: at_least(bounds.max, sent.value) }
}

/// Of these velocities, the ones within their bounds, and after which the room suffices to brake.
fn narrowed(
    mut reach: Range,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
    reach.narrow(limits.velocity, allowance.velocity);
    if let (Some(deceleration), Some(bounds)) = (limits.deceleration, limits.position) {
        let time = allowance.credit_s;
        let room = bounds.max - sent.value;
        if is_over_braking(reach.high, room, deceleration, time) {
            reach.lower_to(braking_velocity(room, deceleration, time), Limit::Position);
        }
        let room = sent.value - bounds.min;
        if is_over_braking(-reach.low, room, deceleration, time) {
            reach.raise_to(-braking_velocity(room, deceleration, time), Limit::Position);
        }
    }
    reach
}

/// Both ends inside: moving outward is forbidden even where deceleration would need it.
fn positions(reach: Range, sent: Reference, allowance: Allowance, inward: Bounds) -> Range {
    let place = |speed: f64| {
        at_least(at_most(sent.value + speed * allowance.credit_s, inward.max), inward.min)
    };
    Range { low: place(reach.low), high: place(reach.high), ..reach }
}

/// One command, mirrored where it goes down, so that there is one direction to judge: `most` and
/// `least` are velocities toward the command. The rules are those of [`position_range`], of which
/// only the end that the command is beyond is needed. Part of the loop over the joints, so that what
/// is the same for all of them is not handed over for each.
#[inline(always)]
fn limit(
    commanded: f64,
    aim_rate: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let bounds = limits.position.unwrap_or(Bounds { min: f64::NEG_INFINITY, max: f64::INFINITY });
    let speeds = limits.velocity.unwrap_or(Bounds { min: -FREE, max: FREE });
    let (sign, ahead, behind, speed) = if commanded >= sent.value {
        (1.0, bounds.max, bounds.min, speeds.max * allowance.velocity)
    } else {
        (-1.0, -bounds.min, -bounds.max, -speeds.min * allowance.velocity)
    };
    let (at, rate, time) = (sign * sent.value, sign * sent.rate, allowance.credit_s);
    let acceleration = limits.acceleration.map_or(FREE, |limit| limit * allowance.acceleration);
    let deceleration = limits.deceleration.unwrap_or(FREE);
    let least = rate - deceleration * time;
    let (mut most, mut by) = fastest(rate, acceleration, deceleration, time);
    let mut lower = |bound: f64, limit: Limit| {
        if bound < most {
            by = if bound < least { Limit::Deceleration } else { limit };
            most = at_least(bound, least);
        }
        most
    };
    let reached = lower(speed, Limit::Velocity);
    let room = ahead - at;
    if limits.deceleration.is_some() && is_over_braking(reached, room, deceleration, time) {
        lower(braking_velocity(room, deceleration, time), Limit::Position);
    }
    // What starts outside may stay or move inward, never outward.
    let (inward, backward) = (at_least(ahead, at), at_most(behind, at));
    let target = at_most(sign * commanded, inward);
    let wanted = target - at;
    let place = |speed: f64| at_least(at_most(at + speed * time, inward), backward);
    let value = if wanted > most * time {
        let mut speed = most;
        if limits.deceleration.is_some() && is_over_braking(most, wanted, deceleration, time) {
            // Slows down so that it can meet the target at the target's own velocity.
            let slow =
                braking_velocity(wanted, deceleration, time) + at_least(sign * aim_rate, 0.0);
            speed = at_most(most, at_least(slow, least));
        }
        place(speed)
    } else if wanted < least * time {
        by = Limit::Deceleration;
        place(least)
    } else if sign * commanded <= inward {
        return Limited::unchanged(commanded);
    } else {
        return Limited::moved(sign * target, LimitSet::EMPTY.with(Limit::Position), sign * target);
    };
    let by = LimitSet::EMPTY.with(by);
    let by = if sign * commanded <= inward { by } else { by.with(Limit::Position) };
    let edge = if wanted > most * time { place(most) } else { value };
    Limited::moved(sign * value, by, sign * edge)
}
