//! Sources: silence, priority, selection, the fence, and what feedback has to say.

use std::time::Duration;

use serde_json::{Value, json};

use crate::commands::stands;
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

const STAMPED: &str = "geometry_msgs/msg/TwistStamped";
const PRIORITY: &str = "allow_no_timeout: true";

/// The base with a reader and a writer of its one source.
fn base(params: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig
}

fn stream(rig: &mut Rig, topic: &str, message: &Value) {
    rig.peer.ask("stream", json!({"topic": topic, "msg": message, "hz": 50.0}));
}

fn stop(rig: &mut Rig, topic: &str) {
    rig.peer.ask("stop", json!({"topic": topic}));
}

#[test]
fn a_silence_in_motion_holds_until_the_source_is_heard_again() {
    let mut rig = base(&BASE.replace(PRIORITY, "timeout_s: 0.5"));
    rig.arm();
    stream(&mut rig, "/agent", &twist(0.25));
    rig.wait_lane(0, "flowing");
    let state = rig.state();
    assert_eq!(state["lanes"][0]["owner"], "agent");
    stop(&mut rig, "/agent");
    let from = rig.peer.count("/cmd_vel");
    let state = rig.wait_lane(0, "holding");
    assert_eq!(state["label"], "active", "a hold latches nothing");
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    stream(&mut rig, "/agent", &twist(0.375));
    rig.wait_lane(0, "flowing");
    rig.wait_message("/cmd_vel", from, "the source again", |one| goes(one, 0.375));
    stop(&mut rig, "/agent");
    assert_eq!(rig.state()["label"], "active");
}

#[test]
fn a_silence_after_a_neutral_command_only_waits() {
    let mut rig = base(&BASE.replace(PRIORITY, "timeout_s: 0.5"));
    rig.arm();
    stream(&mut rig, "/agent", &twist(0.25));
    rig.wait_lane(0, "flowing");
    stop(&mut rig, "/agent");
    rig.peer.publish("/agent", twist(0.0));
    rig.wait_lane(0, "waiting");
    rig.peer.publish("/agent", twist(0.375));
    rig.wait_lane(0, "flowing");
    // Every state since the arm, in order: never in between was it a hold.
    let topic = rig.own("state");
    let states = rig.peer.received(&topic, 0);
    let labels = states.iter().map(|one| one.message["lanes"][0]["label"].clone());
    let mut labels: Vec<Value> = labels.collect();
    labels.dedup();
    let after = labels.iter().position(|label| *label == "flowing").expect("it flowed");
    assert_eq!(labels[after..after + 3], ["flowing", "waiting", "flowing"], "{labels:?}");
}

#[test]
fn a_silence_may_disarm_where_the_file_says_so() {
    let file = BASE.replace(PRIORITY, "timeout_s: 0.5").replace(
        "        release_s",
        "        silence: {then: disarm, after_s: 0.1}\n        release_s",
    );
    let mut rig = base(&file);
    rig.arm();
    stream(&mut rig, "/agent", &twist(0.25));
    rig.wait_lane(0, "flowing");
    stop(&mut rig, "/agent");
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(state["first_trip"]["seq"], 0, "nothing latched");
    assert_eq!(state["last_trip"]["cause"], "source_silent", "but told");
    assert_eq!(state["last_trip"]["subject"], "base/agent");
    rig.wait_lane(0, "released");
}

/// Two sources: a policy, and a joystick above it.
fn two(rest: &str) -> Rig {
    let joystick = "          joystick: {topic: joystick, priority: 100, timeout_s: 0.5, \
         max_rate_hz: 1000.0, burst: 100}\n";
    let mut rig = base(&format!("{BASE}{joystick}{rest}").replace(PRIORITY, "timeout_s: 0.5"));
    rig.peer.publisher("/joystick", TWIST);
    rig
}

