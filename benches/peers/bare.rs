//! rcl with a wait set and nothing else: what the node is compared with.
//!
//! Reliable, volatile, keep last 1, as the node's own endpoints. What is made here lives until the
//! process ends; the context is shut down then, so that nothing is left in shared memory.

#![expect(
    unsafe_code,
    reason = "bare rcl is the point: nothing of the project's is under the baseline"
)]

use std::ffi::{CString, c_void};
use std::ptr;

use r2r::std_srvs::srv::Trigger;
use r2r::{WrappedServiceTypeSupport, WrappedTypesupport};
use r2r_rcl::*;

use crate::message::Kind;

/// Long enough to cost nothing, short enough for the end.
const WAIT_NS: i64 = 200_000_000;

/// A value that stays where it is until the process ends.
fn pinned<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

fn done(call: &str, code: rcl_ret_t) {
    assert!(code == RCL_RET_OK as rcl_ret_t, "{call} gives {code}");
}

fn text(text: &str) -> CString {
    CString::new(text).expect("no NUL in a name")
}

/// Context and node, the wait set with what it waits for, and one buffer.
pub(crate) struct Bare {
    context: *mut rcl_context_t,
    node: *mut rcl_node_t,
    subscriptions: Vec<*mut rcl_subscription_t>,
    clients: Vec<*mut rcl_client_t>,
    services: Vec<*mut rcl_service_t>,
    wait_set: *mut rcl_wait_set_t,
    buffer: rcl_serialized_message_t,
}

pub(crate) struct BarePublisher(*mut rcl_publisher_t);

impl BarePublisher {
    /// Ends it. The node must still be there.
    pub(crate) fn end(self, of: &Bare) {
        // SAFETY: initialised by `Bare::publisher` on this node, and not used again.
        done("rcl_publisher_fini", unsafe { rcl_publisher_fini(self.0, of.node) });
    }
}

impl Bare {
    pub(crate) fn new(name: &str) -> Self {
        // SAFETY: each struct is zero-initialised by its own function, stays where it is, and is made
        // in rcl's order: options, context, node, wait set, buffer. Strings outlive the calls.
        unsafe {
            let allocator = rcutils_get_default_allocator();
            let mut options = rcl_get_zero_initialized_init_options();
            done("rcl_init_options_init", rcl_init_options_init(&mut options, allocator));
            let context = pinned(rcl_get_zero_initialized_context());
            done("rcl_init", rcl_init(0, ptr::null(), &options, context));
            done("rcl_init_options_fini", rcl_init_options_fini(&mut options));
            let node = pinned(rcl_get_zero_initialized_node());
            let mut options = rcl_node_get_default_options();
            options.enable_rosout = false;
            let (name, namespace) = (text(name), text("/"));
            let code = rcl_node_init(node, name.as_ptr(), namespace.as_ptr(), context, &options);
            done("rcl_node_init", code);
            let wait_set = pinned(rcl_get_zero_initialized_wait_set());
            let code = rcl_wait_set_init(wait_set, 0, 0, 0, 0, 0, 0, context, allocator);
            done("rcl_wait_set_init", code);
            let mut buffer = rcutils_get_zero_initialized_uint8_array();
            let code = rcutils_uint8_array_init(&mut buffer, crate::ros::CAPACITY, &allocator);
            done("rcutils_uint8_array_init", code);
            let (subscriptions, clients, services) = (Vec::new(), Vec::new(), Vec::new());
            Self { context, node, subscriptions, clients, services, wait_set, buffer }
        }
    }

    fn resize(&mut self) {
        let (subscriptions, clients) = (self.subscriptions.len(), self.clients.len());
        // SAFETY: an initialised wait set that nobody waits on.
        let code = unsafe {
            rcl_wait_set_resize(self.wait_set, subscriptions, 0, 0, clients, self.services.len(), 0)
        };
        done("rcl_wait_set_resize", code);
    }

