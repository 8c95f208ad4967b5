//! What a layout finds at the edges: arrays of messages, ranges, room, and what it leaves.

use std::sync::Arc;

use super::by_hand::{
    compile, hits, message, multi_array, nesting, refusal, select, stamped_twist,
};
use super::layout_rules::motors;
use crate::cdr::{
    Endian, Hit, Layout, Malformed, MessageType, Path, Primitive, Selection, SlotKind, Value,
    encode,
};

fn commands(extra: usize) -> (Arc<MessageType>, Value) {
    let motors = motors();
    let mut value = Value::default_of(&motors);
    let mut set = |path: String, to: Value| {
        value.set(&motors, &Path::parse(&path).unwrap(), &to).unwrap();
    };
    for number in 0..4_u8 {
        set(format!("motors[{number}].q"), Value::F32(f32::from(number) + 0.5));
    }
    for number in 0..extra {
        set(format!("extra[{number}].q"), Value::F32(10.0));
    }
    (motors, value)
}

#[test]
fn hits_come_one_for_each_element_of_an_array_of_messages() {
    let (motors, value) = commands(2);
    let bytes = encode(&motors, &value, Endian::Little).unwrap();
    let paths = ["motors[].q", "motors[1..3].spare", "motors[2].q", "extra[].q", "extra[2].q"];
    let layout = compile(&motors, &paths);
    // A motor takes 24 bytes: 1 + 3 padding + 4 + 4 + 12. The count of `extra` follows four.
    assert_eq!(
        hits(&layout, &bytes),
        [
            vec![(8, 1), (32, 1), (56, 1), (80, 1)],
            vec![(40, 3), (64, 3)],
            vec![(56, 1)],
            vec![(108, 1), (132, 1)],
            vec![],
        ]
    );
    let mut found = layout.new_found();
    layout.find(&bytes, &mut found).unwrap();
    let positions = [0.5, 1.5, 2.5, 3.5].map(Value::F32);
    assert_eq!(layout.values(&bytes, &found, 0), positions);
}

#[test]
fn hits_of_arrays_in_arrays_come_in_wire_order() {
    let finger = message("t/msg/Finger", &[("x", "uint16"), ("y", "uint8")]);
    let hand = nesting("t/msg/Hand", &[("fingers", "t/msg/Finger[3]")], &[&finger]);
    let body =
        nesting("t/msg/Body", &[("hands", "t/msg/Hand[2]"), ("more", "t/msg/Hand[]")], &[&hand]);
    let mut value = Value::default_of(&body);
    let mut set = |path: String, to: u64| {
        value.set(&body, &Path::parse(&path).unwrap(), &Value::Unsigned(to)).unwrap();
    };
    for number in 0..6 {
        set(format!("hands[{}].fingers[{}].x", number / 3, number % 3), number);
        set(format!("more[{}].fingers[{}].x", number / 3, number % 3), 10 + number);
    }
    let bytes = encode(&body, &value, Endian::Big).unwrap();
    // One by one: selections of the same array cut it into stretches.
    let values = |path: &str| {
        let layout = compile(&body, &[path]);
        let mut found = layout.new_found();
        layout.find(&bytes, &mut found).unwrap();
        layout.values(&bytes, &found, 0)
    };
    let all = [10, 11, 12, 13, 14, 15].map(Value::Unsigned);
    assert_eq!(values("more[].fingers[].x"), all);
    assert_eq!(values("more[].fingers[1..3].x"), [11, 12, 14, 15].map(Value::Unsigned));
    assert_eq!(values("hands[].fingers[].x"), [0, 1, 2, 3, 4, 5].map(Value::Unsigned));
}

#[test]
fn a_range_is_cut_at_the_end_of_the_message_s_array() {
    let message = message("t/msg/M", &[("data", "float64[]"), ("names", "string[]")]);
    let paths = ["data", "data[1..4]", "data[3..9]", "data[1]", "data[2]", "names", "names[1..3]"];
    let layout = compile(&message, &paths);
    let mut value = Value::default_of(&message);
    value.set(&message, &Path::parse("data[0..2]").unwrap(), &Value::F64(1.0)).unwrap();
    value.set(&message, &Path::parse("names[1]").unwrap(), &"ab".into()).unwrap();
    let bytes = encode(&message, &value, Endian::Little).unwrap();
    assert_eq!(
        hits(&layout, &bytes),
        [
            vec![(12, 2)],
            vec![(20, 1)],
            // The array was found, with none of these elements.
            vec![(28, 0)],
            vec![(20, 1)],
            // The one element was not found.
            vec![],
            // An empty text has its place too.
            vec![(36, 0), (44, 2)],
            vec![(44, 2)],
        ]
    );
}

