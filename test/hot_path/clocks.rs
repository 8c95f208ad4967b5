//! What the gate thread does when its clocks jump: a suspend, a step of the wall clock.
//!
//! The real thread, with clocks that the test moves. What it reads is what the kernel says, and more: so no
//! machine has to sleep, and nobody has to be allowed to set the time.

use std::sync::atomic::{AtomicI64, Ordering};

use interlock::clock::{self, Readings};
use interlock::gate::cause::Cause;
use interlock::gate::state::State;
use interlock::gate::verdict::{Reason, Verdict};
use interlock::telemetry::slots::EventKind;
use parking_lot::Mutex;

use crate::gate::Gate;
use crate::lanes::LANES;
use crate::support::{isolated, wait_for};

/// An hour, ns.
const HOUR: i64 = 3_600_000_000_000;

/// How long the machine has slept in all, and how far its wall clock was set, ns.
static SLEPT: AtomicI64 = AtomicI64::new(0);
static SET: AtomicI64 = AtomicI64::new(0);
/// What happens on the gate thread right before its next look at the clocks.
static BEFORE_THE_LOOK: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

pub(crate) fn clocks() -> Readings {
    if let Some(happens) = BEFORE_THE_LOOK.lock().take() {
        happens();
    }
    let Readings { steady, boot, wall } = clock::readings();
    let slept = SLEPT.load(Ordering::SeqCst);
    Readings { steady, boot: boot + slept, wall: wall + slept + SET.load(Ordering::SeqCst) }
}

/// Lets this happen between two looks.
pub(crate) fn meanwhile(happens: impl FnOnce() + Send + 'static) {
    *BEFORE_THE_LOOK.lock() = Some(Box::new(happens));
    wait_for("the next look", || BEFORE_THE_LOOK.lock().is_none());
}

/// Lets the last lane move: a twist.
fn flow(gate: &mut Gate, number: f64) {
    let twist = LANES.len() - 1;
    let bytes = gate.wires[twist].command(number);
    gate.wires[twist].high.publish_serialized(&bytes).expect("a publish");
    gate.wait_out(twist, &bytes);
}

#[test]
fn hazard_34_suspend_resume_of_the_gate_thread() {
    isolated("clocks::hazard_34_suspend_resume_of_the_gate_thread", || {
        let mut gate = Gate::armed_by(clocks);
        let twist = LANES.len() - 1;
        flow(&mut gate, 0.25);
        let counts = |gate: &Gate| {
            let node = &gate.slots.node;
            let source = &gate.slots.lanes[twist].sources[0];
            let fenced = source.reasons.at(Reason::Fenced).get();
            (node.suspends.get(), node.trips.at(Cause::Suspended).get(), fenced)
        };
        assert_eq!(counts(&gate), (0, 0, 0));
        // A command comes in just before the machine sleeps, and is still there when it wakes up.
        let waiting = gate.wires[twist].command(0.5);
        let writer = gate.wires[twist].high.clone();
        meanwhile(move || {
            writer.publish_serialized(&waiting).expect("a publish");
            SLEPT.fetch_add(HOUR, Ordering::SeqCst);
        });
        wait_for("the disarm", || gate.snapshot().state == State::Disarmed);
        let trip = gate.snapshot().last_trip.expect("what disarmed it");
        assert_eq!((trip.cause, trip.found.round()), (Cause::Suspended, 3600.0));
        // Counted, tripped, and what waited is refused.
        wait_for("all three counts", || counts(&gate) == (1, 1, 1));
        assert_eq!(gate.count(twist, 0, Verdict::Withheld), 0, "not left for later");
        assert_eq!(gate.slots.node.clock_steps.get(), 0, "the wall clock was right to go on");
        // It was a moment.
        let still = gate.wires[twist].command(0.0);
        gate.wires[twist].high.publish_serialized(&still).expect("a publish");
        gate.arm();
        flow(&mut gate, 0.375);
        assert_eq!(counts(&gate), (1, 1, 1));
    });
}

#[test]
fn when_the_wall_clock_is_set_expect_it_counted_and_told_and_motion_to_go_on() {
    let name = "clocks::when_the_wall_clock_is_set_expect_it_counted_and_told_and_motion_to_go_on";
    isolated(name, || {
        let mut gate = Gate::armed_by(clocks);
        flow(&mut gate, 0.25);
        let told = |gate: &Gate| gate.slots.events.at(EventKind::CauseChanged).get();
        for (steps, by) in [(1, HOUR), (2, -2 * HOUR)] {
            let before = told(&gate);
            meanwhile(move || {
                SET.fetch_add(by, Ordering::SeqCst);
            });
            wait_for("the step", || gate.slots.node.clock_steps.get() == steps);
            // That it came, and that it is over. A busy machine tells of a stall, too.
            wait_for("cause clock_step told", || told(&gate) >= before + 2);
        }
        assert_eq!(gate.snapshot().state, State::Active);
        assert!(gate.snapshot().last_trip.is_none());
        flow(&mut gate, 0.375);
        assert_eq!(gate.slots.node.suspends.get(), 0);
        assert_eq!(gate.slots.node.clock_steps.get(), 2);
    });
}
