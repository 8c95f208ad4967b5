//! A message in the memory of the C type, read and written by introspection.
//!
//! Needed to learn a type's defaults and to have the middleware serialize and deserialize. Not part
//! of the command path.
//!
//! **Invariant:** memory is of the size that introspection states, zeroed, initialised by the
//! type's own init function and finished by its fini function.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::NonNull;

use r2r_rcl::{
    rcutils_get_default_allocator, rcutils_get_error_string,
    rcutils_get_zero_initialized_uint8_array, rcutils_reset_error, rcutils_uint8_array_fini,
    rcutils_uint8_array_init, rmw_deserialize, rmw_serialize, rmw_serialized_message_t,
    rosidl_runtime_c__message_initialization,
};
use thiserror::Error;

use super::LoadedMessage;
use super::fields::{read_message, write_message};
use super::members::Members;
use crate::cdr::{MessageType, Value};

/// The middleware or a generated function refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NativeError {
    /// The value is not one of the field's type.
    #[error("the value of `{0}` is of another type")]
    WrongValue(String),
    /// The type lacks a function that rosidl always generates.
    #[error("the type support of `{0}` is incomplete")]
    Incomplete(String),
    /// No memory, or a generated function said so.
    #[error("no memory for `{0}`")]
    NoMemory(String),
    /// The middleware's own words.
    #[error("the middleware refuses: {0}")]
    Middleware(String),
}

/// Stricter than any C type that rosidl generates.
const ALIGNMENT: usize = 16;

/// One message in C memory.
pub(super) struct Memory {
    message: NonNull<c_void>,
    layout: Layout,
    members: Members,
}

impl Memory {
    /// A message filled by the type's init function.
    pub(super) fn initialized(members: Members) -> Result<Self, NativeError> {
        let incomplete = || NativeError::Incomplete("a message".to_owned());
        let (Some(init), Some(_)) = (members.raw().init_function, members.raw().fini_function)
        else {
            return Err(incomplete());
        };
        // An empty allocation would be undefined; rosidl's types have at least one member.
        let layout = Layout::from_size_align(members.raw().size_of_, ALIGNMENT)
            .ok()
            .filter(|layout| layout.size() > 0)
            .ok_or_else(incomplete)?;
        // SAFETY: the size is not zero.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) });
        let message = memory.ok_or_else(|| NativeError::NoMemory("a message".to_owned()))?.cast();
        let all = rosidl_runtime_c__message_initialization::ROSIDL_RUNTIME_C_MSG_INIT_ALL;
        // SAFETY: the memory has the size that introspection states for this type.
        unsafe { init(message.as_ptr(), all) };
        Ok(Self { message, layout, members })
    }

    /// A message with this content.
    pub(super) fn holding(loaded: &LoadedMessage, value: &Value) -> Result<Self, NativeError> {
        let memory = Self::initialized(loaded.members)?;
        // SAFETY: initialised memory of this very type.
        unsafe { write_message(memory.message, loaded.members, &loaded.message, value) }?;
        Ok(memory)
    }

    /// A message that the middleware has read from bytes.
    pub(super) fn deserialized(loaded: &LoadedMessage, bytes: &[u8]) -> Result<Self, NativeError> {
        let memory = Self::initialized(loaded.members)?;
        let mut buffer = Buffer::with_capacity(bytes.len())?;
        buffer.fill(bytes);
        // SAFETY: all three pointers are valid for the call; the memory is of this type.
        let result = unsafe {
            rmw_deserialize(&raw const buffer.0, loaded.type_support(), memory.message.as_ptr())
        };
        check(result)?;
        Ok(memory)
    }

    /// The bytes that the middleware makes of it: at least the message, with garbage in the padding
    /// and possibly behind it.
    pub(super) fn serialize(&self, loaded: &LoadedMessage) -> Result<Vec<u8>, NativeError> {
        let mut buffer = Buffer::with_capacity(0)?;
        // SAFETY: all three pointers are valid for the call; the memory is of this type.
        let result = unsafe {
            rmw_serialize(self.message.as_ptr(), loaded.type_support(), &raw mut buffer.0)
        };
        check(result)?;
        Ok(buffer.bytes())
    }

    /// The message as a value tree.
    pub(super) fn read(
        &self,
        members: Members,
        message: &MessageType,
    ) -> Result<Value, NativeError> {
        // SAFETY: initialised memory of this very type.
        unsafe { read_message(self.message, members, message) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout and initialised in `initialized`, and not used after.
        unsafe {
            if let Some(fini) = self.members.raw().fini_function {
                fini(self.message.as_ptr());
            }
            dealloc(self.message.as_ptr().cast(), self.layout);
        }
    }
}

/// A serialized message of the middleware.
struct Buffer(rmw_serialized_message_t);

impl Buffer {
    fn with_capacity(capacity: usize) -> Result<Self, NativeError> {
        // SAFETY: plain constructors; the allocator is rcutils' static default one.
        let (mut buffer, allocator) = unsafe {
            (rcutils_get_zero_initialized_uint8_array(), rcutils_get_default_allocator())
        };
        // SAFETY: a zero-initialised array and a valid allocator, as the function asks for.
        check(unsafe {
            rcutils_uint8_array_init(&raw mut buffer, capacity, &raw const allocator)
        })?;
        Ok(Self(buffer))
    }

    /// Copies as much of `bytes` as there is room for.
    fn fill(&mut self, bytes: &[u8]) {
        let length = bytes.len().min(self.0.buffer_capacity);
        if length > 0 {
            // SAFETY: the buffer has room for `length` bytes and cannot overlap a Rust slice.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.buffer, length) };
        }
        self.0.buffer_length = length;
    }

    fn bytes(&self) -> Vec<u8> {
        if self.0.buffer.is_null() {
            return Vec::new();
        }
        // SAFETY: the middleware wrote `buffer_length` bytes into its buffer. It states a length
        // that it only estimated, so the last of them may be old; the array was allocated whole.
        unsafe { std::slice::from_raw_parts(self.0.buffer, self.0.buffer_length) }.to_vec()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: initialised in `with_capacity`. A failure to free leaves nothing to do.
        let _ = unsafe { rcutils_uint8_array_fini(&raw mut self.0) };
    }
}

/// The last error's text, taken so that the next failure does not complain about it.
fn check(result: i32) -> Result<(), NativeError> {
    if result == 0 {
        return Ok(());
    }
    // SAFETY: reads and clears this thread's error state; the text is a C string in an array.
    let text = unsafe {
        let error = rcutils_get_error_string();
        rcutils_reset_error();
        let text = std::ffi::CStr::from_ptr(error.str_.as_ptr());
        text.to_string_lossy().into_owned()
    };
    Err(NativeError::Middleware(text))
}