#[test]
fn the_higher_priority_takes_over_and_does_not_give_back() {
    let mut rig = two("");
    let service = rig.own("select_source");
    let kind = "interlock/srv/SelectSource";
    let select = |lane: &str, source: &str| json!({"lane": lane, "source": source});
    rig.arm();
    stream(&mut rig, "/agent", &twist(0.25));
    rig.wait_state("the policy in charge", |s| s["lanes"][0]["owner"] == "agent");
    // A joystick that lies on the table does not take over.
    stream(&mut rig, "/joystick", &twist(0.0));
    rig.wait_count(0, 0, "not_selected", 3);
    assert_eq!(rig.state()["lanes"][0]["owner"], "agent");
    stop(&mut rig, "/joystick");
    stream(&mut rig, "/joystick", &twist(0.125));
    rig.wait_state("the joystick in charge", |s| s["lanes"][0]["owner"] == "joystick");
    let from = rig.peer.count("/cmd_vel");
    rig.wait_message("/cmd_vel", from, "the joystick's command", |one| goes(one, 0.125));
    let denied = rig.wait_count(0, 1, "not_selected", 1)["not_selected"].as_u64();
    let from = rig.peer.count("/cmd_vel");
    rig.wait_count(0, 1, "not_selected", denied.expect("a count") + 3);
    let received = rig.peer.received("/cmd_vel", from);
    assert!(received.iter().all(|one| goes(one, 0.125)), "two sources at once: {received:?}");

    // Let go: it holds, and the policy, which never stopped, stays out.
    stop(&mut rig, "/joystick");
    rig.wait_lane(0, "holding");
    let denied = rig.wait_count(0, 1, "not_selected", 1)["not_selected"].as_u64();
    let from = rig.peer.count("/cmd_vel");
    rig.wait_count(0, 1, "not_selected", denied.expect("a count") + 3);
    assert!(rig.peer.received("/cmd_vel", from).iter().all(|one| goes(one, 0.0)));

    // By hand: refusals first.
    let refused = rig.peer.call(&service, kind, select("bass", "agent"));
    assert_eq!(refused["message"], "refused: no such lane; there are: base");
    let refused = rig.peer.call(&service, kind, select("base", "agnet"));
    assert_eq!(refused["message"], "refused: no such source; there are: joystick, agent");
    let refused = rig.peer.call(&service, kind, select("base", "joystick"));
    assert_eq!(refused["message"], "refused: the source is silent; start it first");
    assert_eq!(refused["success"], false);
    let answer = rig.peer.call(&service, kind, select("base", "agent"));
    assert_eq!((&answer["success"], &answer["owner"]), (&json!(true), &json!("agent")), "{answer}");
    let state = rig.wait_lane(0, "flowing");
    assert_eq!(state["lanes"][0]["owner"], "agent");
    assert_eq!(state["lanes"][0]["selected"], "agent");
    let from = rig.peer.count("/cmd_vel");
    rig.wait_message("/cmd_vel", from, "the policy again", |one| goes(one, 0.25));
    let answer = rig.peer.call(&service, kind, select("base", ""));
    assert_eq!(answer["message"], "by priority again");
    rig.wait_state("nothing pinned", |s| s["lanes"][0]["selected"] == "");
}

