//! What the node tells about itself: slots, metrics, events, log, status.
//!
//! The gate thread writes [`slots`] and posts events; it formats nothing, locks nothing and writes
//! to no file. Everything that costs time happens on other threads: the collector writes slots as the
//! text of a scrape when somebody asks, thread `events` turns events into log lines, and the
//! status is filled from the gate's snapshot when somebody asks.
//!
//! **Invariant:** nothing here decides about motion, and no reader can make a writer wait. What is
//! lost on the way is counted.

pub mod catalogue;
pub mod clock_status;
pub mod collector;
pub mod decisions;
pub mod events;
pub mod feedback;
pub mod history;
mod latch_text;
pub mod logging;
pub mod notes;
pub mod people;
pub mod readiness;
pub mod report;
pub mod self_test;
pub mod sensors;
pub mod silence;
pub mod slots;
pub mod status;
pub mod texts;
pub mod topics;
pub mod watched;

#[cfg(test)]
pub(crate) mod fixture;
