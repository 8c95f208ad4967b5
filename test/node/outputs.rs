//! Who holds an output: silence before arm and after release, safe commands at the end.

use rustix::process::Signal;
use serde_json::json;

use crate::commands::stands;
use crate::peer::Peer;
use crate::rig::{BASE, BODY, Node, Rig, STATES, TWIST, goes, twist};
use crate::support::wait_for;

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";

/// Both lanes, read and written by the peer, standing still.
fn both() -> Rig {
    let mut rig = Rig::new(&format!("{BASE}{BODY}        release_s: 0.3\n{STATES}"));
    for (topic, kind) in [("/cmd_vel", TWIST), ("/body_out", ARRAY)] {
        rig.peer.subscribe(topic, kind);
    }
    for (topic, kind) in [("/agent", TWIST), ("/body_in", ARRAY)] {
        rig.peer.publisher(topic, kind);
    }
    for topic in ["/cmd_vel", "/body_out"] {
        rig.peer.wait_for_writer(topic);
    }
    stands(&mut rig, &["hip", "knee"]);
    rig
}

/// Waits until commands of both lanes were judged, so that what they might cause has happened.
fn send_both(rig: &mut Rig, verdict: &str) {
    for (lane, topic, message) in
        [(0, "/agent", twist(0.25)), (1, "/body_in", json!({"data": [0.5, 0.25]}))]
    {
        let before = rig.wait_count(lane, 0, verdict, 0)[verdict].as_u64().expect("a count");
        rig.peer.publish(topic, message);
        rig.wait_count(lane, 0, verdict, before + 1);
    }
}

