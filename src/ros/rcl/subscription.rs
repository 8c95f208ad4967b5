//! Taking serialized messages with their message info.
//!
//! **Invariant:** rcl's new-message callback is cleared, and the subscription
//! released, before the waker it points to is freed.

use std::ptr;
use std::sync::Arc;

use r2r_rcl::{
    RCL_RET_SUBSCRIPTION_TAKE_FAILED, rcl_get_zero_initialized_subscription, rcl_ret_t,
    rcl_subscription_fini, rcl_subscription_get_default_options,
    rcl_subscription_get_publisher_count, rcl_subscription_init,
    rcl_subscription_set_on_new_message_callback, rcl_subscription_t, rcl_take_serialized_message,
    rmw_get_zero_initialized_message_info, rmw_message_info_t,
};

use super::SETUP;
use super::buffer::SerializedBuffer;
use super::error::{RclError, absolute_name, check, clear_error, report_in_drop};
use super::node::Node;
use super::pinned::Pinned;
use super::qos::Qos;
use super::type_support::MessageTypeSupport;
use super::wake::{Registration, Waker, on_news};

/// rcl's code for "nothing to take".
#[expect(clippy::as_conversions, reason = "a small constant; bindgen types macros as u32")]
const NOTHING_TO_TAKE: rcl_ret_t = RCL_RET_SUBSCRIPTION_TAKE_FAILED as rcl_ret_t;

/// What the middleware says about a message. `None`: this rmw does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageInfo {
    /// When the publisher wrote it, nanoseconds of the publisher's system clock.
    pub source_timestamp_ns: Option<i64>,
    /// When it arrived here, nanoseconds of our system clock.
    pub received_timestamp_ns: Option<i64>,
    /// The publisher's own count, from 1; a gap is a message not taken.
    pub publication_sequence_number: Option<u64>,
    /// The subscription's own count.
    pub reception_sequence_number: Option<u64>,
    /// The publisher, as in [`super::Publisher::gid`].
    pub publisher_gid: [u8; 16],
}

/// A subscription of one topic.
pub struct Subscription {
    raw: Pinned<rcl_subscription_t>,
    registration: Option<Registration>,
    topic: String,
    // Last: dropped after `drop` has released the subscription.
    node: Arc<Node>,
}

// SAFETY: not bound to the thread that made it; takes need `&mut self`, so one
// at a time; creation and release run under `SETUP`.
unsafe impl Send for Subscription {}

impl Subscription {
    /// Makes a subscription on an absolute topic name.
    ///
    /// # Errors
    /// rcl's text for an invalid name or a middleware failure.
    pub fn new(
        node: &Arc<Node>,
        type_support: MessageTypeSupport,
        topic: &str,
        qos: Qos,
    ) -> Result<Self, RclError> {
        let c_topic = absolute_name("rcl_subscription_init", topic)?;
        let raw = Pinned::new(
            // SAFETY: returns a plain struct by value.
            unsafe { rcl_get_zero_initialized_subscription() },
        );
        {
            let _setup = SETUP.lock();
            // SAFETY: returns a plain struct by value; its static is guarded by `SETUP`.
            let mut options = unsafe { rcl_subscription_get_default_options() };
            options.qos = qos.to_rmw();
            // SAFETY: zero-initialised subscription, initialised node, a type
            // support that lives for ever, a string and options that rcl copies.
            let code = unsafe {
                rcl_subscription_init(
                    raw.as_ptr(),
                    node.as_ptr(),
                    type_support.as_ptr(),
                    c_topic.as_ptr(),
                    &options,
                )
            };
            check("rcl_subscription_init", code)?;
        }
        Ok(Self { raw, registration: None, topic: topic.to_owned(), node: node.clone() })
    }

    /// Takes the next message into `buffer`; `None` when there is none, and the
    /// buffer is empty then.
    ///
    /// Messages beyond the buffer's capacity are taken whole and make it grow:
    /// the caller refuses them by their length, then calls
    /// [`SerializedBuffer::shrink`].
    ///
    /// # Errors
    /// rcl's text; the buffer is empty.
    pub fn take(&mut self, buffer: &mut SerializedBuffer) -> Result<Option<MessageInfo>, RclError> {
        buffer.clear();
        // SAFETY: returns a plain struct by value.
        let mut info = unsafe { rmw_get_zero_initialized_message_info() };
        // SAFETY: an initialised subscription, an initialised array that rmw
        // may grow with the array's own allocator, a local for the info, and no
        // preallocation.
        let code = unsafe {
            rcl_take_serialized_message(
                self.raw.as_ptr(),
                buffer.as_mut_ptr(),
                &mut info,
                ptr::null_mut(),
            )
        };
        if code == NOTHING_TO_TAKE {
            clear_error();
            buffer.clear();
            return Ok(None);
        }
        check("rcl_take_serialized_message", code).inspect_err(|_| buffer.clear())?;
        Ok(Some(read_info(&info)))
    }

