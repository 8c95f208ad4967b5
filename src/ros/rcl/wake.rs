//! A waker as what rcl calls: pointer and function of its event callbacks.
//!
//! **Invariant:** the callback neither blocks nor allocates nor unwinds: it runs
//! on the middleware's threads, under the middleware's locks.

use std::ffi::c_void;
use std::sync::Arc;

pub use crate::wake::{AlreadyBound, WakeSet, Waker};

/// A waker as rcl's `user_data`: the pointer stays valid until this is dropped.
#[derive(Debug)]
pub(super) struct Registration(Arc<Waker>);

impl Registration {
    pub(super) fn new(waker: Waker) -> Self {
        Self(Arc::new(waker))
    }

    pub(super) fn user_data(&self) -> *const c_void {
        Arc::as_ptr(&self.0).cast()
    }

    pub(super) fn wake(&self) {
        self.0.wake();
    }

    /// Keeps the waker for the rest of the process, for when rcl could not
    /// release what might still call it.
    pub(super) fn leak(self) {
        let _kept = std::mem::ManuallyDrop::new(self.0);
    }
}

/// What rcl calls. Cannot unwind: nothing in it panics.
///
/// # Safety
/// `user_data` is the pointer of a [`Registration`] that is still alive.
pub(super) unsafe extern "C" fn on_news(user_data: *const c_void, _count: usize) {
    // SAFETY: the caller's promise; a Waker is Sync and only read.
    let waker = unsafe { &*user_data.cast::<Waker>() };
    waker.wake();
}
