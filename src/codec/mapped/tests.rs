//! Lanes of types that have no built-in map.

mod errors;
mod random;
mod reasons;
mod vendor;

use std::sync::Arc;

use crate::cdr::{MessageType, Path, Value};
use crate::codec::CodecError;
use crate::codec::command::CommandCodec;
use crate::codec::safe::{Missing, SafeMessage};
use crate::codec::test_types::{
    bytes, low_cmd_type, multi_array_type, numbers, texts, twist_type, type_of,
};
use crate::config::model::{
    ChecksumConfig, ChecksumKind, CommandType, FieldMap, FixedField, Interface, LaneConfig, Mirror,
    UnusedElements, test_lane,
};
use crate::gate::check::Refusal;
use crate::gate::command::Command;
use crate::gate::limits::Bounds;
use crate::gate::safe::SafeCommand;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;

const FREEZE: SafeCommand = SafeCommand::Freeze { tolerance: 0.1 };

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn some(text: &str) -> Option<Path> {
    Some(path(text))
}

fn fixed(name: &str, field: &str, allowed: &[i64], safe: Option<i64>) -> FixedField {
    let (name, field, allowed) = (name.to_owned(), path(field), allowed.to_vec());
    FixedField { name, field, allowed, safe, mirror: None }
}

fn mapped(joints: &[&str], fields: FieldMap) -> LaneConfig {
    LaneConfig { fields, ..test_lane(CommandType::Mapped, joints) }
}

fn position(at: &str) -> FieldMap {
    FieldMap { position: some(at), ..FieldMap::default() }
}

struct Under {
    codec: CommandCodec,
    command: Command,
    safe: SafeMessage,
}

fn built(lane: &LaneConfig, message: &Arc<MessageType>) -> Result<Under, CodecError> {
    let codec = CommandCodec::new(lane, message, 4096)?;
    let safe = SafeMessage::new(lane, message, codec.clone(), 4096)?;
    Ok(Under { command: codec.new_command(), codec, safe })
}

impl Under {
    fn decode(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.codec.decode(bytes, &mut self.command)
    }

    fn reason(&mut self, bytes: &[u8]) -> Option<Reason> {
        self.decode(bytes).err().map(|refusal| refusal.reason)
    }
}

#[test]
fn hazard_48_grip_lost_on_stop() {
    let joints = ["a", "b", "c", "d", "e", "f", "g"];
    let message = multi_array_type();
    let array = |values: &[f64]| bytes(&message, &[("data", numbers(values))]);
    let grip = f64::from_bits(0x3FE1_2345_6789_ABCD);
    let pose = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
    // With a map of its own, and as the type's built-in map with `keep`.
    let own = LaneConfig { keep: vec![path("data[7]")], ..mapped(&joints, position("data[0..7]")) };
    let built_in = LaneConfig {
        fields: position("data[0..7]"),
        keep: vec![path("data[7]")],
        ..test_lane(CommandType::Float64MultiArray, &joints)
    };
    for lane in [own, built_in] {
        let mut arm = built(&lane, &message).unwrap();
        assert_eq!(arm.safe.missing(), Some(Missing::Command), "no grip is made up");
        assert_eq!(arm.safe.render(FREEZE, &pose, &[], WallTime::default()), None);
        let command: Vec<f64> = pose.iter().copied().chain([grip]).collect();
        let mut sent = array(&command);
        arm.decode(&sent).unwrap();
        assert_eq!(arm.command.position, pose);
        // Limited: the grip stays to the last bit.
        arm.command.position.fill(0.05);
        assert!(arm.codec.encode(&mut sent, &arm.command));
        let mut expected = [0.05; 8];
        expected[7] = grip;
        assert_eq!(sent, array(&expected));
        // Hold, kill, reset: the newest forwarded grip, whatever pose is held.
        arm.safe.remember(&sent, true);
        for value in [0.0, -0.3, 1.0] {
            expected[..7].fill(value);
            let out = arm.safe.render(FREEZE, &[value; 7], &[], WallTime::default());
            assert_eq!(out, Some(array(&expected).as_slice()));
        }
        assert_eq!(arm.reason(&array(&pose)), Some(Reason::WrongCount), "no grip");
        let longer: Vec<f64> = command.iter().copied().chain([0.0]).collect();
        assert_eq!(arm.reason(&array(&longer)), Some(Reason::WrongCount), "one more");
        expected[7] = f64::NAN;
        assert_eq!(arm.reason(&array(&expected)), Some(Reason::NotFinite), "a grip of NaN");
    }
}

