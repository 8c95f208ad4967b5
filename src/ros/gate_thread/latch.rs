//! The latch on disk, from the gate thread's side: what to post, what has come back, and the one reset or
//! arm that waits for its record.
//!
//! **Invariants:** a stop is published before its record is posted; a reset or an arm takes effect only
//! once its record is on disk and everything was looked at again; the record says active until no lane is
//! on its way to zero any more; nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::oneshot;

use super::requests::{Answer, Denied, Verb};
use super::{Drain, GateThread};
use crate::clock;
use crate::gate::state::Refused;
use crate::gate::units::{Moment, SteadyTime};
use crate::latch::{Post, Progress};

/// A record that takes longer is as good as none: a disk that hangs must not keep an operator waiting.
const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// A reset or an arm that waits for its record.
struct Waiting {
    verb: Verb,
    of: Whose,
    number: u64,
}

/// Who waits for a reset or an arm.
enum Whose {
    /// Somebody who asked.
    Caller(oneshot::Sender<Answer>),
    /// The self test, which resets its own trips.
    SelfTest,
}

/// The thread's side of the latch.
#[derive(Default)]
pub(super) struct LatchIo {
    /// `None`: nothing is kept on disk.
    post: Option<Post>,
    /// The number that covers the gate as it is.
    number: u64,
    /// Since when records have been on their way without any that arrived.
    unwritten: Option<(u64, SteadyTime)>,
    waiting: Option<Waiting>,
}

impl LatchIo {
    pub(super) fn new(post: Option<Post>) -> Self {
        Self { post, ..Self::default() }
    }

    fn progress(&self) -> Option<&Arc<Progress>> {
        self.post.as_ref().map(Post::progress)
    }

    /// Whether the record that a release waits for is on disk; `None`: not known yet.
    pub(super) fn outcome(&self, number: u64, now: SteadyTime) -> Option<bool> {
        let Some(progress) = self.progress() else { return Some(true) };
        if progress.is_durable(number) {
            Some(true)
        } else if progress.has_failed(number) || self.is_overdue(now) {
            Some(false)
        } else {
            None
        }
    }

    /// Whether anything is kept on disk.
    pub(super) const fn persists(&self) -> bool {
        self.post.is_some()
    }

    fn is_overdue(&self, now: SteadyTime) -> bool {
        self.unwritten.is_some_and(|(_, since)| now.since(since) >= WRITE_LIMIT)
    }
}

impl GateThread {
    /// Hands the record on where it has changed. After every stop has been published.
    pub(super) fn persist(&mut self, now: SteadyTime) -> u64 {
        let latch = &mut self.latch;
        if let Some(post) = &mut latch.post {
            latch.number = post.post(self.gate.machine(), self.gate.is_slowing());
            let progress = post.progress();
            match latch.unwritten {
                Some((number, _)) if progress.is_durable(number) => latch.unwritten = None,
                Some(_) | None => {}
            }
            if latch.unwritten.is_none() && !progress.is_durable(latch.number) {
                latch.unwritten = Some((latch.number, now));
            }
        }
        latch.number
    }

    /// Tells the gate, and whoever scrapes, whether the latch file can be written, as of now.
    pub(super) fn watch_latch(&mut self, now: SteadyTime) {
        let writable = self.latch.progress().is_none_or(|progress| progress.is_writable())
            && !self.latch.is_overdue(now);
        self.gate.set_latch_writable(writable);
        if self.latch.persists() {
            self.slots.node.latch_writable.set(writable);
        }
    }

    /// The first step of a reset or an arm. Its answer is kept until the record is on disk.
    pub(super) fn begin_release(&mut self, verb: Verb, answer: oneshot::Sender<Answer>) {
        let now = clock::now();
        self.watch_latch(now.steady);
        let begun = match verb {
            Verb::Reset { seq } => self.gate.begin_reset(seq, now),
            Verb::Arm { seq, profile } => self.gate.begin_arm(seq, profile, now),
            Verb::Disarm | Verb::SelectSource { .. } | Verb::SelfTest => Err(Refused::Withdrawn),
        };
        if let Err(refused) = begun {
            self.answer(verb, Err(Denied::State(refused)), false, answer, now);
            return;
        }
        let number = self.persist(now.steady);
        self.latch.waiting = Some(Waiting { verb, of: Whose::Caller(answer), number });
        self.conclude_release();
    }

    /// The first step of the reset of the self test's trip.
    pub(super) fn begin_test_reset(&mut self, seq: u64) -> Result<(), Refused> {
        let now = clock::now();
        self.watch_latch(now.steady);
        self.gate.begin_test_reset(seq, now)?;
        let number = self.persist(now.steady);
        let verb = Verb::Reset { seq };
        self.latch.waiting = Some(Waiting { verb, of: Whose::SelfTest, number });
        Ok(())
    }

    /// The second step, once it is known what became of the record. Returns whether there was one.
    pub(super) fn conclude_release(&mut self) -> bool {
        let now = clock::steady();
        let Some(number) = self.latch.waiting.as_ref().map(|waiting| waiting.number) else {
            return false;
        };
        let Some(is_written) = self.latch.outcome(number, now) else { return false };
        let Some(Waiting { verb, of, .. }) = self.latch.waiting.take() else { return false };
        // What came while it was written is looked at now; what waits in the queues is older than
        // the arm.
        self.pending.collect();
        if self.take_kills(clock::now()) {
            self.publish_safe(clock::now());
        }
        if matches!(verb, Verb::Arm { .. }) {
            self.drain_commands(Drain::Judged);
            self.take_limits();
            self.read_graph(clock::now());
        }
        let now = clock::now();
        self.watch_latch(now.steady);
        if !is_written {
            self.gate.set_latch_writable(false);
        }
        if let Whose::Caller(answer) = &of
            && answer.is_canceled()
        {
            self.gate.abandon_release();
        }
        let done = self.gate.conclude_release(now);
        if done.is_ok() && matches!(verb, Verb::Reset { .. }) {
            // Whatever could not be published of the stop before is over.
            self.stopping = None;
        }
        match of {
            Whose::Caller(answer) => {
                self.answer(verb, done.map_err(Denied::State), done.is_ok(), answer, now);
            }
            Whose::SelfTest => {
                self.record_verb(verb, &done.map_err(Denied::State));
                self.self_test.reset_done(done);
            }
        }
        // What did not come true is put right on disk.
        self.persist(now.steady);
        true
    }

    /// Counts and answers a verb. `moved`: it moved `seq`.
    pub(super) fn answer(
        &mut self,
        verb: Verb,
        result: Result<(), Denied>,
        moved: bool,
        answer: oneshot::Sender<Answer>,
        now: Moment,
    ) {
        self.record_verb(verb, &result);
        let mut unmet = Vec::new();
        if result.is_err() {
            self.gate.unmet(now.steady, &mut |condition| unmet.push(condition));
        }
        let owner = match verb {
            Verb::SelectSource { lane, .. } => {
                self.gate.lane(lane).and_then(crate::gate::lane::Lane::owner)
            }
            Verb::Reset { .. } | Verb::Arm { .. } | Verb::Disarm | Verb::SelfTest => None,
        };
        let machine = self.gate.machine();
        let (state, seq) = (machine.state(), machine.seq());
        let told = Answer { result, state, seq, moved, unmet, owner, self_test: Vec::new() };
        // A caller that has gone does not need the answer.
        answer.send(told).ok();
    }
}
