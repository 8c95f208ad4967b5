//! Our encoder, decoder and layouts against the real middleware, for every installed type.
//!
//! Random contents, compared by values and both ways: what we encode the middleware must read, and
//! what the middleware writes we must decode and find. Bytes are not compared, because the
//! middleware leaves garbage in padding and states a length that it only estimated.
//!
//! The installed set has no wide strings, few bounds and few defaults; `test/layout_msgs` adds a
//! type for each construct. It is built here with CMake, and the same comparison runs over it in a
//! second process, because the loader reads its path only when a process starts.

use std::collections::BTreeSet;

use interlock::cdr::{
    Arity, Endian, FiniteRule, Kind, Layout, MessageType, Path, Selection, Value, decode, encode,
};
use interlock::ros::typesupport::{
    LoadedMessage, TypeSupportError, installed_messages, installed_services, load_message,
    load_service,
};

#[path = "typesupport_all/random.rs"]
mod random;
#[path = "support/mod.rs"]
mod support;

use random::Random;
use support::interfaces::with_interfaces;

/// Contents tried of each type, each in both byte orders.
const CONTENTS: u64 = 12;
/// A ROS installation with the common interfaces has far more.
const FEWEST_TYPES: usize = 100;

/// The forms of fields that a type uses, `float64[]`, with nested types and numbers left out.
fn constructs(message: &MessageType, seen: &mut BTreeSet<String>) {
    for field in &message.fields {
        let kind = match &field.kind {
            Kind::Primitive(primitive) => primitive.to_string(),
            Kind::String { bound } => bounded("string", *bound),
            Kind::WString { bound } => bounded("wstring", *bound),
            Kind::Message(inner) => {
                constructs(inner, seen);
                "message".to_owned()
            }
        };
        let arity = match field.arity {
            Arity::One => "",
            Arity::Array(_) => "[n]",
            Arity::Sequence { bound: None } => "[]",
            Arity::Sequence { bound: Some(_) } => "[<=n]",
        };
        seen.insert(format!("{kind}{arity}"));
        if field.default.is_some() {
            seen.insert("a default".to_owned());
        }
        if field.name == interlock::cdr::DUMMY_MEMBER {
            seen.insert("an empty message".to_owned());
        }
    }
}

fn bounded(kind: &str, bound: Option<usize>) -> String {
    if bound.is_some() { format!("{kind}<=n") } else { kind.to_owned() }
}

/// All forms of numbers, texts and messages, without one that cannot be had: rosidl's parser takes
/// the bound of `wstring<=5[]` for the sequence's too (`sequence<wstring<5>>` in IDL).
fn all_constructs() -> BTreeSet<String> {
    let numbers = [
        "bool",
        "byte",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float32",
        "float64",
        "string",
        "string<=n",
        "wstring",
        "wstring<=n",
        "message",
    ];
    let arrays = numbers
        .iter()
        .flat_map(|kind| ["", "[n]", "[]", "[<=n]"].map(|arity| format!("{kind}{arity}")));
    let others = ["wchar", "a default", "an empty message"].map(str::to_owned);
    arrays.chain(others).filter(|construct| construct != "wstring<=n[]").collect()
}

/// Compares one type, both ways.
fn compare(loaded: &LoadedMessage) {
    let message = loaded.message();
    let name = &message.name;
    let paths: Vec<Path> = message.leaves().into_iter().map(|(path, _)| path).collect();
    let selections: Vec<Selection> = paths
        .iter()
        .map(|path| Selection { path: path.clone(), max_hits: 1 << 12, finite: FiniteRule::Leave })
        .collect();
    let layout = Layout::compile(message, &selections, &[]).unwrap();
    assert!(layout.uncovered().is_empty(), "{name}");
    let mut found = layout.new_found();
    // The type's name as seed: another type added does not change this one's contents.
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut random = Random::new(seed);
    for number in 0..CONTENTS {
        let value = if number == 0 { Value::default_of(message) } else { random.message(message) };
        for endian in [Endian::Little, Endian::Big] {
            let ours = encode(message, &value, endian).unwrap();
            let read = loaded.deserialize(&ours).unwrap();
            assert_eq!(read, value, "{name}: the middleware reads our bytes differently");
        }
        let theirs = loaded.serialize(&value).unwrap();
        let decoded = decode(message, &theirs);
        assert_eq!(
            decoded.as_ref(),
            Ok(&value),
            "{name}: we read the middleware's bytes differently"
        );
        assert_eq!(layout.find(&theirs, &mut found), Ok(()), "{name}");
        for (slot, path) in paths.iter().enumerate() {
            let expected: Vec<Value> =
                value.get(message, path).unwrap().into_iter().cloned().collect();
            assert_eq!(layout.values(&theirs, &found, slot), expected, "{name}: {path}");
        }
    }
}

