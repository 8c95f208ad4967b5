//! A client that times the kill service until the safe command is here, and a bare service until its
//! answer is: on bare rcl, with one wait set for both.

use std::time::Duration;

use interlock::clock;
use interlock::gate::units::SteadyTime;
use serde_json::json;

use crate::bare::{Bare, TriggerMessages};
use crate::message::Kind;
use crate::orders::Orders;

const KILL: usize = 0;
const BARE: usize = 1;
/// Between two kills of many.
const PAUSE: Duration = Duration::from_millis(5);
/// Longer than anything that is worth measuring.
const GIVEN_UP: Duration = Duration::from_secs(5);

struct Client {
    bare: Bare,
    messages: TriggerMessages,
    /// Along x, of the newest command on the output.
    speed: f64,
}

pub(crate) fn run(kill: &str, service: &str, output: &str) {
    let orders = Orders::new();
    let mut bare = Bare::new("bench_kill_client");
    bare.subscribe(Kind::Twist, output, 1);
    bare.client(kill);
    bare.client(service);
    let mut client = Client { bare, messages: TriggerMessages::new(), speed: 0.0 };
    while !(client.bare.is_available(KILL) && client.bare.is_available(BARE)) && !orders.ended() {
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("{}", json!({"ready": true}));
    while !orders.ended() {
        match orders.next().as_deref() {
            Some("bare") => client.time_bare(),
            Some("kill") => client.time_kill(),
            Some(order) => client.kill_again(order),
            None => drop(client.look()),
        }
    }
}

impl Client {
    /// Waits once and takes what there is. Which client got an answer; the speed is kept.
    fn look(&mut self) -> [bool; 2] {
        if !self.bare.wait() {
            return [false; 2];
        }
        if self.bare.has_message(0) && self.bare.take(0) {
            let number = self.bare.bytes()[4..12].try_into().expect("8 bytes");
            self.speed = f64::from_le_bytes(number);
        }
        [KILL, BARE].map(|client| {
            self.bare.has_answer(client) && self.bare.take_answer(client, &mut self.messages)
        })
    }

    /// So many kills, of a node that is killed already; it times them itself.
    fn kill_again(&mut self, count: &str) {
        let count: u64 = count.parse().expect("bare, kill or a number");
        let mut answered = 0_u64;
        for _ in 0..count {
            self.bare.ask(KILL, &mut self.messages);
            let until = clock::steady().after(PAUSE);
            while clock::steady() < until {
                answered += u64::from(self.look()[KILL]);
            }
        }
        println!("{}", json!({"asked": count, "answered": answered}));
    }

    fn time_bare(&mut self) {
        let began = clock::steady();
        self.bare.ask(BARE, &mut self.messages);
        let mut took = None;
        while took.is_none() && clock::steady().since(began) < GIVEN_UP {
            took = self.look()[BARE].then(|| nanos(began));
        }
        println!("{}", json!({"bare_ns": took}));
    }

    fn time_kill(&mut self) {
        let began = clock::steady();
        self.speed = 0.0;
        while self.speed == 0.0 {
            if clock::steady().since(began) > GIVEN_UP {
                println!("{}", json!({"error": "no command comes out"}));
                return;
            }
            self.look();
        }
        let began = clock::steady();
        self.bare.ask(KILL, &mut self.messages);
        let (mut safe, mut reply) = (None, None);
        while (safe.is_none() || reply.is_none()) && clock::steady().since(began) < GIVEN_UP {
            let answered = self.look()[KILL];
            let now = nanos(began);
            if self.speed == 0.0 {
                safe.get_or_insert(now);
            }
            if answered {
                reply.get_or_insert(now);
            }
        }
        println!("{}", json!({"safe_ns": safe, "reply_ns": reply}));
    }
}

fn nanos(began: SteadyTime) -> u64 {
    clock::steady().as_nanos() - began.as_nanos()
}
