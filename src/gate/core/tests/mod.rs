//! The whole gate, driven as the gate thread drives it.

mod arbitration;
pub(crate) mod bench;
mod commands;
mod story;
mod watchdogs;
