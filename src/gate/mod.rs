//! The pure core: what may pass, what is changed, what is refused, and when motion stops.
//!
//! Everything here is a function of its arguments. Time comes in as [`units::Moment`], commands as
//! numbers ([`command::Command`]), and what goes out is a [`verdict::Verdict`] and numbers again.
//!
//! **Invariant:** no ROS, clock, file, thread, lock or environment; no heap allocation after
//! construction; nothing of ours is imported but `gate` itself. The words are the README's, of its
//! section "States": lane, source, verdict, state, cause, kill, reset, arm, disarm.

mod actions;
pub mod arbitration;
mod aside;
pub mod awaits;
pub mod cause;
pub mod check;
pub(crate) mod closed_list;
pub mod command;
pub mod condition;
pub mod conditions;
pub mod core;
pub mod credit;
pub mod decision;
mod detect;
mod divergence;
pub mod easing;
mod engage;
pub mod envelope;
pub mod fault;
pub mod history;
mod inputs;
mod interrupted;
mod judgement;
pub mod kill_input;
pub mod lane;
pub mod lane_state;
pub mod limit;
pub mod limits;
pub mod machine;
pub mod measured;
pub mod notice;
pub mod publisher;
pub mod rate;
pub mod release;
pub mod rules;
pub mod safe;
pub mod seen;
pub mod self_test;
pub mod sensor;
mod share;
pub mod snapshot;
pub mod source;
pub mod standstill;
pub mod state;
pub mod stop;
pub mod units;
mod verbs;
pub mod verdict;
mod watch;

#[cfg(test)]
pub(crate) mod test_rules;
