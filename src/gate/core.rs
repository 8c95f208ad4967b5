//! The gate: the state machine, the lanes, the kill inputs, the causes and the watchdogs together.
//!
//! The caller owns clocks and wires: it hands in every message and every tick with the moment it
//! happened, publishes what a [`Decision`] forwards and what [`Gate::take_safe`] gives, and tells
//! others what [`Gate::notices`] says. This file has the parts and the command path; the verbs stand
//! in [`super::verbs`], what comes in from outside in [`super::inputs`], the tick in [`super::watch`],
//! what causes do in [`super::actions`] and arm conditions in [`super::conditions`].

pub use super::arbitration::SelectRefused;
use super::cause::Cause;
use super::check::Refusal;
use super::command::Command;
use super::conditions::Condition;
use super::easing::Factors;
use super::fault::Faults;
use super::history::Start;
use super::kill_input::KillInput;
use super::lane::{Circumstances, Decision, Lane, Permission, SafeOutput};
use super::lane_state::LaneState;
use super::machine::{Machine, Subject};
use super::measured::Measured;
use super::notice::{Notice, Notices};
use super::publisher::Receipt;
use super::rules::{GateRules, LaneMode, SourceMode};
use super::standstill::Standstill;
use super::state::{BootRecord, State};
use super::units::{Moment, SteadyTime};
use super::verdict::Verdict;

/// The whole gate.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(super) rules: GateRules,
    pub(super) machine: Machine,
    pub(super) lanes: Vec<Lane>,
    /// After a stop, one for each lane.
    pub(super) standstill: Vec<Standstill>,
    pub(super) kill_inputs: Vec<KillInput>,
    /// Arrival of the newest usable sample of each feedback.
    pub(super) feedback_at: Vec<Option<SteadyTime>>,
    pub(super) faults: Faults,
    /// The profile in force while active.
    pub(super) profile: Option<usize>,
    /// From heat or charge, [`super::easing::DERATING_FLOOR`] to 1.
    pub(super) derating: f64,
    pub(super) latch_writable: bool,
    /// Limits are to come with a robot description.
    pub(super) awaits_description: bool,
    /// Nobody looks any more at what may derate or trip.
    pub(super) sensors_unread: bool,
    pub(super) ready_since: Option<SteadyTime>,
    /// What is unmet, as of `evaluated_at`.
    pub(super) conditions: Vec<Condition>,
    /// `None`: something that conditions depend on has changed since.
    pub(super) evaluated_at: Option<SteadyTime>,
    /// Armed or killed in this run: from then on an output is never left alone unasked.
    pub(super) taken: bool,
    /// The last run ended while active, in this boot: somebody may still follow what it sent last.
    pub(super) unclean: bool,
    /// A self test runs: its own trips are the only ones so far.
    pub(super) testing: bool,
    pub(super) last_tick: SteadyTime,
    pub(super) notices: Notices,
}

impl Gate {
    /// The gate after boot, with no trip of an earlier run.
    #[must_use]
    pub fn new(rules: GateRules, record: BootRecord, seq: u64, now: Moment) -> Self {
        Self::at_boot(rules, Start::of(record, seq), now)
    }

    /// The gate after boot.
    #[must_use]
    pub fn at_boot(rules: GateRules, start: Start, now: Moment) -> Self {
        let steady = now.steady;
        let lanes: Vec<Lane> =
            rules.lanes.iter().map(|lane| Lane::new(lane, &rules, steady)).collect();
        let faults = places(&rules, steady);
        let sources: usize = lanes.iter().map(|lane| lane.sources.len()).sum();
        let subjects = lanes.len() + rules.kill_inputs.len() + rules.feedback.len();
        // Each input, feedback and lane can miss a few conditions at once, each source and cause one.
        let conditions = 4 * subjects + sources + faults.capacity() + 4;
        let machine = Machine::at_boot(start, now);
        let mut notices = Notices::default();
        // What an earlier run has told is not told again.
        for trip in machine.trips().iter() {
            notices.push(Notice::Trip(*trip));
        }
        let standstill = rules.lanes.iter().map(|lane| Standstill::new(lane.limits.len()));
        Self {
            machine,
            standstill: standstill.collect(),
            lanes,
            kill_inputs: vec![KillInput::default(); rules.kill_inputs.len()],
            feedback_at: vec![None; rules.feedback.len()],
            faults,
            profile: None,
            derating: 1.0,
            latch_writable: true,
            awaits_description: false,
            sensors_unread: false,
            ready_since: None,
            conditions: Vec::with_capacity(conditions),
            evaluated_at: None,
            taken: false,
            unclean: start.record.is_unclean(),
            testing: false,
            last_tick: steady,
            notices,
            rules,
        }
    }

