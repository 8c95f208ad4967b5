//! From a value tree to the bytes that Fast DDS would write.
//!
//! For start-up and tests. Padding is zero and nothing follows the last field.

use thiserror::Error;

use super::cursor::{Endian, HEADER_BYTES};
use super::schema::{Arity, Field, Kind, MessageType, Primitive};
use super::value::Value;

/// A value tree that cannot be encoded as the type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The value is not one of the field's type.
    #[error("the value of `{field}` is not {type_name}")]
    WrongValue {
        /// The field's name.
        field: String,
        /// Its type.
        type_name: String,
    },
    /// More elements or a longer text than the type allows.
    #[error("`{field}` is longer than {type_name} allows")]
    OverBound {
        /// The field's name.
        field: String,
        /// Its type.
        type_name: String,
    },
    /// A text with a NUL inside, which readers would cut off there.
    #[error("the text of `{field}` has a NUL inside")]
    NulInText {
        /// The field's name.
        field: String,
    },
    /// The message itself is not a list of its type's fields.
    #[error("the value is not a {0} with all its fields")]
    NotThisMessage(String),
}

/// Encodes a message: encapsulation header, then the fields.
///
/// # Errors
/// [`EncodeError`] when the tree is not one of this type.
pub fn encode(
    message: &MessageType,
    value: &Value,
    endian: Endian,
) -> Result<Vec<u8>, EncodeError> {
    let kind = match endian {
        Endian::Big => 0,
        Endian::Little => 1,
    };
    let mut encoder = Encoder { bytes: vec![0, kind, 0, 0], endian };
    encoder.message(message, value)?;
    Ok(encoder.bytes)
}

struct Encoder {
    bytes: Vec<u8>,
    endian: Endian,
}

impl Encoder {
    fn message(&mut self, message: &MessageType, value: &Value) -> Result<(), EncodeError> {
        match value {
            Value::Message(values) if values.len() == message.fields.len() => message
                .fields
                .iter()
                .zip(values)
                .try_for_each(|(field, value)| self.field(field, value)),
            Value::Bool(_)
            | Value::Unsigned(_)
            | Value::Signed(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::Text(_)
            | Value::WideText(_)
            | Value::Message(_)
            | Value::List(_) => Err(EncodeError::NotThisMessage(message.name.clone())),
        }
    }

    fn field(&mut self, field: &Field, value: &Value) -> Result<(), EncodeError> {
        match (field.arity, value) {
            (Arity::One, value) => self.element(field, value),
            (Arity::Array(count), Value::List(elements)) if elements.len() == count => {
                elements.iter().try_for_each(|element| self.element(field, element))
            }
            (Arity::Sequence { bound }, Value::List(elements)) => {
                self.count(field, elements.len(), 0, bound)?;
                elements.iter().try_for_each(|element| self.element(field, element))
            }
            (Arity::Array(_) | Arity::Sequence { .. }, _) => Err(wrong(field)),
        }
    }

    fn element(&mut self, field: &Field, value: &Value) -> Result<(), EncodeError> {
        match (&field.kind, value) {
            (Kind::Primitive(primitive), value) => self.number(field, *primitive, value),
            (Kind::String { bound }, Value::Text(text)) => {
                if text.contains(&0) {
                    return Err(EncodeError::NulInText { field: field.name.clone() });
                }
                self.count(field, text.len(), 1, *bound)?;
                self.bytes.extend_from_slice(text);
                self.bytes.push(0);
                Ok(())
            }
            (Kind::WString { bound }, Value::WideText(units)) => {
                self.count(field, units.len(), 0, *bound)?;
                for unit in units {
                    self.u32(u32::from(*unit));
                }
                Ok(())
            }
            (Kind::Message(message), value) => self.message(message, value),
            (Kind::String { .. } | Kind::WString { .. }, _) => Err(wrong(field)),
        }
    }

    /// Writes how many elements follow, `extra` of them not counted against the bound.
    fn count(
        &mut self,
        field: &Field,
        count: usize,
        extra: u32,
        bound: Option<usize>,
    ) -> Result<(), EncodeError> {
        let on_wire = u32::try_from(count).ok().and_then(|count| count.checked_add(extra));
        match (on_wire, bound) {
            (Some(on_wire), bound) if bound.is_none_or(|bound| count <= bound) => {
                self.u32(on_wire);
                Ok(())
            }
            (Some(_) | None, _) => Err(EncodeError::OverBound {
                field: field.name.clone(),
                type_name: field.type_name(),
            }),
        }
    }

    fn number(
        &mut self,
        field: &Field,
        primitive: Primitive,
        value: &Value,
    ) -> Result<(), EncodeError> {
        let bits = number_bits(primitive, value).ok_or_else(|| wrong(field))?;
        let size = primitive.size();
        self.align(size);
        let size = super::cursor::index(size);
        let little = bits.to_le_bytes();
        let used = little.iter().take(size);
        match self.endian {
            Endian::Little => self.bytes.extend(used),
            Endian::Big => self.bytes.extend(used.rev()),
        }
        Ok(())
    }

    fn u32(&mut self, number: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&match self.endian {
            Endian::Big => number.to_be_bytes(),
            Endian::Little => number.to_le_bytes(),
        });
    }

    fn align(&mut self, alignment: u32) {
        let header = super::cursor::index(HEADER_BYTES);
        let body = self.bytes.len().saturating_sub(header);
        let aligned = body.next_multiple_of(super::cursor::index(alignment));
        self.bytes.resize(aligned.saturating_add(header), 0);
    }
}

fn wrong(field: &Field) -> EncodeError {
    EncodeError::WrongValue { field: field.name.clone(), type_name: field.type_name() }
}

/// The value's bits in the low end; `None` if the primitive cannot hold it.
fn number_bits(primitive: Primitive, value: &Value) -> Option<u64> {
    match (primitive, value) {
        (Primitive::Bool, Value::Bool(value)) => Some(u64::from(*value)),
        (Primitive::F32, Value::F32(value)) => Some(u64::from(value.to_bits())),
        (Primitive::F64, Value::F64(value)) => Some(value.to_bits()),
        (Primitive::Octet | Primitive::Char | Primitive::U8, Value::Unsigned(value)) => {
            u8::try_from(*value).ok().map(u64::from)
        }
        (Primitive::WChar | Primitive::U16, Value::Unsigned(value)) => {
            u16::try_from(*value).ok().map(u64::from)
        }
        (Primitive::U32, Value::Unsigned(value)) => u32::try_from(*value).ok().map(u64::from),
        (Primitive::U64, Value::Unsigned(value)) => Some(*value),
        (Primitive::I8, Value::Signed(value)) => {
            i8::try_from(*value).ok().map(|value| i64::from(value).cast_unsigned())
        }
        (Primitive::I16, Value::Signed(value)) => {
            i16::try_from(*value).ok().map(|value| i64::from(value).cast_unsigned())
        }
        (Primitive::I32, Value::Signed(value)) => {
            i32::try_from(*value).ok().map(|value| i64::from(value).cast_unsigned())
        }
        (Primitive::I64, Value::Signed(value)) => Some(value.cast_unsigned()),
        (
            Primitive::Bool
            | Primitive::Octet
            | Primitive::Char
            | Primitive::WChar
            | Primitive::I8
            | Primitive::U8
            | Primitive::I16
            | Primitive::U16
            | Primitive::I32
            | Primitive::U32
            | Primitive::I64
            | Primitive::U64
            | Primitive::F32
            | Primitive::F64,
            _,
        ) => None,
    }
}
