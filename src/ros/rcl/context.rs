//! The gate's own rcl context, beside r2r's.
//!
//! A context is one participant on the middleware, with the process's ROS
//! arguments. It never configures logging: r2r's context does, and a second
//! time would replace the first.
//!
//! **Invariant:** a context is shut down and released after everything made in
//! it, because all of that holds an [`Arc`] of it.

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use r2r_rcl::{
    rcl_arguments_get_count_unparsed_ros, rcl_arguments_get_unparsed_ros, rcl_arguments_t,
    rcl_context_fini, rcl_context_get_domain_id, rcl_context_t, rcl_get_zero_initialized_context,
    rcl_get_zero_initialized_init_options, rcl_init, rcl_init_options_fini, rcl_init_options_init,
    rcl_shutdown, rcutils_get_default_allocator, rmw_get_implementation_identifier,
};

use super::SETUP;
use super::error::{RclError, c_string, check, report_in_drop};
use super::pinned::Pinned;
use crate::shared_memory;

/// An initialised rcl context.
pub struct Context {
    raw: Pinned<rcl_context_t>,
}

// SAFETY: an initialised context is only read by the functions that get its
// pointer (node creation, queries); creation and release happen under `SETUP`.
unsafe impl Send for Context {}
// SAFETY: as above; no method changes the context.
unsafe impl Sync for Context {}

impl Context {
    /// Initialises rcl with the process's arguments, the program's name first.
    ///
    /// Everything between `--ros-args` and `--` is read by rcl; the rest is
    /// ignored. Ports in shared memory that would keep the middleware from starting are taken away
    /// first.
    ///
    /// # Errors
    /// rcl's text for a malformed rule, a params file it cannot read, or a
    /// middleware that does not start; and the list of ROS arguments that rcl
    /// does not know, which rclcpp refuses too.
    pub fn new(args: &[String]) -> Result<Arc<Self>, RclError> {
        let args = args
            .iter()
            .map(|arg| c_string("rcl_init", arg))
            .collect::<Result<Vec<CString>, RclError>>()?;
        let raw = Pinned::new(
            // SAFETY: returns a plain struct by value.
            unsafe { rcl_get_zero_initialized_context() },
        );
        clear_the_way();
        init(&raw, &args)?;
        // From here on the context is initialised, and `drop` releases it.
        let context = Self { raw };
        context.refuse_unknown_arguments(&args)?;
        Ok(Arc::new(context))
    }

    /// The domain this context talks on.
    ///
    /// # Errors
    /// rcl's text.
    pub fn domain_id(&self) -> Result<usize, RclError> {
        let mut domain_id = 0;
        // SAFETY: the context is initialised; the result is written to a local.
        let code = unsafe { rcl_context_get_domain_id(self.raw.as_ptr(), &mut domain_id) };
        check("rcl_context_get_domain_id", code)?;
        Ok(domain_id)
    }

    /// The middleware's name, for example `rmw_fastrtps_cpp`.
    #[must_use]
    pub fn rmw_implementation(&self) -> String {
        // SAFETY: takes nothing; returns a static string or null.
        let name = unsafe { rmw_get_implementation_identifier() };
        if name.is_null() {
            return "unknown".to_owned();
        }
        // SAFETY: not null, static and NUL-terminated.
        unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
    }

    pub(super) fn as_ptr(&self) -> *mut rcl_context_t {
        self.raw.as_ptr()
    }

    /// The arguments every node of this context shares.
    pub(super) fn global_arguments(&self) -> *const rcl_arguments_t {
        // SAFETY: the context is alive; only the field's address is taken.
        unsafe { &raw const (*self.raw.as_ptr()).global_arguments }
    }