#[test]
fn more_hits_than_room_are_refused() {
    let (motors, value) = commands(3);
    let bytes = encode(&motors, &value, Endian::Little).unwrap();
    let room = |max_hits| Selection { max_hits, ..select("extra[].q") };
    let layout = Layout::compile(&motors, &[select("crc"), room(2)], &[]).unwrap();
    assert_eq!(refusal(&layout, &bytes), Malformed::TooManyHits { slot: 1, at: 156 });
    let layout = Layout::compile(&motors, &[select("crc"), room(3)], &[]).unwrap();
    assert_eq!(hits(&layout, &bytes)[1].len(), 3);
    // Hits of another layout's room do not fit either, and nothing else happens.
    let other = Layout::compile(&motors, &[], &[]).unwrap();
    let refused = layout.find(&bytes, &mut other.new_found());
    assert!(matches!(refused, Err(Malformed::TooManyHits { .. })));
}

#[test]
fn fields_that_no_selection_takes_are_listed() {
    let uncovered = |message: &Arc<MessageType>, paths: &[&str]| -> Vec<String> {
        compile(message, paths).uncovered().iter().map(|leaf| leaf.path.clone()).collect()
    };
    assert_eq!(
        uncovered(&multi_array(), &["data"]),
        ["layout.dim[].label", "layout.dim[].size", "layout.dim[].stride", "layout.data_offset"]
    );
    assert_eq!(
        uncovered(
            &motors(),
            &["motors[0..2].q", "motors[].mode", "motors[].kp", "motors[].spare", "crc"]
        ),
        ["motors[2..4].q", "extra[].mode", "extra[].q", "extra[].kp", "extra[].spare[]"]
    );
    let message =
        message("t/msg/M", &[("data", "float64[]"), ("six", "uint8[6]"), ("s", "string")]);
    assert_eq!(
        uncovered(&message, &["data[2..7]", "six[0]", "six[3..5]"]),
        ["data[0..2]", "data[7..]", "six[1..3]", "six[5]", "s"]
    );
    let dummy = self::message("t/msg/E", &[("structure_needs_at_least_one_member", "uint8")]);
    assert!(uncovered(&dummy, &[]).is_empty());
    let allowed = [Path::parse("twist.linear").unwrap()];
    let layout = Layout::compile(&stamped_twist(), &[], &allowed).unwrap();
    assert!(layout.uncovered().iter().any(|leaf| leaf.path == "twist.linear.x"));
}

#[test]
fn kinds_of_selections_are_told() {
    let message = message("t/msg/M", &[("s", "string[]"), ("w", "wstring<=3"), ("x", "int16[3]")]);
    let layout = compile(&message, &["s", "w", "x[1]"]);
    assert_eq!(layout.kind(0), Some(SlotKind::Text));
    assert_eq!(layout.kind(1), Some(SlotKind::WideText));
    assert_eq!(layout.primitive(1), None);
    assert_eq!(layout.primitive(2).unwrap().to_string(), "int16");
    assert_eq!(layout.kind(3), None);
    assert_eq!(compile(&stamped_twist(), &["header.stamp"]).kind(0), Some(SlotKind::Stamp));
}

#[test]
fn an_element_is_where_the_hit_has_one() {
    let hit = Hit { offset: 12, len: 3 };
    let places = [0, 1, 2, 3, u32::MAX].map(|number| hit.element(number, Primitive::F64));
    assert_eq!(places, [Some(12), Some(20), Some(28), None, None]);
    let far = Hit { offset: u32::MAX - 8, len: u32::MAX };
    let places = [1, 2, u32::MAX - 1].map(|number| far.element(number, Primitive::F64));
    assert_eq!(places, [Some(u32::MAX), None, None]);
}
