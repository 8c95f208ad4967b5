//! What other threads ask of the gate thread, and its answers.
//!
//! Kills do not come this way: they have no queue that could be full.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use futures::channel::oneshot;

use crate::gate::conditions::Condition;
use crate::gate::core::SelectRefused;
use crate::gate::self_test::{PartResult, SelfTestRefusal};
use crate::gate::state::{Refused, State};
use crate::ros::rcl::Waker;

/// More requests at once than people and scripts make.
const CAPACITY: usize = 32;

/// A verb that may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Killed to disarmed.
    Reset {
        /// What the caller saw.
        seq: u64,
    },
    /// Disarmed to active.
    Arm {
        /// What the caller saw.
        seq: u64,
        /// By its place in [`crate::config::model::Config::profiles`].
        profile: usize,
    },
    /// Active to disarmed.
    Disarm,
    /// Puts a source in charge of a lane; `None`: by priority again.
    SelectSource {
        /// The lane.
        lane: usize,
        /// The source.
        source: Option<usize>,
    },
    /// A trip by each kill input and a reset of each, while disarmed.
    SelfTest,
}

/// Why a verb had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The state machine refused.
    State(Refused),
    /// The source cannot be put in charge.
    Select(SelectRefused),
    /// No self test begins.
    SelfTest(SelfTestRefusal),
}

/// What came of a verb.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Done, or why not.
    pub result: Result<(), Denied>,
    /// The state after it.
    pub state: State,
    /// `seq` after it.
    pub seq: u64,
    /// Whether it moved `seq`. Where it did not, as a disarm that only takes back an arm, `seq` is of
    /// what somebody else did.
    pub moved: bool,
    /// What stood in the way.
    pub unmet: Vec<Condition>,
    /// Source in charge of the lane asked about.
    pub owner: Option<usize>,
    /// What came of each part of a self test; empty where none ran.
    pub self_test: Vec<PartResult>,
}

/// A verb and where its answer goes.
#[derive(Debug)]
pub struct Request {
    pub(super) verb: Verb,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The asking side. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Requests {
    queue: Sender<Request>,
    waker: Waker,
}

/// Why a request was not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// The queue is full.
    #[error("too many requests at once; try again")]
    Busy,
    /// The gate thread has ended.
    #[error("the gate is shutting down")]
    Ended,
}

impl Requests {
    /// The queue. `waker` wakes the gate thread.
    #[must_use]
    pub fn new(waker: Waker) -> (Self, Receiver<Request>) {
        let (queue, receiver) = bounded(CAPACITY);
        (Self { queue, waker }, receiver)
    }

    /// Asks; the answer comes on the channel.
    ///
    /// # Errors
    /// [`NotAsked`] when nobody will look at it.
    pub fn ask(&self, verb: Verb) -> Result<oneshot::Receiver<Answer>, NotAsked> {
        let (answer, receiver) = oneshot::channel();
        self.queue.try_send(Request { verb, answer }).map_err(|error| match error {
            TrySendError::Full(_) => NotAsked::Busy,
            TrySendError::Disconnected(_) => NotAsked::Ended,
        })?;
        self.waker.wake();
        Ok(receiver)
    }
}
