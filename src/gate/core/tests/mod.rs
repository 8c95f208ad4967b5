//! The whole gate, driven as the gate thread drives it.

mod arbitration;
mod aside;
pub(crate) mod bench;
mod commands;
mod hazards;
mod holding;
mod story;
mod walk;
mod watchdogs;