#[test]
fn when_a_valid_command_was_not_forwarded_expect_the_safe_message_built_on_it() {
    let message = type_of(&[("q", "float64[2]"), ("k", "float64[2]"), ("d", "float64[2]")]);
    let fields = FieldMap { kp: some("k"), kd: some("d"), ..position("q") };
    let mut lane = mapped(&["a", "b"], fields);
    lane.limits[0].kp = Some(30.0);
    let mut arm = built(&lane, &message).unwrap();
    assert_eq!(arm.safe.missing(), Some(Missing::Command), "gains of zero would drop the arm");
    let gains = |k: &[f64], d: &[f64], q: &[f64]| {
        bytes(&message, &[("q", numbers(q)), ("k", numbers(k)), ("d", numbers(d))])
    };
    arm.safe.remember_unsent(&gains(&[40.0, 40.0], &[1.0, 2.0], &[0.9, 0.9]), true);
    let out = arm.safe.render(FREEZE, &[0.1, 0.2], &[], WallTime::default()).unwrap();
    assert_eq!(out, gains(&[30.0, 40.0], &[1.0, 2.0], &[0.1, 0.2]), "cut to the limit");
    // A description's limits come later.
    lane.limits[0].kp = Some(20.0);
    lane.limits[1].kp = Some(25.0);
    arm.safe.set_limits(&lane.limits);
    arm.safe.set_limits(&lane.limits[..1]);
    let out = arm.safe.render(FREEZE, &[0.1, 0.2], &[], WallTime::default()).unwrap();
    assert_eq!(out, gains(&[20.0, 25.0], &[1.0, 2.0], &[0.1, 0.2]), "cut to the new ones");
    // Once one is forwarded, only those count.
    arm.safe.remember(&gains(&[7.0, 7.0], &[1.0, 1.0], &[0.0, 0.0]), true);
    arm.safe.remember_unsent(&gains(&[9.0, 9.0], &[9.0, 9.0], &[9.0, 9.0]), true);
    let out = arm.safe.render(FREEZE, &[0.1, 0.2], &[], WallTime::default()).unwrap();
    assert_eq!(out, gains(&[7.0, 7.0], &[1.0, 1.0], &[0.1, 0.2]));
}

#[test]
fn when_a_command_was_not_forwarded_expect_nothing_of_it_beyond_the_limits_in_a_safe_message() {
    let message = type_of(&[("q", "float64[2]"), ("k", "float64[2]"), ("tau", "float64[2]")]);
    let fields = FieldMap { kp: some("k"), effort: some("tau"), ..position("q") };
    let mut lane = mapped(&["a", "b"], fields);
    lane.interface = Interface::Effort;
    lane.safe = SafeCommand::Values;
    lane.safe_targets = vec![0.0, 0.0];
    lane.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
    lane.limits[1].position = None;
    let mut arm = built(&lane, &message).unwrap();
    let frame = |q: &[f64], k: &[f64]| {
        bytes(&message, &[("q", numbers(q)), ("k", numbers(k)), ("tau", numbers(&[0.0, 0.0]))])
    };
    // A gain below zero drives away from the target, and a pose is held with those gains.
    arm.safe.remember_unsent(&frame(&[9.0, 9.0], &[-50.0, 40.0]), true);
    let out = arm.safe.render(SafeCommand::Values, &[], &[0.0, 0.0], WallTime::default());
    assert_eq!(out, Some(frame(&[1.0, 9.0], &[0.0, 40.0]).as_slice()));
    arm.safe.remember_unsent(&frame(&[-9.0, 9.0], &[40.0, -1.0]), true);
    let out = arm.safe.render(SafeCommand::Values, &[], &[0.0, 0.0], WallTime::default());
    assert_eq!(out, Some(frame(&[-1.0, 9.0], &[40.0, 0.0]).as_slice()));
}

