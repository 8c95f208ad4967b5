//! One target for each joint or axis: positions, velocities or efforts, sent at a rate.
//!
//! Most commands need no limit, so the first walk only compares; the first value that does not
//! pass sends the command to the second, which limits every joint with the time it may take.

use crate::gate::check::{Place, Refusal};
use crate::gate::command::Command;
use crate::gate::limit::{
    Allowance, Limited, Reference, Step, change_time, fits_position, fits_velocity, limit_position,
    limit_velocity,
};
use crate::gate::limits::DimensionLimits;
use crate::gate::rules::{Interface, LaneRules};
use crate::gate::units::{at_least, at_most};

use super::{Envelope, Quantity};

/// A time that is just enough for a change must still be enough after rounding.
const ROUNDING: f64 = 1.0 + 1e-12;

impl Envelope {
    pub(super) fn positions(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let paced = paced(allowance);
        if self.positions_fit(command, rules, paced) {
            self.used_s = paced.credit_s;
            self.asked.copy_from_slice(&command.position);
            return Ok(());
        }
        let allowance = self.time_for_positions(command, rules, allowance);
        self.used_s = allowance.credit_s;
        if rules.groups.is_empty() {
            return self.each_position(command, rules, allowance);
        }
        let values = command.position.iter().zip(&command.given).zip(&rules.limits);
        let moving = self.sent.iter().zip(&mut self.limited).zip(&mut self.asked);
        let step = Step::of(allowance);
        let rate = 1.0 / allowance.credit_s;
        for (((value, given), limits), ((sent, limited), asked)) in values.zip(moving) {
            if !given {
                continue;
            }
            *limited = if fits_position(*value, *sent, limits, step) {
                Limited::unchanged(*value)
            } else {
                limit_position(*value, (*value - *asked) * rate, *sent, limits, allowance)
            };
            *asked = *value;
        }
        for group in &rules.groups {
            self.keep_direction(group, command, rules, allowance);
        }
        self.settle(&mut command.position, &command.given, rules, Quantity::Position)
    }

    /// Limits every position by itself, and makes what comes out the candidate.
    fn each_position(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let Self { sent, candidate, asked, report, .. } = self;
        let step = Step::of(allowance);
        let per_s = 1.0 / allowance.credit_s;
        let mut judged = Ok(());
        let values = command.position.iter_mut().zip(&command.given).zip(&rules.limits);
        let moving = sent.iter().zip(candidate).zip(asked);
        for (dimension, (((value, given), limits), ((sent, candidate), asked))) in
            values.zip(moving).enumerate()
        {
            if !given {
                *candidate = *sent;
                continue;
            }
            let wanted = *value;
            if !fits_position(wanted, *sent, limits, step) {
                let aim_rate = (wanted - *asked) * per_s;
                let limited = limit_position(wanted, aim_rate, *sent, limits, allowance);
                if !limited.by.is_empty() && judged.is_ok() {
                    let (place, quantity) = (Place { point: 0, dimension }, Quantity::Position);
                    judged = report.accept(&rules.on_limit, quantity, place, wanted, limited);
                    *value = if judged.is_ok() { limited.value } else { wanted };
                }
            }
            // Also of what is refused: where the target moves is known either way.
            *asked = wanted;
            *candidate = after(*sent, *value, per_s, limits, rules.interface);
        }
        judged
    }

    /// Whether no position needs a limit in the usual time; fills the candidate as it goes.
    fn positions_fit(&mut self, command: &Command, rules: &LaneRules, paced: Allowance) -> bool {
        let step = Step::of(paced);
        let rate = 1.0 / paced.credit_s;
        if !rate.is_finite() {
            return false;
        }
        let values = command.position.iter().zip(&command.given).zip(&rules.limits);
        let moving = self.sent.iter().zip(&mut self.candidate);
        for (((value, given), limits), (sent, candidate)) in values.zip(moving) {
            if !given {
                *candidate = *sent;
                continue;
            }
            // Without a velocity limit nothing says how little time a change takes.
            if limits.velocity.is_none() || !fits_position(*value, *sent, limits, step) {
                return false;
            }
            *candidate = Reference { value: *value, rate: (*value - sent.value) * rate };
        }
        true
    }

