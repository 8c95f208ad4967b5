//! What a layout refuses, at start-up and in messages.

use std::sync::Arc;

use super::by_hand::{compile, message, nesting, refusal, select, stamped_twist};
use crate::cdr::{
    Arity, Endian, Field, FiniteRule, Kind, Layout, LayoutError, LayoutProblem, Malformed,
    MessageType, Path, Selection, Value, encode,
};

pub(super) fn motors() -> Arc<MessageType> {
    let motor = message(
        "v/msg/Motor",
        &[("mode", "uint8"), ("q", "float32"), ("kp", "float32"), ("spare", "uint32[3]")],
    );
    nesting(
        "v/msg/Command",
        &[("motors", "v/msg/Motor[4]"), ("extra", "v/msg/Motor[<=3]"), ("crc", "uint32")],
        &[&motor],
    )
}

fn error(message: &Arc<MessageType>, path: &str) -> String {
    Layout::compile(message, &[select(path)], &[]).unwrap_err().to_string()
}

fn allow_error(message: &Arc<MessageType>, path: &str) -> String {
    Layout::compile(message, &[], &[Path::parse(path).unwrap()]).unwrap_err().to_string()
}

#[test]
fn a_path_that_does_not_fit_is_refused_with_what_there_is() {
    let motors = motors();
    assert_eq!(
        error(&motors, "motors[].qq"),
        "`motors[].qq` of v/msg/Command: v/msg/Motor has no field `qq`; it has mode (uint8), \
         q (float32), kp (float32), spare (uint32[3])"
    );
    assert_eq!(
        error(&motors, "motor"),
        "`motor` of v/msg/Command: v/msg/Command has no field `motor`; it has \
         motors (v/msg/Motor[4]), extra (v/msg/Motor[<=3]), crc (uint32)"
    );
    assert_eq!(
        error(&motors, "motors.q"),
        "`motors.q` of v/msg/Command: `motors` is v/msg/Motor[4], an array of messages; write \
         `motors[]`, `motors[i]` or `motors[i..j]`"
    );
    assert_eq!(
        error(&motors, "motors[].q.x"),
        "`motors[].q.x` of v/msg/Command: `motors[].q` is float32 and has no fields of its own"
    );
    assert_eq!(
        error(&motors, "crc[0]"),
        "`crc[0]` of v/msg/Command: `crc` is uint32, not an array, and takes no `[…]`"
    );
    assert_eq!(
        error(&motors, "motors[4].q"),
        "`motors[4].q` of v/msg/Command: `motors[4]` reaches past the end of v/msg/Motor[4]"
    );
    assert_eq!(
        error(&motors, "extra[1..4].q"),
        "`extra[1..4].q` of v/msg/Command: `extra[1..4]` reaches past the end of v/msg/Motor[<=3]"
    );
    assert_eq!(
        error(&motors, "motors[1]"),
        "`motors[1]` of v/msg/Command: it ends at a message (v/msg/Motor); name one of its \
         fields: mode (uint8), q (float32), kp (float32), spare (uint32[3])"
    );
    assert_eq!(
        allow_error(&motors, "motors[].spare"),
        "`motors[].spare` of v/msg/Command: there are no floating point numbers in uint32"
    );
    assert_eq!(
        allow_error(&motors, "crc.x"),
        "`crc.x` of v/msg/Command: `crc` is uint32 and has no fields of its own"
    );
    let flags = message("t/msg/Flags", &[("x", "uint8")]);
    let texts = [("s", "string"), ("w", "wstring<=3"), ("flags", "t/msg/Flags")];
    let texts = nesting("t/msg/Texts", &texts, &[&flags]);
    assert_eq!(
        error(&texts, "s.x"),
        "`s.x` of t/msg/Texts: `s` is string and has no fields of its own"
    );
    assert_eq!(
        error(&texts, "w.x"),
        "`w.x` of t/msg/Texts: `w` is wstring<=3 and has no fields of its own"
    );
    assert_eq!(
        allow_error(&texts, "flags"),
        "`flags` of t/msg/Texts: there are no floating point numbers in t/msg/Flags"
    );
    for max_hits in [0, (1 << 20) + 1] {
        let selection = Selection { max_hits, ..select("crc") };
        let error = Layout::compile(&motors, &[selection], &[]).unwrap_err();
        assert_eq!(error.problem, LayoutProblem::BadMaxHits(max_hits));
    }
}

