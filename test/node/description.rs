//! The robot's description by topic: nothing arms before it, limits come with it, and a change waits.

use serde_json::{Value, json};

use crate::commands::stands;
use crate::rig::Rig;

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const TOPIC: &str = "/robot_description";

/// Two joints; the knee's upper end is given.
fn urdf(knee: f64) -> String {
    let joint = |name: &str, child: &str, upper: f64| {
        format!(
            "<joint name='{name}' type='revolute'><parent link='base'/><child link='{child}'/>\
             <axis xyz='0 0 1'/><limit lower='-1.5' upper='{upper}' velocity='1000' effort='50'/></joint>"
        )
    };
    format!(
        "<robot name='r'><link name='base'/><link name='a'/><link name='b'/>{}{}</robot>",
        joint("hip", "a", 1.5),
        joint("knee", "b", knee)
    )
}

fn params(rest: &str) -> String {
    format!(
        "    release_over_ros: true
    urdf: {{topic: {TOPIC}}}
    lanes:
      body:
        type: {ARRAY}
        interface: position
        output: body_out
        joints: [hip, knee]
        feedback: states
        limits: {{max_velocity: 1000000.0, max_acceleration: 1000000000.0}}
        {rest}safe: {{command: freeze, tolerance: 5.0}}
        start_ramp_s: 0.0
        release_s: 0.1
        sources: {{agent: {{topic: agent, priority: 10, allow_no_timeout: true, max_rate_hz: 10.0, burst: 100}}}}
    feedback: {{states: {{type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    causes: {{gate_stalled: {{action: warn}}, divergence: {{action: ignore}}}}
"
    )
}

fn rig(rest: &str) -> Rig {
    let mut rig = Rig::plain(&params(rest));
    rig.peer.subscribe("/body_out", ARRAY);
    rig.peer.publisher("/agent", ARRAY);
    rig.peer.wait_for_writer("/body_out");
    stands(&mut rig, &["hip", "knee"]);
    rig
}

fn describes(rig: &mut Rig, text: &str) {
    let made =
        json!({"topic": TOPIC, "type": "std_msgs/msg/String", "durability": "TRANSIENT_LOCAL"});
    rig.peer.ask("publisher", made);
    rig.peer.publish(TOPIC, json!({"data": text}));
}

fn unmet<'s>(state: &'s Value, code: &str) -> Option<&'s str> {
    let unmet = state["unmet"].as_array().expect("a list");
    unmet.iter().find(|one| one["code"] == code).map(|one| one["text"].as_str().expect("a text"))
}

fn description(rig: &mut Rig) -> String {
    let status = rig.status();
    status["description"].as_str().expect("a text").to_owned()
}

/// A command far out comes out at the knee's bound.
fn reaches(rig: &mut Rig, knee: f64) {
    let from = rig.peer.count("/body_out");
    let command = json!({"topic": "/agent", "msg": {"data": [0.25, 9.0]}, "hz": 10.0});
    rig.peer.ask("stream", command);
    rig.wait_message("/body_out", from, &format!("the knee at {knee}"), |one| {
        // Braking distance: it comes to the bound, and never past it.
        let at = one.message["data"][1].as_f64().expect("a number");
        at <= knee && at > knee - 1e-3
    });
    rig.peer.ask("stop", json!({"topic": "/agent"}));
}

#[test]
fn nothing_arms_before_the_description_and_a_change_waits_for_the_disarm() {
    let mut rig = rig("");
    let state = rig
        .wait_state("what is missing", |state| unmet(state, "robot_description_missing").is_some());
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(refused["success"] == false && text.contains(TOPIC), "{text}");
    assert!(text.contains("robot_state_publisher"), "{text}");

    // Its bounds count as soon as it is there.
    describes(&mut rig, &urdf(1.0));
    rig.arm();
    reaches(&mut rig, 1.0);

    // Another one while active: said, and not used.
    rig.peer.publish(TOPIC, json!({"data": urdf(0.5)}));
    crate::support::wait_for("the change to be told", || {
        description(&mut rig).contains("ignored until the next disarm")
    });
    reaches(&mut rig, 1.0);
    rig.trigger("disarm");
    rig.wait_lane(0, "released");
    crate::support::wait_for("the change to be used", || description(&mut rig).is_empty());
    rig.arm();
    reaches(&mut rig, 0.5);
}

#[test]
fn a_description_that_does_not_fit_is_told_and_changes_nothing() {
    // An explicit limit wider than the robot's.
    let mut rig = rig("joint_limits: {knee: {min_position: -1.5, max_position: 1.25}}\n        ");
    describes(&mut rig, &urdf(1.0));
    let state = rig.wait_state("the refusal", |state| {
        unmet(state, "robot_description_missing").is_some_and(|text| text.contains("does not fit"))
    });
    let text = unmet(&state, "robot_description_missing").expect("a text");
    for part in ["lanes.body.joint_limits.knee.max_position", "1.25 rad", "(URDF)", "looser"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // A joint that it does not have, and no XML at all.
    for (text, told) in [(urdf(2.0).replace("'hip'", "'hop'"), "hip"), ("<robot".to_owned(), "fit")]
    {
        rig.peer.publish(TOPIC, json!({"data": text}));
        rig.wait_state("the next refusal", |state| {
            unmet(state, "robot_description_missing").is_some_and(|said| {
                said.contains("does not fit") && said.contains(told) && !said.contains("1.25")
            })
        });
    }
    // One that fits, and the explicit limit is the tighter.
    rig.peer.publish(TOPIC, json!({"data": urdf(2.0)}));
    rig.arm();
    reaches(&mut rig, 1.25);
}
