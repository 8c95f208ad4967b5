//! Limits a whole command: every dimension, every quantity, every point, in place.
//!
//! The commanded quantity is limited by what was last sent ([`super::limit`]), groups keep their
//! direction, and what accompanies it is held to its own bounds. What is sent becomes the reference
//! of the next command only when the caller says so, because a later check may still refuse it.
//!
//! How much time a command takes: the usual time between two ([`Allowance::pace_s`]), more where
//! its change needs more, never more than its credit. So a jittered stream keeps its speed, and
//! what is taken adds up to the time that passed, whatever the rate.
//!
//! **Invariant:** what passes unchanged is the same to the last bit; no allocation after
//! construction; a `balance` lane is verified and never altered.

use super::check::Refusal;
use super::command::Command;
use super::limit::{Allowance, LimitSet, Limited, Reference};
use super::rules::{Interface, LaneRules, Shape};
use super::units::SteadyTime;

mod changes;
mod companions;
mod curve;
mod groups;
mod pauses;
mod plan;
mod segment;
mod targets;
mod total_effort;
mod trajectory;
mod verify;

use changes::Report;
pub use changes::{Change, MAX_CHANGES, Quantity};
use pauses::Pauses;
use plan::Plans;
pub use trajectory::HORIZON_NS;

/// What is measured of a lane's joints; `None` before the first sample, or where the feedback does
/// not carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Present<'a> {
    /// rad or m, one for each joint.
    pub position: Option<&'a [f64]>,
    /// Per s, one for each joint.
    pub velocity: Option<&'a [f64]>,
}

impl Present<'_> {
    /// Nothing is measured.
    pub const UNKNOWN: Self = Self { position: None, velocity: None };

    fn position(&self, dimension: usize) -> Option<f64> {
        self.position.and_then(|values| values.get(dimension)).copied()
    }

    fn velocity(&self, dimension: usize) -> Option<f64> {
        self.velocity.and_then(|values| values.get(dimension)).copied()
    }
}

/// The moving part of a lane's limits.
#[derive(Clone, Debug)]
pub struct Envelope {
    sent: Vec<Reference>,
    candidate: Vec<Reference>,
    limited: Vec<Limited>,
    /// What was last asked for, for the rate of a target that moves.
    asked: Vec<f64>,
    /// Steps of one group.
    steps: Vec<f64>,
    report: Report,
    used_s: f64,
    /// Which joints the last command applied gave.
    given: Vec<bool>,
    /// The last command applied is a plan.
    is_plan: bool,
    pauses: Pauses,
    plans: Plans,
}

impl Envelope {
    /// For the commands of a lane, at rest at zero. `plan_numbers`: of one quantity in a plan, at most.
    #[must_use]
    pub fn of(rules: &LaneRules, plan_numbers: usize) -> Self {
        let numbers = match rules.shape {
            Shape::Target => 0,
            Shape::Trajectory => plan_numbers,
        };
        let dimensions = rules.limits.len();
        Self { plans: Plans::new(dimensions, numbers), ..Self::new(dimensions) }
    }

    /// For a lane of `dimensions`, at rest at zero, with room for no plan yet.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self {
            sent: vec![Reference::default(); dimensions],
            candidate: vec![Reference::default(); dimensions],
            asked: vec![0.0; dimensions],
            limited: vec![Limited::unchanged(0.0); dimensions],
            steps: vec![0.0; dimensions],
            report: Report::new(dimensions),
            used_s: 0.0,
            given: vec![true; dimensions],
            is_plan: false,
            pauses: Pauses::new(dimensions),
            plans: Plans::new(dimensions, 0),
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

    /// Where a joint of the lane is sent at `now`: what was last sent, and of a plan what it has due.
    #[must_use]
    pub fn wire(&self, dimension: usize, now: SteadyTime) -> f64 {
        let sent = self.sent.get(dimension).map_or(0.0, |sent| sent.value);
        self.plans.due(dimension, now).unwrap_or(sent)
    }

