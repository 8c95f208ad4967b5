//! What the graph says of our topics: foreign publishers, controllers, types that do not fit.

use serde_json::{Value, json};

use crate::commands::stands;
use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST, twist};
use crate::support::wait_for_some;

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";

/// One position lane behind a named ros2_control controller, which the peer plays.
const BODY: &str = "    release_over_ros: true
    lanes:
      body:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: body_out
        controller: peer
        joints: [hip, knee]
        feedback: states
        start_ramp_s: 0.0
        limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, max_acceleration: 1000000000.0}
        safe: {command: freeze, tolerance: 5.0}
        sources: {agent: {topic: body_in, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
    feedback: {states: {type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}
";

/// Waits until the lane's controller mismatch is told with these words.
fn wait_mismatch(rig: &mut Rig, words: &str) {
    rig.wait_state(words, |state| {
        let unmet = state["unmet"].as_array().expect("a list");
        unmet.iter().any(|one| {
            one["code"] == "controller_mismatch"
                && one["text"].as_str().expect("a text").contains(words)
        })
    });
}

/// The same controller with other parameters: a new reader, which is asked anew.
fn restart_controller(rig: &mut Rig, parameters: Value) {
    rig.peer.ask("unsubscribe", json!({"topic": "/body_out"}));
    rig.wait_state("no reader", |state| state["lanes"][0]["subscribers"] == 0);
    rig.peer.ask("declare", json!({"parameters": parameters}));
    rig.peer.subscribe("/body_out", ARRAY);
}

#[test]
fn a_ros2_control_controller_with_other_joints_or_interface_cannot_be_armed() {
    let mut rig = Rig::new(BODY);
    let joints = json!({"joints": ["knee", "hip"], "interface_name": "position"});
    rig.peer.ask("declare", json!({"parameters": joints}));
    rig.peer.subscribe("/body_out", ARRAY);
    stands(&mut rig, &["hip", "knee"]);
    wait_mismatch(&mut rig, "place 0 is joint knee for the controller, hip for the lane");
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let answer = rig.verb("arm", seq);
    assert_eq!(answer["success"], false);
    let text = answer["message"].as_str().expect("a text");
    assert!(text.contains("joint knee for the controller"), "{text}");
    restart_controller(&mut rig, json!({"joints": ["hip", "knee"], "interface_name": "velocity"}));
    wait_mismatch(&mut rig, "the controller commands velocity, the lane position");
    restart_controller(&mut rig, json!({"interface_name": "position"}));
    rig.arm();
}

#[test]
fn a_controller_without_such_parameters_passes_by_its_name() {
    let mut rig = Rig::new(BODY);
    rig.peer.subscribe("/body_out", ARRAY);
    stands(&mut rig, &["hip", "knee"]);
    rig.arm();
}

#[test]
fn another_reader_than_the_named_controller_is_a_mismatch() {
    let mut rig = Rig::new(&BODY.replace("controller: peer", "controller: arm_controller"));
    rig.peer.subscribe("/body_out", ARRAY);
    wait_mismatch(&mut rig, "is read, but not by its controller 'arm_controller'");
}

#[test]
fn a_foreign_publisher_is_counted_and_named() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.wait_state("an audit", |state| state["lanes"][0]["subscribers"] == 1);
    let metric = |rig: &mut Rig, count: u32| {
        let line = format!("interlock_output_foreign_publishers{{lane=\"base\"}} {count}");
        wait_for_some("the metric", || rig.http("/metrics").contains(&line).then_some(()));
    };
    metric(&mut rig, 0);
    // A writer that is already there has its reader: `publisher` waits for one.
    rig.peer.publisher("/cmd_vel", TWIST);
    rig.wait_state("a foreign publisher", |state| state["lanes"][0]["foreign_publishers"] == 1);
    metric(&mut rig, 1);
    let status = rig.status();
    let note = status["lanes"][0]["notes"][0].as_str().expect("a note");
    assert_eq!(note, "also publishes on the output: /peer");
}

#[test]
fn hazard_35_wrong_type_on_topic() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    let topic = "/diagnostics";
    rig.peer.subscribe(topic, "diagnostic_msgs/msg/DiagnosticArray");
    // A participant has one type for a topic, so the wrong one is another's.
    let mut other = Peer::start(&rig.lease, &rig.scratch, "other");
    other.ask(
        "publisher",
        json!({"topic": "/agent", "key": "wrong", "type": "geometry_msgs/msg/TwistStamped"}),
    );
    let told = "writes geometry_msgs/msg/TwistStamped, read as geometry_msgs/msg/Twist";
    rig.wait_message(topic, 0, "an incompatible publisher", |one| {
        let parts = one.message["status"].as_array().expect("a list");
        parts.iter().any(|part| {
            part["name"] == "interlock: source base/agent"
                && part["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(told) && text.contains("/peer"))
        })
    });
    // Never taken: what comes out is the right publisher's alone.
    rig.peer.publisher("/agent", TWIST);
    rig.arm();
    other.ask("publish", json!({"topic": "wrong", "msg": {"twist": {"linear": {"x": 0.375}}}}));
    rig.flows("/agent", 0.25);
    let source = rig.wait_count(0, 0, "passed", 1);
    assert_eq!((&source["passed"], &source["rejected"]), (&json!(1), &json!(0)));
    let sent = rig.peer.received("/cmd_vel", 0);
    assert!(sent.iter().all(|one| one.message["linear"]["x"] != twist(0.375)["linear"]["x"]));
}
