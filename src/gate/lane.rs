//! One lane while the node runs: who is in charge, what was sent, and what goes out in a stop.
//!
//! **Invariants:** a frozen pose is chosen once on entering a stop and then stays constant to the
//! last bit; a lower source never takes over from one that has moved the lane, unless `return_to`
//! says so; nothing is forwarded unless [`Permission::Permitted`].

use super::check::{Refusal, check};
use super::command::Command;
use super::credit::{CREDIT_PERIODS, TimeCredit};
use super::envelope::{Envelope, Present};
use super::lane_state::LaneState;
use super::limit::{Allowance, LOCKED_TOLERANCE, LimitSet, Reference};
use super::measured::Measured;
use super::publisher::Receipt;
use super::rules::{Interface, LaneRules, ReturnTo, Shape};
use super::safe::SafeCommand;
use super::source::Source;
use super::units::{SteadyTime, at_most, is_within};
use super::verdict::{Reason, Verdict};

/// Whether the node's state lets a command of this lane through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Active, and nothing holds.
    Permitted,
    /// Active, but a cause or another lane holds.
    Held,
    /// Disarmed or killed.
    NotPermitted,
}

/// What the gate says of one command. Nothing is counted or remembered until it is concluded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was rejected.
    pub refusal: Option<Refusal>,
    /// Which limits changed it.
    pub limits: LimitSet,
    /// Commands of the same publisher that were overwritten before this one was taken.
    pub lost: u64,
    /// Whether the command asks for motion.
    moves: bool,
    /// Until when a plan moves; the command's own receipt for a target.
    moves_until: SteadyTime,
}

impl Decision {
    const fn rejected(refusal: Refusal, lost: u64) -> Self {
        Self {
            verdict: Verdict::Rejected,
            refusal: Some(refusal),
            limits: LimitSet::EMPTY,
            lost,
            moves: false,
            moves_until: SteadyTime::from_nanos(0),
        }
    }

    const fn valid(verdict: Verdict, lost: u64) -> Self {
        Self {
            verdict,
            refusal: None,
            limits: LimitSet::EMPTY,
            lost,
            moves: false,
            moves_until: SteadyTime::from_nanos(0),
        }
    }

    /// Whether the command is to be published.
    #[must_use]
    pub const fn forwards(&self) -> bool {
        matches!(self.verdict, Verdict::Passed | Verdict::Limited)
    }

    /// The decision when a kill arrived after it was made.
    #[must_use]
    pub const fn withheld(self) -> Self {
        Self::valid(Verdict::Withheld, self.lost)
    }
}

/// What a stop publishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafeOutput<'a> {
    /// The kind.
    pub command: SafeCommand,
    /// One value for each joint or axis: velocities or the frozen pose.
    pub values: &'a [f64],
}

/// A lane.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(super) rules: LaneRules,
    pub(super) sources: Vec<Source>,
    pub(super) state: LaneState,
    pub(super) owner: Option<usize>,
    pub(super) selected: Option<usize>,
    pub(super) measured: Measured,
    pub(super) subscribers: u32,
    pub(super) controller_reads: bool,
    /// Its own source fell silent in motion.
    pub(super) silent_since: Option<SteadyTime>,
    envelope: Envelope,
    /// Something was sent since the node took this output, so `sent` is what is on the wire.
    has_sent: bool,
    /// Time for the next change.
    credit: TimeCredit,
    moves_until: Option<SteadyTime>,
    frozen: Vec<f64>,
    has_frozen: bool,
    pub(super) release_at: Option<SteadyTime>,
    next_safe: SteadyTime,
    safe_values: Vec<f64>,
}

impl Lane {
    pub(super) fn new(rules: LaneRules, now: SteadyTime) -> Self {
        let dimensions = rules.limits.len();
        Self {
            sources: rules.sources.iter().map(|rules| Source::new(rules.clone(), now)).collect(),
            state: LaneState::Released,
            owner: None,
            selected: None,
            measured: Measured::new(dimensions),
            subscribers: 0,
            controller_reads: false,
            silent_since: None,
            envelope: Envelope::new(dimensions),
            has_sent: false,
            credit: TimeCredit::new(now),
            moves_until: None,
            frozen: vec![0.0; dimensions],
            has_frozen: false,
            release_at: None,
            next_safe: now,
            safe_values: vec![0.0; dimensions],
            rules,
        }
    }

