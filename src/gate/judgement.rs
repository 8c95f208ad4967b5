//! The judgement of one command: refused, withheld, passed or limited, and what it leaves behind.
//!
//! **Invariants:** nothing is forwarded unless [`Permission::Permitted`]; a command that is refused,
//! for whatever reason, does not keep its source alive.

use super::check::{Refusal, check};
use super::command::Command;
use super::decision::Decision;
use super::envelope::{Envelope, Present};
use super::lane::{Circumstances, Lane, Permission};
use super::lane_state::LaneState;
use super::limit::{Allowance, LimitSet};
use super::measured::Measured;
use super::publisher::Receipt;
use super::rules::{Interface, LaneRules, Shape};
use super::source::Source;
use super::units::SteadyTime;
use super::verdict::{Reason, Verdict};

impl Lane {
    /// Judges one command of one source, limiting it in place.
    pub(super) fn judge(
        &mut self,
        index: usize,
        decoded: Result<&mut Command, Refusal>,
        receipt: &Receipt,
        about: Circumstances,
    ) -> Decision {
        let now = receipt.at.steady;
        let is_aside = self.is_aside(index);
        self.judged_aside = None;
        let Some(source) = self.sources.get_mut(index) else {
            let refusal = Refusal::whole(Reason::Malformed);
            return Decision::new(Verdict::Rejected, 0, 0).rejected(refusal);
        };
        let counts = is_aside || about.permission != Permission::NotPermitted;
        // A stranger must not become the one that the source follows, nor use up its rate.
        let stranger = decoded.as_ref().is_err_and(|r| r.reason == Reason::PublisherNotAllowed);
        let (lost, refused) =
            if stranger { (0, None) } else { source.admit(receipt, counts, self.rules.balance) };
        let sequence = source.counts.received().saturating_add(1);
        let decision =
            Decision { shadow: is_aside, ..Decision::new(Verdict::Withheld, sequence, lost) };
        let command = match decoded {
            Ok(command) => command,
            Err(refusal) => return decision.rejected(refusal),
        };
        // Nothing keeps a stop from a robot, how much else its source sent before it.
        let refused = refused
            .filter(|refusal| {
                refusal.reason != Reason::RateExceeded || !self.rules.says_stop(command)
            })
            .or_else(|| check(command, &self.rules).err())
            .or_else(|| source.check_stamp(command.stamp, receipt.at.wall));
        if let Some(refusal) = refused {
            return decision.rejected(refusal);
        }
        let before = source.last_valid();
        if self.rules.shape == Shape::Trajectory && !self.simulated {
            // A stamp of zero is how ROS says "now".
            let stamp = command.stamp.filter(|stamp| stamp.as_nanos() != 0);
            let now = receipt.at.wall.as_nanos();
            command.starts_in = stamp.map_or(0, |stamp| stamp.as_nanos().saturating_sub(now));
        }
        let decision = if is_aside {
            self.judge_aside(index, command, (about.factors, about.recent), before, now, decision)
        } else {
            source.keep(commanded(command, self.rules.interface), &command.given);
            if about.permission == Permission::NotPermitted {
                decision
            } else {
                self.judge_live(index, command, about, now, decision)
            }
        };
        if decision.refusal.is_none()
            && !self.is_refused_on(index, &decision)
            && let Some(source) = self.sources.get_mut(index)
        {
            source.note_valid(now);
        }
        decision
    }

