//! Kill, reset, arm: the latch, its answers, and who tells of it.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::wait_for;

/// The base lane, armed, in flow from `/agent` to `/cmd_vel`.
fn flowing(params: &str) -> Rig {
    let mut rig = Rig::new(params);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.25);
    rig
}

/// Everything after the first safe command that follows index `from` is safe too, up to now.
fn only_safe_after_the_first(rig: &mut Rig, from: usize) {
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    let received = rig.peer.received("/cmd_vel", from);
    let first = received.iter().position(|one| goes(one, 0.0)).expect("seen above");
    let moving: Vec<_> = received[first..].iter().filter(|one| !goes(one, 0.0)).collect();
    assert!(moving.is_empty(), "a command after the stop: {moving:#?}");
}

#[test]
fn a_whole_cycle_of_kill_reset_and_arm() {
    let mut rig = flowing(BASE);
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let from = rig.peer.count("/cmd_vel");

    let killed = rig.trigger("kill");
    assert_eq!(killed["success"], true);
    let text = killed["message"].as_str().expect("a text");
    assert!(text.starts_with(&format!("killed, seq {}", seq + 1)), "{text}");
    assert!(text.contains("reset, then arm"), "{text}");
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["seq"], seq + 1);
    assert_eq!(state["permitted"], false);
    assert_eq!(state["lanes"][0]["label"], "safe");
    for trip in ["first_trip", "last_trip"] {
        assert_eq!(state[trip]["cause"], "kill_service", "{trip}");
        assert_eq!(state[trip]["seq"], seq + 1, "{trip}");
    }

    // Commands during the latch are not forwarded.
    let withheld = rig.wait_count(0, 0, "withheld", 0)["withheld"].as_u64().expect("a count");
    for count in 1..=3 {
        rig.peer.publish("/agent", twist(0.125));
        rig.wait_count(0, 0, "withheld", withheld + count);
    }
    only_safe_after_the_first(&mut rig, from);

    // Neither arm nor a reset with an old seq releases it.
    let refused = rig.verb("arm", seq + 1);
    assert_eq!(refused["success"], false);
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("reset first") && text.contains("/interlock/reset"), "{text}");
    let refused = rig.verb("reset", seq);
    assert_eq!(refused["success"], false);
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains(&format!("seq is {} now", seq + 1)), "{text}");
    assert_eq!(rig.state()["label"], "killed");

    // A second kill is the same cause again: it is served, and seq stays.
    assert_eq!(rig.trigger("kill")["success"], true);
    assert_eq!(rig.state()["seq"], seq + 1);

    // Reset alone moves nothing.
    let reset = rig.verb("reset", seq + 1);
    assert_eq!(reset["success"], true, "{reset}");
    let text = reset["message"].as_str().expect("a text");
    assert_eq!(text, format!("disarmed, seq {}: nothing moves until arm", seq + 2));
    assert_eq!(reset["seq"], seq + 2);
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    let withheld = rig.wait_count(0, 0, "withheld", 0)["withheld"].as_u64().expect("a count");
    rig.peer.publish("/agent", twist(0.125));
    rig.wait_count(0, 0, "withheld", withheld + 1);
    only_safe_after_the_first(&mut rig, from);

    // An arm that was meant for the state before is refused; the next one is not.
    let refused = rig.verb("arm", seq);
    assert_eq!(refused["success"], false);
    assert!(refused["message"].as_str().expect("a text").contains("seq is"), "{refused}");
    let from = rig.peer.count("/cmd_vel");
    let armed = rig.arm();
    assert_eq!(armed["message"], format!("active, seq {}, profile full", seq + 3));
    assert_eq!(armed["unmet"], json!([]));
    let refused = rig.verb("arm", seq + 3);
    assert_eq!(refused["message"], "refused: already active");
    rig.flows("/agent", 0.375);
    let received = rig.peer.received("/cmd_vel", from);
    let old = received.iter().find(|one| !goes(one, 0.0) && !goes(one, 0.375));
    assert_eq!(old, None, "a command from before the arm");
    let refused = rig.verb("reset", seq + 3);
    assert_eq!(refused["message"], "refused: not killed: nothing to reset");
    // A new kill cannot reach back to the old one's reset.
    assert_eq!(rig.trigger("kill")["success"], true);
    assert_eq!(rig.verb("reset", seq + 1)["success"], false);
    assert_eq!(rig.wait_lane(0, "safe")["label"], "killed");
}

