//! A plan that its controller follows by itself, while the gate only watches.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::commands::stands;
use crate::endings::hold_gate;
use crate::rig::{BASE, Rig};
use crate::support::wait_for;

const TRAJECTORY: &str = "trajectory_msgs/msg/JointTrajectory";
const PERMIT: &str = "/interlock/permit";
/// rad/s.
const SPEED: f64 = 0.25;

fn params() -> String {
    format!(
        "{BASE}      arm:
        type: {TRAJECTORY}
        output: arm_out
        joints: [hip]
        feedback: states
        independent: true
        balance: false
        limits: {{min_position: -3.0, max_position: 3.0, max_velocity: 1.0, max_acceleration: 100.0}}
        safe: {{command: hold_point, tolerance: 5.0}}
        start_ramp_s: 0.0
        sources: {{planner: {{topic: plan, priority: 10, allow_no_timeout: true, max_rate_hz: 100.0}}}}
    feedback: {{states: {{type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    causes: {{gate_stalled: {{action: warn}}, divergence: {{action: ignore}}}}
"
    )
}

fn seconds(stamp: &Value) -> f64 {
    let part = |name: &str| stamp[name].as_f64().expect("a number");
    part("sec") + part("nanosec") * 1e-9
}

fn wall_s() -> f64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.expect("after 1970").as_secs_f64()
}

/// A gate that stands still is found half a second later; the controller has gone on by then, and
/// must not be sent back.
#[test]
fn hazard_13_gate_hangs_or_dies_under_a_plan() {
    let mut rig = Rig::plain(&params());
    rig.peer.subscribe("/cmd_vel", crate::rig::TWIST);
    rig.peer.subscribe("/arm_out", TRAJECTORY);
    rig.peer.ask(
        "subscribe",
        json!({"topic": PERMIT, "type": "interlock/msg/Permit", "reliability": "BEST_EFFORT"}),
    );
    rig.peer.publisher("/plan", TRAJECTORY);
    rig.peer.wait_for_writer("/arm_out");
    rig.peer.wait_for_writer(PERMIT);
    stands(&mut rig, &["hip"]);
    rig.arm();
    let points = json!([{"positions": [SPEED * 10.0], "time_from_start": {"sec": 10}}]);
    rig.peer.publish("/plan", json!({"joint_names": ["hip"], "points": points}));
    rig.wait_message("/arm_out", 0, "the plan", |one| one.message["points"] != json!([]));
    // The controller has had it for this long at least.
    let has_it = wall_s();
    let from = rig.peer.count(PERMIT);
    wait_for("a second of it", || rig.peer.count(PERMIT) > from + 50);
    let plans = rig.peer.count("/arm_out");
    let Some(_held) = hold_gate(&rig) else { return };
    let ended = rig.node.ended();
    assert_eq!(ended.signal(), Some(Signal::ABORT.as_raw()), "{}", rig.node.log());
    let hold = rig.wait_message("/arm_out", plans, "the burst", |_| true);
    let held = hold.message["points"][0]["positions"][0].as_f64().expect("a pose");
    // The tick that left the burst told the last permit that gave leave, or was the one before it.
    let permits = rig.peer.received(PERMIT, from);
    let last = permits.iter().rfind(|one| one.message["permitted"] == true).expect("a permit");
    let tick = seconds(&last.message["stamp"]);
    let due = (tick - has_it + 0.4) * SPEED;
    assert!(held >= due, "{held} rad is before {due} rad, where the controller has it already");
    assert!(held < SPEED * 10.0, "{held} rad: that is its goal");
}
