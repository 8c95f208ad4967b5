//! An rcl node: the name under which publishers, subscriptions and services appear.
//!
//! **Invariant:** a node is released after everything made on it, and before
//! its context.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use r2r_rcl::{
    rcl_get_zero_initialized_node, rcl_node_fini, rcl_node_get_default_options,
    rcl_node_get_fully_qualified_name, rcl_node_get_name, rcl_node_get_namespace, rcl_node_init,
    rcl_node_options_fini, rcl_node_options_t, rcl_node_resolve_name, rcl_node_t,
    rcl_parse_arguments, rcutils_get_default_allocator,
};

use super::SETUP;
use super::context::Context;
use super::error::{RclError, c_string, check, copy_string, report_in_drop};
use super::names::NameKind;
use super::pinned::Pinned;

/// How a node is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeOptions {
    /// Whether the process's remap rules and name rules hold for this node.
    /// Off for the gate's node, whose names are resolved before.
    pub use_global_arguments: bool,
    /// Whether this node's log lines may go to `/rosout`.
    pub enable_rosout: bool,
}

/// An initialised rcl node.
pub struct Node {
    raw: Pinned<rcl_node_t>,
    name: String,
    namespace: String,
    fully_qualified_name: String,
    // Last: dropped after `drop` has released the node.
    context: Arc<Context>,
}

// SAFETY: an initialised node is read by queries; constructors and destructors
// that change it (its type cache) run under `SETUP`.
unsafe impl Send for Node {}
// SAFETY: as above.
unsafe impl Sync for Node {}

impl Node {
    /// Makes a node. With global arguments, `name` and `namespace` may be
    /// remapped: read them back from the node.
    ///
    /// # Errors
    /// rcl's text for an invalid name or namespace, or a middleware failure.
    pub fn new(
        context: &Arc<Context>,
        name: &str,
        namespace: &str,
        options: NodeOptions,
    ) -> Result<Arc<Self>, RclError> {
        let c_name = c_string("rcl_node_init", name)?;
        let c_namespace = c_string("rcl_node_init", namespace)?;
        let raw = Pinned::new(
            // SAFETY: returns a plain struct by value.
            unsafe { rcl_get_zero_initialized_node() },
        );
        {
            let _setup = SETUP.lock();
            let mut rcl_options = rcl_options(options)?;
            // SAFETY: the context is initialised, the strings and options
            // outlive the call, the node is zero-initialised. rcl copies the
            // options and leaves the node zero-initialised when it fails.
            let code = unsafe {
                rcl_node_init(
                    raw.as_ptr(),
                    c_name.as_ptr(),
                    c_namespace.as_ptr(),
                    context.as_ptr(),
                    &rcl_options,
                )
            };
            let result = check("rcl_node_init", code);
            // SAFETY: initialised by `rcl_options`.
            let code = unsafe { rcl_node_options_fini(&mut rcl_options) };
            report_in_drop(check("rcl_node_options_fini", code));
            result?;
        }
        // SAFETY: the node is initialised; the three strings belong to it and
        // are copied at once.
        let (name, namespace, fully_qualified_name) = unsafe {
            (
                copy_string(rcl_node_get_name(raw.as_ptr())),
                copy_string(rcl_node_get_namespace(raw.as_ptr())),
                copy_string(rcl_node_get_fully_qualified_name(raw.as_ptr())),
            )
        };
        Ok(Arc::new(Self { raw, name, namespace, fully_qualified_name, context: context.clone() }))
    }

    /// The node's name, after remapping.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node's namespace, after remapping; begins with `/`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Namespace and name, for example `/robot/interlock`.
    #[must_use]
    pub fn fully_qualified_name(&self) -> &str {
        &self.fully_qualified_name
    }

    /// The context this node lives in.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The absolute name of a topic, by this node's remap rules.
    ///
    /// # Errors
    /// rcl's text for an invalid name.
    pub fn resolve_topic(&self, name: &str) -> Result<String, RclError> {
        self.resolve(NameKind::Topic, name)
    }

    /// The absolute name of a service, by this node's remap rules.
    ///
    /// # Errors
    /// rcl's text for an invalid name.
    pub fn resolve_service(&self, name: &str) -> Result<String, RclError> {
        self.resolve(NameKind::Service, name)
    }

    pub(super) fn resolve(&self, kind: NameKind, name: &str) -> Result<String, RclError> {
        const CALL: &str = "rcl_node_resolve_name";
        let c_name = c_string(CALL, name)?;
        // SAFETY: returns a plain struct by value.
        let allocator = unsafe { rcutils_get_default_allocator() };
        let mut resolved: *mut c_char = ptr::null_mut();
        // SAFETY: an initialised node, a string that outlives the call, and a
        // place for the answer, which rcl allocates with `allocator`.
        let code = unsafe {
            rcl_node_resolve_name(
                self.raw.as_ptr(),
                c_name.as_ptr(),
                allocator,
                kind == NameKind::Service,
                false,
                &mut resolved,
            )
        };
        check(CALL, code)?;
        // SAFETY: rcl returned success, so this is its NUL-terminated answer.
        let answer = unsafe { copy_string(resolved) };
        if let Some(deallocate) = allocator.deallocate {
            // SAFETY: allocated by rcl with this allocator; not used again.
            unsafe { deallocate(resolved.cast(), allocator.state) };
        }
        Ok(answer)
    }

    pub(super) fn as_ptr(&self) -> *mut rcl_node_t {
        self.raw.as_ptr()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _setup = SETUP.lock();
        // SAFETY: initialised once; everything made on it is gone, because it
        // holds an Arc of this node.
        let code = unsafe { rcl_node_fini(self.raw.as_ptr()) };
        report_in_drop(check("rcl_node_fini", code));
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("name", &self.fully_qualified_name).finish_non_exhaustive()
    }
}

/// The caller holds `SETUP` and releases the result with `rcl_node_options_fini`.
fn rcl_options(options: NodeOptions) -> Result<rcl_node_options_t, RclError> {
    // SAFETY: both return plain structs by value.
    let (mut rcl_options, allocator) =
        unsafe { (rcl_node_get_default_options(), rcutils_get_default_allocator()) };
    rcl_options.use_global_arguments = options.use_global_arguments;
    rcl_options.enable_rosout = options.enable_rosout;
    // Without arguments of its own, a node that does not use the global ones
    // fails to initialise.
    // SAFETY: no arguments (count 0, null list) into zero-initialised storage.
    let code =
        unsafe { rcl_parse_arguments(0, ptr::null(), allocator, &mut rcl_options.arguments) };
    check("rcl_parse_arguments", code)?;
    Ok(rcl_options)
}