#[test]
fn a_type_that_could_take_no_bytes_is_refused() {
    let empty = Arc::new(MessageType { name: "t/msg/Empty".into(), fields: vec![] });
    let field = |kind, arity| Field { name: "f".into(), kind, arity, default: None };
    let of = |field| Arc::new(MessageType { name: "t/msg/M".into(), fields: vec![field] });
    let problem = |message: &Arc<MessageType>| -> LayoutError {
        Layout::compile(message, &[], &[]).unwrap_err()
    };
    let sequence = of(field(Kind::Message(Arc::clone(&empty)), Arity::Sequence { bound: None }));
    let error = problem(&sequence);
    assert_eq!(error.problem, LayoutProblem::NoFields("t/msg/Empty".into()));
    assert_eq!(error.path, "f[]");
    let none = of(field(Kind::String { bound: None }, Arity::Array(0)));
    assert_eq!(problem(&none).problem, LayoutProblem::BadArray(0));
    let deep = (0..40).fold(message("t/msg/Leaf", &[("x", "uint8")]), |inner, _| {
        of(field(Kind::Message(inner), Arity::One))
    });
    assert_eq!(problem(&deep).problem, LayoutProblem::TooDeep(32));
    let deep = (0..40).fold(message("t/msg/Leaf", &[("x", "uint8")]), |inner, _| {
        of(field(Kind::Message(inner), Arity::Sequence { bound: None }))
    });
    assert_eq!(problem(&deep).problem, LayoutProblem::TooDeep(32));
}

#[test]
fn a_stamp_is_one_by_name_and_by_shape() {
    let stamp: &[(&str, &str)] = &[("sec", "int32"), ("nanosec", "uint32")];
    let other: &[(&str, &str)] = &[("sec", "int32"), ("nanosec", "int32")];
    for (name, fields, is_one) in [
        ("builtin_interfaces/msg/Time", stamp, true),
        ("builtin_interfaces/msg/Duration", stamp, true),
        ("builtin_interfaces/msg/Time", other, false),
        ("t/msg/Time", stamp, false),
    ] {
        let message = nesting("t/msg/M", &[("at", name)], &[&message(name, fields)]);
        let compiled = Layout::compile(&message, &[select("at")], &[]);
        assert_eq!(compiled.is_ok(), is_one, "{name} {fields:?}");
    }
}

#[test]
fn which_floats_must_be_finite_is_a_matter_of_selection_and_permission() {
    let message = message("t/msg/M", &[("a", "float32"), ("d", "float64[]"), ("z", "float64")]);
    let bytes = |bad: &str| {
        let mut value = Value::default_of(&message);
        value.set(&message, &Path::parse("d[0..6]").unwrap(), &Value::F64(1.0)).unwrap();
        value.set(&message, &Path::parse(bad).unwrap(), &Value::F64(f64::NEG_INFINITY)).unwrap();
        encode(&message, &value, Endian::Big).unwrap()
    };
    let check = |selected: &[(&str, FiniteRule)], allowed: &[&str], bad: &str| {
        let selections: Vec<_> = selected
            .iter()
            .map(|(path, finite)| Selection { finite: *finite, ..select(path) })
            .collect();
        let allowed: Vec<_> = allowed.iter().map(|path| Path::parse(path).unwrap()).collect();
        let layout = Layout::compile(&message, &selections, &allowed).unwrap();
        match layout.find(&bytes(bad), &mut layout.new_found()) {
            Ok(()) => None,
            Err(Malformed::NotFinite { at }) => Some(at),
            Err(other) => panic!("{other}"),
        }
    };
    use FiniteRule::{AsUnselected, Check, Leave};
    assert_eq!(check(&[], &[], "a"), Some(4));
    assert_eq!(check(&[], &[], "d[3]"), Some(36));
    assert_eq!(check(&[], &["d"], "d[3]"), None);
    assert_eq!(check(&[], &["d[0..3]"], "d[3]"), Some(36));
    assert_eq!(check(&[], &["d[0..4]"], "d[3]"), None);
    assert_eq!(check(&[], &["d"], "z"), Some(60));
    assert_eq!(check(&[("d[2..4]", Leave)], &[], "d[3]"), None);
    assert_eq!(check(&[("d[2..4]", Leave)], &[], "d[4]"), Some(44));
    assert_eq!(check(&[("d[2..4]", Leave)], &[], "d[1]"), Some(20));
    assert_eq!(check(&[("d[2..4]", Check)], &[], "d[3]"), Some(36));
    assert_eq!(check(&[("d[2..4]", Check)], &["d"], "d[3]"), Some(36));
    assert_eq!(check(&[("d[2..4]", Check)], &["d"], "d[1]"), None);
    assert_eq!(check(&[("d", Leave), ("d[2..4]", Check)], &[], "d[3]"), Some(36));
    assert_eq!(check(&[("d", Leave), ("d[2..4]", Check)], &[], "d[5]"), None);
    let counted = ("d", AsUnselected);
    assert_eq!(check(&[counted], &[], "d[3]"), Some(36));
    assert_eq!(check(&[counted], &["d[3]"], "d[3]"), None);
    assert_eq!(check(&[counted, ("d[2..4]", Leave)], &[], "d[3]"), None);
    assert_eq!(check(&[counted, ("d[2..4]", Leave)], &[], "d[4]"), Some(44));
}

