//! Events: what happened, as fixed-size values, from any thread to the log.
//!
//! The gate thread posts and goes on; thread `events` polls, formats and writes. So a slow disk or
//! a flood of refusals costs the gate nothing but a place in a queue, and what finds none is
//! counted and told.
//!
//! **Invariant:** posting never blocks, allocates or makes a system call. The receiver polls and
//! never sleeps in `recv`: crossbeam's `try_send` takes a lock when somebody does.

mod line;
mod repeats;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

pub(crate) use self::line::{refusal_text, subject_text};
use self::repeats::Repeats;
pub use self::text::ShortText;
use super::history::History;
use super::slots::{EventKind, Slots, ThreadName};
use crate::gate::closed_list::closed_list;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;
use crate::gate::self_test::{PartResult, SelfTestRefusal};
use crate::gate::state::State;
use crate::gate::units::{Moment, SteadyTime};

/// Places in the queue: a tenth of a second of the worst flood that was measured (10 kHz), and more.
const CAPACITY: usize = 2048;
/// Time between two looks at the queue.
const POLL: Duration = Duration::from_millis(20);
/// At most one line in this time about dropped events.
const DROPPED_LINE_EVERY: Duration = Duration::from_secs(1);

closed_list! {
    /// The verbs, and the pin of a source.
    Verb {
        /// Latch.
        Kill = "kill",
        /// Killed to disarmed.
        Reset = "reset",
        /// Disarmed to active.
        Arm = "arm",
        /// Active to disarmed.
        Disarm = "disarm",
        /// Pin a source, or unpin.
        SelectSource = "select_source",
        /// Trip by each kill input, and reset.
        SelfTest = "self_test",
    }
}

closed_list! {
    /// Calls of the middleware that can fail.
    Call {
        /// Sending a command or a message of our own.
        Publish = "publish",
        /// Taking a message or a request.
        Take = "take",
        /// Answering a request.
        Reply = "reply",
    }
}

closed_list! {
    /// What becomes of a robot description.
    DescriptionIs {
        /// Its limits are in force.
        Used = "used",
        /// It came while active and waits for the next disarm.
        Waiting = "waiting",
        /// It does not fit the params file and changes nothing.
        Refused = "refused",
    }
}

closed_list! {
    /// Why a request did not come as far as the gate.
    RequestRefusal {
        /// Who asks may not.
        NotAuthorised = "not_authorised",
        /// Too many attempts.
        RateLimited = "rate_limited",
        /// Too many requests wait.
        Busy = "busy",
        /// Who asked had gone.
        Withdrawn = "withdrawn",
        /// The node is shutting down.
        Ended = "ended",
    }
}

/// One event. Fixed size, no heap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// The node runs.
    Started,
    /// The configuration in force; its words are in [`Slots::identity`].
    Configured,
    /// Something the gate tells.
    Gate(Notice),
    /// Somebody used a verb; what came of it is another event.
    Requested {
        /// Which.
        verb: Verb,
        /// The `seq` the caller named; kill and disarm name none.
        seq: Option<u64>,
        /// Who, where known.
        operator: ShortText,
        /// Why, where told.
        reason: ShortText,
    },
    /// A request was refused before the gate was asked.
    RequestRefused {
        /// Which.
        verb: Verb,
        /// Who, where known.
        operator: ShortText,
        /// Why.
        why: RequestRefusal,
    },
    /// Gaps in a publisher's sequence numbers.
    Lost {
        /// The lane.
        lane: usize,
        /// The source.
        source: usize,
        /// How many.
        count: u64,
    },
    /// A decision found no empty record; its command is counted all the same.
    DecisionLost {
        /// The lane.
        lane: usize,
        /// The source.
        source: usize,
    },
    /// A robot description came.
    Description(DescriptionIs),
    /// Whether thread `control` looks at the graph.
    Audits {
        /// No more, or again.
        stopped: bool,
    },
    /// Whether thread `monitor` looks at heat, charge and topics.
    Monitor {
        /// No more, or again.
        stopped: bool,
    },
    /// What came of one part of a self test.
    SelfTested(PartResult),
    /// A self test was refused.
    SelfTestRefused(SelfTestRefusal),
    /// The middleware refused a call.
    MiddlewareFailed {
        /// Which call.
        call: Call,
        /// About what.
        subject: Subject,
        /// Its return code.
        code: i32,
    },
    /// The node is shutting down.
    Stopping,
}

impl What {
    /// The label in metrics and in the log.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Started => EventKind::Started,
            Self::Configured => EventKind::Configured,
            Self::Gate(notice) => notice_kind(notice),
            Self::Requested { .. } => EventKind::Requested,
            Self::RequestRefused { .. } => EventKind::RequestRefused,
            Self::Lost { .. } => EventKind::Lost,
            Self::DecisionLost { .. } => EventKind::DecisionLost,
            Self::Description(_) => EventKind::RobotDescription,
            Self::Audits { .. } => EventKind::GraphAudit,
            Self::Monitor { .. } => EventKind::Monitor,
            Self::SelfTested(_) => EventKind::SelfTest,
            Self::SelfTestRefused(_) => EventKind::SelfTestRefused,
            Self::MiddlewareFailed { .. } => EventKind::MiddlewareFailed,
            Self::Stopping => EventKind::Stopping,
        }
    }
}

