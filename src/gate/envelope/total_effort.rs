//! The effort that feed-forward, gains and measured state add up to in the motor's own loop.
//!
//! Only the feed-forward is ever changed, and only made smaller: gains and targets say how the
//! controller behaves, and a feed-forward that works against them is nothing a gate may invent.
//! **Not judged:** a joint whose pose was never measured, because nothing says what `kp` adds. A
//! velocity that is not measured counts as zero.

use crate::gate::check::{Place, Refusal};
use crate::gate::command::Command;
use crate::gate::limit::{Allowance, LimitSet, Limited};
use crate::gate::limits::DimensionLimits;
use crate::gate::rules::{LaneRules, OnLimit};
use crate::gate::units::{at_least, at_most, is_within};
use crate::gate::verdict::{Limit, Reason};

use super::{Envelope, Present, Quantity};

/// What the gains add to the effort of one joint; `None`: nothing says it.
pub(super) fn from_gains(command: &Command, present: Present<'_>, dimension: usize) -> Option<f64> {
    let value = |values: &[f64]| values.get(dimension).copied().unwrap_or(0.0);
    let measured = present.position(dimension)?;
    let speed = present.velocity(dimension).unwrap_or(0.0);
    let stiff = value(&command.kp) * (value(&command.position) - measured);
    Some(stiff + value(&command.kd) * (value(&command.velocity) - speed))
}

/// The refusal of a joint whose total is over its limit.
pub(super) fn verify_total(
    command: &Command,
    limits: &DimensionLimits,
    present: Present<'_>,
    dimension: usize,
) -> Result<(), Refusal> {
    let (Some(limit), Some(added)) = (limits.total_effort, from_gains(command, present, dimension))
    else {
        return Ok(());
    };
    let total = command.effort.get(dimension).copied().unwrap_or(0.0) + added;
    if is_within(total, -limit, limit) {
        return Ok(());
    }
    let place = Place { point: 0, dimension };
    Err(Refusal::value(Reason::TotalEffort, place, total, limit.copysign(total)))
}

impl Envelope {
    pub(super) fn total_effort(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
        present: Present<'_>,
    ) -> Result<(), Refusal> {
        if present.position.is_none() {
            return Ok(());
        }
        for (dimension, limits) in rules.limits.iter().enumerate() {
            let Some(full) = limits.total_effort else { continue };
            if !command.given.get(dimension).copied().unwrap_or(true) {
                continue;
            }
            let Some(added) = from_gains(command, present, dimension) else { continue };
            let effort = command.effort.get(dimension).copied().unwrap_or(0.0);
            let limit = full * allowance.effort;
            if is_within(effort + added, -limit, limit) {
                continue;
            }
            let place = Place { point: 0, dimension };
            let refusal = Refusal::value(Reason::TotalEffort, place, effort + added, limit);
            let less = less_effort(effort, added, limit)
                .filter(|_| rules.on_limit.total_effort == OnLimit::Limit);
            let (Some(less), Some(value)) = (less, command.effort.get_mut(dimension)) else {
                return Err(refusal);
            };
            let by = match allowance.because {
                Some(because) if is_within(effort + added, -full, full) => because,
                Some(_) | None => Limit::Effort,
            };
            // Its `on_limit` is `total_effort`, asked above.
            let by = LimitSet::EMPTY.with(by);
            let limited = Limited { kinds: LimitSet::EMPTY, ..Limited::moved(less, by, limit) };
            self.report.accept(&rules.on_limit, Quantity::Effort, place, *value, limited)?;
            *value = less;
        }
        Ok(())
    }
}

/// The feed-forward nearest to `effort`, between it and zero, with which the total fits; `None`
/// where none does.
fn less_effort(effort: f64, added: f64, limit: f64) -> Option<f64> {
    let nearest = if effort + added > limit { limit - added } else { -limit - added };
    let fits = is_within(nearest, at_most(effort, 0.0), at_least(effort, 0.0));
    fits.then_some(nearest)
}
