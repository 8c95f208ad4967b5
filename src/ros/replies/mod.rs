//! Thread `replies`: answers the kill service, because an answer may block and a stop must not.
//!
//! An answer waits until the kill is on disk, at most [`DISK_LIMIT`], and says which of both it was.
//!
//! On Fast DDS a reply waits up to 100 ms for a client whose reply reader does not match. Five such
//! clients would delay the next kill by half a second if the gate thread answered itself, and its
//! answer if one thread answered all. So the thread only keeps the order ([`turns`]); a few workers
//! send.

mod turns;
mod workers;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use r2r::std_srvs::srv::Trigger;

use self::turns::{CAPACITY, Turns};
use self::workers::{Job, Workers};
use super::rcl::{AlreadyBound, RequestId, Responder, WakeSet, Waker};
use crate::clock;
use crate::gate::units::SteadyTime;
use crate::latch::Progress;
use crate::telemetry::notes::Notes;
use crate::telemetry::slots::{Slots, ThreadName};
use crate::telemetry::texts::NOT_PERSISTED;
use crate::telemetry::watched::WatchedLanes;

/// The longest an answer waits for the disk: whoever stops a robot wants to know that it was heard.
const DISK_LIMIT: Duration = Duration::from_millis(200);

/// Threads that send. Clients that cannot be answered occupy one, and each of them another one once,
/// before that is known.
const WORKERS: usize = 4;

/// The code of an answer that had to be dropped; no code of rcl's.
const DROPPED: i32 = 0;

/// One answer to a kill.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// Which request.
    pub id: RequestId,
    /// `seq` of the kill.
    pub seq: u64,
    /// The number of the record that has it.
    pub number: u64,
    /// When the kill was served.
    pub at: SteadyTime,
}

/// Where the gate thread leaves answers.
#[derive(Clone, Debug)]
pub struct ReplySender {
    queue: Sender<Reply>,
    waker: Waker,
}

impl ReplySender {
    /// Leaves an answer; never blocks. Returns false when there is no place for it.
    #[must_use]
    pub fn send(&self, reply: Reply) -> bool {
        let sent = self.queue.try_send(reply).is_ok();
        self.waker.wake();
        sent
    }
}

/// The thread.
#[derive(Debug)]
pub struct Replies {
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// The thread could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread to be had.
    #[error("thread `replies` cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A programming error: the wake set is the thread's own.
    #[error(transparent)]
    Bound(#[from] AlreadyBound),
    /// A programming error: the wake set has one bit.
    #[error("the wake set has no bit")]
    NoBit,
}

impl Replies {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        responder: Responder<Trigger::Service>,
        watched: WatchedLanes,
        progress: Option<Arc<Progress>>,
        notes: Arc<Notes>,
        slots: Arc<Slots>,
        failed: impl Fn(i32) + Send + 'static,
    ) -> Result<(ReplySender, Self), StartError> {
        let wake = WakeSet::new(1);
        let waker = wake.waker(0).ok_or(StartError::NoBit)?;
        let (queue, receiver) = bounded(CAPACITY);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let set = wake.clone();
        let workers = Workers::start(WORKERS, responder, &waker)?;
        let thread = std::thread::Builder::new().name("replies".to_owned()).spawn(move || {
            slots.threads.at(ThreadName::Replies).enter();
            let disk = Disk { progress, notes };
            run(&workers, (&disk, &watched), &receiver, &set, &stopped, &failed);
        })?;
        wake.bind(thread.thread().clone())?;
        waker.wake();
        let sender = ReplySender { queue, waker: waker.clone() };
        Ok((sender, Self { stop, waker, thread: Some(thread) }))
    }
}

impl Replies {
    /// Wakes the thread: a record has been written.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `run`, so answers left before are still sent.
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

/// What became of a kill's record, in words.
struct Disk {
    progress: Option<Arc<Progress>>,
    notes: Arc<Notes>,
}

impl Disk {
    /// `None`: to be waited for.
    fn says(&self, reply: &Reply, now: SteadyTime) -> Option<String> {
        let Some(progress) = &self.progress else { return Some(NOT_PERSISTED.to_owned()) };
        if progress.is_durable(reply.number) {
            return Some("on disk: a restart comes up killed".to_owned());
        }
        if progress.has_failed(reply.number) {
            let why = self.notes.latch();
            return Some(format!("NOT on disk, so a restart may forget it: {why}"));
        }
        (now.since(reply.at) >= DISK_LIMIT)
            .then(|| "not on disk yet: until it is, a restart may forget it".to_owned())
    }
}

fn run(
    workers: &Workers,
    (disk, watched): (&Disk, &WatchedLanes),
    receiver: &Receiver<Reply>,
    wake: &WakeSet,
    stop: &AtomicBool,
    failed: &dyn Fn(i32),
) {
    let dropped = |count: usize| (0..count).for_each(|_| failed(DROPPED));
    // Kills whose record is not on disk yet, in the order of the kills, which is that of their
    // records and of their limits.
    let mut unsettled: VecDeque<Reply> = VecDeque::new();
    let mut turns: Turns<Job> = Turns::new(WORKERS);
    loop {
        let last = stop.load(Ordering::Acquire);
        let _bits = wake.take_bits(0);
        while let Some(outcome) = workers.outcome() {
            if let Some(code) = outcome.failed {
                failed(code);
            }
            dropped(turns.done(outcome.worker, outcome.failed.is_none()));
        }
        // Polled, never waited for in `recv`: crossbeam's `try_send` takes a lock when somebody
        // sleeps there.
        while unsettled.len() < CAPACITY
            && let Ok(reply) = receiver.try_recv()
        {
            unsettled.push_back(reply);
        }
        while let Some(reply) = unsettled.front()
            && let Some(persisted) = disk.says(reply, clock::steady())
        {
            let message = watched.killed(reply.seq, &persisted);
            let job = Job { id: reply.id, success: !watched.is_all(), message };
            dropped(usize::from(!turns.add(reply.id.client(), job)));
            unsettled.pop_front();
        }
        if last {
            dropped(turns.give_up());
        }
        while let Some((worker, job)) = turns.next() {
            workers.send(worker, job);
        }
        match unsettled.front() {
            None if last && turns.is_idle() => return,
            None => std::thread::park(),
            // Woken by the next kill, by every write and by every answer that is sent.
            Some(reply) => {
                let left = DISK_LIMIT.saturating_sub(clock::steady().since(reply.at));
                std::thread::park_timeout(left);
            }
        }
    }
}
