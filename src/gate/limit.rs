//! Limits the value of one joint or axis against its bounds and against what was last sent.
//!
//! Every rate limit refers to the last *sent* value, never to the measured one, so a lagging robot
//! neither throttles nor oscillates. The time a change may take is a *time credit* given by the
//! caller; no credit means no change.
//!
//! Precedence, highest first: a value outside its position bounds moves only inward; then
//! deceleration; then velocity; then acceleration. So a limit that shrinks pulls the command in no
//! faster than the deceleration limit, and stopping distance never grows.
//!
//! **Invariant:** a value inside every limit comes out bit for bit.

use super::limits::{Bounds, DimensionLimits};
use super::units::{at_least, at_most, is_within};
use super::verdict::Limit;

/// An axis without limits accepts this much, so that `-0.0` and float noise pass.
pub const LOCKED_TOLERANCE: f64 = 1e-6;

/// A set of [`Limit`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSet(u16);

impl LimitSet {
    /// No limit.
    pub const EMPTY: Self = Self(0);

    /// The set with `limit` added.
    #[must_use]
    pub const fn with(self, limit: Limit) -> Self {
        Self(self.0 | 1 << limit.index())
    }

    /// Everything in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `limit` is in the set.
    #[must_use]
    pub const fn contains(self, limit: Limit) -> bool {
        self.0 & (1 << limit.index()) != 0
    }

    /// Whether no limit was applied.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The limits in the set.
    pub fn iter(self) -> impl Iterator<Item = Limit> {
        Limit::ALL.iter().copied().filter(move |limit| self.contains(*limit))
    }
}

/// A value after limiting, and which limits moved it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "only the limited value may be sent on"]
pub struct Limited {
    /// The nearest allowed value.
    pub value: f64,
    /// Empty: `value` is the commanded one, bit for bit.
    pub by: LimitSet,
    /// The bound that moved it; the value itself where none did.
    pub bound: f64,
}

impl Limited {
    const fn unchanged(value: f64) -> Self {
        Self { value, by: LimitSet::EMPTY, bound: value }
    }
}

/// What was last sent for one dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reference {
    /// The value: a position on position lanes, a velocity on velocity lanes.
    pub value: f64,
    /// Its rate of change: the velocity on position lanes; unused on velocity lanes.
    pub rate: f64,
}

/// How much of the limits a command may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Time credit in seconds, at least 0.
    pub credit_s: f64,
    /// Factor on velocity, 0 to 1.
    pub velocity: f64,
    /// Factor on speeding up, never on slowing down; 0 to 1.
    pub acceleration: f64,
    /// Factor on effort, 0 to 1.
    pub effort: f64,
    /// What made the factors smaller than the lane's own, for the label of a limit that they moved;
    /// `None`: source and profile only, which count as the limit's own kind.
    pub because: Option<Limit>,
}

impl Allowance {
    /// The lane's own limits, for `credit_s` seconds.
    #[must_use]
    pub const fn of(credit_s: f64) -> Self {
        Self { credit_s, velocity: 1.0, acceleration: 1.0, effort: 1.0, because: None }
    }
}

/// An interval of velocities, with the limit that made each end.
#[derive(Clone, Copy, Debug)]
struct Reach {
    low: f64,
    high: f64,
    low_by: Limit,
    high_by: Limit,
}

/// The velocities reachable from `velocity` within `credit_s`: slowing down at `deceleration`,
/// speeding up at `acceleration`, through zero with both.
fn reachable(velocity: f64, limits: &DimensionLimits, allowance: Allowance) -> Reach {
    let (Some(acceleration), Some(deceleration)) = (limits.acceleration, limits.deceleration)
    else {
        return Reach {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            low_by: Limit::Velocity,
            high_by: Limit::Velocity,
        };
    };
    let acceleration = acceleration * allowance.acceleration;
    // The highest velocity when already moving up (or at rest), and when moving down.
    let up = |speed: f64| {
        if speed >= 0.0 {
            (speed + acceleration * allowance.credit_s, Limit::Acceleration)
        } else {
            let time_to_zero = -speed / deceleration;
            if time_to_zero >= allowance.credit_s {
                (speed + deceleration * allowance.credit_s, Limit::Deceleration)
            } else {
                (acceleration * (allowance.credit_s - time_to_zero), Limit::Acceleration)
            }
        }
    };
    let (high, high_by) = up(velocity);
    let (low, low_by) = up(-velocity);
    Reach { low: -low, high, low_by, high_by }
}

/// Narrows what is reachable to the velocity bounds, no faster than deceleration allows.
fn narrow(reach: Reach, bounds: Option<Bounds>, scale: f64, by: Limit) -> Reach {
    let Some(bounds) = bounds else { return reach };
    let (low_bound, high_bound) = (bounds.min * scale, bounds.max * scale);
    let mut narrowed = reach;
    if high_bound < reach.high {
        // Not below `reach.low`: that would be faster than the deceleration limit.
        narrowed.high = at_least(high_bound, reach.low);
        narrowed.high_by = if high_bound < reach.low { Limit::Deceleration } else { by };
    }
    if low_bound > reach.low {
        narrowed.low = at_most(low_bound, reach.high);
        narrowed.low_by = if low_bound > reach.high { Limit::Deceleration } else { by };
    }
    narrowed
}

