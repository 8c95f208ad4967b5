//! Hits as values, for diagnostics and tests; allocates.

use super::super::access::{read_f64, read_i64, read_stamp, read_u64};
use super::super::cursor::{Endian, index};
use super::super::schema::Primitive;
use super::super::value::Value;
use super::{Found, Hit, Layout, SlotKind};

impl Layout {
    /// The values that a selection found in `bytes`, in wire order, the elements of arrays one by
    /// one; a stamp as a message of its two numbers. What cannot be read from these bytes, because
    /// `found` is of others, is left out.
    #[must_use]
    pub fn values(&self, bytes: &[u8], found: &Found, slot: usize) -> Vec<Value> {
        let Some(kind) = self.kind(slot) else {
            return Vec::new();
        };
        let endian = found.endian();
        let mut values = Vec::new();
        for hit in found.hits(slot) {
            match kind {
                SlotKind::Number(primitive) => values.extend((0..hit.len).filter_map(|number| {
                    let offset = hit.element(number, primitive)?;
                    read_number(bytes, endian, primitive, offset)
                })),
                SlotKind::Text => {
                    values.extend(hit.text(bytes).map(|text| Value::Text(text.to_vec())));
                }
                SlotKind::WideText => values.extend(read_wide(bytes, endian, *hit)),
                SlotKind::Stamp => {
                    values.extend(read_stamp(bytes, endian, hit.offset).map(|stamp| {
                        let sec = Value::Signed(stamp.sec.into());
                        Value::Message(vec![sec, Value::Unsigned(stamp.nanosec.into())])
                    }));
                }
            }
        }
        values
    }
}

/// One number as a value; `None` out of bounds or for a bool above 1.
pub(in crate::cdr) fn read_number(
    bytes: &[u8],
    endian: Endian,
    primitive: Primitive,
    offset: u32,
) -> Option<Value> {
    match primitive {
        Primitive::Bool => {
            read_u64(bytes, endian, primitive, offset).map(|bit| Value::Bool(bit == 1))
        }
        // Not by way of `f64`: a conversion may change a NaN's bits.
        Primitive::F32 => read_u64(bytes, endian, Primitive::U32, offset)
            .and_then(|bits| u32::try_from(bits).ok())
            .map(|bits| Value::F32(f32::from_bits(bits))),
        Primitive::F64 => read_f64(bytes, endian, primitive, offset).map(Value::F64),
        Primitive::I8 | Primitive::I16 | Primitive::I32 | Primitive::I64 => {
            read_i64(bytes, endian, primitive, offset).map(Value::Signed)
        }
        Primitive::Octet
        | Primitive::Char
        | Primitive::WChar
        | Primitive::U8
        | Primitive::U16
        | Primitive::U32
        | Primitive::U64 => read_u64(bytes, endian, primitive, offset).map(Value::Unsigned),
    }
}

fn read_wide(bytes: &[u8], endian: Endian, hit: Hit) -> Option<Value> {
    let start = index(hit.offset);
    let units = bytes.get(start..start.checked_add(index(hit.len).checked_mul(4)?)?)?;
    Some(Value::WideText(wide_units(units, endian)))
}

/// The 16-bit units of a wide text on the wire, four bytes each, the upper two zero.
pub(in crate::cdr) fn wide_units(bytes: &[u8], endian: Endian) -> Vec<u16> {
    let (units, _) = bytes.as_chunks::<4>();
    units
        .iter()
        .map(|[a, b, c, d]| match endian {
            Endian::Big => u16::from_be_bytes([*c, *d]),
            Endian::Little => u16::from_le_bytes([*a, *b]),
        })
        .collect()
}
