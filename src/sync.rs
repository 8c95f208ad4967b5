//! The atomics of the kill path, under one name: `test/kill_path` puts loom's in their place.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::thread::Thread;
