//! Who else is on the graph: strangers on a source, on an output, on other paths to the robot, and a
//! controller that goes or is another one.

use serde_json::{Value, json};

use crate::endings::hold;
use crate::monitor::{series, wait_series};
use crate::operators::{ctl, said};
use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

/// The base in flow: read by the peer, and armed.
pub(crate) fn armed(params: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig
}

pub(crate) fn has_unmet(state: &Value, code: &str) -> bool {
    state["unmet"].as_array().expect("a list").iter().any(|one| one["code"] == code)
}

pub(crate) fn last_cause(state: &Value) -> &str {
    state["last_trip"]["cause"].as_str().expect("a cause")
}

#[test]
fn only_the_nodes_that_are_allowed_may_command() {
    let mut rig = Rig::new(&BASE.replace("burst: 100", "burst: 100, allowed_nodes: [/policy]"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    let mut policy = Peer::start_as(&rig.lease, &rig.scratch, "policy", "policy");
    policy.publisher("/agent", TWIST);
    rig.arm();
    // Known by the next audit; until then it is a stranger, too.
    let from = rig.peer.count("/cmd_vel");
    wait_for("the policy's command", || {
        policy.publish("/agent", twist(0.25));
        rig.peer.received("/cmd_vel", from).iter().any(|one| goes(one, 0.25))
    });
    let rejected = rig.wait_count(0, 0, "rejected", 0)["rejected"].as_u64().expect("a count");
    for more in 1..=3 {
        rig.peer.publish("/agent", twist(0.5));
        let counts = rig.wait_count(0, 0, "rejected", rejected + more);
        assert_eq!(counts["last_reason"], "publisher_not_allowed");
    }
    // The stranger neither took the source over nor used up its rate.
    policy.publish("/agent", twist(0.125));
    rig.wait_message("/cmd_vel", from, "the policy's next", |one| goes(one, 0.125));
    assert!(rig.peer.received("/cmd_vel", from).iter().all(|one| !goes(one, 0.5)));
}

#[test]
fn hazard_62_two_publishers_one_source_on_the_wire() {
    let mut rig = armed(BASE);
    let mut second = Peer::start_as(&rig.lease, &rig.scratch, "second", "second");
    second.publisher("/agent", TWIST);
    rig.flows("/agent", 0.25);
    for more in 1..=3 {
        second.publish("/agent", twist(0.5));
        let counts = rig.wait_count(0, 0, "rejected", more);
        assert_eq!(counts["last_reason"], "other_publisher");
    }
    rig.flows("/agent", 0.375);
    assert!(rig.peer.received("/cmd_vel", 0).iter().all(|one| !goes(one, 0.5)));
}

#[test]
fn hazard_12_foreign_publisher_on_output() {
    // Before the arm it is in the way; in motion it kills.
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    let mut stranger = Peer::start_as(&rig.lease, &rig.scratch, "stranger", "stranger");
    stranger.publisher("/cmd_vel", TWIST);
    // An endpoint can be discovered before the node that it belongs to has a name.
    let state = rig.wait_state("a stranger with a name", |state| {
        has_unmet(state, "foreign_publisher") && state["unmet"].to_string().contains("/stranger")
    });
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    let text = refused["message"].as_str().expect("a text");
    assert!(refused["success"] == false && text.contains("/stranger"), "{text}");
    assert!(text.contains("/cmd_vel") || text.contains("cmd_vel"), "{text}");
    assert_eq!(state["first_trip"]["seq"], 0, "nothing latches while nothing can move");
    stranger.ask("remove", json!({"topic": "/cmd_vel"}));
    rig.arm();
    rig.flows("/agent", 0.25);
    stranger.publisher("/cmd_vel", TWIST);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "foreign_publisher");
    assert_eq!(state["first_trip"]["subject"], "base");
    let detail = state["first_trip"]["detail"].as_str().expect("a text");
    assert!(detail.contains("/stranger"), "{detail}");
    // And back, once it has gone.
    stranger.ask("remove", json!({"topic": "/cmd_vel"}));
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.375);
}

#[test]
fn hazard_12_a_writer_that_belongs_there_is_no_stranger() {
    let mut rig = armed(&BASE.replace("release_s", "other_publishers: 1\n        release_s"));
    let mut firmware = Peer::start_as(&rig.lease, &rig.scratch, "firmware", "firmware");
    firmware.publisher("/cmd_vel", TWIST);
    let mut stranger = Peer::start_as(&rig.lease, &rig.scratch, "stranger", "stranger");
    rig.flows("/agent", 0.25);
    assert_eq!(rig.state()["lanes"][0]["foreign_publishers"], 0);
    // One more than expected.
    stranger.publisher("/cmd_vel", TWIST);
    rig.wait_state("killed", |state| {
        state["label"] == "killed" && last_cause(state) == "foreign_publisher"
    });
}

