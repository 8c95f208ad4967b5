//! Publishes to each relay in turn and times what comes back.
//!
//! One message is under way at a time: the next leaves when its turn has come and the one before is back
//! or given up. So no relay's work disturbs another's message, and what disturbs the machine meets all
//! relays alike. The order is drawn anew in each round.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use interlock::clock;
use interlock::gate::units::{Moment, SteadyTime};
use interlock::ros::rcl::{Node, Publisher, SerializedBuffer, Subscription, WakeSet};
use r2r::WrappedTypesupport;
use r2r::sensor_msgs::msg::JointState;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::message::{JOINTS, Kind};
use crate::orders::Orders;
use crate::ros;

/// After this a message counts as lost; what comes later is told as late.
const GIVEN_UP_NS: u64 = 100_000_000;
/// Messages are not sent in a bunch after a stall longer than this many periods.
const BEHIND_PERIODS: u64 = 5;
const FEEDBACK_HZ: u64 = 100;
/// The commands swing this often a second, so little that no limit acts, however they bunch after a stall.
const SWING_HZ: f64 = 0.3;
const LOOK_EVERY: Duration = Duration::from_millis(10);

#[derive(Deserialize)]
struct Plan {
    kind: String,
    rate_hz: u64,
    warm_up: u64,
    rounds: u64,
    routes: Vec<String>,
    /// Whether the measured joints are published, too.
    feedback: bool,
}

/// What was measured of one relay; in nanoseconds, a place for each round, `None`: lost.
#[derive(Default, Serialize)]
struct Samples {
    /// Before publish to after take.
    round_trip: Vec<Option<u64>>,
    /// When that was, on the steady clock.
    at: Vec<u64>,
    /// In our own publish.
    publish: Vec<Option<u64>>,
    /// From then to the relay's publish.
    to_relay: Vec<Option<i64>>,
    /// From the relay's publish to our middleware having it.
    back: Vec<Option<i64>>,
    /// From there to after our take.
    wake: Vec<Option<i64>>,
    sent: u64,
    lost: u64,
    /// Came after it was given up.
    late: u64,
    /// With other numbers than were sent.
    altered: u64,
}

struct Route {
    publisher: Publisher,
    subscription: Subscription,
    mask: u64,
    step: u64,
    sent: Vec<u8>,
    samples: Samples,
}

struct Bench {
    kind: Kind,
    rate_hz: u64,
    routes: Vec<Route>,
    wake: Arc<WakeSet>,
    news: u64,
    buffer: SerializedBuffer,
    feedback: Option<(Publisher, JointState)>,
    next_feedback: u64,
    random: u64,
}

pub(crate) fn run(plan: &str) {
    let plan: Plan = serde_json::from_str(plan).expect("a plan");
    let orders = Orders::new();
    let node = ros::node("bench_driver");
    let mut bench = Bench::new(&node, &plan);
    while !bench.matched() && !orders.ended() {
        bench.publish_feedback();
        thread::sleep(LOOK_EVERY);
    }
    println!("{}", json!({"matched": true}));
    while orders.next().is_none() && !orders.ended() {
        bench.publish_feedback();
        thread::sleep(LOOK_EVERY);
    }
    bench.rounds(plan.warm_up, &orders);
    bench.forget();
    println!("{}", json!({"measuring": true}));
    let began = clock::steady();
    let behind = bench.rounds(plan.rounds, &orders);
    let seconds = clock::steady().since(began).as_secs_f64();
    println!("{}", json!({"measured": true}));
    // The relays are looked at while they are still there.
    while orders.next().is_none() && !orders.ended() {
        bench.publish_feedback();
        thread::sleep(LOOK_EVERY);
    }
    let all = plan.routes.iter().zip(&bench.routes);
    let routes: serde_json::Map<_, _> =
        all.map(|(name, route)| (name.clone(), json!(route.samples))).collect();
    println!("{}", json!({"routes": routes, "seconds": seconds, "behind": behind}));
}

impl Bench {
    fn new(node: &Arc<Node>, plan: &Plan) -> Self {
        let kind = Kind::of(&plan.kind);
        let wake = WakeSet::new(plan.routes.len());
        wake.bind(thread::current()).expect("the first to bind");
        let route = |(bit, name): (usize, &String)| {
            let publisher = ros::publisher(node, kind, &format!("/bench/in_{name}"));
            let mut subscription = ros::subscription(node, kind, &format!("/bench/out_{name}"));
            let waker = wake.waker(bit).expect("a bit for each");
            let mask = waker.mask();
            subscription.on_new_message(waker).expect("a callback");
            let (sent, samples) = (Vec::new(), Samples::default());
            Route { publisher, subscription, mask, step: 0, sent, samples }
        };
        let routes = plan.routes.iter().enumerate().map(route).collect();
        let measured = JointState {
            name: (0..JOINTS).map(|joint| format!("joint_{joint}")).collect(),
            velocity: vec![0.0; JOINTS],
            ..JointState::default()
        };
        let joint_states = ros::publisher_of::<JointState>(node, "/bench/joint_states");
        let feedback = plan.feedback.then_some((joint_states, measured));
        let buffer = SerializedBuffer::with_capacity(ros::CAPACITY).expect("a buffer");
        let (rate_hz, random) = (plan.rate_hz, 0x9e37_79b9_7f4a_7c15);
        Self { kind, rate_hz, routes, wake, news: 0, buffer, feedback, next_feedback: 0, random }
    }

