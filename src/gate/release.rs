//! Reset and arm in two steps: checked, then on disk, then checked again and done.
//!
//! ```text
//! begin: checks ──► record() says what comes true ──► (written by others) ──► conclude: checks ──► done
//! ```
//!
//! Between the two steps the state is what it was. A stop in between wins: a kill moves `seq`, a
//! disarm or a shutdown withdraws an arm; `record()` then says again what is true, so that the last
//! thing on disk is never better than the truth for longer than one write.
//!
//! **Invariant:** only [`Machine::conclude`] leads to `active` or out of `killed`, and it checks
//! everything anew.

use super::core::Gate;
use super::lane_state::LaneState;
use super::machine::{Machine, Outcome};
use super::notice::Notice;
use super::state::{Check, Event, Refused, State};
use super::units::Moment;

/// A verb that lets something begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Killed to disarmed.
    Reset,
    /// Disarmed to active, with a profile by its index.
    Arm {
        /// The profile.
        profile: usize,
    },
}

impl Release {
    /// The state that it leads to.
    const fn to(self) -> State {
        match self {
            Self::Reset => State::Disarmed,
            Self::Arm { .. } => State::Active,
        }
    }

    const fn event(self, check: Check) -> Event {
        match self {
            Self::Reset => Event::Reset(check),
            Self::Arm { .. } => Event::Arm(check),
        }
    }
}

/// A reset or an arm that waits for its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    release: Release,
    /// What its caller saw.
    seq: u64,
    withdrawn: bool,
}

/// What belongs on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Latched {
    /// The state.
    pub state: State,
    /// The number that belongs to it.
    pub seq: u64,
}

impl Machine {
    /// The first step, for a caller who saw `seq`. Changes nothing but what [`Self::record`] says.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; busy while another one waits.
    pub fn begin(&mut self, release: Release, seq: u64, any_unmet: bool) -> Result<(), Refused> {
        if self.pending.is_some() {
            return Err(Refused::Busy);
        }
        self.state().next(release.event(self.check(seq, any_unmet)))?;
        self.pending = Some(Pending { release, seq, withdrawn: false });
        Ok(())
    }

    /// The second step, once the record is on disk or cannot be (`any_unmet` then).
    ///
    /// # Errors
    /// [`Refused`] as in the state table; withdrawn where a disarm came first, or nothing was begun.
    pub fn conclude(&mut self, any_unmet: bool, now: Moment) -> Result<Outcome, Refused> {
        let Some(pending) = self.pending.take().filter(|pending| !pending.withdrawn) else {
            return Err(Refused::Withdrawn);
        };
        self.verb(pending.release.event(self.check(pending.seq, any_unmet)), now)
    }

    /// Both steps of a reset at once, where nothing is kept on disk.
    ///
    /// # Errors
    /// [`Refused`] as in the state table.
    pub fn reset(&mut self, seq: u64, any_unmet: bool, now: Moment) -> Result<Outcome, Refused> {
        self.begin(Release::Reset, seq, any_unmet)?;
        self.conclude(any_unmet, now)
    }

    /// Both steps of an arm at once.
    ///
    /// # Errors
    /// [`Refused`] as in the state table.
    pub fn arm(&mut self, seq: u64, any_unmet: bool, now: Moment) -> Result<Outcome, Refused> {
        self.begin(Release::Arm { profile: 0 }, seq, any_unmet)?;
        self.conclude(any_unmet, now)
    }

    /// Takes an arm back that waits for its record. Returns whether there was one.
    pub(super) fn withdraw(&mut self) -> bool {
        let Some(pending) = self.pending.as_mut() else { return false };
        let is_arm = matches!(pending.release, Release::Arm { .. });
        pending.withdrawn |= is_arm;
        is_arm
    }

    /// Takes back whatever waits for its record: nobody waits for it any more.
    pub(super) const fn abandon(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.withdrawn = true;
        }
    }

    /// What belongs on disk now: the truth, or what a begun reset or arm is about to make true.
    #[must_use]
    pub fn record(&self) -> Latched {
        match self.pending {
            Some(pending) if self.is_releasing() => {
                Latched { state: pending.release.to(), seq: self.seq().saturating_add(1) }
            }
            Some(_) | None => Latched { state: self.state(), seq: self.seq() },
        }
    }

    /// The same, where a lane may still be on its way to zero: until it is there, whoever finds this
    /// record finds an end in motion.
    #[must_use]
    pub fn record_while(&self, is_slowing: bool) -> Latched {
        let Latched { state, seq } = self.record();
        match state {
            State::Disarmed if is_slowing => Latched { state: State::Active, seq },
            State::Disarmed | State::Active | State::Killed => Latched { state, seq },
        }
    }

    /// Whether a reset or an arm waits for its record, and nothing has defeated it so far.
    #[must_use]
    pub fn is_releasing(&self) -> bool {
        self.pending.is_some_and(|pending| !pending.withdrawn && pending.seq == self.seq())
    }

    const fn check(&self, seq: u64, any_unmet: bool) -> Check {
        if seq != self.seq() {
            Check::SeqMoved
        } else if any_unmet {
            Check::Unmet
        } else {
            Check::Ready
        }
    }
}

