//! A configuration with a lane of each type, and messages for them.

use std::sync::Arc;

use interlock::cdr::{Endian, MessageType, Path, Value, encode};
use interlock::config::load::load;
use interlock::config::model::Config;

use crate::support::Scratch;

/// Lanes in the order in which the configuration has them, with their types.
pub(crate) const LANES: [(&str, &str); 5] = [
    ("array", "std_msgs/msg/Float64MultiArray"),
    ("joints", "sensor_msgs/msg/JointState"),
    ("plan", "trajectory_msgs/msg/JointTrajectory"),
    ("stamped", "geometry_msgs/msg/TwistStamped"),
    ("twist", "geometry_msgs/msg/Twist"),
];

/// Joints of the lanes that have some.
pub(crate) const JOINTS: usize = 29;

/// The params file.
pub(crate) fn params() -> String {
    let joints: Vec<String> = (0..JOINTS).map(|joint| format!("joint_{joint}")).collect();
    let joints = format!(
        "joints: [{}]
        feedback: states
        limits: {{min_position: -3.0, max_position: 3.0, max_velocity: 100000.0, max_acceleration: 1000000000.0}}",
        joints.join(", ")
    );
    let axes = "feedback: none
        because: a test has no robot
        limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1000000.0}}}
        safe: {command: zero_velocity}";
    let rest = |lane: &str| {
        let source = "allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100";
        format!(
            "output: {lane}_out
        independent: true
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        sources:
          high: {{topic: {lane}_high, priority: 100, {source}}}
          low: {{topic: {lane}_low, priority: 10, {source}}}"
        )
    };
    let mut text = String::from(
        "interlock:
  ros__parameters:
    schema: 1
    arm: {settle_s: 0.0}
    http: {enabled: false}
    causes: {gate_stalled: {action: warn}, divergence: {action: ignore}, refusals_sustained: {action: ignore}}
    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, field: data, asserted_when: true, allow_no_heartbeat: true}}
    feedback: {states: {type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}
    lanes:
",
    );
    for (lane, kind) in LANES {
        let own = match lane {
            "array" => format!(
                "interface: position\n        safe: {{command: freeze, tolerance: 9.0}}\n        {joints}"
            ),
            "joints" => format!(
                "interface: position\n        balance: false\n        safe: {{command: freeze, tolerance: 9.0}}\n        {joints}"
            ),
            "plan" => format!(
                "balance: false\n        safe: {{command: hold_point, tolerance: 9.0}}\n        {joints}"
            ),
            _ => axes.to_owned(),
        };
        text += &format!(
            "      {lane}:\n        type: {kind}\n        {own}\n        {}\n",
            rest(lane)
        );
    }
    text
}

/// Reads it, as the node does.
pub(crate) fn config() -> Config {
    let scratch = Scratch::new();
    let file = scratch.write("params.yaml", &params());
    let file = file.to_str().expect("a plain path").to_owned();
    let args = ["--ros-args".to_owned(), "--params-file".to_owned(), file];
    match load(&args) {
        Ok((config, _)) => config,
        Err(problems) => panic!("{problems}"),
    }
}

fn list(value: f64) -> Value {
    Value::List(vec![Value::F64(value); JOINTS])
}

fn names() -> Value {
    Value::List((0..JOINTS).map(|joint| Value::from(format!("joint_{joint}").as_str())).collect())
}

/// A command of a lane with this number everywhere.
pub(crate) fn command(lane: &str, message: &Arc<MessageType>, number: f64) -> Vec<u8> {
    let mut fields = match lane {
        "array" => vec![("data", list(number))],
        "joints" => vec![("name", names()), ("position", list(number))],
        "plan" => vec![
            ("joint_names", names()),
            ("points[0].positions", list(number)),
            ("points[0].time_from_start.sec", Value::Signed(1)),
            ("points[1].positions", list(number)),
            ("points[1].time_from_start.sec", Value::Signed(2)),
        ],
        "stamped" => vec![("twist.linear.x", Value::F64(number))],
        _ => vec![("linear.x", Value::F64(number))],
    };
    if lane == "joints" || lane == "plan" || lane == "stamped" {
        fields.push(("header.frame_id", Value::from("base")));
    }
    bytes(message, &fields)
}

/// A robot that stands still at zero.
pub(crate) fn standing(message: &Arc<MessageType>) -> Vec<u8> {
    bytes(message, &[("name", names()), ("position", list(0.0)), ("velocity", list(0.0))])
}

fn bytes(message: &Arc<MessageType>, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut value = Value::default_of(message);
    for (path, field) in fields {
        let path = Path::parse(path).expect("a path");
        value.set(message, &path, field).expect("a field");
    }
    encode(message, &value, Endian::Little).expect("a message")
}
