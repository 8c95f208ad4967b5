//! Value trees: defaults, setting and reading by path, and what the encoder refuses.

use std::sync::Arc;

use super::by_hand::{message, multi_array, nesting, stamped_twist};
use crate::cdr::{
    EncodeError, Endian, MessageType, Path, Primitive, SetError, SetProblem, Value, encode,
};

fn set(tree: &mut Value, message: &MessageType, path: &str, to: Value) -> Result<(), SetError> {
    tree.set(message, &Path::parse(path).unwrap(), &to)
}

fn get(tree: &Value, message: &MessageType, path: &str) -> Vec<Value> {
    let found = tree.get(message, &Path::parse(path).unwrap()).unwrap();
    found.into_iter().cloned().collect()
}

#[test]
fn defaults_are_the_type_s_own_else_zero() {
    let mut with_default = MessageType::clone(&message(
        "t/msg/M",
        &[("a", "int8"), ("b", "float32[2]"), ("c", "string"), ("d", "bool[]")],
    ));
    with_default.fields[0].default = Some(Value::Signed(-3));
    with_default.fields[3].default = Some(Value::List(vec![Value::Bool(true)]));
    let outer = nesting("t/msg/O", &[("m", "t/msg/M[2]")], &[&Arc::new(with_default)]);
    let inner = Value::Message(vec![
        Value::Signed(-3),
        Value::List(vec![Value::F32(0.0); 2]),
        Value::Text(vec![]),
        Value::List(vec![Value::Bool(true)]),
    ]);
    let expected = Value::Message(vec![Value::List(vec![inner; 2])]);
    assert_eq!(Value::default_of(&outer), expected);
}

#[test]
fn setting_by_path_grows_sequences_and_nothing_else() {
    let message = multi_array();
    let mut tree = Value::default_of(&message);
    set(&mut tree, &message, "data[0..3]", Value::F64(1.0)).unwrap();
    set(&mut tree, &message, "data[4]", Value::Unsigned(7)).unwrap();
    assert_eq!(get(&tree, &message, "data"), [1.0, 1.0, 1.0, 0.0, 7.0].map(Value::F64));
    set(&mut tree, &message, "data[]", Value::F64(2.0)).unwrap();
    assert_eq!(get(&tree, &message, "data[1..9]"), [2.0; 4].map(Value::F64));
    set(&mut tree, &message, "data", Value::List(vec![Value::F64(3.0)])).unwrap();
    assert_eq!(get(&tree, &message, "data"), [Value::F64(3.0)]);
    set(&mut tree, &message, "layout.dim[1].label", "x".into()).unwrap();
    set(&mut tree, &message, "layout.dim[].size", Value::Unsigned(9)).unwrap();
    assert_eq!(get(&tree, &message, "layout.dim[].label"), ["".into(), "x".into()]);
    assert_eq!(get(&tree, &message, "layout.dim[].size"), [9, 9].map(Value::Unsigned));
    assert_eq!(get(&tree, &message, "layout.dim[5].size"), []);
}

#[test]
fn a_value_that_does_not_fit_changes_no_number() {
    let types = [
        ("u8", "uint8"),
        ("i16", "int16"),
        ("b", "bool"),
        ("f", "float32"),
        ("s", "string<=2"),
        ("w", "wstring<=1"),
        ("a", "int8[2]"),
        ("q", "int8[<=2]"),
    ];
    let message = message("t/msg/M", &types);
    let before = Value::default_of(&message);
    let refused = [
        ("u8", Value::Unsigned(256)),
        ("u8", Value::Signed(-1)),
        ("u8", Value::F64(1.0)),
        ("i16", Value::Unsigned(32_768)),
        ("b", Value::Unsigned(2)),
        ("f", Value::F64(1e39)),
        ("f", Value::Bool(true)),
        ("f", Value::Unsigned(u64::MAX)),
        ("s", "abc".into()),
        ("s", Value::Text(vec![b'a', 0])),
        ("w", Value::WideText(vec![1, 2])),
        ("w", "a".into()),
        ("a", Value::List(vec![Value::Signed(1)])),
        ("q", Value::List(vec![Value::Signed(1); 3])),
        ("q", Value::List(vec![Value::Signed(128)])),
    ];
    for (path, value) in refused {
        let mut tree = before.clone();
        let error = set(&mut tree, &message, path, value.clone()).unwrap_err();
        assert!(matches!(error.problem, SetProblem::WrongValue { .. }), "{path} {value:?}");
        assert_eq!(tree, before);
    }
    let mut tree = before.clone();
    assert_eq!(
        set(&mut tree, &message, "u8", Value::Signed(-1)).unwrap_err().to_string(),
        "`u8` of t/msg/M: Signed(-1) does not fit uint8"
    );
    assert!(set(&mut tree, &message, "q[2]", Value::Signed(1)).is_err());
    assert!(set(&mut tree, &message, "u9", Value::Signed(1)).is_err());
    assert!(set(&mut tree, &message, "u8.x", Value::Signed(1)).is_err());
    assert_eq!(tree, before);
    // A tree of another type is refused, not searched.
    assert!(set(&mut Value::Bool(true), &message, "u8", Value::Signed(1)).is_err());
    assert!(set(&mut Value::Message(vec![]), &message, "u8", Value::Signed(1)).is_err());
}