impl Gate {
    /// The first step of a reset. Moves nothing, permits nothing.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; unmet while a kill input asserts or the latch file cannot
    /// be written; busy during a self test, which resets itself.
    pub fn begin_reset(&mut self, seq: u64, now: Moment) -> Result<(), Refused> {
        let unmet = self.reset_blocked(now.steady);
        let begun = if self.testing {
            Err(Refused::Busy)
        } else {
            self.machine.begin(Release::Reset, seq, unmet)
        };
        begun.inspect_err(|refused| self.notices.push(Notice::ResetRefused(*refused)))
    }

    /// The first step of an arm, with a profile by its index.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; unmet while any condition is; unknown profile; busy during
    /// a self test.
    pub fn begin_arm(&mut self, seq: u64, profile: usize, now: Moment) -> Result<(), Refused> {
        let disarmed = self.machine.state() == State::Disarmed;
        let result = if self.testing {
            Err(Refused::Busy)
        } else if disarmed && self.rules.profiles.get(profile).is_none() {
            Err(Refused::UnknownProfile)
        } else {
            let unmet = self.arm_blocked_with(profile, now);
            self.machine.begin(Release::Arm { profile }, seq, unmet)
        };
        result.inspect_err(|refused| self.notices.push(Notice::ArmRefused(*refused)))
    }

    /// The second step of whatever was begun: everything is checked again. The caller has drained
    /// every command queue first, and has told by [`Gate::set_latch_writable`] if the write failed.
    ///
    /// # Errors
    /// [`Refused`] as in the state table; withdrawn where a disarm came first or its caller has gone.
    pub fn conclude_release(&mut self, now: Moment) -> Result<(), Refused> {
        match self.machine.pending.map(|pending| pending.release) {
            None => Err(Refused::Withdrawn),
            Some(Release::Reset) => {
                let unmet = self.reset_blocked(now.steady);
                let outcome = self.machine.conclude(unmet, now).inspect_err(|refused| {
                    self.notices.push(Notice::ResetRefused(*refused));
                })?;
                self.tell(outcome);
                self.stop_all(outcome, now.steady);
                Ok(())
            }
            Some(Release::Arm { profile }) => {
                let unmet = self.arm_blocked_with(profile, now);
                let outcome = self.machine.conclude(unmet, now).inspect_err(|refused| {
                    self.notices.push(Notice::ArmRefused(*refused));
                })?;
                self.profile = Some(profile);
                self.tell(outcome);
                self.start_lanes(now);
                Ok(())
            }
        }
    }

    /// Whoever asked for the reset or arm that waits for its record has gone: it does not come true.
    pub const fn abandon_release(&mut self) {
        self.machine.abandon();
    }

    /// Both steps of a reset at once, where nothing is kept on disk.
    ///
    /// # Errors
    /// As [`Self::begin_reset`].
    pub fn reset(&mut self, seq: u64, now: Moment) -> Result<(), Refused> {
        self.begin_reset(seq, now)?;
        self.conclude_release(now)
    }

    /// Both steps of an arm at once. The caller has drained every command queue first.
    ///
    /// # Errors
    /// As [`Self::begin_arm`].
    pub fn arm(&mut self, seq: u64, profile: usize, now: Moment) -> Result<(), Refused> {
        self.begin_arm(seq, profile, now)?;
        self.conclude_release(now)
    }

    /// The profile's own actions decide which causes prevent it.
    fn arm_blocked_with(&mut self, profile: usize, now: Moment) -> bool {
        if self.machine.state() != State::Disarmed {
            return true;
        }
        let before = self.profile.replace(profile);
        let blocked = self.arm_blocked(now.steady);
        self.profile = before;
        blocked
    }

    fn start_lanes(&mut self, now: Moment) {
        self.taken = true;
        for index in 0..self.lanes.len() {
            let fresh = self.is_fresh(index, now.steady);
            let Some(lane) = self.lanes.get_mut(index).filter(|lane| lane.is_gated()) else {
                continue;
            };
            let from = lane.state;
            if lane.start(fresh, now.steady) {
                self.notices.push(Notice::Lane { lane: index, from, to: LaneState::Waiting });
            } else {
                self.notices.push(Notice::NoSafeCommand { lane: index });
            }
        }
    }
}