    /// Judges one valid command while active.
    fn judge_live(
        &mut self,
        index: usize,
        command: &mut Command,
        about: Circumstances,
        now: SteadyTime,
        decision: Decision,
    ) -> Decision {
        let Some(source) = self.sources.get(index) else { return decision };
        let (limit_scale, period_s) = (source.rules.limit_scale, source.period_s());
        let moves = self.asks_for_motion(command, period_s);
        if !self.may_own(index, moves, now) {
            return decision.with(Verdict::NotSelected);
        }
        let held = about.permission == Permission::Held;
        if held && self.stop_is_limp() && !about.fresh {
            // Where its joints are nobody knows.
            self.heard(index, moves);
            return decision;
        }
        self.refer_to_joints(about.fresh, command);
        let taking_over = self.owner.is_some_and(|owner| owner != index);
        let credit = self.credit.allowance(now, period_s);
        self.envelope.rest(now, period_s);
        let Self { envelope, rules, measured, easing, .. } = self;
        let allowance =
            easing.allowance(about.factors, limit_scale, taking_over, rules, credit, now);
        let judged = limit(envelope, command, rules, allowance, (measured, about.recent));
        if held {
            // Withheld in any case; but what would be refused ends no hold for refusals, and no silence.
            let decision = Decision { fits: Some(judged.is_ok()), ..decision };
            if !self.is_refused_on(index, &decision) {
                self.heard(index, moves);
            }
            return decision;
        }
        let limits = match judged {
            Ok(limits) => limits,
            Err(refusal) => return decision.rejected(refusal),
        };
        self.silent_since = None;
        let verdict = if limits.is_empty() { Verdict::Passed } else { Verdict::Limited };
        let plan = command.times.last().copied().unwrap_or(0);
        let plan = plan.saturating_add(command.starts_in);
        let plan = std::time::Duration::from_nanos(u64::try_from(plan).unwrap_or(0));
        Decision { verdict, limits, moves, moves_until: now.after(plan), ..decision }
    }

    /// Whether a command goes on with what its lane is held for.
    fn is_refused_on(&self, index: usize, decision: &Decision) -> bool {
        let refusing = self.sources.get(index).is_some_and(|source| source.shares.refusing);
        refusing && decision.fits == Some(false)
    }

    /// Heard while held: the lane's own hold ends, though something else still holds it; and what it held
    /// is over, or somebody else's.
    fn heard(&mut self, index: usize, moves: bool) {
        self.silent_since = None;
        if !moves || self.owner != Some(index) {
            self.interrupted.end();
        }
    }

    /// Makes a forwarded command the one that was last sent, by its source. Returns the source in
    /// charge before, where that changed.
    pub(super) fn forwarded(
        &mut self,
        index: usize,
        decision: &Decision,
        now: SteadyTime,
    ) -> Option<Option<usize>> {
        let period_s = self.sources.get(index).map_or(0.0, Source::period_s);
        self.envelope.commit_at(now, period_s);
        self.has_sent = true;
        self.has_frozen = false;
        self.credit.spend(self.envelope.used_s(), now, period_s);
        self.state = LaneState::Flowing;
        self.interrupted.end();
        self.unfinished = (!decision.moves && self.stops_unfinished()).then_some(now);
        self.moves_until = match (decision.moves, self.rules.shape) {
            (false, _) => None,
            (true, Shape::Target) => Some(SteadyTime::from_nanos(u64::MAX)),
            (true, Shape::Trajectory) => Some(decision.moves_until),
        };
        let before = self.owner;
        let changed = before != Some(index);
        self.easing.forwarded(changed && before.is_some(), &self.rules, now);
        if changed {
            self.selected = None;
            self.hand_to(Some(index));
        }
        if let Some(source) = self.sources.get_mut(index) {
            source.engaged |= decision.moves;
        }
        changed.then_some(before)
    }

    /// A command that was judged aside counts: what would have been sent is its next reference.
    pub(super) fn judged(&mut self, index: usize, decision: &Decision, now: SteadyTime) {
        let Some(source) = self.sources.get_mut(index) else { return };
        let period_s = source.period_s();
        if matches!(decision.verdict, Verdict::Passed | Verdict::Limited)
            && let Some(aside) = &mut source.aside
        {
            aside.commit(now, period_s);
        }
    }
}

/// The values of the quantity that is commanded.
pub(super) fn commanded(command: &Command, interface: Interface) -> &[f64] {
    match interface {
        Interface::Position => &command.position,
        Interface::Velocity => &command.velocity,
        Interface::Effort => &command.effort,
    }
}

/// The one place where a command meets its limits.
pub(super) fn limit(
    envelope: &mut Envelope,
    command: &mut Command,
    rules: &LaneRules,
    allowance: Allowance,
    (measured, is_recent): (&Measured, bool),
) -> Result<LimitSet, Refusal> {
    // What was measured once is no place where a joint is.
    let present = if is_recent {
        Present { position: measured.position(), velocity: measured.velocity() }
    } else {
        Present::UNKNOWN
    };
    envelope.apply(command, rules, allowance, present)
}
