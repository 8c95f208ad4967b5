//! Limits a whole command: every dimension, every quantity, every point, in place.
//!
//! Values that accompany the commanded quantity (a velocity beside a position target, an effort) are
//! held to their own bounds. What is sent becomes the reference of the next command only when the
//! caller says so, because a later check may still refuse it.

use super::check::{Place, Refusal, place};
use super::command::Command;
use super::limit::{
    Allowance, LimitSet, Limited, Reference, limit_position, limit_to, limit_velocity,
};
use super::limits::{Bounds, DimensionLimits};
use super::rules::{Interface, LaneRules, OnLimit, OnLimits, Shape};
use super::verdict::{Limit, Reason};

/// The moving part of a lane's limits.
#[derive(Clone, Debug)]
pub struct Envelope {
    sent: Vec<Reference>,
    candidate: Vec<Reference>,
    applied: Vec<LimitSet>,
    total: LimitSet,
    used_s: f64,
}

impl Envelope {
    /// For a lane of `dimensions`, at rest at zero.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self {
            sent: vec![Reference::default(); dimensions],
            candidate: vec![Reference::default(); dimensions],
            applied: vec![LimitSet::EMPTY; dimensions],
            total: LimitSet::EMPTY,
            used_s: 0.0,
        }
    }

    /// What was last sent, one for each dimension.
    #[must_use]
    pub fn sent(&self) -> &[Reference] {
        &self.sent
    }

    /// What was last sent, for writing a safe command into it.
    pub fn sent_mut(&mut self) -> &mut [Reference] {
        &mut self.sent
    }

    /// Which limits the last [`Self::apply`] used on each dimension.
    #[must_use]
    pub fn applied(&self) -> &[LimitSet] {
        &self.applied
    }

    /// Makes the last command applied the reference of the next.
    pub fn commit(&mut self) {
        self.sent.copy_from_slice(&self.candidate);
    }

    /// How much of its time credit the last command applied needs.
    #[must_use]
    pub const fn used_s(&self) -> f64 {
        self.used_s
    }

    /// Limits `command` in place.
    ///
    /// `present` is where a trajectory starts from: the measured pose where there is one.
    ///
    /// # Errors
    /// The refusal of the first value over a limit whose `on_limit` is `reject`, or of a trajectory
    /// that cannot be followed within the limits.
    pub fn apply(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
        present: Option<&[f64]>,
    ) -> Result<LimitSet, Refusal> {
        self.applied.fill(LimitSet::EMPTY);
        self.total = LimitSet::EMPTY;
        self.used_s = allowance.credit_s;
        self.candidate.copy_from_slice(&self.sent);
        match (rules.shape, rules.interface) {
            (Shape::Trajectory, _) => self.trajectory(command, rules, allowance, present)?,
            (Shape::Target, Interface::Position) => self.targets(command, rules, allowance)?,
            (Shape::Target, Interface::Velocity) => self.velocities(command, rules, allowance)?,
            (Shape::Target, Interface::Effort) => self.efforts_as_target(command)?,
        }
        self.companions(command, rules, allowance.velocity)?;
        Ok(self.total)
    }

    fn targets(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let values = command.position.iter_mut().zip(&command.given).zip(&rules.limits);
        let moving = self.sent.iter().zip(&mut self.candidate).zip(&mut self.applied);
        for (dimension, (((value, given), limits), ((sent, candidate), applied))) in
            values.zip(moving).enumerate()
        {
            if !given {
                continue;
            }
            let limited = limit_position(*value, *sent, limits, allowance);
            let place = Place { point: 0, dimension };
            self.total = self.total.union(accept(*value, limited, rules.on_limit, place)?);
            *applied = limited.by;
            *value = limited.value;
            let rate = if allowance.credit_s > 0.0 {
                (limited.value - sent.value) / allowance.credit_s
            } else {
                sent.rate
            };
            *candidate = Reference { value: limited.value, rate };
        }
        Ok(())
    }

    fn velocities(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Result<(), Refusal> {
        let values = command.velocity.iter_mut().zip(&command.given).zip(&rules.limits);
        let moving = self.sent.iter().zip(&mut self.candidate).zip(&mut self.applied);
        for (dimension, (((value, given), limits), ((sent, candidate), applied))) in
            values.zip(moving).enumerate()
        {
            if !given || limits.locked {
                continue;
            }
            let limited = limit_velocity(*value, sent.value, limits, allowance);
            let place = Place { point: 0, dimension };
            self.total = self.total.union(accept(*value, limited, rules.on_limit, place)?);
            *applied = limited.by;
            *value = limited.value;
            *candidate = Reference { value: limited.value, rate: 0.0 };
        }
        Ok(())
    }

    /// Effort lanes have no rate limits: the bound alone, applied by [`Self::companions`].
    fn efforts_as_target(&mut self, command: &Command) -> Result<(), Refusal> {
        for (value, candidate) in command.effort.iter().zip(&mut self.candidate) {
            *candidate = Reference { value: *value, rate: 0.0 };
        }
        Ok(())
    }

    /// Every point inside the position bounds, every segment within the velocity limit, from where
    /// the robot is now to the last point.
    fn trajectory(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
        present: Option<&[f64]>,
    ) -> Result<(), Refusal> {
        let dimensions = command.dimensions;
        for (index, value) in command.position.iter_mut().enumerate() {
            let place = place(index, dimensions);
            let Some(bounds) = rules.limits.get(place.dimension).and_then(|l| l.position) else {
                continue;
            };
            // A joint that the message does not name carries NaN here.
            if value.is_nan() {
                continue;
            }
            let limited = limit_to(*value, bounds, Limit::Position);
            let by = accept(*value, limited, rules.on_limit, place)?;
            self.note(place.dimension, by);
            *value = limited.value;
        }
        for dimension in 0..dimensions {
            if command.given.get(dimension).copied().unwrap_or(true) {
                self.segments(command, rules, dimension, allowance.velocity, present)?;
            }
        }
        for (value, candidate) in
            command.position.iter().rev().take(dimensions).zip(self.candidate.iter_mut().rev())
        {
            if !value.is_nan() {
                *candidate = Reference { value: *value, rate: 0.0 };
            }
        }
        Ok(())
    }

    /// The segments of one joint, the one from the present pose to the first point included.
    fn segments(
        &self,
        command: &Command,
        rules: &LaneRules,
        dimension: usize,
        scale: f64,
        present: Option<&[f64]>,
    ) -> Result<(), Refusal> {
        let Some(limits) = rules.limits.get(dimension) else {
            return Ok(());
        };
        let start = present.and_then(|pose| pose.get(dimension)).copied();
        let start = start.or_else(|| self.sent.get(dimension).map(|sent| sent.value));
        let mut previous = (start.unwrap_or_default(), 0);
        let positions = command.position.iter().skip(dimension).step_by(command.dimensions);
        for (point, (position, time)) in positions.zip(&command.times).enumerate() {
            let place = Place { point, dimension };
            segment(previous, (*position, *time), limits, rules, scale, place)?;
            previous = (*position, *time);
        }
        Ok(())
    }

    /// Velocities, accelerations and efforts beside the commanded quantity.
    fn companions(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        scale: f64,
    ) -> Result<(), Refusal> {
        let rates = |limits: &DimensionLimits| {
            limits.velocity.map(|b| Bounds { min: b.min * scale, max: b.max * scale })
        };
        let accelerations = |limits: &DimensionLimits| symmetric(limits.acceleration);
        let efforts = |limits: &DimensionLimits| symmetric(limits.effort);
        if rules.interface == Interface::Position {
            self.bound(&mut command.velocity, rules, Limit::Velocity, &rates)?;
        } else {
            let positions = |limits: &DimensionLimits| limits.position;
            self.bound(&mut command.position, rules, Limit::Position, &positions)?;
        }
        self.bound(&mut command.acceleration, rules, Limit::Acceleration, &accelerations)?;
        self.bound(&mut command.effort, rules, Limit::Effort, &efforts)
    }

    fn bound(
        &mut self,
        values: &mut [f64],
        rules: &LaneRules,
        by: Limit,
        bounds: &dyn Fn(&DimensionLimits) -> Option<Bounds>,
    ) -> Result<(), Refusal> {
        for (index, value) in values.iter_mut().enumerate() {
            let place = place(index, rules.limits.len());
            let Some(bounds) = rules.limits.get(place.dimension).and_then(bounds) else {
                continue;
            };
            // A joint that the message does not name carries NaN here and is never written back.
            if value.is_nan() {
                continue;
            }
            let limited = limit_to(*value, bounds, by);
            let by = accept(*value, limited, rules.on_limit, place)?;
            self.note(place.dimension, by);
            *value = limited.value;
        }
        Ok(())
    }

    fn note(&mut self, dimension: usize, by: LimitSet) {
        self.total = self.total.union(by);
        if let Some(applied) = self.applied.get_mut(dimension) {
            *applied = applied.union(by);
        }
    }
}

