//! Lanes below a balance loop: a command is right or it is refused whole.
//!
//! A changed command would make the robot fall as surely as a wrong one, so nothing is altered, and
//! nothing depends on what was sent before: no rates, no ramps, no time credit.
//!
//! **Invariant:** takes the command by shared reference.

use crate::gate::check::{Place, Refusal};
use crate::gate::command::Command;
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::rules::LaneRules;
use crate::gate::units::is_within;
use crate::gate::verdict::Reason;

use super::Present;
use super::companions::symmetric;
use super::total_effort::verify_total;

/// Judges a command by its wide envelope.
///
/// # Errors
/// The first value outside.
pub(super) fn verify(
    command: &Command,
    rules: &LaneRules,
    present: Present<'_>,
) -> Result<(), Refusal> {
    let inside = |values, reason, bounds: fn(&DimensionLimits) -> Option<Bounds>| {
        inside(values, command, rules, reason, bounds)
    };
    inside(&command.position, Reason::Position, |limits| limits.position)?;
    inside(&command.velocity, Reason::Velocity, |limits| limits.velocity)?;
    inside(&command.effort, Reason::Effort, |limits| limits.effort.map(symmetric))?;
    inside(&command.kp, Reason::Gain, |limits| Some(gain(limits.kp)))?;
    inside(&command.kd, Reason::Gain, |limits| Some(gain(limits.kd)))?;
    for (dimension, (limits, given)) in rules.limits.iter().zip(&command.given).enumerate() {
        if *given {
            verify_total(command, limits, present, dimension)?;
        }
    }
    Ok(())
}

fn gain(most: Option<f64>) -> Bounds {
    Bounds { min: 0.0, max: most.unwrap_or(f64::INFINITY) }
}

fn inside(
    values: &[f64],
    command: &Command,
    rules: &LaneRules,
    reason: Reason,
    bounds: fn(&DimensionLimits) -> Option<Bounds>,
) -> Result<(), Refusal> {
    for (point, row) in values.chunks_exact(rules.limits.len().max(1)).enumerate() {
        let row = row.iter().zip(&command.given).zip(&rules.limits);
        for (dimension, ((value, given), limits)) in row.enumerate() {
            let Some(bounds) = bounds(limits).filter(|_| *given) else { continue };
            if !is_within(*value, bounds.min, bounds.max) {
                let bound = if *value > bounds.max { bounds.max } else { bounds.min };
                return Err(Refusal::value(reason, Place { point, dimension }, *value, bound));
            }
        }
    }
    Ok(())
}
