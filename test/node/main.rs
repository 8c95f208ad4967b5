//! The node on a real rcl and a real middleware, with a peer in rclpy.
//!
//! Every test starts the real `interlock` with a params file of its own, on a domain of its own, and
//! asks `peer.py` to publish, subscribe and call. This process has no ROS itself.
//!
//! **Invariant:** nothing is shown by waiting for silence. Where a message must not come out, one
//! that must come out is sent after it, and is the next that is seen.

mod aside;
mod attempts;
mod bodies;
mod command_latency;
mod commands;
mod configuration;
mod controllers;
mod crashes;
mod dead_indicators;
mod decisions;
mod description;
mod diagnostics;
mod disk;
mod endings;
mod engage;
mod envelopes;
mod flood;
mod graph;
mod gripper;
mod held_disk;
mod hostile;
mod kill_inputs;
mod kill_publishers;
mod latch;
mod log;
mod monitor;
mod monitor_latency;
mod names;
mod namesakes;
mod neighbours;
mod operators;
mod outputs;
mod params;
mod peer;
mod persistence;
mod plans;
mod probes;
mod realtime;
mod refusals;
mod rig;
mod self_test;
mod sensors;
mod service;
mod skewed;
mod sources;
mod stalls;
mod start_up;
mod suggest;
#[path = "../support/mod.rs"]
mod support;
mod telemetry;
mod unclean_restart;
mod vendor;
