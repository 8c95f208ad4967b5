//! From bytes to a value tree.
//!
//! For start-up and tests; the gate's path uses [`Layout::find`](super::Layout::find). It refuses
//! what the walk refuses, except that floats need not be finite and texts may hold a NUL. Memory is
//! bounded by the bytes: a count that cannot fit is refused before anything is made for it.

use super::access::{read_f64, read_i64, read_u64};
use super::cursor::{Cursor, Endian, Malformed};
use super::layout::least_size;
use super::schema::{Arity, Field, Kind, MessageType, Primitive};
use super::value::Value;

/// Decodes a message.
///
/// # Errors
/// [`Malformed`] with the byte at which the message stops being one of this type.
pub fn decode(message: &MessageType, bytes: &[u8]) -> Result<Value, Malformed> {
    let mut cursor = Cursor::open(bytes)?;
    decode_message(message, &mut cursor)
}

fn decode_message(message: &MessageType, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    let fields: Result<Vec<Value>, Malformed> = message
        .fields
        .iter()
        .map(|field| decode_field(field, cursor))
        .collect();
    fields.map(Value::Message)
}

fn decode_field(field: &Field, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    let count = match field.arity {
        Arity::One => return decode_element(&field.kind, cursor),
        Arity::Array(count) => count,
        Arity::Sequence { bound } => {
            let least = match &field.kind {
                Kind::Primitive(primitive) => u64::from(primitive.size()),
                Kind::String { .. } | Kind::WString { .. } => 4,
                // A type that takes no bytes would let any count through.
                Kind::Message(message) => least_size(message).max(1),
            };
            super::cursor::index(cursor.take_count(bound_of(bound), least)?)
        }
    };
    let elements: Result<Vec<Value>, Malformed> = (0..count)
        .map(|_| decode_element(&field.kind, cursor))
        .collect();
    elements.map(Value::List)
}

fn bound_of(bound: Option<usize>) -> u32 {
    bound
        .and_then(|bound| u32::try_from(bound).ok())
        .unwrap_or(u32::MAX)
}

fn decode_element(kind: &Kind, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    match kind {
        Kind::Primitive(primitive) => decode_number(*primitive, cursor),
        Kind::String { bound } => Ok(Value::Text(cursor.take_text(bound_of(*bound))?.to_vec())),
        Kind::WString { bound } => {
            let (_, bytes) = cursor.take_wide_text(bound_of(*bound))?;
            let units = bytes
                .chunks_exact(4)
                .filter_map(|unit| match cursor.endian() {
                    Endian::Big => unit.last_chunk().map(|unit| u16::from_be_bytes(*unit)),
                    Endian::Little => unit.first_chunk().map(|unit| u16::from_le_bytes(*unit)),
                });
            Ok(Value::WideText(units.collect()))
        }
        Kind::Message(message) => decode_message(message, cursor),
    }
}

fn decode_number(primitive: Primitive, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    let size = primitive.size();
    cursor.align(size);
    let at = cursor.offset();
    let bytes = cursor.take(u64::from(size))?;
    let endian = cursor.endian();
    let value = match primitive {
        Primitive::Bool => match bytes {
            [0] => Some(Value::Bool(false)),
            [1] => Some(Value::Bool(true)),
            _ => return Err(Malformed::BadBool { at }),
        },
        // Not by way of `f64`: a conversion may change a NaN's bits.
        Primitive::F32 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| {
            Value::F32(match endian {
                Endian::Big => f32::from_be_bytes(bytes),
                Endian::Little => f32::from_le_bytes(bytes),
            })
        }),
        Primitive::F64 => read_f64(bytes, endian, primitive, 0).map(Value::F64),
        Primitive::I8 | Primitive::I16 | Primitive::I32 | Primitive::I64 => {
            read_i64(bytes, endian, primitive, 0).map(Value::Signed)
        }
        Primitive::Octet
        | Primitive::Char
        | Primitive::WChar
        | Primitive::U8
        | Primitive::U16
        | Primitive::U32
        | Primitive::U64 => read_u64(bytes, endian, primitive, 0).map(Value::Unsigned),
    };
    value.ok_or(Malformed::Truncated { at })
}