#[test]
fn when_a_command_came_before_the_mirrored_field_expect_that_still_awaited() {
    let message = type_of(&[("q", "float64[1]"), ("k", "float64[1]"), ("mode", "uint8")]);
    let mut lane = mapped(&["a"], FieldMap { kp: some("k"), ..position("q") });
    let mut mode = fixed("mode", "mode", &[], None);
    mode.mirror = Some(Mirror { feedback: 0, field: path("mode") });
    lane.fixed = vec![mode];
    let mut arm = built(&lane, &message).unwrap();
    let frame =
        |mode| bytes(&message, &[("q", numbers(&[0.1])), ("k", numbers(&[9.0])), ("mode", mode)]);
    assert_eq!(arm.safe.missing(), Some(Missing::Command));
    arm.safe.remember_unsent(&frame(Value::Unsigned(77)), true);
    assert_eq!(arm.safe.missing(), Some(Missing::Mirror(0)), "whose 77 is that?");
    arm.safe.set_mirror(0, 5);
    assert_eq!(arm.safe.missing(), None);
    let out = arm.safe.render(FREEZE, &[0.1], &[], WallTime::default());
    assert_eq!(out, Some(frame(Value::Unsigned(5)).as_slice()));
}

/// A motor that is off does not damp, and nobody armed the command that turned it off.
#[test]
fn when_a_command_was_not_forwarded_expect_fixed_fields_at_their_safe_values() {
    let message =
        type_of(&[("q", "float64[1]"), ("d", "float64[1]"), ("mode", "uint8"), ("grip", "uint8")]);
    let mut lane = mapped(&["a"], FieldMap { kd: some("d"), ..position("q") });
    lane.safe = SafeCommand::Damping;
    lane.safe_targets = vec![2.0];
    lane.keep = vec![path("grip")];
    lane.fixed = vec![fixed("mode", "mode", &[0, 1], Some(1))];
    let mut arm = built(&lane, &message).unwrap();
    let frame = |mode, grip, d| {
        let whole = |value| Value::Unsigned(value);
        let numbers = [("q", numbers(&[0.1])), ("d", numbers(&[d]))];
        bytes(
            &message,
            &[numbers.as_slice(), &[("mode", whole(mode)), ("grip", whole(grip))]].concat(),
        )
    };
    arm.safe.remember_unsent(&frame(0, 7, 0.5), true);
    let out = arm.safe.render(SafeCommand::Damping, &[], &[], WallTime::default());
    assert_eq!(out, Some(frame(1, 7, 2.0).as_slice()));
    // A forwarded one was let through with its mode.
    arm.safe.remember(&frame(0, 7, 0.5), true);
    let out = arm.safe.render(SafeCommand::Damping, &[], &[], WallTime::default());
    assert_eq!(out, Some(frame(0, 7, 2.0).as_slice()));
}