    /// Waits for this topic from now on.
    pub(crate) fn subscribe(&mut self, kind: Kind, topic: &str, depth: usize) {
        let topic = text(topic);
        // SAFETY: zero-initialised, pinned; node, type support and strings are valid in the call.
        unsafe {
            let raw = pinned(rcl_get_zero_initialized_subscription());
            let mut options = rcl_subscription_get_default_options();
            options.qos.depth = depth;
            let support = kind.type_support();
            let code = rcl_subscription_init(raw, self.node, support, topic.as_ptr(), &options);
            done("rcl_subscription_init", code);
            self.subscriptions.push(raw);
        }
        self.resize();
    }

    pub(crate) fn publisher(&mut self, kind: Kind, topic: &str) -> BarePublisher {
        let topic = text(topic);
        // SAFETY: as in `subscribe`.
        unsafe {
            let raw = pinned(rcl_get_zero_initialized_publisher());
            let mut options = rcl_publisher_get_default_options();
            options.qos.depth = 1;
            let support = kind.type_support();
            let code = rcl_publisher_init(raw, self.node, support, topic.as_ptr(), &options);
            done("rcl_publisher_init", code);
            BarePublisher(raw)
        }
    }

    /// Waits for requests of this `std_srvs/srv/Trigger` from now on.
    pub(crate) fn serve(&mut self, name: &str) {
        let name = text(name);
        // SAFETY: as in `subscribe`.
        unsafe {
            let raw = pinned(rcl_get_zero_initialized_service());
            let options = rcl_service_get_default_options();
            let support = Trigger::Service::get_ts();
            let code = rcl_service_init(raw, self.node, support, name.as_ptr(), &options);
            done("rcl_service_init", code);
            self.services.push(raw);
        }
        self.resize();
    }

    /// Waits for answers of this `std_srvs/srv/Trigger` from now on.
    pub(crate) fn client(&mut self, name: &str) {
        let name = text(name);
        // SAFETY: as in `subscribe`.
        unsafe {
            let raw = pinned(rcl_get_zero_initialized_client());
            let options = rcl_client_get_default_options();
            let support = Trigger::Service::get_ts();
            let code = rcl_client_init(raw, self.node, support, name.as_ptr(), &options);
            done("rcl_client_init", code);
            self.clients.push(raw);
        }
        self.resize();
    }

    pub(crate) fn is_available(&self, client: usize) -> bool {
        let mut available = false;
        // SAFETY: an initialised node and client.
        let code = unsafe {
            rcl_service_server_is_available(self.node, self.clients[client], &mut available)
        };
        code == RCL_RET_OK as rcl_ret_t && available
    }

    /// One wait, as every executor does it: fill the set, wait, look at what is left in it. False: the
    /// time is over.
    pub(crate) fn wait(&mut self) -> bool {
        // SAFETY: the set has room for exactly these (`resize`), and they are initialised.
        unsafe {
            done("rcl_wait_set_clear", rcl_wait_set_clear(self.wait_set));
            for raw in &self.subscriptions {
                let code = rcl_wait_set_add_subscription(self.wait_set, *raw, ptr::null_mut());
                done("rcl_wait_set_add_subscription", code);
            }
            for raw in &self.clients {
                let code = rcl_wait_set_add_client(self.wait_set, *raw, ptr::null_mut());
                done("rcl_wait_set_add_client", code);
            }
            for raw in &self.services {
                let code = rcl_wait_set_add_service(self.wait_set, *raw, ptr::null_mut());
                done("rcl_wait_set_add_service", code);
            }
            let code = rcl_wait(self.wait_set, WAIT_NS);
            if code == RCL_RET_TIMEOUT as rcl_ret_t {
                rcutils_reset_error();
                return false;
            }
            done("rcl_wait", code);
        }
        true
    }

    /// Whether the wait ended for this topic.
    pub(crate) fn has_message(&self, index: usize) -> bool {
        // SAFETY: the wait set has as many places as there are subscriptions.
        unsafe { !(*(*self.wait_set).subscriptions.add(index)).is_null() }
    }