const fn notice_kind(notice: &Notice) -> EventKind {
    match notice {
        Notice::State { to: State::Killed, .. } => EventKind::Killed,
        Notice::State { to: State::Active, .. } => EventKind::Armed,
        Notice::State { from: State::Killed, to: State::Disarmed, .. } => EventKind::Reset,
        Notice::State { to: State::Disarmed, .. } => EventKind::Disarmed,
        Notice::Trip(_) => EventKind::Tripped,
        Notice::ResetRefused(_) => EventKind::ResetRefused,
        Notice::ArmRefused(_) => EventKind::ArmRefused,
        Notice::DisarmRefused(_) => EventKind::DisarmRefused,
        Notice::Lane { .. } => EventKind::LaneChanged,
        Notice::Owner { .. } => EventKind::OwnerChanged,
        Notice::Rejected { .. } => EventKind::Rejected,
        Notice::Stalled { .. } => EventKind::GateStalled,
        Notice::Motion { .. } => EventKind::Motion,
        Notice::NoSafeCommand { .. } => EventKind::NoSafeCommand,
        Notice::Cause { .. } => EventKind::CauseChanged,
    }
}

/// Where events are posted. Cheap to clone, one for each thread that posts.
#[derive(Clone, Debug)]
pub struct EventSender {
    queue: Sender<Event>,
    slots: Arc<Slots>,
}

impl EventSender {
    /// Posts an event: counted by kind, and by `events_dropped` where the queue is full.
    pub fn post(&self, event: Event) {
        self.slots.events.at(event.what.kind()).increment();
        if self.queue.try_send(event).is_err() {
            self.slots.events_dropped.increment();
        }
    }
}

/// Thread `events`: from the queue to the log.
#[derive(Debug)]
pub struct EventLog {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EventLog {
    /// Starts the thread. `steady` reads the steady clock; `history` keeps what people ask for later.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn start(
        slots: Arc<Slots>,
        history: Arc<History>,
        steady: fn() -> SteadyTime,
    ) -> std::io::Result<(EventSender, Self)> {
        let (sender, receiver) = queue(Arc::clone(&slots));
        let stop = Arc::new(AtomicBool::new(false));
        let stop_seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(String::from(ThreadName::Events.label()))
            .spawn(move || {
                slots.threads.at(ThreadName::Events).enter();
                run(&receiver, (&slots, &history), steady, &stop_seen);
            })?;
        Ok((sender, Self { stop, thread: Some(thread) }))
    }

    /// Writes what is in the queue and ends the thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Release: pairs with the Acquire in `run`; events posted before the stop are seen by the
        // last look at the queue. Weakened, the last lines of a run could be missing.
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.end();
    }
}

fn queue(slots: Arc<Slots>) -> (EventSender, Receiver<Event>) {
    let (queue, receiver) = bounded(CAPACITY);
    (EventSender { queue, slots }, receiver)
}

fn run(
    receiver: &Receiver<Event>,
    (slots, history): (&Slots, &History),
    steady: fn() -> SteadyTime,
    stop: &AtomicBool,
) {
    let mut log = Log::new(steady());
    loop {
        // Acquire: pairs with the Release in `end`. Read before the queue is emptied, so nothing
        // that was posted before the stop is left in it.
        let last = stop.load(Ordering::Acquire);
        while let Ok(event) = receiver.try_recv() {
            history.take(&event, slots);
            log.take(&event, slots);
        }
        log.tick(steady(), slots);
        if last {
            log.finish(slots);
            return;
        }
        std::thread::sleep(POLL);
    }
}

/// What the thread remembers between two looks.
struct Log {
    repeats: Repeats,
    dropped_told: u64,
    dropped_line_at: SteadyTime,
}

impl Log {
    fn new(now: SteadyTime) -> Self {
        Self { repeats: Repeats::default(), dropped_told: 0, dropped_line_at: now }
    }

    fn take(&mut self, event: &Event, slots: &Slots) {
        if let What::Gate(Notice::Rejected { lane, source, refusal }) = event.what {
            let first = self.repeats.add(lane, source, refusal, event.at.steady);
            if let Some(rejections) = first {
                line::rejections(&rejections, slots);
            }
            return;
        }
        line::write(event, slots);
    }

    fn tick(&mut self, now: SteadyTime, slots: &Slots) {
        self.repeats.due(now, |rejections| line::rejections(&rejections, slots));
        if now.since(self.dropped_line_at) >= DROPPED_LINE_EVERY {
            self.dropped(slots);
            self.dropped_line_at = now;
        }
    }

    fn dropped(&mut self, slots: &Slots) {
        let dropped = slots.events_dropped.get();
        let new = dropped.saturating_sub(self.dropped_told);
        if new > 0 {
            line::dropped(new);
            self.dropped_told = dropped;
        }
    }

    fn finish(&mut self, slots: &Slots) {
        self.repeats.all(|rejections| line::rejections(&rejections, slots));
        self.dropped(slots);
    }
}

#[cfg(test)]
mod tests;
