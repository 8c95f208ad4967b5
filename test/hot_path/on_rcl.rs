//! The gate thread on a real rcl: what it allocates while commands come.

use interlock::gate::verdict::Verdict;

use crate::allocations;
use crate::gate::Gate;
use crate::lanes::LANES;
use crate::support::{isolated, wait_for};

/// Sources of each lane, by descending priority.
const HIGH: usize = 0;
const LOW: usize = 1;
/// Rounds that are counted.
const ROUNDS: u32 = 20;

/// One command of each verdict on each lane.
fn round(gate: &mut Gate, number: f64) {
    for lane in 0..LANES.len() {
        let wires = &gate.wires[lane];
        let passed = wires.command(number);
        wires.high.publish_serialized(&passed).expect("a publish");
        gate.wait_out(lane, &passed);
        for (source, verdict, number) in [
            (HIGH, Verdict::Limited, 5.0),
            (HIGH, Verdict::Rejected, f64::NAN),
            (LOW, Verdict::NotSelected, 0.0),
        ] {
            let before = gate.count(lane, source, verdict);
            let bytes = gate.wires[lane].command(number);
            let wires = &gate.wires[lane];
            let publisher = if source == HIGH { wires.high.as_ref() } else { &wires.low };
            publisher.publish_serialized(&bytes).expect("a publish");
            wait_for("the verdict", || gate.count(lane, source, verdict) > before);
        }
    }
}

#[test]
fn the_gate_thread_allocates_nothing_while_commands_come() {
    isolated("on_rcl::the_gate_thread_allocates_nothing_while_commands_come", || {
        let mut gate = Gate::armed();
        round(&mut gate, 0.125);
        let before = allocations();
        assert!(before > 0, "the thread is not counted: even its start allocates");
        for step in 1..=ROUNDS {
            round(&mut gate, f64::from(step) / 64.0);
        }
        assert_eq!(allocations() - before, 0, "in {ROUNDS} rounds of 4 commands on 5 lanes");
    });
}
