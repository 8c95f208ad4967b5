//! The verbs that may be refused, from wherever they come: what is asked, and what came of it.
//!
//! ROS services and the control socket make the same [`Wish`]; thread `control` serves both alike, so
//! they refuse for the same reasons in the same words. Kill is not here: it has no queue that could
//! be full, and nobody who could refuse it.
//!
//! What is tried too often is refused before anybody is asked ([`Bucket`]): over ROS all callers share
//! one, because ROS does not tell who calls.
//!
//! **Invariant:** the queue is bounded; a caller that has gone costs nothing, and nothing that it
//! asked for lets motion begin.

mod attempts;
mod refused;

use std::pin::pin;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, select};

pub use self::attempts::{Attempt, Attempts, Bucket};
pub use self::refused::{count_refused, told_refused};
use crate::telemetry::status::{ConditionStatus, SelfTestPart};

/// More at once than people and scripts make.
const CAPACITY: usize = 16;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Killed to disarmed.
    Reset {
        /// What the caller saw.
        seq: u64,
    },
    /// Disarmed to active.
    Arm {
        /// What the caller saw.
        seq: u64,
        /// Its name; empty: the default one.
        profile: String,
    },
    /// Active to disarmed.
    Disarm,
    /// Puts a source in charge of a lane.
    SelectSource {
        /// The lane's name.
        lane: String,
        /// The source's name; empty: by priority again.
        source: String,
    },
    /// A trip by each kill input and a reset of each, while disarmed.
    SelfTest,
}

impl Ask {
    /// Whether motion can follow from it.
    #[must_use]
    pub const fn releases(&self) -> bool {
        match self {
            Self::Reset { .. } | Self::Arm { .. } | Self::SelectSource { .. } => true,
            Self::Disarm | Self::SelfTest => false,
        }
    }

    /// Whether there is a limit on how often it is asked: all that lets motion begin, and the self
    /// test, whose every attempt is told.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        match self {
            Self::Reset { .. } | Self::Arm { .. } | Self::SelectSource { .. } | Self::SelfTest => {
                true
            }
            Self::Disarm => false,
        }
    }
}

/// The way a wish came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A ROS service: whoever is on the domain, the agent being gated too.
    Ros,
    /// The control socket, which has looked at who it is.
    Socket,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub ask: Ask,
    /// Who, where known.
    pub operator: String,
    /// Why, where told.
    pub reason: String,
    /// How it came.
    pub via: Via,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Done, or refused.
    pub done: bool,
    /// For people: what is now, or why not and what to do.
    pub message: String,
    /// The state after it; empty where the gate was not asked.
    pub state: String,
    /// `seq` after it; 0 where the gate was not asked.
    pub seq: u64,
    /// Whether it moved `seq`: who asked is who did it.
    pub moved: bool,
    /// What stood in the way.
    pub unmet: Vec<ConditionStatus>,
    /// Source in charge of the lane asked about.
    pub owner: Option<String>,
    /// What came of each part of a self test; empty where none ran.
    pub self_test: Vec<SelfTestPart>,
}

/// What became of serving a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// It was served, whatever came of it.
    Done,
    /// Who asked had gone before it was begun.
    NeverBegun,
    /// Who asked went meanwhile.
    Withdrawn,
}

/// A wish and where its outcome goes.
#[derive(Debug)]
pub struct Asked {
    /// The wish.
    pub wish: Wish,
    /// For the outcome.
    pub answer: oneshot::Sender<Outcome>,
}

impl Asked {
    /// Has a wish served, and sends what came of it. One from which motion can follow is withdrawn
    /// when its caller goes: nobody would look at the robot then.
    pub async fn serve(self, serve: impl AsyncFnOnce(Wish) -> Outcome) -> Served {
        let Self { wish, mut answer } = self;
        if !wish.ask.releases() {
            // A caller that has gone does not need the answer.
            answer.send(serve(wish).await).ok();
            return Served::Done;
        }
        if answer.is_canceled() {
            return Served::NeverBegun;
        }
        let outcome = match select(pin!(serve(wish)), answer.cancellation()).await {
            Either::Left((outcome, _)) => outcome,
            // It may have come true while nobody looked.
            Either::Right(((), serving)) => match serving.now_or_never() {
                Some(outcome) => outcome,
                None => return Served::Withdrawn,
            },
        };
        answer.send(outcome).ok();
        Served::Done
    }
}

