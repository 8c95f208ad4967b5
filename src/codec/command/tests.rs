use super::*;
use crate::cdr::Value;
use crate::codec::test_types::{
    bytes, joint_state_bytes, joint_state_type, joint_trajectory_type, multi_array_type, numbers,
    texts, twist_stamped_type, twist_type,
};
use crate::config::model::test_lane;

fn codec(kind: CommandType, joints: &[&str], partial: bool) -> (CommandCodec, Command) {
    let mut lane = test_lane(kind, joints);
    lane.partial = partial;
    let message = match kind {
        CommandType::Twist => twist_type(),
        CommandType::TwistStamped => twist_stamped_type(),
        CommandType::Float64MultiArray => multi_array_type(),
        CommandType::JointState => joint_state_type(),
        CommandType::JointTrajectory => joint_trajectory_type(),
        CommandType::Mapped => unreachable!("a mapped lane has tests of its own"),
    };
    let codec = CommandCodec::new(&lane, &message, 65_536).unwrap();
    let command = codec.new_command();
    (codec, command)
}

fn reason(result: Result<(), Refusal>) -> Option<Reason> {
    result.err().map(|refusal| refusal.reason)
}

#[test]
fn when_a_twist_is_read_expect_six_axes_and_the_stamp() {
    let fields = [
        ("header.stamp.sec", Value::Signed(3)),
        ("header.frame_id", Value::from("base_link")),
        ("twist.linear.x", Value::F64(0.5)),
        ("twist.angular.z", Value::F64(-1.0)),
    ];
    let message = bytes(&twist_stamped_type(), &fields);
    let (mut codec, mut command) = codec(CommandType::TwistStamped, &[], false);
    assert_eq!(codec.decode(&message, &mut command), Ok(()));
    assert_eq!(command.velocity, [0.5, 0.0, 0.0, 0.0, 0.0, -1.0]);
    assert_eq!(command.stamp, Some(WallTime::from_nanos(3_000_000_000)));
    // Written back unchanged, not a bit differs; changed, only that number does.
    let mut written = message.clone();
    assert!(codec.encode(&mut written, &command));
    assert_eq!(written, message);
    command.velocity[0] = 0.25;
    assert!(codec.encode(&mut written, &command));
    let differing = written.iter().zip(&message).filter(|(new, old)| new != old).count();
    assert_eq!(differing, 1, "0.5 and 0.25 differ in one byte of the exponent");
}

#[test]
fn when_an_array_has_another_length_expect_wrong_count() {
    let joints = ["a", "b", "c"];
    for (values, expected) in [
        (vec![0.1, 0.2, 0.3], None),
        (vec![0.1, 0.2], Some(Reason::WrongCount)),
        (vec![0.1, 0.2, 0.3, 0.4], Some(Reason::WrongCount)),
        (vec![], Some(Reason::WrongCount)),
    ] {
        let (mut codec, mut command) = codec(CommandType::Float64MultiArray, &joints, false);
        let message = bytes(&multi_array_type(), &[("data", numbers(&values))]);
        let refused = codec.decode(&message, &mut command);
        assert_eq!(reason(refused), expected, "{values:?}");
        if let Err(Refusal { found, bound, .. }) = refused {
            let count = f64::from(u32::try_from(values.len()).unwrap());
            assert_eq!((found, bound), (count, 3.0), "both counts are told");
        }
    }
}

#[test]
fn when_a_joint_index_is_given_expect_the_lanes_order_in_and_the_messages_out() {
    let mut lane = test_lane(CommandType::Float64MultiArray, &["a", "b", "c"]);
    lane.joint_index = vec![2, 0, 1];
    let mut codec = CommandCodec::new(&lane, &multi_array_type(), 4096).unwrap();
    let mut command = codec.new_command();
    let mut message = bytes(&multi_array_type(), &[("data", numbers(&[0.0, 0.1, 0.2]))]);
    codec.decode(&message, &mut command).unwrap();
    assert_eq!(command.position, [0.2, 0.0, 0.1]);
    command.position[0] = 0.9;
    assert!(codec.encode(&mut message, &command));
    assert_eq!(message, bytes(&multi_array_type(), &[("data", numbers(&[0.0, 0.1, 0.9]))]));
}

#[test]
fn hazard_20_partial_or_reordered_joints() {
    let joints = ["hip", "knee", "ankle"];
    let (mut codec, mut command) = codec(CommandType::JointState, &joints, false);
    let mut decode = |names: &[&str], position: &[f64]| {
        let message = joint_state_bytes(names, position, &[], &[]);
        let result = codec.decode(&message, &mut command);
        (reason(result), command.position.clone())
    };
    let (refused, position) = decode(&["ankle", "hip", "knee"], &[0.3, 0.1, 0.2]);
    assert_eq!((refused, position), (None, vec![0.1, 0.2, 0.3]), "matched by name");
    let cases: [(&[&str], &[f64], Reason); 6] = [
        (&["hip", "knee"], &[0.1, 0.2], Reason::WrongCount),
        (&["hip", "knee", "wrist"], &[0.1, 0.2, 0.3], Reason::UnknownJoint),
        (&["hip", "knee", "knee"], &[0.1, 0.2, 0.3], Reason::DuplicateJoint),
        (&["hip", "knee", "ankle", "hip"], &[0.1, 0.2, 0.3, 0.4], Reason::DuplicateJoint),
        (&["hip", "knee", "ankle"], &[0.1, 0.2], Reason::WrongCount),
        (&[], &[], Reason::WrongCount),
    ];
    for (names, position, expected) in cases {
        assert_eq!(decode(names, position).0, Some(expected), "{names:?}");
    }
}

