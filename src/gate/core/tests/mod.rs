//! The whole gate, driven as the gate thread drives it.

mod arbitration;
mod aside;
pub(crate) mod bench;
mod charge;
mod commands;
mod derating;
mod divergence;
mod feedback_views;
mod first_moment;
mod hazards;
mod hazards_of_stops;
mod holding;
mod kill_publishers;
mod numbers;
mod pauses;
mod plans;
mod releases;
mod self_test;
mod situations;
mod standstill;
mod starts;
mod story;
mod walk;
mod walk_conditions;
mod walk_reasons;
mod watchdogs;