#[test]
fn floats_of_two_sizes_side_by_side_are_checked_each_by_its_own_size() {
    let types =
        [("a", "float32"), ("b", "float64"), ("c", "float64"), ("d", "float32"), ("e", "float32")];
    let message = message("t/msg/M", &types);
    let layout = Layout::compile(&message, &[], &[]).unwrap();
    for (field, offset) in [("a", 4), ("b", 12), ("c", 20), ("d", 28), ("e", 32)] {
        for endian in [Endian::Little, Endian::Big] {
            let mut value = Value::default_of(&message);
            value.set(&message, &Path::parse(field).unwrap(), &Value::F64(f64::INFINITY)).unwrap();
            let bytes = encode(&message, &value, endian).unwrap();
            let refused = layout.find(&bytes, &mut layout.new_found());
            assert_eq!(refused, Err(Malformed::NotFinite { at: offset }), "{field} {endian:?}");
        }
    }
}

#[test]
fn a_message_can_be_allowed_as_a_whole() {
    let twist = stamped_twist();
    let mut value = Value::default_of(&twist);
    let bad = Path::parse("twist.linear.y").unwrap();
    value.set(&twist, &bad, &Value::F64(f64::NAN)).unwrap();
    let bytes = encode(&twist, &value, Endian::Little).unwrap();
    for (allowed, passes) in [
        ("twist", true),
        ("twist.linear", true),
        ("twist.linear.y", true),
        ("twist.linear.x", false),
    ] {
        let layout = Layout::compile(&twist, &[], &[Path::parse(allowed).unwrap()]).unwrap();
        assert_eq!(layout.find(&bytes, &mut layout.new_found()).is_ok(), passes, "{allowed}");
    }
    // In arrays of messages: one of them, some, all, and what they are in.
    let frame = nesting("v/msg/Frame", &[("command", "v/msg/Command")], &[&motors()]);
    let mut value = Value::default_of(&frame);
    let bad = Path::parse("command.motors[1].q").unwrap();
    value.set(&frame, &bad, &Value::F64(f64::NAN)).unwrap();
    let bytes = encode(&frame, &value, Endian::Little).unwrap();
    for (allowed, passes) in [
        ("command", true),
        ("command.motors[]", true),
        ("command.motors[1]", true),
        ("command.motors[1..3]", true),
        ("command.motors[].q", true),
        ("command.motors[2..4]", false),
        ("command.motors[1].kp", false),
        ("command.extra[1]", false),
    ] {
        let layout = Layout::compile(&frame, &[], &[Path::parse(allowed).unwrap()]).unwrap();
        assert_eq!(layout.find(&bytes, &mut layout.new_found()).is_ok(), passes, "{allowed}");
    }
}

