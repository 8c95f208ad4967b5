//! Messages whose bytes were written down by hand, so that the walk and the encoder cannot be wrong
//! in the same way. Also the small types that other tests use.

use std::sync::Arc;

use crate::cdr::{
    Arity, Endian, Field, FiniteRule, Hit, Kind, Layout, Malformed, MessageType, Path, Primitive,
    Rounding, Selection, Stamp, Value, decode, encode, read_f64, read_i64, read_stamp, read_u64,
    write_f64, write_i64, write_rounded, write_stamp, write_u64,
};

/// A message type from names and rosidl type names, for example `("data", "float64[]")`.
pub(super) fn message(name: &str, fields: &[(&str, &str)]) -> Arc<MessageType> {
    nesting(name, fields, &[])
}

/// The same, where type names may be those of the messages given.
pub(super) fn nesting(
    name: &str,
    fields: &[(&str, &str)],
    inner: &[&Arc<MessageType>],
) -> Arc<MessageType> {
    let fields = fields
        .iter()
        .map(|(name, type_name)| {
            let (element, arity) = split_arity(type_name);
            let nested = inner.iter().find(|message| message.name == element);
            let kind = match nested {
                Some(message) => Kind::Message(Arc::clone(message)),
                None => leaf_kind(element),
            };
            Field { name: (*name).to_owned(), kind, arity, default: None }
        })
        .collect();
    Arc::new(MessageType { name: name.to_owned(), fields })
}

fn split_arity(type_name: &str) -> (&str, Arity) {
    let Some(element) = type_name.strip_suffix(']') else {
        return (type_name, Arity::One);
    };
    let (element, inside) = element.rsplit_once('[').unwrap();
    let arity = match inside.strip_prefix("<=") {
        Some(bound) => Arity::Sequence { bound: Some(bound.parse().unwrap()) },
        None if inside.is_empty() => Arity::Sequence { bound: None },
        None => Arity::Array(inside.parse().unwrap()),
    };
    (element, arity)
}

fn leaf_kind(name: &str) -> Kind {
    let bound = name.split_once("<=").map(|(_, bound)| bound.parse().unwrap());
    if name.starts_with("string") {
        return Kind::String { bound };
    }
    if name.starts_with("wstring") {
        return Kind::WString { bound };
    }
    let primitive = super::generate::PRIMITIVES
        .into_iter()
        .find(|primitive| primitive.to_string() == name)
        .unwrap_or_else(|| panic!("{name} is no type of this test"));
    Kind::Primitive(primitive)
}

pub(super) fn multi_array() -> Arc<MessageType> {
    let dimension = message(
        "std_msgs/msg/MultiArrayDimension",
        &[("label", "string"), ("size", "uint32"), ("stride", "uint32")],
    );
    let layout = nesting(
        "std_msgs/msg/MultiArrayLayout",
        &[("dim", "std_msgs/msg/MultiArrayDimension[]"), ("data_offset", "uint32")],
        &[&dimension],
    );
    nesting(
        "std_msgs/msg/Float64MultiArray",
        &[("layout", "std_msgs/msg/MultiArrayLayout"), ("data", "float64[]")],
        &[&layout],
    )
}

pub(super) fn stamped_twist() -> Arc<MessageType> {
    let time = message("builtin_interfaces/msg/Time", &[("sec", "int32"), ("nanosec", "uint32")]);
    let header = nesting(
        "std_msgs/msg/Header",
        &[("stamp", "builtin_interfaces/msg/Time"), ("frame_id", "string")],
        &[&time],
    );
    let vector = message(
        "geometry_msgs/msg/Vector3",
        &[("x", "float64"), ("y", "float64"), ("z", "float64")],
    );
    let twist = nesting(
        "geometry_msgs/msg/Twist",
        &[("linear", "geometry_msgs/msg/Vector3"), ("angular", "geometry_msgs/msg/Vector3")],
        &[&vector],
    );
    nesting(
        "geometry_msgs/msg/TwistStamped",
        &[("header", "std_msgs/msg/Header"), ("twist", "geometry_msgs/msg/Twist")],
        &[&header, &twist],
    )
}

pub(super) fn select(path: &str) -> Selection {
    Selection { path: Path::parse(path).unwrap(), max_hits: 64, finite: FiniteRule::Leave }
}

pub(super) fn compile(message: &Arc<MessageType>, paths: &[&str]) -> Layout {
    let selections: Vec<_> = paths.iter().map(|path| select(path)).collect();
    Layout::compile(message, &selections, &[]).unwrap()
}

/// Hits of every selection; the walk must succeed.
pub(super) fn hits(layout: &Layout, bytes: &[u8]) -> Vec<Vec<(u32, u32)>> {
    let mut found = layout.new_found();
    layout.find(bytes, &mut found).unwrap();
    (0..64)
        .map_while(|slot| {
            layout.kind(slot)?;
            Some(found.hits(slot).iter().map(|hit| (hit.offset, hit.len)).collect())
        })
        .collect()
}

