//! Velocity commands: bounds, acceleration, deceleration and jerk.

use crate::gate::limits::DimensionLimits;
use crate::gate::units::is_within;

use super::reach::{Range, reachable};
use super::{Allowance, LimitSet, Limited, Reference};

/// Whether a velocity is inside every limit, by comparisons alone: true only where
/// [`limit_velocity`] leaves it unchanged. False for NaN.
#[inline]
pub(in crate::gate) fn fits_velocity(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> bool {
    let change = (commanded - sent.value).abs();
    let mut fits = change.is_finite();
    if let Some(bounds) = limits.velocity {
        let scale = allowance.velocity;
        fits &= is_within(commanded, bounds.min * scale, bounds.max * scale);
    }
    let time = allowance.credit_s;
    if let Some(limit) = limits.acceleration {
        fits &= change <= limit * allowance.acceleration * time;
    }
    if let Some(limit) = limits.deceleration {
        fits &= change <= limit * time;
    }
    if let Some(limit) = limits.jerk {
        fits &= change <= limit * allowance.acceleration * time * time;
    }
    fits
}

/// The velocities that can be reached in the credit.
pub(in crate::gate) fn velocity_range(
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Range {
    let mut reach = reachable(sent, limits, limits.jerk, allowance);
    reach.narrow(limits.velocity, allowance.velocity);
    reach
}

/// Limits a velocity command.
///
/// # Units
/// `commanded` and the reference in rad/s or m/s, its rate per s², the credit in s.
pub(in crate::gate) fn limit_velocity(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let limited = limit(commanded, sent, limits, allowance);
    limited.named(allowance, |full| limit(commanded, sent, limits, full))
}

fn limit(
    commanded: f64,
    sent: Reference,
    limits: &DimensionLimits,
    allowance: Allowance,
) -> Limited {
    let reach = velocity_range(sent, limits, allowance);
    if reach.contains(commanded) {
        return Limited::unchanged(commanded);
    }
    let (edge, by) = if commanded > reach.high {
        (reach.high, reach.high_by)
    } else {
        (reach.low, reach.low_by)
    };
    Limited::moved(edge, LimitSet::EMPTY.with(by), edge)
}
