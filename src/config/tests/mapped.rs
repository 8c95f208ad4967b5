//! Types without a built-in map, and lanes below a balance loop.

use std::time::Duration;

use super::{ARM, MOTORS, config, refused, with};
use crate::config::model::{
    ChecksumKind, CommandType, Engage, FeedbackType, Handover, Interface, OnLimit, SilenceThen,
    UnusedElements,
};
use crate::gate::safe::SafeCommand;

#[test]
fn a_vendor_s_type_is_read_by_its_fields() {
    let config = config(MOTORS);
    let lane = &config.lanes[0];
    assert_eq!(
        (lane.command_type, lane.type_name.as_str()),
        (CommandType::Mapped, "vendor_msgs/msg/LowCmd")
    );
    assert_eq!(
        (lane.interface, lane.joint_index.as_slice()),
        (Interface::Position, [3, 0].as_slice())
    );
    assert_eq!(lane.fields.position.as_ref().unwrap().to_string(), "motor_cmd[].q");
    assert_eq!(lane.fields.kd.as_ref().unwrap().to_string(), "motor_cmd[].kd");
    assert_eq!((&lane.fields.stamp, &lane.fields.names), (&None, &None));
    assert_eq!(lane.keep[0].to_string(), "level");
    assert_eq!(lane.unused_elements, UnusedElements::Zero);
    let [machine, mode] = lane.fixed.as_slice() else { panic!("two") };
    assert_eq!((machine.name.as_str(), machine.safe), ("machine", None));
    let mirror = machine.mirror.as_ref().unwrap();
    assert_eq!((mirror.feedback, mirror.field.to_string().as_str()), (1, "mode_machine"));
    assert_eq!((mode.allowed.as_slice(), mode.safe), ([0, 1].as_slice(), Some(1)));
    assert_eq!(lane.checksum.as_ref().unwrap().kind, ChecksumKind::UnitreeCrc32);
    let limits = lane.limits[1];
    assert_eq!((limits.kp, limits.kd, limits.total_effort), (Some(200.0), Some(10.0), Some(90.0)));
    assert!(!limits.locked && !limits.gains_unlimited);
    let imu = &config.feedback[0];
    assert_eq!((imu.max_tilt, imu.max_angular_velocity), (Some(0.8), Some(6.0)));
    let feedback = &config.feedback[1];
    assert_eq!(feedback.feedback_type, FeedbackType::Mapped);
    assert_eq!(
        (feedback.type_name.as_str(), feedback.joint_index.as_slice()),
        ("vendor_msgs/msg/LowState", [3, 0].as_slice())
    );
}

#[test]
fn a_balance_lane_has_nothing_that_alters() {
    let lane = &config(MOTORS).lanes[0];
    assert!(lane.balance);
    assert_eq!((lane.start_ramp, lane.handover), (Duration::ZERO, Handover::NONE));
    assert_eq!(lane.silence, SilenceThen::Kill(Duration::ZERO));
    assert_eq!(
        (lane.safe, lane.safe_targets.as_slice()),
        (SafeCommand::Damping, [3.0, 3.0].as_slice())
    );
    assert_eq!(lane.on_limit.position, OnLimit::Reject);
    assert_eq!(lane.on_limit.total_effort, OnLimit::Reject);
    let limits = lane.limits[0];
    assert_eq!((limits.acceleration, limits.deceleration, limits.jerk), (None, None, None));
}

#[test]
fn hazard_40_gate_distorts_balance_in_the_configuration() {
    // Whatever would change a command below a balance loop is refused by its key.
    for (line, key) in [
        ("start_ramp_s: 1.0", "start_ramp_s"),
        ("start_ramp_s: 0.0", "start_ramp_s"),
        ("handover: {duration_s: 1.0}", "handover.duration_s"),
        ("handover: {limit_scale: 0.5}", "handover.limit_scale"),
        ("groups: {both: [hip, knee]}", "groups"),
        ("on_limit: {position: limit}", "on_limit.position"),
        ("on_limit: {total_effort: limit}", "on_limit.total_effort"),
        ("silence: {then: hold}", "silence.then"),
        ("joint_limits: {hip: {max_acceleration: 9.0}}", "joint_limits.hip.max_acceleration"),
        ("joint_limits: {hip: {max_deceleration: 9.0}}", "joint_limits.hip.max_deceleration"),
        ("joint_limits: {hip: {max_jerk: 9.0}}", "joint_limits.hip.max_jerk"),
    ] {
        let text = with(
            MOTORS,
            "        balance: true",
            &format!("        balance: true\n        {line}"),
        );
        assert_eq!(refused(&text), [format!("lanes.legs.{key}")], "{line}");
    }
    for word in ["freeze, tolerance: 0.1", "hold_point, tolerance: 0.1", "zero_velocity"] {
        let text = with(MOTORS, "damping, kd: 3.0", word);
        assert_eq!(refused(&text), ["lanes.legs.safe.command"], "{word}");
    }
    for (more, key) in [("limit_scale: 0.5", "limit_scale"), ("engage: blend", "engage")] {
        let text = with(MOTORS, "max_rate_hz: 500.0", &format!("max_rate_hz: 500.0, {more}"));
        assert_eq!(refused(&text), [format!("lanes.legs.sources.walk.{key}")]);
    }
    let reject = "balance: true\n        on_limit: {position: reject}";
    assert!(config(&with(MOTORS, "balance: true", reject)).lanes[0].balance);
}

