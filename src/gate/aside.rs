//! Judging aside: shadow sources and watch lanes.
//!
//! Such a command is judged against a reference of its own, as if its source alone were in charge and
//! permitted: what was "sent" is what would have been. So a new policy's share of limited commands is
//! known before it ever moves a robot.
//!
//! **Invariant:** nothing here is forwarded, selected, or changes anything of the lane.

use super::check::Refusal;
use super::command::Command;
use super::credit::TimeCredit;
use super::decision::Decision;
use super::easing::{Easing, Factors};
use super::envelope::{Change, Envelope};
use super::judgement::{commanded, limit};
use super::lane::Lane;
use super::limit::{LimitSet, Reference};
use super::rules::{Interface, LaneMode, LaneRules, SourceMode};
use super::seen::Seen;
use super::source::Source;
use super::units::{SteadyTime, at_least};
use super::verdict::Verdict;

/// The reference of one source that is judged aside.
#[derive(Clone, Debug)]
pub(super) struct Aside {
    envelope: Envelope,
    credit: TimeCredit,
    /// When the last command was judged; `None`: the reference is to be taken anew.
    at: Option<SteadyTime>,
}

impl Aside {
    pub(super) fn new(rules: &LaneRules, plan_numbers: usize, now: SteadyTime) -> Self {
        let envelope = Envelope::of(rules, plan_numbers);
        Self { envelope, credit: TimeCredit::new(now), at: None }
    }

    pub(super) fn applied(&self) -> &[LimitSet] {
        self.envelope.applied()
    }

    pub(super) fn changes(&self) -> &[Change] {
        self.envelope.changes()
    }

    /// The last command judged would have been sent.
    pub(super) fn commit(&mut self, now: SteadyTime, period_s: f64) {
        self.envelope.commit_at(now, period_s);
        self.credit.spend(self.envelope.used_s(), now, period_s);
        self.at = Some(now);
    }
}

impl Lane {
    /// Whether commands of this source are only judged.
    pub(super) fn is_aside(&self, index: usize) -> bool {
        self.rules.mode == LaneMode::Watch
            || self.sources.get(index).is_some_and(|s| s.rules.mode == SourceMode::Shadow)
    }

    /// Whether a live source of higher priority is heard: on a watch lane that one is in charge.
    fn is_outranked(&self, index: usize, now: SteadyTime) -> bool {
        let Some(own) = self.sources.get(index) else { return false };
        self.rules.mode == LaneMode::Watch
            && own.rules.mode == SourceMode::Live
            && self.sources.iter().any(|other| {
                other.rules.mode == SourceMode::Live
                    && other.rules.priority > own.rules.priority
                    && other.is_alive(now)
            })
    }

    /// Judges one valid command aside. `before`: the valid command before it.
    pub(super) fn judge_aside(
        &mut self,
        index: usize,
        command: &mut Command,
        (factors, recent): (Factors, bool),
        before: Option<SteadyTime>,
        now: SteadyTime,
        decision: Decision,
    ) -> Decision {
        if self.is_outranked(index, now) {
            return decision.with(Verdict::NotSelected);
        }
        self.judged_aside = Some(index);
        let Self { sources, rules, measured, seen, .. } = self;
        let Some(source) = sources.get_mut(index) else { return decision };
        let watched = rules.mode == LaneMode::Watch && source.rules.mode == SourceMode::Live;
        let period_s = source.period_s();
        let Source { aside, rules: source_rules, .. } = source;
        let Some(aside) = aside else { return decision };
        let broke_off = match (before, source_rules.timeout) {
            (None, _) => true,
            (Some(before), timeout) => timeout.is_some_and(|timeout| now.since(before) > timeout),
        };
        if aside.at.is_none() || broke_off {
            // The credit stays: the first command may take what a live one may after a gap.
            let first = commanded(command, rules.interface);
            seed(&mut aside.envelope, rules.interface, measured.position(), first);
            aside.envelope.end_plan(now);
        }
        if watched {
            let elapsed = before.filter(|_| !broke_off);
            let elapsed = elapsed.map(|at| at_least(now.since(at).as_secs_f64(), period_s));
            note(seen, command, rules.interface, elapsed);
        }
        let credit = aside.credit.allowance(now, period_s);
        aside.envelope.rest(now, period_s);
        let scale = source_rules.limit_scale;
        let allowance = Easing::default().allowance(factors, scale, false, rules, credit, now);
        match limit(&mut aside.envelope, command, rules, allowance, (measured, recent)) {
            Ok(limits) => {
                if watched {
                    let applied = aside.envelope.applied().iter().zip(&command.given);
                    for (seen, (applied, given)) in seen.iter_mut().zip(applied) {
                        if *given {
                            seen.count(*applied);
                        }
                    }
                }
                let verdict = if limits.is_empty() { Verdict::Passed } else { Verdict::Limited };
                Decision { verdict, limits, ..decision }
            }
            Err(refusal) => {
                if watched {
                    count_refused(seen, refusal);
                }
                decision.rejected(refusal)
            }
        }
    }
}

/// Where a source that is judged aside starts from: the measured pose, or its own first command.
fn seed(envelope: &mut Envelope, interface: Interface, pose: Option<&[f64]>, first: &[f64]) {
    for (dimension, sent) in envelope.sent_mut().iter_mut().enumerate() {
        let there = pose.and_then(|pose| pose.get(dimension)).or_else(|| first.get(dimension));
        let value = match (interface, there) {
            (Interface::Position, Some(there)) if there.is_finite() => *there,
            (Interface::Position | Interface::Velocity | Interface::Effort, _) => 0.0,
        };
        *sent = Reference { value, rate: 0.0 };
    }
}

fn note(seen: &mut [Seen], command: &Command, interface: Interface, elapsed_s: Option<f64>) {
    let values = commanded(command, interface).iter().zip(&command.given);
    for (seen, (value, given)) in seen.iter_mut().zip(values) {
        if *given {
            seen.note(*value, interface, elapsed_s);
        }
    }
}

/// A command refused for one value would have been limited there.
fn count_refused(seen: &mut [Seen], refusal: Refusal) {
    for (dimension, seen) in seen.iter_mut().enumerate() {
        let at_fault = refusal.dimension == Some(dimension);
        let limit = super::verdict::Limit::Position;
        seen.count(if at_fault { LimitSet::EMPTY.with(limit) } else { LimitSet::EMPTY });
    }
}
