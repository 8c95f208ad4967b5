//! Smaller envelopes: profiles chosen at the arm, the start ramp, the hand-over between sources.

use serde_json::{Value, json};

use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

const PROFILES: &str =
    "    profiles: {bringup: {velocity: 0.5}, demo: {velocity: 0.75, acceleration: 0.5}}\n";

fn base(params: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig
}

fn arm_with(rig: &mut Rig, profile: &str) -> Value {
    let mut answer = Value::Null;
    wait_for("an arm that is judged by its profile", || {
        let seq = rig.state()["seq"].as_u64().expect("a seq");
        let request = json!({"seq": seq, "profile": profile, "operator_name": "tester"});
        answer = rig.peer.call("/interlock/arm", "interlock/srv/Arm", request);
        answer["success"] == true || answer["message"].to_string().contains("profile")
    });
    answer
}

/// The speeds on the output from a message on, in order.
fn speeds(rig: &mut Rig, from: usize) -> Vec<f64> {
    let received = rig.peer.received("/cmd_vel", from);
    received.iter().map(|one| one.message["linear"]["x"].as_f64().expect("a number")).collect()
}

/// How often a limit was met, by its metric.
fn applied(rig: &mut Rig, source: &str, limit: &str) -> u64 {
    let metrics = rig.http("/metrics");
    let series = format!(
        "interlock_limits_applied_total{{lane=\"base\",source=\"{source}\",limit=\"{limit}\"}} "
    );
    let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).parse().expect("a count")
}

#[test]
fn a_profile_is_chosen_at_the_arm_and_an_unknown_one_is_refused_with_the_list() {
    let mut rig = base(&format!("{PROFILES}{BASE}"));
    let refused = arm_with(&mut rig, "bring_up");
    assert_eq!(refused["success"], false);
    assert_eq!(
        refused["message"],
        "refused: there is no profile of that name; there are: full, bringup, demo"
    );
    // Each bounds the same command differently; without a name it is `full`.
    for (asked, name, bound) in
        [("bringup", "bringup", 0.25), ("demo", "demo", 0.375), ("", "full", 0.5)]
    {
        let answer = arm_with(&mut rig, asked);
        assert!(answer["message"].to_string().contains(&format!("profile {name}")), "{answer}");
        rig.wait_state("the profile in force", |state| state["profile"] == name);
        let from = rig.peer.count("/cmd_vel");
        rig.peer.publish("/agent", twist(9.0));
        rig.wait_message("/cmd_vel", from, &format!("{bound} with {name}"), |one| goes(one, bound));
        assert!(speeds(&mut rig, from).iter().all(|x| *x <= bound));
        rig.peer.publish("/agent", twist(0.0));
        rig.trigger("disarm");
        let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
        assert_eq!(state["profile"], "", "of an arm, and there is none");
    }
}

#[test]
fn the_profile_of_the_file_is_the_one_without_a_name() {
    let mut rig = base(&format!("    profile: demo\n{PROFILES}{BASE}"));
    let answer = arm_with(&mut rig, "");
    assert!(answer["message"].to_string().contains("profile demo"), "{answer}");
    rig.wait_state("the profile in force", |state| state["profile"] == "demo");
}

#[test]
fn a_profile_may_say_what_a_cause_does() {
    let profiles = "    profiles: {bringup: {causes: {feedback_stale: kill}}}\n    feedback: {odom: {type: nav_msgs/msg/Odometry, topic: odom, timeout_s: 1.0, reliability: reliable}}\n";
    let params =
        BASE.replace("feedback: none\n        because: a test has no robot", "feedback: odom");
    let mut rig = base(&format!("{profiles}{params}"));
    rig.peer.publisher("/odom", "nav_msgs/msg/Odometry");
    let still = json!({"topic": "/odom", "msg": {}, "hz": 50.0});
    for (profile, label) in [("full", "active"), ("bringup", "killed")] {
        rig.peer.ask("stream", still.clone());
        arm_with(&mut rig, profile);
        rig.wait_state("active", |state| state["label"] == "active");
        rig.peer.ask("stop", json!({"topic": "/odom"}));
        rig.wait_state(&format!("what {profile} does"), |state| {
            state["label"] == label && state["permitted"] == false
        });
        rig.trigger("disarm");
    }
    assert_eq!(rig.state()["first_trip"]["cause"], "feedback_stale");
}

#[test]
fn after_an_arm_the_limits_grow_from_nothing() {
    let mut rig = base(&BASE.replace("start_ramp_s: 0.0", "start_ramp_s: 4.0"));
    for round in 0..2 {
        rig.arm();
        let from = rig.peer.count("/cmd_vel");
        rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.5), "hz": 50.0}));
        rig.wait_message("/cmd_vel", from, "the whole speed", |one| goes(one, 0.5));
        rig.peer.ask("stop", json!({"topic": "/agent"}));
        let speeds = speeds(&mut rig, from);
        let slow = speeds.iter().filter(|x| **x > 0.0 && **x < 0.25).count();
        assert!(slow > 3, "round {round}: {slow} of {speeds:?}");
        assert!(speeds.is_sorted(), "round {round}: {speeds:?}");
        rig.peer.publish("/agent", twist(0.0));
        rig.trigger("disarm");
        rig.wait_lane(0, "released");
    }
    assert!(applied(&mut rig, "agent", "ramp") > 3);
}

#[test]
fn after_a_change_of_hands_the_limits_are_tighter_for_a_while() {
    let joystick = "          joystick: {topic: joystick, priority: 100, timeout_s: 60.0, max_rate_hz: 1000.0, burst: 100}\n";
    let params = BASE
        .replace("handover: {duration_s: 0.0}", "handover: {duration_s: 3.0, limit_scale: 0.25}");
    let mut rig = base(&format!("{params}{joystick}"));
    rig.peer.publisher("/joystick", TWIST);
    rig.arm();
    // The first in charge takes over from nobody.
    rig.flows("/agent", 0.5);
    let from = rig.peer.count("/cmd_vel");
    rig.peer.ask("stream", json!({"topic": "/joystick", "msg": twist(-0.5), "hz": 50.0}));
    rig.wait_message("/cmd_vel", from, "a quarter", |one| goes(one, -0.125));
    rig.wait_message("/cmd_vel", from, "and then all of it", |one| goes(one, -0.5));
    let speeds = speeds(&mut rig, from);
    let all = speeds.iter().position(|x| *x == -0.5).expect("it came");
    assert!(speeds[..all].iter().all(|x| *x >= -0.125), "{speeds:?}");
    assert!(applied(&mut rig, "joystick", "handover") > 0);
    assert_eq!(applied(&mut rig, "agent", "handover"), 0);
}

#[test]
fn a_sources_own_scale_makes_its_envelope_smaller() {
    let params = BASE.replace("burst: 100", "burst: 100, limit_scale: 0.5");
    let mut rig = base(&params);
    rig.arm();
    rig.peer.publish("/agent", twist(9.0));
    rig.wait_message("/cmd_vel", 0, "half of the limit", |one| goes(one, 0.25));
    assert!(speeds(&mut rig, 0).iter().all(|x| *x <= 0.25));
}