#[test]
fn when_partial_is_allowed_expect_the_named_joints_given_and_written_in_place() {
    let (mut codec, mut command) = codec(CommandType::JointState, &["hip", "knee", "ankle"], true);
    let mut message = joint_state_bytes(&["ankle", "hip"], &[0.3, 0.1], &[], &[]);
    codec.decode(&message, &mut command).unwrap();
    assert_eq!(command.given, [true, false, true]);
    assert!(command.position[1].is_nan());
    assert!(!codec.is_complete());
    command.position[0] = 0.05;
    assert!(codec.encode(&mut message, &command));
    assert_eq!(message, joint_state_bytes(&["ankle", "hip"], &[0.3, 0.05], &[], &[]));
}

fn plan(rows: &[&[f64]], velocities: &[&[f64]]) -> Vec<u8> {
    let mut fields: Vec<(String, Value)> =
        vec![("joint_names".to_owned(), texts(&["knee", "hip"]))];
    for (point, row) in rows.iter().enumerate() {
        fields.push((format!("points[{point}].positions"), numbers(row)));
        let second = Value::Signed(i64::try_from(point).unwrap() + 1);
        fields.push((format!("points[{point}].time_from_start.sec"), second));
    }
    for (point, row) in velocities.iter().enumerate() {
        fields.push((format!("points[{point}].velocities"), numbers(row)));
    }
    let fields: Vec<(&str, Value)> =
        fields.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    bytes(&joint_trajectory_type(), &fields)
}

#[test]
fn when_a_trajectory_is_read_expect_points_in_the_lanes_order_and_times() {
    let (mut codec, mut command) = codec(CommandType::JointTrajectory, &["hip", "knee"], false);
    let message = plan(&[&[0.1, 0.2], &[0.3, 0.4]], &[]);
    codec.decode(&message, &mut command).unwrap();
    assert_eq!(command.points, 2);
    assert_eq!(command.position, [0.2, 0.1, 0.4, 0.3]);
    assert_eq!(command.times, [1_000_000_000, 2_000_000_000]);
    let mut written = message.clone();
    assert!(codec.encode(&mut written, &command));
    assert_eq!(written, message);
}

#[test]
fn when_points_have_uneven_rows_expect_wrong_count() {
    let (mut codec, mut command) = codec(CommandType::JointTrajectory, &["hip", "knee"], false);
    let mut decode = |rows: &[&[f64]], velocities: &[&[f64]]| {
        reason(codec.decode(&plan(rows, velocities), &mut command))
    };
    assert_eq!(decode(&[&[0.1], &[0.1, 0.2, 0.3]], &[]), Some(Reason::WrongCount));
    let rows: &[&[f64]] = &[&[0.1, 0.2], &[0.3, 0.4]];
    assert_eq!(decode(rows, &[&[0.0, 0.0], &[]]), Some(Reason::WrongCount));
    assert_eq!(decode(rows, &[&[0.0, 0.0], &[0.0, 0.0]]), None);
    assert_eq!(decode(&[], &[]), None, "no points");
}

#[test]
fn hazard_31_malformed_bytes_of_every_built_in_type() {
    let joints = ["hip", "knee"];
    let messages = [
        (CommandType::Twist, bytes(&twist_type(), &[])),
        (CommandType::TwistStamped, bytes(&twist_stamped_type(), &[])),
        (
            CommandType::Float64MultiArray,
            bytes(&multi_array_type(), &[("data", numbers(&[0.1, 0.2]))]),
        ),
        (CommandType::JointState, joint_state_bytes(&joints, &[0.1, 0.2], &[], &[])),
        (CommandType::JointTrajectory, plan(&[&[0.1, 0.2]], &[])),
    ];
    for (kind, message) in messages {
        let names: &[&str] = match kind {
            CommandType::Twist | CommandType::TwistStamped => &[],
            CommandType::Float64MultiArray
            | CommandType::JointState
            | CommandType::JointTrajectory
            | CommandType::Mapped => &joints,
        };
        let (mut codec, mut command) = codec(kind, names, false);
        assert_eq!(codec.decode(&message, &mut command), Ok(()), "{kind:?}");
        for length in 0..message.len() {
            let short = message.get(..length).unwrap();
            // What the type does not end with may be cut: only padding is.
            if codec.decode(short, &mut command).is_ok() {
                panic!("{kind:?} cut to {length} of {} was read", message.len());
            }
        }
        for at in 0..message.len() {
            for bit in 0..8 {
                let mut broken = message.clone();
                broken[at] ^= 1 << bit;
                // Whatever it says, it does not panic, and what it accepts can be written back.
                if codec.decode(&broken, &mut command).is_ok() {
                    assert!(codec.encode(&mut broken, &command), "{kind:?} byte {at} bit {bit}");
                }
            }
        }
        let mut trailing = message.clone();
        trailing.extend_from_slice(&[0xAB; 13]);
        assert_eq!(codec.decode(&trailing, &mut command), Ok(()), "trailing bytes are ignored");
    }
}

#[test]
fn when_an_unnamed_number_is_not_finite_expect_it_refused_too() {
    let (mut codec, mut command) = codec(CommandType::JointTrajectory, &["hip", "knee"], false);
    let mut message = plan(&[&[0.1, 0.2]], &[&[0.0, f64::NAN]]);
    codec.decode(&message, &mut command).unwrap();
    assert!(command.velocity.iter().any(|value| value.is_nan()), "left to the gate's check");
    message.clear();
    assert_eq!(reason(codec.decode(&message, &mut command)), Some(Reason::Malformed));
}
