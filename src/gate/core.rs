//! The gate: the state machine, the lanes, the kill inputs and the watchdogs together.
//!
//! The caller owns clocks and wires: it hands in every message and every tick with the moment it
//! happened, publishes what a [`Decision`] forwards and what [`Gate::take_safe`] gives, and tells
//! others what [`Gate::notices`] says.

use std::time::Duration;

use super::cause::{Action, Cause, CauseSet};
use super::check::Refusal;
use super::command::Command;
use super::kill_input::{KillInput, Silence};
use super::lane::{Decision, Lane, Permission, SafeOutput};
use super::lane_state::LaneState;
use super::machine::{Machine, Outcome, Report, Subject};
use super::measured::Measured;
use super::notice::{Notice, Notices};
use super::publisher::Receipt;
use super::rules::GateRules;
use super::state::{BootRecord, Refused, State};
use super::units::{Moment, SteadyTime};
use super::verdict::Verdict;

/// A tick later than this after its time drains every queue.
pub(super) const STALL: Duration = Duration::from_millis(50);

/// The whole gate.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(super) rules: GateRules,
    pub(super) machine: Machine,
    pub(super) lanes: Vec<Lane>,
    pub(super) kill_inputs: Vec<KillInput>,
    /// Arrival of the newest usable sample of each feedback.
    pub(super) feedback_at: Vec<Option<SteadyTime>>,
    /// Whether a cause with action `hold` is present.
    pub(super) held: bool,
    pub(super) ready_since: Option<SteadyTime>,
    /// Armed or killed in this run: from then on an output is never left alone unasked.
    pub(super) taken: bool,
    pub(super) last_tick: SteadyTime,
    pub(super) notices: Notices,
}

impl Gate {
    /// The gate after boot.
    #[must_use]
    pub fn new(rules: GateRules, record: BootRecord, seq: u64, now: Moment) -> Self {
        let lanes = rules.lanes.iter().map(|lane| Lane::new(lane.clone(), now.steady)).collect();
        Self {
            machine: Machine::new(State::at_boot(record), seq, now),
            lanes,
            kill_inputs: vec![KillInput::default(); rules.kill_inputs.len()],
            feedback_at: vec![None; rules.feedback.len()],
            held: false,
            ready_since: None,
            taken: false,
            last_tick: now.steady,
            notices: Notices::default(),
            rules,
        }
    }

    /// The state, `seq` and trips.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The clock starts here: building what surrounds the gate took a while, and no tick was missed
    /// in it.
    pub const fn resume(&mut self, now: SteadyTime) {
        self.last_tick = now;
    }

    /// The process ends: a stop as after a disarm, whatever the params file says of causes.
    pub fn shut_down(&mut self, now: Moment) {
        self.act(Report::plain(Cause::Shutdown, Subject::Node), Action::Disarm, now);
    }

    /// The lanes in the order of the rules.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// A lane.
    #[must_use]
    pub fn lane(&self, lane: usize) -> Option<&Lane> {
        self.lanes.get(lane)
    }

    /// What happened since the last look.
    pub const fn notices(&mut self) -> &mut Notices {
        &mut self.notices
    }

    /// Whether motion is permitted: active and nothing holds. The bit in `~/permit`.
    #[must_use]
    pub fn is_permitted(&self) -> bool {
        self.machine.state() == State::Active && !self.held
    }

    // ---- commands -------------------------------------------------------------------------------

    /// Whether the source has a token for its next command.
    pub fn may_take(&mut self, lane: usize, source: usize, now: SteadyTime) -> bool {
        let source = self.lanes.get_mut(lane).and_then(|lane| lane.sources.get_mut(source));
        source.is_some_and(|source| source.may_take(now))
    }

    /// When the source has a token for its next command.
    #[must_use]
    pub fn next_take(&self, lane: usize, source: usize) -> Option<SteadyTime> {
        let source = self.lanes.get(lane).and_then(|lane| lane.sources.get(source));
        source.map(super::source::Source::next_take)
    }

