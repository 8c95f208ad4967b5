//! Interlock: the gate between the programs that decide and the controller that moves a robot.
//!
//! Module map and invariants are described at each module.

pub mod cdr;
pub mod clock;
pub mod codec;
pub mod config;
pub mod ctl;
pub mod gate;
pub mod http;
#[cfg(feature = "ros")]
pub mod ros;
pub mod telemetry;