#[test]
fn stale_feedback_holds_and_fresh_feedback_lets_go() {
    let body = "    release_over_ros: true
    lanes:
      body:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: body_out
        joints: [hip, knee]
        feedback: states
        start_ramp_s: 0.0
        handover: {duration_s: 0.0}
        limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, max_acceleration: 1000000000.0}
        safe: {command: freeze, tolerance: 0.5}
        sources: {agent: {topic: agent, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
    feedback: {states: {type: sensor_msgs/msg/JointState, topic: states, timeout_s: 1.0, reliability: reliable}}
";
    let array = "std_msgs/msg/Float64MultiArray";
    let mut rig = Rig::new(body);
    rig.peer.subscribe("/body_out", array);
    rig.peer.publisher("/agent", array);
    rig.peer.wait_for_writer("/body_out");
    let state = rig.wait_state("what is in the way", |state| {
        state["unmet"].as_array().is_some_and(|unmet| unmet.len() == 2)
    });
    assert_eq!(state["unmet"][0]["code"], "feedback_stale");
    assert_eq!(state["unmet"][1]["code"], "no_safe_command");
    let pose = |hip: f64| json!({"name": ["hip", "knee"], "position": [hip, -0.25], "velocity": [0.0, 0.0]});
    rig.peer.publisher("/states", "sensor_msgs/msg/JointState");
    stream(&mut rig, "/states", &pose(0.25));
    rig.arm();
    let first = rig.wait_message("/body_out", 0, "the pose held", |_| true);
    assert_eq!(first.message["data"], json!([0.25, -0.25]), "the measured pose");
    let sent = json!([0.5, -0.5]);
    stream(&mut rig, "/agent", &json!({"data": sent}));
    rig.wait_message("/body_out", 0, "the command", |one| one.message["data"] == sent);
    stop(&mut rig, "/states");
    let state = rig.wait_lane(0, "holding");
    assert_eq!(state["permitted"], false);
    assert_eq!(state["label"], "active");
    let withheld = rig.wait_count(0, 0, "withheld", 3);
    assert_eq!(withheld["rejected"], 0);
    let from = rig.peer.count("/body_out");
    rig.wait_message("/body_out", from, "the pose held", |_| true);
    let held = rig.peer.received("/body_out", from);
    assert!(held.iter().all(|one| one.message["data"] == sent), "the last sent: {held:?}");
    stream(&mut rig, "/states", &pose(0.25));
    rig.wait_state("permitted again", |state| state["permitted"] == true);
    rig.wait_lane(0, "flowing");
}

/// A velocity lane of stamped commands.
fn stamped() -> String {
    BASE.replace(TWIST, STAMPED)
}

/// The number that a stream counted into its commands; none of the safe command, whose stamp is the
/// time.
fn number(received: &crate::peer::Received) -> Option<u64> {
    let sec = received.message["header"]["stamp"]["sec"].as_u64()?;
    (sec < 1_000_000).then_some(sec)
}

#[test]
fn hazard_02_stale_command_after_reset() {
    let mut rig = Rig::new(&stamped());
    rig.peer.subscribe("/cmd_vel", STAMPED);
    rig.peer.publisher("/agent", STAMPED);
    rig.peer.wait_for_writer("/cmd_vel");
    // Standing still, as a source that streams must at an arm; each tells its number in its stamp.
    let counting = json!({
        "topic": "/agent", "msg": {}, "hz": 400.0,
        "count_into": ["header", "stamp", "sec"], "step": 1,
    });
    rig.peer.ask("stream", counting);
    rig.wait_count(0, 0, "withheld", 5);
    for round in 0..3 {
        let from = rig.peer.count("/cmd_vel");
        // What had been published before the call of the arm that is accepted.
        let mut before = 0;
        wait_for("an arm that is accepted", || {
            let seq = rig.state()["seq"].as_u64();
            let call = json!({"service": "/interlock/arm", "type": "interlock/srv/Arm",
                              "request": {"seq": seq}});
            let answer = rig.peer.ask("call", call);
            before = answer["before"]["/agent"].as_u64().expect("the stream's count");
            answer["response"]["success"] == true
        });
        rig.wait_message("/cmd_vel", from, "a command after the arm", |one| {
            number(one) > Some(before)
        });
        let numbers: Vec<u64> =
            rig.peer.received("/cmd_vel", from).iter().filter_map(number).collect();
        let old: Vec<&u64> = numbers.iter().filter(|n| **n <= before).collect();
        assert!(old.is_empty(), "round {round}: sent before the arm at {before}: {numbers:?}");
        let mark = rig.peer.count("/cmd_vel");
        assert!(rig.trigger("kill")["success"] == true);
        // The safe command comes after all that was forwarded: none of it is left on the way to the
        // peer when the next round begins to look.
        rig.wait_message("/cmd_vel", mark, "the safe command", |one| number(one).is_none());
        rig.reset();
    }
}

#[test]
fn hazard_02_a_command_left_in_the_queue_is_drained_at_arm() {
    // One command in two seconds: the second waits in the middleware's queue for its token. Both stand
    // still for the engage rule, and can be told apart.
    let (first, second) = (2e-7, 5e-7);
    let mut rig =
        base(&BASE.replace("max_rate_hz: 1000.0, burst: 100", "max_rate_hz: 0.5, burst: 1"));
    wait_for("an arm that comes before the token", || {
        let counts = rig.wait_count(0, 0, "withheld", 0);
        let withheld = counts["withheld"].as_u64().expect("a count");
        rig.peer.publish("/agent", twist(first));
        rig.wait_count(0, 0, "withheld", withheld + 1);
        let taken = interlock::clock::steady();
        rig.peer.publish("/agent", twist(second));
        rig.arm();
        // Taken at the arm, before the state moved, for the next token was not there yet; without that
        // it would go out with it.
        let before_token = interlock::clock::steady().since(taken) < Duration::from_millis(1_500);
        let counts = rig.wait_count(0, 0, "withheld", 0);
        let drained = before_token && counts["withheld"].as_u64() == Some(withheld + 2);
        if !drained {
            rig.trigger("disarm");
        }
        drained
    });
    rig.flows("/agent", 0.375);
    let received = rig.peer.received("/cmd_vel", 0);
    let old = received.iter().find(|one| !goes(one, 0.0) && !goes(one, 0.375));
    assert_eq!(old, None, "a command from before the arm");
}

#[test]
fn a_lane_that_holds_holds_the_others_unless_it_is_independent() {
    let second = |rest: &str| {
        format!(
            "      side:
        type: geometry_msgs/msg/Twist
        output: side_vel
        feedback: none
        because: a test has no robot
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1000000.0}}}}}}
        safe: {{command: zero_velocity}}
        sources: {{agent: {{topic: side, priority: 10, timeout_s: 0.5, max_rate_hz: 1000.0}}}}
{rest}"
        )
    };
    for (rest, other) in [("", "holding"), ("        independent: true\n", "flowing")] {
        let mut rig = base(&format!("{BASE}{}", second(rest)));
        rig.peer.subscribe("/side_vel", TWIST);
        rig.peer.publisher("/side", TWIST);
        rig.arm();
        stream(&mut rig, "/agent", &twist(0.25));
        stream(&mut rig, "/side", &twist(0.25));
        rig.wait_lane(1, "flowing");
        rig.wait_lane(0, "flowing");
        stop(&mut rig, "/side");
        rig.wait_lane(1, "holding");
        let what = format!("the other lane {other} while one holds");
        rig.wait_state(&what, |state| {
            state["lanes"][1]["label"] == "holding" && state["lanes"][0]["label"] == other
        });
        if other == "holding" {
            stream(&mut rig, "/side", &twist(0.25));
            rig.wait_state("both again", |state| {
                state["lanes"][0]["label"] == "flowing" && state["lanes"][1]["label"] == "flowing"
            });
        }
    }
}

