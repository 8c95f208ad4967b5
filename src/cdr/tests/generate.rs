//! Random message types, values of them and selections.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::cdr::{
    Arity, Field, FiniteRule, Index, Kind, MessageType, Path, Primitive, Selection, Step, Value,
};

pub(super) const PRIMITIVES: [Primitive; 14] = [
    Primitive::Bool,
    Primitive::Octet,
    Primitive::Char,
    Primitive::WChar,
    Primitive::I8,
    Primitive::U8,
    Primitive::I16,
    Primitive::U16,
    Primitive::I32,
    Primitive::U32,
    Primitive::I64,
    Primitive::U64,
    Primitive::F32,
    Primitive::F64,
];

/// Room for any number of hits that a generated message has.
const ROOM: usize = 1 << 12;

fn arity() -> impl Strategy<Value = Arity> {
    prop_oneof![
        4 => Just(Arity::One),
        1 => (1_usize..6).prop_map(Arity::Array),
        1 => Just(Arity::Sequence { bound: None }),
        1 => (1_usize..6).prop_map(|bound| Arity::Sequence { bound: Some(bound) }),
    ]
}

fn kind(depth: u32) -> BoxedStrategy<Kind> {
    let leaf = prop_oneof![
        8 => proptest::sample::select(&PRIMITIVES[..]).prop_map(Kind::Primitive),
        1 => proptest::option::of(0_usize..8).prop_map(|bound| Kind::String { bound }),
        1 => proptest::option::of(0_usize..8).prop_map(|bound| Kind::WString { bound }),
    ];
    if depth == 0 {
        leaf.boxed()
    } else {
        prop_oneof![4 => leaf, 3 => message_type(depth - 1).prop_map(Kind::Message)].boxed()
    }
}

pub(super) fn message_type(depth: u32) -> BoxedStrategy<Arc<MessageType>> {
    vec((kind(depth), arity()), 1..6)
        .prop_map(move |fields| {
            let fields = fields
                .into_iter()
                .enumerate()
                .map(|(number, (kind, arity))| Field {
                    name: format!("f{number}"),
                    kind,
                    arity,
                    default: None,
                })
                .collect();
            Arc::new(MessageType { name: format!("test/msg/Level{depth}"), fields })
        })
        .boxed()
}

/// Values of a message; floats of any bits, texts without NUL.
pub(super) fn value_of(message: &MessageType) -> BoxedStrategy<Value> {
    let mut fields = Just(Vec::new()).boxed();
    for field in &message.fields {
        fields = (fields, field_value(field))
            .prop_map(|(mut before, value)| {
                before.push(value);
                before
            })
            .boxed();
    }
    fields.prop_map(Value::Message).boxed()
}

fn field_value(field: &Field) -> BoxedStrategy<Value> {
    match field.arity {
        Arity::One => kind_value(&field.kind),
        Arity::Array(count) => {
            vec(kind_value(&field.kind), count..=count).prop_map(Value::List).boxed()
        }
        Arity::Sequence { bound } => {
            let most = bound.unwrap_or(7);
            vec(kind_value(&field.kind), 0..=most).prop_map(Value::List).boxed()
        }
    }
}

fn kind_value(kind: &Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Primitive(primitive) => number(*primitive),
        Kind::String { bound } => vec(1_u8.., 0..=bound.unwrap_or(9)).prop_map(Value::Text).boxed(),
        Kind::WString { bound } => {
            vec(any::<u16>(), 0..=bound.unwrap_or(9)).prop_map(Value::WideText).boxed()
        }
        Kind::Message(message) => value_of(message),
    }
}

fn number(primitive: Primitive) -> BoxedStrategy<Value> {
    fn unsigned<T: Into<u64>>(number: T) -> Value {
        Value::Unsigned(number.into())
    }
    fn signed<T: Into<i64>>(number: T) -> Value {
        Value::Signed(number.into())
    }
    match primitive {
        Primitive::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Primitive::Octet | Primitive::Char | Primitive::U8 => {
            any::<u8>().prop_map(unsigned).boxed()
        }
        Primitive::WChar | Primitive::U16 => any::<u16>().prop_map(unsigned).boxed(),
        Primitive::U32 => any::<u32>().prop_map(unsigned).boxed(),
        Primitive::U64 => any::<u64>().prop_map(unsigned).boxed(),
        Primitive::I8 => any::<i8>().prop_map(signed).boxed(),
        Primitive::I16 => any::<i16>().prop_map(signed).boxed(),
        Primitive::I32 => any::<i32>().prop_map(signed).boxed(),
        Primitive::I64 => any::<i64>().prop_map(signed).boxed(),
        Primitive::F32 => prop_oneof![
            9 => any::<f32>(),
            1 => proptest::sample::select(vec![f32::NAN, f32::INFINITY, -f32::INFINITY, -0.0]),
        ]
        .prop_map(Value::F32)
        .boxed(),
        Primitive::F64 => prop_oneof![
            9 => any::<f64>(),
            1 => proptest::sample::select(vec![f64::NAN, f64::INFINITY, -f64::INFINITY, -0.0]),
        ]
        .prop_map(Value::F64)
        .boxed(),
    }
}

/// A type and a value of it.
pub(super) fn typed_value() -> BoxedStrategy<(Arc<MessageType>, Value)> {
    message_type(2)
        .prop_flat_map(|message| {
            let value = value_of(&message);
            (Just(message), value)
        })
        .boxed()
}

/// The path to every leaf, with `[]` at arrays of messages.
pub(super) fn leaf_paths(message: &MessageType) -> Vec<Path> {
    message.leaves().into_iter().map(|(path, _)| path).collect()
}

/// The same leaf, with other elements taken at each array on the way where the type allows it.
pub(super) fn vary(message: &MessageType, path: &Path, mut seed: u64) -> Path {
    let mut steps = Vec::new();
    let mut at = Arc::new(message.clone());
    for step in path.steps() {
        let field = at.field(&step.name).unwrap().clone();
        let most = match field.arity {
            Arity::One => None,
            Arity::Array(count) | Arity::Sequence { bound: Some(count) } => Some(count),
            Arity::Sequence { bound: None } => Some(9),
        };
        let index = match most {
            None => Index::None,
            Some(most) => {
                let from = u32::try_from(seed / 4 % u64::try_from(most).unwrap()).unwrap();
                let to = u32::try_from(most).unwrap();
                match seed % 4 {
                    0 => Index::One(from),
                    1 => Index::Range(
                        from,
                        from + 1 + u32::try_from(seed / 64).unwrap_or(0) % (to - from),
                    ),
                    2 => Index::All,
                    _ => step.index,
                }
            }
        };
        seed /= 5;
        steps.push(Step { name: step.name.clone(), index });
        if let Kind::Message(inner) = &field.kind {
            at = Arc::clone(inner);
        }
    }
    Path::new(steps).unwrap()
}

pub(super) fn selection(path: Path, finite: FiniteRule) -> Selection {
    Selection { path, max_hits: ROOM, finite }
}

/// Whether any float in the tree is not finite.
pub(super) fn has_non_finite(value: &Value) -> bool {
    match value {
        Value::F32(number) => !number.is_finite(),
        Value::F64(number) => !number.is_finite(),
        Value::Message(values) | Value::List(values) => values.iter().any(has_non_finite),
        Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::Text(_)
        | Value::WideText(_) => false,
    }
}
