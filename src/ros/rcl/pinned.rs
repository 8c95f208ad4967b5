//! A heap place for an rcl struct whose address rcl may keep.
//!
//! **Invariant:** no Rust reference to the struct is ever made, only raw
//! pointers for rcl, so a pointer that rcl keeps stays valid under Rust's
//! aliasing rules when the owner is moved.

use std::ptr::NonNull;

/// Owns one `T` at a fixed address.
pub(super) struct Pinned<T>(NonNull<T>);

impl<T: Copy> Pinned<T> {
    /// Moves `value` to the heap.
    pub(super) fn new(value: T) -> Self {
        Self(NonNull::from(Box::leak(Box::new(value))))
    }

    /// The address, valid until this is dropped.
    pub(super) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `Box::leak` in `new` and is freed once.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
