//! Reading and writing the fields of a C message, as introspection describes them.
//!
//! Arrays and sequences are reached through the functions that rosidl generates for each field;
//! single fields lie at their offset. Numbers are read as the C type of the same width.
//!
//! **Invariant:** a [`MessageType`] given with [`Members`] was made from those members, so kinds and
//! arities agree with the memory.

use std::ffi::c_void;
use std::ptr::NonNull;

use r2r_rcl::{
    rosidl_runtime_c__String, rosidl_runtime_c__String__assignn, rosidl_runtime_c__U16String,
    rosidl_runtime_c__U16String__assignn,
};

use super::NativeError;
use super::members::{Member, Members, nested};
use crate::cdr::{Arity, Field, Kind, MessageType, Primitive, Value};

/// Where a field of a message is.
///
/// # Safety
/// `message` points to a message of which `member` is a field.
unsafe fn field_of(message: NonNull<c_void>, member: &Member) -> NonNull<c_void> {
    let offset = usize::try_from(member.offset_).unwrap_or(usize::MAX);
    // SAFETY: introspection's offsets lie inside the message.
    unsafe { message.byte_add(offset) }
}

/// # Safety
/// `memory` holds an initialised message that `members` and `message` describe.
pub(super) unsafe fn read_message(
    memory: NonNull<c_void>,
    members: Members,
    message: &MessageType,
) -> Result<Value, NativeError> {
    let mut values = Vec::new();
    for (member, field) in members.fields().iter().zip(&message.fields) {
        // SAFETY: `member` is a field of this message.
        let place = unsafe { field_of(memory, member) };
        // SAFETY: the field of an initialised message.
        values.push(unsafe { read_field(place, member, field) }?);
    }
    Ok(Value::Message(values))
}

/// # Safety
/// `place` is that field of an initialised message.
unsafe fn read_field(
    place: NonNull<c_void>,
    member: &Member,
    field: &Field,
) -> Result<Value, NativeError> {
    let incomplete = || NativeError::Incomplete(field.name.clone());
    if field.arity == Arity::One {
        // SAFETY: one element of the field's kind.
        return unsafe { read_element(place, member, field) };
    }
    let get = member.get_const_function.ok_or_else(incomplete)?;
    let count = match field.arity {
        Arity::Array(count) => count,
        Arity::One | Arity::Sequence { .. } => {
            let size = member.size_function.ok_or_else(incomplete)?;
            // SAFETY: the generated function for this very field.
            unsafe { size(place.as_ptr()) }
        }
    };
    let mut elements = Vec::new();
    for number in 0..count {
        // SAFETY: the generated function for this very field, below its size.
        let element = unsafe { get(place.as_ptr(), number) };
        let element = NonNull::new(element.cast_mut()).ok_or_else(incomplete)?;
        // SAFETY: one element of the field's kind.
        elements.push(unsafe { read_element(element, member, field) }?);
    }
    Ok(Value::List(elements))
}

/// # Safety
/// `place` is one element of that field of an initialised message.
unsafe fn read_element(
    place: NonNull<c_void>,
    member: &Member,
    field: &Field,
) -> Result<Value, NativeError> {
    // SAFETY: each arm reads the C type that rosidl generates for the kind; texts are initialised,
    // with `size` units at `data`.
    unsafe {
        match &field.kind {
            Kind::Primitive(primitive) => Ok(read_number(place, *primitive)),
            Kind::String { .. } => {
                let text = place.cast::<rosidl_runtime_c__String>().as_ref();
                Ok(Value::Text(units(text.data.cast_const().cast(), text.size)))
            }
            Kind::WString { .. } => {
                let text = place.cast::<rosidl_runtime_c__U16String>().as_ref();
                Ok(Value::WideText(units(text.data.cast_const(), text.size)))
            }
            Kind::Message(message) => match nested(member) {
                Some(members) => read_message(place, members, message),
                None => Err(NativeError::Incomplete(field.name.clone())),
            },
        }
    }
}

/// # Safety
/// `data` is null or points to `size` units.
unsafe fn units<T: Copy>(data: *const T, size: usize) -> Vec<T> {
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: as the caller states.
    unsafe { std::slice::from_raw_parts(data, size) }.to_vec()
}

/// # Safety
/// `place` points to a number of that kind.
unsafe fn read_number(place: NonNull<c_void>, primitive: Primitive) -> Value {
    // SAFETY: C's types of the same width; a bool is read as a byte because C may hold any.
    unsafe {
        match primitive {
            Primitive::Bool => Value::Bool(place.cast::<u8>().read() != 0),
            Primitive::Octet | Primitive::Char | Primitive::U8 => {
                Value::Unsigned(place.cast::<u8>().read().into())
            }
            Primitive::WChar | Primitive::U16 => Value::Unsigned(place.cast::<u16>().read().into()),
            Primitive::U32 => Value::Unsigned(place.cast::<u32>().read().into()),
            Primitive::U64 => Value::Unsigned(place.cast::<u64>().read()),
            Primitive::I8 => Value::Signed(place.cast::<i8>().read().into()),
            Primitive::I16 => Value::Signed(place.cast::<i16>().read().into()),
            Primitive::I32 => Value::Signed(place.cast::<i32>().read().into()),
            Primitive::I64 => Value::Signed(place.cast::<i64>().read()),
            Primitive::F32 => Value::F32(place.cast::<f32>().read()),
            Primitive::F64 => Value::F64(place.cast::<f64>().read()),
        }
    }
}