    /// Who holds its output.
    #[must_use]
    pub const fn state(&self) -> LaneState {
        self.state
    }

    /// Source in charge.
    #[must_use]
    pub const fn owner(&self) -> Option<usize> {
        self.owner
    }

    /// Matched readers of its output.
    #[must_use]
    pub const fn subscribers(&self) -> u32 {
        self.subscribers
    }

    /// Which limits the last judged command met, for each joint or axis.
    #[must_use]
    pub fn applied(&self) -> &[LimitSet] {
        self.envelope.applied()
    }

    /// What was last sent, for each joint or axis.
    #[must_use]
    pub fn sent(&self) -> &[Reference] {
        self.envelope.sent()
    }

    /// Judges one command of one source, limiting it in place.
    pub(super) fn judge(
        &mut self,
        index: usize,
        decoded: Result<&mut Command, Refusal>,
        receipt: &Receipt,
        permission: Permission,
    ) -> Decision {
        let now = receipt.at.steady;
        let Some(source) = self.sources.get_mut(index) else {
            return Decision::rejected(Refusal::whole(Reason::Malformed), 0);
        };
        let (lost, refused) = source.admit(receipt, permission != Permission::NotPermitted);
        let command = match decoded {
            Ok(command) => command,
            Err(refusal) => return Decision::rejected(refusal, lost),
        };
        if let Some(refusal) = refused {
            return Decision::rejected(refusal, lost);
        }
        if let Err(refusal) = check(command, &self.rules) {
            return Decision::rejected(refusal, lost);
        }
        source.note_valid(now);
        let limit_scale = source.rules.limit_scale;
        let period_s = source.period_s();
        if permission == Permission::NotPermitted {
            return Decision::valid(Verdict::Withheld, lost);
        }
        let moves = self.asks_for_motion(command, period_s);
        if !self.may_own(index, moves, now) {
            return Decision::valid(Verdict::NotSelected, lost);
        }
        // Heard again: the lane's own hold ends, though something else may still hold it.
        self.silent_since = None;
        if permission == Permission::Held {
            return Decision::valid(Verdict::Withheld, lost);
        }
        let allowance = Allowance {
            velocity: limit_scale,
            acceleration: limit_scale,
            ..self.credit.allowance(now, period_s)
        };
        let present = Present { position: self.measured.position(), velocity: None };
        let limits = match self.envelope.apply(command, &self.rules, allowance, present) {
            Ok(limits) => limits,
            Err(refusal) => return Decision::rejected(refusal, lost),
        };
        let verdict = if limits.is_empty() { Verdict::Passed } else { Verdict::Limited };
        let plan = command.times.last().copied().unwrap_or(0);
        let plan = std::time::Duration::from_nanos(u64::try_from(plan).unwrap_or(0));
        let moves_until = now.after(plan);
        Decision { verdict, refusal: None, limits, lost, moves, moves_until }
    }

    /// Makes a forwarded command the one that was last sent, by its source. Returns the source in
    /// charge before, where that changed.
    pub(super) fn forwarded(
        &mut self,
        index: usize,
        decision: &Decision,
        now: SteadyTime,
    ) -> Option<Option<usize>> {
        self.envelope.commit();
        self.has_sent = true;
        self.has_frozen = false;
        let period_s = self.sources.get(index).map_or(0.0, Source::period_s);
        self.credit.spend(self.envelope.used_s(), now, period_s);
        self.state = LaneState::Flowing;
        self.moves_until = match (decision.moves, self.rules.shape) {
            (false, _) => None,
            (true, Shape::Target) => Some(SteadyTime::from_nanos(u64::MAX)),
            (true, Shape::Trajectory) => Some(decision.moves_until),
        };
        let before = self.owner;
        if before != Some(index) {
            self.owner = Some(index);
            self.selected = None;
            if let Some(source) = self.sources.get_mut(index) {
                source.engaged = false;
            }
        }
        if let Some(source) = self.sources.get_mut(index) {
            source.engaged |= decision.moves;
        }
        (before != Some(index)).then_some(before)
    }

