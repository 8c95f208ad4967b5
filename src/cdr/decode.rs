//! From bytes to a value tree.
//!
//! For start-up and tests; the gate's path uses [`Layout::find`](super::Layout::find). It refuses
//! what the walk refuses, except that floats need not be finite and texts may hold a NUL. Memory is
//! bounded by the bytes: a count that cannot fit is refused before anything is made for it.

use super::cursor::{Cursor, Malformed};
use super::layout::{least_size, read_number, wide_units};
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
    let fields: Result<Vec<Value>, Malformed> =
        message.fields.iter().map(|field| decode_field(field, cursor)).collect();
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
    let elements: Result<Vec<Value>, Malformed> =
        (0..count).map(|_| decode_element(&field.kind, cursor)).collect();
    elements.map(Value::List)
}

fn bound_of(bound: Option<usize>) -> u32 {
    bound.and_then(|bound| u32::try_from(bound).ok()).unwrap_or(u32::MAX)
}

fn decode_element(kind: &Kind, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    match kind {
        Kind::Primitive(primitive) => decode_number(*primitive, cursor),
        Kind::String { bound } => Ok(Value::Text(cursor.take_text(bound_of(*bound))?.to_vec())),
        Kind::WString { bound } => {
            let (_, bytes) = cursor.take_wide_text(bound_of(*bound))?;
            Ok(Value::WideText(wide_units(bytes, cursor.endian())))
        }
        Kind::Message(message) => decode_message(message, cursor),
    }
}

fn decode_number(primitive: Primitive, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    cursor.align(primitive.size());
    let at = cursor.offset();
    let bytes = cursor.take(u64::from(primitive.size()))?;
    // The bytes are there, so only a bool's value can be wrong.
    read_number(bytes, cursor.endian(), primitive, 0).ok_or(Malformed::BadBool { at })
}