#[test]
fn a_moving_robot_or_an_unread_output_is_not_armed() {
    let mut rig = Rig::new(
        &BASE
            .replace("feedback: none\n        because: a test has no robot", "feedback: odom")
            .replace("    lanes:", "    feedback: {odom: {type: nav_msgs/msg/Odometry, topic: odom, timeout_s: 60.0}}\n    lanes:"),
    );
    rig.peer.publisher("/odom", "nav_msgs/msg/Odometry");
    let odometry = |x: f64| json!({"twist": {"twist": {"linear": {"x": x}}}});
    let codes = |state: &Value| -> Vec<Value> {
        let unmet = state["unmet"].as_array().cloned().unwrap_or_default();
        unmet.iter().map(|one| one["code"].clone()).collect()
    };
    // Feedback is best effort: the first samples may be lost while the endpoints still match.
    wait_for("both in the way", || {
        rig.peer.publish("/odom", odometry(0.5));
        codes(&rig.state()) == ["not_standing_still", "no_controller"]
    });
    let state = rig.state();
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("0.500") && text.contains("start its controller"), "{text}");
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.wait_state("the reader to be seen", |state| codes(state) == ["not_standing_still"]);
    wait_for("the mean to come down", || {
        rig.peer.publish("/odom", odometry(0.0));
        codes(&rig.state()).is_empty()
    });
    rig.arm();
}

#[test]
fn a_part_of_the_joints_is_a_command_where_the_file_says_so() {
    // Joints that the lane does not have beside those it has are no hindrance.
    let body = "    release_over_ros: true
    lanes:
      body:
        type: sensor_msgs/msg/JointState
        interface: position
        balance: false
        output: body_out
        joints: [hip, knee]
        partial: true
        feedback: states
        start_ramp_s: 0.0
        handover: {duration_s: 0.0}
        limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, max_acceleration: 1000000000.0}
        safe: {command: freeze, tolerance: 5.0}
        sources: {agent: {topic: agent, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
    feedback: {states: {type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}
";
    let kind = "sensor_msgs/msg/JointState";
    let mut rig = Rig::new(body);
    rig.peer.subscribe("/body_out", kind);
    rig.peer.publisher("/agent", kind);
    rig.peer.wait_for_writer("/body_out");
    stands(&mut rig, &["arm", "knee", "hip", "head"]);
    rig.arm();
    // A part of the joints is a complete command here.
    let sent = rig.peer.serialize(kind, json!({"name": ["knee"], "position": [0.5]}));
    rig.peer.publish_bytes("/agent", &sent);
    rig.wait_message("/body_out", 0, "the partial command", |one| one.bytes == sent);
    rig.trigger("kill");
    // The stop names every joint: the one that was sent, and the one that was held.
    let stop = rig.wait_message("/body_out", 0, "the stop", |one| {
        one.message["position"] == json!([0.0, 0.5])
    });
    assert_eq!(stop.message["name"], json!(["hip", "knee"]));
}
