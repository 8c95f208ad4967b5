//! The latch over the end of the process, whatever ended it.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::rig::{BASE, Node, Rig, TWIST};
use crate::support::{Scratch, wait_for};

/// The latch on disk, and a reader of the output, so that it can arm.
fn begin() -> Rig {
    let mut rig = Rig::persisted(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig
}

/// State, seq, and cause and seq of the first trip.
fn told(state: &Value) -> (&str, u64, &str, u64) {
    let trip = &state["first_trip"];
    (
        state["label"].as_str().expect("a label"),
        state["seq"].as_u64().expect("a seq"),
        trip["cause"].as_str().expect("a cause"),
        trip["seq"].as_u64().expect("a seq"),
    )
}

#[test]
fn hazard_06_latch_lost_on_crash() {
    let mut rig = begin();
    assert_eq!(
        told(&rig.state()),
        ("killed", 1, "first_run", 1),
        "nothing is known: not able to move"
    );
    rig.reset();
    rig.arm();
    let killed = rig.trigger("kill");
    let text = killed["message"].as_str().expect("a text");
    assert!(text.contains("Latch: on disk: a restart comes up killed"), "{text}");
    let before = rig.wait_state("killed", |state| state["label"] == "killed");
    let (_, seq, _, trip) = told(&before);

    // kill -9 while killed: the same trip, and numbers that nobody has read.
    let state = rig.run_again("second");
    let (label, after, cause, same) = told(&state);
    assert_eq!((label, cause, same), ("killed", "kill_service", trip));
    assert!(after > seq, "{after} after {seq}");
    assert_eq!(state["first_trip"], before["first_trip"], "to the last word");

    // kill -9 while active.
    rig.reset();
    let active = rig.arm()["seq"].as_u64().expect("a seq");
    let state = rig.run_again("third");
    let (label, after, cause, trip) = told(&state);
    assert_eq!((label, cause, trip), ("killed", "unclean_restart", after));
    assert!(after > active, "{after} after {active}");
    // A reset that was meant for the run before is stale.
    assert_eq!(rig.verb("reset", active)["success"], false);

    // kill -9 while disarmed: nothing to latch.
    rig.reset();
    let state = rig.run_again("fourth");
    assert_eq!(state["label"], "disarmed");

    // An end by itself: state, trip and seq go on as they were.
    rig.trigger("kill");
    let before = rig.wait_state("killed", |state| state["label"] == "killed");
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0));
    let state = rig.run_again("fifth");
    assert_eq!(told(&state), told(&before));
    let reset = rig.reset();
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0));
    let state = rig.run_again("sixth");
    assert_eq!(
        (state["label"].as_str(), state["seq"].as_u64()),
        (Some("disarmed"), reset["seq"].as_u64())
    );

    // SIGTERM while active is no unclean end.
    rig.arm();
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0));
    let state = rig.run_again("seventh");
    assert_eq!(state["label"], "disarmed");
}

/// Whether a process has this file open.
fn has_open(process: rustix::process::Pid, file: &std::path::Path) -> bool {
    let links = format!("/proc/{}/fd", process.as_raw_nonzero());
    let links = std::fs::read_dir(links).into_iter().flatten().flatten();
    links.into_iter().any(|link| std::fs::read_link(link.path()).is_ok_and(|path| path == file))
}

#[test]
fn when_a_kill_signal_comes_during_the_start_expect_killed() {
    let mut rig = begin();
    rig.reset();
    let state = rig.run_again("second");
    assert_eq!(state["label"], "disarmed", "what is on disk");
    // As soon as it holds the state directory: it has no endpoint yet.
    let state = rig.run_again_and("third", &|node, lease| {
        wait_for("its hold on the directory", || has_open(node.pid(), &lease.state_dir()));
        node.signal(Signal::USR1);
    });
    let state = if state["label"] == "killed" {
        state
    } else {
        rig.wait_state("killed", |state| state["label"] == "killed")
    };
    assert_eq!(state["last_trip"]["cause"], "kill_signal");
    assert_eq!(rig.run_again("fourth")["label"], "killed", "and it is what is on disk");
}

