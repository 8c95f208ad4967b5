//! A mixed vector with a gripper: joints that are limited beside an element that is kept.

use serde_json::{Value, json};

use crate::peer::Received;
use crate::rig::Rig;

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const JOINTS: [&str; 7] = ["j1", "j2", "j3", "j4", "j5", "j6", "j7"];

/// A number that no arithmetic leaves as it is: the last bit counts.
const GRIP: f64 = 0.300_000_000_000_000_04;

fn params() -> String {
    format!(
        "    release_over_ros: true
    lanes:
      arm:
        type: {ARRAY}
        interface: position
        output: arm_out
        fields: {{position: 'data[0..7]'}}
        keep: ['data[7]']
        joints: [{joints}]
        feedback: states
        limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 1000000.0,
                 max_acceleration: 1000000000.0}}
        safe: {{command: freeze, tolerance: 5.0}}
        start_ramp_s: 0.0
        release_s: 0.3
        sources: {{agent: {{topic: arm_in, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}}}
    feedback: {{states: {{type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    causes: {{gate_stalled: {{action: warn}}, divergence: {{action: warn}}}}
",
        joints = JOINTS.join(", ")
    )
}

/// The gripper's element, bit for bit.
fn grip(received: &Received) -> Option<u64> {
    received.message["data"][7].as_f64().map(f64::to_bits)
}

fn command(q: f64, grip: f64) -> Value {
    let mut data = vec![q; 7];
    data.push(grip);
    json!({"data": data})
}

#[test]
fn hazard_48_grip_lost_on_stop() {
    let mut rig = Rig::plain(&params());
    rig.peer.subscribe("/arm_out", ARRAY);
    rig.peer.publisher("/arm_in", ARRAY);
    rig.peer.wait_for_writer("/arm_out");
    let zeros = vec![0.0; 7];
    let pose = json!({"name": JOINTS, "position": zeros, "velocity": zeros});
    rig.peer.publisher("/states", "sensor_msgs/msg/JointState");
    rig.peer.ask("stream", json!({"topic": "/states", "msg": pose, "hz": 50.0}));
    // What a safe command has in the kept element nobody can know before a command has told it.
    rig.wait_state("a first command to be asked for", |state| {
        state["unmet"].to_string().contains("a source must send one valid command first")
    });
    rig.peer.ask("stream", json!({"topic": "/arm_in", "msg": command(0.0, GRIP), "hz": 50.0}));
    rig.wait_state("a safe command", |state| {
        !state["unmet"].to_string().contains("no_safe_command")
    });
    rig.peer.ask("stop", json!({"topic": "/arm_in"}));
    rig.arm();
    rig.wait_message("/arm_out", 0, "the pose held with its grip", |one| {
        grip(one) == Some(GRIP.to_bits())
    });

    // Limited joints, an untouched gripper: far outside every bound of theirs.
    let from = rig.peer.count("/arm_out");
    rig.peer.publish("/arm_in", command(7.5, 250.0));
    let limited = rig.wait_message("/arm_out", from, "the limited command", |one| {
        one.message["data"][0].as_f64().is_some_and(|q| q > 0.999 && q <= 1.0)
    });
    assert_eq!(limited.message["data"][7], 250.0);
    rig.peer.publish("/arm_in", command(0.5, GRIP));
    rig.wait_message("/arm_out", from, "the grip", |one| grip(one) == Some(GRIP.to_bits()));

    // Kill, and again: the pose and the grip as last sent, for ever.
    let from = rig.peer.count("/arm_out");
    for _ in 0..2 {
        let before = rig.peer.count("/arm_out");
        rig.trigger("kill");
        rig.wait_message("/arm_out", before + 3, "safe commands", |_| true);
    }
    rig.peer.publish("/arm_in", command(0.25, -3.0));
    rig.wait_count(0, 0, "withheld", 1);
    rig.reset();
    rig.wait_lane(0, "released");
    let stopped = rig.peer.received("/arm_out", from);
    let lost = stopped.iter().find(|one| {
        grip(one) != Some(GRIP.to_bits()) || one.message["data"].as_array().map(Vec::len) != Some(8)
    });
    assert_eq!(lost, None, "the grip was lost");
    let moved = stopped.iter().find(|one| one.message["data"][0] != 0.5);
    assert_eq!(moved, None, "the pose was lost");
}

#[test]
fn a_vector_of_another_length_or_with_a_grip_that_is_no_number_is_refused() {
    let mut rig = Rig::plain(&params());
    rig.peer.subscribe("/arm_out", ARRAY);
    rig.peer.publisher("/arm_in", ARRAY);
    rig.peer.wait_for_writer("/arm_out");
    let cases = [
        (json!({"data": vec![0.0; 7]}), "wrong_count"),
        (json!({"data": vec![0.0; 9]}), "wrong_count"),
        (json!({"data": [0, 0, 0, 0, 0, 0, 0, "$nan"]}), "not_finite"),
    ];
    for (number, (message, reason)) in (1..).zip(cases) {
        rig.peer.publish("/arm_in", message);
        assert_eq!(rig.wait_count(0, 0, "rejected", number)["last_reason"], reason);
    }
}