#[test]
fn numbers_convert_where_nothing_is_lost_but_precision() {
    let types =
        [("u", "uint64"), ("i", "int64"), ("b", "bool"), ("f", "float32"), ("d", "float64")];
    let message = message("t/msg/M", &types);
    let mut tree = Value::default_of(&message);
    set(&mut tree, &message, "u", Value::Signed(5)).unwrap();
    set(&mut tree, &message, "i", Value::Unsigned(6)).unwrap();
    set(&mut tree, &message, "b", Value::Signed(1)).unwrap();
    set(&mut tree, &message, "f", Value::F64(0.1)).unwrap();
    set(&mut tree, &message, "d", Value::Signed(-7)).unwrap();
    let expected = [
        Value::Unsigned(5),
        Value::Signed(6),
        Value::Bool(true),
        Value::F32(0.1),
        Value::F64(-7.0),
    ];
    assert_eq!(tree, Value::Message(expected.to_vec()));
    set(&mut tree, &message, "b", Value::Unsigned(0)).unwrap();
    assert_eq!(get(&tree, &message, "b"), [Value::Bool(false)]);
}

#[test]
fn a_whole_message_can_be_set_if_it_fits() {
    let message = stamped_twist();
    let mut tree = Value::default_of(&message);
    let vector = |x| Value::Message(vec![Value::F64(x), Value::F64(0.0), Value::Signed(2)]);
    set(&mut tree, &message, "twist.linear", vector(1.0)).unwrap();
    assert_eq!(get(&tree, &message, "twist.linear.z"), [Value::F64(2.0)]);
    let short = Value::Message(vec![Value::F64(1.0)]);
    assert!(set(&mut tree, &message, "twist.linear", short).is_err());
}

#[test]
fn equality_is_of_bits() {
    assert_eq!(Value::F64(f64::NAN), Value::F64(f64::NAN));
    assert_ne!(Value::F64(0.0), Value::F64(-0.0));
    assert_ne!(Value::F32(0.0), Value::F32(-0.0));
    assert_ne!(Value::Signed(1), Value::Unsigned(1));
    assert_ne!(Value::List(vec![]), Value::Message(vec![]));
}

#[test]
fn the_encoder_refuses_a_tree_of_another_shape() {
    let message = message("t/msg/M", &[("s", "string<=2"), ("q", "uint8[<=1]")]);
    let encode = |fields: Vec<Value>| {
        encode(&message, &Value::Message(fields), Endian::Little).map(|bytes| bytes.len())
    };
    let list = |values: Vec<Value>| Value::List(values);
    assert_eq!(encode(vec!["ab".into(), list(vec![Value::Unsigned(1)])]), Ok(17));
    let not_this = EncodeError::NotThisMessage("t/msg/M".into());
    assert_eq!(encode(vec!["ab".into()]), Err(not_this));
    let over = |field: &str, type_name: &str| {
        Err(EncodeError::OverBound { field: field.into(), type_name: type_name.into() })
    };
    assert_eq!(encode(vec!["abc".into(), list(vec![])]), over("s", "string<=2"));
    let two = list(vec![Value::Unsigned(1); 2]);
    assert_eq!(encode(vec!["".into(), two]), over("q", "uint8[<=1]"));
    let nul = Value::Text(vec![0]);
    assert_eq!(encode(vec![nul, list(vec![])]), Err(EncodeError::NulInText { field: "s".into() }));
    let wrong = |field: &str, type_name: &str| {
        Err(EncodeError::WrongValue { field: field.into(), type_name: type_name.into() })
    };
    assert_eq!(encode(vec![Value::Bool(true), list(vec![])]), wrong("s", "string<=2"));
    assert_eq!(encode(vec!["".into(), Value::Unsigned(1)]), wrong("q", "uint8[<=1]"));
    let large = list(vec![Value::Unsigned(256)]);
    assert_eq!(encode(vec!["".into(), large]), wrong("q", "uint8[<=1]"));
}

#[test]
fn the_encoder_refuses_a_fixed_array_of_another_length() {
    let message = message("t/msg/M", &[("a", "int8[2]")]);
    for count in 0..4 {
        let list = Value::List(vec![Value::Signed(1); count]);
        let encoded = encode(&message, &Value::Message(vec![list]), Endian::Little);
        let wrong = EncodeError::WrongValue { field: "a".into(), type_name: "int8[2]".into() };
        assert_eq!(encoded.err(), (count != 2).then_some(wrong));
    }
}

#[test]
fn what_counts_or_measures_is_a_number() {
    use Primitive::{Bool, Char, F32, F64, I8, I16, I32, I64, Octet, U8, U16, U32, U64, WChar};
    let numbers = [Octet, I8, U8, I16, U16, I32, U32, I64, U64, F32, F64];
    assert!(numbers.into_iter().all(Primitive::is_number));
    assert!(![Bool, Char, WChar].into_iter().any(Primitive::is_number));
}
