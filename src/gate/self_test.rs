//! The self test: while disarmed, a real trip by each kill input and by the way of the verbs, each
//! followed by a reset.
//!
//! ```text
//! begin ──► trip: message ► level ► machine ► safe command ──► (written by others) ──► reset in two steps ──► next
//! ```
//!
//! The trips are real ones of a cause of their own, `self_test`: state and `seq` move, the record goes
//! to disk, and whoever looks is told. Three things are different. What the message leaves in the
//! kill input is taken back at once, so that the next real message counts as if none had come. A
//! released lane stays released, also a velocity lane that would send zero: what a kill would make it
//! send is made on a copy, for somebody else to publish elsewhere. And automatic causes latch nothing,
//! as in the `disarmed` that it began in.
//!
//! **Invariant:** it takes back only its own trips. A real stop ends it, moves `seq`, and stays: a
//! reset of the test names the `seq` of the test's own trip.

use std::time::Duration;

use super::cause::Cause;
use super::closed_list::closed_list;
use super::core::Gate;
use super::kill_input::Silence;
use super::lane::Lane;
use super::lane_state::LaneState;
use super::machine::{Report, Subject};
use super::notice::Notice;
use super::publisher::{Gid, Receipt};
use super::release::Release;
use super::rules::KillAction;
use super::safe::SafeCommand;
use super::state::{Refused, State};
use super::stop::SafeOutput;
use super::units::{Moment, SteadyTime};

/// The publisher that the test's messages come from. The middleware gives no such identifier.
pub const TESTER: Gid = *b"interlock tester";

closed_list! {
    /// Why a self test does not begin.
    SelfTestRefusal {
        /// Active: the robot may move.
        Active = "active",
        /// Killed: something has to be reset first.
        Killed = "killed",
        /// A reset or an arm waits for its record.
        Busy = "busy",
        /// A lane still sends its safe command after a disarm.
        NotReleased = "not_released",
        /// The latch file cannot be written, so that nothing could be reset.
        LatchNotWritable = "latch_not_writable",
        /// Another one runs.
        Running = "running",
        /// The last one began a moment ago.
        TooSoon = "too_soon",
        /// The process ends.
        ShuttingDown = "shutting_down",
    }
}

/// One part of a self test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The way of kills from other threads: control socket, signal.
    Verbs,
    /// A kill input.
    Input(usize),
}

/// How far a part can be tested while disarmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To a trip, its safe commands and its record.
    Trip,
    /// To the level that it asserts: an input with action `disarm` trips nothing while disarmed.
    Level,
    /// Whether it is heard, and would be missed: no message of a bare heartbeat asserts.
    Heartbeat,
}

/// What was wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A message that asserts was not read as one.
    NotRead,
    /// It was read, and the input's level did not assert.
    NoLevel,
    /// The level asserted, and the state did not become killed.
    NotKilled,
    /// A heartbeat that is silent, or was never heard.
    NotHeard,
    /// A heartbeat without a timeout: nothing could ever be missed.
    NeverMissed,
    /// A lane has nothing to build its safe command on.
    NoSafeCommand {
        /// The lane.
        lane: usize,
    },
    /// The middleware refused a safe command.
    NotPublished {
        /// The lane.
        lane: usize,
    },
    /// The record was not on disk in time.
    NotOnDisk,
    /// The reset was refused; the node stays killed.
    NotReset(Refused),
    /// A real stop came, or the process ends.
    Interrupted,
    /// The test ended before this part.
    NotBegun,
}

impl Flaw {
    /// The word in the log and on the control socket.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotRead => "not_read",
            Self::NoLevel => "no_level",
            Self::NotKilled => "not_killed",
            Self::NotHeard => "not_heard",
            Self::NeverMissed => "never_missed",
            Self::NoSafeCommand { .. } => "no_safe_command",
            Self::NotPublished { .. } => "not_published",
            Self::NotOnDisk => "not_on_disk",
            Self::NotReset(_) => "not_reset",
            Self::Interrupted => "interrupted",
            Self::NotBegun => "not_begun",
        }
    }
}

/// What came of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartResult {
    /// Which.
    pub part: Part,
    /// How far it goes.
    pub reach: Reach,
    /// What was wrong; the first where there was more.
    pub flaw: Option<Flaw>,
    /// From the trip to the last safe command handed to the middleware; `None`: there was none.
    pub to_safe: Option<Duration>,
    /// From the trip to its record on disk; `None`: nothing is kept there, or it did not come.
    pub to_disk: Option<Duration>,
}

impl Gate {
    /// Whether a self test runs: from its begin until its end, or a real stop.
    #[must_use]
    pub const fn is_testing(&self) -> bool {
        self.testing
    }

    /// Why no self test can begin now; `None`: it can.
    #[must_use]
    pub fn self_test_refusal(&self) -> Option<SelfTestRefusal> {
        let held = |lane: &Lane| lane.is_gated() && lane.state() != LaneState::Released;
        match self.machine.state() {
            State::Active => Some(SelfTestRefusal::Active),
            State::Killed if self.testing => Some(SelfTestRefusal::Running),
            State::Killed => Some(SelfTestRefusal::Killed),
            State::Disarmed if self.testing => Some(SelfTestRefusal::Running),
            State::Disarmed if self.machine.pending.is_some() => Some(SelfTestRefusal::Busy),
            State::Disarmed if self.lanes.iter().any(held) => Some(SelfTestRefusal::NotReleased),
            State::Disarmed if !self.latch_writable => Some(SelfTestRefusal::LatchNotWritable),
            State::Disarmed => None,
        }
    }

