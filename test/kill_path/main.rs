//! The kill path outside the gate thread: kills from other threads, the wake-up, the last stop.
//!
//! `src/kill_switch.rs` and `src/wake.rs` are compiled here a second and a third time: in `modelled`
//! with loom's atomics, so that loom runs every interleaving and every stale read the memory model
//! allows; in `weakened` with orderings that are too weak, to show that loom would find them.

#![expect(
    clippy::duplicate_mod,
    reason = "the same sources with other atomics, that is what is compared"
)]

mod last_stop;
mod model;
mod modelled;
mod once;
mod threads;
mod weakened;

// Where the sources look for it.
use interlock::gate;
