//! The real sources over atomics whose orderings are one half too weak.
//!
//! `swap` has lost its Release half, so a wake that comes after a take need not see the thread that was
//! bound before it; `fetch_add` is Relaxed, so whoever sees a kill's count need not see what was
//! written before the kill.

/// What the sources see as `super::sync`.
pub(crate) mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use loom::thread::Thread;

    pub(crate) use crate::once::OnceLock;

    #[derive(Debug, Default)]
    pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

    impl AtomicU64 {
        pub(crate) fn new(value: u64) -> Self {
            Self(loom::sync::atomic::AtomicU64::new(value))
        }

        pub(crate) fn load(&self, ordering: Ordering) -> u64 {
            self.0.load(ordering)
        }

        pub(crate) fn fetch_or(&self, bits: u64, ordering: Ordering) -> u64 {
            self.0.fetch_or(bits, ordering)
        }

        pub(crate) fn fetch_add(&self, number: u64, _: Ordering) -> u64 {
            self.0.fetch_add(number, Ordering::Relaxed)
        }

        pub(crate) fn swap(&self, value: u64, _: Ordering) -> u64 {
            self.0.swap(value, Ordering::Acquire)
        }
    }
}

#[expect(unreachable_pub, dead_code, reason = "public in the library")]
#[path = "../../src/kill_switch.rs"]
pub(crate) mod kill_switch;
#[expect(unreachable_pub, dead_code, reason = "public in the library")]
#[path = "../../src/wake.rs"]
pub(crate) mod wake;
