//! Publishing bytes that are already serialized.

use std::ptr;
use std::sync::Arc;

use r2r_rcl::{
    rcl_get_zero_initialized_publisher, rcl_publish_serialized_message, rcl_publisher_fini,
    rcl_publisher_get_default_options, rcl_publisher_get_rmw_handle,
    rcl_publisher_get_subscription_count, rcl_publisher_init, rcl_publisher_t,
    rcl_serialized_message_t, rcutils_allocator_t, rcutils_get_default_allocator,
    rmw_get_gid_for_publisher, rmw_gid_t,
};

use super::SETUP;
use super::error::{RclError, absolute_name, check, report_in_drop};
use super::node::Node;
use super::pinned::Pinned;
use super::qos::Qos;
use super::type_support::MessageTypeSupport;

/// Bytes of the encapsulation header in front of every serialized message.
const HEADER_BYTES: usize = 4;

/// A publisher of one topic.
pub struct Publisher {
    raw: Pinned<rcl_publisher_t>,
    gid: [u8; 16],
    topic: String,
    allocator: rcutils_allocator_t,
    // Last: dropped after `drop` has released the publisher.
    node: Arc<Node>,
}

// SAFETY: rcl documents publishing as thread-safe, and queries only read;
// creation and release run under `SETUP`.
unsafe impl Send for Publisher {}
// SAFETY: as above. A second thread publishes only the stop burst of a stalled
// gate, while the first may be inside a publish.
unsafe impl Sync for Publisher {}

impl Publisher {
    /// Makes a publisher on an absolute topic name.
    ///
    /// # Errors
    /// rcl's text for an invalid name or a middleware failure.
    pub fn new(
        node: &Arc<Node>,
        type_support: MessageTypeSupport,
        topic: &str,
        qos: Qos,
    ) -> Result<Self, RclError> {
        let c_topic = absolute_name("rcl_publisher_init", topic)?;
        let raw = Pinned::new(
            // SAFETY: returns a plain struct by value.
            unsafe { rcl_get_zero_initialized_publisher() },
        );
        {
            let _setup = SETUP.lock();
            // SAFETY: returns a plain struct by value; its static is guarded by `SETUP`.
            let mut options = unsafe { rcl_publisher_get_default_options() };
            options.qos = qos.to_rmw();
            // SAFETY: zero-initialised publisher, initialised node, a type
            // support that lives for ever, a string and options that rcl copies.
            let code = unsafe {
                rcl_publisher_init(
                    raw.as_ptr(),
                    node.as_ptr(),
                    type_support.as_ptr(),
                    c_topic.as_ptr(),
                    &options,
                )
            };
            check("rcl_publisher_init", code)?;
        }
        // SAFETY: returns a plain struct by value.
        let allocator = unsafe { rcutils_get_default_allocator() };
        // From here on the publisher is initialised, and `drop` releases it.
        let mut publisher =
            Self { raw, gid: [0; 16], topic: topic.to_owned(), allocator, node: node.clone() };
        publisher.gid = publisher.read_gid()?;
        Ok(publisher)
    }

    /// Publishes one serialized message. Allocates nothing of ours.
    ///
    /// # Errors
    /// rcl's text; and a message shorter than its own header.
    pub fn publish_serialized(&self, bytes: &[u8]) -> Result<(), RclError> {
        const CALL: &str = "rcl_publish_serialized_message";
        if bytes.len() < HEADER_BYTES {
            return Err(RclError::refused(CALL, "a message has at least its 4 header bytes"));
        }
        let message = rcl_serialized_message_t {
            buffer: bytes.as_ptr().cast_mut(),
            buffer_length: bytes.len(),
            buffer_capacity: bytes.len(),
            allocator: self.allocator,
        };
        // SAFETY: an initialised publisher; the message points to `bytes`,
        // which outlive the call, and the middleware only reads them: the
        // parameter is const and its bytes are copied into the writer's history.
        let code =
            unsafe { rcl_publish_serialized_message(self.raw.as_ptr(), &message, ptr::null_mut()) };
        check(CALL, code)
    }

    /// How many readers are matched now.
    ///
    /// # Errors
    /// rcl's text.
    pub fn subscription_count(&self) -> Result<usize, RclError> {
        let mut count = 0;
        // SAFETY: an initialised publisher and a local for the answer.
        let code = unsafe { rcl_publisher_get_subscription_count(self.raw.as_ptr(), &mut count) };
        check("rcl_publisher_get_subscription_count", code)?;
        Ok(count)
    }

    /// The middleware's identifier of this publisher, the same as in message
    /// info and in endpoint info.
    #[must_use]
    pub fn gid(&self) -> [u8; 16] {
        self.gid
    }

    /// The topic's absolute name.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    fn read_gid(&self) -> Result<[u8; 16], RclError> {
        const CALL: &str = "rmw_get_gid_for_publisher";
        // SAFETY: an initialised publisher; the handle lives as long as it.
        let handle = unsafe { rcl_publisher_get_rmw_handle(self.raw.as_ptr()) };
        let mut gid = rmw_gid_t { implementation_identifier: ptr::null(), data: [0; 16] };
        // SAFETY: rmw checks the handle for null; the answer goes to a local.
        check(CALL, unsafe { rmw_get_gid_for_publisher(handle, &mut gid) })?;
        Ok(gid.data)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _setup = SETUP.lock();
        // SAFETY: initialised once; the node is alive, `self.node` holds it.
        let code = unsafe { rcl_publisher_fini(self.raw.as_ptr(), self.node.as_ptr()) };
        report_in_drop(check("rcl_publisher_fini", code));
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("topic", &self.topic).finish_non_exhaustive()
    }
}