#[test]
fn hazard_56_side_door() {
    let paths = "    other_paths: [/raw/cmd_vel, /raw/enable, /raw/follow]\n";
    let mut rig = armed(&format!("{paths}{BASE}"));
    let mut side = Peer::start_as(&rig.lease, &rig.scratch, "side", "side");
    // A topic's publisher, a service's client, an action's client: its goals are a service.
    let goal = "/raw/follow/_action/send_goal";
    let doors = [
        ("publisher", json!({"topic": "/raw/cmd_vel", "type": TWIST}), "/raw/cmd_vel"),
        (
            "only_client",
            json!({"service": "/raw/enable", "type": "std_srvs/srv/Trigger"}),
            "/raw/enable",
        ),
        ("only_client", json!({"service": goal, "type": "std_srvs/srv/Trigger"}), "/raw/follow"),
    ];
    for (operation, door, path) in doors {
        rig.flows("/agent", 0.25);
        side.ask(operation, door.clone());
        let state = rig.wait_state("killed", |state| state["label"] == "killed");
        assert_eq!(state["first_trip"]["cause"], "other_path");
        assert_eq!(state["first_trip"]["subject"], path);
        // While it is open: disarmed at most, and told.
        rig.reset();
        let state = rig.wait_state("the cause in the way", |s| has_unmet(s, "cause_present"));
        let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
        let text = refused["message"].as_str().expect("a text");
        assert!(refused["success"] == false && text.contains(path), "{text}");
        side.ask("remove", door);
        rig.arm();
    }
}

/// The base behind a named controller.
pub(crate) fn controlled() -> String {
    BASE.replace("        release_s", "        controller: /base_controller\n        release_s")
}

fn controller(rig: &Rig, name: &str) -> Peer {
    let mut peer = Peer::start_as(&rig.lease, &rig.scratch, name, "base_controller");
    peer.subscribe("/cmd_vel", TWIST);
    peer
}

#[test]
fn a_controller_that_goes_disarms() {
    let mut rig = Rig::new(&controlled());
    rig.peer.publisher("/agent", TWIST);
    // A recorder is no controller (hazard 55).
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.wait_state("another reader", |state| has_unmet(state, "controller_mismatch"));
    let text = said(&ctl(&rig, &["doctor"]));
    let found = "BAD          controllers     of base: '/base_controller' does not read the\n";
    assert!(text.contains(found), "{text}");
    let mut first = controller(&rig, "first");
    rig.arm();
    rig.flows("/agent", 0.25);
    first.ask("unsubscribe", json!({"topic": "/cmd_vel"}));
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(last_cause(&state), "controller_gone");
    assert_eq!(state["last_trip"]["subject"], "base");
    assert_eq!(state["first_trip"]["seq"], 0, "nothing latched");
    // It is timed as a kill is.
    wait_series(&mut rig, "interlock_stop_seconds_count{trigger=\"automatic\"}", |n| n == 1.0);
}

#[test]
fn when_nobody_looks_at_the_graph_any_more_expect_the_controller_to_count_as_gone() {
    let mut rig = Rig::new(&controlled());
    let _first = controller(&rig, "first");
    rig.arm();
    let audited = "interlock_graph_audit_timestamp_seconds";
    let before = wait_series(&mut rig, audited, |at| at > 0.0);
    wait_series(&mut rig, audited, |at| at > before);
    let Some(control) = hold(&rig, "control") else { return };
    wait_series(&mut rig, "interlock_state{state=\"disarmed\"}", |one| one == 1.0);
    let says = |rig: &Rig, part: &str| rig.node.log().contains(part);
    wait_for("it in the log", || says(&rig, "the graph has not been looked at for 5 s"));
    // What nobody looks at is neither read nor unread, and not free of strangers.
    for family in ["interlock_output_subscribers", "interlock_output_foreign_publishers"] {
        assert_eq!(series(&mut rig, &format!("{family}{{lane=\"base\"}}")), None, "{family}");
    }
    let status = rig.status();
    let lane = &status["lanes"][0];
    assert!(lane["subscribers"].is_null(), "{lane}");
    let notes = lane["notes"].to_string();
    assert!(notes.contains("nobody has looked at its readers and writers"), "{notes}");
    let unmet = status["unmet"][0]["text"].as_str().expect("what is in the way");
    assert!(unmet.starts_with("who reads lane 'base' is not known"), "{unmet}");
    drop(control);
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    assert_eq!(last_cause(&state), "controller_gone");
    wait_for("the way back in the log", || says(&rig, "the graph is looked at again"));
    rig.arm();
}

#[test]
fn hazard_54_controller_restarts_under_flow() {
    let mut rig = Rig::new(&controlled());
    rig.peer.publisher("/agent", TWIST);
    let mut first = controller(&rig, "first");
    rig.arm();
    rig.wait_lane(0, "waiting");
    rig.peer.ask("stream", json!({"topic": "/agent", "msg": twist(0.25), "hz": 50.0}));
    rig.wait_lane(0, "flowing");
    // A second one of that name beside the first, then the first goes: no gap, and yet another one.
    let mut second = controller(&rig, "second");
    second.wait_for_writer("/cmd_vel");
    first.ask("unsubscribe", json!({"topic": "/cmd_vel"}));
    let state = rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    let cause = last_cause(&state);
    assert!(["controller_changed", "controller_gone"].contains(&cause), "{cause}");
    rig.wait_lane(0, "released");
    // The new one gets nothing of the policy, which never stopped, before an arm.
    let from = second.count("/cmd_vel");
    let withheld = rig.wait_count(0, 0, "withheld", 1)["withheld"].as_u64().expect("a count");
    rig.wait_count(0, 0, "withheld", withheld + 10);
    assert_eq!(second.count("/cmd_vel"), from);
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    rig.peer.publish("/agent", twist(0.0));
    rig.arm();
    wait_for("the new controller's command", || {
        rig.peer.publish("/agent", twist(0.375));
        second.received("/cmd_vel", from).iter().any(|one| goes(one, 0.375))
    });
}
