//! What is asked of rcl, seen and held by a test: this program's functions of these names come before
//! rcl's own, ask the test, and hand on.

use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

use r2r_rcl::{
    rcl_publisher_get_topic_name, rcl_publisher_t, rcl_ret_t, rcl_serialized_message_t,
    rcl_subscription_get_topic_name, rcl_subscription_t, rmw_message_info_t,
    rmw_publisher_allocation_t, rmw_subscription_allocation_t,
};

use crate::is_counted;

/// rcl's code for a failure that it does not explain.
const RCL_RET_ERROR: rcl_ret_t = 1;

/// One call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call<'a> {
    /// These bytes are about to be handed to the middleware.
    Publish(&'a [u8]),
    /// They have been.
    Published(&'a [u8]),
    /// A message is asked for.
    Take,
}

/// Who calls, and about what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) is_gate_thread: bool,
    pub(crate) topic: &'a str,
    pub(crate) call: Call<'a>,
}

/// What becomes of a take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Fail,
}

type Watch = Box<dyn Fn(Seen<'_>) -> Then + Send + Sync>;

static WATCH: OnceLock<Watch> = OnceLock::new();

/// From now on every call asks `watch`, on the calling thread. Once in a process.
pub(crate) fn watch(watch: impl Fn(Seen<'_>) -> Then + Send + Sync + 'static) {
    assert!(WATCH.set(Box::new(watch)).is_ok(), "somebody watches already");
}

fn ask(topic: *const c_char, call: Call<'_>) -> Then {
    let Some(watch) = WATCH.get() else { return Then::GoOn };
    // SAFETY: rcl's own string of an endpoint that lives.
    let topic = unsafe { CStr::from_ptr(topic) }.to_str().expect("a topic's name");
    watch(Seen { is_gate_thread: is_counted(), topic, call })
}

/// The function that would have been called if this program had none.
fn next(name: &CStr) -> *mut c_void {
    // SAFETY: looks a name up.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!found.is_null(), "{name:?} is in librcl");
    found
}

type Publish = unsafe extern "C" fn(
    *const rcl_publisher_t,
    *const rcl_serialized_message_t,
    *mut rmw_publisher_allocation_t,
) -> rcl_ret_t;

/// # Safety
/// As rcl's.
#[unsafe(no_mangle)]
unsafe extern "C" fn rcl_publish_serialized_message(
    publisher: *const rcl_publisher_t,
    message: *const rcl_serialized_message_t,
    allocation: *mut rmw_publisher_allocation_t,
) -> rcl_ret_t {
    static NEXT: OnceLock<Publish> = OnceLock::new();
    let next = NEXT.get_or_init(|| {
        // SAFETY: rcl's function of this name has this type.
        unsafe {
            std::mem::transmute::<*mut c_void, Publish>(next(c"rcl_publish_serialized_message"))
        }
    });
    // SAFETY: the caller's publisher and message are good, as it promised.
    let (topic, bytes) = unsafe {
        let message = &*message;
        let bytes = std::slice::from_raw_parts(message.buffer, message.buffer_length);
        (rcl_publisher_get_topic_name(publisher), bytes)
    };
    ask(topic, Call::Publish(bytes));
    // SAFETY: as the caller promised.
    let code = unsafe { next(publisher, message, allocation) };
    ask(topic, Call::Published(bytes));
    code
}

type Take = unsafe extern "C" fn(
    *const rcl_subscription_t,
    *mut rcl_serialized_message_t,
    *mut rmw_message_info_t,
    *mut rmw_subscription_allocation_t,
) -> rcl_ret_t;

/// # Safety
/// As rcl's.
#[unsafe(no_mangle)]
unsafe extern "C" fn rcl_take_serialized_message(
    subscription: *const rcl_subscription_t,
    message: *mut rcl_serialized_message_t,
    info: *mut rmw_message_info_t,
    allocation: *mut rmw_subscription_allocation_t,
) -> rcl_ret_t {
    static NEXT: OnceLock<Take> = OnceLock::new();
    let next = NEXT.get_or_init(|| {
        // SAFETY: rcl's function of this name has this type.
        unsafe { std::mem::transmute::<*mut c_void, Take>(next(c"rcl_take_serialized_message")) }
    });
    // SAFETY: the caller's subscription is good, as it promised.
    let topic = unsafe { rcl_subscription_get_topic_name(subscription) };
    if ask(topic, Call::Take) == Then::Fail {
        return RCL_RET_ERROR;
    }
    // SAFETY: as the caller promised.
    unsafe { next(subscription, message, info, allocation) }
}
