//! Load: a stream of commands, and many topics with a reader that drops what it takes.

use std::thread;
use std::time::Duration;

use interlock::clock;
use serde_json::json;

use crate::bare::Bare;
use crate::message::Kind;
use crate::orders::Orders;
use crate::ros;

/// Of the many topics; a burst after a stall is not lost.
const DEPTH: usize = 10;
/// Between two messages of a round.
const APART: Duration = Duration::from_millis(2);
/// A stall longer than this is not made up for.
const BEHIND_NS: u64 = 100_000_000;

/// When the next of a steady stream is due.
struct Pace {
    period: u64,
    due: u64,
}

impl Pace {
    fn new(rate_hz: u64) -> Self {
        Self { period: 1_000_000_000 / rate_hz, due: clock::steady().as_nanos() }
    }

    /// Sleeps until the next is due.
    fn wait(&mut self) {
        let now = clock::steady().as_nanos();
        if now > self.due + BEHIND_NS {
            self.due = now;
        }
        if self.due > now {
            thread::sleep(Duration::from_nanos(self.due - now));
        }
        self.due += self.period;
    }
}

/// Twists along x at this rate. An order is the speed, or `count`.
pub(crate) fn stream(rate_hz: u64, topic: &str) {
    let orders = Orders::new();
    let node = ros::node("bench_stream");
    let publisher = ros::publisher(&node, Kind::Twist, topic);
    let (mut speed, mut sent, mut bytes) = (0.0, 0_u64, Vec::new());
    let mut pace = Pace::new(rate_hz);
    while !orders.ended() {
        match orders.next().as_deref() {
            Some("count") => println!("{}", json!({"sent": sent})),
            Some(order) => speed = order.parse().expect("a speed"),
            None => {}
        }
        Kind::Twist.encode(|number| if number == 0 { speed } else { 0.0 }, &mut bytes);
        publisher.publish_serialized(&bytes).expect("a publish");
        sent += 1;
        pace.wait();
    }
}

/// A node that does nothing but publish one command for late joiners, and stay.
pub(crate) fn announce(topic: &str) {
    let orders = Orders::new();
    let node = ros::node("bench_announce");
    let publisher = ros::lasting_publisher(&node, Kind::Twist, topic);
    let mut bytes = Vec::new();
    Kind::Twist.encode(|_| 0.0, &mut bytes);
    publisher.publish_serialized(&bytes).expect("a publish");
    while !orders.ended() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// The same 29 numbers on each of many topics in turn, `rate_hz` messages a second in all. Orders: `go`,
/// `pause`, `count`, and `round`: one on each, slowly enough for any reader, and then the count.
pub(crate) fn publish_many(count: usize, rate_hz: u64) {
    let orders = Orders::new();
    let node = ros::node("bench_topics");
    let publishers: Vec<_> = (0..count)
        .map(|topic| ros::deep_publisher(&node, Kind::Joints, &name(topic), DEPTH))
        .collect();
    let mut bytes = Vec::new();
    Kind::Joints.encode(|joint| joint as f64, &mut bytes);
    let (mut sent, mut going) = (0_usize, false);
    let mut pace = Pace::new(rate_hz);
    while !orders.ended() {
        match orders.next().as_deref() {
            Some("count") => println!("{}", json!({"sent": sent})),
            Some("round") => {
                for publisher in &publishers {
                    publisher.publish_serialized(&bytes).expect("a publish");
                    thread::sleep(APART);
                }
                sent += count;
                println!("{}", json!({"sent": sent}));
            }
            Some(order) => going = order == "go",
            None => {}
        }
        if going {
            publishers[sent % count].publish_serialized(&bytes).expect("a publish");
            sent += 1;
        }
        pace.wait();
    }
}

/// Takes what comes on each of the many topics, and drops it. An order, whatever it is: how many.
pub(crate) fn take_and_drop(count: usize) {
    let orders = Orders::new();
    let mut bare = Bare::new(&format!("bench_drop_{}", std::process::id()));
    (0..count).for_each(|topic| bare.subscribe(Kind::Joints, &name(topic), DEPTH));
    println!("{}", json!({"ready": true}));
    let mut taken = 0_u64;
    while !orders.ended() {
        if orders.next().is_some() {
            println!("{}", json!({"taken": taken}));
        }
        if bare.wait() {
            for index in 0..count {
                if bare.has_message(index) && bare.take(index) {
                    taken += 1;
                }
            }
        }
    }
}

fn name(topic: usize) -> String {
    format!("/bench/topic_{topic:03}")
}
