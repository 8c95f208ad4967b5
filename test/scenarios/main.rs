//! Whole scenarios against the gate: random worlds, random events, an independent judge.
//!
//! `properties` plays thousands of scenarios and lets the oracle judge every step; `doctored` shows
//! for each property that the oracle objects when it does not hold; `hazards` are scenes told by
//! hand. Nothing here needs ROS. `PROPTEST_CASES` scales the suite; the seeds of cases that once
//! failed are in `regressions.txt` and are played first.

mod commands;
mod doctored;
mod draw;
mod hazards;
mod oracle;
mod plain;
mod properties;
mod rig;
mod script;
mod stories;
mod trace;
mod world;