#[test]
fn when_the_file_is_missing_damaged_or_of_a_later_version_expect_killed() {
    let mut rig = begin();
    rig.reset();
    rig.node.signal(Signal::TERM);
    rig.node.ended();
    let path = rig.lease.state_dir().join("latch");
    let good = std::fs::read(&path).expect("the latch file");

    std::fs::remove_file(&path).expect("remove it");
    assert_eq!(told(&rig.run_again("missing")).2, "first_run");

    rig.node.process.stop();
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    flipped[good.len() / 2 + 40] ^= 1;
    for (name, bytes) in
        [("torn", &good[..good.len() / 2 + 10]), ("flipped", &flipped[..]), ("empty", &[])]
    {
        rig.node.process.stop();
        std::fs::write(&path, bytes).expect("damage it");
        let state = rig.run_again(name);
        assert_eq!((told(&state).0, told(&state).2), ("killed", "latch_file"), "{name}");
    }
    // From there as from any other kill.
    rig.reset();
    rig.arm();
}

#[test]
fn hazard_33_two_gates() {
    let mut rig = begin();
    let second = Scratch::new();
    let params = rig.scratch.path().join("params.yaml");
    let args =
        ["--ros-args", "--params-file", params.to_str().expect("plain"), "-r", "__node:=other"];
    let mut other = Node::start(&rig.lease, &second, &args);
    assert_eq!(other.ended().code(), Some(70), "{}", other.log());
    let (log, dir) = (other.log(), rig.lease.state_dir());
    for part in [
        "not started",
        "another interlock runs",
        dir.to_str().expect("plain"),
        "to fix:",
        "state_dir",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    let graph = rig.peer.ask("graph", serde_json::json!({}));
    assert!(!graph.to_string().contains("/other"), "it was never on the graph: {graph}");
    assert_eq!(rig.state()["label"], "killed");
    rig.reset();
    // The lock goes with the process, however that ends.
    assert_eq!(rig.run_again("third")["label"], "disarmed");
}

#[test]
fn hazard_01_reset_races_stop() {
    let mut rig = begin();
    let mut came_first = [0, 0];
    for round in 0..200_u64 {
        if round >= 20 && came_first.iter().all(|count| *count > 0) {
            break;
        }
        // Killed by a call, so that the signal is another cause wherever it comes.
        rig.reset();
        rig.trigger("kill");
        let state = rig.wait_state("killed by a call", |state| {
            state["label"] == "killed" && state["first_trip"]["cause"] == "kill_service"
        });
        let seq = state["seq"].as_u64().expect("a seq");
        // The stop comes at another moment of the reset in each round.
        let process = rig.node.pid();
        let stop = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(1500 * (round % 20)));
            rustix::process::kill_process(process, Signal::USR1).expect("the node lives");
        });
        let reset = rig.verb("reset", seq);
        stop.join().expect("a signal");
        let released = reset["success"] == true;
        came_first[usize::from(released)] += 1;
        // Before, during or after it: the stop wins.
        let state = rig.wait_state("killed by the signal, whichever came first", |state| {
            state["label"] == "killed" && state["last_trip"]["cause"] == "kill_signal"
        });
        assert_eq!(state["seq"].as_u64(), Some(seq + 1 + u64::from(released)), "{reset}");
        assert_eq!(state["permitted"], false);
    }
    let [before, after] = came_first;
    assert!(before > 0 && after > 0, "the stop came first {before} times, the reset {after} times");
    assert_eq!(rig.run_again("after")["label"], "killed", "and it is what is on disk");
}

#[test]
fn when_the_latch_is_not_persisted_expect_it_said_everywhere() {
    let mut rig = Rig::new(BASE);
    let word = "latch.persist: false";
    rig.peer.subscribe("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray");
    let state = rig.state();
    let extra = state["extra"].as_array().expect("a list");
    let latch = extra.iter().find(|one| one["key"] == "latch").expect("a note on the latch");
    assert!(latch["value"].as_str().expect("a text").contains(word), "{latch}");
    let message = rig.wait_message("/diagnostics", 0, "a warning", |one| {
        let all = one.message["status"].as_array().expect("a list");
        all.iter().any(|part| {
            part["name"] == "interlock: gate"
                && part["level"][0] == 1
                && part["message"].as_str().is_some_and(|text| text.contains(word))
        })
    });
    drop(message);
    assert!(rig.http("/status").contains(word));
    assert!(
        rig.node.log().lines().any(|line| line.contains("WARN") && line.contains(word)),
        "{}",
        rig.node.log()
    );
    let text = rig.trigger("kill")["message"].as_str().expect("a text").to_owned();
    assert!(text.contains(word), "{text}");
    rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(rig.run_again("second")["label"], "disarmed", "as it says");
    assert!(!rig.lease.state_dir().exists(), "nothing is written");
}
