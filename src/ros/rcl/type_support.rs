//! The pointer by which rcl knows a message type.

use std::ptr::NonNull;

use r2r_rcl::rosidl_message_type_support_t;

/// A message type's type support. Lives as long as the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageTypeSupport(NonNull<rosidl_message_type_support_t>);

// SAFETY: points to static data of a type support library. What rosidl fills in
// lazily behind it, it fills in when an endpoint is made, under `SETUP`.
unsafe impl Send for MessageTypeSupport {}
// SAFETY: as above.
unsafe impl Sync for MessageTypeSupport {}

impl MessageTypeSupport {
    /// Wraps a handle; `None` for null.
    ///
    /// # Safety
    /// `handle` is null or came from a type support library's
    /// `get_message_type_support_handle` function, and that library is never
    /// unloaded.
    #[must_use]
    pub unsafe fn new(handle: *const rosidl_message_type_support_t) -> Option<Self> {
        NonNull::new(handle.cast_mut()).map(Self)
    }

    /// A handle that [`crate::ros::typesupport`] loaded; its libraries are never unloaded.
    pub(in crate::ros) fn loaded(handle: &'static rosidl_message_type_support_t) -> Self {
        Self(NonNull::from(handle))
    }

    /// The type support of a message type that r2r generated.
    #[must_use]
    pub fn of<T: r2r::WrappedTypesupport>() -> Self {
        Self(NonNull::from(T::get_ts()))
    }

    pub(super) fn as_ptr(self) -> *const rosidl_message_type_support_t {
        self.0.as_ptr()
    }
}