#[test]
fn a_released_lane_is_silent_before_arm_and_after_release() {
    let mut rig = both();
    for _ in 0..3 {
        send_both(&mut rig, "withheld");
    }
    let state = rig.state();
    for lane in 0..2 {
        assert_eq!(state["lanes"][lane]["label"], "released");
    }
    rig.arm();
    for topic in ["/cmd_vel", "/body_out"] {
        // Delivery is in order: the first message ever is the safe command of the arm.
        let zero = rig.wait_message(topic, 0, "the first message", |_| true).message;
        let data = zero.get("data").map(|data| data == &json!([0.0, 0.0]));
        assert!(data.unwrap_or_else(|| zero["linear"]["x"] == 0.0), "{zero}");
    }
    send_both(&mut rig, "passed");
    let from = rig.peer.count("/cmd_vel");
    let answer = rig.trigger("disarm");
    assert_eq!(answer["success"], true);
    assert!(answer["message"].as_str().expect("a text").starts_with("disarmed, seq "), "{answer}");
    // The safe command for a while, then silence: the count stands still while others go on.
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    rig.wait_lane(0, "released");
    rig.wait_lane(1, "released");
    send_both(&mut rig, "withheld");
    let counts = ["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic));
    for _ in 0..3 {
        send_both(&mut rig, "withheld");
    }
    assert_eq!(["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic)), counts);
    let after = rig.peer.received("/cmd_vel", from);
    assert!(after.iter().all(|one| goes(one, 0.0)), "only the safe command after a disarm");
    // Again: the cycle closes, and the pose held is chosen anew.
    rig.arm();
    rig.flows("/agent", 0.375);
}

#[test]
fn hazard_15_late_joiner_gets_old_command() {
    let mut rig = both();
    rig.arm();
    send_both(&mut rig, "passed");
    let mut late = Peer::start(&rig.lease, &rig.scratch, "late");
    for durability in ["VOLATILE", "TRANSIENT_LOCAL"] {
        late.ask(
            "subscribe",
            json!({"topic": "/cmd_vel", "type": TWIST, "durability": durability}),
        );
        if durability == "VOLATILE" {
            late.wait_for_writer("/cmd_vel");
            rig.flows("/agent", 0.375);
            wait_for("the new command", || late.count("/cmd_vel") > 0);
            let first = &late.received("/cmd_vel", 0)[0];
            assert!(goes(first, 0.375), "the first message is one sent before: {first:?}");
        } else {
            // A reader that asks for old samples is not matched at all.
            rig.flows("/agent", 0.125);
            let writers = late.ask("writers", json!({"topic": "/cmd_vel"}));
            assert_eq!(writers, json!(0));
            assert_eq!(late.count("/cmd_vel"), 0);
        }
    }
}

#[test]
fn hazard_38_start_drops_robot() {
    let mut rig = both();
    for _ in 0..2 {
        send_both(&mut rig, "withheld");
    }
    assert_eq!(["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic)), [0, 0]);
    rig.arm();
    send_both(&mut rig, "passed");
    rig.node.signal(Signal::KILL);
    assert!(!rig.node.ended().success());
    let counts = ["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic));

    // Crashed while active, and started again: nothing on an output until arm or kill.
    let file = rig.scratch.path().join("params.yaml");
    let args = ["--ros-args", "--params-file", file.to_str().expect("a plain path")];
    rig.node = Node::start(&rig.lease, &rig.scratch, &args);
    for topic in ["/agent", "/body_in", "/states"] {
        wait_for("the new node's readers", || {
            // The crashed node's readers are remembered for a while beside the new ones.
            rig.peer.ask("readers", json!({"topic": topic})).as_u64() >= Some(1)
        });
    }
    wait_for("commands that the new node withholds", || {
        rig.peer.publish("/agent", twist(0.25));
        rig.peer.publish("/body_in", json!({"data": [0.5, 0.25]}));
        let status = rig.http("/status");
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        let heard = |lane: usize| status["lanes"][lane]["sources"][0]["withheld"].as_u64();
        status["state"] == "disarmed" && heard(0) > Some(2) && heard(1) > Some(2)
    });
    assert_eq!(["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic)), counts);

    // Killed: zero on the velocity lane. The position lane has no feedback of this run yet, so it
    // has no pose, and stays silent until it is measured.
    let from = counts[0];
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.wait_message("/cmd_vel", from, "zero while killed", |one| goes(one, 0.0));
    assert_eq!(rig.peer.count("/body_out"), counts[1]);
    let pose = json!({"name": ["hip", "knee"], "position": [0.75, -0.5], "velocity": [0.0, 0.0]});
    wait_for("the measured pose, held", || {
        rig.peer.publish("/states", pose.clone());
        rig.peer.count("/body_out") > counts[1]
    });
    let held = rig.peer.received("/body_out", counts[1]);
    assert!(held.iter().all(|one| one.message["data"] == json!([0.75, -0.5])), "{held:?}");
    let zeros = rig.peer.received("/cmd_vel", from);
    assert!(zeros.iter().all(|one| goes(one, 0.0)));
}

/// Both lanes in motion, then a signal: what comes out last, and how the process ends.
fn ends_safely(signal: Signal) {
    let mut rig = both();
    rig.arm();
    send_both(&mut rig, "passed");
    rig.flows("/agent", 0.375);
    let from = [rig.peer.count("/cmd_vel"), rig.peer.count("/body_out")];
    rig.node.signal(signal);
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
    let last = rig.wait_message("/cmd_vel", from[0], "the safe command", |one| goes(one, 0.0));
    assert!(goes(&last, 0.0));
    let rest = rig.peer.received("/cmd_vel", from[0]);
    assert!(rest.iter().all(|one| goes(one, 0.0)), "nothing but the safe command: {rest:?}");
    assert!(rest.len() > 1, "again and again, until the end");
    // The pose held is the last sent, which the measured one is near to.
    let poses = rig.peer.received("/body_out", from[1]);
    assert!(poses.len() > 1);
    assert!(poses.iter().all(|one| one.message["data"] == json!([0.5, 0.25])), "{poses:?}");
}

#[test]
fn sigterm_ends_with_the_safe_command_and_exit_0() {
    ends_safely(Signal::TERM);
}

#[test]
fn sigint_ends_with_the_safe_command_and_exit_0() {
    ends_safely(Signal::INT);
}

#[test]
fn a_signal_while_released_ends_without_a_byte() {
    let mut rig = both();
    send_both(&mut rig, "withheld");
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
    assert_eq!(["/cmd_vel", "/body_out"].map(|topic| rig.peer.count(topic)), [0, 0]);
}
