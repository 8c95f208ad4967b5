//! Which thread of the kernel is which of ours.

use std::sync::atomic::{AtomicU32, Ordering};

/// The kernel's number of a thread, from which a scrape finds its CPU time.
#[derive(Debug, Default)]
pub struct ThreadSlot(AtomicU32);

impl ThreadSlot {
    /// Called by the thread itself when it starts.
    pub fn enter(&self) {
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        // Relaxed: the number is all there is to see.
        self.0.store(id.unsigned_abs(), Ordering::Relaxed);
    }

    /// The thread's number, `None` before it started.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        let id = self.0.load(Ordering::Relaxed);
        (id != 0).then_some(id)
    }
}
