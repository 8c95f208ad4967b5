//! The rcl wrappers on a real rcl and a real middleware.

use std::sync::Arc;

use interlock::ros::rcl::{
    Context, MessageInfo, MessageTypeSupport, Node, NodeOptions, Publisher, Qos, RclError,
    SerializedBuffer, Subscription,
};
use r2r::WrappedTypesupport;
use support::{wait_for, wait_for_some};

mod drop_order;
mod messages;
mod names;
mod params;
mod service;
#[path = "../support/mod.rs"]
mod support;

/// Bytes that most messages here fit into.
const CAPACITY: usize = 1024;

fn context(ros_args: &[&str]) -> Result<Arc<Context>, RclError> {
    let mut args = vec!["program".to_owned()];
    if !ros_args.is_empty() {
        args.push("--ros-args".to_owned());
    }
    args.extend(ros_args.iter().map(|arg| (*arg).to_owned()));
    Context::new(&args)
}

fn node(context: &Arc<Context>, name: &str) -> Arc<Node> {
    let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
    Node::new(context, name, "/", options).expect("a node")
}

fn publisher<T: WrappedTypesupport>(node: &Arc<Node>, topic: &str) -> Publisher {
    Publisher::new(node, MessageTypeSupport::of::<T>(), topic, Qos::OUTPUT).expect("a publisher")
}

fn subscription<T: WrappedTypesupport>(node: &Arc<Node>, topic: &str) -> Subscription {
    let qos = Qos { depth: 10, ..Qos::OUTPUT };
    Subscription::new(node, MessageTypeSupport::of::<T>(), topic, qos).expect("a subscription")
}

fn buffer() -> SerializedBuffer {
    SerializedBuffer::with_capacity(CAPACITY).expect("a buffer")
}

fn matched(publisher: &Publisher, subscription: &Subscription) {
    wait_for("publisher and subscription to match", || {
        publisher.subscription_count() == Ok(1) && subscription.publisher_count() == Ok(1)
    });
}

fn take_soon(subscription: &mut Subscription, buffer: &mut SerializedBuffer) -> MessageInfo {
    wait_for_some("a message", || subscription.take(buffer).expect("a working take"))
}