pub(super) fn refusal(layout: &Layout, bytes: &[u8]) -> Malformed {
    layout.find(bytes, &mut layout.new_found()).unwrap_err()
}

/// One dimension "x" of 2, data 1.5 and -2; the padding bytes are garbage (0xEE).
const MULTI_ARRAY: &[u8] = &[
    0, 1, 0xEE, 0xEE, // little endian; options are garbage too
    1, 0, 0, 0, // layout.dim: one
    2, 0, 0, 0, b'x', 0, 0xEE, 0xEE, // label
    2, 0, 0, 0, // size
    2, 0, 0, 0, // stride
    0, 0, 0, 0, // data_offset
    2, 0, 0, 0, // data: two
    0xEE, 0xEE, 0xEE, 0xEE, // to a multiple of 8, counted from byte 4
    0, 0, 0, 0, 0, 0, 0xF8, 0x3F, // 1.5
    0, 0, 0, 0, 0, 0, 0, 0xC0, // -2
];

#[test]
fn a_multi_array_is_found_whatever_its_padding_holds() {
    let layout =
        compile(&multi_array(), &["data", "layout.dim[].label", "data[1]", "layout.dim[0].size"]);
    assert_eq!(
        hits(&layout, MULTI_ARRAY),
        [vec![(36, 2)], vec![(12, 1)], vec![(44, 1)], vec![(16, 1)]]
    );
    assert_eq!(read_f64(MULTI_ARRAY, Endian::Little, Primitive::F64, 36), Some(1.5));
    assert_eq!(read_f64(MULTI_ARRAY, Endian::Little, Primitive::F64, 44), Some(-2.0));
}

#[test]
fn the_encoder_writes_these_bytes_with_zero_padding() {
    let message = multi_array();
    let value = decode(&message, MULTI_ARRAY).unwrap();
    let mut expected = MULTI_ARRAY.to_vec();
    for byte in &mut expected {
        if *byte == 0xEE {
            *byte = 0;
        }
    }
    assert_eq!(encode(&message, &value, Endian::Little).unwrap(), expected);
}

#[test]
fn big_endian_is_read_and_written() {
    let message = message("t/msg/M", &[("a", "uint8"), ("b", "int32"), ("c", "float64")]);
    let bytes = [
        0, 0, 0, 0, // big endian
        7, 9, 9, 9, // a, padding
        0xFF, 0xFF, 0xFF, 0xFE, // b: -2
        0x3F, 0xF8, 0, 0, 0, 0, 0, 0, // c: 1.5
    ];
    let layout = compile(&message, &["a", "b", "c"]);
    assert_eq!(hits(&layout, &bytes), [vec![(4, 1)], vec![(8, 1)], vec![(12, 1)]]);
    let value = decode(&message, &bytes).unwrap();
    let expected = Value::Message(vec![Value::Unsigned(7), Value::Signed(-2), Value::F64(1.5)]);
    assert_eq!(value, expected);
    let encoded = encode(&message, &value, Endian::Big).unwrap();
    assert_eq!(encoded[8..], bytes[8..]);
}

#[test]
fn an_empty_sequence_aligns_nothing() {
    let message = message("t/msg/M", &[("data", "float64[]"), ("after", "uint8")]);
    let bytes = [0, 1, 0, 0, 0, 0, 0, 0, 42];
    let layout = compile(&message, &["data", "after"]);
    assert_eq!(hits(&layout, &bytes), [vec![(8, 0)], vec![(8, 1)]]);
    assert_eq!(
        encode(&message, &decode(&message, &bytes).unwrap(), Endian::Little).unwrap(),
        bytes
    );
}

#[test]
fn a_stamp_is_found_read_and_overwritten_in_place() {
    let message = stamped_twist();
    let layout = compile(&message, &["header.stamp", "twist.angular.z"]);
    let mut value = Value::default_of(&message);
    let set = |value: &mut Value, path: &str, to: Value| {
        value.set(&message, &Path::parse(path).unwrap(), &to).unwrap();
    };
    set(&mut value, "header.stamp.sec", Value::Signed(-5));
    set(&mut value, "header.stamp.nanosec", Value::Unsigned(17));
    set(&mut value, "header.frame_id", "base".into());
    set(&mut value, "twist.angular.z", Value::F64(0.25));
    for endian in [Endian::Little, Endian::Big] {
        let mut bytes = encode(&message, &value, endian).unwrap();
        let mut found = layout.new_found();
        layout.find(&bytes, &mut found).unwrap();
        let &[Hit { offset, len: 1 }] = found.hits(0) else { panic!() };
        let stamp = Stamp { sec: -5, nanosec: 17 };
        assert_eq!(read_stamp(&bytes, found.endian(), offset), Some(stamp));
        let stamp = Stamp { sec: 8, nanosec: 999_999_999 };
        write_stamp(&mut bytes, found.endian(), offset, stamp).unwrap();
        let &[hit] = found.hits(1) else { panic!() };
        write_f64(&mut bytes, endian, Primitive::F64, hit.offset, -0.5).unwrap();
        let mut expected = value.clone();
        set(&mut expected, "header.stamp.sec", Value::Signed(8));
        set(&mut expected, "header.stamp.nanosec", Value::Unsigned(999_999_999));
        set(&mut expected, "twist.angular.z", Value::F64(-0.5));
        assert_eq!(decode(&message, &bytes), Ok(expected));
    }
    assert!(layout.uncovered().iter().all(|leaf| !leaf.path.starts_with("header.stamp")));
}

