//! What the gate thread does in which order when it stops, as rcl sees it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::channel::oneshot;
use interlock::gate::cause::Cause;
use interlock::gate::state::State;
use interlock::kill_switch::KillSwitch;
use interlock::ros::gate_thread::{Answer, Verb};
use interlock::watchdog::{Progress, Turns};
use parking_lot::Mutex;

use crate::calls::{Call, Then, watch};
use crate::gate::Gate;
use crate::lanes::LANES;
use crate::support::{isolated, wait_for};

const PERMIT: &str = "/interlock/permit";
const BUTTON: &str = "/button";
/// A released button, `std_msgs/msg/Bool` in little-endian CDR.
const RELEASED: &[u8] = &[0, 1, 0, 0, 0];

/// One message of the gate thread's, and the turn in which it went out.
#[derive(Debug)]
struct Sent {
    turn: Turns,
    topic: String,
    bytes: Vec<u8>,
}

#[test]
fn when_a_kill_comes_expect_the_permit_to_end_in_the_turn_of_the_safe_commands() {
    let name = "stops::when_a_kill_comes_expect_the_permit_to_end_in_the_turn_of_the_safe_commands";
    isolated(name, || {
        static PROGRESS: OnceLock<Arc<Progress>> = OnceLock::new();
        static SENT: Mutex<Vec<Sent>> = Mutex::new(Vec::new());
        watch(|seen| {
            if let (Call::Publish(bytes), Some(progress)) = (seen.call, PROGRESS.get())
                && seen.is_gate_thread
            {
                let (turn, topic) = (progress.read(), seen.topic.to_owned());
                SENT.lock().push(Sent { turn, topic, bytes: bytes.to_owned() });
            }
            Then::GoOn
        });
        let mut gate = Gate::armed();
        let moving = gate.wires[LANES.len() - 1].command(0.25);
        gate.wires[LANES.len() - 1].high.publish_serialized(&moving).expect("a publish");
        gate.wait_out(LANES.len() - 1, &moving);
        PROGRESS.set(gate.progress.clone()).expect("once");
        let permits = || -> Vec<Vec<u8>> {
            let sent = SENT.lock();
            sent.iter().filter(|one| one.topic == PERMIT).map(|one| one.bytes.clone()).collect()
        };
        wait_for("a permit that says yes", || !permits().is_empty());
        let yes = permits()[0].clone();
        gate.switch.raise(Cause::KillSignal);
        gate.waker.wake();
        wait_for("killed", || gate.snapshot.read().state == State::Killed);
        wait_for("a permit after it", || permits().len() >= 3);
        let sent = SENT.lock();
        let safe = gate.wires[LANES.len() - 1].command(0.0);
        let out = format!("/{}_out", LANES[LANES.len() - 1].0);
        let stop = sent.iter().position(|one| one.topic == out && one.bytes == safe);
        let stop = stop.expect("a safe command");
        let told = sent[stop..].iter().find(|one| one.topic == PERMIT).expect("a permit");
        assert!(!says_yes(&told.bytes) && says_yes(&yes), "{told:?}");
        assert_eq!(told.turn, sent[stop].turn, "not at the next tick");
        let later = sent[stop..].iter().filter(|one| one.topic == PERMIT);
        assert!(later.map(|one| says_yes(&one.bytes)).all(|yes| !yes));
    });
}

/// `permitted` of an `interlock/msg/Permit` in CDR: behind the header, a stamp, a duration and two
/// numbers, 8 bytes each.
fn says_yes(permit: &[u8]) -> bool {
    permit[4 + 8 + 8 + 8 + 8] == 1
}