fn symmetric(limit: Option<f64>) -> Option<Bounds> {
    limit.map(|limit| Bounds { min: -limit, max: limit })
}

/// A step in no time is a jump; any other must fit the velocity limit.
fn segment(
    (from, start): (f64, i64),
    (to, end): (f64, i64),
    limits: &DimensionLimits,
    rules: &LaneRules,
    scale: f64,
    place: Place,
) -> Result<(), Refusal> {
    #[expect(clippy::as_conversions, reason = "nanoseconds of a trajectory, far below 2^53")]
    let seconds = end.saturating_sub(start) as f64 * 1e-9;
    if seconds > 0.0 {
        let Some(bounds) = limits.velocity else {
            return Ok(());
        };
        let rate = (to - from) / seconds;
        let (low, high) = (bounds.min * scale, bounds.max * scale);
        // A part in 10^9 more: the times are whole nanoseconds.
        let slack = 1e-9 * (high - low);
        if rate <= high + slack && rate >= low - slack {
            return Ok(());
        }
        let bound = if rate > high { high } else { low };
        return Err(Refusal::value(Reason::Velocity, place, rate, bound));
    }
    let tolerance = rules.safe.tolerance().unwrap_or(0.0);
    if (to - from).abs() <= tolerance {
        Ok(())
    } else {
        Err(Refusal::value(Reason::Discontinuity, place, to - from, tolerance))
    }
}

/// Whether a limited value may go out, or its kind is configured to refuse.
fn accept(
    commanded: f64,
    limited: Limited,
    on_limit: OnLimits,
    place: Place,
) -> Result<LimitSet, Refusal> {
    for limit in limited.by.iter() {
        let (rule, reason) = match limit {
            Limit::Position => (on_limit.position, Reason::Position),
            Limit::Velocity | Limit::Derating | Limit::Handover | Limit::Ramp => {
                (on_limit.velocity, Reason::Velocity)
            }
            Limit::Acceleration | Limit::Deceleration => {
                (on_limit.acceleration, Reason::Acceleration)
            }
            Limit::Effort => (on_limit.effort, Reason::Effort),
            // Not configurable yet: only ever limited.
            Limit::Jerk | Limit::Gain => (OnLimit::Limit, Reason::Jerk),
        };
        if rule == OnLimit::Reject {
            return Err(Refusal::value(reason, place, commanded, limited.bound));
        }
    }
    Ok(limited.by)
}

#[cfg(test)]
mod tests;
