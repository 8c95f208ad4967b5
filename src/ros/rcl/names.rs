//! Resolving names as the control node would see them.
//!
//! Two rcl nodes share the process and integrators see one. So a short-lived
//! node named like the control node, in a context with the process's
//! arguments, resolves every name to an absolute one; the gate's node then uses
//! those and no remap rules of its own.

use std::sync::Arc;

use super::context::Context;
use super::error::RclError;
use super::node::{Node, NodeOptions};

/// Which remap rules hold for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A topic: general and `rostopic://` rules.
    Topic,
    /// A service: general and `rosservice://` rules.
    Service,
}

/// The answer of [`resolve_names`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedNames {
    /// The node's name after `__node`.
    pub node_name: String,
    /// The node's namespace after `__ns`; begins with `/`.
    pub namespace: String,
    /// Namespace and name: the key for parameter overrides.
    pub fully_qualified_name: String,
    /// One absolute name for each one asked for, in the same order.
    pub names: Vec<String>,
}

/// Resolves `names` under every rule the process was started with, as a node
/// that is called `node_name` by default.
///
/// # Errors
/// rcl's text for an invalid node name, namespace, topic or service name.
pub fn resolve_names(
    context: &Arc<Context>,
    node_name: &str,
    names: &[(NameKind, &str)],
) -> Result<ResolvedNames, RclError> {
    let options = NodeOptions { use_global_arguments: true, enable_rosout: false };
    let node = Node::new(context, node_name, "", options)?;
    let names = names
        .iter()
        .map(|(kind, name)| node.resolve(*kind, name))
        .collect::<Result<Vec<String>, RclError>>()?;
    Ok(ResolvedNames {
        node_name: node.name().to_owned(),
        namespace: node.namespace().to_owned(),
        fully_qualified_name: node.fully_qualified_name().to_owned(),
        names,
    })
}
