//! The way from the gate thread to thread `latch`, and back.
//!
//! One mailbox with the newest record: what is not written yet when a newer one comes is not written
//! at all, because the newer one holds everything that it held. Each record has a number; what is
//! told back is the highest number that is on disk, and the highest that could not be written.
//!
//! **Invariant:** posting takes no lock, allocates nothing and makes no system call but the wake-up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use crate::gate::cause::Cause;
use crate::gate::history::Trips;
use crate::gate::machine::{Machine, Subject, Trip};
use crate::gate::release::Latched;
use crate::gate::state::State;
use crate::gate::units::WallTime;

/// The number of a run's first record, which is written before the gate thread runs.
pub(super) const FIRST: u64 = 1;

/// What the gate thread posts. Fixed size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posted {
    /// Counts what was posted in this run.
    pub number: u64,
    /// State and `seq`.
    pub latched: Latched,
    /// Why it is killed.
    pub first: Option<Trip>,
    /// The newest trips of this run.
    pub trips: Trips,
}

impl Posted {
    /// What belongs on disk for this machine; `is_slowing`: a lane is still on its way to zero.
    #[must_use]
    pub fn of(machine: &Machine, is_slowing: bool, number: u64) -> Self {
        let latched = machine.record_while(is_slowing);
        let killed = latched.state == State::Killed;
        let first = machine.first_trip().copied().filter(|_| killed);
        Self { number, latched, first, trips: *machine.trips() }
    }

    /// The same after a kill that the gate thread did not live to see. An end in motion stays one: the
    /// next start comes up killed either way, and is to know of the motion.
    #[must_use]
    pub(super) fn killed(mut self, (cause, stamp): (Cause, WallTime)) -> Self {
        let was_active = self.latched.state == State::Active;
        let seq = self.latched.seq.saturating_add(1);
        let state = if was_active { State::Active } else { State::Killed };
        self.latched = Latched { state, seq };
        let (subject, found, bound) = (Subject::Node, f64::NAN, f64::NAN);
        let trip = Trip { seq, stamp, cause, subject, found, bound };
        if !was_active {
            self.first.get_or_insert(trip);
        }
        self.trips.push(trip);
        self
    }
}

/// How far the writing is. Written by thread `latch`, read by anybody.
#[derive(Debug)]
pub struct Progress {
    durable: AtomicU64,
    failed: AtomicU64,
    /// `seq` of the record on disk where it says killed; 0: it does not.
    killed_seq: AtomicU64,
    writable: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Progress {
    pub(super) fn new(begun: &Posted, first_is_written: bool) -> Arc<Self> {
        let (durable, failed) = if first_is_written { (FIRST, 0) } else { (0, FIRST) };
        Arc::new(Self {
            durable: AtomicU64::new(durable),
            failed: AtomicU64::new(failed),
            killed_seq: AtomicU64::new(if first_is_written { killed_seq(begun) } else { 0 }),
            writable: AtomicBool::new(first_is_written),
            writer: OnceLock::new(),
        })
    }

    /// Whether the record of this number, or a newer one, is on disk.
    ///
    /// # Ordering
    /// Acquire: pairs with the Release in [`Self::tell`], so whoever sees the number may rely on the
    /// disk. Weakened, an arm could take effect before its mark is there.
    #[must_use]
    pub fn is_durable(&self, number: u64) -> bool {
        self.durable.load(Ordering::Acquire) >= number
    }

    /// Whether the record of this number could not be written. It may be written later.
    ///
    /// # Ordering
    /// Acquire, as [`Self::is_durable`].
    #[must_use]
    pub fn has_failed(&self, number: u64) -> bool {
        self.failed.load(Ordering::Acquire) >= number && !self.is_durable(number)
    }

    /// Whether the record on disk says killed, of this `seq` or a later one. For whoever knows
    /// a kill by its `seq`, not by its record.
    ///
    /// # Ordering
    /// Acquire, as [`Self::is_durable`].
    #[must_use]
    pub fn is_kill_durable(&self, seq: u64) -> bool {
        self.killed_seq.load(Ordering::Acquire) >= seq
    }

    /// Whether the file could be written when it was last tried.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// A write begins. One that takes the kill off the disk may do so at any moment from here on, also
    /// where it is told as failed: nobody may be told any more that a restart comes up killed.
    pub(super) fn begin(&self, posted: &Posted) {
        if killed_seq(posted) == 0 {
            self.killed_seq.store(0, Ordering::Release);
        }
    }

    pub(super) fn tell(&self, posted: &Posted, written: bool) {
        let number = posted.number;
        self.writable.store(written, Ordering::Release);
        if written {
            // One writer. A newer record that does not say killed has taken the kill off the disk.
            self.killed_seq.store(killed_seq(posted), Ordering::Release);
        }
        let told = if written { &self.durable } else { &self.failed };
        told.store(number, Ordering::Release);
    }

    pub(super) fn set_writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::Release);
    }

    /// # Errors
    /// A programming error: there is one writer.
    pub(super) fn bind(&self, writer: Thread) -> Result<(), Thread> {
        self.writer.set(writer)
    }

    pub(super) fn wake_writer(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }
}

