//! The relays and the service that the node is compared with.

use std::time::Duration;

use futures::StreamExt;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use r2r::geometry_msgs::msg::Twist;
use r2r::std_msgs::msg::Float64MultiArray;
use r2r::{QosProfile, WrappedTypesupport};

use crate::bare::{Bare, TriggerMessages};
use crate::message::Kind;
use crate::orders::Orders;

/// How long a spin of r2r waits when nothing comes.
const SPIN: Duration = Duration::from_millis(200);

/// The baseline: rcl with a wait set; takes and publishes the same bytes.
pub(crate) fn on_rcl(kind: Kind, name: &str, from: &str, to: &str) {
    let orders = Orders::new();
    let mut bare = Bare::new(name);
    let publisher = bare.publisher(kind, to);
    bare.subscribe(kind, from, 1);
    while !orders.ended() {
        if bare.wait() && bare.has_message(0) && bare.take(0) {
            bare.forward(&publisher);
        }
    }
    // What it publishes with goes before the node.
    publisher.end(&bare);
}

/// Subscribe and publish as r2r's own examples do.
pub(crate) fn on_r2r(kind: Kind, name: &str, from: &str, to: &str) {
    match kind {
        Kind::Joints => typed_r2r::<Float64MultiArray>(name, from, to),
        Kind::Twist => typed_r2r::<Twist>(name, from, to),
    }
}

fn typed_r2r<T: WrappedTypesupport + 'static>(name: &str, from: &str, to: &str) {
    let orders = Orders::new();
    let context = r2r::Context::create().expect("a context");
    let mut node = r2r::Node::create(context, name, "").expect("a node");
    let qos = QosProfile::default().keep_last(1).reliable().volatile();
    let mut messages = node.subscribe::<T>(from, qos.clone()).expect("a subscription");
    let publisher = node.create_publisher::<T>(to, qos).expect("a publisher");
    let mut pool = LocalPool::new();
    let relay = async move {
        while let Some(message) = messages.next().await {
            publisher.publish(&message).expect("a publish");
        }
    };
    pool.spawner().spawn_local(relay).expect("a task");
    while !orders.ended() {
        node.spin_once(SPIN);
        pool.run_until_stalled();
    }
}

/// Answers every request at once.
pub(crate) fn service(name: &str) {
    let orders = Orders::new();
    let mut bare = Bare::new("bench_service");
    bare.serve(name);
    let mut messages = TriggerMessages::new();
    while !orders.ended() {
        if bare.wait() {
            bare.answer(&mut messages);
        }
    }
}
