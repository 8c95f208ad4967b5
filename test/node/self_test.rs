//! The self test of the real node: real trips while disarmed, not a byte on an output, and a real stop
//! in the middle wins.

use std::process::Output;

use interlock::gate::state::State;
use interlock::latch::{Found, record};
use serde_json::{Value, json};

use crate::held_disk::HeldDisk;
use crate::peer::Received;
use crate::rig::{BASE, Rig, TWIST, goes};
use crate::support::{Running, Scratch, wait_for};

const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const STATES: &str = "sensor_msgs/msg/JointState";
const METRIC: &str = "interlock_self_test_last_success_timestamp_seconds";
const INPUTS: [&str; 5] = ["kill verbs", "button", "heart", "hold", "pad"];

/// A base and an arm; a button, a button of a joystick, a dead-man and a bare heartbeat.
fn params() -> String {
    format!(
        "{BASE}      arm:
        type: {ARRAY}
        interface: position
        output: arm_out
        joints: [j1, j2]
        feedback: states
        limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 1000000.0,
                 max_acceleration: 1000000000.0}}
        safe: {{command: freeze, tolerance: 5.0}}
        start_ramp_s: 0.0
        release_s: 0.3
        sources: {{policy: {{topic: arm_in, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0,
                  burst: 100}}}}
    feedback: {{states: {{type: {STATES}, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    kill_inputs:
      button: {{type: std_msgs/msg/Bool, topic: button, field: data, asserted_when: false, timeout_s: 60.0}}
      heart: {{type: std_msgs/msg/Empty, topic: heart, timeout_s: 60.0}}
      hold: {{type: std_msgs/msg/Bool, topic: hold, field: data, asserted_when: false, timeout_s: 60.0, action: disarm}}
      pad: {{type: sensor_msgs/msg/Joy, topic: pad, field: 'buttons[4]', asserted_when: 1, timeout_s: 60.0}}
"
    )
}

fn pose(q: f64) -> Value {
    json!({"name": ["j1", "j2"], "position": [q, -q], "velocity": [0.0, 0.0]})
}

/// Where the arm is, and every input heard and released.
fn alive(rig: &mut Rig) {
    rig.peer.publisher("/states", STATES);
    rig.peer.publish("/states", pose(0.25));
    for (topic, kind, message) in [
        ("/button", "std_msgs/msg/Bool", json!({"data": true})),
        ("/heart", "std_msgs/msg/Empty", json!({})),
        ("/hold", "std_msgs/msg/Bool", json!({"data": true})),
        ("/pad", "sensor_msgs/msg/Joy", json!({"buttons": [0, 0, 0, 0, 0]})),
    ] {
        rig.peer.publisher(topic, kind);
        rig.peer.publish(topic, message);
    }
    rig.wait_state("every input heard", |state| {
        let inputs = state["kill_inputs"].as_array().expect("a list");
        inputs.iter().all(|input| input["seen"] == true && input["asserted"] == false)
    });
}

/// Nothing is sent on any output any more.
fn released(rig: &mut Rig) -> u64 {
    let state = rig.wait_state("disarmed, and every lane released", |state| {
        let lanes = state["lanes"].as_array().expect("a list");
        state["label"] == "disarmed" && lanes.iter().all(|lane| lane["label"] == "released")
    });
    state["seq"].as_u64().expect("a seq")
}

/// Asks until the answer is not that the last one was a moment ago.
fn self_test(rig: &mut Rig) -> Value {
    let mut answer = Value::Null;
    wait_for("a self test that is not too soon", || {
        answer = rig.trigger("self_test");
        !text(&answer).contains("less than 10 s ago")
    });
    answer
}

fn text(answer: &Value) -> String {
    answer["message"].as_str().expect("a text").to_owned()
}

/// A series in a scrape.
fn series(rig: &mut Rig, name: &str) -> Option<f64> {
    let metrics = rig.http("/metrics");
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn last_success(rig: &mut Rig, input: &str) -> Option<f64> {
    series(rig, &format!("{METRIC}{{input=\"{input}\"}}"))
}

/// How many messages an output has had: the node counts the time between two.
fn sent(rig: &mut Rig, lane: &str) -> f64 {
    let name = format!("interlock_output_interval_seconds_count{{lane=\"{lane}\"}}");
    series(rig, &name).expect("a count")
}

fn ctl(rig: &Rig, arguments: &[&str]) -> Output {
    let mut command = rig.lease.command(env!("CARGO_BIN_EXE_interlockctl"));
    command.arg("--socket").arg(rig.lease.socket());
    command.args(arguments).stdin(std::process::Stdio::null());
    command.output().expect("run interlockctl")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn hazard_38_start_drops_robot_by_a_self_test() {
    let mut rig = Rig::persisted(&params());
    let echoes = ["/interlock/self_test/base", "/interlock/self_test/arm"];
    for (topic, kind) in
        [("/cmd_vel", TWIST), ("/arm_out", ARRAY), (echoes[0], TWIST), (echoes[1], ARRAY)]
    {
        rig.peer.subscribe(topic, kind);
        rig.peer.wait_for_writer(topic);
    }
    alive(&mut rig);
    // Killed, as a first run is; then through every state, so that the outputs have been used.
    let refused = self_test(&mut rig);
    assert_eq!(refused["success"], false);
    assert!(text(&refused).contains("interlockctl reset first"), "{refused}");
    rig.reset();
    rig.arm();
    assert_eq!(rig.trigger("disarm")["success"], true);
    let seq = released(&mut rig);
    let (base, arm) = (sent(&mut rig, "base"), sent(&mut rig, "arm"));
    let (from, told) = (rig.peer.count("/arm_out"), rig.peer.count("/interlock/state"));
    assert!(base > 0.0 && arm > 0.0 && from > 0, "they have been used");
    for input in INPUTS {
        assert_eq!(last_success(&mut rig, input), None, "{input}");
    }

    let answer = self_test(&mut rig);
    assert_eq!(answer["success"], true, "{answer}");
    let text = text(&answer);
    // Three trips and their resets; the state may come after the answer.
    let after = seq + 6;
    rig.wait_state("six more, and disarmed", |state| {
        state["label"] == "disarmed" && state["seq"] == after
    });
    assert!(
        text.starts_with(&format!("disarmed, seq {after}: self test passed, 5 of 5")),
        "{text}"
    );
    for tripped in ["kill verbs", "button", "pad"] {
        assert!(text.contains(&format!("{tripped}: safe command after ")), "{text}");
    }
    assert_eq!(text.matches(" on disk after ").count(), 3, "{text}");
    assert!(text.contains("hold: asserts") && text.contains("heart: heard"), "{text}");
    // What each kill would have sent has been seen, three times, elsewhere.
    wait_for("three echoes each", || echoes.iter().all(|echo| rig.peer.count(echo) >= 3));
    let of_base = rig.peer.received(echoes[0], 0);
    assert!(of_base.len() == 3 && of_base.iter().all(|one| goes(one, 0.0)), "{of_base:?}");
    let of_arm = rig.peer.received(echoes[1], 0);
    assert!(
        of_arm.len() == 3 && of_arm.iter().all(|one| one.message["data"] == json!([0.25, -0.25]))
    );

    // Not a byte on an output: by the node's own count, by what each lane said it did, and on the
    // wire, where the next is what the next arm sends.
    assert_eq!((sent(&mut rig, "base"), sent(&mut rig, "arm")), (base, arm));
    // The killed moments are too short for every state to be told; the trip stays.
    let trip = |one: &Received| one.message["last_trip"]["cause"] == "self_test";
    wait_for("the trip told", || rig.peer.received("/interlock/state", told).iter().any(trip));
    let states = rig.peer.received("/interlock/state", told);
    for state in &states {
        let lanes = state.message["lanes"].as_array().expect("a list");
        assert!(lanes.iter().all(|lane| lane["label"] == "released"), "{}", state.message);
        assert_eq!(state.message["permitted"], false);
    }
    for input in INPUTS {
        assert!(last_success(&mut rig, input) > Some(1_500_000_000.0), "{input}");
    }
    let path = rig.lease.state_dir().join("latch");
    let Found::Valid(latch) = record::found(&std::fs::read(path).expect("the latch file")) else {
        panic!("the latch file is not whole");
    };
    assert_eq!((latch.state, latch.seq), (State::Disarmed, after));
    let tests = latch.trips.iter().filter(|trip| trip.cause == "self_test").count();
    assert_eq!(tests, 1, "the newest of them, so that they push out nobody's");
    wait_for("each part in the log", || {
        let log = rig.node.log();
        log.contains("self test of kill input pad passed") && log.contains("self_test requested")
    });
    rig.peer.publish("/states", pose(0.5));
    rig.arm();
    let next = rig.wait_message("/arm_out", from, "what the arm sends", |_| true);
    assert_eq!(next.message["data"], json!([0.5, -0.5]), "nothing came before it");
}

#[test]
fn a_self_test_is_refused_unless_disarmed_released_and_rested_and_says_why() {
    let slow = params().replacen("release_s: 0.3", "release_s: 60.0", 1);
    let mut rig = Rig::new(&slow);
    for (topic, kind) in [("/cmd_vel", TWIST), ("/arm_out", ARRAY)] {
        rig.peer.subscribe(topic, kind);
        rig.peer.wait_for_writer(topic);
    }
    alive(&mut rig);
    let answer = rig.trigger("self_test");
    assert_eq!(answer["success"], true, "{answer}");
    assert!(text(&answer).contains("nothing is kept on disk"), "{answer}");
    let refused = |rig: &mut Rig, why: &str| {
        let before = rig.state();
        let answer = rig.trigger("self_test");
        assert_eq!(answer["success"], false, "{answer}");
        assert!(text(&answer).starts_with("refused: ") && text(&answer).contains(why), "{answer}");
        let after = rig.state();
        assert_eq!((&after["label"], &after["seq"]), (&before["label"], &before["seq"]));
    };
    released(&mut rig);
    wait_for("a second one in a row to be too soon", || {
        let answer = rig.trigger("self_test");
        answer["success"] == false
            && text(&answer).contains("refused: the last one began less than")
    });
    rig.arm();
    refused(&mut rig, "interlockctl disarm first");
    assert_eq!(rig.trigger("disarm")["success"], true);
    rig.wait_state("disarmed", |state| state["label"] == "disarmed");
    refused(&mut rig, "wait until every lane is released");
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.wait_state("killed", |state| state["label"] == "killed");
    refused(&mut rig, "interlockctl reset first");
    wait_for("the refusals in the log", || {
        let log = rig.node.log();
        ["active", "killed", "not_released", "too_soon"]
            .iter()
            .all(|why| log.contains(&format!("self test refused: {why}")))
    });
}

#[test]
fn a_real_kill_in_the_middle_of_a_self_test_wins_and_stays() {
    let (disk, log) = (HeldDisk::new(), Scratch::new());
    let mut rig = disk.rig(&params());
    rig.peer.subscribe("/cmd_vel", TWIST);
    alive(&mut rig);
    rig.reset();
    released(&mut rig);
    let from = rig.peer.count("/cmd_vel");
    let told = rig.peer.count("/interlock/state");

    // The record of the test's first trip does not come to the disk.
    disk.hold();
    let mut command = rig.lease.command(env!("CARGO_BIN_EXE_interlockctl"));
    let log = log.path().join("said");
    let out = std::fs::File::create(&log).expect("a file");
    command.arg("--socket").arg(rig.lease.socket());
    command.arg("self-test").stdout(out.try_clone().expect("share it")).stderr(out);
    let mut tester = Running(command.spawn().expect("run interlockctl"));
    rig.wait_message("/interlock/state", told, "the test's own trip", |one| {
        one.message["first_trip"]["cause"] == "self_test"
    });
    assert_eq!(rig.trigger("kill")["success"], true);
    // Whatever the test would still have done: the output is taken, and the real cause is shown.
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    let status = tester.wait_bounded(60).expect("an end of the test");
    disk.let_go();
    assert_eq!(status.code(), Some(1));
    let said = std::fs::read_to_string(&log).expect("what it said");
    assert!(said.contains("FAILED"), "{said}");
    let state = rig.wait_state("the real cause", |state| {
        state["label"] == "killed" && state["first_trip"]["cause"] == "kill_service"
    });
    let seq = state["seq"].as_u64();
    // It stays so: on disk, over another start, and until somebody resets it.
    wait_for("the kill on disk", || {
        let bytes = std::fs::read(rig.lease.state_dir().join("latch")).expect("the latch file");
        matches!(record::found(&bytes), Found::Valid(latch)
            if latch.state == State::Killed && Some(latch.seq) == seq
                && latch.first_trip().is_some_and(|trip| trip.cause == "kill_service"))
    });
    assert_eq!(rig.state()["label"], "killed");
    for input in INPUTS {
        assert_eq!(last_success(&mut rig, input), None, "{input}");
    }
    rig.reset();
    released(&mut rig);
    let answer = self_test(&mut rig);
    assert_eq!(answer["success"], true, "{answer}");
}

#[test]
fn interlockctl_tells_each_part_and_ends_with_its_exit_code() {
    let mut rig = Rig::new(&params());
    // Nobody knows where the arm is, and the heart is silent: a kill would not find what it needs.
    let failed = ctl(&rig, &["self-test"]);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    let text = said(&failed);
    let plain = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(
        plain.contains("FAILED button: a kill would find no safe command for lane 'arm'"),
        "{text}"
    );
    assert!(plain.contains("FAILED heart: not heard: is it switched on?"), "{text}");
    assert!(plain.contains("passed hold: asserts"), "{text}");
    assert!(text.contains("self test FAILED, 4 of 5"), "{text}");
    assert_eq!(rig.state()["label"], "disarmed", "each trip was reset all the same");
    for (input, is_told) in [("button", false), ("heart", false), ("hold", true)] {
        assert_eq!(last_success(&mut rig, input).is_some(), is_told, "{input}");
    }
    let mut again = ctl(&rig, &["self-test"]);
    wait_for("one that is too soon", || {
        let is = said(&again).contains("refused: the last one began less than 10 s ago");
        if !is {
            again = ctl(&rig, &["self-test"]);
        }
        is
    });
    assert_eq!(again.status.code(), Some(1));
    alive(&mut rig);
    let mut passed = again;
    wait_for("a self test that passes", || {
        passed = ctl(&rig, &["self-test", "--json", "--reason", "daily", "--operator", "maria"]);
        passed.status.code() == Some(0)
    });
    let answer: Value = serde_json::from_slice(&passed.stdout).expect("the node's own JSON");
    assert_eq!((&answer["ok"], &answer["state"]), (&json!(true), &json!("disarmed")));
    let parts = answer["self_test"].as_array().expect("a list");
    let names: Vec<&str> = parts.iter().map(|part| part["input"].as_str().expect("one")).collect();
    assert_eq!(names, INPUTS);
    let tested: Vec<&Value> = parts.iter().map(|part| &part["tested"]).collect();
    assert_eq!(tested, ["trip", "trip", "heartbeat", "level", "trip"]);
    for part in parts {
        let tripped = part["tested"] == "trip";
        assert_eq!(
            part["safe_command_s"].as_f64().is_some_and(|time| time > 0.0),
            tripped,
            "{part}"
        );
        assert_eq!(part["disk_s"], Value::Null, "latch.persist is false here");
    }
    wait_for("who asked", || said(&ctl(&rig, &["history"])).contains("as maria: \"daily\""));
    rig.node.process.stop();
    assert_eq!(ctl(&rig, &["self-test"]).status.code(), Some(2));
}