#[test]
fn state_is_read_by_a_late_joiner_and_permit_says_when_motion_is_permitted() {
    let mut rig = Rig::new(BASE);
    let permit = rig.own("permit");
    rig.peer.ask(
        "subscribe",
        json!({"topic": permit, "type": "interlock/msg/Permit", "reliability": "BEST_EFFORT"}),
    );
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    let bit = |one: &crate::peer::Received| one.message["permitted"].as_bool().expect("a bit");
    let from = rig.peer.count(&permit);
    rig.wait_message(&permit, from, "a permit that is not given", |one| !bit(one));
    rig.arm();
    rig.wait_message(&permit, 0, "a permit", bit);
    rig.trigger("kill");
    let killed = rig.wait_state("killed", |state| state["label"] == "killed");
    let seq = killed["seq"].as_u64();
    rig.wait_message(&permit, 0, "no permit", |one| one.message["seq"].as_u64() == seq);

    let permits = rig.peer.received(&permit, 0);
    let mut bits: Vec<bool> = permits.iter().map(bit).collect();
    bits.dedup();
    assert_eq!(bits, [false, true, false]);
    // Best effort: some may be lost, none comes twice or late; the count starts at 1 and the
    // stamps are one tick apart on average.
    let number =
        |one: &crate::peer::Received| one.message["sequence_number"].as_u64().expect("one");
    assert!(permits.windows(2).all(|pair| number(&pair[0]) < number(&pair[1])));
    assert_eq!(permits[0].message["valid_for"], json!({"sec": 0, "nanosec": 100_000_000}));
    let stamp = |one: &crate::peer::Received| {
        let stamp = &one.message["stamp"];
        let (sec, nanosec) = (stamp["sec"].as_f64(), stamp["nanosec"].as_f64());
        sec.expect("seconds") + nanosec.expect("nanoseconds") * 1e-9
    };
    let (first, last) = (&permits[0], &permits[permits.len() - 1]);
    let ticks = number(last) - number(first);
    assert!(ticks > 2, "one a tick, not one a change");
    // One more than the ticks: the kill ended it at once.
    let rate = f64::from(u32::try_from(ticks - 1).expect("few")) / (stamp(last) - stamp(first));
    assert!(rate < 101.0, "never more than the tick rate of 100 Hz: {rate}");

    // Somebody who comes late reads the state at once, before the next of each second: the newest
    // state that is replayed is one the first reader already had.
    let mut late = crate::peer::Peer::start(&rig.lease, &rig.scratch, "late");
    let topic = rig.own("state");
    late.ask(
        "subscribe",
        json!({"topic": topic, "type": "interlock/msg/State", "durability": "TRANSIENT_LOCAL"}),
    );
    let first = crate::support::wait_for_some("the replayed state", || {
        late.received(&topic, 0).into_iter().next()
    });
    assert_eq!(first.message["label"], "killed");
    assert_eq!(first.message["seq"].as_u64(), seq);
    let known = rig.peer.received(&topic, 0);
    assert!(known.iter().any(|one| one.bytes == first.bytes), "a state that was sent before");
}

#[test]
fn sigusr1_kills() {
    let mut rig = flowing(BASE);
    let from = rig.peer.count("/cmd_vel");
    rig.node.signal(Signal::USR1);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "kill_signal");
    only_safe_after_the_first(&mut rig, from);
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.375);
}

const BUTTON: &str = "    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, \
     field: data, asserted_when: true, timeout_s: 30.0}}\n";

fn unmet(state: &Value) -> Vec<String> {
    let codes = state["unmet"].as_array().expect("a list").iter();
    codes.map(|one| one["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn a_kill_input_kills_and_reset_waits_for_its_release() {
    let mut rig = Rig::new(&format!("{BASE}{BUTTON}"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher("/button", "std_msgs/msg/Bool");
    rig.peer.wait_for_writer("/cmd_vel");
    // Not heard yet: arm is refused and says so.
    let state =
        rig.wait_state("the button to be missed", |state| unmet(state) == ["kill_input_unseen"]);
    let refused = rig.verb("arm", state["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    assert_eq!(refused["unmet"][0]["code"], "kill_input_unseen");
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("'button'") && text.contains("is it switched on?"), "{text}");

    // Best effort: the first samples may be lost while the endpoints still match.
    wait_for("the button to be heard", || {
        rig.peer.publish("/button", json!({"data": false}));
        !unmet(&rig.state()).contains(&"kill_input_unseen".to_owned())
    });
    rig.arm();
    rig.flows("/agent", 0.25);
    let from = rig.peer.count("/cmd_vel");
    rig.peer.publish("/button", json!({"data": true}));
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "kill_input_asserted");
    assert_eq!(state["first_trip"]["subject"], "button");
    assert_eq!(state["kill_inputs"][0]["asserted"], true);
    only_safe_after_the_first(&mut rig, from);

    let state = rig.wait_state("the button in the way", |s| unmet(s) == ["kill_input_asserted"]);
    let refused = rig.verb("reset", state["seq"].as_u64().expect("a seq"));
    assert_eq!(refused["success"], false);
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("'button' asserts"), "{text}");
    assert_eq!(rig.state()["label"], "killed");
    rig.peer.publish("/button", json!({"data": false}));
    rig.wait_state("the release", |state| unmet(state).is_empty());
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.375);
    // Bytes that are no Bool assert: who cannot be understood may mean stop.
    rig.peer.publish_bytes("/button", &[0, 1, 0, 0, 9, 0, 0, 0]);
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "kill_input_asserted");
}

#[test]
fn hazard_49_agent_releases_itself() {
    let mut rig = Rig::new(&BASE.replace("release_over_ros: true", "release_over_ros: false"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    let seq = rig.state()["seq"].as_u64().expect("a seq");
    let mut answers = vec![rig.verb("arm", seq)];
    let select = json!({"lane": "base", "source": "agent", "operator_name": "agent"});
    let service = rig.own("select_source");
    answers.push(rig.peer.call(&service, "interlock/srv/SelectSource", select));
    assert_eq!(rig.trigger("kill")["success"], true, "a kill is always open");
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    answers.push(rig.verb("reset", state["seq"].as_u64().expect("a seq")));
    for answer in answers {
        assert_eq!(answer["success"], false, "{answer}");
        let text = answer["message"].as_str().expect("a text");
        assert!(text.contains("-p release_over_ros:=true"), "the way out: {text}");
    }
    assert_eq!(rig.state()["label"], "killed");
    assert_eq!(rig.trigger("disarm")["success"], false, "killed is not left by a disarm");
    assert_eq!(rig.state()["label"], "killed");
}
