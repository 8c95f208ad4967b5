//! Kill inputs of any type, from writers of any quality of service.

use serde_json::{Value, json};

use crate::monitor::wait_series;
use crate::operators::{ctl, said};
use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST};
use crate::support::wait_for;

pub(crate) const BOOL: &str = "std_msgs/msg/Bool";

/// A wired button, without a heartbeat.
pub(crate) const WIRED: &str = "    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, field: data, \
     asserted_when: true, allow_no_heartbeat: true}}\n";

pub(crate) fn ready(inputs: &str) -> Rig {
    let mut rig = Rig::new(&format!("{BASE}{inputs}"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig
}

pub(crate) fn asserted(state: &Value) -> bool {
    state["kill_inputs"][0]["asserted"] == true
}

#[test]
fn hazard_07_kill_topic_qos_mismatch() {
    let mut rig = ready(WIRED);
    for (reliability, durability) in [
        ("RELIABLE", "TRANSIENT_LOCAL"),
        ("RELIABLE", "VOLATILE"),
        ("BEST_EFFORT", "TRANSIENT_LOCAL"),
        ("BEST_EFFORT", "VOLATILE"),
    ] {
        rig.arm();
        let kind = json!({"topic": "/button", "type": BOOL, "reliability": reliability,
                          "durability": durability});
        rig.peer.ask("publisher", kind);
        // A best effort sample may be lost while the endpoints still match.
        wait_for("a kill by the button", || {
            rig.peer.publish("/button", json!({"data": true}));
            rig.state()["label"] == "killed"
        });
        let state = rig.wait_state("its publisher by name", |state| {
            state["kill_inputs"][0]["asserted_by"] == "/peer"
        });
        assert_eq!(state["first_trip"]["cause"], "kill_input_asserted");
        wait_for("the release", || {
            rig.peer.publish("/button", json!({"data": false}));
            !asserted(&rig.state())
        });
        rig.reset();
        rig.peer.ask("remove", json!({"topic": "/button"}));
    }
    // Another type is never taken, and told.
    assert_eq!(rig.state()["kill_inputs"][0]["incompatible"], false);
    let mut other = Peer::start(&rig.lease, &rig.scratch, "other");
    other.ask(
        "publisher",
        json!({"topic": "/button", "key": "wrong", "type": "std_msgs/msg/String"}),
    );
    rig.wait_state("an incompatible publisher", |state| {
        state["kill_inputs"][0]["incompatible"] == true
    });
    assert_eq!(rig.state()["label"], "disarmed");
}

#[test]
fn a_press_from_before_the_node_started_is_still_a_press() {
    let mut rig = ready(WIRED);
    rig.node.signal(rustix::process::Signal::TERM);
    rig.node.ended();
    rig.peer.ask(
        "publisher",
        json!({"topic": "/button", "type": BOOL, "durability": "TRANSIENT_LOCAL"}),
    );
    rig.peer.publish("/button", json!({"data": true}));
    let file = rig.scratch.path().join("params.yaml");
    let args = ["--ros-args", "--params-file", file.to_str().expect("a plain path")];
    rig.node = crate::rig::Node::start(&rig.lease, &rig.scratch, &args);
    let state = rig.wait_state("killed by the old press", |state| {
        state["label"] == "killed" && state["first_trip"]["cause"] == "kill_input_asserted"
    });
    assert!(asserted(&state));
    // It was replayed, so it is no sign of life.
    assert_eq!(state["kill_inputs"][0]["seen"], false);
    wait_series(
        &mut rig,
        "interlock_kill_input_asserted{input=\"button\",action=\"kill\"}",
        |one| one == 1.0,
    );
}

#[test]
fn hazard_04_reset_with_cause_present() {
    let two = "    kill_inputs:
      left: {type: std_msgs/msg/Bool, topic: left, field: data, asserted_when: true, timeout_s: 60.0}
      pad: {type: sensor_msgs/msg/Joy, topic: pad, field: 'buttons[4]', asserted_when: 1, timeout_s: 60.0}
";
    let mut rig = ready(two);
    rig.peer.publisher("/left", BOOL);
    rig.peer.publisher("/pad", "sensor_msgs/msg/Joy");
    let joy = |pressed: i32| json!({"buttons": [0, 0, 0, 0, pressed, 0]});
    rig.peer.publish("/left", json!({"data": false}));
    rig.peer.publish("/pad", joy(0));
    rig.arm();
    rig.peer.publish("/pad", joy(1));
    rig.peer.publish("/left", json!({"data": true}));
    let names = |state: &Value| -> Vec<String> {
        let unmet = state["unmet"].as_array().expect("a list").iter();
        unmet.map(|one| one["subject"].as_str().expect("a subject").to_owned()).collect()
    };
    let state = rig.wait_state("both in the way", |state| names(state) == ["left", "pad"]);
    assert_eq!(state["label"], "killed");
    let refused = rig.verb("reset", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(
        refused["success"] == false && text.contains("'left'") && text.contains("'pad'"),
        "{text}"
    );
    rig.peer.publish("/left", json!({"data": false}));
    let state = rig.wait_state("one left", |state| names(state) == ["pad"]);
    let refused = rig.verb("reset", state["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false, "{refused}");
    rig.peer.publish("/pad", joy(0));
    rig.wait_state("none left", |state| names(state).is_empty());
    rig.reset();
    rig.arm();
}

#[test]
fn a_dead_man_that_is_let_go_disarms_and_latches_nothing() {
    let mut rig = ready(
        "    kill_inputs: {hold: {type: std_msgs/msg/Bool, topic: hold, field: data, \
         asserted_when: false, timeout_s: 60.0, action: disarm}}\n",
    );
    rig.peer.publisher("/hold", BOOL);
    rig.peer.publish("/hold", json!({"data": true}));
    rig.arm();
    rig.flows("/agent", 0.25);
    rig.peer.publish("/hold", json!({"data": false}));
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(state["last_trip"]["cause"], "kill_input_asserted");
    assert_eq!(state["first_trip"]["seq"], 0, "nothing latched");
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    // Let go of, it is not in the way of a reset.
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.reset();
    rig.peer.publish("/hold", json!({"data": true}));
    rig.arm();
}

#[test]
fn hazard_55_recorder_passes_for_controller() {
    let named = BASE.replace("        release_s", "        controller: /base\n        release_s");
    let mut rig = Rig::new(&named);
    let mut recorder = Peer::start_as(&rig.lease, &rig.scratch, "recorder", "rosbag2_recorder");
    recorder.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    let state = rig.wait_state("a reader that is not the controller", |state| {
        let unmet = state["unmet"].as_array().expect("a list");
        state["lanes"][0]["subscribers"] == 1
            && unmet.iter().any(|one| one["code"] == "controller_mismatch")
    });
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(refused["success"] == false && text.contains("'/base'"), "{text}");
    // And who reads it instead.
    rig.wait_state("the recorder by name", |state| {
        state["unmet"].to_string().contains("read by /rosbag2_recorder")
    });
}

#[test]
fn a_cut_is_requested_while_it_moves_after_a_stop_and_withdrawn_by_the_reset() {
    let params = BASE
        .replace("feedback: none\n        because: a test has no robot", "feedback: odom")
        + "    feedback: {odom: {type: nav_msgs/msg/Odometry, topic: odom, timeout_s: 60.0, \
           reliability: reliable}}\n    \
           stop: {deadline_s: 0.1, escalation: cut_request, cut_topic: cut}\n";
    let mut rig = Rig::new(&params);
    rig.peer
        .ask("subscribe", json!({"topic": "/cut", "type": BOOL, "durability": "TRANSIENT_LOCAL"}));
    rig.peer.publisher("/odom", "nav_msgs/msg/Odometry");
    rig.peer.publish("/odom", json!({"twist": {"twist": {"linear": {"x": 0.5}}}}));
    assert_eq!(rig.trigger("kill")["success"], true);
    for wanted in 1..=3 {
        wait_for("the request, again", || rig.peer.count("/cut") >= wanted);
    }
    assert!(rig.peer.received("/cut", 0).iter().all(|one| one.message["data"] == true));
    rig.wait_state("the motion in words", |state| {
        let extra = state["extra"].as_array().expect("a list");
        extra.iter().any(|one| one["key"] == "not still base")
    });
    let moves = "interlock_lane_moves_after_stop{lane=\"base\"}";
    wait_series(&mut rig, moves, |moves| moves == 1.0);
    // Whoever looks, and whoever is about to reset, is told below the headline; nobody answers here.
    for verb in ["status", "reset"] {
        let text = said(&ctl(&rig, &[verb]));
        let second = text.lines().nth(1).expect("a second line");
        assert_eq!(
            second, "  NOT STILL   base: linear.x moves: 0.500, still is below 0.05",
            "{text}"
        );
    }
    rig.reset();
    wait_series(&mut rig, moves, |moves| moves == 0.0);
    rig.wait_message("/cut", 0, "the request withdrawn", |one| one.message["data"] == false);
}