#[test]
fn bounds_and_bools_are_held_to() {
    let message = message(
        "t/msg/M",
        &[("s", "string<=2"), ("w", "wstring<=1"), ("d", "uint16[<=2]"), ("b", "bool[2]")],
    );
    let layout = Layout::compile(&message, &[], &[]).unwrap();
    let good = [
        0, 1, 0, 0, // header
        3, 0, 0, 0, b'a', b'b', 0, 0xEE, // s
        1, 0, 0, 0, 0x34, 0x12, 0, 0, // w
        2, 0, 0, 0, 1, 0, 2, 0, // d
        0, 1, // b
    ];
    assert_eq!(layout.find(&good, &mut layout.new_found()), Ok(()));
    let with = |place: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[place] = byte;
        refusal(&layout, &bytes)
    };
    assert_eq!(with(4, 4), Malformed::BadString { at: 4 }, "the last byte is padding");
    assert_eq!(with(10, b'c'), Malformed::BadString { at: 4 }, "no NUL at the end");
    assert_eq!(with(12, 2), Malformed::OverBound { at: 12, count: 2 });
    assert_eq!(with(18, 1), Malformed::BadString { at: 12 }, "a unit above 16 bits");
    assert_eq!(with(20, 3), Malformed::OverBound { at: 20, count: 3 });
    assert_eq!(with(29, 2), Malformed::BadBool { at: 29 });
    assert_eq!(with(28, 0xFF), Malformed::BadBool { at: 28 });
    let mut long = good.to_vec();
    long[4] = 4;
    long[11] = 0;
    assert_eq!(refusal(&layout, &long), Malformed::OverBound { at: 4, count: 3 });
    // A length of 0 is how some encoders write an empty text.
    let mut empty = good.to_vec();
    empty[4] = 0;
    empty.drain(8..12);
    assert_eq!(layout.find(&empty, &mut layout.new_found()), Ok(()));
}

#[test]
fn a_nul_inside_a_text_matters_where_the_text_is_used() {
    let message = message("t/msg/M", &[("s", "string")]);
    let bytes = [0, 1, 0, 0, 4, 0, 0, 0, b'a', 0, b'b', 0];
    let layout = Layout::compile(&message, &[], &[]).unwrap();
    assert_eq!(layout.find(&bytes, &mut layout.new_found()), Ok(()));
    assert_eq!(refusal(&compile(&message, &["s"]), &bytes), Malformed::BadString { at: 4 });
}

#[test]
fn counts_that_cannot_fit_are_refused_before_anything_is_walked() {
    let inner = message("t/msg/In", &[("x", "uint8"), ("y", "float64")]);
    let outer = nesting("t/msg/M", &[("v", "t/msg/In[]")], &[&inner]);
    let layout = Layout::compile(&outer, &[], &[]).unwrap();
    let mut bytes = vec![0, 1, 0, 0, 2, 0, 0, 0];
    bytes.extend([0; 17]);
    // Two elements of at least 9 bytes do not fit in 17.
    assert_eq!(refusal(&layout, &bytes), Malformed::CountTooLarge { at: 4, count: 2 });
    bytes.push(0);
    // Now the count is plausible and the padding decides.
    assert!(matches!(refusal(&layout, &bytes), Malformed::Truncated { .. }));
}

#[test]
fn counts_that_just_fit_are_accepted() {
    // The smallest elements: nothing in them but a count or a length.
    for type_name in ["uint8[]", "string", "wstring", "bool[<=3]"] {
        let inner = message("t/msg/In", &[("x", type_name)]);
        let outer = nesting("t/msg/M", &[("v", "t/msg/In[]")], &[&inner]);
        let layout = Layout::compile(&outer, &[], &[]).unwrap();
        let mut bytes = vec![0, 1, 0, 0, 3, 0, 0, 0];
        bytes.extend([0; 12]);
        let walked = layout.find(&bytes, &mut layout.new_found());
        assert_eq!(walked, Ok(()), "{type_name}");
        bytes.pop();
        let refused = Malformed::CountTooLarge { at: 4, count: 3 };
        assert_eq!(refusal(&layout, &bytes), refused, "{type_name}");
    }
}
