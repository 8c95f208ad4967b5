//! Checks of a whole command that need no history: finite, complete, nothing where nothing is
//! allowed. Any failure refuses the whole message.

use super::command::Command;
use super::limit::LOCKED_TOLERANCE;
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

/// The place of the `index`th value of a quantity.
#[must_use]
pub fn place(index: usize, dimensions: usize) -> Place {
    let dimension = index.checked_rem(dimensions).unwrap_or(0);
    Place { point: index.checked_div(dimensions).unwrap_or(0), dimension }
}

/// Refuses what cannot be judged or must not be there.
///
/// # Errors
/// The first failure, in the order: counts, finite, locked, times.
pub fn check(command: &Command, rules: &LaneRules) -> Result<(), Refusal> {
    counts(command, rules)?;
    for values in [&command.position, &command.velocity, &command.acceleration, &command.effort] {
        finite(command, values)?;
    }
    locked(command, rules)?;
    times(command)
}

/// Every quantity is absent or complete, and the commanded one is there.
fn counts(command: &Command, rules: &LaneRules) -> Result<(), Refusal> {
    let complete = command.points.saturating_mul(command.dimensions);
    let quantities = [&command.position, &command.velocity, &command.acceleration, &command.effort];
    if quantities.iter().any(|values| !values.is_empty() && values.len() != complete) {
        return Err(Refusal::whole(Reason::WrongCount));
    }
    let commanded = match rules.interface {
        Interface::Position => &command.position,
        Interface::Velocity => &command.velocity,
        Interface::Effort => &command.effort,
    };
    let empty_plan = rules.shape == Shape::Trajectory && command.points == 0;
    if commanded.is_empty() && !empty_plan {
        return Err(Refusal::whole(Reason::WrongCount));
    }
    Ok(())
}

fn finite(command: &Command, values: &[f64]) -> Result<(), Refusal> {
    for (index, value) in values.iter().enumerate() {
        let place = place(index, command.dimensions);
        let given = command.given.get(place.dimension).copied().unwrap_or(true);
        if given && !value.is_finite() {
            return Err(Refusal::value(Reason::NotFinite, place, *value, f64::NAN));
        }
    }
    Ok(())
}

/// A dimension without a limit must be zero: an axis nobody limited, and a quantity beside the
/// commanded one that the lane has no limit for.
fn locked(command: &Command, rules: &LaneRules) -> Result<(), Refusal> {
    let free = |values: &[f64], is_free: &dyn Fn(usize) -> bool| {
        for (index, value) in values.iter().enumerate() {
            let place = place(index, command.dimensions);
            let given = command.given.get(place.dimension).copied().unwrap_or(true);
            if given
                && !is_free(place.dimension)
                && !is_within(*value, -LOCKED_TOLERANCE, LOCKED_TOLERANCE)
            {
                let bound = LOCKED_TOLERANCE;
                return Err(Refusal::value(Reason::LockedAxis, place, *value, bound));
            }
        }
        Ok(())
    };
    let limits = |dimension: usize| rules.limits.get(dimension).copied().unwrap_or_default();
    let main = |interface: Interface| rules.interface == interface;
    free(&command.position, &|dimension| {
        let limits = limits(dimension);
        !limits.locked && (main(Interface::Position) || limits.position.is_some())
    })?;
    free(&command.velocity, &|dimension| {
        let limits = limits(dimension);
        !limits.locked && (main(Interface::Velocity) || limits.velocity.is_some())
    })?;
    free(&command.acceleration, &|dimension| limits(dimension).acceleration.is_some())?;
    free(&command.effort, &|dimension| {
        limits(dimension).effort.is_some() || limits(dimension).effort_unlimited
    })
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