    /// Has `waker` set its bit whenever a message arrives, and once at
    /// registration, so a message that was there before is looked at too.
    ///
    /// # Errors
    /// rcl's text; and a second registration.
    pub fn on_new_message(&mut self, waker: Waker) -> Result<(), RclError> {
        const CALL: &str = "rcl_subscription_set_on_new_message_callback";
        if self.registration.is_some() {
            return Err(RclError::refused(CALL, "a waker is registered already"));
        }
        // Stored first: if rcl fails after it has kept the pointer, the waker
        // still lives until the subscription is released.
        let registration = self.registration.insert(Registration::new(waker));
        // SAFETY: an initialised subscription; the pointer is valid until
        // `drop` has cleared the callback and released the subscription.
        let code = unsafe {
            rcl_subscription_set_on_new_message_callback(
                self.raw.as_ptr(),
                Some(on_news),
                registration.user_data(),
            )
        };
        check(CALL, code)?;
        // rmw reports messages it counted before the callback was set; one that
        // came between the count and the setting it would miss.
        registration.wake();
        Ok(())
    }

    /// How many writers are matched now.
    ///
    /// # Errors
    /// rcl's text.
    pub fn publisher_count(&self) -> Result<usize, RclError> {
        let mut count = 0;
        // SAFETY: an initialised subscription and a local for the answer.
        let code = unsafe { rcl_subscription_get_publisher_count(self.raw.as_ptr(), &mut count) };
        check("rcl_subscription_get_publisher_count", code)?;
        Ok(count)
    }

    /// The topic's absolute name.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _setup = SETUP.lock();
        if self.registration.is_some() {
            // SAFETY: an initialised subscription; clears the callback.
            let code = unsafe {
                rcl_subscription_set_on_new_message_callback(self.raw.as_ptr(), None, ptr::null())
            };
            report_in_drop(check("rcl_subscription_set_on_new_message_callback", code));
        }
        // SAFETY: initialised once; the node is alive, `self.node` holds it.
        let code = unsafe { rcl_subscription_fini(self.raw.as_ptr(), self.node.as_ptr()) };
        let released = check("rcl_subscription_fini", code);
        if released.is_err()
            && let Some(registration) = self.registration.take()
        {
            registration.leak();
        }
        report_in_drop(released);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}

fn read_info(info: &rmw_message_info_t) -> MessageInfo {
    /// rmw's mark for a sequence number that it does not support. 0 is what an
    /// rmw that never writes the field leaves; real numbers start at 1.
    const UNSUPPORTED: u64 = u64::MAX;
    let time = |ns: i64| (ns > 0).then_some(ns);
    let number = |number: u64| (number != 0 && number != UNSUPPORTED).then_some(number);
    MessageInfo {
        source_timestamp_ns: time(info.source_timestamp),
        received_timestamp_ns: time(info.received_timestamp),
        publication_sequence_number: number(info.publication_sequence_number),
        reception_sequence_number: number(info.reception_sequence_number),
        publisher_gid: info.publisher_gid.data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rmw_does_not_give_is_absent() {
        // SAFETY: returns a plain struct by value.
        let mut info = unsafe { rmw_get_zero_initialized_message_info() };
        info.publication_sequence_number = u64::MAX;
        let read = read_info(&info);
        assert_eq!(read.source_timestamp_ns, None);
        assert_eq!(read.received_timestamp_ns, None);
        assert_eq!(read.publication_sequence_number, None);
        assert_eq!(read.reception_sequence_number, None);
        info.source_timestamp = 5;
        info.reception_sequence_number = 1;
        let read = read_info(&info);
        assert_eq!(read.source_timestamp_ns, Some(5));
        assert_eq!(read.reception_sequence_number, Some(1));
    }
}
