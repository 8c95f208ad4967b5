//! What the params file can get wrong about a type: errors that name the field.

use super::*;

#[track_caller]
fn text(lane: &LaneConfig, message: &Arc<MessageType>) -> String {
    match built(lane, message) {
        Ok(_) => panic!("this is no error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn hazard_57_opaque_payload() {
    let json = type_of(&[("data", "string")]);
    let raw = type_of(&[("stamp", "float64"), ("payload", "uint8[]")]);
    let both = type_of(&[("q", "float64[1]"), ("blob", "uint8[]")]);
    let labelled = type_of(&[("q", "float64[1]"), ("extra", "string")]);
    let none = FieldMap::default();
    let kept =
        |field: &str| LaneConfig { keep: vec![path(field)], ..mapped(&["a"], position("q")) };
    for (lane, message, field) in [
        (mapped(&["a"], position("data")), &json, "`data` of t/msg/Command is string"),
        (mapped(&["a"], none.clone()), &json, "`data` of t/msg/Command is string"),
        (mapped(&["a"], position("payload")), &raw, "`payload` of t/msg/Command is uint8[]"),
        (mapped(&["a"], none), &raw, "`payload[]` of t/msg/Command is uint8[]"),
        (mapped(&["a"], position("q")), &both, "`blob[]` of t/msg/Command is uint8[]"),
        (kept("blob"), &both, "`blob` of t/msg/Command is uint8[]"),
        (mapped(&["a"], position("q")), &labelled, "`extra` of t/msg/Command is string"),
    ] {
        let text = text(&lane, message);
        assert!(text.starts_with(field), "{text}");
        assert!(text.contains("an opaque payload"), "{text}");
        assert!(text.contains(" has "), "{text}");
    }
    // A text that is written down as one that commands nothing is a label.
    assert!(built(&kept("extra"), &labelled).is_ok());
}

#[test]
fn when_a_field_is_covered_by_nothing_expect_every_one_named_with_what_there_is() {
    let message = type_of(&[
        ("header", "header"),
        ("mode", "uint8"),
        ("q", "float32[3]"),
        ("tau", "float32[3]"),
        ("on", "bool"),
    ]);
    let found = text(&mapped(&["a", "b"], position("q[0..2]")), &message);
    assert_eq!(
        found,
        "nothing is said of `mode`, `q[2]`, `tau[]`, `on`; name each under `fields`, `keep` or \
         `fixed`; t/msg/Command has header.stamp.sec (int32), header.stamp.nanosec (uint32), \
         header.frame_id (string), mode (uint8), q (float32[3]), tau (float32[3]), on (bool)"
    );
    let any = type_of(&[("q", "float64[]"), ("w", "float64[]")]);
    let mut lane = mapped(&["a", "b"], position("q[0..2]"));
    lane.keep = vec![path("q[3]")];
    assert!(text(&lane, &any).starts_with("nothing is said of `q[2]`, `w[]`;"));
}

#[test]
fn when_a_path_does_not_fit_expect_the_key_the_path_and_what_is_needed() {
    let message =
        type_of(&[("motors", "motor[4]"), ("name", "string"), ("mode", "int32"), ("w", "float32")]);
    let lane = |fields: FieldMap| mapped(&["a", "b"], fields);
    let with_fixed = |field: &str, allowed: &[i64], safe| LaneConfig {
        fixed: vec![fixed("x", field, allowed, safe)],
        keep: ["motors[].name", "motors[].dq", "motors[].note", "name", "w", "motors[2..4].q"]
            .map(path)
            .to_vec(),
        ..lane(FieldMap { ..position("motors[0..2].q") })
    };
    let velocity = FieldMap { velocity: some("motors[].dq"), ..FieldMap::default() };
    for (lane, expected) in [
        (lane(position("motor[].q")), "has no field `motor`; it has motors (t/msg/Motor[4]), name"),
        (lane(position("motors[].qq")), "has no field `qq`; it has name (string), q (float64)"),
        (lane(position("motors[0..5].q")), "reaches past the end"),
        (lane(position("motors[].name")), "`motors[].name` of t/msg/Command is string, an opaque"),
        (lane(position("mode")), "fields.position: `mode` is int32, and a float32 or float64 is"),
        (
            lane(position("motors")),
            "`motors` is t/msg/Motor[4], and a float32 or float64 is needed",
        ),
        (
            lane(FieldMap { names: some("w"), ..position("motors[].q") }),
            "fields.names: `w` is float32, and an array of texts is needed",
        ),
        (
            lane(FieldMap { stamp: some("mode"), ..position("motors[].q") }),
            "fields.stamp: `mode` is int32, and a builtin_interfaces/msg/Time is needed",
        ),
        (with_fixed("w", &[0], None), "fixed.x.field: `w` is float32, and an integer or a bool"),
        (with_fixed("name", &[0], None), "fixed.x.field: `name` is string, and an integer"),
        (with_fixed("mode", &[1 << 40], None), "fixed.x: 1099511627776 does not fit int32"),
        (with_fixed("mode", &[0, 1], Some(1 << 40)), "fixed.x: 1099511627776 does not fit int32"),
        (with_fixed("mode", &[0, 1], None), "fixed.x.safe is missing"),
        (with_fixed("mode", &[], None), "fixed.x.safe is missing"),
    ] {
        let text = text(&lane, &message);
        assert!(text.contains(expected), "{text}\n{expected}");
    }
    let mut all = with_fixed("mode", &[0], None);
    // Motors 2 and 3 have a position that nobody named.
    let others = all.keep.pop();
    assert!(text(&all, &message).contains("nothing is said of `motors[2..4].q`"));
    all.keep.extend(others);
    assert!(built(&all, &message).is_ok());
    all.keep.push(path("motors[3].q"));
    assert_eq!(text(&all, &message), "`motors[3].q` is named by both keep and keep");
    all.keep.pop();
    all.keep.push(path("motors[1].q"));
    assert_eq!(text(&all, &message), "`motors[1].q` is named by both fields.position and keep");
    all.keep.pop();
    all.joint_index = vec![0, 2];
    assert!(text(&all, &message).contains("joint_index 2 is not an element of fields.position"));
    let mut no_quantity = with_fixed("mode", &[0], None);
    no_quantity.fields = velocity;
    no_quantity.keep.pop();
    no_quantity.keep[1] = path("motors[].q");
    assert!(text(&no_quantity, &message).starts_with("fields.position is missing"));
}

#[test]
fn when_the_safe_command_has_no_field_expect_it_named() {
    let message = type_of(&[("q", "float64[2]"), ("k", "float64[2]")]);
    let mut lane = mapped(&["a", "b"], FieldMap { kp: some("k"), ..position("q") });
    lane.safe = SafeCommand::Damping;
    assert!(text(&lane, &message).contains("damping needs damping gains (fields.kd)"));
    lane.safe = SafeCommand::ZeroVelocity { deceleration: None };
    assert!(text(&lane, &message).contains("zero_velocity needs velocities"));
}

#[test]
fn when_names_do_not_fit_expect_the_path() {
    let message = type_of(&[("motors", "motor[]"), ("q", "float64")]);
    let lane = |names: &str, at: &str| {
        mapped(&["a", "b"], FieldMap { names: some(names), ..position(at) })
    };
    let part = text(&lane("motors[].name", "motors[0..2].q"), &message);
    assert!(part.starts_with("fields.position: `motors[0..2].q` must take the whole"), "{part}");
    let single = text(&lane("motors[].name", "q"), &message);
    assert!(single.starts_with("fields.position: `q` must go through exactly one"), "{single}");
}

#[test]
fn when_the_type_has_a_built_in_map_expect_keys_of_a_map_refused_unless_fields_are_given() {
    let lane = LaneConfig { keep: vec![path("linear.y")], ..test_lane(CommandType::Twist, &[]) };
    let found = text(&lane, &twist_type());
    assert!(found.starts_with("keep cannot be used with the built-in map"), "{found}");
    // One array: `keep` makes a map of it.
    let mut array = test_lane(CommandType::Float64MultiArray, &["a", "b"]);
    array.unused_elements = UnusedElements::Keep;
    array.joint_index = vec![0, 2];
    let mut arm = built(&array, &multi_array_type()).unwrap();
    let send = bytes(&multi_array_type(), &[("data", numbers(&[0.1, 9.0, 0.2]))]);
    arm.decode(&send).unwrap();
    assert_eq!(arm.command.position, [0.1, 0.2]);
}

#[test]
fn when_the_checksum_cannot_be_computed_expect_why() {
    let message = type_of(&[("q", "float64[]"), ("crc", "uint32")]);
    let mut lane = mapped(&["a"], position("q"));
    lane.checksum = Some(ChecksumConfig { field: path("crc"), kind: ChecksumKind::UnitreeCrc32 });
    let found = text(&lane, &message);
    assert!(found.contains("`q` is float64[], and a C struct has a fixed size"), "{found}");
}
