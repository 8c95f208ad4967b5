//! Hazard 31: length fields lead past the buffer, and everything else that bytes can do.

use proptest::prelude::*;

use super::generate::{leaf_paths, message_type, selection, typed_value};
use crate::cdr::{
    Endian, FiniteRule, Found, Layout, Malformed, MessageType, Value, decode, encode,
};

fn all_leaves(message: &std::sync::Arc<MessageType>) -> Layout {
    let selections: Vec<_> =
        leaf_paths(message).into_iter().map(|path| selection(path, FiniteRule::Leave)).collect();
    Layout::compile(message, &selections, &[]).unwrap()
}

/// Every hit lies inside the bytes.
fn assert_inside(layout: &Layout, found: &Found, bytes: &[u8]) {
    for slot in 0..leaf_paths(layout.message()).len() {
        for hit in found.hits(slot) {
            let size = match (layout.primitive(slot), layout.kind(slot)) {
                (Some(primitive), _) => primitive.size(),
                (None, Some(crate::cdr::SlotKind::WideText)) => 4,
                (None, _) => 1,
            };
            let end = u64::from(hit.offset) + u64::from(hit.len) * u64::from(size);
            assert!(hit.offset >= 4 && end <= u64::try_from(bytes.len()).unwrap(), "{hit:?}");
        }
    }
}

/// The walk and the decoder are two readings of one format: they must agree on what is a message,
/// and on what it says.
fn assert_walk_and_decoder_agree(layout: &Layout, bytes: &[u8]) {
    let mut found = layout.new_found();
    match (layout.find(bytes, &mut found), decode(layout.message(), bytes)) {
        (Ok(()), Ok(value)) => {
            assert_inside(layout, &found, bytes);
            for (slot, path) in leaf_paths(layout.message()).iter().enumerate() {
                let expected: Vec<Value> =
                    value.get(layout.message(), path).unwrap().into_iter().cloned().collect();
                assert_eq!(layout.values(bytes, &found, slot), expected, "{path}");
            }
        }
        // A NUL inside a selected text: the decoder is for tests and keeps it.
        (Err(Malformed::BadString { .. }), Ok(_)) => {}
        (Err(_), Err(_)) => {}
        (walk, decoded) => panic!("walk {walk:?}, decoder {decoded:?}"),
    }
}

proptest! {
    #[test]
    fn hazard_31_malformed_bytes_every_truncation_is_refused((message, value) in typed_value()) {
        let layout = all_leaves(&message);
        let mut found = layout.new_found();
        for endian in [Endian::Big, Endian::Little] {
            let bytes = encode(&message, &value, endian).unwrap();
            for length in 0..bytes.len() {
                prop_assert!(layout.find(&bytes[..length], &mut found).is_err());
                prop_assert!(decode(&message, &bytes[..length]).is_err());
            }
        }
    }

    #[test]
    fn hazard_31_malformed_bytes_flipped_bytes_stay_inside(
        (message, value) in typed_value(),
        flips in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..6),
    ) {
        let layout = all_leaves(&message);
        for endian in [Endian::Big, Endian::Little] {
            let mut bytes = encode(&message, &value, endian).unwrap();
            for (place, byte) in &flips {
                let place = usize::try_from(*place).unwrap() % bytes.len();
                bytes[place] = *byte;
                assert_walk_and_decoder_agree(&layout, &bytes);
            }
        }
    }

    #[test]
    fn hazard_31_malformed_bytes_garbage_stays_inside(
        message in message_type(2),
        mut bytes in proptest::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..200),
        plausible in any::<bool>(),
    ) {
        if plausible && bytes.len() > 4 {
            bytes[..4].copy_from_slice(&[0, 1, 0, 0]);
        }
        assert_walk_and_decoder_agree(&all_leaves(&message), &bytes);
    }
}

proptest! {
    // Each case is many walks.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Counts are where a flipped byte hurts most: each aligned word in turn becomes a huge one.
    #[test]
    fn hazard_31_malformed_bytes_huge_counts_stay_inside((message, value) in typed_value()) {
        let layout = all_leaves(&message);
        for endian in [Endian::Big, Endian::Little] {
            let bytes = encode(&message, &value, endian).unwrap();
            for start in (4..bytes.len().saturating_sub(3)).step_by(4) {
                for word in [u32::MAX, u32::MAX - 3, 0x8000_0000, 0x2000_0001, 1000] {
                    let mut bytes = bytes.clone();
                    let word = match endian {
                        Endian::Big => word.to_be_bytes(),
                        Endian::Little => word.to_le_bytes(),
                    };
                    bytes[start..start + 4].copy_from_slice(&word);
                    assert_walk_and_decoder_agree(&layout, &bytes);
                }
            }
        }
    }
}

#[test]
fn hazard_31_malformed_bytes_only_plain_cdr_is_understood() {
    let message = super::by_hand::message("t/msg/Byte", &[("b", "uint8")]);
    let layout = Layout::compile(&message, &[], &[]).unwrap();
    let mut found = layout.new_found();
    for high in 0..=255 {
        for low in 0..=255 {
            let bytes = [high, low, 9, 9, 5];
            let expected = match (high, low) {
                (0, 0 | 1) => Ok(()),
                _ => Err(Malformed::BadEncapsulation { found: u16::from_be_bytes([high, low]) }),
            };
            assert_eq!(layout.find(&bytes, &mut found), expected);
        }
    }
}
