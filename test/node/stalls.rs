//! Time that stands still or jumps: a process that was stopped, and a clock that is not the robot's.

use rustix::process::Signal;
use serde_json::json;

use crate::peer::Received;
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

const STEP: f64 = 1.0 / 16_384.0;
const CLOCK: &str = "rosgraph_msgs/msg/Clock";

/// The number that a stream counted into its twists; 0: the safe command.
fn number(received: &Received) -> u64 {
    let x = received.message["linear"]["x"].as_f64().expect("a number");
    (0..8_192_u32).find(|n| (f64::from(*n) * STEP).to_bits() == x.to_bits()).map_or(0, u64::from)
}

fn sent(rig: &mut Rig) -> u64 {
    rig.peer.ask("sent", json!({"topic": "/agent"})).as_u64().expect("a count")
}

#[test]
fn hazard_53_stall_releases_queue() {
    // With the cause's own default: it disarms.
    let mut rig = Rig::plain(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    // A machine under load may stall the gate in the middle of this for a moment: once more then.
    wait_for("a flow that no other stall ended", || {
        rig.arm();
        rig.peer.ask(
            "stream",
            json!({"topic": "/agent", "msg": twist(0.0), "hz": 100.0,
                   "count_into": ["linear", "x"], "step": STEP}),
        );
        let from = rig.peer.count("/cmd_vel");
        wait_for("a flow, or its end", || {
            rig.state()["label"] != "active"
                || rig.peer.received("/cmd_vel", from).iter().any(|one| number(one) > 10)
        });
        let flows = rig.state()["label"] == "active";
        if flows {
            rig.node.signal(Signal::STOP);
        } else {
            rig.peer.ask("stop", json!({"topic": "/agent"}));
            rig.peer.publish("/agent", twist(0.0));
        }
        flows
    });
    // What is on the wire when it stops may have been forwarded; what comes from now on not.
    let mark = rig.peer.count("/cmd_vel");
    let before = sent(&mut rig);
    wait_for("five seconds of commands at 100 Hz", || sent(&mut rig) >= before + 500);
    let behind = sent(&mut rig);
    rig.node.signal(Signal::CONT);
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(state["last_trip"]["cause"], "gate_stalled");
    let detail = state["last_trip"]["detail"].as_str().expect("a text");
    assert!(detail.contains("gate_stalled"), "{detail}");
    // Commands on: they are judged, and withheld.
    let withheld = rig.wait_count(0, 0, "withheld", 1)["withheld"].as_u64().expect("a count");
    rig.wait_count(0, 0, "withheld", withheld + 10);
    let numbers: Vec<u64> = rig.peer.received("/cmd_vel", mark).iter().map(number).collect();
    let stale: Vec<&u64> = numbers.iter().filter(|n| **n > before).collect();
    assert!(stale.is_empty(), "of the backlog {before} to {behind}: {stale:?}");
    // Fit for work again.
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", twist(0.0));
    rig.arm();
}

#[test]
fn hazard_10_ros_time_stops_or_jumps() {
    let params = BASE
        .replace("allow_no_timeout: true", "timeout_s: 0.5")
        .replace("    lanes:", "    use_sim_time: true\n    allow_sim_time: true\n    lanes:");
    let mut rig = Rig::new(&params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.peer.ask("publisher", json!({"topic": "/clock", "type": CLOCK}));
    let seq = rig.arm()["seq"].clone();
    // No clock at all, a frozen one, an hour ahead, an hour back, the beginning of time.
    for second in [None, Some(10_000), Some(10_000), Some(13_600), Some(6_400), Some(0)] {
        if let Some(sec) = second {
            rig.peer.publish("/clock", json!({"clock": {"sec": sec}}));
        }
        rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.25), "hz": 50.0}));
        rig.wait_lane(0, "flowing");
        let from = rig.peer.count("/cmd_vel");
        rig.wait_message("/cmd_vel", from, "the command", |one| goes(one, 0.25));
        if let Some(sec) = second {
            rig.peer.publish("/clock", json!({"clock": {"sec": sec}}));
        }
        rig.peer.ask("stop", json!({"topic": "/agent"}));
        // The watchdog of the source and the safe command run on the steady clock.
        rig.wait_lane(0, "holding");
        let from = rig.peer.count("/cmd_vel");
        rig.wait_message("/cmd_vel", from + 5, "safe commands, one after the other", |one| {
            goes(one, 0.0)
        });
        let state = rig.state();
        assert_eq!((&state["label"], &state["seq"]), (&json!("active"), &seq), "{second:?}");
    }
    let metrics = rig.http("/metrics");
    assert!(metrics.contains("interlock_clock_steps_total 0"), "{metrics}");
}

#[test]
fn hazard_10_simulated_time_prevents_the_arm_unless_it_is_allowed() {
    let mut rig = Rig::new(&BASE.replace("    lanes:", "    use_sim_time: true\n    lanes:"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    let state = rig.wait_state("the clock in the way", |state| {
        let unmet = state["unmet"].as_array().expect("a list");
        unmet.len() == 1 && unmet[0]["code"] == "simulated_time"
    });
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(refused["success"] == false && text.contains("allow_sim_time: true"), "{text}");
}
