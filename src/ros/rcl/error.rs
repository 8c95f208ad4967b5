//! What rcl says when a call fails.
//!
//! rcl keeps one error text per thread. It must be taken and reset after every
//! failed call, or the next failure prints "error state is being overwritten"
//! and its text is lost.
//!
//! **Invariant:** a successful call costs one comparison and no allocation.

use std::ffi::{CStr, CString, c_char};

use r2r_rcl::{
    RCL_RET_INVALID_ARGUMENT, RCL_RET_OK, rcl_ret_t, rcutils_error_is_set,
    rcutils_get_error_string, rcutils_reset_error,
};

/// rcl's code for success, in the type its functions return.
#[expect(clippy::as_conversions, reason = "a small constant; bindgen types macros as u32")]
pub(super) const OK: rcl_ret_t = RCL_RET_OK as rcl_ret_t;

/// rcl's code for an argument it refuses; used for what we refuse ourselves.
#[expect(clippy::as_conversions, reason = "a small constant; bindgen types macros as u32")]
pub(super) const INVALID_ARGUMENT: rcl_ret_t = RCL_RET_INVALID_ARGUMENT as rcl_ret_t;

/// A failed rcl call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call} failed with code {code}: {text}")]
pub struct RclError {
    /// The function that failed.
    pub call: &'static str,
    /// rcl's return code (`RCL_RET_…`).
    pub code: i32,
    /// rcl's own text.
    pub text: String,
}

impl RclError {
    /// An argument that this module refuses before rcl sees it.
    #[cold]
    pub(super) fn refused(call: &'static str, text: impl Into<String>) -> Self {
        Self { call, code: INVALID_ARGUMENT, text: text.into() }
    }

    /// The failure that rcl just recorded on this thread; resets the record.
    #[cold]
    pub(super) fn take(call: &'static str, code: rcl_ret_t) -> Self {
        Self { call, code, text: take_text() }
    }
}

/// Turns a return code into a result.
#[inline]
pub(super) fn check(call: &'static str, code: rcl_ret_t) -> Result<(), RclError> {
    if code == OK { Ok(()) } else { Err(RclError::take(call, code)) }
}

/// Clears an error text that a call left behind without being read.
///
/// For return codes that are not errors ("nothing to take").
#[inline]
pub(super) fn clear_error() {
    if has_error() {
        // SAFETY: resets this thread's error record; nothing else refers to it.
        unsafe { rcutils_reset_error() };
    }
}

/// Whether a call on this thread left an error text.
#[inline]
pub(super) fn has_error() -> bool {
    // SAFETY: reads one thread-local flag.
    unsafe { rcutils_error_is_set() }
}

/// Reports a failure where no caller can receive it.
pub(super) fn report_in_drop(result: Result<(), RclError>) {
    if let Err(error) = result {
        tracing::error!(%error, "an rcl object could not be released");
    }
}

/// A C string of `text`.
pub(super) fn c_string(call: &'static str, text: &str) -> Result<CString, RclError> {
    CString::new(text).map_err(|_| {
        RclError::refused(call, format!("{text:?} contains a NUL byte, which rcl cannot take"))
    })
}

/// A C string of an absolute topic or service name.
///
/// rcl would make a relative name absolute by the node's namespace, and graph
/// queries would find nothing under it: a name that was never resolved must not
/// look like a topic without publishers.
pub(super) fn absolute_name(call: &'static str, name: &str) -> Result<CString, RclError> {
    if !name.starts_with('/') {
        return Err(RclError::refused(call, format!("{name:?} is not an absolute name")));
    }
    c_string(call, name)
}

/// A copy of a C string; empty for null.
///
/// # Safety
/// `text` is null or NUL-terminated and readable.
pub(super) unsafe fn copy_string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn take_text() -> String {
    if !has_error() {
        return "rcl gave no text".to_owned();
    }
    // SAFETY: returns a copy of this thread's record, by value.
    let record = unsafe { rcutils_get_error_string() };
    // SAFETY: `str_` is a NUL-terminated array inside `record`, which lives on.
    let text = unsafe { copy_string(record.str_.as_ptr()) };
    // SAFETY: the record was copied above.
    unsafe { rcutils_reset_error() };
    text
}
