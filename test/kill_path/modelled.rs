//! The real sources over loom's atomics.

/// What the sources see as `super::sync`.
pub(crate) mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use loom::thread::Thread;

    pub(crate) use crate::once::OnceLock;
}

#[expect(unreachable_pub, dead_code, reason = "public in the library")]
#[path = "../../src/kill_switch.rs"]
pub(crate) mod kill_switch;
#[expect(unreachable_pub, dead_code, reason = "public in the library")]
#[path = "../../src/wake.rs"]
pub(crate) mod wake;
