//! A vendor-like low-level command: 35 motors of which 29 are joints, modes, gains, a checksum.
//!
//! The checksums are those of a bit-by-bit implementation in Python over `struct.pack` of the C
//! struct (`<2B2x`, 35 times `<B3x5fI`, `<4I`).

use super::*;
use crate::cdr::{Endian, decode, encode};
use crate::codec::command::mirrors_of;

/// The frame of [`frame`], limited, damped after it, and made at start-up.
const FRAME: u64 = 0xFCDE_DD57;
const LIMITED: u64 = 0x1579_2676;
const DAMPED: u64 = 0xA942_E79D;
const START: u64 = 0xE722_DAED;

const USED: u32 = 29;
const MACHINE: i64 = 5;

pub(super) fn lane() -> LaneConfig {
    let joints: Vec<String> = (0..USED).map(|joint| format!("joint_{joint}")).collect();
    let joints: Vec<&str> = joints.iter().map(String::as_str).collect();
    let fields = FieldMap {
        velocity: some("motor_cmd[].dq"),
        effort: some("motor_cmd[].tau"),
        kp: some("motor_cmd[].kp"),
        kd: some("motor_cmd[].kd"),
        ..position("motor_cmd[].q")
    };
    let mut machine = fixed("machine", "mode_machine", &[], None);
    machine.mirror = Some(Mirror { feedback: 0, field: path("mode_machine") });
    let mut lane = mapped(&joints, fields);
    lane.keep = vec![path("motor_cmd[].reserve"), path("reserve")];
    lane.fixed = vec![
        fixed("pr", "mode_pr", &[0, 1], Some(0)),
        machine,
        fixed("motor", "motor_cmd[].mode", &[0, 1], Some(1)),
    ];
    lane.checksum = Some(ChecksumConfig { field: path("crc"), kind: ChecksumKind::UnitreeCrc32 });
    lane.safe = SafeCommand::Damping;
    lane.safe_targets = vec![2.0; joints.len()];
    lane.balance = true;
    lane
}

/// One frame as a vendor's program sends it.
pub(super) fn frame(changes: &[(&str, Value)]) -> Vec<u8> {
    let message = low_cmd_type();
    let mut value = Value::default_of(&message);
    let mut set = |at: &str, to: Value| value.set(&message, &path(at), &to).unwrap();
    set("mode_machine", Value::Signed(MACHINE));
    for motor in 0..35_u32 {
        set(&format!("motor_cmd[{motor}].reserve"), Value::Unsigned(motor.into()));
        if motor < USED {
            let at = |field: &str| format!("motor_cmd[{motor}].{field}");
            set(&at("mode"), Value::Unsigned(1));
            set(&at("q"), Value::F64(0.01 * f64::from(motor)));
            set(&at("dq"), Value::F64(0.5));
            set(&at("tau"), Value::F64(-1.25));
            set(&at("kp"), Value::F64(40.0 + f64::from(motor)));
            set(&at("kd"), Value::F64(1.5));
        }
    }
    set("reserve", Value::List((1..5).map(Value::Unsigned).collect()));
    set("crc", Value::Unsigned(FRAME));
    for (at, to) in changes {
        set(at, to.clone());
    }
    encode(&message, &value, Endian::Little).unwrap()
}

fn under() -> Under {
    built(&lane(), &low_cmd_type()).unwrap()
}

pub(super) fn seen() -> Under {
    let mut under = under();
    under.codec.set_mirror(0, MACHINE);
    under.safe.set_mirror(0, MACHINE);
    under
}

fn get(bytes: &[u8], at: &str) -> Vec<Value> {
    let message = low_cmd_type();
    let value = decode(&message, bytes).unwrap();
    value.get(&message, &path(at)).unwrap().into_iter().cloned().collect()
}

