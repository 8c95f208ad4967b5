//! From introspection's C structs to a [`MessageType`].
//!
//! Introspection leaves every `default_value_` empty in C, so defaults are read from a message that
//! the type's own init function has filled.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::Arc;

use r2r_rcl::{
    rosidl_message_type_support_t, rosidl_typesupport_introspection_c__MessageMember,
    rosidl_typesupport_introspection_c__MessageMembers,
};
use thiserror::Error;

use super::native::Memory;
use crate::cdr::{Arity, Field, Kind, MessageType, Primitive, Value};

/// What introspection says about one message type. Lives until the process ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members(&'static rosidl_typesupport_introspection_c__MessageMembers);

// SAFETY: points to static data of a library that is never closed; nothing writes to it after the
// handle function that gave it has returned.
unsafe impl Send for Members {}
// SAFETY: as above: reads only.
unsafe impl Sync for Members {}

/// What introspection says about one field.
pub(super) type Member = rosidl_typesupport_introspection_c__MessageMember;

/// A field that cannot be described.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldProblem {
    /// `long double`: no two middlewares agree on its bytes.
    #[error("field `{0}` is a long double, which has no portable form")]
    LongDouble(String),
    /// A type number that rosidl did not have when this was written.
    #[error("field `{field}` has the unknown introspection type {type_id}")]
    UnknownKind {
        /// The field.
        field: String,
        /// The number.
        type_id: u8,
    },
    /// Introspection lacks a name, a nested type or a function that rosidl always generates.
    #[error("introspection of `{0}` is incomplete")]
    Incomplete(String),
}

/// Introspection's numbers for the kinds of fields (`field_types.h`), read as integers because a
/// Rust enum with an unknown value would be undefined behaviour.
pub(super) mod type_id {
    pub(in super::super) const FLOAT: u8 = 1;
    pub(in super::super) const DOUBLE: u8 = 2;
    pub(in super::super) const LONG_DOUBLE: u8 = 3;
    pub(in super::super) const CHAR: u8 = 4;
    pub(in super::super) const WCHAR: u8 = 5;
    pub(in super::super) const BOOLEAN: u8 = 6;
    pub(in super::super) const OCTET: u8 = 7;
    pub(in super::super) const UINT8: u8 = 8;
    pub(in super::super) const INT8: u8 = 9;
    pub(in super::super) const UINT16: u8 = 10;
    pub(in super::super) const INT16: u8 = 11;
    pub(in super::super) const UINT32: u8 = 12;
    pub(in super::super) const INT32: u8 = 13;
    pub(in super::super) const UINT64: u8 = 14;
    pub(in super::super) const INT64: u8 = 15;
    pub(in super::super) const STRING: u8 = 16;
    pub(in super::super) const WSTRING: u8 = 17;
    pub(in super::super) const MESSAGE: u8 = 18;
}

impl Members {
    /// The members behind an introspection type support; `None` if it is none.
    pub(super) fn of(type_support: &'static rosidl_message_type_support_t) -> Option<Self> {
        let identifier = text(type_support.typesupport_identifier)?;
        if identifier != "rosidl_typesupport_introspection_c" {
            return None;
        }
        let members: *const rosidl_typesupport_introspection_c__MessageMembers =
            type_support.data.cast();
        // SAFETY: type supports with this identifier carry a static `MessageMembers`.
        unsafe { members.as_ref() }.map(Self)
    }

    pub(super) const fn raw(self) -> &'static rosidl_typesupport_introspection_c__MessageMembers {
        self.0
    }

    /// The fields, in the order of the message definition.
    pub(super) fn fields(self) -> &'static [Member] {
        let count = usize::try_from(self.0.member_count_).unwrap_or(0);
        if self.0.members_.is_null() {
            return &[];
        }
        // SAFETY: rosidl generates a static array of `member_count_` members.
        unsafe { std::slice::from_raw_parts(self.0.members_, count) }
    }

    fn name(self) -> Option<String> {
        let namespace = text(self.0.message_namespace_)?.replace("__", "/");
        Some(format!("{namespace}/{}", text(self.0.message_name_)?))
    }
}

/// The members of a field that is a message.
pub(super) fn nested(member: &Member) -> Option<Members> {
    // SAFETY: null or a static type support; filled in by the outer type's handle function, which
    // has been called.
    unsafe { member.members_.as_ref() }.and_then(Members::of)
}

fn text(pointer: *const std::ffi::c_char) -> Option<&'static str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: names in introspection are static C strings.
    unsafe { CStr::from_ptr(pointer) }.to_str().ok()
}

/// The type with all nested types and their defaults.
pub(super) fn message_type(members: Members) -> Result<Arc<MessageType>, FieldProblem> {
    convert(members, &mut HashMap::new())
}

