//! What must be there before an arm: sources that stand still, no kill input that asserts.

use serde_json::{Value, json};

use crate::commands::stands;
use crate::rig::{BASE, Rig, TWIST, goes, twist};

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";

fn codes(state: &Value) -> Vec<&str> {
    let unmet = state["unmet"].as_array().expect("a list").iter();
    unmet.map(|one| one["code"].as_str().expect("a code")).collect()
}

fn refused(rig: &mut Rig) -> String {
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let answer = rig.verb("arm", seq);
    assert_eq!(answer["success"], false, "{answer}");
    answer["message"].as_str().expect("a text").to_owned()
}

#[test]
fn hazard_03_streaming_source_at_arm() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    // A button that is held: the arm is refused, with the axis and the value.
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.25), "hz": 50.0}));
    rig.wait_state("the source in the way", |state| codes(state) == ["source_not_ready"]);
    let text = refused(&mut rig);
    assert!(text.contains("base/agent") && text.contains("linear.x"), "{text}");
    assert!(text.contains("0.250") && text.contains("let go of it"), "{text}");
    assert_eq!(rig.peer.count("/cmd_vel"), 0, "nothing came out");
    // Let go: it may stream on, at zero.
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.0), "hz": 50.0}));
    rig.arm();
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.flows("/agent", 0.125);
    assert!(rig.peer.received("/cmd_vel", 0).iter().all(|one| !goes(one, 0.25)));
}

/// One position lane with this rule.
fn body(rule: &str) -> String {
    format!(
        "    release_over_ros: true
    lanes:
      body:
        type: {ARRAY}
        interface: position
        output: body_out
        joints: [hip, knee]
        feedback: states
        limits: {{min_position: -3.0, max_position: 3.0, max_velocity: 1.0, max_acceleration: 1000.0}}
        safe: {{command: freeze, tolerance: 0.5}}
        sources: {{agent: {{topic: agent, priority: 10, timeout_s: 1.0, max_rate_hz: 100.0, {rule}}}}}
    feedback: {{states: {{type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    causes: {{gate_stalled: {{action: warn}}, divergence: {{action: warn}}}}
"
    )
}

#[test]
fn hazard_03_a_position_source_blends_from_the_pose_held() {
    let mut rig = Rig::plain(&body("engage: blend"));
    rig.peer.subscribe("/body_out", ARRAY);
    rig.peer.publisher("/agent", ARRAY);
    rig.peer.wait_for_writer("/body_out");
    stands(&mut rig, &["hip", "knee"]);
    // A policy that never stopped, far from the pose: the arm goes ahead, the robot does not jump.
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": {"data": [2.0, -2.0]}, "hz": 50.0}));
    rig.wait_count(0, 0, "withheld", 3);
    rig.arm();
    rig.wait_message("/body_out", 0, "half of the way", |one| {
        one.message["data"][0].as_f64() > Some(1.0)
    });
    let sent = rig.peer.received("/body_out", 0);
    let hips: Vec<f64> =
        sent.iter().map(|one| one.message["data"][0].as_f64().expect("a number")).collect();
    // 1 rad/s is 0.015 rad in one and a half periods; the middleware may drop some on the way here.
    let mut before = 0.0;
    for hip in hips {
        assert!(hip >= before && hip - before < 0.15, "from {before} to {hip}");
        before = hip;
    }
    assert!(sent.iter().any(|one| one.message["data"][0] == 0.0), "it began where it stood");
}

#[test]
fn a_position_source_outside_its_window_prevents_the_arm() {
    let mut rig = Rig::plain(&body("engage: window, engage_window: 0.25"));
    rig.peer.subscribe("/body_out", ARRAY);
    rig.peer.publisher("/agent", ARRAY);
    rig.peer.wait_for_writer("/body_out");
    stands(&mut rig, &["hip", "knee"]);
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": {"data": [0.125, 0.5]}, "hz": 50.0}));
    rig.wait_state("the source in the way", |state| codes(state) == ["source_not_ready"]);
    let text = refused(&mut rig);
    assert!(text.contains("knee") && text.contains("0.25"), "{text}");
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": {"data": [0.125, 0.25]}, "hz": 50.0}));
    rig.arm();
}