    fn refuse_unknown_arguments(&self, args: &[CString]) -> Result<(), RclError> {
        const CALL: &str = "rcl_arguments_get_unparsed_ros";
        // SAFETY: the global arguments are initialised with the context.
        let count = unsafe { rcl_arguments_get_count_unparsed_ros(self.global_arguments()) };
        let count = usize::try_from(count).unwrap_or(0);
        if count == 0 {
            return Ok(());
        }
        let mut indices: *mut c_int = ptr::null_mut();
        // SAFETY: as above; rcl allocates the list with the given allocator.
        let allocator = unsafe { rcutils_get_default_allocator() };
        let code =
            // SAFETY: valid arguments and a place for the list.
            unsafe { rcl_arguments_get_unparsed_ros(self.global_arguments(), allocator, &mut indices) };
        check(CALL, code)?;
        // SAFETY: rcl wrote `count` indices.
        let found = unsafe { std::slice::from_raw_parts(indices, count) }
            .iter()
            .filter_map(|index| args.get(usize::try_from(*index).ok()?))
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect::<Vec<String>>();
        if let Some(deallocate) = allocator.deallocate {
            // SAFETY: allocated by rcl with this allocator; not used again.
            unsafe { deallocate(indices.cast(), allocator.state) };
        }
        Err(RclError::refused(CALL, format!("unknown ROS arguments: {}", found.join(" "))))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let _setup = SETUP.lock();
        // SAFETY: initialised once, and every child is gone: they hold an Arc.
        let code = unsafe { rcl_shutdown(self.raw.as_ptr()) };
        report_in_drop(check("rcl_shutdown", code));
        // SAFETY: shut down above and not used again.
        let code = unsafe { rcl_context_fini(self.raw.as_ptr()) };
        report_in_drop(check("rcl_context_fini", code));
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("rmw", &self.rmw_implementation()).finish_non_exhaustive()
    }
}

/// The middleware would wait for the first of these without end, for the others two seconds, and say
/// nothing.
fn clear_the_way() {
    let folder = Path::new(shared_memory::FOLDER);
    for (port, removed) in shared_memory::remove(shared_memory::half_made_ports(folder)) {
        let port = port.display();
        match removed {
            Ok(()) => tracing::warn!(
                "{port} removed: a process was killed while it made it, and whoever started after that \
                 waited for it without end"
            ),
            Err(error) => tracing::error!(
                "{port} cannot be removed ({error}): a process was killed while it made it, and this \
                 start may wait for it without end; remove it, then restart this node"
            ),
        }
    }
    for (mutex, removed) in shared_memory::remove(shared_memory::abandoned_mutexes(folder)) {
        let mutex = mutex.display();
        match removed {
            Ok(()) => tracing::warn!("{mutex} removed: a process was killed while it held it"),
            Err(error) => tracing::warn!(
                "{mutex} cannot be removed ({error}): a process was killed while it held it, and this \
                 start may take two seconds longer"
            ),
        }
    }
}

/// Until what it returns is dropped, participants that start here get ports that no killed process read
/// before: who knew that life would write on into those.
pub fn keep_off_dead_ports() -> shared_memory::Reserved {
    let reserved = shared_memory::reserve(Path::new(shared_memory::FOLDER));
    for port in reserved.ports() {
        let port = port.display();
        tracing::info!(
            "{port} left alone: its reader was killed, and others may still write into it"
        );
    }
    reserved
}

fn init(raw: &Pinned<rcl_context_t>, args: &[CString]) -> Result<(), RclError> {
    let pointers = args.iter().map(|arg| arg.as_ptr()).collect::<Vec<_>>();
    let argc = c_int::try_from(pointers.len())
        .map_err(|_| RclError::refused("rcl_init", "too many arguments"))?;
    let argv = if pointers.is_empty() { ptr::null() } else { pointers.as_ptr() };

    let _setup = SETUP.lock();
    // SAFETY: both return plain structs by value.
    let (mut options, allocator) =
        unsafe { (rcl_get_zero_initialized_init_options(), rcutils_get_default_allocator()) };
    // SAFETY: zero-initialised options.
    check("rcl_init_options_init", unsafe { rcl_init_options_init(&mut options, allocator) })?;
    // SAFETY: `argv` has `argc` strings that outlive the call; rcl copies the
    // strings and the options. The context is zero-initialised, and rcl leaves
    // it so when it fails.
    let code = unsafe { rcl_init(argc, argv, &options, raw.as_ptr()) };
    let result = check("rcl_init", code);
    // SAFETY: initialised above.
    report_in_drop(check("rcl_init_options_fini", unsafe { rcl_init_options_fini(&mut options) }));
    result
}