#[test]
fn gains_and_efforts_are_limited_or_listed() {
    for kind in ["effort", "kp", "kd", "total_effort"] {
        let text =
            ["max_effort: 60.0,", "max_kp: 200.0, ", "max_kd: 10.0, ", ", max_total_effort: 90.0"]
                .into_iter()
                .filter(|piece| piece.contains(&format!("max_{kind}:")))
                .fold(MOTORS.to_owned(), |text, piece| with(&text, piece, ""));
        let joints = ["lanes.legs.joint_limits.hip", "lanes.legs.joint_limits.knee"];
        assert_eq!(refused(&text), joints, "{kind}");
        let free =
            with(&text, "        safe:", &format!("        unlimited: [{kind}]\n        safe:"));
        let limits = config(&free).lanes[0].limits[0];
        assert_eq!(limits.effort_unlimited, kind == "effort");
        assert_eq!(limits.gains_unlimited, kind == "kp" || kind == "kd");
    }
}

#[test]
fn fields_on_a_built_in_type_replace_its_map() {
    // A mixed vector: two joints and a gripper that no safe command opens.
    let text = with(
        ARM,
        "        joints: [",
        "        fields: {position: 'data[0..2]'}\n        keep: ['data[2]']\n        joints: [",
    );
    let lane = &config(&text).lanes[0];
    assert_eq!(
        (lane.command_type, lane.type_name.as_str()),
        (CommandType::Mapped, "std_msgs/msg/Float64MultiArray")
    );
    assert_eq!(lane.keep[0].to_string(), "data[2]");
    assert_eq!(lane.sources[0].engage, Engage::Blend);
    assert_eq!(
        (lane.start_ramp, lane.handover),
        (Duration::from_secs(1), Handover { duration: Duration::from_secs(1), limit_scale: 0.3 })
    );
    let text = with(&text, "        interface: position\n", "");
    assert_eq!(
        config(&text).lanes[0].interface,
        Interface::Position,
        "only one quantity is mapped"
    );
}

#[test]
fn an_effort_lane_needs_efforts_and_an_answer_about_balance() {
    let text = with(ARM, "interface: position", "interface: effort");
    let text = with(
        &text,
        "{min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 5.0}",
        "{max_effort: 5.0}",
    );
    let text =
        with(&text, "{command: freeze, tolerance: 0.1}", "{command: values, values: [0.0, 1.0]}");
    assert_eq!(refused(&text), ["lanes.arm.balance"]);
    let text = with(&text, "joints: [", "balance: false\n        joints: [");
    let lane = &config(&text).lanes[0];
    assert_eq!(lane.interface, Interface::Effort);
    assert_eq!(
        (lane.safe, lane.safe_targets.as_slice()),
        (SafeCommand::Values, [0.0, 1.0].as_slice())
    );
    assert_eq!((lane.limits[0].effort, lane.limits[0].velocity), (Some(5.0), None));
    assert_eq!(lane.sources[0].engage, Engage::Neutral);
    assert_eq!(refused(&with(&text, "[0.0, 1.0]", "[0.0, 6.0]")), ["lanes.arm.safe.values"]);
}

#[test]
fn hazard_20_partial_or_reordered_joints_of_a_feedback() {
    // The lane's joints are motors 3 and 0: without an answer the feedback would tell of 0 and 1.
    let without = with(MOTORS, "        joint_index: [3, 0]\n        checksum", "        checksum");
    assert_eq!(refused(&without), ["feedback.low_state.joint_index"]);
    // With the joints' names, or in the arrays' own order, nothing is in doubt.
    let named = with(
        &without,
        "        fields: {position: 'motor_state[].q'",
        "        joints: [knee, left, right, hip]\n        fields: {position: 'motor_state[].q'",
    );
    assert_eq!(config(&named).feedback[1].joints.len(), 4);
    let plain = with(&without, "        joint_index: [3, 0]\n", "");
    assert_eq!(config(&plain).lanes[0].joint_index, [0, 1]);
}

/// [`MOTORS`] with the two motors on lanes of their own, that share the feedback.
fn two_lanes() -> String {
    let (before, rest) = MOTORS.split_once("      legs:\n").expect("the lane");
    let (lane, after) = rest.split_once("    feedback:\n").expect("the feedback");
    let lane = with(lane, "joints: [hip, knee]\n        joint_index: [3, 0]", "joints: [hip]");
    let other = with(&with(&lane, "[hip]", "[knee]"), "output: lowcmd", "output: lowcmd_2");
    let other = with(&other, "topic: walk", "topic: walk_2");
    let after = with(after, "        joint_index: [3, 0]\n", "");
    format!("{before}      legs:\n{lane}      other:\n{other}    feedback:\n{after}")
}

#[test]
fn when_two_lanes_share_arrays_without_joints_expect_the_second_refused() {
    let text = two_lanes();
    assert_eq!(refused(&text), ["lanes.other.feedback"]);
    // Places alone do not say whose they are.
    let fields = "        fields: {position: 'motor_state[].q'";
    let placed = with(&text, fields, &format!("        joint_index: [3]\n{fields}"));
    assert_eq!(refused(&placed), ["lanes.other.feedback"]);
    let listed = with(&text, fields, &format!("        joints: [hip, knee]\n{fields}"));
    assert_eq!(config(&listed).lanes.len(), 2);
    // The same joints are the same places.
    let same = with(&text, "joints: [knee]", "joints: [hip]");
    assert_eq!(config(&same).lanes.len(), 2);
}
