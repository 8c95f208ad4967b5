//! A node, publishers and subscriptions on the project's own safe wrappers.

use std::sync::Arc;

use interlock::ros::rcl::{
    Context, MessageTypeSupport, Node, NodeOptions, Publisher, Qos, Subscription,
};
use r2r::WrappedTypesupport;
use r2r::geometry_msgs::msg::Twist;
use r2r::std_msgs::msg::Float64MultiArray;

use crate::message::Kind;

/// Longer than every command.
pub(crate) const CAPACITY: usize = 1024;

pub(crate) fn node(name: &str) -> Arc<Node> {
    let context = Context::new(&["peers".to_owned()]).expect("a context");
    let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
    Node::new(&context, name, "/", options).expect("a node")
}

impl Kind {
    fn wrapped(self) -> MessageTypeSupport {
        match self {
            Self::Joints => MessageTypeSupport::of::<Float64MultiArray>(),
            Self::Twist => MessageTypeSupport::of::<Twist>(),
        }
    }
}

/// As the node's outputs: reliable, volatile, keep last 1.
pub(crate) fn publisher(node: &Arc<Node>, kind: Kind, topic: &str) -> Publisher {
    Publisher::new(node, kind.wrapped(), topic, Qos::OUTPUT).expect("a publisher")
}

/// With this depth; else as the publishers.
pub(crate) fn deep_publisher(node: &Arc<Node>, kind: Kind, topic: &str, depth: usize) -> Publisher {
    Publisher::new(node, kind.wrapped(), topic, Qos { depth, ..Qos::OUTPUT }).expect("a publisher")
}

pub(crate) fn publisher_of<T: WrappedTypesupport>(node: &Arc<Node>, topic: &str) -> Publisher {
    Publisher::new(node, MessageTypeSupport::of::<T>(), topic, Qos::OUTPUT).expect("a publisher")
}

/// As the publishers.
pub(crate) fn subscription(node: &Arc<Node>, kind: Kind, topic: &str) -> Subscription {
    Subscription::new(node, kind.wrapped(), topic, Qos::OUTPUT).expect("a subscription")
}
