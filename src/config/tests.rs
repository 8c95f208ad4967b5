//! Tests of the configuration that need no file and no ROS.

mod arguments;
mod lanes;
mod merging;
mod problems;
mod random;
mod scalars;

use super::merge::{self, Part};
use super::model::Config;
use super::problem::Problems;
use super::reader::{self, Context};
use super::value::FlatMap;
use super::{section, yaml};

/// A mobile base; tests change lines of it.
const BASE: &str = "\
interlock:
  ros__parameters:
    schema: 1
    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: cmd_vel
        feedback: odom
        limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1.0}}}
        safe: {command: zero_velocity}
        sources:
          nav: {topic: cmd_vel_nav, priority: 20, timeout_s: 0.5, max_rate_hz: 30.0}
    feedback: {odom: {type: nav_msgs/msg/Odometry, topic: odom, timeout_s: 0.3}}
";

/// Two joints; tests change lines of it.
const ARM: &str = "\
interlock:
  ros__parameters:
    schema: 1
    lanes:
      arm:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: arm/commands
        joints: [shoulder, elbow]
        feedback: joints
        limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 5.0}
        safe: {command: freeze, tolerance: 0.1}
        sources:
          vla: {topic: vla, priority: 10, timeout_s: 0.2, max_rate_hz: 60.0}
    feedback: {joints: {type: sensor_msgs/msg/JointState, topic: joint_states, timeout_s: 0.1}}
";

/// `text` with one piece replaced; the piece must be there.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}

/// `text` with a line more among the top keys.
fn with_top(text: &str, line: &str) -> String {
    with(text, "schema: 1\n", &format!("schema: 1\n    {line}\n"))
}

fn flat(text: &str) -> Result<FlatMap, Problems> {
    let tree = yaml::parse(text, 0, "FILE")?;
    merge::merge(&[Part::File(section::sections(tree, 0, "FILE")?)], "/interlock")
}

fn context() -> Context {
    Context {
        node_name: "interlock".to_owned(),
        namespace: "/".to_owned(),
        label: "FILE".to_owned(),
        sections: Vec::new(),
    }
}

fn read(text: &str) -> Result<Config, Problems> {
    reader::read(&flat(text)?, &context())
}

fn config(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The keys with a problem, in order.
fn refused(text: &str) -> Vec<String> {
    let problems = read(text).expect_err("it must be refused");
    problems.sorted().iter().map(|problem| problem.key.clone()).collect()
}
