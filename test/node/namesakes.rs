//! Strangers on an output that are hard to tell by their name: this node's own, and a remapped topic.

use serde_json::{Value, json};

use crate::neighbours::armed;
use crate::peer::Peer;
use crate::rig::{BASE, Rig, TWIST};

/// More looks at the graph than a ghost lives.
const LOOKS: usize = 80;

/// In flow, a stranger appears on the output: killed. Returns what is said of it.
fn appears(rig: &mut Rig, stranger: &mut Peer, topic: &str) -> String {
    rig.flows("/agent", 0.25);
    stranger.publisher(topic, TWIST);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "foreign_publisher");
    assert_eq!(state["first_trip"]["subject"], "base");
    let detail = state["first_trip"]["detail"].as_str().expect("a text").to_owned();
    rig.reset();
    detail
}

/// What stands in the way because of the stranger, once it is told by these words.
fn told(rig: &mut Rig, words: &str) -> Value {
    rig.wait_state(words, |state| {
        let mut unmet = state["unmet"].as_array().expect("a list").iter();
        unmet.any(|one| {
            one["code"] == "foreign_publisher"
                && one["text"].as_str().is_some_and(|text| text.contains(words))
        })
    })
}

#[test]
fn hazard_12_a_stranger_of_our_own_name_is_a_ghost_only_for_a_while() {
    let mut rig = armed(BASE);
    // As another interlock of the same name would, from another machine.
    let mut namesake = Peer::start_as(&rig.lease, &rig.scratch, "namesake", "interlock_gate");
    let detail = appears(&mut rig, &mut namesake, "/cmd_vel");
    assert!(detail.contains("/interlock_gate"), "{detail}");
    let seq = told(&mut rig, "a ghost of this node's last run")["seq"].as_u64().expect("a seq");
    // Every arm looks at the graph.
    for _ in 0..LOOKS {
        let refused = rig.verb("arm", seq);
        assert_eq!(refused["success"], false, "{refused}");
    }
    let state = told(&mut rig, "another interlock of this node's name");
    assert!(!state["unmet"].to_string().contains("gone in about"), "{state}");
    // And back, once it has gone.
    namesake.ask("remove", json!({"topic": "/cmd_vel"}));
    rig.arm();
    rig.flows("/agent", 0.375);
}

#[test]
fn hazard_12_a_remapped_publisher_is_a_stranger() {
    let mut rig = armed(BASE);
    let rule = ("remapped", "/vendor/cmd_vel:=/cmd_vel");
    let mut remapped = Peer::start_remapped(&rig.lease, &rig.scratch, rule);
    let detail = appears(&mut rig, &mut remapped, "/vendor/cmd_vel");
    assert!(detail.contains("/remapped"), "{detail}");
    remapped.ask("remove", json!({"topic": "/vendor/cmd_vel"}));
    rig.arm();
    rig.flows("/agent", 0.375);
}