/// Types by the address of their members, so that a type used twice is shared.
type Known = HashMap<*const rosidl_typesupport_introspection_c__MessageMembers, Arc<MessageType>>;

fn convert(members: Members, known: &mut Known) -> Result<Arc<MessageType>, FieldProblem> {
    if let Some(message) = known.get(&std::ptr::from_ref(members.0)) {
        return Ok(Arc::clone(message));
    }
    let name = members.name().ok_or_else(|| FieldProblem::Incomplete("a message".to_owned()))?;
    let mut fields = Vec::new();
    for member in members.fields() {
        fields.push(convert_field(member, known)?);
    }
    let mut message = MessageType { name: name.clone(), fields };
    let initial = Memory::initialized(members)
        .and_then(|memory| memory.read(members, &message))
        .map_err(|_| FieldProblem::Incomplete(name))?;
    if let Value::Message(values) = initial {
        for (field, value) in message.fields.iter_mut().zip(values) {
            field.default = own_default(field, value);
        }
    }
    let message = Arc::new(message);
    known.insert(std::ptr::from_ref(members.0), Arc::clone(&message));
    Ok(message)
}

/// The value, if the field has it from its own definition and it is not zero. The defaults of a
/// nested message are that message's.
fn own_default(field: &Field, value: Value) -> Option<Value> {
    match field.kind {
        Kind::Message(_) => None,
        Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => {
            let alone = MessageType { name: String::new(), fields: vec![field.clone()] };
            (Value::default_of(&alone) != Value::Message(vec![value.clone()])).then_some(value)
        }
    }
}

fn convert_field(member: &Member, known: &mut Known) -> Result<Field, FieldProblem> {
    let name = text(member.name_)
        .ok_or_else(|| FieldProblem::Incomplete("a field".to_owned()))?
        .to_owned();
    let bound = Some(member.string_upper_bound_).filter(|bound| *bound > 0);
    let primitive = |primitive| Ok(Kind::Primitive(primitive));
    let kind = match member.type_id_ {
        type_id::FLOAT => primitive(Primitive::F32),
        type_id::DOUBLE => primitive(Primitive::F64),
        type_id::LONG_DOUBLE => Err(FieldProblem::LongDouble(name.clone())),
        type_id::CHAR => primitive(Primitive::Char),
        type_id::WCHAR => primitive(Primitive::WChar),
        type_id::BOOLEAN => primitive(Primitive::Bool),
        type_id::OCTET => primitive(Primitive::Octet),
        type_id::UINT8 => primitive(Primitive::U8),
        type_id::INT8 => primitive(Primitive::I8),
        type_id::UINT16 => primitive(Primitive::U16),
        type_id::INT16 => primitive(Primitive::I16),
        type_id::UINT32 => primitive(Primitive::U32),
        type_id::INT32 => primitive(Primitive::I32),
        type_id::UINT64 => primitive(Primitive::U64),
        type_id::INT64 => primitive(Primitive::I64),
        type_id::STRING => Ok(Kind::String { bound }),
        type_id::WSTRING => Ok(Kind::WString { bound }),
        type_id::MESSAGE => match nested(member) {
            Some(members) => convert(members, known).map(Kind::Message),
            None => Err(FieldProblem::Incomplete(name.clone())),
        },
        type_id => Err(FieldProblem::UnknownKind { field: name.clone(), type_id }),
    }?;
    let arity = match (member.is_array_, member.is_upper_bound_, member.array_size_) {
        (false, _, _) => Arity::One,
        (true, _, 0) => Arity::Sequence { bound: None },
        (true, true, bound) => Arity::Sequence { bound: Some(bound) },
        (true, false, count) => Arity::Array(count),
    };
    Ok(Field { name, kind, arity, default: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of a kind that rosidl's generators cannot make, as introspection would give it.
    fn field_of(type_id: u8) -> Result<Field, FieldProblem> {
        // SAFETY: zeros are null pointers, absent functions, false and 0. Not written out, because
        // the struct has other fields in other ROS distributions.
        let mut member: Member = unsafe { std::mem::zeroed() };
        member.name_ = c"field".as_ptr();
        member.type_id_ = type_id;
        convert_field(&member, &mut HashMap::new())
    }

    #[test]
    fn kinds_that_cannot_be_walked_are_refused() {
        let long_double = FieldProblem::LongDouble("field".into());
        assert_eq!(field_of(type_id::LONG_DOUBLE), Err(long_double));
        let incomplete = FieldProblem::Incomplete("field".into());
        assert_eq!(field_of(type_id::MESSAGE), Err(incomplete));
        for type_id in [0, 19, 255] {
            let unknown = FieldProblem::UnknownKind { field: "field".into(), type_id };
            assert_eq!(field_of(type_id), Err(unknown));
        }
    }
}
