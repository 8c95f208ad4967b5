//! Checks of a whole command that need no history: finite, complete, nothing where nothing is
//! allowed. Any failure refuses the whole message.

use super::command::Command;
use super::limit::LOCKED_TOLERANCE;
use super::limits::DimensionLimits;
use super::rules::{Interface, LaneRules, Shape};
use super::units::is_within;
use super::verdict::Reason;

/// Why a command was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// The closed-list reason.
    pub reason: Reason,
    /// Joint or axis, by index in the lane; `None`: the whole message.
    pub dimension: Option<usize>,
    /// Point of a trajectory.
    pub point: usize,
    /// What was found; NaN where no number is at fault.
    pub found: f64,
    /// What is allowed; NaN where no number says it.
    pub bound: f64,
}

impl Refusal {
    /// A refusal of the message as a whole.
    #[must_use]
    pub const fn whole(reason: Reason) -> Self {
        Self { reason, dimension: None, point: 0, found: f64::NAN, bound: f64::NAN }
    }

    /// A refusal because of one value.
    #[must_use]
    pub const fn value(reason: Reason, place: Place, found: f64, bound: f64) -> Self {
        Self { reason, dimension: Some(place.dimension), point: place.point, found, bound }
    }
}

/// One value's place in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Point, 0 for everything but a trajectory.
    pub point: usize,
    /// Joint or axis.
    pub dimension: usize,
}

/// Refuses what cannot be judged or must not be there.
///
/// # Errors
/// The first failure, in the order: counts; each value finite and, without a limit, zero; times.
pub fn check(command: &Command, rules: &LaneRules) -> Result<(), Refusal> {
    counts(command, rules)?;
    let main = |interface: Interface| rules.interface == interface;
    let is_position = main(Interface::Position);
    values(command, rules, &command.position, |limits| {
        let is_free = limits.position.is_some() || limits.position_unlimited;
        !limits.locked && (is_position || is_free)
    })?;
    let is_velocity = main(Interface::Velocity);
    values(command, rules, &command.velocity, |limits| {
        let is_free = limits.velocity.is_some() || limits.velocity_unlimited;
        !limits.locked && (is_velocity || is_free)
    })?;
    values(command, rules, &command.acceleration, |limits| {
        limits.acceleration.is_some() || limits.acceleration_unlimited
    })?;
    values(command, rules, &command.effort, |limits| {
        limits.effort.is_some() || limits.effort_unlimited
    })?;
    values(command, rules, &command.kp, |limits| limits.kp.is_some() || limits.gains_unlimited)?;
    values(command, rules, &command.kd, |limits| limits.kd.is_some() || limits.gains_unlimited)?;
    times(command)
}

/// Every quantity is absent or complete, and the commanded one is there.
fn counts(command: &Command, rules: &LaneRules) -> Result<(), Refusal> {
    let dimensions = rules.limits.len();
    let complete = command.points.saturating_mul(dimensions);
    let quantities = [
        &command.position,
        &command.velocity,
        &command.acceleration,
        &command.effort,
        &command.kp,
        &command.kd,
    ];
    let commanded = match rules.interface {
        Interface::Position => &command.position,
        Interface::Velocity => &command.velocity,
        Interface::Effort => &command.effort,
    };
    let empty_plan = rules.shape == Shape::Trajectory && command.points == 0;
    let timed = rules.shape == Shape::Target || command.times.len() == command.points;
    if command.dimensions != dimensions
        || command.given.len() < dimensions
        || quantities.iter().any(|values| !values.is_empty() && values.len() != complete)
        || (commanded.is_empty() && !empty_plan)
        || (rules.shape == Shape::Target && command.points != 1)
        || !timed
    {
        return Err(Refusal::whole(Reason::WrongCount));
    }
    Ok(())
}

/// Every value is a number. A dimension without a limit must be zero: an axis nobody limited, and a
/// quantity beside the commanded one that the lane has no limit for.
fn values(
    command: &Command,
    rules: &LaneRules,
    values: &[f64],
    is_free: impl Fn(&DimensionLimits) -> bool,
) -> Result<(), Refusal> {
    for (point, row) in values.chunks_exact(rules.limits.len().max(1)).enumerate() {
        let row = row.iter().zip(&command.given).zip(&rules.limits);
        // Nearly every row is right: only compared first, and looked at again where it is not.
        let is_right = |((value, given), limits): ((&f64, &bool), &DimensionLimits)| {
            !*given || (value.is_finite() && is_free(limits))
        };
        if row.clone().all(is_right) {
            continue;
        }
        for (dimension, ((value, given), limits)) in row.enumerate() {
            if !*given || (value.is_finite() && is_free(limits)) {
                continue;
            }
            let place = Place { point, dimension };
            if !value.is_finite() {
                return Err(Refusal::value(Reason::NotFinite, place, *value, f64::NAN));
            }
            if !is_within(*value, -LOCKED_TOLERANCE, LOCKED_TOLERANCE) {
                let bound = LOCKED_TOLERANCE;
                return Err(Refusal::value(Reason::LockedAxis, place, *value, bound));
            }
        }
    }
    Ok(())
}

fn times(command: &Command) -> Result<(), Refusal> {
    let mut previous: Option<i64> = None;
    for (point, time) in command.times.iter().enumerate() {
        let increases = previous.map_or(*time >= 0, |previous| *time > previous);
        if !increases {
            return Err(Refusal { point, ..Refusal::whole(Reason::TimesNotIncreasing) });
        }
        previous = Some(*time);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
