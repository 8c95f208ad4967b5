//! Random contents of any message type, from a seed.

use interlock::cdr::{Arity, Kind, MessageType, Primitive, Value};

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// The same seed gives the same contents.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    /// Any message of that type, with NaNs and infinities, but texts without NUL.
    pub(crate) fn message(&mut self, message: &MessageType) -> Value {
        let values = message.fields.iter().map(|field| match field.arity {
            Arity::One => self.element(&field.kind),
            Arity::Array(count) => Value::List(self.elements(&field.kind, count)),
            Arity::Sequence { bound } => {
                let count = self.below(bound.unwrap_or(4).min(9) + 1);
                Value::List(self.elements(&field.kind, count))
            }
        });
        Value::Message(values.collect())
    }

    fn elements(&mut self, kind: &Kind, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.element(kind)).collect()
    }

    fn element(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Primitive(primitive) => self.number(*primitive),
            Kind::String { bound } => {
                let length = self.below(bound.unwrap_or(9).min(9) + 1);
                let letters = (0..length).map(|_| b' ' + u8::try_from(self.below(95)).unwrap());
                Value::Text(letters.collect())
            }
            Kind::WString { bound } => {
                let length = self.below(bound.unwrap_or(9).min(9) + 1);
                // Units from 1: a C reader would end at 0.
                let units = (0..length).map(|_| u16::from_le_bytes(self.bytes()).max(1));
                Value::WideText(units.collect())
            }
            Kind::Message(message) => self.message(message),
        }
    }

    /// Any bits, so NaNs and infinities too: the middleware passes them on.
    fn number(&mut self, primitive: Primitive) -> Value {
        match primitive {
            Primitive::Bool => Value::Bool(self.next().is_multiple_of(2)),
            Primitive::Octet | Primitive::Char | Primitive::U8 => {
                Value::Unsigned(u8::from_le_bytes(self.bytes()).into())
            }
            Primitive::WChar | Primitive::U16 => {
                Value::Unsigned(u16::from_le_bytes(self.bytes()).into())
            }
            Primitive::U32 => Value::Unsigned(u32::from_le_bytes(self.bytes()).into()),
            Primitive::U64 => Value::Unsigned(u64::from_le_bytes(self.bytes())),
            Primitive::I8 => Value::Signed(i8::from_le_bytes(self.bytes()).into()),
            Primitive::I16 => Value::Signed(i16::from_le_bytes(self.bytes()).into()),
            Primitive::I32 => Value::Signed(i32::from_le_bytes(self.bytes()).into()),
            Primitive::I64 => Value::Signed(i64::from_le_bytes(self.bytes())),
            Primitive::F32 => Value::F32(f32::from_le_bytes(self.bytes())),
            Primitive::F64 => Value::F64(f64::from_le_bytes(self.bytes())),
        }
    }
}