#[test]
fn when_a_vendor_frame_is_read_expect_the_joints_and_every_other_byte_kept() {
    let mut robot = seen();
    let sent = frame(&[]);
    robot.decode(&sent).unwrap();
    assert_eq!(robot.command.position.len(), 29);
    assert_eq!(robot.command.velocity, [0.5; 29]);
    assert_eq!(robot.command.effort, [-1.25; 29]);
    assert_eq!(robot.command.kp[28], 68.0);
    assert_eq!(robot.command.kd, [1.5; 29]);
    let mut unchanged = sent.clone();
    assert!(robot.codec.encode(&mut unchanged, &robot.command));
    assert_eq!(unchanged, sent);
}

#[test]
fn hazard_36_patched_frame_ignored() {
    let mut robot = seen();
    let mut sent = frame(&[]);
    robot.decode(&sent).unwrap();
    robot.command.position[3] = 0.25;
    assert!(robot.codec.encode(&mut sent, &robot.command));
    let expected =
        frame(&[("motor_cmd[3].q", Value::F64(0.25)), ("crc", Value::Unsigned(LIMITED))]);
    assert_eq!(sent, expected, "one number and the checksum");
    // Verified in: any changed bit refuses the frame, before it is looked at otherwise.
    for (at, to) in
        [("crc", Value::Unsigned(FRAME ^ 1)), ("motor_cmd[30].reserve", Value::Unsigned(9))]
    {
        assert_eq!(robot.reason(&frame(&[(at, to)])), Some(Reason::Checksum), "{at}");
    }
    // A field named like one must be declared, even if it is covered.
    let undeclared = LaneConfig { checksum: None, ..lane() };
    for keep in [false, true] {
        let mut lane = undeclared.clone();
        lane.keep.extend(keep.then(|| path("crc")));
        let text = built(&lane, &low_cmd_type()).err().unwrap().to_string();
        assert!(text.contains("`crc`"), "{text}");
        assert!(text.contains("motor_cmd[].q (float32)"), "lists what there is: {text}");
        assert_eq!(text.contains("named like a checksum"), keep, "{text}");
    }
}

#[test]
fn hazard_37_safe_frame_ignored() {
    let mut robot = under();
    let kd = [2.0; 29];
    let render = |robot: &mut Under| {
        let out = robot.safe.render(SafeCommand::Damping, &[], &kd, WallTime::default());
        out.map(<[u8]>::to_vec)
    };
    // Before the robot told its mode there is no frame that it would take.
    assert_eq!(robot.safe.missing(), Some(Missing::Mirror(0)));
    assert_eq!(render(&mut robot), None);
    robot.safe.set_mirror(0, MACHINE);
    let start = render(&mut robot).unwrap();
    assert_eq!(get(&start, "crc"), [Value::Unsigned(START)]);
    assert_eq!(get(&start, "mode_machine"), [Value::Unsigned(5)], "mirrored");
    assert_eq!(get(&start, "motor_cmd[].mode"), vec![Value::Unsigned(1); 35], "fixed.*.safe");
    assert_eq!(get(&start, "motor_cmd[0..29].kd"), vec![Value::F32(2.0); 29]);
    assert_eq!(get(&start, "motor_cmd[].kp"), vec![Value::F32(0.0); 35]);
    // Built on the last forwarded frame: what is not damped stays as it was.
    assert_eq!(robot.safe.missing(), Some(Missing::Kept), "an arm waits for what is kept");
    robot.safe.remember(&frame(&[]), true);
    assert_eq!(robot.safe.missing(), None);
    let damped = render(&mut robot).unwrap();
    assert_eq!(get(&damped, "crc"), [Value::Unsigned(DAMPED)]);
    for same in ["motor_cmd[].mode", "motor_cmd[].reserve", "reserve", "motor_cmd[].q"] {
        assert_eq!(get(&damped, same), get(&frame(&[]), same), "{same}");
    }
    for zero in ["dq", "tau", "kp"] {
        assert_eq!(get(&damped, &format!("motor_cmd[].{zero}")), vec![Value::F32(0.0); 35]);
    }
    // What the robot tells of its mode later goes into the next safe frame, rightly sealed.
    robot.safe.set_mirror(0, 6);
    let moded = render(&mut robot).unwrap();
    assert_eq!(get(&moded, "mode_machine"), [Value::Unsigned(6)]);
    let mut judge = under();
    assert_eq!(judge.reason(&moded), None, "the checksum is right");
    // The params file's own targets where the gate has none.
    let out = robot.safe.render(SafeCommand::Damping, &[], &[], WallTime::default()).unwrap();
    assert_eq!(out, moded);
}

