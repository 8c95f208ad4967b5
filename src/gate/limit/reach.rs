//! What can be reached in one step: intervals of velocities and values, with the limit at each end.

use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::units::{at_least, at_most, is_within};
use crate::gate::verdict::Limit;

use super::{Allowance, Reference};

/// Stands for an acceleration without a limit: so large that nothing meets it, and its square and
/// its product with zero are still numbers.
const FREE: f64 = 1e150;

/// An interval, with the limit that made each end.
#[derive(Clone, Copy, Debug)]
pub(in crate::gate) struct Range {
    pub(in crate::gate) low: f64,
    pub(in crate::gate) high: f64,
    pub(in crate::gate) low_by: Limit,
    pub(in crate::gate) high_by: Limit,
}

impl Range {
    const ALL: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        low_by: Limit::Velocity,
        high_by: Limit::Velocity,
    };

    /// The nearest value inside.
    pub(in crate::gate) fn nearest(&self, value: f64) -> f64 {
        at_least(at_most(value, self.high), self.low)
    }

    #[inline]
    pub(super) fn contains(&self, value: f64) -> bool {
        is_within(value, self.low, self.high)
    }

    /// Lowers the upper end, but not below the lower one: that would be faster than deceleration
    /// allows, which then is the limit.
    #[inline]
    pub(super) fn lower_to(&mut self, bound: f64, by: Limit) {
        if bound < self.high {
            self.high_by = if bound < self.low { Limit::Deceleration } else { by };
            self.high = at_least(bound, self.low);
        }
    }

    /// Raises the lower end, but not above the upper one.
    #[inline]
    pub(super) fn raise_to(&mut self, bound: f64, by: Limit) {
        if bound > self.low {
            self.low_by = if bound > self.high { Limit::Deceleration } else { by };
            self.low = at_most(bound, self.high);
        }
    }

    /// Narrows to the velocity bounds in force.
    #[inline]
    pub(super) fn narrow(&mut self, bounds: Option<Bounds>, scale: f64) {
        if let Some(bounds) = bounds {
            self.lower_to(bounds.max * scale, Limit::Velocity);
            self.raise_to(bounds.min * scale, Limit::Velocity);
        }
    }
}

/// The velocities reachable from `from.value` in the credit: slowing down at the deceleration limit,
/// speeding up at the acceleration limit and by no more jerk than allowed, through zero with both.
/// `from.rate` is the acceleration so far.
#[inline]
pub(super) fn reachable(
    from: Reference,
    limits: &DimensionLimits,
    jerk: Option<f64>,
    allowance: Allowance,
) -> Range {
    if limits.acceleration.is_none() && limits.deceleration.is_none() && jerk.is_none() {
        return Range::ALL;
    }
    let acceleration = limits.acceleration.map_or(FREE, |limit| limit * allowance.acceleration);
    let deceleration = limits.deceleration.unwrap_or(FREE);
    let time = allowance.credit_s;
    let slowed = deceleration * time;
    // The highest velocity reachable; mirrored, the lowest.
    let up = |speed: f64, rate: f64| {
        if -speed >= slowed && speed < 0.0 {
            return (speed + slowed, Limit::Deceleration);
        }
        let (mut limit, mut by) = (acceleration, Limit::Acceleration);
        if let Some(jerk) = jerk {
            let most = at_least(rate, 0.0) + jerk * allowance.acceleration * time;
            if most < limit {
                (limit, by) = (most, Limit::Jerk);
            }
        }
        if speed >= 0.0 {
            (speed + limit * time, by)
        } else {
            (limit * (time + speed / deceleration), by)
        }
    };
    let (high, high_by) = up(from.value, from.rate);
    let (low, low_by) = up(-from.value, -from.rate);
    Range { low: -low, high, low_by, high_by }
}

/// The least time in which a velocity can change, in seconds: speeding up at `acceleration`, slowing
/// down at `deceleration`, through zero with both.
pub(in crate::gate) fn change_time(
    from: f64,
    to: f64,
    acceleration: f64,
    deceleration: f64,
) -> f64 {
    if from * to < 0.0 {
        return from.abs() / deceleration + to.abs() / acceleration;
    }
    let faster = to.abs() - from.abs();
    if faster > 0.0 { faster / acceleration } else { -faster / deceleration }
}

/// The highest velocity for one step of `time` after which `room` still suffices to stop:
/// `v² <= 2·d·(room − v·time)`.
pub(super) fn braking_velocity(room: f64, deceleration: f64, time: f64) -> f64 {
    if room > 0.0 {
        let step = deceleration * time;
        (step * step + 2.0 * deceleration * room).sqrt() - step
    } else {
        0.0
    }
}

/// Whether `velocity` (upward) is more than [`braking_velocity`] allows, without its square root.
#[inline]
pub(super) fn is_over_braking(velocity: f64, room: f64, deceleration: f64, time: f64) -> bool {
    let (step, room) = (deceleration * time, at_least(room, 0.0));
    velocity > 0.0 && velocity * (velocity + 2.0 * step) > 2.0 * deceleration * room
}