/// The asking side. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VerbQueue(Sender<Asked>);

/// Why nobody will look at a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The queue is full.
    #[error("too many requests at once; try again")]
    Busy,
    /// The other side has ended.
    #[error("the node is shutting down")]
    Ended,
}

/// A queue of wishes.
#[must_use]
pub fn verb_queue() -> (VerbQueue, Receiver<Asked>) {
    let (sender, receiver) = bounded(CAPACITY);
    (VerbQueue(sender), receiver)
}

impl VerbQueue {
    /// Asks; the outcome comes on the channel.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn ask(&self, wish: Wish) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        let (answer, outcome) = oneshot::channel();
        self.0.try_send(Asked { wish, answer }).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Busy,
            TrySendError::Disconnected(_) => NotTaken::Ended,
        })?;
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::FutureExt;

    use super::*;

    fn wish(ask: Ask) -> Wish {
        Wish { ask, operator: String::new(), reason: String::new(), via: Via::Socket }
    }

    fn all() -> [Ask; 5] {
        [
            Ask::Reset { seq: 1 },
            Ask::Arm { seq: 1, profile: String::new() },
            Ask::SelectSource { lane: String::new(), source: String::new() },
            Ask::Disarm,
            Ask::SelfTest,
        ]
    }

    #[test]
    fn when_the_caller_has_gone_expect_what_releases_never_begun_and_what_stops_done() {
        let (queue, wishes) = verb_queue();
        for ask in all() {
            let releases = ask.releases();
            drop(queue.ask(wish(ask)));
            let is_begun = Cell::new(false);
            let serve = async |_| {
                is_begun.set(true);
                Outcome::default()
            };
            let served = wishes.recv().expect("asked").serve(serve).now_or_never();
            let expected = if releases { Served::NeverBegun } else { Served::Done };
            assert_eq!((served, is_begun.get()), (Some(expected), !releases));
        }
    }

    #[test]
    fn when_the_caller_goes_meanwhile_expect_what_releases_dropped_and_what_stops_done() {
        let (queue, wishes) = verb_queue();
        for ask in all() {
            let releases = ask.releases();
            let caller = queue.ask(wish(ask)).expect("a place");
            let (gate, answer) = oneshot::channel::<Outcome>();
            let serve = async |_| answer.await.unwrap_or_default();
            let mut task = pin!(wishes.recv().expect("asked").serve(serve));
            assert_eq!(task.as_mut().now_or_never(), None, "the gate has not answered");
            drop(caller);
            let after = task.as_mut().now_or_never();
            let expected = releases.then_some(Served::Withdrawn);
            assert_eq!(after, expected, "withdrawn, or goes on");
            assert_eq!(gate.is_canceled(), releases, "and the gate sees it");
            if !releases {
                gate.send(Outcome::default()).expect("it waits");
                assert_eq!(task.now_or_never(), Some(Served::Done));
            }
        }
    }

    #[test]
    fn when_the_caller_waits_expect_its_outcome() {
        let (queue, wishes) = verb_queue();
        for ask in all() {
            let mut caller = queue.ask(wish(ask)).expect("a place");
            let serve = async |_| Outcome { seq: 7, ..Outcome::default() };
            let served = wishes.recv().expect("asked").serve(serve).now_or_never();
            assert_eq!(served, Some(Served::Done));
            let outcome = caller.try_recv().expect("not gone").expect("an outcome");
            assert_eq!(outcome.seq, 7);
        }
    }

    #[test]
    fn when_nobody_takes_wishes_expect_a_bound_and_then_the_end() {
        let (queue, receiver) = verb_queue();
        let wish = Wish {
            ask: Ask::Disarm,
            operator: String::new(),
            reason: String::new(),
            via: Via::Socket,
        };
        let mut kept = Vec::new();
        while let Ok(outcome) = queue.ask(wish.clone()) {
            kept.push(outcome);
        }
        assert_eq!(kept.len(), CAPACITY);
        assert!(matches!(queue.ask(wish.clone()), Err(NotTaken::Busy)));
        drop(receiver);
        assert!(matches!(queue.ask(wish), Err(NotTaken::Ended)));
    }
}