    /// Whether `index` is in charge, or may take charge with this command: up by itself when it asks
    /// for motion; from a source that never moved the lane; down only where `return_to` says so.
    fn may_own(&self, index: usize, moves: bool, now: SteadyTime) -> bool {
        let Some(owner) = self.owner else { return true };
        if owner == index {
            return true;
        }
        let priority = |index: usize| self.sources.get(index).map(|s| s.rules.priority);
        let Some(in_charge) = self.sources.get(owner) else {
            return true;
        };
        let pinned = self.selected == Some(owner);
        let up = priority(index) > priority(owner) && moves;
        let idle = !in_charge.engaged && moves && !pinned;
        let back = self.rules.return_to == ReturnTo::Auto && !in_charge.is_alive(now) && !pinned;
        up || idle || back
    }

    /// Whether a command asks for more than staying where the last one left the lane.
    fn asks_for_motion(&self, command: &Command, period_s: f64) -> bool {
        if self.rules.shape == Shape::Trajectory {
            return command.points > 0;
        }
        let still = |value: f64| is_within(value, -LOCKED_TOLERANCE, LOCKED_TOLERANCE);
        match self.rules.interface {
            Interface::Position => {
                let step = self.rules.standstill * period_s;
                let values = command.position.iter().zip(&command.given).zip(self.envelope.sent());
                values
                    .filter(|((_, given), _)| **given)
                    .any(|((value, _), sent)| !is_within(value - sent.value, -step, step))
            }
            Interface::Velocity => !command.velocity.iter().all(|value| still(*value)),
            Interface::Effort => !command.effort.iter().all(|value| still(*value)),
        }
    }

    /// Whether the source in charge has fallen silent, and in motion.
    pub(super) fn silence(&self, now: SteadyTime) -> Option<bool> {
        let owner = self.owner.and_then(|owner| self.sources.get(owner))?;
        if self.state != LaneState::Flowing || owner.is_alive(now) {
            return None;
        }
        Some(self.moves_until.is_some_and(|until| until > now))
    }

    /// Enters a stop: chooses what to hold, once. `fresh`: feedback is within its timeout.
    /// Returns false where there is nothing to build a safe command on.
    pub(super) fn enter_stop(&mut self, state: LaneState, fresh: bool, now: SteadyTime) -> bool {
        self.moves_until = None;
        let Some(tolerance) = self.rules.safe.tolerance() else {
            self.state = state;
            self.next_safe = now;
            return true;
        };
        if !self.has_frozen {
            let measured = self.measured.position().filter(|_| fresh);
            let has_sent = self.has_sent;
            let sent = self.envelope.sent();
            if !choose_pose(sent, has_sent, measured, tolerance, &mut self.frozen) {
                return false;
            }
            self.has_frozen = true;
        }
        self.state = state;
        self.next_safe = now;
        true
    }

    /// What a stop right now would send, for a burst by somebody else. False: nothing may be sent.
    pub(super) fn would_send(&self, fresh: bool, values: &mut [f64]) -> bool {
        if self.state == LaneState::Released || values.len() != self.frozen.len() {
            return false;
        }
        match self.rules.safe.tolerance() {
            None => {
                values.fill(0.0);
                true
            }
            Some(_) if self.has_frozen => {
                values.copy_from_slice(&self.frozen);
                true
            }
            Some(tolerance) => {
                let measured = self.measured.position().filter(|_| fresh);
                choose_pose(self.envelope.sent(), self.has_sent, measured, tolerance, values)
            }
        }
    }

