//! Who publishes and who reads a topic, as discovery reports it.
//!
//! Names, types and policies here come from peers: text is kept as text, and
//! policies are read as integers ([`ReportedQos`]).

use std::ffi::c_char;
use std::sync::Arc;

use r2r_rcl::{
    rcl_count_clients, rcl_count_publishers, rcl_get_publishers_info_by_topic,
    rcl_get_subscriptions_info_by_topic, rcl_get_topic_names_and_types, rcl_names_and_types_fini,
    rcl_node_t, rcl_ret_t, rcutils_allocator_t, rcutils_get_default_allocator,
    rcutils_string_array_t, rmw_get_zero_initialized_names_and_types,
    rmw_get_zero_initialized_topic_endpoint_info_array, rmw_topic_endpoint_info_array_fini,
    rmw_topic_endpoint_info_array_t, rmw_topic_endpoint_info_t,
};

use super::error::{RclError, absolute_name, check, copy_string, report_in_drop};
use super::node::Node;
use super::qos::ReportedQos;

/// One publisher or subscription of a topic, anywhere on the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointInfo {
    /// Its node's name; a placeholder of the middleware's where it is unknown.
    pub node_name: String,
    /// Its node's namespace.
    pub node_namespace: String,
    /// The message type, for example `std_msgs/msg/Bool`.
    pub topic_type: String,
    /// The middleware's identifier, as in message info.
    pub gid: [u8; 16],
    /// The quality of service it offers or asks for.
    pub qos: ReportedQos,
}

/// Every publisher of an absolute topic name, ours included. Allocates.
///
/// # Errors
/// rcl's text.
pub fn publishers_info(node: &Arc<Node>, topic: &str) -> Result<Vec<EndpointInfo>, RclError> {
    endpoints("rcl_get_publishers_info_by_topic", rcl_get_publishers_info_by_topic, node, topic)
}

/// Every subscription of an absolute topic name, ours included. Allocates.
///
/// # Errors
/// rcl's text.
pub fn subscriptions_info(node: &Arc<Node>, topic: &str) -> Result<Vec<EndpointInfo>, RclError> {
    const CALL: &str = "rcl_get_subscriptions_info_by_topic";
    endpoints(CALL, rcl_get_subscriptions_info_by_topic, node, topic)
}

/// How many publishers an absolute topic name has, ours included.
///
/// # Errors
/// rcl's text.
pub fn count_publishers(node: &Arc<Node>, topic: &str) -> Result<usize, RclError> {
    let c_topic = absolute_name("rcl_count_publishers", topic)?;
    let mut count = 0;
    // SAFETY: an initialised node, a string that outlives the call, a local.
    let code = unsafe { rcl_count_publishers(node.as_ptr(), c_topic.as_ptr(), &mut count) };
    check("rcl_count_publishers", code)?;
    Ok(count)
}

/// How many clients an absolute service name has.
///
/// # Errors
/// rcl's text.
pub fn count_clients(node: &Arc<Node>, service: &str) -> Result<usize, RclError> {
    let c_service = absolute_name("rcl_count_clients", service)?;
    let mut count = 0;
    // SAFETY: an initialised node, a string that outlives the call, a local.
    let code = unsafe { rcl_count_clients(node.as_ptr(), c_service.as_ptr(), &mut count) };
    check("rcl_count_clients", code)?;
    Ok(count)
}

/// Every topic of the domain with its message types; more than one where peers disagree. Allocates.
///
/// # Errors
/// rcl's text.
pub fn topics(node: &Arc<Node>) -> Result<Vec<(String, Vec<String>)>, RclError> {
    // SAFETY: both return plain structs by value.
    let (mut allocator, mut found) =
        unsafe { (rcutils_get_default_allocator(), rmw_get_zero_initialized_names_and_types()) };
    // SAFETY: an initialised node, a valid allocator, a zero-initialised struct.
    let code =
        unsafe { rcl_get_topic_names_and_types(node.as_ptr(), &mut allocator, false, &mut found) };
    let result = check("rcl_get_topic_names_and_types", code).map(|()| {
        // SAFETY: rcl filled `names`, and one entry of `types` for each of them.
        let names = unsafe { texts(&raw const found.names) };
        let types = (0..names.len())
            // SAFETY: as above.
            .map(|index| unsafe { texts(found.types.add(index)) });
        names.iter().cloned().zip(types).collect()
    });
    // SAFETY: filled or still zero-initialised; released once.
    let code = unsafe { rcl_names_and_types_fini(&mut found) };
    report_in_drop(check("rcl_names_and_types_fini", code));
    result
}

/// # Safety
/// `array` points to an array of NUL-terminated strings that rcutils filled.
unsafe fn texts(array: *const rcutils_string_array_t) -> Vec<String> {
    // SAFETY: the caller's promise.
    unsafe {
        (0..(*array).size).map(|index| copy_string((*array).data.add(index).read())).collect()
    }
}

type Query = unsafe extern "C" fn(
    *const rcl_node_t,
    *mut rcutils_allocator_t,
    *const c_char,
    bool,
    *mut rmw_topic_endpoint_info_array_t,
) -> rcl_ret_t;

fn endpoints(
    call: &'static str,
    query: Query,
    node: &Arc<Node>,
    topic: &str,
) -> Result<Vec<EndpointInfo>, RclError> {
    let c_topic = absolute_name(call, topic)?;
    // SAFETY: both return plain structs by value.
    let (mut allocator, mut array) = unsafe {
        (rcutils_get_default_allocator(), rmw_get_zero_initialized_topic_endpoint_info_array())
    };
    // SAFETY: one of rcl's two functions of this signature, with an initialised
    // node, a valid allocator, a string and a zero-initialised array.
    let code = unsafe { query(node.as_ptr(), &mut allocator, c_topic.as_ptr(), false, &mut array) };
    let result = check(call, code).map(|()| {
        (0..array.size)
            // SAFETY: rmw filled `size` entries; no reference to one is made,
            // because its enums may hold values that ours do not have.
            .map(|index| unsafe { read(array.info_array.add(index)) })
            .collect()
    });
    // SAFETY: filled or still zero-initialised; released once.
    let code = unsafe { rmw_topic_endpoint_info_array_fini(&mut array, &mut allocator) };
    report_in_drop(check("rmw_topic_endpoint_info_array_fini", code));
    result
}

/// # Safety
/// `info` points to an entry that rmw filled.
unsafe fn read(info: *const rmw_topic_endpoint_info_t) -> EndpointInfo {
    // SAFETY: the caller's promise; fields are read one by one through
    // addresses, the strings are NUL-terminated or null.
    unsafe {
        EndpointInfo {
            node_name: copy_string((&raw const (*info).node_name).read()),
            node_namespace: copy_string((&raw const (*info).node_namespace).read()),
            topic_type: copy_string((&raw const (*info).topic_type).read()),
            gid: (&raw const (*info).endpoint_gid).read(),
            qos: ReportedQos::read(&raw const (*info).qos_profile),
        }
    }
}
