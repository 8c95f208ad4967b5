//! How far the gate thread has come.

use std::sync::atomic::{AtomicU64, Ordering};

/// Turns of the gate thread since it started. One thread writes, any reads.
#[derive(Debug, Default)]
pub struct Progress(AtomicU64);

/// The value that says that the thread has ended. Turns do not reach it in 584 years of a turn a
/// nanosecond.
const ENDED: u64 = u64::MAX;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// The thread has not made its first turn.
    NotBegun,
    /// Turns begun so far; only a change means anything.
    Running(u64),
    /// The thread has ended as it should.
    Ended,
}

impl Progress {
    /// A turn begins. By the gate thread only.
    ///
    /// # Ordering
    /// Relaxed, one writer: the number is all there is to see, and nothing is published with it.
    pub fn step(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// The thread ends as it should. By the gate thread only.
    pub fn end(&self) {
        self.0.store(ENDED, Ordering::Relaxed);
    }

    /// The newest value.
    #[must_use]
    pub fn read(&self) -> Turns {
        match self.0.load(Ordering::Relaxed) {
            0 => Turns::NotBegun,
            ENDED => Turns::Ended,
            turns => Turns::Running(turns),
        }
    }
}
