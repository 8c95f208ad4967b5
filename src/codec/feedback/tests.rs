use std::time::Duration;

use super::*;
use crate::cdr::Value;
use crate::codec::test_types::{
    bytes, imu_type, joint_state_bytes, joint_state_type, low_state_type, type_of,
};
use crate::config::model::{ChecksumConfig, ChecksumKind, FeedbackType, FieldMap, Reliability};

fn config(kind: FeedbackType) -> FeedbackConfig {
    FeedbackConfig {
        name: "robot".to_owned(),
        feedback_type: kind,
        type_name: String::new(),
        fields: FieldMap::default(),
        joints: Vec::new(),
        joint_index: Vec::new(),
        checksum: None,
        max_tilt: None,
        max_angular_velocity: None,
        topic: "feedback".to_owned(),
        timeout: Duration::from_secs(1),
        reliability: Reliability::BestEffort,
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn codec(joints: &[&str]) -> FeedbackCodec {
    listed(joints, &[])
}

fn listed(joints: &[&str], all: &[&str]) -> FeedbackCodec {
    let config = FeedbackConfig { joints: owned(all), ..config(FeedbackType::JointState) };
    FeedbackCodec::new(&config, &joint_state_type(), Reads::Dimensions(&owned(joints)), &[])
        .unwrap()
}

fn joints<'a>(position: &'a [f64], velocity: &'a [f64]) -> Option<Reading<'a>> {
    Some(Reading::Joints(Sample { position, velocity }))
}

#[test]
fn when_the_message_has_more_joints_in_another_order_expect_the_lanes_own() {
    let mut codec = codec(&["knee", "hip"]);
    let bytes =
        joint_state_bytes(&["hip", "wrist", "knee"], &[0.1, 0.2, 0.3], &[1.0, 2.0, 3.0], &[]);
    assert_eq!(codec.read(&bytes), joints(&[0.3, 0.1], &[3.0, 1.0]));
    // The order may change from one message to the next.
    let bytes = joint_state_bytes(&["knee", "hip"], &[0.5, 0.6], &[], &[]);
    assert_eq!(codec.read(&bytes), joints(&[0.5, 0.6], &[]));
}

#[test]
fn when_a_joint_is_missing_or_counts_differ_expect_nothing() {
    let mut codec = codec(&["knee", "hip"]);
    assert!(codec.read(&joint_state_bytes(&["knee"], &[0.1], &[], &[])).is_none());
    assert_eq!(codec.missing(), Some(1), "the hip");
    assert!(codec.read(&joint_state_bytes(&["knee", "hip"], &[0.1], &[], &[])).is_none());
    assert_eq!(codec.missing(), None, "both are named");
    assert!(codec.read(&joint_state_bytes(&[], &[0.1, 0.2], &[], &[])).is_none(), "no names");
    assert_eq!(codec.missing(), Some(0));
    assert!(codec.read(&[0, 1]).is_none());
    assert_eq!(codec.missing(), None);
    assert!(codec.read(&joint_state_bytes(&["knee", "hip"], &[0.1, 0.2], &[], &[])).is_some());
    assert_eq!(codec.missing(), None);
}

#[test]
fn when_a_quantity_is_nan_for_all_joints_expect_it_not_carried_until_it_was() {
    let nan = [f64::NAN, f64::NAN];
    let mut codec = codec(&["knee", "hip"]);
    let without = joint_state_bytes(&["knee", "hip"], &[0.1, 0.2], &nan, &[]);
    assert_eq!(codec.read(&without), joints(&[0.1, 0.2], &[]), "hardware without velocities");
    assert_eq!(codec.not_finite(), None);
    // The wrist is not of this lane.
    let others = [f64::NAN, 3.0, f64::NAN];
    let others = joint_state_bytes(&["knee", "wrist", "hip"], &[0.1, 0.5, 0.2], &others, &[]);
    assert_eq!(codec.read(&others), joints(&[0.1, 0.2], &[]));
    for broken in [[1.0, f64::NAN], [f64::NAN, f64::INFINITY], [2.0, f64::NEG_INFINITY]] {
        assert!(
            codec.read(&joint_state_bytes(&["knee", "hip"], &[0.1, 0.2], &broken, &[])).is_none()
        );
        assert_eq!(codec.not_finite(), Some(usize::from(!broken[0].is_nan())), "{broken:?}");
        assert_eq!(codec.missing(), None);
    }
    let nowhere = joint_state_bytes(&["knee", "hip"], &nan, &[1.0, 2.0], &[]);
    assert_eq!(codec.read(&nowhere), None, "there were positions before");
    assert_eq!(codec.not_finite(), Some(0));
    let whole = joint_state_bytes(&["knee", "hip"], &[0.1, 0.2], &[1.0, 2.0], &[]);
    assert_eq!(codec.read(&whole), joints(&[0.1, 0.2], &[1.0, 2.0]));
    assert_eq!(codec.not_finite(), None);
    assert_eq!(codec.read(&without), None, "and velocities");
    assert_eq!(codec.not_finite(), Some(0));
}

#[test]
fn when_the_params_file_lists_the_joints_expect_a_message_without_names_in_their_order() {
    let mut codec = listed(&["knee", "hip"], &["hip", "wrist", "knee"]);
    let unnamed = joint_state_bytes(&[], &[0.1, 0.2, 0.3], &[], &[]);
    assert_eq!(codec.read(&unnamed), joints(&[0.3, 0.1], &[]));
    let named = joint_state_bytes(&["knee", "hip"], &[0.5, 0.6], &[], &[]);
    assert_eq!(codec.read(&named), joints(&[0.5, 0.6], &[]), "names win");
    assert!(codec.read(&joint_state_bytes(&[], &[0.1, 0.2], &[], &[])).is_none(), "one too few");
    assert_eq!(codec.read(&unnamed), joints(&[0.3, 0.1], &[]), "after named ones too");
    let config = FeedbackConfig { joints: owned(&["hip"]), ..config(FeedbackType::JointState) };
    let lane = owned(&["knee"]);
    let error = FeedbackCodec::new(&config, &joint_state_type(), Reads::Dimensions(&lane), &[]);
    let error = error.unwrap_err().to_string();
    assert_eq!(
        error,
        "feedback.robot.joints does not have `knee`, which the lane that uses it has"
    );
}

/// A state of the vendor-like robot, sealed.
fn state(machine: i64, seal: bool) -> Vec<u8> {
    let mut fields: Vec<(String, Value)> =
        vec![("mode_machine".to_owned(), Value::Signed(machine))];
    for motor in 0..35_u32 {
        let q = Value::F64(f64::from(motor) / 8.0);
        fields.push((format!("motor_state[{motor}].q"), q));
        fields.push((format!("motor_state[{motor}].dq"), Value::F64(-f64::from(motor))));
    }
    fields.push(("motor_state[3].vol".to_owned(), Value::F32(f32::NAN)));
    let fields: Vec<(&str, Value)> =
        fields.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    let mut bytes = bytes(&low_state_type(), &fields);
    if seal {
        let path = Path::parse("crc").unwrap();
        let mut checksum = StructChecksum::unitree_crc32(&low_state_type(), &path).unwrap();
        checksum.write(&mut bytes, crate::cdr::Endian::Little).unwrap();
    }
    bytes
}

fn vendor() -> FeedbackConfig {
    let some = |path: &str| Some(Path::parse(path).unwrap());
    FeedbackConfig {
        fields: FieldMap {
            position: some("motor_state[].q"),
            velocity: some("motor_state[].dq"),
            ..FieldMap::default()
        },
        joints: owned(&["hip", "knee", "ankle"]),
        joint_index: vec![2, 34, 7],
        checksum: Some(ChecksumConfig {
            field: Path::parse("crc").unwrap(),
            kind: ChecksumKind::UnitreeCrc32,
        }),
        ..config(FeedbackType::Mapped)
    }
}

#[test]
fn when_feedback_is_mapped_expect_the_lanes_joints_and_the_mirrored_mode() {
    let mirrors = [Path::parse("mode_machine").unwrap()];
    let lane = owned(&["ankle", "knee"]);
    let mut codec =
        FeedbackCodec::new(&vendor(), &low_state_type(), Reads::Dimensions(&lane), &mirrors)
            .unwrap();
    assert_eq!(codec.mirrored(0), None);
    assert_eq!(codec.read(&state(5, true)), joints(&[0.875, 4.25], &[-7.0, -34.0]));
    assert_eq!(codec.mirrored(0), Some(5));
    assert_eq!(codec.read(&state(6, false)), None, "a wrong checksum");
    assert_eq!(codec.mirrored(0), None, "nothing of it is believed");
    let mut mirrors_only =
        FeedbackCodec::new(&vendor(), &low_state_type(), Reads::Mirrors, &mirrors).unwrap();
    assert_eq!(mirrors_only.read(&state(7, true)), Some(Reading::Mirrors));
    assert_eq!(mirrors_only.mirrored(0), Some(7));
    let float = [Path::parse("motor_state[0].q").unwrap()];
    let error = FeedbackCodec::new(&vendor(), &low_state_type(), Reads::Mirrors, &float);
    assert!(error.unwrap_err().to_string().contains("mirror: `motor_state[0].q` is float32"));
}

#[test]
fn when_mapped_feedback_has_names_or_any_length_expect_it_by_name_or_place() {
    let some = |path: &str| Some(Path::parse(path).unwrap());
    let message = type_of(&[("motors", "motor[]"), ("plain", "float64[]")]);
    let mut named = config(FeedbackType::Mapped);
    named.fields.names = some("motors[].name");
    named.fields.position = some("motors[].q");
    let lane = owned(&["hip"]);
    let mut codec = FeedbackCodec::new(&named, &message, Reads::Dimensions(&lane), &[]).unwrap();
    let sent = [
        ("motors[1].name", Value::from("hip")),
        ("motors[1].q", Value::F64(0.5)),
        ("plain[1]", Value::F64(0.25)),
    ];
    assert_eq!(codec.read(&bytes(&message, &sent)), joints(&[0.5], &[]));
    assert_eq!(codec.read(&bytes(&message, &sent[2..])), None, "no such joint");
    let mut plain = config(FeedbackType::Mapped);
    plain.fields.velocity = some("plain");
    plain.joint_index = vec![1];
    let mut codec = FeedbackCodec::new(&plain, &message, Reads::Dimensions(&lane), &[]).unwrap();
    assert_eq!(codec.read(&bytes(&message, &sent)), joints(&[], &[0.25]));
    assert_eq!(codec.read(&bytes(&message, &[])), None, "too short");
    plain.fields.velocity = None;
    let error = FeedbackCodec::new(&plain, &message, Reads::Dimensions(&lane), &[]);
    assert!(error.unwrap_err().to_string().contains("is missing"));
    plain.fields.velocity = some("motors[].name");
    let error = FeedbackCodec::new(&plain, &message, Reads::Dimensions(&lane), &[]);
    assert!(error.unwrap_err().to_string().contains("fields.velocity: `motors[].name` is string"));
}

fn imu(w: f64, x: f64, y: f64, z: f64, rates: [f64; 3]) -> Vec<u8> {
    let fields = [
        ("orientation.w", Value::F64(w)),
        ("orientation.x", Value::F64(x)),
        ("orientation.y", Value::F64(y)),
        ("orientation.z", Value::F64(z)),
        ("angular_velocity.x", Value::F64(rates[0])),
        ("angular_velocity.y", Value::F64(rates[1])),
        ("angular_velocity.z", Value::F64(rates[2])),
        ("linear_acceleration.x", Value::F64(f64::NAN)),
    ];
    bytes(&imu_type(), &fields)
}

#[test]
fn when_an_imu_is_read_expect_the_tilt_whatever_the_heading_and_the_angular_velocity() {
    let config = config(FeedbackType::Imu);
    let mut codec = FeedbackCodec::new(&config, &imu_type(), Reads::Dimensions(&[]), &[]).unwrap();
    let mut body = |bytes: &[u8]| match codec.read(bytes) {
        Some(Reading::Body(body)) => Some(body),
        None => None,
        other => panic!("{other:?}"),
    };
    for yaw in [-3.0_f64, -0.5, 0.0, 1.0, 2.5] {
        for tilt in [0.0_f64, 1e-9, 0.3, 1.2, 3.0] {
            // About the body's own x after a turn about the vertical: q = q_yaw * q_roll.
            let ((yaw_sin, yaw_cos), (sin, cos)) = ((yaw / 2.0).sin_cos(), (tilt / 2.0).sin_cos());
            let (w, x) = (yaw_cos * cos, yaw_cos * sin);
            let (y, z) = (yaw_sin * sin, yaw_sin * cos);
            for scale in [1.0, -1.0, 1.009, 0.991] {
                let bytes = imu(w * scale, x * scale, y * scale, z * scale, [0.0, 3.0, -4.0]);
                let found = body(&bytes).unwrap();
                assert!((found.tilt.unwrap() - tilt).abs() < 1e-12, "{yaw} {tilt}: {found:?}");
                assert_eq!(found.angular_velocity, Some(5.0));
            }
        }
    }
    for w in [0.0, 0.98, 1.02, f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(body(&imu(w, 0.0, 0.0, 0.0, [0.0; 3])), None, "{w}");
    }
    assert_eq!(body(&imu(1.0, 0.0, 0.0, 0.0, [0.0, f64::NAN, 0.0])), None);
    assert_eq!(body(&imu(1.0, 0.0, 0.0, 0.0, [f64::MAX, f64::MAX, 0.0])), None, "overflows");
    let mut without = imu(0.0, 0.0, 0.0, 0.0, [0.0, 0.0, 1.5]);
    let at = 4 + 8 + 8 + 32;
    without[at..at + 8].copy_from_slice(&(-1.0_f64).to_le_bytes());
    let found = body(&without).unwrap();
    assert_eq!(found, Body { tilt: None, angular_velocity: Some(1.5) }, "no orientation");
}
