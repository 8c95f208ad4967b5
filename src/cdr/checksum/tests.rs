use std::sync::Arc;

use super::*;
use crate::cdr::{Field, Value, encode};

fn field(name: &str, kind: Kind, arity: Arity) -> Field {
    Field { name: name.to_owned(), kind, arity, default: None }
}

fn number(name: &str, primitive: Primitive) -> Field {
    field(name, Kind::Primitive(primitive), Arity::One)
}

fn message(fields: Vec<Field>) -> MessageType {
    MessageType { name: "t/msg/Frame".to_owned(), fields }
}

/// In C: `a` at 0, `b` from 4 to 16 (`m` 4, `q` 8, `n` 12), `c` from 16 to 22, `crc` at 24.
/// On the wire: `a` at 0, `m` 1, `q` 4, `n` 8, `c` from 10 to 16, `crc` at 16.
fn frame(q: Primitive) -> MessageType {
    let inner = Arc::new(message(vec![
        number("m", Primitive::U8),
        number("q", q),
        number("n", Primitive::U8),
    ]));
    message(vec![
        number("a", Primitive::U8),
        field("b", Kind::Message(inner), Arity::One),
        field("c", Kind::Primitive(Primitive::U16), Arity::Array(3)),
        number("crc", Primitive::U32),
    ])
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn bytes(endian: Endian) -> Vec<u8> {
    let message = frame(Primitive::F32);
    let mut value = Value::default_of(&message);
    let mut set = |at: &str, to: Value| value.set(&message, &path(at), &to).unwrap();
    set("a", Value::Unsigned(0xA1));
    set("b.m", Value::Unsigned(7));
    set("b.q", Value::F32(1.5));
    set("b.n", Value::Unsigned(9));
    set("c", Value::List([1, 2, 0xFFFE].map(Value::Unsigned).to_vec()));
    encode(&message, &value, endian).unwrap()
}

/// By a bit-by-bit implementation in Python over
/// `struct.pack('<B3xB3xfB3x3H2x', 0xA1, 7, 1.5, 9, 1, 2, 0xFFFE)`.
const EXPECTED: u32 = 0x9742_A7CE;

#[test]
fn when_a_struct_is_filled_up_expect_the_checksum_over_the_struct_and_not_over_the_message() {
    let mut checksum = StructChecksum::unitree_crc32(&frame(Primitive::F32), &path("crc")).unwrap();
    for endian in [Endian::Little, Endian::Big] {
        let mut bytes = bytes(endian);
        let before = bytes.clone();
        assert!(!checksum.is_right(&bytes, endian), "a zero is not it");
        checksum.write(&mut bytes, endian).unwrap();
        let (head, word) = bytes.split_at(20);
        let word = word.first_chunk().copied().unwrap();
        let word = match endian {
            Endian::Little => u32::from_le_bytes(word),
            Endian::Big => u32::from_be_bytes(word),
        };
        assert_eq!(word, EXPECTED, "{endian:?}");
        assert_eq!(head, &before[..20], "nothing else is written");
        assert!(checksum.is_right(&bytes, endian));
        for at in 4..20 {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            // Bytes 6 and 7 pad on the wire, 13 lies between `n` and `c`.
            let padding = matches!(at, 6 | 7 | 13);
            assert_eq!(checksum.is_right(&broken, endian), padding, "byte {at} {endian:?}");
        }
        bytes.truncate(23);
        assert!(!checksum.is_right(&bytes, endian) && checksum.write(&mut bytes, endian).is_none());
    }
}

/// Elements of different sizes that follow each other without a gap, in the message and the struct.
#[test]
fn when_elements_of_other_sizes_follow_directly_expect_each_turned_round_by_its_own() {
    let message = message(vec![
        field("a", Kind::Primitive(Primitive::U8), Arity::Array(4)),
        field("b", Kind::Primitive(Primitive::U16), Arity::Array(2)),
        number("c", Primitive::F32),
        number("crc", Primitive::U32),
    ]);
    let mut value = Value::default_of(&message);
    let mut set = |at: &str, to: Value| value.set(&message, &path(at), &to).unwrap();
    set("a", Value::List([1, 2, 3, 4].map(Value::Unsigned).to_vec()));
    set("b", Value::List([0x1234, 0xFFFE].map(Value::Unsigned).to_vec()));
    set("c", Value::F32(-2.5));
    // As above, over `struct.pack('<4B2Hf', 1, 2, 3, 4, 0x1234, 0xFFFE, -2.5)`.
    set("crc", Value::Unsigned(0xA744_0DD0));
    let mut checksum = StructChecksum::unitree_crc32(&message, &path("crc")).unwrap();
    for endian in [Endian::Little, Endian::Big] {
        assert!(checksum.is_right(&encode(&message, &value, endian).unwrap(), endian));
    }
}

#[test]
fn when_the_struct_has_the_largest_size_expect_it_taken_and_one_word_more_refused() {
    let words = MAX_BYTES / 4;
    for (before, taken) in [(words - 1, true), (words, false)] {
        let data = field("data", Kind::Primitive(Primitive::U32), Arity::Array(before));
        let message = message(vec![data, number("crc", Primitive::U32)]);
        let made = StructChecksum::unitree_crc32(&message, &path("crc"));
        assert_eq!(made.err(), (!taken).then_some(ChecksumProblem::TooLarge));
    }
}

#[test]
fn when_the_type_is_no_struct_with_the_checksum_last_expect_the_reason() {
    let refused = |message: &MessageType, field: &str| {
        StructChecksum::unitree_crc32(message, &path(field)).unwrap_err()
    };
    let wide = frame(Primitive::F64);
    assert_eq!(refused(&wide, "crc"), ChecksumProblem::NotTheLastWord, "the struct is filled up");
    assert_eq!(refused(&frame(Primitive::F32), "a"), ChecksumProblem::NotTheLastWord);
    assert_eq!(refused(&frame(Primitive::F32), "c[2]"), ChecksumProblem::NotTheLastWord);
    assert!(matches!(refused(&frame(Primitive::F32), "sum"), ChecksumProblem::Path(_)));
    let data = field("data", Kind::Primitive(Primitive::F32), Arity::Sequence { bound: Some(4) });
    let dynamic = message(vec![data, number("crc", Primitive::U32)]);
    assert_eq!(
        refused(&dynamic, "crc").to_string(),
        "`data` is float32[<=4], and a C struct has a fixed size"
    );
    let label = field("label", Kind::String { bound: None }, Arity::One);
    let text = message(vec![label, number("crc", Primitive::U32)]);
    assert!(matches!(refused(&text, "crc"), ChecksumProblem::Dynamic { .. }));
    let float = message(vec![number("a", Primitive::U8), number("crc", Primitive::F32)]);
    assert_eq!(refused(&float, "crc"), ChecksumProblem::NotTheLastWord);
}
