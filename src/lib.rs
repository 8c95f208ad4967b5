//! Interlock: the gate between the programs that decide and the controller that moves a robot.
//!
//! Module map and invariants are described at each module.

#[cfg(feature = "ros")]
pub mod app;
pub mod cdr;
pub mod clock;
pub mod codec;
pub mod config;
pub mod ctl;
pub mod gate;
pub mod http;
pub mod kill_switch;
pub mod realtime;
#[cfg(feature = "ros")]
pub mod ros;
pub mod telemetry;
