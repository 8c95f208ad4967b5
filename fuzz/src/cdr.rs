//! Any bytes as any message: the layout walk, and writes where it found numbers.
//!
//! Input: one byte chooses the type, one the number that is written; the rest is the message.
//!
//! - The walk and the decoder are two readings of one format: they agree on what is a message of the
//!   type and on what it says. Every hit lies inside the bytes.
//! - A number written at a hit is read back there, and no other byte changes.

use std::sync::{Arc, OnceLock};

use interlock::cdr::{
    Endian, FiniteRule, Found, Layout, Malformed, MessageType, Path, Primitive, Rounding,
    Selection, SlotKind, Value, decode, read_f64, read_i64, read_u64, write_i64, write_rounded,
    write_u64,
};

use super::types::all;

/// Most hits of a selection: more than an input has room for elements.
const ROOM: usize = 1 << 12;
/// Longer inputs only take longer.
const MAX_BYTES: usize = 8 * 1024;

struct Type {
    message: Arc<MessageType>,
    leaves: Vec<Path>,
    layout: Layout,
}

fn types() -> &'static [Type] {
    static TYPES: OnceLock<Vec<Type>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let made = all().into_iter().map(|message| {
            let leaves: Vec<Path> = message.leaves().into_iter().map(|(path, _)| path).collect();
            let select = |path: &Path| Selection {
                path: path.clone(),
                max_hits: ROOM,
                finite: FiniteRule::Leave,
            };
            let selections: Vec<Selection> = leaves.iter().map(select).collect();
            let layout = Layout::compile(&message, &selections, &[]).expect("a layout");
            assert!(layout.uncovered().is_empty(), "{}", message.name);
            Type { message, leaves, layout }
        });
        made.collect()
    })
}

/// One input.
pub fn run(data: &[u8]) {
    let Some(([which, number], bytes)) = data.split_first_chunk::<2>() else { return };
    if bytes.len() > MAX_BYTES {
        return;
    }
    let types = types();
    let Type { message, leaves, layout } = &types[usize::from(*which) % types.len()];
    let mut found = layout.new_found();
    match (layout.find(bytes, &mut found), decode(message, bytes)) {
        (Ok(()), Ok(value)) => {
            inside(layout, leaves.len(), &found, bytes);
            for (slot, path) in leaves.iter().enumerate() {
                let expected: Vec<Value> =
                    value.get(message, path).expect("a path").into_iter().cloned().collect();
                assert_eq!(layout.values(bytes, &found, slot), expected, "{path}");
            }
            patch(layout, leaves.len(), &found, bytes, *number);
        }
        // A NUL inside a selected text, or more elements than the selection has room for: only the
        // walk minds.
        (Err(Malformed::BadString { .. } | Malformed::TooManyHits { .. }), Ok(_))
        | (Err(_), Err(_)) => {}
        (walk, decoded) => panic!("{}: walk {walk:?}, decoder {decoded:?}", message.name),
    }
}

fn size(layout: &Layout, slot: usize) -> u32 {
    match layout.kind(slot).expect("a slot") {
        SlotKind::Number(primitive) => primitive.size(),
        SlotKind::WideText => 4,
        SlotKind::Text => 1,
        SlotKind::Stamp => 8,
    }
}

fn inside(layout: &Layout, slots: usize, found: &Found, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).expect("a length");
    for slot in 0..slots {
        for hit in found.hits(slot) {
            let end = u64::from(hit.offset) + u64::from(hit.len) * u64::from(size(layout, slot));
            assert!(hit.offset >= 4 && end <= length, "{hit:?} of {length}");
        }
    }
}

/// Writes a number that depends on `number` over the first and the last element of every number slot.
fn patch(layout: &Layout, slots: usize, found: &Found, bytes: &[u8], number: u8) {
    let endian = found.endian();
    for slot in 0..slots {
        let Some(SlotKind::Number(primitive)) = layout.kind(slot) else { continue };
        let hits = found.hits(slot);
        for hit in hits.first().into_iter().chain(hits.last()) {
            for element in [0, hit.len.wrapping_sub(1)] {
                let Some(offset) = hit.element(element, primitive) else { continue };
                let mut changed = bytes.to_vec();
                write(&mut changed, endian, primitive, offset, number);
                let from = usize::try_from(offset).expect("an offset");
                let to = from + usize::try_from(primitive.size()).expect("a size");
                assert_eq!((&changed[..from], &changed[to..]), (&bytes[..from], &bytes[to..]));
                // Numbers decide nothing about where the others are.
                let mut again = layout.new_found();
                assert_eq!(layout.find(&changed, &mut again), Ok(()), "{primitive}");
                assert_eq!(again.hits(slot), hits);
            }
        }
    }
}

/// Writes, and asserts what is read back.
fn write(bytes: &mut [u8], endian: Endian, primitive: Primitive, offset: u32, number: u8) {
    if primitive.is_float() {
        let value = (f64::from(number) - 127.0) * 1.0e-3;
        let rounding = [Rounding::Down, Rounding::Up, Rounding::Nearest][usize::from(number % 3)];
        write_rounded(bytes, endian, primitive, offset, value, rounding).expect("room");
        let read = read_f64(bytes, endian, primitive, offset).expect("a float");
        match rounding {
            Rounding::Down => assert!(read <= value),
            Rounding::Up => assert!(read >= value),
            Rounding::Nearest => assert!((read - value).abs() <= value.abs() * 1.0e-6),
        }
        return;
    }
    let signed =
        matches!(primitive, Primitive::I8 | Primitive::I16 | Primitive::I32 | Primitive::I64);
    if signed {
        let value = i64::from(number) - 128;
        write_i64(bytes, endian, primitive, offset, value).expect("it fits");
        assert_eq!(read_i64(bytes, endian, primitive, offset), Some(value));
    } else {
        let value = if primitive == Primitive::Bool { number % 2 } else { number };
        write_u64(bytes, endian, primitive, offset, value.into()).expect("it fits");
        assert_eq!(read_u64(bytes, endian, primitive, offset), Some(value.into()));
    }
}
