//! Releasing everything in every order while the middleware calls back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use interlock::ros::rcl::{
    MessageTypeSupport, Publisher, Qos, SerializedBuffer, Subscription, WakeSet, serve,
};
use r2r::std_msgs::msg::Bool;
use r2r::std_srvs::srv::Trigger;

use crate::support::{isolated, wait_for};
use crate::{context, node};

#[test]
fn everything_can_be_dropped_in_every_order_while_messages_arrive() {
    isolated("drop_order::everything_can_be_dropped_in_every_order_while_messages_arrive", || {
        const ROUNDS: usize = 6;
        let stop = Arc::new(AtomicBool::new(false));
        let flood = {
            let (stop, node) = (stop.clone(), node(&context(&[]).expect("a context"), "flood"));
            let of = MessageTypeSupport::of::<Bool>();
            let publisher = Publisher::new(&node, of, "/t", Qos::OUTPUT).expect("a publisher");
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    publisher.publish_serialized(&[0, 1, 0, 0, 1]).expect("a publish");
                    thread::sleep(Duration::from_micros(200));
                }
            })
        };
        for round in 0..ROUNDS {
            drop_in_order(round);
        }
        stop.store(true, Ordering::Relaxed);
        flood.join().expect("no panic");
    });
}

/// Makes one of everything and drops it in one of six orders. A callback that
/// ran after its waker was freed would crash here, and under a memory checker
/// be seen.
fn drop_in_order(order: usize) {
    let context = context(&[]).expect("a context");
    let node = node(&context, "owner");
    let of = MessageTypeSupport::of::<Bool>();
    let publisher = Publisher::new(&node, of, "/u", Qos::OUTPUT).expect("a publisher");
    let mut subscription = Subscription::new(&node, of, "/t", Qos::OUTPUT).expect("one");
    let (mut requests, responder) = serve::<Trigger::Service>(&node, "/kill").expect("a service");
    let set = WakeSet::new(2);
    set.bind(thread::current()).expect("the first thread");
    subscription.on_new_message(set.waker(0).expect("a bit")).expect("a callback");
    requests.on_new_request(set.waker(1).expect("a bit")).expect("a callback");
    let mut buffer = SerializedBuffer::with_capacity(64).expect("a buffer");
    wait_for("the flood to arrive", || {
        set.take_bits(0) & 1 == 1 && subscription.take(&mut buffer).expect("a take").is_some()
    });
    let mut parts: Vec<Box<dyn FnOnce()>> = vec![
        Box::new(move || drop(context)),
        Box::new(move || drop(node)),
        Box::new(move || drop(publisher)),
        Box::new(move || drop(subscription)),
        Box::new(move || drop(requests)),
        Box::new(move || drop(responder)),
        Box::new(move || drop(set)),
    ];
    parts.rotate_left(order);
    if order % 2 == 1 {
        parts.reverse();
    }
    for part in parts {
        part();
    }
}