    /// Whether a plan was sent that is followed still.
    #[must_use]
    pub const fn follows_plan(&self) -> bool {
        self.plans.is_running()
    }

    /// Whatever plan was sent is followed no more.
    pub fn end_plan(&mut self, now: SteadyTime) {
        self.plans.end(now);
    }

    /// Others may have moved the joints since the last plan.
    pub const fn forget_plan(&mut self) {
        self.plans.forget();
    }

    /// Which limits the last [`Self::apply`] used on each dimension.
    #[must_use]
    pub fn applied(&self) -> &[LimitSet] {
        &self.report.applied
    }

    /// What the last [`Self::apply`] changed, the first [`MAX_CHANGES`] of it.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.report.changes
    }

    /// Makes the last command applied the reference of the next.
    pub fn commit(&mut self) {
        self.sent.copy_from_slice(&self.candidate);
    }

    /// The same of a command that was sent now, of a source with this nominal period.
    pub fn commit_at(&mut self, now: SteadyTime, period_s: f64) {
        self.commit();
        self.pauses.note(&self.given, now, period_s);
        if self.is_plan {
            self.plans.commit(now);
        }
    }

    /// Before [`Self::apply`]: what nothing came for in a while is at rest, wherever its stream was
    /// going; and a plan is where it is now.
    pub fn rest(&mut self, now: SteadyTime, period_s: f64) {
        self.pauses.rest(&mut self.sent, now, period_s);
        self.plans.at(now);
    }

    /// Which joints the last command applied gave.
    #[must_use]
    pub fn given(&self) -> &[bool] {
        &self.given
    }

    /// How much of its time credit the last command applied takes.
    #[must_use]
    pub const fn used_s(&self) -> f64 {
        self.used_s
    }

    /// Limits `command` in place. [`super::check::check`] has accepted it.
    ///
    /// `present` is where a trajectory starts from, and what gains act on. Where no pose was ever
    /// measured, total effort is not judged: nothing says what the gains add.
    ///
    /// # Errors
    /// The refusal of the first value over a limit whose `on_limit` is `reject`, of a trajectory
    /// that cannot be followed within the limits, or of anything outside on a `balance` lane.
    pub fn apply(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
        present: Present<'_>,
    ) -> Result<LimitSet, Refusal> {
        self.report.clear();
        self.used_s = allowance.credit_s;
        self.given.copy_from_slice(&command.given);
        self.is_plan = rules.shape == Shape::Trajectory;
        if rules.balance {
            verify::verify(command, rules, present)?;
            self.note_target(command, rules);
            return Ok(LimitSet::EMPTY);
        }
        match (rules.shape, rules.interface) {
            (Shape::Trajectory, _) => self.trajectory(command, rules, allowance, present)?,
            (Shape::Target, Interface::Position) => self.positions(command, rules, allowance)?,
            (Shape::Target, Interface::Velocity) => self.velocities(command, rules, allowance)?,
            (Shape::Target, Interface::Effort) => self.efforts(command, rules, allowance)?,
        }
        // A plan's velocities and accelerations bend its way, so it is judged with them.
        if rules.shape == Shape::Target {
            self.companions(command, rules, allowance)?;
            self.total_effort(command, rules, allowance, present)?;
        }
        // Efforts and plans have no history of rates; their last values may have been limited.
        if rules.shape == Shape::Trajectory || rules.interface == Interface::Effort {
            self.note_target(command, rules);
        }
        Ok(self.report.total)
    }

    /// What was commanded last becomes the candidate, at rest.
    fn note_target(&mut self, command: &Command, rules: &LaneRules) {
        self.candidate.copy_from_slice(&self.sent);
        let values = match rules.interface {
            Interface::Position => &command.position,
            Interface::Velocity => &command.velocity,
            Interface::Effort => &command.effort,
        };
        let last = values.rchunks_exact(self.candidate.len().max(1)).next().unwrap_or_default();
        for ((candidate, value), given) in self.candidate.iter_mut().zip(last).zip(&command.given) {
            if *given {
                *candidate = Reference { value: *value, rate: 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests;