#[test]
fn numbers_are_read_and_written_only_where_they_fit() {
    let mut bytes = [0_u8; 8];
    let little = Endian::Little;
    assert_eq!(write_i64(&mut bytes, little, Primitive::I8, 0, -128), Some(()));
    assert_eq!(read_i64(&bytes, little, Primitive::I8, 0), Some(-128));
    assert_eq!(read_u64(&bytes, little, Primitive::I8, 0), None);
    assert_eq!(write_i64(&mut bytes, little, Primitive::I8, 0, 128), None);
    assert_eq!(write_i64(&mut bytes, little, Primitive::U8, 0, -1), None);
    assert_eq!(bytes[0], 0x80);
    assert_eq!(write_u64(&mut bytes, little, Primitive::U64, 0, u64::MAX), Some(()));
    assert_eq!(read_u64(&bytes, little, Primitive::U64, 0), Some(u64::MAX));
    assert_eq!(read_i64(&bytes, little, Primitive::U64, 0), None);
    assert_eq!(read_u64(&bytes, little, Primitive::Bool, 0), None);
    assert_eq!(write_u64(&mut bytes, little, Primitive::Bool, 0, 2), None);
    assert_eq!(write_u64(&mut bytes, little, Primitive::Bool, 7, 1), Some(()));
    assert_eq!(bytes[7], 1);
    // Past the end: nothing is written, not even the part that fits.
    let before = bytes;
    assert_eq!(write_f64(&mut bytes, little, Primitive::F64, 1, 0.0), None);
    assert_eq!(write_u64(&mut bytes, little, Primitive::U16, u32::MAX, 0), None);
    assert_eq!(write_stamp(&mut bytes, little, 4, Stamp::default()), None);
    assert_eq!(write_stamp(&mut bytes, little, u32::MAX - 1, Stamp::default()), None);
    assert_eq!(bytes, before);
    assert_eq!(read_f64(&bytes, little, Primitive::F64, 1), None);
    assert_eq!(read_stamp(&bytes, little, 1), None);
    // Floats are floats only.
    assert_eq!(read_f64(&bytes, little, Primitive::I32, 0), None);
    assert_eq!(write_i64(&mut bytes, little, Primitive::F32, 0, 1), None);
}

#[test]
fn a_float32_is_rounded_to_nearest_and_never_becomes_infinite() {
    let mut bytes = [0_u8; 4];
    for endian in [Endian::Little, Endian::Big] {
        assert_eq!(write_f64(&mut bytes, endian, Primitive::F32, 0, 0.1), Some(()));
        assert_eq!(read_f64(&bytes, endian, Primitive::F32, 0), Some(f64::from(0.1_f32)));
        assert_eq!(write_f64(&mut bytes, endian, Primitive::F32, 0, 1e39), None);
        assert_eq!(write_f64(&mut bytes, endian, Primitive::F32, 0, -1e39), None);
        assert_eq!(read_f64(&bytes, endian, Primitive::F32, 0), Some(f64::from(0.1_f32)));
        assert_eq!(write_f64(&mut bytes, endian, Primitive::F32, 0, f64::INFINITY), Some(()));
    }
}

#[test]
fn a_side_to_round_to_is_for_numbers_in_a_float32_only() {
    let mut bytes = [0_u8; 8];
    for endian in [Endian::Little, Endian::Big] {
        for rounding in [Rounding::Nearest, Rounding::Down, Rounding::Up] {
            let wide = write_rounded(&mut bytes, endian, Primitive::F64, 0, 0.1, rounding);
            assert_eq!(wide, Some(()));
            assert_eq!(read_f64(&bytes, endian, Primitive::F64, 0), Some(0.1));
            for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let narrow = write_rounded(&mut bytes, endian, Primitive::F32, 4, odd, rounding);
                assert_eq!(narrow, Some(()));
                let read = read_f64(&bytes, endian, Primitive::F32, 4).unwrap();
                assert!(read == odd || (read.is_nan() && odd.is_nan()));
            }
        }
    }
}
