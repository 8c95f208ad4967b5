//! Message types that do not fit their map: the node does not start, and names the field.

use crate::rig::Node;
use crate::support::{Scratch, domain_lease};

/// One position lane of this type with these keys.
fn params(kind: &str, keys: &str) -> String {
    format!(
        "interlock:
  ros__parameters:
    schema: 1
    http: {{enabled: false}}
    lanes:
      body:
        type: {kind}
        interface: position
        output: body_out
        joints: [hip, knee]
        {keys}
        feedback: none
        because: a test has no robot
        limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 10.0}}
        safe: {{command: silent, because: a test}}
        sources: {{agent: {{topic: agent, priority: 10, timeout_s: 1.0, max_rate_hz: 50.0}}}}
"
    )
}

/// Type, keys, and what the refusal says.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn are_refused(cases: &[Case]) {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    for (kind, keys, expected) in cases {
        let file = scratch.write("params.yaml", &params(kind, keys));
        let file = file.to_str().expect("a plain path");
        let scratch = Scratch::new();
        let mut node = Node::start(&lease, &scratch, &["--ros-args", "--params-file", file]);
        assert_eq!(node.ended().code(), Some(78), "{kind} {keys}: {}", node.log());
        for part in *expected {
            assert!(node.log().contains(part), "{kind} {keys}: {part} in\n{}", node.log());
        }
        assert!(node.log().contains("not started"), "{}", node.log());
    }
}

#[test]
fn hazard_57_opaque_payload() {
    are_refused(&[
        // Numbers in a text, in bytes, or beside a text that could say anything.
        (
            "std_msgs/msg/String",
            "fields: {position: 'data'}",
            &["lane body", "`data` of std_msgs/msg/String is string", "opaque payload"],
        ),
        (
            "sensor_msgs/msg/Image",
            "fields: {position: 'data'}",
            &["`data` of sensor_msgs/msg/Image is uint8[]", "opaque payload", "encoding (string)"],
        ),
        (
            "sensor_msgs/msg/ChannelFloat32",
            "fields: {position: 'values[0..2]'}",
            &["`name` of sensor_msgs/msg/ChannelFloat32 is string", "values (float32[])"],
        ),
        ("std_msgs/msg/String", "balance: false", &["has no built-in map", "add `fields`"]),
    ]);
}

#[test]
fn a_map_that_does_not_fit_its_type_is_refused_with_what_the_type_has() {
    are_refused(&[
        (
            "std_msgs/msg/Float64MultiArray",
            "fields: {position: 'date[0..2]'}",
            &["lane body", "no field `date`", "data (float64[])"],
        ),
        (
            "sensor_msgs/msg/Joy",
            "fields: {position: 'buttons[0..2]'}",
            &["`buttons[0..2]` is int32[]", "a float32 or float64 is needed", "axes (float32[])"],
        ),
        (
            "sensor_msgs/msg/Joy",
            "fields: {position: 'axes[0..2]'}",
            &["nothing is said of `buttons[]`", "`keep` or `fixed`"],
        ),
        (
            "sensor_msgs/msg/Joy",
            "fields: {position: 'axes[0..2]'}\n        keep: ['buttons', 'axes[1]']",
            &["`axes[1]` is named by both fields.position and keep"],
        ),
    ]);
}

#[test]
fn a_type_that_is_not_installed_is_refused_with_what_is() {
    are_refused(&[
        (
            "sensor_msgs/msg/Joystick",
            "fields: {position: 'axes[0..2]'}",
            &["lane body", "has no `sensor_msgs/msg/Joystick`", "Joy,"],
        ),
        (
            "nobody_msgs/msg/Joy",
            "fields: {position: 'axes[0..2]'}",
            &["lane body", "package `nobody_msgs`", "is not installed"],
        ),
    ]);
}