    /// Begins. Until the end only the test's own trips can be reset, and nothing can be armed.
    ///
    /// # Errors
    /// [`SelfTestRefusal`].
    pub fn begin_self_test(&mut self) -> Result<(), SelfTestRefusal> {
        match self.self_test_refusal() {
            Some(refusal) => Err(refusal),
            None => {
                self.testing = true;
                Ok(())
            }
        }
    }

    /// Ends, whatever came of it.
    pub const fn end_self_test(&mut self) {
        self.testing = false;
    }

    /// A message of [`TESTER`] on a kill input. Where the input kills, it has tripped after it.
    ///
    /// # Errors
    /// [`Flaw`]; nothing has tripped then. Interrupted where no test runs (any more).
    pub fn test_kill_input(
        &mut self,
        input: usize,
        asserted: Option<bool>,
        receipt: &Receipt,
    ) -> Result<Reach, Flaw> {
        if !self.testing {
            return Err(Flaw::Interrupted);
        }
        // What cannot be read asserts as well, but is no message that this input's people send.
        if asserted != Some(true) {
            return Err(Flaw::NotRead);
        }
        let (Some(state), Some(rules)) =
            (self.kill_inputs.get_mut(input), self.rules.kill_inputs.get(input))
        else {
            return Err(Flaw::NoLevel);
        };
        // As if it had never come: what real publishers have said counts on, and so does what they
        // say in the next moment.
        let before = state.clone();
        let (level, rising) = state.sample(true, receipt, rules);
        let is_ours = state.asserts(TESTER, receipt.at.steady, rules);
        *state = before;
        self.evaluated_at = None;
        if !level || !is_ours {
            return Err(Flaw::NoLevel);
        }
        match self.follows(input, level, rising) {
            Some(KillAction::Kill) => {
                self.test_trip(Subject::KillInput(input), receipt.at).map(|_| Reach::Trip)
            }
            Some(KillAction::Disarm) => Ok(Reach::Level),
            None => Err(Flaw::NotKilled),
        }
    }

    /// A look at a bare heartbeat: it is heard now, and silence for its timeout would be noticed.
    ///
    /// # Errors
    /// [`Flaw`].
    pub fn test_heartbeat(&self, input: usize, now: SteadyTime) -> Result<Reach, Flaw> {
        let (Some(state), Some(rules)) =
            (self.kill_inputs.get(input), self.rules.kill_inputs.get(input))
        else {
            return Err(Flaw::NotHeard);
        };
        let Some(timeout) = rules.timeout else { return Err(Flaw::NeverMissed) };
        let Some(seen) = state.last_seen().filter(|_| state.silence(now, rules) == Silence::Heard)
        else {
            return Err(Flaw::NotHeard);
        };
        let just_over = seen.after(timeout.saturating_add(Duration::from_nanos(1)));
        match state.silence(just_over, rules) {
            Silence::Lost(_) => Ok(Reach::Heartbeat),
            Silence::Heard | Silence::Unseen => Err(Flaw::NeverMissed),
        }
    }

    /// A trip by the test. Returns its `seq`.
    ///
    /// # Errors
    /// [`Flaw`] where it did not kill; interrupted where no test runs (any more): then it was a kill
    /// like any other, and stays.
    pub fn test_trip(&mut self, subject: Subject, now: Moment) -> Result<u64, Flaw> {
        let report = Report { rising: true, ..Report::plain(Cause::SelfTest, subject) };
        if !self.testing {
            self.kill(report, now);
            return Err(Flaw::Interrupted);
        }
        let outcome = self.machine.kill(report, now);
        self.tell(outcome);
        // Conditions settle anew; lanes are released, and stay it.
        self.ready_since = None;
        let is_kill = outcome.from == State::Disarmed && outcome.to == State::Killed;
        if is_kill { Ok(self.machine.seq()) } else { Err(Flaw::NotKilled) }
    }

    /// Hands to `send` what a kill would make a lane send now, by the same steps on a copy of the lane.
    /// Returns whether there was anything: not where its safe command is silence or it only watches.
    ///
    /// # Errors
    /// [`Flaw::NoSafeCommand`] where there is nothing to build it on.
    pub fn rehearse_stop(
        &self,
        index: usize,
        now: SteadyTime,
        send: &mut dyn FnMut(SafeOutput<'_>),
    ) -> Result<bool, Flaw> {
        let sends = |lane: &&Lane| lane.is_gated() && lane.rules.safe != SafeCommand::Silent;
        let Some(lane) = self.lanes.get(index).filter(sends) else { return Ok(false) };
        let fresh = self.is_fresh(index, now);
        let mut copy = lane.clone();
        let entered = copy.enter_stop(LaneState::Safe, fresh, now);
        let Some(safe) = copy.take_safe(now).filter(|_| entered) else {
            return Err(Flaw::NoSafeCommand { lane: index });
        };
        send(safe);
        Ok(true)
    }

    /// The first step of the reset of the test's own trip, which had this `seq`; the second is
    /// [`Gate::conclude_release`].
    ///
    /// # Errors
    /// [`Refused`] as for any reset; `seq` has moved where a real stop came.
    pub fn begin_test_reset(&mut self, seq: u64, now: Moment) -> Result<(), Refused> {
        let unmet = self.reset_blocked(now.steady);
        let begun = if self.testing {
            self.machine.begin(Release::Reset, seq, unmet)
        } else {
            Err(Refused::SeqMoved)
        };
        begun.inspect_err(|refused| self.notices.push(Notice::ResetRefused(*refused)))
    }
}
