//! The stop burst: what a panic, or a watchdog, sends in the gate thread's place.

use crate::gate::{Count, Gate};
use crate::lanes::LANES;
use crate::support::{isolated, wait_for};

#[test]
fn hazard_60_burst_then_command() {
    isolated("burst::hazard_60_burst_then_command", || {
        let mut gate = Gate::armed();
        for lane in 0..LANES.len() {
            let bytes = gate.wires[lane].command(0.25);
            gate.wires[lane].high.publish_serialized(&bytes).expect("a publish");
            gate.wait_out(lane, &bytes);
        }
        // The tick leaves the bytes; the last one ran after the last command was forwarded.
        let twist = LANES.len() - 1;
        wait_for("a tick after the last command", || gate.count(twist, 0, Count::Passed) == 1);
        gate.burst.fire();
        // Commands after it are not forwarded, and counted as withheld.
        for _ in 0..3 {
            let before = gate.count(twist, 0, Count::Withheld);
            let bytes = gate.wires[twist].command(0.375);
            gate.wires[twist].high.publish_serialized(&bytes).expect("a publish");
            wait_for("a withheld command", || gate.count(twist, 0, Count::Withheld) > before);
        }
        let zero = gate.wires[twist].command(0.0);
        let mut stops = 0;
        wait_for("the burst", || {
            while let Some(bytes) = gate.take(twist) {
                assert_eq!(bytes, zero, "after the fence");
                stops += 1;
            }
            stops == 10
        });
        // A pose is held where it is: the last sent, which the measured one is near to.
        let array = gate.wires[0].command(0.25);
        let mut held = 0;
        wait_for("the pose held", || {
            while let Some(bytes) = gate.take(0) {
                assert_eq!(bytes, array);
                held += 1;
            }
            held == 10
        });
    });
}
