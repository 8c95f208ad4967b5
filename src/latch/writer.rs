//! Thread `latch`: takes the newest record, writes it, tells how far it is.
//!
//! It also gives names: what the gate knows by index, and who asked, becomes text here. Trips of
//! earlier runs keep the text they were written with, also where the configuration has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::boot;
use super::file::{Failure, Store};
use super::post::{FIRST, Post, Posted, Progress};
use super::record::{BootId, Contents, Found, StoredTrip, VERSION};
use crate::attribution::Attribution;
use crate::gate::cause::Cause;
use crate::gate::history::{KEPT_TRIPS, Start};
use crate::gate::machine::{Machine, Trip};
use crate::gate::state::State;
use crate::gate::units::{Moment, SteadyTime, WallTime};
use crate::telemetry::slots::{Slots, ThreadName};

/// Between two looks at the file, and at names that have come since.
const CHECK: Duration = Duration::from_millis(500);

/// A trip's subject and detail, in words.
pub type Describe = Box<dyn Fn(&Trip) -> (String, String) + Send>;

/// A kill that nobody has taken, and when it was found.
pub type Late = Box<dyn Fn() -> Option<(Cause, WallTime)> + Send>;

/// What the thread needs.
pub struct Parts {
    /// The file.
    pub store: Store,
    /// What was in it.
    pub found: Found,
    /// This boot of the machine.
    pub boot_id: BootId,
    /// A trip's subject and detail, in words.
    pub describe: Describe,
    /// Who asked.
    pub attribution: Arc<Attribution>,
    /// Telemetry.
    pub slots: Arc<Slots>,
    /// The steady clock.
    pub steady: fn() -> SteadyTime,
    /// Told when it becomes impossible to write, with the reason, and when it is possible again.
    pub told: Box<dyn Fn(Option<String>) + Send>,
    /// A kill that came after the gate thread had ended; asked once, right before the last write.
    pub late: Late,
}

/// The thread.
#[derive(Debug)]
pub struct Latch {
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Latch {
    /// Writes the first record of this run, before anybody can read its `seq`, and starts the thread.
    /// `wake` is called after each write: whoever waits for a number looks again.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn start(
        parts: Parts,
        start: Start,
        now: Moment,
        wake: Box<dyn Fn() + Send>,
    ) -> std::io::Result<(Post, Self)> {
        let machine = Machine::at_boot(start, now);
        let begun = Posted::of(&machine, false, FIRST);
        let mut writer = Writer::new(parts);
        writer.write(&begun);
        let progress = Progress::new(&begun, writer.trouble.is_none());
        let (post, mailbox) = Post::new(begun, progress.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, told) = (stop.clone(), progress.clone());
        let thread = std::thread::Builder::new()
            .name(ThreadName::Latch.label().to_owned())
            .spawn(move || writer.run(mailbox, &told, &stopped, &*wake))?;
        // Bound once, here.
        progress.bind(thread.thread().clone()).ok();
        Ok((post, Self { stop, progress, thread: Some(thread) }))
    }

    /// Writes what is posted, marks the end as clean, and ends the thread. To be called after the gate
    /// thread has ended.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Release: pairs with the Acquire in `run`: what was posted before is written first.
        self.stop.store(true, Ordering::Release);
        self.progress.wake_writer();
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

/// The thread's own.
struct Writer {
    parts: Parts,
    /// The trips to be kept, oldest first, as they are written.
    trips: Vec<StoredTrip>,
    /// Which boot the records name.
    boot_id: BootId,
    /// Why the last write failed.
    trouble: Option<String>,
}

impl Writer {
    fn new(parts: Parts) -> Self {
        let trips = boot::contents(&parts.found).map(|contents| contents.trips.clone());
        let boot_id = boot::named_boot(&parts.found, parts.boot_id);
        Self { parts, trips: trips.unwrap_or_default(), boot_id, trouble: None }
    }