/// The highest velocity for one step of `credit_s` after which `room` still suffices to stop:
/// `v² <= 2·d·(room − v·dt)`.
fn braking_velocity(room: f64, deceleration: f64, credit_s: f64) -> f64 {
    if room > 0.0 {
        let step = deceleration * credit_s;
        (step * step + 2.0 * deceleration * room).sqrt() - step
    } else {
        0.0
    }
}

/// Limits a position command.
///
/// # Units
/// `commanded` and the reference in rad or m, the credit in s.
pub fn limit_position(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let bounds = limits.position.unwrap_or(Bounds { min: f64::NEG_INFINITY, max: f64::INFINITY });
    // What starts outside may stay or move inward, never outward.
    let inward =
        Bounds { min: at_most(bounds.min, sent.value), max: at_least(bounds.max, sent.value) };
    let target = at_least(at_most(commanded, inward.max), inward.min);

    let speed = reachable(sent.rate, limits, allowance);
    let mut reach = narrow(speed, limits.velocity, allowance.velocity, Limit::Velocity);
    if let Some(deceleration) = limits.deceleration {
        let brake = |room| braking_velocity(room, deceleration, allowance.credit_s);
        let braking =
            Bounds { min: -brake(sent.value - bounds.min), max: brake(bounds.max - sent.value) };
        // A start outside has no room; moving inward is free of this rule.
        let braking = Bounds {
            min: if sent.value > bounds.max { f64::NEG_INFINITY } else { braking.min },
            max: if sent.value < bounds.min { f64::INFINITY } else { braking.max },
        };
        reach = narrow(reach, Some(braking), 1.0, Limit::Position);
    }
    let high = at_most(sent.value + reach.high * allowance.credit_s, inward.max);
    let low = at_least(sent.value + reach.low * allowance.credit_s, inward.min);
    if is_within(target, low, high) {
        return if is_within(commanded, low, high) {
            Limited::unchanged(commanded)
        } else {
            let by = LimitSet::EMPTY.with(Limit::Position);
            Limited { value: target, by, bound: target }
        };
    }
    let (edge, by) = if target > high { (high, reach.high_by) } else { (low, reach.low_by) };
    let mut by = LimitSet::EMPTY.with(by);
    if !is_within(commanded, inward.min, inward.max) {
        by = by.with(Limit::Position);
    }
    let value = approach(target, edge, sent, limits, speed, allowance, inward);
    Limited { value, by, bound: edge }
}

/// Slows down toward a target that cannot be reached in this step, so that the command can stop on
/// it; never slower than the deceleration limit allows, never past `edge`.
fn approach(
    target: f64,
    edge: f64,
    sent: Reference,
    limits: &DimensionLimits,
    speed: Reach,
    allowance: Allowance,
    inward: Bounds,
) -> f64 {
    let Some(deceleration) = limits.deceleration else {
        return edge;
    };
    let value = if target > edge && target > sent.value {
        let slow = braking_velocity(target - sent.value, deceleration, allowance.credit_s);
        at_most(edge, sent.value + at_least(slow, speed.low) * allowance.credit_s)
    } else if target < edge && target < sent.value {
        let slow = -braking_velocity(sent.value - target, deceleration, allowance.credit_s);
        at_least(edge, sent.value + at_most(slow, speed.high) * allowance.credit_s)
    } else {
        edge
    };
    at_least(at_most(value, inward.max), inward.min)
}

/// Limits a velocity command.
///
/// # Units
/// `commanded` and `sent` in rad/s or m/s, the credit in s.
pub fn limit_velocity(
    commanded: f64,
    sent: f64,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let reach = reachable(sent, limits, allowance);
    let reach = narrow(reach, limits.velocity, allowance.velocity, Limit::Velocity);
    if is_within(commanded, reach.low, reach.high) {
        return Limited::unchanged(commanded);
    }
    let (edge, by) = if commanded > reach.high {
        (reach.high, reach.high_by)
    } else {
        (reach.low, reach.low_by)
    };
    Limited { value: edge, by: LimitSet::EMPTY.with(by), bound: edge }
}

/// Limits a value to fixed bounds, without history: velocities and efforts that accompany a target.
pub fn limit_to(commanded: f64, bounds: Bounds, by: Limit) -> Limited {
    if is_within(commanded, bounds.min, bounds.max) {
        Limited::unchanged(commanded)
    } else {
        let bound = if commanded > bounds.max { bounds.max } else { bounds.min };
        Limited { value: bound, by: LimitSet::EMPTY.with(by), bound }
    }
}

#[cfg(test)]
mod tests;