#[test]
fn when_a_kill_input_cannot_be_taken_expect_a_kill_and_another_look() {
    let name = "stops::when_a_kill_input_cannot_be_taken_expect_a_kill_and_another_look";
    isolated(name, || {
        static FAILS: AtomicBool = AtomicBool::new(false);
        static FAILED: AtomicUsize = AtomicUsize::new(0);
        watch(|seen| {
            let fails = seen.call == Call::Take && seen.topic == BUTTON && seen.is_gate_thread;
            if fails && FAILS.load(Ordering::SeqCst) {
                FAILED.fetch_add(1, Ordering::SeqCst);
                return Then::Fail;
            }
            Then::GoOn
        });
        let mut gate = Gate::armed();
        FAILS.store(true, Ordering::SeqCst);
        // It would say that nothing is pressed; nobody can know.
        gate.button.publish_serialized(RELEASED).expect("a publish");
        wait_for("killed", || gate.snapshot.read().state == State::Killed);
        let cause = gate.snapshot.read().last_trip.as_ref().map(|trip| trip.cause);
        assert_eq!(cause, Some(Cause::KillInputAsserted));
        // Nothing else comes on the topic, and it is tried again and again.
        let tried = FAILED.load(Ordering::SeqCst);
        wait_for("more looks", || FAILED.load(Ordering::SeqCst) >= tried + 9);
        let heard = |gate: &Gate| gate.slots.kill_inputs[0].last_received.get().is_some();
        assert!(!heard(&gate));
        FAILS.store(false, Ordering::SeqCst);
        wait_for("what was left behind", || heard(&gate));
    });
}

/// A kill that comes when a reset is already in the queue: taken between the reset's two steps.
#[test]
fn when_a_kill_comes_during_a_reset_expect_its_safe_commands_before_the_answer() {
    let name = "stops::when_a_kill_comes_during_a_reset_expect_its_safe_commands_before_the_answer";
    isolated(name, || {
        static SWITCH: OnceLock<Arc<KillSwitch>> = OnceLock::new();
        static IS_HELD: AtomicBool = AtomicBool::new(false);
        static ANSWER: Mutex<Option<oneshot::Receiver<Answer>>> = Mutex::new(None);
        static BEFORE: AtomicUsize = AtomicUsize::new(0);
        let out = format!("/{}_out", LANES[LANES.len() - 1].0);
        watch(move |seen| {
            let Some(switch) = SWITCH.get().filter(|_| seen.is_gate_thread) else {
                return Then::GoOn;
            };
            if seen.call == Call::Take && seen.topic == BUTTON && !IS_HELD.load(Ordering::SeqCst) {
                IS_HELD.store(true, Ordering::SeqCst);
                wait_for("the reset in the queue", || ANSWER.lock().is_some());
                switch.raise(Cause::KillSocket);
            } else if matches!(seen.call, Call::Publish(_))
                && seen.topic == out
                && let Some(answer) = ANSWER.lock().as_mut()
                && matches!(answer.try_recv(), Ok(None))
            {
                BEFORE.fetch_add(1, Ordering::SeqCst);
            }
            Then::GoOn
        });
        let mut gate = Gate::armed();
        gate.switch.raise(Cause::KillSignal);
        gate.waker.wake();
        wait_for("killed", || gate.snapshot.read().state == State::Killed);
        let seq = gate.snapshot.read().seq;
        SWITCH.set(gate.switch.clone()).expect("once");
        gate.button.publish_serialized(RELEASED).expect("a publish");
        wait_for("the gate thread at the button", || IS_HELD.load(Ordering::SeqCst));
        // Until every lane's next safe command is due, so that those of this turn can be counted.
        std::thread::sleep(Duration::from_millis(100));
        let asked = gate.requests.ask(Verb::Reset { seq }).expect("a place in the queue");
        *ANSWER.lock() = Some(asked);
        wait_for("the kill told", || gate.snapshot.read().seq == seq + 1);
        assert_eq!(gate.snapshot.read().state, State::Killed);
        // The one that was due, and the kill's own.
        assert_eq!(BEFORE.load(Ordering::SeqCst), 2);
    });
}