    /// Whether the wait ended for this client.
    pub(crate) fn has_answer(&self, index: usize) -> bool {
        // SAFETY: as in `has_message`.
        unsafe { !(*(*self.wait_set).clients.add(index)).is_null() }
    }

    /// Takes a message into the buffer. False: there is none.
    pub(crate) fn take(&mut self, index: usize) -> bool {
        let raw = self.subscriptions[index];
        // SAFETY: an initialised subscription, a buffer of our own, and no message info asked for.
        let code = unsafe {
            rcl_take_serialized_message(raw, &mut self.buffer, ptr::null_mut(), ptr::null_mut())
        };
        taken(code, RCL_RET_SUBSCRIPTION_TAKE_FAILED)
    }

    /// What was taken last.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: rcl wrote `buffer_length` bytes; the buffer is ours.
        unsafe { std::slice::from_raw_parts(self.buffer.buffer, self.buffer.buffer_length) }
    }

    /// Publishes what was taken last.
    pub(crate) fn forward(&self, publisher: &BarePublisher) {
        // SAFETY: an initialised publisher and a message of ours.
        let code =
            unsafe { rcl_publish_serialized_message(publisher.0, &self.buffer, ptr::null_mut()) };
        done("rcl_publish_serialized_message", code);
    }

    pub(crate) fn ask(&self, client: usize, request: &mut TriggerMessages) {
        let mut number = 0;
        // SAFETY: an initialised client and a request of its type.
        let code = unsafe { rcl_send_request(self.clients[client], request.request, &mut number) };
        done("rcl_send_request", code);
    }

    /// Takes an answer. False: there is none.
    pub(crate) fn take_answer(&self, client: usize, messages: &mut TriggerMessages) -> bool {
        let mut id = rmw_request_id_t { writer_guid: [0; 16], sequence_number: 0 };
        // SAFETY: an initialised client and a response of its type.
        let code = unsafe { rcl_take_response(self.clients[client], &mut id, messages.response) };
        taken(code, RCL_RET_CLIENT_TAKE_FAILED)
    }

    /// Takes a request of the only service and answers it.
    pub(crate) fn answer(&self, messages: &mut TriggerMessages) {
        let mut id = rmw_request_id_t { writer_guid: [0; 16], sequence_number: 0 };
        // SAFETY: an initialised service and messages of its types.
        unsafe {
            let code = rcl_take_request(self.services[0], &mut id, messages.request);
            if taken(code, RCL_RET_SERVICE_TAKE_FAILED) {
                let code = rcl_send_response(self.services[0], &mut id, messages.response);
                done("rcl_send_response", code);
            }
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // SAFETY: all initialised in `new` or after it, and not used again. The order is rcl's.
        unsafe {
            for raw in &self.subscriptions {
                done("rcl_subscription_fini", rcl_subscription_fini(*raw, self.node));
            }
            for raw in &self.clients {
                done("rcl_client_fini", rcl_client_fini(*raw, self.node));
            }
            for raw in &self.services {
                done("rcl_service_fini", rcl_service_fini(*raw, self.node));
            }
            done("rcl_wait_set_fini", rcl_wait_set_fini(self.wait_set));
            done("rcl_node_fini", rcl_node_fini(self.node));
            done("rcl_shutdown", rcl_shutdown(self.context));
        }
    }
}

fn taken(code: rcl_ret_t, nothing: u32) -> bool {
    if code == nothing as rcl_ret_t {
        // SAFETY: clears this thread's error text.
        unsafe { rcutils_reset_error() };
        return false;
    }
    done("a take", code);
    true
}

/// A request and a response of `std_srvs/srv/Trigger`, made once.
pub(crate) struct TriggerMessages {
    request: *mut c_void,
    response: *mut c_void,
}

impl TriggerMessages {
    pub(crate) fn new() -> Self {
        Self {
            request: Trigger::Request::create_msg().cast(),
            response: Trigger::Response::create_msg().cast(),
        }
    }
}
