//! A service whose requests are taken on one thread and answered on another.
//!
//! On Fast DDS a reply waits up to 100 ms for a client whose reply reader does
//! not match. The gate thread must not wait: it takes the request, acts, and
//! leaves the answer to the `replies` thread and its workers. So a service has
//! two handles: [`Requests`] takes, [`Responder`] answers.
//!
//! **Invariant:** a failed answer is an error for the caller to count; nothing
//! here unwraps one.
//! **Invariant:** the service is released when both handles are gone, and the
//! waker that rcl's callback points to lives as long as the service.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};

use r2r::std_srvs::srv::Trigger;
use r2r::{WrappedServiceTypeSupport, WrappedTypesupport};
use r2r_rcl::{
    RCL_RET_SERVICE_TAKE_FAILED, rcl_get_zero_initialized_service, rcl_ret_t, rcl_send_response,
    rcl_service_fini, rcl_service_get_default_options, rcl_service_init,
    rcl_service_set_on_new_request_callback, rcl_service_t, rcl_take_request, rmw_request_id_t,
};

use super::SETUP;
use super::error::{RclError, absolute_name, check, clear_error, has_error, report_in_drop};
use super::node::Node;
use super::pinned::Pinned;
use super::wake::{Registration, Waker, on_news};

/// rcl's code for "nothing to take".
#[expect(clippy::as_conversions, reason = "a small constant; bindgen types macros as u32")]
const NOTHING_TO_TAKE: rcl_ret_t = RCL_RET_SERVICE_TAKE_FAILED as rcl_ret_t;

/// Makes a service on an absolute name, with the services' default quality of
/// service (reliable, volatile, keep last 10).
///
/// # Errors
/// rcl's text for an invalid name or a middleware failure.
pub fn serve<T: WrappedServiceTypeSupport>(
    node: &Arc<Node>,
    name: &str,
) -> Result<(Requests<T>, Responder<T>), RclError> {
    let request = NativeMessage::new()?;
    let handle = Arc::new(Handle::new::<T>(node, name)?);
    let responder = Responder { handle: handle.clone(), kind: PhantomData };
    Ok((Requests { handle, request }, responder))
}

/// Names the request that a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestId(rmw_request_id_t);

impl RequestId {
    /// The middleware's identifier of the client that asks.
    #[must_use]
    pub fn client(&self) -> [u8; 16] {
        self.0.writer_guid
    }
}

/// The taking half of a service.
pub struct Requests<T: WrappedServiceTypeSupport> {
    handle: Arc<Handle>,
    request: NativeMessage<T::Request>,
}

// SAFETY: owns its message; the handle may be shared between threads.
unsafe impl<T: WrappedServiceTypeSupport> Send for Requests<T> {}

impl<T: WrappedServiceTypeSupport> Requests<T> {
    /// Takes the next request and its name; `None` when there is none. Does not
    /// read the request: for services without fields nothing is allocated.
    ///
    /// # Errors
    /// rcl's text; also of a request that cannot be decoded, behind which others may wait.
    pub fn take(&mut self) -> Result<Option<RequestId>, RclError> {
        let mut id = rmw_request_id_t { writer_guid: [0; 16], sequence_number: 0 };
        clear_error();
        // SAFETY: an initialised service; the message is of the service's
        // request type, initialised and ours alone (`&mut self`); no other take
        // runs, because there is one `Requests` for a service.
        let code =
            unsafe { rcl_take_request(self.handle.raw.as_ptr(), &mut id, self.request.as_void()) };
        // One that cannot be decoded has been taken, and is told by its text alone.
        if code == NOTHING_TO_TAKE && !has_error() {
            return Ok(None);
        }
        check("rcl_take_request", code)?;
        Ok(Some(RequestId(id)))
    }

    /// Takes the next request with its fields.
    ///
    /// # Errors
    /// rcl's text.
    pub fn take_with_fields(&mut self) -> Result<Option<(RequestId, T::Request)>, RclError> {
        let Some(id) = self.take()? else {
            return Ok(None);
        };
        Ok(Some((id, self.request.read())))
    }

    /// Has `waker` set its bit whenever a request arrives, and once at
    /// registration, so a request that was there before is looked at too.
    ///
    /// # Errors
    /// rcl's text; and a second registration.
    pub fn on_new_request(&mut self, waker: Waker) -> Result<(), RclError> {
        self.handle.on_new_request(waker)
    }
}

impl<T: WrappedServiceTypeSupport> std::fmt::Debug for Requests<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").field("service", &self.handle.name).finish_non_exhaustive()
    }
}

/// The answering half of a service.
pub struct Responder<T: WrappedServiceTypeSupport> {
    handle: Arc<Handle>,
    kind: PhantomData<fn() -> T>,
}

