//! The only user of r2r and r2r_rcl.
//!
//! `rcl` and `typesupport` wrap the C interfaces safely; `gate_thread` is the command path on them;
//! `control` is r2r's own node for everything that may take its time; `monitor`
//! watches topics for telemetry, temperatures and batteries (`sensor_facts`); `suggest` looks at a live graph
//! and runs no gate.

pub mod control;
pub mod gate_thread;
pub mod graph;
pub mod monitor;
pub mod rcl;
pub mod replies;
pub mod sensor_facts;
pub mod suggest;
pub mod typesupport;
