//! The publishers of a kill input: two at once, and one that dies while it asserts.

use serde_json::json;

use crate::kill_inputs::{BOOL, WIRED, asserted, ready};
use crate::peer::Peer;
use crate::rig::Rig;

fn driver(rig: &Rig, name: &str) -> Peer {
    let mut peer = Peer::start_as(&rig.lease, &rig.scratch, name, name);
    peer.publisher("/button", BOOL);
    peer
}

/// Presses, and waits until it is known who did. Returns the seq of the kill.
fn press(rig: &mut Rig, driver: &mut Peer, name: &str) -> u64 {
    driver.publish("/button", json!({"data": true}));
    let state = rig.wait_state("killed by name", |state| {
        state["label"] == "killed" && state["kill_inputs"][0]["asserted_by"] == format!("/{name}")
    });
    state["seq"].as_u64().expect("a seq")
}

/// A reset that is refused, because of this node.
fn is_refused(rig: &mut Rig, seq: u64, name: &str) {
    let refused = rig.verb("reset", seq);
    let text = refused["message"].as_str().expect("a text");
    assert!(refused["success"] == false, "{text}");
    assert!(text.contains(&format!("'button' asserts, by /{name}: release it")), "{text}");
}

/// Waits until nobody asserts: still killed, and nothing has happened that a reset would not know of.
fn wait_forgotten(rig: &mut Rig, seq: u64) {
    let state = rig.wait_state("nobody asserts", |state| !asserted(state));
    assert_eq!((state["label"].as_str(), state["seq"].as_u64()), (Some("killed"), Some(seq)));
    assert_eq!(state["permitted"], false);
}

#[test]
fn hazard_50_two_publishers_one_kill_on_the_wire() {
    let mut rig = ready(WIRED);
    let (mut left, mut right) = (driver(&rig, "left"), driver(&rig, "right"));
    rig.arm();
    let seq = press(&mut rig, &mut left, "left");
    for _ in 0..3 {
        right.publish("/button", json!({"data": false}));
        is_refused(&mut rig, seq, "left");
    }
    left.publish("/button", json!({"data": false}));
    wait_forgotten(&mut rig, seq);
    rig.reset();
}

#[test]
fn hazard_05_a_publisher_that_died_pressed_is_not_in_the_way_for_ever() {
    let mut rig = ready(WIRED);
    let mut first = driver(&rig, "first");
    rig.arm();
    let seq = press(&mut rig, &mut first, "first");
    is_refused(&mut rig, seq, "first");
    // It ends by itself: off the graph at once.
    first.ask("remove", json!({"topic": "/button"}));
    wait_forgotten(&mut rig, seq);
    rig.reset();
    rig.arm();
    // Its next life presses like any other, and another one's word does not count for it.
    let mut second = driver(&rig, "second");
    let seq = press(&mut rig, &mut second, "second");
    let mut third = driver(&rig, "third");
    // `kill -9`: in the way for as long as the graph has its ghost, and no longer.
    drop(second);
    third.publish("/button", json!({"data": false}));
    is_refused(&mut rig, seq, "second");
    wait_forgotten(&mut rig, seq);
    rig.reset();
    rig.arm();
}
