//! Thin safe wrappers around rcl, the C library under every ROS 2 client library.
//!
//! The gate, its kill service and the monitor use these instead of r2r's own
//! subscriptions, which discard message info and queue messages (design: why
//! not r2r). They take and publish serialized bytes; nothing here knows a
//! message's meaning, a lane or a state.
//!
//! **Invariant:** this is the only module that calls rcl, and its interface is
//! safe: whatever a caller does with it, no memory rule is broken.
//! **Invariant:** children hold their parent by [`std::sync::Arc`], so a node
//! outlives its publishers and a context its nodes, in every drop order.
//! **Invariant:** no call panics, and none allocates on success between a take
//! and a publish; a failed call carries rcl's own text ([`RclError`]).
//! **Invariant:** everything is created and destroyed under one lock, because
//! rcl's constructors share unlocked state. r2r does not know that lock:
//! create r2r's node and ours from one thread, before the others start.
#![expect(
    unsafe_code,
    reason = "the binding to rcl's C interface; one of the three modules where it is allowed"
)]

mod buffer;
mod context;
mod error;
mod graph;
mod names;
mod node;
mod overrides;
mod params;
mod pinned;
mod publisher;
mod qos;
mod service;
mod subscription;
mod type_support;
mod wake;

pub use buffer::SerializedBuffer;
pub use context::{Context, keep_off_dead_ports};
pub use error::RclError;
pub use graph::{
    EndpointInfo, count_clients, count_publishers, publishers_info, subscriptions_info, topics,
};
pub use names::{NameKind, ResolvedNames, resolve_names};
pub use node::{Node, NodeOptions};
pub use overrides::parameter_overrides;
pub use params::{NodeParams, ParamsFile, RclValue, parse_param_value, parse_params_file};
pub use publisher::Publisher;
pub use qos::{Durability, Qos, Reliability, Reported, ReportedQos};
pub use service::{RequestId, Requests, Responder, serve};
pub use subscription::{MessageInfo, Subscription};
pub use type_support::MessageTypeSupport;
pub use wake::{AlreadyBound, WakeSet, Waker};

/// Held around every rcl constructor and destructor: they fill static option
/// structs, the node's type cache and the type supports' library table without
/// a lock of their own.
static SETUP: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