impl<T: WrappedServiceTypeSupport> Responder<T> {
    /// Answers a request. May block for 100 ms (module text), and then holds up no
    /// other answer.
    ///
    /// Strings in `response` must not contain NUL bytes: r2r's conversion to C
    /// panics on one.
    ///
    /// # Errors
    /// rcl's text; code 2 (timeout) for a client that cannot receive the reply.
    pub fn send(&self, id: &RequestId, response: &T::Response) -> Result<(), RclError> {
        let mut message = NativeMessage::<T::Response>::new()?;
        message.write(response);
        let mut id = id.0;
        // SAFETY: an initialised service, and a message of its response type that
        // is ours alone. Other answers and a take may run on other threads: rcl
        // documents concurrent answers as safe where the message is not shared
        // (rcl/service.h), rmw calls services thread-safe objects (rmw/rmw.h),
        // and the middleware takes from the request reader and answers on the
        // reply writer, with locks of its own around the table of clients.
        // rclcpp's multi-threaded executor relies on the same.
        let code =
            unsafe { rcl_send_response(self.handle.raw.as_ptr(), &mut id, message.as_void()) };
        check("rcl_send_response", code)
    }
}

impl Responder<Trigger::Service> {
    /// Answers a `std_srvs/srv/Trigger` request. NUL bytes in `message` become
    /// U+FFFD.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn reply(&self, id: &RequestId, success: bool, message: &str) -> Result<(), RclError> {
        let message = message.replace('\0', "\u{FFFD}");
        self.send(id, &Trigger::Response { success, message })
    }
}

impl<T: WrappedServiceTypeSupport> std::fmt::Debug for Responder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").field("service", &self.handle.name).finish_non_exhaustive()
    }
}

/// The service itself, shared by its two halves.
struct Handle {
    raw: Pinned<rcl_service_t>,
    registration: OnceLock<Registration>,
    name: String,
    // Last: dropped after `drop` has released the service.
    node: Arc<Node>,
}

// SAFETY: after creation the rcl struct is only read. There is one take at a
// time; why answers may overlap it and each other is said in `Responder::send`.
// Creation and release run under `SETUP`.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    fn new<T: WrappedServiceTypeSupport>(node: &Arc<Node>, name: &str) -> Result<Self, RclError> {
        let c_name = absolute_name("rcl_service_init", name)?;
        let raw = Pinned::new(
            // SAFETY: returns a plain struct by value.
            unsafe { rcl_get_zero_initialized_service() },
        );
        {
            let _setup = SETUP.lock();
            // SAFETY: returns a plain struct by value; its static is guarded by `SETUP`.
            let options = unsafe { rcl_service_get_default_options() };
            // SAFETY: zero-initialised service, initialised node, a static type
            // support, a string and options that rcl copies.
            let code = unsafe {
                rcl_service_init(
                    raw.as_ptr(),
                    node.as_ptr(),
                    T::get_ts(),
                    c_name.as_ptr(),
                    &options,
                )
            };
            check("rcl_service_init", code)?;
        }
        let name = name.to_owned();
        Ok(Self { raw, registration: OnceLock::new(), name, node: node.clone() })
    }

    fn on_new_request(&self, waker: Waker) -> Result<(), RclError> {
        const CALL: &str = "rcl_service_set_on_new_request_callback";
        let refused = || RclError::refused(CALL, "a waker is registered already");
        // Stored first: if rcl fails after it has kept the pointer, the waker
        // still lives until the service is released.
        self.registration.set(Registration::new(waker)).map_err(|_| refused())?;
        let registration = self.registration.get().ok_or_else(refused)?;
        // SAFETY: an initialised service; the pointer is valid until `drop` has
        // cleared the callback and released the service.
        let code = unsafe {
            rcl_service_set_on_new_request_callback(
                self.raw.as_ptr(),
                Some(on_news),
                registration.user_data(),
            )
        };
        check(CALL, code)?;
        // See `Subscription::on_new_message`.
        registration.wake();
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _setup = SETUP.lock();
        if self.registration.get().is_some() {
            // SAFETY: an initialised service; clears the callback.
            let code = unsafe {
                rcl_service_set_on_new_request_callback(self.raw.as_ptr(), None, ptr::null())
            };
            report_in_drop(check("rcl_service_set_on_new_request_callback", code));
        }
        // SAFETY: initialised once; the node is alive, `self.node` holds it.
        let code = unsafe { rcl_service_fini(self.raw.as_ptr(), self.node.as_ptr()) };
        let released = check("rcl_service_fini", code);
        if released.is_err()
            && let Some(registration) = self.registration.take()
        {
            registration.leak();
        }
        report_in_drop(released);
    }
}

/// A C message of a type that r2r generated.
struct NativeMessage<M: WrappedTypesupport>(NonNull<M::CStruct>);

impl<M: WrappedTypesupport> NativeMessage<M> {
    fn new() -> Result<Self, RclError> {
        NonNull::new(M::create_msg())
            .map(Self)
            .ok_or_else(|| RclError::refused("create_msg", "no memory for a message"))
    }

    fn as_void(&mut self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    fn read(&self) -> M {
        // SAFETY: initialised by `create_msg`, written by rcl only; ours alone.
        M::from_native(unsafe { self.0.as_ref() })
    }

    fn write(&mut self, message: &M) {
        // SAFETY: as in `read`; `&mut self` makes the access unique.
        message.copy_to_native(unsafe { self.0.as_mut() });
    }
}

impl<M: WrappedTypesupport> Drop for NativeMessage<M> {
    fn drop(&mut self) {
        M::destroy_msg(self.0.as_ptr());
    }
}
