//! `~/decisions`: what was done to each command and why, thinned, with totals that hide nothing.

use serde_json::{Value, json};

use crate::rig::{BASE, Rig, TWIST, twist};

const DECISION: &str = "interlock/msg/Decision";

/// The base with a reader and a writer, and a reader of its decisions.
fn rig(keys: &str) -> Rig {
    let mut rig = Rig::new(&format!("{keys}{BASE}"));
    let topic = rig.own("decisions");
    rig.peer.subscribe(&topic, DECISION);
    rig.peer.wait_for_writer(&topic);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig
}

/// Waits for a decision with this verdict and these totals of it.
fn decision(rig: &mut Rig, verdict: &str, total: u64) -> Value {
    let topic = rig.own("decisions");
    let numbers = ["passed", "limited", "rejected", "withheld", "not_selected"];
    let number = 1 + numbers.iter().position(|one| *one == verdict).expect("a verdict");
    let is = |one: &Value| one["verdict"] == number && one[verdict] == total;
    rig.wait_message(&topic, 0, &format!("{verdict} {total}"), |one| is(&one.message)).message
}

#[test]
fn a_limited_command_is_told_with_the_axis_the_value_and_the_bound() {
    let mut rig = rig("");
    rig.arm();
    rig.peer.publish("/agent", twist(0.9));
    let told = decision(&mut rig, "limited", 1);
    assert_eq!((&told["lane"], &told["source"]), (&json!("base"), &json!("agent")));
    assert_eq!(told["name"][0], "linear.x");
    assert_eq!(told["requested"]["velocity"][0], 0.9);
    assert_eq!(told["sent"]["velocity"][0], 0.5);
    let change = &told["changes"][0];
    assert_eq!((&change["name"], &change["quantity"]), (&json!("linear.x"), &json!("velocity")));
    assert_eq!((&change["requested"], &change["sent"]), (&json!(0.9), &json!(0.5)));
    let text = told["text"].as_str().expect("a text");
    assert!(text.starts_with("linear.x: velocity 0.9 m/s, sent 0.5"), "{text}");
    assert!(told["residence_s"].as_f64() > Some(0.0), "{told}");
    assert!(told["transport_s"].as_f64().is_some(), "{told}");
    assert_eq!((&told["age_s"], &told["shadow"]), (&json!("$nan"), &json!(false)));
    assert_eq!(told["seq"], rig.state()["seq"]);
    assert_eq!(told["sequence_number"], 1);
}

#[test]
fn a_rejected_command_keeps_its_nan_and_names_the_reason() {
    let mut rig = rig("");
    rig.arm();
    rig.peer.publish("/agent", json!({"linear": {"x": "$nan"}}));
    let told = decision(&mut rig, "rejected", 1);
    assert_eq!(told["reason"], "not_finite");
    assert_eq!(told["requested"]["velocity"][0], "$nan");
    assert_eq!(told["sent"]["velocity"], json!([]));
    assert_eq!(told["residence_s"], "$nan");
    assert_eq!(told["text"], "linear.x: nan is not a finite number");
}

#[test]
fn thinning_tells_one_in_n_of_the_passed_and_the_totals_hide_nothing() {
    let mut rig = rig("    decisions: {max_rate_hz: 1000.0, passed_one_in: 4}\n");
    // Disarmed: withheld, the first of them told.
    rig.peer.publish("/agent", twist(0.25));
    let told = decision(&mut rig, "withheld", 1);
    assert_eq!(told["text"], "the state does not permit motion");
    assert_eq!(told["reason"], "");
    rig.arm();
    for _ in 0..20 {
        rig.flows("/agent", 0.25);
    }
    // The commands before it: one withheld and passed ones, so every fourth of all.
    let last = decision(&mut rig, "passed", 20);
    assert_eq!(last["withheld"], 1);
    assert_eq!(last["sequence_number"], 21);
    let topic = rig.own("decisions");
    let told = rig.peer.received(&topic, 0);
    let passed = told.iter().filter(|one| one.message["verdict"] == 1);
    let numbers: Vec<u64> =
        passed.map(|one| one.message["passed"].as_u64().expect("a count")).collect();
    assert_eq!(numbers, [4, 8, 12, 16, 20]);
}

#[test]
fn a_flood_of_rejections_is_thinned_to_the_rate_and_counted_whole() {
    let mut rig = rig("    decisions: {max_rate_hz: 5.0, passed_one_in: 100}\n");
    let topic = rig.own("decisions");
    rig.peer
        .ask("stream", json!({"topic": "/agent", "hz": 200.0, "msg": {"linear": {"x": "$inf"}}}));
    rig.wait_count(0, 0, "rejected", 400);
    rig.peer.ask("stop", json!({"topic": "/agent"}));
    let told = rig.peer.received(&topic, 0);
    let rejected: Vec<&Value> =
        told.iter().map(|one| &one.message).filter(|one| one["verdict"] == 3).collect();
    // Each tells the whole count so far.
    let last = rejected.last().expect("one")["rejected"].as_u64().expect("a count");
    assert!(last > u64::try_from(rejected.len()).expect("small"), "{last}");
    // What was under way at the stop is told and counted after it; nothing is told that is not counted.
    rig.wait_count(0, 0, "rejected", last);
}