    /// Whether each relay reads and writes, and nobody else does.
    fn matched(&self) -> bool {
        // Of every node that is measured; each waits for it before it can be armed.
        let heard = |one: &Publisher| one.subscription_count().is_ok_and(|count| count > 0);
        let feedback = self.feedback.iter().all(|(one, _)| heard(one));
        feedback
            && self.routes.iter().all(|route| {
                route.publisher.subscription_count() == Ok(1)
                    && route.subscription.publisher_count() == Ok(1)
            })
    }

    fn forget(&mut self) {
        self.routes.iter_mut().for_each(|route| route.samples = Samples::default());
    }

    /// So many rounds, or until any order. Returns how often the schedule was given up.
    fn rounds(&mut self, count: u64, orders: &Orders) -> u64 {
        let period = 1_000_000_000 / self.rate_hz;
        // The feedback has a place of its own, so that it is under way with no command.
        let mut order: Vec<usize> = (0..=self.routes.len()).collect();
        let slot = period / order.len() as u64;
        let mut due = clock::steady().as_nanos();
        let mut behind = 0;
        for _ in 0..count {
            if orders.ended() || orders.next().is_some() {
                break;
            }
            self.shuffle(&mut order);
            let late = clock::steady().as_nanos().saturating_sub(due);
            if late > BEHIND_PERIODS * period {
                due += late;
                behind += 1;
            }
            for index in &order {
                sleep_until(due);
                due += slot;
                match self.routes.len() {
                    routes if *index < routes => self.one(*index),
                    _ => self.publish_feedback(),
                }
            }
        }
        behind
    }

    fn one(&mut self, index: usize) {
        let Self { kind, rate_hz, buffer, .. } = self;
        let route = &mut self.routes[index];
        while route.subscription.take(buffer).expect("a take").is_some() {
            route.samples.late += 1;
        }
        route.step += 1;
        let swing = swing(*kind, route.step, *rate_hz);
        kind.encode(|number| swing * (1.0 - number as f64 / 100.0), &mut route.sent);
        route.samples.sent += 1;
        let before = clock::now();
        route.publisher.publish_serialized(&route.sent).expect("a publish");
        let published = clock::now();
        let until = before.steady.as_nanos() + GIVEN_UP_NS;
        let came = self.wait(index, until);
        let samples = &mut self.routes[index].samples;
        samples.lost += u64::from(came.is_none());
        let ns = |from: SteadyTime, to: SteadyTime| to.as_nanos() - from.as_nanos();
        let wall = |moment: Moment| moment.wall.as_nanos();
        samples.round_trip.push(came.map(|came| ns(before.steady, came.at.steady)));
        samples.at.push(before.steady.as_nanos());
        samples.publish.push(came.map(|_| ns(before.steady, published.steady)));
        samples.to_relay.push(came.map(|came| came.source - wall(published)));
        samples.back.push(came.map(|came| came.received - came.source));
        samples.wake.push(came.map(|came| wall(came.at) - came.received));
    }

    /// Waits for the command that was sent on this route.
    fn wait(&mut self, index: usize, until: u64) -> Option<Came> {
        let numbers = self.kind.numbers_at();
        loop {
            self.news |= self.wake.take_bits(0);
            let route = &mut self.routes[index];
            if self.news & route.mask != 0 {
                self.news &= !route.mask;
                while let Some(info) = route.subscription.take(&mut self.buffer).expect("a take") {
                    let at = clock::now();
                    let bytes = self.buffer.bytes();
                    if bytes.get(numbers..route.sent.len()) == route.sent.get(numbers..) {
                        let source = info.source_timestamp_ns.unwrap_or(0);
                        let received = info.received_timestamp_ns.unwrap_or(0);
                        return Some(Came { at, source, received });
                    }
                    route.samples.altered += 1;
                }
                continue;
            }
            let left = until.saturating_sub(clock::steady().as_nanos());
            if left == 0 {
                return None;
            }
            thread::park_timeout(Duration::from_nanos(left));
        }
    }

    /// The joints where the last relay's command puts them: the node is always the last.
    fn publish_feedback(&mut self) {
        let now = clock::now();
        let Some((publisher, measured)) = &mut self.feedback else { return };
        if now.steady.as_nanos() < self.next_feedback {
            return;
        }
        self.next_feedback = now.steady.as_nanos() + 1_000_000_000 / FEEDBACK_HZ;
        let step = self.routes.last().map_or(0, |route| route.step);
        let swing = swing(self.kind, step, self.rate_hz);
        measured.position = (0..JOINTS).map(|joint| swing * (1.0 - joint as f64 / 100.0)).collect();
        let (sec, nanosec) = now.wall.to_sec_nanosec();
        measured.header.stamp = r2r::builtin_interfaces::msg::Time { sec, nanosec };
        let bytes = measured.to_serialized_bytes().expect("a message");
        publisher.publish_serialized(&bytes).expect("a publish");
    }

    /// Fisher and Yates, with xorshift.
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            order.swap(last, (self.random % (last as u64 + 1)) as usize);
        }
    }
}

#[derive(Clone, Copy)]
struct Came {
    at: Moment,
    source: i64,
    received: i64,
}

/// Where the first number is at this step: begins at zero, and at rest.
fn swing(kind: Kind, step: u64, rate_hz: u64) -> f64 {
    let phase = std::f64::consts::TAU * SWING_HZ * step as f64 / rate_hz as f64;
    match kind {
        Kind::Joints => 0.01 * (1.0 - phase.cos()),
        Kind::Twist => 0.2 * phase.sin(),
    }
}

fn sleep_until(due: u64) {
    loop {
        let left = due.saturating_sub(clock::steady().as_nanos());
        if left == 0 {
            return;
        }
        thread::sleep(Duration::from_nanos(left));
    }
}
