//! What the gate tells the rest of the process: fixed-size notices, never text.

use std::time::Duration;

use super::cause::{Action, Cause};
use super::check::Refusal;
use super::lane_state::LaneState;
use super::machine::{Subject, Trip};
use super::standstill::Motion;
use super::state::{Refused, State};

/// One thing that happened. Formatted by others, off the gate thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Notice {
    /// The node's state changed.
    State {
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// `seq` now.
        seq: u64,
    },
    /// A trip, or a new cause while killed.
    Trip(Trip),
    /// A reset was refused.
    ResetRefused(Refused),
    /// An arm was refused.
    ArmRefused(Refused),
    /// A disarm was refused.
    DisarmRefused(Refused),
    /// A lane's state changed.
    Lane {
        /// The lane.
        lane: usize,
        /// Before.
        from: LaneState,
        /// Now.
        to: LaneState,
    },
    /// A lane changed hands.
    Owner {
        /// The lane.
        lane: usize,
        /// Source in charge before.
        from: Option<usize>,
        /// Source in charge now.
        to: Option<usize>,
    },
    /// A command was refused.
    Rejected {
        /// The lane.
        lane: usize,
        /// The source.
        source: usize,
        /// Why and where.
        refusal: Refusal,
    },
    /// A tick came late; the queues were drained.
    Stalled {
        /// Time since the tick before.
        late: Duration,
    },
    /// A cause that warns or holds has begun to act, or is gone.
    Cause {
        /// Which.
        cause: Cause,
        /// What it is about.
        subject: Subject,
        /// What it does.
        action: Action,
        /// Begun, not gone.
        present: bool,
        /// The value found; NaN where there is none.
        found: f64,
        /// The value allowed; NaN where there is none.
        bound: f64,
    },
    /// A lane moves although its time to stop is over, or nobody can tell; `None`: it stands.
    Motion {
        /// The lane.
        lane: usize,
        /// What was found.
        found: Option<Motion>,
    },
    /// A stop found nothing to build a safe command on; the lane stays silent.
    NoSafeCommand {
        /// The lane.
        lane: usize,
    },
}

/// A bounded list of notices; what does not fit is counted.
#[derive(Clone, Debug)]
pub struct Notices {
    list: Vec<Notice>,
    dropped: u64,
}

/// Enough for every lane and source to tell something between two drains.
const CAPACITY: usize = 256;

impl Default for Notices {
    fn default() -> Self {
        Self { list: Vec::with_capacity(CAPACITY), dropped: 0 }
    }
}

impl Notices {
    /// Adds a notice. Never allocates.
    pub fn push(&mut self, notice: Notice) {
        if self.list.len() < CAPACITY {
            self.list.push(notice);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Takes all notices, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Notice> + '_ {
        self.list.drain(..)
    }

    /// How many notices did not fit since the last time this was asked.
    pub const fn take_dropped(&mut self) -> u64 {
        let dropped = self.dropped;
        self.dropped = 0;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_more_is_told_than_fits_expect_the_oldest_kept_and_the_rest_counted_once() {
        let mut notices = Notices::default();
        let room = notices.list.capacity();
        for lane in 0..CAPACITY + 44 {
            notices.push(Notice::NoSafeCommand { lane });
        }
        assert_eq!(notices.list.capacity(), room, "nothing was allocated");
        let told: Vec<Notice> = notices.drain().collect();
        let expected = (0..CAPACITY).map(|lane| Notice::NoSafeCommand { lane });
        assert_eq!(told, expected.collect::<Vec<_>>());
        assert_eq!([notices.take_dropped(), notices.take_dropped()], [44, 0]);
    }
}
