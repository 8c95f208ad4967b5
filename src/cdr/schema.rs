//! What a message type is made of.
//!
//! The words are rosidl's: a message has named fields in a fixed order; a field is one value, an
//! array of fixed size or a sequence with or without an upper bound. `src/ros/typesupport` makes
//! these from introspection; tests write them by hand.
//!
//! **Invariant:** a type cannot contain itself (`Arc` without a way to tie a knot), so every walk
//! over a type ends.
//!
//! A type that nothing but a test could make (no fields, an array of no elements, too deep) is
//! refused where it is used, in [`Layout::compile`](super::Layout::compile), because such a type
//! could take no bytes and let a count of four billion pass as plausible.

use std::fmt;
use std::sync::Arc;

use super::value::Value;

/// The member that rosidl gives a message without fields: one `uint8`, one byte on the wire.
pub const DUMMY_MEMBER: &str = "structure_needs_at_least_one_member";

/// A message type with its fields in wire order.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageType {
    /// Full name, `pkg/msg/Name`.
    pub name: String,
    /// Fields in wire order, never empty in a type that came from ROS.
    pub fields: Vec<Field>,
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name as in the message definition.
    pub name: String,
    /// What one element is.
    pub kind: Kind,
    /// How many elements there are.
    pub arity: Arity,
    /// The type's own default, where it is not zero or empty. Whole value: a list for arrays.
    pub default: Option<Value>,
}

/// What one element of a field is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number, a bool or a character.
    Primitive(Primitive),
    /// Text in bytes (UTF-8 by convention only), at most `bound` of them.
    String {
        /// Most bytes allowed, without the terminating NUL.
        bound: Option<usize>,
    },
    /// Text in 16-bit units, each four bytes on the wire.
    WString {
        /// Most units allowed.
        bound: Option<usize>,
    },
    /// Another message.
    Message(Arc<MessageType>),
}

/// A value of fixed size. `long double` is missing on purpose: no two middlewares agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// One byte, 0 or 1.
    Bool,
    /// One byte without meaning (`byte` in message definitions).
    Octet,
    /// One byte, unsigned (`char` in message definitions).
    Char,
    /// A 16-bit character (`wchar`, only in `.idl` files); two bytes on the wire with Fast CDR 2.
    WChar,
    /// `int8`.
    I8,
    /// `uint8`.
    U8,
    /// `int16`.
    I16,
    /// `uint16`.
    U16,
    /// `int32`.
    I32,
    /// `uint32`.
    U32,
    /// `int64`.
    I64,
    /// `uint64`.
    U64,
    /// `float32`.
    F32,
    /// `float64`.
    F64,
}

/// How many elements a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one, no array.
    One,
    /// Always this many; no count on the wire.
    Array(usize),
    /// Any number up to the bound; a four-byte count on the wire.
    Sequence {
        /// Most elements allowed.
        bound: Option<usize>,
    },
}

impl MessageType {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields as text, for errors: `header (std_msgs/msg/Header), data (float64[])`.
    #[must_use]
    pub fn describe_fields(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| format!("{} ({})", field.name, field.type_name()))
            .collect();
        fields.join(", ")
    }
}

impl Field {
    /// The field's type in the words of a message definition: `float64[29]`, `string<=10[]`.
    #[must_use]
    pub fn type_name(&self) -> String {
        format!("{}{}", self.kind, self.arity)
    }
}

impl Primitive {
    /// Bytes on the wire, which is also the alignment.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Self::Bool | Self::Octet | Self::Char | Self::I8 | Self::U8 => 1,
            Self::WChar | Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether it counts or measures: all but `bool`, `char` and `wchar`. `byte` is what some drivers keep
    /// whole degrees in.
    #[must_use]
    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::Char | Self::WChar)
    }

    /// Whether it is a floating point number.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

impl fmt::Display for Primitive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bool => "bool",
            Self::Octet => "byte",
            Self::Char => "char",
            Self::WChar => "wchar",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(primitive) => primitive.fmt(out),
            Self::String { bound: None } => out.write_str("string"),
            Self::String { bound: Some(bound) } => write!(out, "string<={bound}"),
            Self::WString { bound: None } => out.write_str("wstring"),
            Self::WString { bound: Some(bound) } => write!(out, "wstring<={bound}"),
            Self::Message(message) => out.write_str(&message.name),
        }
    }
}

impl fmt::Display for Arity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => Ok(()),
            Self::Array(count) => write!(out, "[{count}]"),
            Self::Sequence { bound: None } => out.write_str("[]"),
            Self::Sequence { bound: Some(bound) } => write!(out, "[<={bound}]"),
        }
    }
}
