//! The reused storage into which serialized messages are taken.
//!
//! **Invariant:** taking a message no larger than the capacity given at the
//! start allocates nothing of ours. A larger message makes the middleware grow
//! the storage; the caller refuses it by its length and calls
//! [`SerializedBuffer::shrink`] off the hot path, so one huge message does not
//! keep its memory for ever.

use r2r_rcl::{
    rcl_serialized_message_t, rcutils_get_default_allocator,
    rcutils_get_zero_initialized_uint8_array, rcutils_uint8_array_fini, rcutils_uint8_array_init,
    rcutils_uint8_array_resize,
};

use super::error::{RclError, check, report_in_drop};

/// Storage for one serialized message.
pub struct SerializedBuffer {
    raw: rcl_serialized_message_t,
    capacity: usize,
}

// SAFETY: owns its storage; rcutils' default allocator is malloc, which any
// thread may free.
unsafe impl Send for SerializedBuffer {}

impl SerializedBuffer {
    /// Storage for messages of up to `capacity` bytes without allocating.
    ///
    /// # Errors
    /// rcutils' text when memory is short.
    pub fn with_capacity(capacity: usize) -> Result<Self, RclError> {
        // SAFETY: both return plain structs by value.
        let (mut raw, allocator) = unsafe {
            (rcutils_get_zero_initialized_uint8_array(), rcutils_get_default_allocator())
        };
        // SAFETY: a zero-initialised array and a valid allocator, which is copied.
        let code = unsafe { rcutils_uint8_array_init(&mut raw, capacity, &allocator) };
        check("rcutils_uint8_array_init", code)?;
        let mut buffer = Self { raw, capacity };
        // malloc gives untouched memory; `bytes` may only ever show written bytes.
        buffer.clear();
        Ok(buffer)
    }

    /// The message taken last; empty before the first.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        if self.raw.buffer.is_null() {
            return &[];
        }
        // SAFETY: not null; `buffer_length` bytes were written by the take, and
        // `&self` keeps writers away.
        unsafe { std::slice::from_raw_parts(self.raw.buffer, self.raw.buffer_length) }
    }

    /// The message taken last, to be changed in place.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if self.raw.buffer.is_null() {
            return &mut [];
        }
        // SAFETY: as in `bytes`; `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.raw.buffer, self.raw.buffer_length) }
    }

    /// Bytes the storage can hold now.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw.buffer_capacity
    }

    /// Whether a message larger than the wanted capacity made the storage grow.
    #[must_use]
    pub fn has_grown(&self) -> bool {
        self.raw.buffer_capacity > self.capacity
    }

    /// Gives back what the storage grew beyond the wanted capacity, and forgets
    /// the message. Frees and allocates: not for the hot path.
    ///
    /// # Errors
    /// rcutils' text when memory is short; the storage is as it was.
    pub fn shrink(&mut self) -> Result<(), RclError> {
        self.clear();
        if !self.has_grown() {
            return Ok(());
        }
        // rcutils refuses a size of zero.
        let size = self.capacity.max(1);
        // SAFETY: an initialised array.
        let code = unsafe { rcutils_uint8_array_resize(&mut self.raw, size) };
        let result = check("rcutils_uint8_array_resize", code);
        self.clear();
        result
    }

    /// Forgets the message; keeps the storage.
    pub(super) fn clear(&mut self) {
        self.raw.buffer_length = 0;
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut rcl_serialized_message_t {
        &raw mut self.raw
    }
}

impl Drop for SerializedBuffer {
    fn drop(&mut self) {
        // SAFETY: initialised in `with_capacity`, released once.
        let code = unsafe { rcutils_uint8_array_fini(&mut self.raw) };
        report_in_drop(check("rcutils_uint8_array_fini", code));
    }
}

impl std::fmt::Debug for SerializedBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SerializedBuffer")
            .field("length", &self.raw.buffer_length)
            .field("capacity", &self.raw.buffer_capacity)
            .finish_non_exhaustive()
    }
}