    /// Judges one command, limiting it in place. Nothing counts until [`Self::conclude`].
    #[must_use]
    pub fn judge(
        &mut self,
        lane: usize,
        source: usize,
        decoded: Result<&mut Command, Refusal>,
        receipt: &Receipt,
    ) -> Option<Decision> {
        let permission = self.permission(lane);
        let lane = self.lanes.get_mut(lane)?;
        Some(lane.judge(source, decoded, receipt, permission))
    }

    /// Makes a decision count: what was forwarded becomes the reference, every verdict is counted.
    pub fn conclude(&mut self, index: usize, source: usize, decision: &Decision, now: SteadyTime) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        if let Some(source) = lane.sources.get_mut(source) {
            source.counts.add(decision.verdict);
            if let Some(refusal) = decision.refusal {
                source.last_reason = Some(refusal.reason);
            }
        }
        if let Some(refusal) = decision.refusal {
            self.notices.push(Notice::Rejected { lane: index, source, refusal });
        }
        if decision.forwards() {
            let before = lane.state;
            let owner = lane.forwarded(source, decision, now);
            if before != LaneState::Flowing {
                let to = LaneState::Flowing;
                self.notices.push(Notice::Lane { lane: index, from: before, to });
            }
            if let Some(from) = owner {
                self.notices.push(Notice::Owner { lane: index, from, to: Some(source) });
            }
        }
    }

    pub(super) fn permission(&self, index: usize) -> Permission {
        if self.machine.state() != State::Active {
            return Permission::NotPermitted;
        }
        if self.held || self.held_by_another(index) {
            return Permission::Held;
        }
        Permission::Permitted
    }

    /// One lane holding holds all, unless it is `independent`.
    fn held_by_another(&self, index: usize) -> bool {
        self.lanes.iter().enumerate().any(|(other, lane)| {
            other != index && !lane.rules.independent && lane.silent_since.is_some()
        })
    }

    // ---- kill, disarm, reset, arm ----------------------------------------------------------------

    /// The kill verb. Works in every state and puts every safe command out again.
    pub fn kill(&mut self, report: Report, now: Moment) {
        self.taken = true;
        let outcome = self.machine.kill(report, now);
        self.tell(outcome);
        self.stop_all(outcome, now.steady);
    }

    /// The disarm verb.
    ///
    /// # Errors
    /// [`Refused`] as in the state table.
    pub fn disarm(&mut self, now: Moment) -> Result<(), Refused> {
        let outcome = self.machine.disarm(now).inspect_err(|refused| {
            self.notices.push(Notice::DisarmRefused(*refused));
        })?;
        self.tell(outcome);
        self.stop_all(outcome, now.steady);
        Ok(())
    }

    /// The reset verb: killed to disarmed. Moves nothing, permits nothing.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; unmet while a kill input asserts.
    pub fn reset(&mut self, seq: u64, now: Moment) -> Result<(), Refused> {
        let unmet = self.any_kill_input_asserts(now.steady);
        let outcome = self.machine.reset(seq, unmet, now).inspect_err(|refused| {
            self.notices.push(Notice::ResetRefused(*refused));
        })?;
        self.tell(outcome);
        self.stop_all(outcome, now.steady);
        Ok(())
    }

    /// The arm verb: disarmed to active. The caller has drained every command queue first.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; unmet while any condition is.
    pub fn arm(&mut self, seq: u64, now: Moment) -> Result<(), Refused> {
        let unmet = self.arm_blocked(now.steady);
        let outcome = self.machine.arm(seq, unmet, now).inspect_err(|refused| {
            self.notices.push(Notice::ArmRefused(*refused));
        })?;
        self.tell(outcome);
        self.taken = true;
        self.held = false;
        for index in 0..self.lanes.len() {
            let fresh = self.is_fresh(index, now.steady);
            let Some(lane) = self.lanes.get_mut(index) else {
                continue;
            };
            let from = lane.state;
            if lane.start(fresh, now.steady) {
                self.notices.push(Notice::Lane { lane: index, from, to: LaneState::Waiting });
            } else {
                self.notices.push(Notice::NoSafeCommand { lane: index });
            }
        }
        Ok(())
    }

    /// Puts one source in charge, or none in particular (`None`: by priority again).
    ///
    /// # Errors
    /// When there is no such lane or source, or the source is silent.
    pub fn select_source(
        &mut self,
        index: usize,
        source: Option<usize>,
        now: SteadyTime,
    ) -> Result<(), SelectRefused> {
        let lane = self.lanes.get_mut(index).ok_or(SelectRefused::UnknownLane)?;
        let Some(wanted) = source else {
            lane.selected = None;
            return Ok(());
        };
        let state = lane.sources.get(wanted).ok_or(SelectRefused::UnknownSource)?;
        if !state.is_alive(now) {
            return Err(SelectRefused::Silent);
        }
        let from = lane.owner;
        lane.owner = Some(wanted);
        lane.selected = Some(wanted);
        if from != Some(wanted) {
            if let Some(source) = lane.sources.get_mut(wanted) {
                source.engaged = false;
            }
            self.notices.push(Notice::Owner { lane: index, from, to: Some(wanted) });
        }
        Ok(())
    }

    /// Reports an automatic cause; its action is the configuration's.
    pub fn report(&mut self, report: Report, now: Moment) {
        let action = self.rules.action(report.cause);
        self.act(report, action, now);
    }

    pub(super) fn act(&mut self, report: Report, action: Action, now: Moment) {
        let outcome = self.machine.automatic(report, action, now);
        self.tell(outcome);
        if outcome.moved {
            self.stop_all(outcome, now.steady);
        }
    }

    fn tell(&mut self, outcome: Outcome) {
        if !outcome.moved {
            return;
        }
        if outcome.from != outcome.to {
            let seq = self.machine.seq();
            self.notices.push(Notice::State { from: outcome.from, to: outcome.to, seq });
        }
        let trip = self.machine.last_trip().filter(|trip| trip.seq == self.machine.seq());
        if let Some(trip) = trip {
            self.notices.push(Notice::Trip(*trip));
        }
    }

    /// Brings every lane to what the state wants, and has every safe command put out at once.
    fn stop_all(&mut self, outcome: Outcome, now: SteadyTime) {
        if outcome.to == State::Active {
            return;
        }
        for index in 0..self.lanes.len() {
            let fresh = self.is_fresh(index, now);
            let Some(lane) = self.lanes.get_mut(index) else {
                continue;
            };
            lane.silent_since = None;
            if lane.state == LaneState::Released && outcome.to == State::Disarmed {
                continue;
            }
            if outcome.to == State::Disarmed && lane.release_at.is_none() {
                lane.release_at = Some(now.after(lane.rules.release));
            }
            if outcome.to == State::Killed {
                lane.release_at = None;
            }
            self.stop_lane(index, LaneState::Safe, fresh, now);
        }
        self.ready_since = None;
    }

    pub(super) fn stop_lane(&mut self, index: usize, to: LaneState, fresh: bool, now: SteadyTime) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let from = lane.state;
        if from == to {
            lane.stop_again(now);
            return;
        }
        if lane.enter_stop(to, fresh, now) {
            self.notices.push(Notice::Lane { lane: index, from, to });
        } else {
            self.notices.push(Notice::NoSafeCommand { lane: index });
        }
    }

    // ---- inputs ----------------------------------------------------------------------------------

    /// One sample of a kill input. `None`: the message cannot be read, which asserts.
    pub fn kill_input(&mut self, input: usize, asserted: Option<bool>, receipt: &Receipt) {
        let (Some(state), Some(rules)) =
            (self.kill_inputs.get_mut(input), self.rules.kill_inputs.get(input))
        else {
            return;
        };
        let (level, rising) = state.sample(asserted.unwrap_or(true), receipt, rules);
        // While it stays asserted in `killed` nothing new is told; the latch holds anyway.
        if level && (rising || self.machine.state() != State::Killed) {
            let subject = Subject::KillInput(input);
            let report = Report { rising, ..Report::plain(Cause::KillInputAsserted, subject) };
            self.kill(report, receipt.at);
        }
    }

    /// One feedback sample for one lane. Empty slices: the feedback does not carry that quantity.
    /// Returns whether it was usable.
    pub fn feedback(
        &mut self,
        lane: usize,
        position: &[f64],
        velocity: &[f64],
        now: SteadyTime,
    ) -> bool {
        let Some(lane) = self.lanes.get_mut(lane) else {
            return false;
        };
        let usable = lane.measured.sample(position, velocity, now);
        if usable
            && let Some(at) = lane.rules.feedback.and_then(|index| self.feedback_at.get_mut(index))
        {
            *at = Some(now);
        }
        usable
    }

    /// What the graph says of a lane's output: matched readers, and whether the named controller is
    /// among them.
    pub fn graph(&mut self, lane: usize, subscribers: u32, controller_reads: bool) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.subscribers = subscribers;
            lane.controller_reads = controller_reads;
        }
    }

    /// A lane's measured state.
    #[must_use]
    pub fn measured(&self, lane: usize) -> Option<&Measured> {
        self.lanes.get(lane).map(|lane| &lane.measured)
    }

    /// Whether the lane's feedback is fresh. A lane without feedback has nothing fresh.
    pub(super) fn is_fresh(&self, lane: usize, now: SteadyTime) -> bool {
        let Some(lane) = self.lanes.get(lane) else {
            return false;
        };
        let feedback = lane.rules.feedback.and_then(|index| self.rules.feedback.get(index));
        feedback.is_some_and(|feedback| lane.measured.is_fresh(now, feedback.timeout))
    }

    pub(super) fn any_kill_input_asserts(&self, now: SteadyTime) -> bool {
        let inputs = self.kill_inputs.iter().zip(&self.rules.kill_inputs);
        inputs.into_iter().any(|(input, rules)| input.is_asserted(now, rules))
    }

    /// The causes that are there now, whatever they do. Those that are a moment and not a condition
    /// (a kill by service, a late tick) are never among them.
    #[must_use]
    pub fn causes_present(&self, now: SteadyTime) -> CauseSet {
        let silent = self.kill_inputs.iter().zip(&self.rules.kill_inputs);
        let mut silent = silent.map(|(input, rules)| input.silence(now, rules));
        let stale = |index: usize| {
            self.lanes.get(index).is_some_and(|lane| lane.rules.feedback.is_some())
                && !self.is_fresh(index, now)
        };
        CauseSet::default()
            .with(Cause::KillInputAsserted, self.any_kill_input_asserts(now))
            .with(Cause::KillInputSilent, silent.any(|s| matches!(s, Silence::Lost(_))))
            .with(Cause::SourceSilent, self.lanes.iter().any(|lane| lane.silent_since.is_some()))
            .with(Cause::FeedbackStale, (0..self.lanes.len()).any(stale))
    }

    // ---- safe commands -------------------------------------------------------------------------

    /// The lane's safe command, where it is due now. What this returns counts as sent.
    pub fn take_safe(&mut self, lane: usize, now: SteadyTime) -> Option<SafeOutput<'_>> {
        self.lanes.get_mut(lane)?.take_safe(now)
    }

    /// What a stop right now would send on a lane, for a burst by somebody else. False: nothing may
    /// be sent.
    #[must_use]
    pub fn would_send(&self, lane: usize, values: &mut [f64], now: SteadyTime) -> bool {
        let fresh = self.is_fresh(lane, now);
        self.lanes.get(lane).is_some_and(|lane| lane.would_send(fresh, values))
    }

    /// The earliest moment at which a safe command is due.
    #[must_use]
    pub fn next_safe(&self) -> Option<SteadyTime> {
        self.lanes.iter().filter_map(Lane::safe_due_at).min()
    }

    /// The counts of one source: what was received, by verdict.
    #[must_use]
    pub fn count(&self, lane: usize, source: usize, verdict: Verdict) -> u64 {
        let source = self.lanes.get(lane).and_then(|lane| lane.sources.get(source));
        source.map_or(0, |source| source.counts.get(verdict))
    }
}

/// Why a source was not put in charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectRefused {
    /// No lane of that name.
    UnknownLane,
    /// No source of that name in the lane.
    UnknownSource,
    /// The source sends nothing.
    Silent,
}

#[cfg(test)]
mod tests;