    /// The usual time, or what the largest change over its velocity limit needs, within the credit.
    fn time_for_positions(
        &self,
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Allowance {
        let mut time = paced(allowance).credit_s;
        let values = command.position.iter().zip(&command.given).zip(&rules.limits);
        for (((value, given), limits), sent) in values.zip(&self.sent) {
            if !given {
                continue;
            }
            let Some(bounds) = limits.velocity else { return allowance };
            let change = value - sent.value;
            let speed = if change > 0.0 { bounds.max } else { -bounds.min } * allowance.velocity;
            if change.abs() > speed * time {
                time = change.abs() / speed * ROUNDING;
                // Where the speed is 0 no time is enough.
                if speed <= 0.0 || time >= allowance.credit_s {
                    return allowance;
                }
            }
        }
        Allowance { credit_s: time, ..allowance }
    }

    pub(super) fn velocities(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let allowance = self.time_for_velocities(command, rules, allowance);
        self.used_s = allowance.credit_s;
        let values = command.velocity.iter().zip(&command.given).zip(&rules.limits);
        let moving = self.sent.iter().zip(&mut self.limited);
        for (((value, given), limits), (sent, limited)) in values.zip(moving) {
            let free = !given || limits.locked;
            *limited = if free || fits_velocity(*value, *sent, limits, allowance) {
                Limited::unchanged(*value)
            } else {
                limit_velocity(*value, *sent, limits, allowance)
            };
        }
        for group in &rules.groups {
            self.keep_direction(group, command, rules, allowance);
        }
        self.settle(&mut command.velocity, &command.given, rules, Quantity::Velocity)
    }

    /// The usual time, or what the largest change over its acceleration limits needs.
    fn time_for_velocities(
        &self,
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Allowance {
        let mut time = paced(allowance).credit_s;
        let values = command.velocity.iter().zip(&command.given).zip(&rules.limits);
        for (((value, given), limits), sent) in values.zip(&self.sent) {
            if !given || limits.locked {
                continue;
            }
            let (Some(acceleration), Some(deceleration)) =
                (limits.acceleration, limits.deceleration)
            else {
                return allowance;
            };
            let (acceleration, change) =
                (acceleration * allowance.acceleration, (value - sent.value).abs());
            if change > acceleration * time || change > deceleration * time {
                let needed = change_time(sent.value, *value, acceleration, deceleration);
                if needed > time {
                    time = needed * ROUNDING;
                }
                if time >= allowance.credit_s {
                    return allowance;
                }
            }
        }
        Allowance { credit_s: time, ..allowance }
    }

    /// Efforts have no rate limits: the bounds alone, so a group is scaled as a whole.
    pub(super) fn efforts(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let values = command.effort.iter().zip(&rules.limits).zip(&mut self.limited);
        for ((value, limits), limited) in values {
            *limited = super::companions::limit_effort(*value, limits, allowance);
        }
        for group in &rules.groups {
            self.keep_direction(group, command, rules, allowance);
        }
        self.settle(&mut command.effort, &command.given, rules, Quantity::Effort)
    }

    /// Writes the limited values into the command and makes them the candidate.
    fn settle(
        &mut self,
        values: &mut [f64],
        given: &[bool],
        rules: &LaneRules,
        quantity: Quantity,
    ) -> Result<(), Refusal> {
        let rate = 1.0 / self.used_s;
        let moving = self.sent.iter().zip(&self.limited).zip(&mut self.candidate);
        let values = values.iter_mut().zip(given).zip(&rules.limits).zip(moving);
        for (dimension, (((value, given), limits), ((sent, limited), candidate))) in
            values.enumerate()
        {
            if !given {
                *candidate = *sent;
                continue;
            }
            if !limited.by.is_empty() {
                let place = Place { point: 0, dimension };
                self.report.accept(&rules.on_limit, quantity, place, *value, *limited)?;
                *value = limited.value;
            }
            *candidate = after(*sent, *value, rate, limits, rules.interface);
        }
        Ok(())
    }
}

/// The allowance of a command that takes the usual time.
fn paced(allowance: Allowance) -> Allowance {
    let pace_s = at_most(allowance.pace_s, allowance.credit_s);
    Allowance { credit_s: pace_s, ..allowance }
}

/// The reference once `value` is sent. `per_s` is one over the time that it took.
#[inline]
fn after(
    sent: Reference,
    value: f64,
    per_s: f64,
    limits: &DimensionLimits,
    interface: Interface,
) -> Reference {
    let change = (value - sent.value) * per_s;
    // No time: no change, and the old rate goes on.
    let rate = if change.is_finite() { change } else { sent.rate };
    Reference { value, rate: within(rate, limits, interface) }
}

/// A rate taken from a difference of rounded values may not come out above its own limit.
fn within(rate: f64, limits: &DimensionLimits, interface: Interface) -> f64 {
    match (interface, limits.velocity) {
        (Interface::Position, Some(bounds)) => at_least(at_most(rate, bounds.max), bounds.min),
        (Interface::Position | Interface::Velocity | Interface::Effort, _) => rate,
    }
}