/// 0 where it does not say killed.
const fn killed_seq(posted: &Posted) -> u64 {
    match posted.latched.state {
        State::Killed => posted.latched.seq,
        State::Disarmed | State::Active => 0,
    }
}

/// The gate thread's side.
pub struct Post {
    mailbox: triple_buffer::Input<Posted>,
    progress: Arc<Progress>,
    posted: Posted,
}

impl Post {
    pub(super) fn new(
        begun: Posted,
        progress: Arc<Progress>,
    ) -> (Self, triple_buffer::Output<Posted>) {
        let (mailbox, output) = triple_buffer::TripleBuffer::new(&begun).split();
        (Self { mailbox, progress, posted: begun }, output)
    }

    /// Posts what belongs on disk, where it has changed; `is_slowing`: a lane is still on its way to
    /// zero. Returns the number that covers it.
    pub fn post(&mut self, machine: &Machine, is_slowing: bool) -> u64 {
        // Every trip moves `seq`, so state and `seq` tell whether there is anything new.
        if machine.record_while(is_slowing) != self.posted.latched {
            let number = self.posted.number.saturating_add(1);
            self.posted = Posted::of(machine, is_slowing, number);
            *self.mailbox.input_buffer_mut() = self.posted;
            self.mailbox.publish();
            self.progress.wake_writer();
        }
        self.posted.number
    }

    /// How far the writing is.
    #[must_use]
    pub const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::history::Start;
    use crate::gate::state::BootRecord;
    use crate::gate::units::Moment;

    /// A record as it is posted.
    fn posted(record: BootRecord, seq: u64, number: u64) -> Posted {
        Posted::of(&Machine::at_boot(Start::of(record, seq), Moment::default()), false, number)
    }

    #[test]
    fn hazard_01_reset_races_stop_a_reset_that_reached_the_disk_late_takes_the_kill_off_it() {
        let killed = |number| posted(BootRecord::Killed, 7, number);
        let progress = Progress::new(&killed(FIRST), true);
        assert!(progress.is_kill_durable(7));
        progress.begin(&killed(2));
        assert!(progress.is_kill_durable(7), "the same again takes nothing off it");
        // A reset is on its way: from now on the disk may say that it is disarmed.
        progress.begin(&posted(BootRecord::Clean, 8, 2));
        assert!(!progress.is_kill_durable(7));
        // Overdue, so it was refused and the kill posted again; then the disk took it.
        progress.tell(&posted(BootRecord::Clean, 8, 2), true);
        assert!(!progress.is_kill_durable(7), "a restart would come up disarmed");
        progress.tell(&killed(3), false);
        assert!(!progress.is_kill_durable(7));
        progress.tell(&killed(3), true);
        assert!(progress.is_kill_durable(7) && !progress.is_kill_durable(8));
    }
}