#[test]
fn when_the_array_has_any_length_expect_exactly_what_the_map_covers() {
    let message = type_of(&[("motors", "motor[]"), ("extra", "float64[]"), ("more", "float32[]")]);
    let fields = FieldMap { velocity: some("motors[].dq"), ..position("motors[].q") };
    let mut lane = mapped(&["a", "b"], fields);
    lane.joint_index = vec![2, 0];
    let kept = ["motors[].name", "motors[].note", "extra[0..2]", "more"];
    lane.keep = kept.map(path).to_vec();
    let mut arm = built(&lane, &message).unwrap();
    let send = |motors: usize, extra: usize, unused: f64| {
        let mut fields = vec![("extra", numbers(&vec![1.0; extra])), ("more[4]", Value::F32(1.0))];
        let last = format!("motors[{}].q", motors - 1);
        fields.push((&last, Value::F64(0.3)));
        fields.push(("motors[0].q", Value::F64(0.1)));
        fields.push(("motors[1].dq", Value::F64(unused)));
        bytes(&message, &fields)
    };
    arm.decode(&send(3, 2, 0.0)).unwrap();
    assert_eq!(arm.command.position, [0.3, 0.1]);
    for (motors, extra) in [(2, 2), (4, 2), (3, 1), (3, 3), (3, 0)] {
        let bytes = send(motors, extra, 0.0);
        assert_eq!(arm.reason(&bytes), Some(Reason::WrongCount), "{motors} {extra}");
    }
    let refusal = arm.decode(&send(3, 2, 0.5)).unwrap_err();
    assert_eq!((refusal.reason, refusal.found), (Reason::LockedAxis, 0.5), "an unused element");
    assert_eq!(arm.reason(&send(3, 2, 9e-7)), None, "zero within the tolerance");
    assert_eq!(arm.reason(&send(3, 2, f64::NAN)), Some(Reason::NotFinite));
    lane.unused_elements = UnusedElements::Keep;
    let mut arm = built(&lane, &message).unwrap();
    let mut kept = send(3, 2, 0.5);
    arm.decode(&kept).unwrap();
    arm.command.position.fill(0.0);
    assert!(arm.codec.encode(&mut kept, &arm.command));
    assert_eq!(arm.decode(&kept), Ok(()), "kept elements pass");
    assert_eq!(arm.reason(&send(3, 2, f64::INFINITY)), Some(Reason::NotFinite));
}

#[test]
fn hazard_20_partial_or_reordered_joints_of_a_mapped_type() {
    let message = type_of(&[("motors", "motor[]")]);
    let fields = FieldMap {
        velocity: some("motors[].dq"),
        names: some("motors[].name"),
        ..position("motors[].q")
    };
    let mut lane = mapped(&["hip", "knee"], fields);
    lane.keep = vec![path("motors[].note")];
    let send = |named: &[(&str, f64)]| {
        let mut fields: Vec<(String, Value)> = Vec::new();
        for (motor, (name, q)) in named.iter().enumerate() {
            fields.push((format!("motors[{motor}].name"), Value::from(*name)));
            fields.push((format!("motors[{motor}].q"), Value::F64(*q)));
        }
        let fields: Vec<(&str, Value)> =
            fields.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        bytes(&message, &fields)
    };
    let mut arm = built(&lane, &message).unwrap();
    let mut reordered = send(&[("knee", 0.2), ("hip", 0.1)]);
    arm.decode(&reordered).unwrap();
    assert_eq!(arm.command.position, [0.1, 0.2]);
    arm.command.position[1] = 0.0;
    assert!(arm.codec.encode(&mut reordered, &arm.command));
    assert_eq!(reordered, send(&[("knee", 0.0), ("hip", 0.1)]));
    let cases: [(&[(&str, f64)], Reason); 4] = [
        (&[("hip", 0.1)], Reason::WrongCount),
        (&[("hip", 0.1), ("wrist", 0.1)], Reason::UnknownJoint),
        (&[("hip", 0.1), ("hip", 0.1)], Reason::DuplicateJoint),
        (&[], Reason::WrongCount),
    ];
    for (named, expected) in cases {
        assert_eq!(arm.reason(&send(named)), Some(expected), "{named:?}");
    }
    // The safe message has the names from the start.
    let out = arm.safe.render(FREEZE, &[0.5, 0.6], &[], WallTime::default()).unwrap();
    assert_eq!(out, send(&[("hip", 0.5), ("knee", 0.6)]));
    lane.partial = true;
    let mut arm = built(&lane, &message).unwrap();
    arm.decode(&send(&[("knee", 0.2)])).unwrap();
    assert_eq!(arm.command.given, [false, true]);
    assert!(!arm.codec.is_complete());
}

