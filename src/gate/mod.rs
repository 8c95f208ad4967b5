//! The pure core: what may pass, what is changed, what is refused, and when motion stops.
//!
//! Everything here is a function of its arguments. Time comes in as [`units::Moment`], commands as
//! numbers ([`command::Command`]), and what goes out is a [`verdict::Verdict`] and numbers again.
//!
//! **Invariant:** no ROS, clock, file, thread, lock or environment; no heap allocation after
//! construction; nothing of ours is imported but `gate` itself. Words are those of the README's
//! glossary: lane, source, verdict, state, cause, kill, reset, arm, disarm.

pub mod cause;
pub(crate) mod closed_list;
pub mod condition;
pub mod lane_state;
pub mod limits;
pub mod safe;
pub mod state;
pub mod units;
pub mod verdict;
