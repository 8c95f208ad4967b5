//! Tests of the configuration that need no file and no ROS.

mod arguments;
mod edges;
mod lanes;
mod mapped;
mod merging;
mod names;
mod places;
mod problems;
mod random;
mod rules;
mod scalars;
mod texts;
mod values;

use super::merge::{self, Part};
use super::model::Config;
use super::problem::Problems;
use super::reader::{self, Context};
use super::value::FlatMap;
use super::{section, yaml};

/// A mobile base; tests change lines of it.
pub(super) const BASE: &str = "\
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
pub(super) const ARM: &str = "\
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

/// Two motors of a vendor's low-level type, below the balance loop; tests change lines of it.
pub(super) const MOTORS: &str = "\
interlock:
  ros__parameters:
    schema: 1
    lanes:
      legs:
        type: vendor_msgs/msg/LowCmd
        interface: position
        output: lowcmd
        joints: [hip, knee]
        joint_index: [3, 0]
        fields: {position: 'motor_cmd[].q', velocity: 'motor_cmd[].dq', effort: 'motor_cmd[].tau',
                 kp: 'motor_cmd[].kp', kd: 'motor_cmd[].kd'}
        keep: [level]
        fixed:
          mode: {field: 'motor_cmd[].mode', allowed: [0, 1], safe: 1}
          machine: {field: mode_machine, mirror: low_state.mode_machine}
        checksum: {field: crc, kind: unitree_crc32}
        balance: true
        feedback: low_state
        limits: {min_position: -2.0, max_position: 2.0, max_velocity: 20.0, max_effort: 60.0,
                 max_kp: 200.0, max_kd: 10.0, max_total_effort: 90.0}
        safe: {command: damping, kd: 3.0}
        sources:
          walk: {topic: walk, priority: 10, timeout_s: 0.05, max_rate_hz: 500.0}
    feedback:
      low_state:
        type: vendor_msgs/msg/LowState
        topic: lowstate
        timeout_s: 0.05
        fields: {position: 'motor_state[].q', velocity: 'motor_state[].dq'}
        joint_index: [3, 0]
        checksum: {field: crc, kind: unitree_crc32}
      body: {type: sensor_msgs/msg/Imu, topic: imu, timeout_s: 0.1, max_tilt: 0.8, max_angular_velocity: 6.0}
";

/// `text` with one piece replaced; the piece must be there.
pub(super) fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}

/// `text` with a line more among the top keys.
pub(super) fn with_top(text: &str, line: &str) -> String {
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

pub(crate) fn config(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The keys with a problem, in order.
pub(super) fn refused(text: &str) -> Vec<String> {
    let problems = read(text).expect_err("it must be refused");
    problems.sorted().iter().map(|problem| problem.key.clone()).collect()
}