    /// Starts anew for an arm: nobody in charge, the pose held chosen anew, no motion owed.
    pub(super) fn start(&mut self, fresh: bool, now: SteadyTime) -> bool {
        // What is on the wire stays the reference while the lane still publishes it; after a release
        // `has_sent` is false and the measured pose is taken.
        self.has_frozen = false;
        self.owner = None;
        self.selected = None;
        self.silent_since = None;
        self.release_at = None;
        for source in &mut self.sources {
            source.engaged = false;
        }
        let ready = self.enter_stop(LaneState::Waiting, fresh, now);
        let frozen = self.frozen.iter().copied();
        match self.rules.interface {
            Interface::Position => {
                for (sent, value) in self.envelope.sent_mut().iter_mut().zip(frozen) {
                    *sent = Reference { value, rate: 0.0 };
                }
            }
            Interface::Velocity | Interface::Effort => {
                if !self.has_sent {
                    self.envelope.sent_mut().fill(Reference::default());
                }
            }
        }
        self.credit.forfeit(now);
        ready
    }

    /// Lets go of the output.
    pub(super) fn let_go(&mut self) {
        self.state = LaneState::Released;
        self.release_at = None;
        self.owner = None;
        self.selected = None;
        self.silent_since = None;
        self.moves_until = None;
        // Others may move the robot from here on: nothing sent so far says where it is.
        self.has_frozen = false;
        self.has_sent = false;
        self.envelope.sent_mut().fill(Reference::default());
    }

    /// Puts the safe command out again at once.
    pub(super) const fn stop_again(&mut self, now: SteadyTime) {
        self.next_safe = now;
    }

    /// When the safe command is due next; `None` while a source flows or the lane is released.
    pub(super) const fn safe_due_at(&self) -> Option<SteadyTime> {
        match self.state {
            LaneState::Released | LaneState::Flowing => None,
            LaneState::Waiting | LaneState::Holding | LaneState::Safe => Some(self.next_safe),
        }
    }

    /// The safe command, where it is due. What it returns counts as sent.
    pub(super) fn take_safe(&mut self, now: SteadyTime) -> Option<SafeOutput<'_>> {
        if self.safe_due_at().is_none_or(|due| due > now) {
            return None;
        }
        let elapsed = now.since(self.credit.since()).as_secs_f64();
        let period = self.rules.safe_period.as_secs_f64();
        let step_s = at_most(elapsed, CREDIT_PERIODS * period);
        let mut changed = false;
        let values = self.safe_values.iter_mut().zip(&self.frozen);
        for ((value, frozen), sent) in values.zip(self.envelope.sent_mut()) {
            *value = match self.rules.safe {
                SafeCommand::ZeroVelocity { deceleration: None } => 0.0,
                SafeCommand::ZeroVelocity { deceleration: Some(deceleration) } => {
                    let left = sent.value.abs() - deceleration * step_s;
                    if left > 0.0 { left.copysign(sent.value) } else { 0.0 }
                }
                SafeCommand::Freeze { .. }
                | SafeCommand::HoldPoint { .. }
                | SafeCommand::Damping
                | SafeCommand::Values
                | SafeCommand::Silent => *frozen,
            };
            changed |= value.to_bits() != sent.value.to_bits();
            *sent = Reference { value: *value, rate: 0.0 };
        }
        // A constant safe command moves nothing, so it spends no time credit either.
        if changed {
            self.credit.forfeit(now);
        }
        self.has_sent = true;
        self.next_safe = now.after(self.rules.safe_period);
        Some(SafeOutput { command: self.rules.safe, values: &self.safe_values })
    }
}

/// The pose to hold: joint by joint the last sent where it is within `tolerance` of the measured,
/// else the measured. False where neither is known.
fn choose_pose(
    sent: &[Reference],
    has_sent: bool,
    measured: Option<&[f64]>,
    tolerance: f64,
    pose: &mut [f64],
) -> bool {
    if measured.is_none() && !has_sent {
        return false;
    }
    for (index, (value, sent)) in pose.iter_mut().zip(sent).enumerate() {
        let there = measured.and_then(|pose| pose.get(index)).copied();
        *value = match there {
            Some(there) if !has_sent || (sent.value - there).abs() > tolerance => there,
            Some(_) | None => sent.value,
        };
    }
    true
}