/// A frame with another value and the right checksum.
pub(super) fn sealed(changes: &[(&str, Value)]) -> Vec<u8> {
    let mut bytes = frame(changes);
    let message = low_cmd_type();
    let mut checksum = crate::cdr::StructChecksum::unitree_crc32(&message, &path("crc")).unwrap();
    checksum.write(&mut bytes, Endian::Little).unwrap();
    bytes
}

#[test]
fn when_a_fixed_field_is_not_allowed_or_not_the_mirrored_one_expect_it_refused() {
    let mut robot = under();
    let mode = |at: &'static str, value: i64| sealed(&[(at, Value::Signed(value))]);
    assert_eq!(robot.reason(&mode("mode_machine", 9)), None, "not told yet");
    robot.codec.set_mirror(0, MACHINE);
    let refusal = robot.decode(&mode("mode_machine", 9)).unwrap_err();
    assert_eq!((refusal.reason, refusal.found, refusal.bound), (Reason::FixedValue, 9.0, 5.0));
    for (at, value, expected) in [
        ("mode_pr", 1, None),
        ("mode_pr", 2, Some(Reason::FixedValue)),
        ("motor_cmd[34].mode", 1, None),
        ("motor_cmd[34].mode", 7, Some(Reason::FixedValue)),
        ("motor_cmd[0].mode", 255, Some(Reason::FixedValue)),
    ] {
        assert_eq!(robot.reason(&mode(at, value)), expected, "{at} {value}");
    }
    let mirrored: Vec<usize> = mirrors_of(&lane()).map(|mirror| mirror.feedback).collect();
    assert_eq!(mirrored, [0]);
}

#[test]
fn when_an_element_of_no_joint_is_not_zero_expect_it_refused_or_kept() {
    let mut robot = seen();
    for field in ["q", "dq", "tau", "kp", "kd"] {
        let at = format!("motor_cmd[31].{field}");
        let moving = sealed(&[(&at, Value::F32(0.1))]);
        assert_eq!(robot.reason(&moving), Some(Reason::LockedAxis), "{at}");
    }
    let mut keeping =
        built(&LaneConfig { unused_elements: UnusedElements::Keep, ..lane() }, &low_cmd_type())
            .unwrap();
    let mut kept = sealed(&[("motor_cmd[31].q", Value::F32(0.1))]);
    keeping.decode(&kept).unwrap();
    keeping.command.position[0] = 0.5;
    assert!(keeping.codec.encode(&mut kept, &keeping.command));
    assert_eq!(get(&kept, "motor_cmd[31].q"), [Value::F32(0.1)]);
    // A gripper among them would be opened by a safe command of zeros.
    let missing = |unused_elements| {
        let lane = LaneConfig { unused_elements, ..lane() };
        let mut robot = built(&lane, &low_cmd_type()).unwrap();
        robot.safe.set_mirror(0, MACHINE);
        robot.safe.missing()
    };
    assert_eq!(missing(UnusedElements::Zero), Some(Missing::Kept));
    assert_eq!(missing(UnusedElements::Keep), Some(Missing::Command));
}

#[test]
fn when_a_frame_is_big_endian_expect_the_same() {
    let message = low_cmd_type();
    let big = encode(&message, &decode(&message, &frame(&[])).unwrap(), Endian::Big).unwrap();
    let mut robot = seen();
    robot.decode(&big).unwrap();
    assert_eq!(robot.command.kp[1], 41.0);
    let mut limited = big.clone();
    robot.command.position[3] = 0.25;
    assert!(robot.codec.encode(&mut limited, &robot.command));
    assert_eq!(get(&limited, "crc"), [Value::Unsigned(LIMITED)]);
}
