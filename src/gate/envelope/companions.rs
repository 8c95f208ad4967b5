//! What accompanies the commanded quantity: held to its own bounds, without history.
//!
//! Velocities, accelerations and efforts beside a position target, positions beside a velocity, and
//! gains. A quantity whose kind was left free on purpose passes; one that nobody limited was
//! refused before, unless it is zero.

use crate::gate::check::{Place, Refusal};
use crate::gate::command::Command;
use crate::gate::limit::{Allowance, LOCKED_TOLERANCE, Limited, limit_to};
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::rules::{Interface, LaneRules};
use crate::gate::units::at_least;
use crate::gate::verdict::Limit;

use super::changes::Report;
use super::{Envelope, Quantity};

impl Envelope {
    pub(super) fn companions(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let Command { given, position, velocity, acceleration, effort, kp, kd, .. } = command;
        let mut walk = Walk { report: &mut self.report, given, rules, allowance };
        match rules.interface {
            Interface::Position => walk.bound(velocity, Quantity::Velocity, limit_rate)?,
            Interface::Velocity => walk.bound(position, Quantity::Position, limit_place)?,
            Interface::Effort => {
                walk.bound(position, Quantity::Position, limit_place)?;
                walk.bound(velocity, Quantity::Velocity, limit_rate)?;
            }
        }
        walk.bound(acceleration, Quantity::Acceleration, limit_acceleration)?;
        if rules.interface != Interface::Effort {
            walk.bound(effort, Quantity::Effort, limit_effort)?;
        }
        walk.bound(kp, Quantity::Kp, |value, limits, _| limit_gain(value, limits.kp))?;
        walk.bound(kd, Quantity::Kd, |value, limits, _| limit_gain(value, limits.kd))
    }
}

/// What every walk over one quantity needs.
struct Walk<'a> {
    report: &'a mut Report,
    given: &'a [bool],
    rules: &'a LaneRules,
    allowance: Allowance,
}

impl Walk<'_> {
    fn bound(
        &mut self,
        values: &mut [f64],
        quantity: Quantity,
        limit: impl Fn(f64, &DimensionLimits, Allowance) -> Limited,
    ) -> Result<(), Refusal> {
        let rows = values.chunks_exact_mut(self.rules.limits.len().max(1));
        for (point, row) in rows.enumerate() {
            let row = row.iter_mut().zip(self.given).zip(&self.rules.limits);
            for (dimension, ((value, given), limits)) in row.enumerate() {
                // A joint that the message does not name carries NaN and is never written back.
                if !given {
                    continue;
                }
                let limited = limit(*value, limits, self.allowance);
                if !limited.by.is_empty() {
                    let place = Place { point, dimension };
                    let on_limit = &self.rules.on_limit;
                    self.report.accept(on_limit, quantity, place, *value, limited)?;
                    *value = limited.value;
                }
            }
        }
        Ok(())
    }
}

fn limit_place(value: f64, limits: &DimensionLimits, _: Allowance) -> Limited {
    limits
        .position
        .map_or(Limited::unchanged(value), |bounds| limit_to(value, bounds, Limit::Position))
}

fn limit_rate(value: f64, limits: &DimensionLimits, allowance: Allowance) -> Limited {
    let Some(full) = limits.velocity else { return Limited::unchanged(value) };
    let limit = |allowance: Allowance| {
        let scale = allowance.velocity;
        let bounds = Bounds { min: full.min * scale, max: full.max * scale };
        limit_to(value, bounds, Limit::Velocity)
    };
    limit(allowance).named(allowance, limit)
}

/// Its sign does not say whether it speeds up or slows down, so the larger of the two holds.
fn limit_acceleration(value: f64, limits: &DimensionLimits, _: Allowance) -> Limited {
    let Some(limit) = limits.acceleration else { return Limited::unchanged(value) };
    let limit = at_least(limit, limits.deceleration.unwrap_or(limit));
    limit_to(value, symmetric(limit), Limit::Acceleration)
}

pub(super) fn limit_effort(value: f64, limits: &DimensionLimits, allowance: Allowance) -> Limited {
    let Some(full) = limits.effort else { return Limited::unchanged(value) };
    let limit =
        |allowance: Allowance| limit_to(value, symmetric(full * allowance.effort), Limit::Effort);
    limit(allowance).named(allowance, limit)
}

/// A negative gain drives away from the target: outside, also where gains are left free.
fn limit_gain(value: f64, most: Option<f64>) -> Limited {
    // Noise around the zero of a gain that nobody uses is not worth a change of the message.
    if most.is_none() && value >= -LOCKED_TOLERANCE {
        return Limited::unchanged(value);
    }
    limit_to(value, Bounds { min: 0.0, max: most.unwrap_or(f64::INFINITY) }, Limit::Gain)
}

pub(super) const fn symmetric(limit: f64) -> Bounds {
    Bounds { min: -limit, max: limit }
}