#[test]
fn when_names_and_numbers_are_arrays_beside_each_other_expect_both_and_the_header_stamped() {
    let message = type_of(&[("header", "header"), ("name", "string[]"), ("target", "float32[]")]);
    let fields = FieldMap { names: some("name"), ..position("target") };
    let mut arm = built(&mapped(&["hip", "knee"], fields), &message).unwrap();
    let send = |names: &[&str], target: &[f64], sec: i64| {
        let fields = [
            ("header.stamp.sec", Value::Signed(sec)),
            ("name", texts(names)),
            ("target", numbers(target)),
        ];
        bytes(&message, &fields)
    };
    arm.decode(&send(&["knee", "hip"], &[0.5, 0.25], 3)).unwrap();
    assert_eq!(arm.command.position, [0.25, 0.5]);
    assert_eq!(arm.command.stamp, Some(WallTime::from_nanos(3_000_000_000)));
    let short = send(&["knee", "hip"], &[0.5], 3);
    assert_eq!(arm.reason(&short), Some(Reason::WrongCount));
    arm.safe.remember(&send(&["knee", "hip"], &[0.5, 0.25], 3), true);
    let now = WallTime::from_nanos(9_000_000_000);
    let out = arm.safe.render(FREEZE, &[1.0, 0.0], &[], now).unwrap();
    assert_eq!(out, send(&["knee", "hip"], &[0.0, 1.0], 9));
}

#[test]
fn when_a_single_field_is_mapped_expect_one_joint() {
    let lane = LaneConfig {
        keep: vec![path("linear.y"), path("linear.z"), path("angular")],
        interface: crate::config::model::Interface::Velocity,
        safe: SafeCommand::ZeroVelocity { deceleration: None },
        ..mapped(&["belt"], FieldMap { velocity: some("linear.x"), ..FieldMap::default() })
    };
    let mut belt = built(&lane, &twist_type()).unwrap();
    let send = |x: f64| {
        bytes(&twist_type(), &[("linear.x", Value::F64(x)), ("angular.z", Value::F64(2.0))])
    };
    belt.decode(&send(0.5)).unwrap();
    assert_eq!(belt.command.velocity, [0.5]);
    belt.safe.remember(&send(0.5), true);
    let out = belt.safe.render(lane.safe, &[0.0], &[], WallTime::default());
    assert_eq!(out, Some(send(0.0).as_slice()));
}

#[test]
fn when_numbers_are_float32_expect_a_limited_one_inside_the_limit_and_a_held_one_unchanged() {
    let message = type_of(&[("q", "float32[1]")]);
    let mut lane = mapped(&["a"], position("q"));
    lane.limits[0].position = Some(crate::gate::limits::Bounds { min: -0.1, max: 0.1 });
    let mut arm = built(&lane, &message).unwrap();
    let read = |bytes: &[u8]| f64::from(f32::from_le_bytes(*bytes[4..].first_chunk().unwrap()));
    for (asked, limited) in [(3.0, 0.1), (-3.0, -0.1), (3.0, 1.0 / 3.0), (-0.5, -0.3)] {
        let mut frame = bytes(&message, &[("q", numbers(&[asked]))]);
        arm.decode(&frame).unwrap();
        let mut unchanged = frame.clone();
        assert!(arm.codec.encode(&mut unchanged, &arm.command));
        assert_eq!(unchanged, frame);
        arm.command.position[0] = limited;
        assert!(arm.codec.encode(&mut frame, &arm.command));
        let written = read(&frame);
        assert!(written.abs() <= f64::abs(limited), "{written} is beyond {limited}");
        assert!((written - limited).abs() < 1e-7);
        // What is held is what was sent, to the last bit.
        arm.safe.remember(&frame, true);
        let out = arm.safe.render(FREEZE, &[limited], &[], WallTime::default()).unwrap();
        assert_eq!(out, frame);
    }
    // Another pose, at the bound: inside it.
    let out = arm.safe.render(FREEZE, &[0.1], &[], WallTime::default()).unwrap();
    assert!(read(out) <= 0.1);
    let out = arm.safe.render(FREEZE, &[-0.1], &[], WallTime::default()).unwrap();
    assert!(read(out) >= -0.1);
}
