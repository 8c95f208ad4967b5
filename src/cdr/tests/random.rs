//! What must hold for any type and any value.

use proptest::prelude::*;

use super::generate::{has_non_finite, leaf_paths, selection, typed_value, vary};
use crate::cdr::{
    Endian, FiniteRule, Kind, Layout, Malformed, MessageType, Path, Value, decode, encode,
};

fn endian() -> impl Strategy<Value = Endian> {
    prop_oneof![Just(Endian::Big), Just(Endian::Little)]
}

fn refusal(layout: &Layout, bytes: &[u8]) -> Result<(), Malformed> {
    layout.find(bytes, &mut layout.new_found())
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_the_same((message, value) in typed_value(), endian in endian()) {
        let bytes = encode(&message, &value, endian).unwrap();
        prop_assert_eq!(decode(&message, &bytes), Ok(value));
    }

    #[test]
    fn every_leaf_is_found_with_its_values((message, value) in typed_value(), endian in endian()) {
        let paths = leaf_paths(&message);
        let selections: Vec<_> =
            paths.iter().map(|path| selection(path.clone(), FiniteRule::Leave)).collect();
        let layout = Layout::compile(&message, &selections, &[]).unwrap();
        prop_assert!(layout.uncovered().is_empty());
        let bytes = encode(&message, &value, endian).unwrap();
        let mut found = layout.new_found();
        prop_assert_eq!(layout.find(&bytes, &mut found), Ok(()));
        prop_assert_eq!(found.endian(), endian);
        for (slot, path) in paths.iter().enumerate() {
            let expected: Vec<Value> =
                value.get(&message, path).unwrap().into_iter().cloned().collect();
            prop_assert_eq!(layout.values(&bytes, &found, slot), expected, "{}", path);
        }
    }

    /// Some leaves only, some twice, with indices and ranges, in a buffer used before.
    #[test]
    fn any_selection_is_found_with_its_values(
        (message, value) in typed_value(),
        seeds in proptest::collection::vec(any::<u64>(), 1..8),
        endian in endian(),
    ) {
        let leaves = leaf_paths(&message);
        let paths: Vec<_> = seeds
            .iter()
            .map(|seed| {
                let leaf = usize::try_from(*seed % 1000).unwrap() % leaves.len();
                vary(&message, &leaves[leaf], seed / 1000)
            })
            .collect();
        let selections: Vec<_> =
            paths.iter().map(|path| selection(path.clone(), FiniteRule::Leave)).collect();
        let layout = Layout::compile(&message, &selections, &leaves_with_floats(&message)).unwrap();
        let bytes = encode(&message, &value, endian).unwrap();
        let mut found = layout.new_found();
        for _ in 0..2 {
            prop_assert_eq!(layout.find(&bytes, &mut found), Ok(()));
        }
        for (slot, path) in paths.iter().enumerate() {
            let expected: Vec<Value> =
                value.get(&message, path).unwrap().into_iter().cloned().collect();
            prop_assert_eq!(layout.values(&bytes, &found, slot), expected, "{}", path);
        }
    }

    #[test]
    fn without_selections_a_message_passes_exactly_if_all_floats_are_finite(
        (message, value) in typed_value(),
        endian in endian(),
    ) {
        let layout = Layout::compile(&message, &[], &[]).unwrap();
        let bytes = encode(&message, &value, endian).unwrap();
        let refused = matches!(refusal(&layout, &bytes), Err(Malformed::NotFinite { .. }));
        prop_assert_eq!(refused, has_non_finite(&value));
        prop_assert_eq!(refusal(&layout, &bytes).is_err(), refused);
    }

    /// Each float is either checked by the walk or found by a selection, never neither.
    #[test]
    fn a_float_that_no_selection_takes_is_checked(
        (message, value) in typed_value(),
        seed in any::<u64>(),
        endian in endian(),
    ) {
        let leaves = leaf_paths(&message);
        let path = vary(&message, &leaves[usize::try_from(seed % 1000).unwrap() % leaves.len()], seed / 1000);
        let bytes = encode(&message, &value, endian).unwrap();
        let taken = value.get(&message, &path).unwrap();
        let checked = selection(path.clone(), FiniteRule::Check);
        let layout = Layout::compile(&message, &[checked], &[]).unwrap();
        prop_assert_eq!(refusal(&layout, &bytes).is_err(), has_non_finite(&value));
        // With only the selected floats made finite, `Leave` and `Check` must agree.
        let left = selection(path, FiniteRule::Leave);
        let layout = Layout::compile(&message, &[left], &[]).unwrap();
        let taken_bad = taken.iter().filter(|value| has_non_finite(value)).count();
        let all_bad = count_non_finite(&value);
        prop_assert_eq!(refusal(&layout, &bytes).is_err(), all_bad > taken_bad);
    }

    #[test]
    fn bytes_after_the_last_field_change_nothing(
        (message, value) in typed_value(),
        tail in proptest::collection::vec(any::<u8>(), 0..20),
        endian in endian(),
    ) {
        let mut bytes = encode(&message, &value, endian).unwrap();
        bytes.extend(tail);
        prop_assert_eq!(decode(&message, &bytes), Ok(value));
    }
}

fn count_non_finite(value: &Value) -> usize {
    match value {
        Value::Message(values) | Value::List(values) => values.iter().map(count_non_finite).sum(),
        Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Text(_)
        | Value::WideText(_) => usize::from(has_non_finite(value)),
    }
}

fn leaves_with_floats(message: &MessageType) -> Vec<Path> {
    let leaves = message.leaves().into_iter();
    let floats = leaves.filter(
        |(_, field)| matches!(&field.kind, Kind::Primitive(primitive) if primitive.is_float()),
    );
    floats.map(|(path, _)| path).collect()
}
