//! The whole gate, driven as the gate thread drives it.

mod arbitration;
pub(crate) mod bench;
mod commands;
mod hazards;
mod story;
mod walk;
mod watchdogs;