/// Compares every installed type; says how many, and which constructs they use.
fn compare_installed() -> (usize, BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    let mut check = |loaded: &LoadedMessage| {
        constructs(loaded.message(), &mut seen);
        compare(loaded);
        count += 1;
    };
    for name in installed_messages() {
        let loaded = load_message(&name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.message().name, name);
        check(&loaded);
    }
    for name in installed_services() {
        let loaded = load_service(&name).unwrap_or_else(|error| panic!("{error}"));
        check(loaded.request());
        check(loaded.response());
    }
    (count, seen)
}

#[test]
fn every_installed_type_reads_and_writes_like_the_middleware() {
    let (count, seen) = compare_installed();
    let missing: Vec<String> = all_constructs().difference(&seen).cloned().collect();
    println!("{count} types compared, {CONTENTS} contents each; not used by any: {missing:?}");
    assert!(count >= FEWEST_TYPES, "only {count} types are installed");
}

#[test]
fn every_construct_reads_and_writes_like_the_middleware() {
    let name = "every_construct_reads_and_writes_like_the_middleware";
    with_interfaces("layout_msgs", name, || {
        let (_, seen) = compare_installed();
        let missing: Vec<String> = all_constructs().difference(&seen).cloned().collect();
        assert!(missing.is_empty(), "no type uses {missing:?}");
        defaults_are_those_of_the_definition();
    });
}

fn defaults_are_those_of_the_definition() {
    let loaded = load_message("layout_msgs/msg/Defaults").unwrap();
    let message = loaded.message();
    let value = Value::default_of(message);
    let get = |path: &str| -> Vec<Value> {
        let found = value.get(message, &Path::parse(path).unwrap()).unwrap();
        found.into_iter().cloned().collect()
    };
    assert_eq!(get("number"), [Value::Signed(-5)]);
    assert_eq!(get("truth"), [Value::Bool(true)]);
    assert_eq!(get("ratios"), [0.5, 1.5, -2.5].map(Value::F64));
    assert_eq!(get("counts"), [7, 8].map(Value::Unsigned));
    assert_eq!(get("text"), ["to be".into()]);
    assert_eq!(get("texts"), ["a".into(), "".into(), "b".into()]);
    assert_eq!(get("wide"), [Value::WideText("käse".encode_utf16().collect())]);
    assert_eq!(get("nothing"), [Value::Signed(0)]);
    let outer = load_message("layout_msgs/msg/Messages").unwrap();
    let value = Value::default_of(outer.message());
    let path = Path::parse("array[].number").unwrap();
    let found = value.get(outer.message(), &path).unwrap();
    assert_eq!(found, [&Value::Signed(-5), &Value::Signed(-5)]);
}

#[test]
fn a_type_that_cannot_be_loaded_says_why() {
    let error = |name: &str| load_message(name).unwrap_err();
    assert_eq!(
        error("Twist").to_string(),
        "`Twist` is not a type name; write package/msg/Name, for example geometry_msgs/msg/Twist"
    );
    assert_eq!(
        error("std_msg/msg/Bool").to_string(),
        "package `std_msg` of `std_msg/msg/Bool` is not installed; did you mean std_msgs?"
    );
    let TypeSupportError::NoType { available, package, .. } = error("std_msgs/msg/Bol") else {
        panic!("a package without the type");
    };
    assert_eq!(package, "std_msgs");
    assert!(available.contains(&"Bool".to_owned()));
    assert!(load_service("std_srvs/srv/Trigge").is_err());
    assert!(load_service("std_srvs/srv/Trigger").is_ok());
}

#[test]
fn a_standard_default_is_known() {
    let loaded = load_message("geometry_msgs/msg/Quaternion").unwrap();
    let value = Value::default_of(loaded.message());
    let path = Path::parse("w").unwrap();
    assert_eq!(value.get(loaded.message(), &path).unwrap(), [&Value::F64(1.0)]);
}