/// # Safety
/// `memory` holds an initialised message that `members` and `message` describe.
pub(super) unsafe fn write_message(
    memory: NonNull<c_void>,
    members: Members,
    message: &MessageType,
    value: &Value,
) -> Result<(), NativeError> {
    let Value::Message(values) = value else {
        return Err(NativeError::WrongValue(message.name.clone()));
    };
    if values.len() != message.fields.len() || members.fields().len() != values.len() {
        return Err(NativeError::WrongValue(message.name.clone()));
    }
    for ((member, field), value) in members.fields().iter().zip(&message.fields).zip(values) {
        // SAFETY: `member` is a field of this message.
        let place = unsafe { field_of(memory, member) };
        // SAFETY: the field of an initialised message.
        unsafe { write_field(place, member, field, value) }?;
    }
    Ok(())
}

/// # Safety
/// `place` is that field of an initialised message.
unsafe fn write_field(
    place: NonNull<c_void>,
    member: &Member,
    field: &Field,
    value: &Value,
) -> Result<(), NativeError> {
    let incomplete = || NativeError::Incomplete(field.name.clone());
    let elements = match (field.arity, value) {
        // SAFETY: one element of the field's kind.
        (Arity::One, value) => return unsafe { write_element(place, member, field, value) },
        (Arity::Array(count), Value::List(elements)) if elements.len() == count => elements,
        (Arity::Sequence { .. }, Value::List(elements)) => {
            let resize = member.resize_function.ok_or_else(incomplete)?;
            // SAFETY: the generated function for this very field.
            if !unsafe { resize(place.as_ptr(), elements.len()) } {
                return Err(NativeError::NoMemory(field.name.clone()));
            }
            elements
        }
        (Arity::Array(_) | Arity::Sequence { .. }, _) => {
            return Err(NativeError::WrongValue(field.name.clone()));
        }
    };
    let get = member.get_function.ok_or_else(incomplete)?;
    for (number, element) in elements.iter().enumerate() {
        // SAFETY: the generated function for this very field, below its size.
        let place = NonNull::new(unsafe { get(place.as_ptr(), number) }).ok_or_else(incomplete)?;
        // SAFETY: one element of the field's kind.
        unsafe { write_element(place, member, field, element) }?;
    }
    Ok(())
}

/// # Safety
/// `place` is one element of that field of an initialised message.
unsafe fn write_element(
    place: NonNull<c_void>,
    member: &Member,
    field: &Field,
    value: &Value,
) -> Result<(), NativeError> {
    let no_memory = || NativeError::NoMemory(field.name.clone());
    match (&field.kind, value) {
        (Kind::Primitive(primitive), value) => {
            // SAFETY: a number of this kind.
            unsafe { write_number(place, *primitive, value) }
                .ok_or_else(|| NativeError::WrongValue(field.name.clone()))
        }
        (Kind::String { .. }, Value::Text(text)) => {
            // SAFETY: an initialised string, and a text of that length.
            let assigned = unsafe {
                let data = text.as_ptr().cast();
                rosidl_runtime_c__String__assignn(place.cast().as_ptr(), data, text.len())
            };
            assigned.then_some(()).ok_or_else(no_memory)
        }
        (Kind::WString { .. }, Value::WideText(units)) => {
            // SAFETY: an initialised string, and a text of that length.
            let assigned = unsafe {
                let data = units.as_ptr();
                rosidl_runtime_c__U16String__assignn(place.cast().as_ptr(), data, units.len())
            };
            assigned.then_some(()).ok_or_else(no_memory)
        }
        (Kind::Message(message), value) => match nested(member) {
            // SAFETY: a nested message that these members describe.
            Some(members) => unsafe { write_message(place, members, message, value) },
            None => Err(NativeError::Incomplete(field.name.clone())),
        },
        (Kind::String { .. } | Kind::WString { .. }, _) => {
            Err(NativeError::WrongValue(field.name.clone()))
        }
    }
}

/// # Safety
/// `place` points to a number of that kind.
unsafe fn write_number(place: NonNull<c_void>, primitive: Primitive, value: &Value) -> Option<()> {
    // SAFETY: C's types of the same width.
    unsafe {
        match (primitive, value) {
            (Primitive::Bool, Value::Bool(value)) => place.cast().write(u8::from(*value)),
            (Primitive::F32, Value::F32(value)) => place.cast().write(*value),
            (Primitive::F64, Value::F64(value)) => place.cast().write(*value),
            (Primitive::Octet | Primitive::Char | Primitive::U8, Value::Unsigned(value)) => {
                place.cast().write(u8::try_from(*value).ok()?);
            }
            (Primitive::WChar | Primitive::U16, Value::Unsigned(value)) => {
                place.cast().write(u16::try_from(*value).ok()?);
            }
            (Primitive::U32, Value::Unsigned(value)) => {
                place.cast().write(u32::try_from(*value).ok()?);
            }
            (Primitive::U64, Value::Unsigned(value)) => place.cast().write(*value),
            (Primitive::I8, Value::Signed(value)) => place.cast().write(i8::try_from(*value).ok()?),
            (Primitive::I16, Value::Signed(value)) => {
                place.cast().write(i16::try_from(*value).ok()?);
            }
            (Primitive::I32, Value::Signed(value)) => {
                place.cast().write(i32::try_from(*value).ok()?);
            }
            (Primitive::I64, Value::Signed(value)) => place.cast().write(*value),
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
            ) => return None,
        }
    }
    Some(())
}