    fn run(
        mut self,
        mut mailbox: triple_buffer::Output<Posted>,
        progress: &Progress,
        stop: &AtomicBool,
        wake: &dyn Fn(),
    ) {
        self.parts.slots.threads.at(ThreadName::Latch).enter();
        let mut pending = self.trouble.is_some();
        let mut checked = (self.parts.steady)();
        loop {
            // Acquire: read before the mailbox, so that nothing posted before the stop is missed.
            let last = stop.load(Ordering::Acquire);
            let is_new = mailbox.update();
            let posted = *mailbox.output_buffer_mut();
            let now = (self.parts.steady)();
            let due = now.since(checked) >= CHECK;
            if is_new || due && (pending || self.has_new_names()) {
                progress.begin(&posted);
                pending = !self.write(&posted);
                progress.tell(&posted, !pending);
                wake();
                checked = (self.parts.steady)();
            } else if due {
                checked = now;
                let looked = self.parts.store.check();
                // What was lost is written again at once, if it can be.
                pending = looked.is_err();
                if self.tell(looked) {
                    progress.set_writable(!pending);
                    wake();
                }
            }
            if last {
                let posted = (self.parts.late)().map_or(posted, |late| posted.killed(late));
                self.write_as(&posted, posted.latched.state != State::Active);
                return;
            }
            std::thread::park_timeout(CHECK);
        }
    }

    /// Whether somebody's name has come for a trip that is kept without one.
    fn has_new_names(&self) -> bool {
        let nameless = self.trips.iter().filter(|trip| trip.operator.is_empty());
        let mut found = nameless.filter_map(|trip| self.parts.attribution.of(trip.seq));
        found.any(|who| !who.operator.is_empty())
    }

    fn write(&mut self, posted: &Posted) -> bool {
        self.write_as(posted, false)
    }

    /// Writes a record. Returns whether it is on disk.
    fn write_as(&mut self, posted: &Posted, clean: bool) -> bool {
        self.name(posted);
        let contents = Contents {
            version: VERSION,
            counter: 0,
            state: posted.latched.state,
            clean,
            // A reset that is withdrawn takes nothing back: the kill still names the boot it was in.
            boot_id: match posted.latched.state {
                State::Killed => self.boot_id,
                State::Disarmed | State::Active => self.parts.boot_id,
            },
            seq: posted.latched.seq,
            first: posted.first.map_or(0, |trip| trip.seq),
            trips: self.trips.clone(),
        };
        let before = (self.parts.steady)();
        let written = self.parts.store.write(contents);
        let is_written = written.is_ok();
        if is_written {
            let took = (self.parts.steady)().since(before);
            self.parts.slots.node.latch_write.observe(took);
        }
        self.tell(written);
        is_written
    }

    /// Gives words to trips that have none yet, and names to those that got one.
    fn name(&mut self, posted: &Posted) {
        // What latched may be older than the newest that are handed over, all of which came at once.
        for trip in posted.first.iter().chain(posted.trips.iter()) {
            if !self.trips.iter().any(|known| known.seq == trip.seq) {
                if trip.cause == Cause::SelfTest {
                    // As in the gate's own list: one self test makes place for the next.
                    self.trips.retain(|known| known.cause != Cause::SelfTest.label());
                }
                let (subject, detail) = (self.parts.describe)(trip);
                self.trips.push(StoredTrip {
                    seq: trip.seq,
                    stamp_unix_ns: trip.stamp.as_nanos(),
                    found: trip.found,
                    bound: trip.bound,
                    cause: trip.cause.label().to_owned(),
                    subject,
                    detail,
                    operator: String::new(),
                    reason: String::new(),
                });
            }
        }
        for trip in self.trips.iter_mut().filter(|trip| trip.operator.is_empty()) {
            if let Some(who) = self.parts.attribution.of(trip.seq) {
                trip.operator = who.operator;
                trip.reason = who.reason;
            }
        }
        // In their order: one that had made place for the trip that latched comes again with each write.
        self.trips.sort_by_key(|trip| trip.seq);
        // As many as the file keeps; its own rule keeps the one that latched.
        let first = posted.first.map(|trip| trip.seq);
        while self.trips.len() > KEPT_TRIPS {
            let oldest = self.trips.iter().position(|trip| Some(trip.seq) != first).unwrap_or(0);
            self.trips.remove(oldest);
        }
    }

    /// Tells a change between writable and not. Returns whether there was one.
    fn tell(&mut self, result: Result<(), Failure>) -> bool {
        let trouble = result.err().map(|failure| failure.to_string());
        let changed = trouble != self.trouble;
        if changed {
            (self.parts.told)(trouble.clone());
        }
        self.trouble = trouble;
        changed
    }
}

#[cfg(test)]
mod tests;