    /// Makes a place for a cause of a subject that the rules do not list, so that it costs no memory
    /// later. For the time before the gate runs.
    pub fn expect(&mut self, cause: Cause, subject: Subject, now: SteadyTime) {
        self.faults.add(cause, subject, self.rules.debounce(cause), now);
        self.faults.reserve();
        // Empty until the first tick: room for one condition more.
        self.conditions.reserve_exact(self.conditions.capacity().saturating_add(1));
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

    /// The profile of this arm; `None` while not active.
    #[must_use]
    pub const fn profile(&self) -> Option<usize> {
        self.profile
    }

    /// The factor on velocity and speeding up from heat or charge; 1: none.
    #[must_use]
    pub const fn derating(&self) -> f64 {
        self.derating
    }

    /// Whether motion is permitted: active, and not every lane is held by a cause. The bit in
    /// `~/permit`. The silence of a source does not clear it: its next command ends it.
    #[must_use]
    pub fn is_permitted(&self) -> bool {
        let mut gated =
            self.lanes.iter().enumerate().filter(|(_, lane)| lane.is_gated()).peekable();
        self.machine.state() == State::Active
            && (gated.peek().is_none()
                || gated.any(|(index, lane)| {
                    !lane.cause_holds && !self.held_by(index, &|other| other.cause_holds)
                }))
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

    /// Judges one command, limiting it in place. Nothing is counted until [`Self::conclude`], but what
    /// a watch lane saw ([`Lane::seen`]).
    #[must_use]
    pub fn judge(
        &mut self,
        lane: usize,
        source: usize,
        decoded: Result<&mut Command, Refusal>,
        receipt: &Receipt,
    ) -> Option<Decision> {
        self.evaluated_at = None;
        let profile = self.rules.profiles.get(self.profile.unwrap_or(0));
        let about = Circumstances {
            permission: self.permission(lane),
            factors: Factors::of(profile, self.derating),
            fresh: self.is_fresh(lane, receipt.at.steady),
            recent: self.is_recent(lane, receipt.at.steady),
        };
        let lane = self.lanes.get_mut(lane)?;
        Some(lane.judge(source, decoded, receipt, about))
    }

    /// Makes a decision count: what was forwarded becomes the reference, every verdict is counted.
    pub fn conclude(&mut self, index: usize, source: usize, decision: &Decision, now: SteadyTime) {
        let active = self.machine.state() == State::Active;
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
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
        if decision.shadow {
            lane.judged(source, decision, now);
        }
        let in_charge = active && !decision.shadow && lane.owner == Some(source);
        if let Some(source) = lane.sources.get_mut(source) {
            source.count(decision, in_charge, now);
        }
        if let Some(refusal) = decision.refusal {
            self.notices.push(Notice::Rejected { lane: index, source, refusal });
        }
    }

    pub(super) fn permission(&self, index: usize) -> Permission {
        if self.machine.state() != State::Active {
            return Permission::NotPermitted;
        }
        let own = self.lanes.get(index).is_some_and(|lane| lane.cause_holds);
        if own || self.held_by(index, &Lane::holds) {
            return Permission::Held;
        }
        Permission::Permitted
    }

    /// One lane holding holds all, unless it is `independent`. A `balance` lane is held by nobody
    /// else: its safe command is a fall, which another lane's silence is no reason for.
    fn held_by(&self, index: usize, holds: &dyn Fn(&Lane) -> bool) -> bool {
        let bears = self.lanes.get(index).is_some_and(|lane| !lane.rules.balance);
        bears
            && self.lanes.iter().enumerate().any(|(other, lane)| {
                other != index && lane.is_gated() && !lane.rules.independent && holds(lane)
            })
    }

    /// A lane's measured state.
    #[must_use]
    pub fn measured(&self, lane: usize) -> Option<&Measured> {
        self.lanes.get(lane).map(|lane| &lane.measured)
    }

    // ---- safe commands -------------------------------------------------------------------------

    /// The lane's safe command, where it is due now. What this returns counts as sent.
    pub fn take_safe(&mut self, lane: usize, now: SteadyTime) -> Option<SafeOutput<'_>> {
        self.lanes.get_mut(lane)?.take_safe(now)
    }

    /// What a stop at `then`, as far as it is known `now`, would send on a lane, for a burst by somebody
    /// else. `None`: nothing may be sent.
    ///
    /// # Shape
    /// `values` has one place for each joint or axis; what it holds before does not matter.
    #[must_use]
    pub fn would_send<'a>(
        &'a self,
        lane: usize,
        values: &'a mut [f64],
        (now, then): (SteadyTime, SteadyTime),
    ) -> Option<SafeOutput<'a>> {
        let fresh = self.is_fresh(lane, now);
        self.lanes.get(lane)?.would_send(fresh, values, (now, then))
    }

    /// Whether a lane's controller follows a plan, so that what a stop would send depends on when it comes.
    #[must_use]
    pub fn follows_plan(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|lane| lane.envelope.follows_plan())
    }

    /// Whether a lane's safe command is still on its way to zero.
    #[must_use]
    pub fn is_slowing(&self) -> bool {
        self.lanes.iter().any(Lane::is_slowing)
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

/// A place for every cause that these rules can bring.
fn places(rules: &GateRules, now: SteadyTime) -> Faults {
    let mut faults = Faults::new();
    let mut add = |cause: Cause, subject| faults.add(cause, subject, rules.debounce(cause), now);
    for cause in [Cause::GateStalled, Cause::Suspended, Cause::ClockStep] {
        add(cause, Subject::Node);
    }
    for input in 0..rules.kill_inputs.len() {
        add(Cause::KillInputSilent, Subject::KillInput(input));
    }
    for feedback in 0..rules.feedback.len() {
        for cause in [Cause::FeedbackStale, Cause::Tilt, Cause::AngularVelocity] {
            add(cause, Subject::Feedback(feedback));
        }
    }
    let gated = rules.lanes.iter().enumerate().filter(|(_, lane)| lane.mode == LaneMode::Gate);
    for (lane, lane_rules) in gated {
        for cause in [
            Cause::Divergence,
            Cause::ForeignPublisher,
            Cause::ControllerGone,
            Cause::ControllerChanged,
        ] {
            add(cause, Subject::Lane(lane));
        }
        for (source, source_rules) in lane_rules.sources.iter().enumerate() {
            if source_rules.mode == SourceMode::Live {
                for cause in super::detect::OF_A_SOURCE {
                    add(cause, Subject::Source { lane, source });
                }
            }
        }
    }
    faults.reserve();
    faults
}

#[cfg(test)]
pub(crate) mod tests;
