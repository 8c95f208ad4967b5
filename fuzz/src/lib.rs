//! What must hold for any bytes, one module for each way in. `run` panics where it does not.
//!
//! The fuzzer (`targets/`) looks for such bytes; `test/fuzz_corpus.rs` plays the committed ones.

pub mod cdr;
pub mod command;
pub mod latch;
pub mod params;
pub mod socket;
pub mod types;
pub mod urdf;

/// What a target does with any bytes: nothing, or it panics.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: [(&str, Target); 6] = [
    ("cdr", cdr::run),
    ("command", command::run),
    ("latch", latch::run),
    ("params", params::run),
    ("socket", socket::run),
    ("urdf", urdf::run),
];
