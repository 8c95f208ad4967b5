use super::*;
use crate::codec::test_types::{
    bytes, joint_state_bytes, joint_state_type, joint_trajectory_type, multi_array_type, numbers,
    twist_stamped_type,
};
use crate::config::model::test_lane;

const FREEZE: SafeCommand = SafeCommand::Freeze { tolerance: 0.1 };
const HOLD: SafeCommand = SafeCommand::HoldPoint { tolerance: 0.1 };
const ZERO: SafeCommand = SafeCommand::ZeroVelocity { deceleration: None };
const NOW: WallTime = WallTime::from_nanos(7_000_000_009);

fn safe(kind: CommandType, joints: &[&str], message: &Arc<MessageType>) -> SafeMessage {
    let lane = test_lane(kind, joints);
    let codec = CommandCodec::new(&lane, message, 4096).unwrap();
    SafeMessage::new(&lane, message, codec, 4096).unwrap()
}

#[test]
fn when_nothing_was_forwarded_expect_a_complete_message_of_the_type() {
    let mut array = safe(CommandType::Float64MultiArray, &["a", "b"], &multi_array_type());
    let expected = bytes(&multi_array_type(), &[("data", numbers(&[0.4, -0.2]))]);
    assert_eq!(array.render(FREEZE, &[0.4, -0.2], &[], NOW), Some(expected.as_slice()));

    let mut plan = safe(CommandType::JointTrajectory, &["a"], &joint_trajectory_type());
    let expected = [
        ("joint_names", Value::List(vec![Value::from("a")])),
        ("points[0].positions", numbers(&[0.4])),
        ("points[0].velocities", numbers(&[0.0])),
    ];
    let expected = bytes(&joint_trajectory_type(), &expected);
    assert_eq!(plan.render(HOLD, &[0.4], &[], NOW), Some(expected.as_slice()), "not stamped: now");
}

#[test]
fn when_a_command_was_forwarded_expect_its_other_fields_kept_and_a_fresh_stamp() {
    let message = twist_stamped_type();
    let mut base = safe(CommandType::TwistStamped, &[], &message);
    let forwarded =
        [("header.frame_id", Value::from("base_footprint")), ("twist.linear.x", Value::F64(0.5))];
    base.remember(&bytes(&message, &forwarded), true);
    let expected = [
        ("header.frame_id", Value::from("base_footprint")),
        ("header.stamp.sec", Value::Signed(7)),
        ("header.stamp.nanosec", Value::Unsigned(9)),
    ];
    let expected = bytes(&message, &expected);
    assert_eq!(base.render(ZERO, &[0.0; 6], &[], NOW), Some(expected.as_slice()));
    assert_eq!(base.render(ZERO, &[0.0; 6], &[], NOW), Some(expected.as_slice()));
}

#[test]
fn when_a_forwarded_command_carries_more_expect_that_zero() {
    let mut arms = safe(CommandType::JointState, &["a", "b"], &joint_state_type());
    arms.remember(&joint_state_bytes(&["b", "a"], &[0.1, 0.2], &[1.0, 2.0], &[3.0, 4.0]), true);
    let out = arms.render(FREEZE, &[0.5, 0.6], &[], WallTime::default()).unwrap();
    assert_eq!(out, joint_state_bytes(&["b", "a"], &[0.6, 0.5], &[0.0; 2], &[0.0; 2]));
}

#[test]
fn when_a_forwarded_command_is_partial_expect_the_complete_message_kept() {
    let mut arms = safe(CommandType::JointState, &["a", "b"], &joint_state_type());
    arms.remember(&joint_state_bytes(&["b"], &[0.1], &[], &[]), false);
    let out = arms.render(FREEZE, &[0.5, 0.6], &[], WallTime::default()).unwrap().to_vec();
    let mut codec = CommandCodec::new(
        &test_lane(CommandType::JointState, &["a", "b"]),
        &joint_state_type(),
        4096,
    )
    .unwrap();
    let mut command = codec.new_command();
    codec.decode(&out, &mut command).unwrap();
    assert_eq!(command.position, [0.5, 0.6]);
}

#[test]
fn when_the_safe_command_is_values_expect_the_targets_and_for_silent_nothing() {
    let mut array = safe(CommandType::Float64MultiArray, &["a", "b"], &multi_array_type());
    let expected = bytes(&multi_array_type(), &[("data", numbers(&[0.7, 0.8]))]);
    let out = array.render(SafeCommand::Values, &[9.0, 9.0], &[0.7, 0.8], NOW);
    assert_eq!(out, Some(expected.as_slice()));
    assert_eq!(array.render(SafeCommand::Silent, &[9.0, 9.0], &[], NOW), None);
    assert_eq!(array.render(FREEZE, &[9.0], &[], NOW), None, "one joint too few");
    assert_eq!(array.missing(), None);
}

#[test]
fn when_a_velocity_lane_carries_a_pose_too_expect_no_jump_of_it() {
    let mut lane = test_lane(CommandType::JointState, &["a"]);
    lane.interface = Interface::Velocity;
    lane.safe = ZERO;
    let codec = CommandCodec::new(&lane, &joint_state_type(), 4096).unwrap();
    let mut arm = SafeMessage::new(&lane, &joint_state_type(), codec, 4096).unwrap();
    arm.remember(&joint_state_bytes(&["a"], &[0.4], &[0.5], &[]), true);
    let out = arm.render(ZERO, &[0.0], &[], WallTime::default()).unwrap();
    assert_eq!(out, joint_state_bytes(&["a"], &[0.4], &[0.0], &[]));
}
