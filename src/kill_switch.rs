//! Kills from other threads, and the flags that end motion: a few atomics and a wake-up.
//!
//! Raising a kill is wait-free, takes no argument and cannot fail. The gate thread looks at every
//! wake, and once more directly before each publish.
//!
//! Tested in `test/kill_path`, by loom too: this file is compiled there a second time, with loom's
//! atomics behind the name `sync`.

use super::sync::{AtomicBool, AtomicU64, Ordering};
use crate::gate::cause::Cause;

/// Ways to kill that do not come through the gate thread itself. The self test takes this way, too.
const REMOTE: [Cause; 3] = [Cause::KillSignal, Cause::KillSocket, Cause::SelfTest];

/// Shared by every thread that can stop motion and the gate thread that does.
#[derive(Debug, Default)]
pub struct KillSwitch {
    /// Kills ever raised. Only grows; 64 bits do not wrap in service.
    raised: AtomicU64,
    /// One bit for each of [`REMOTE`] raised since the gate thread last looked.
    causes: AtomicU64,
    /// Nothing but the stop burst may be published any more.
    fenced: AtomicBool,
    /// The process is to end: stop, then leave.
    shutdown: AtomicBool,
}

/// How many kills had been raised when the gate thread last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KillCount(u64);

impl KillSwitch {
    /// Raises a kill. Causes that do not come from outside the gate thread count as the signal's.
    ///
    /// # Ordering
    /// The cause is set before the count moves, both Release: they pair with the Acquire loads in
    /// [`Self::is_raised_since`] and [`Self::take`], so whoever sees the count also finds the cause.
    /// With Relaxed a kill could be seen without its cause and be told as somebody else's.
    pub fn raise(&self, cause: Cause) {
        let bit = REMOTE.iter().position(|known| *known == cause).unwrap_or(0);
        self.causes.fetch_or(1 << bit, Ordering::Release);
        self.raised.fetch_add(1, Ordering::Release);
    }

    /// Whether a kill was raised after `seen` was taken. Wait-free: one load.
    ///
    /// # Ordering
    /// Acquire, see [`Self::raise`].
    #[must_use]
    pub fn is_raised_since(&self, seen: KillCount) -> bool {
        self.raised.load(Ordering::Acquire) != seen.0
    }

    /// Calls `tell` for each cause raised since the last look, and notes the count.
    ///
    /// # Ordering
    /// The count is read before the causes are taken, so a kill that arrives in between moves the
    /// count past what is returned here and is looked at again: at worst a kill is told twice, never
    /// missed.
    pub fn take(&self, tell: &mut dyn FnMut(Cause)) -> KillCount {
        let count = KillCount(self.raised.load(Ordering::Acquire));
        let causes = self.causes.swap(0, Ordering::AcqRel);
        for (bit, cause) in REMOTE.iter().enumerate() {
            if causes & (1 << bit) != 0 {
                tell(*cause);
            }
        }
        count
    }

    /// Nothing but the stop burst may be published from here on. Cannot be undone.
    ///
    /// # Ordering
    /// `SeqCst`, like the load in [`Self::is_fenced`]: who looks after this in the one order of both
    /// sees it. Only the look is ordered, not the publish behind it: of the gate's, the one publish
    /// that had looked before may still come, between two frames of the burst. The burst outlasts it
    /// by repeating, and the process ends directly after its last frame.
    pub fn fence(&self) {
        self.fenced.store(true, Ordering::SeqCst);
    }

    /// Whether the fence is up.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::SeqCst)
    }

    /// Asks the gate thread to stop the robot and end.
    ///
    /// # Ordering
    /// Release, pairs with the Acquire in [`Self::is_shutting_down`]; nothing else is published
    /// through it.
    pub fn shut_down(&self) {
        self.shutdown.store(true, Ordering::Release);
    }

    /// Whether the process is to end.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.shutdown.load(Ordering::Acquire)
    }
}
