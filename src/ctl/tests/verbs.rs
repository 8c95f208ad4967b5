//! The verbs, against a node's socket, and without one.

use super::*;

/// A node on a socket of its own, and the option that names it.
fn rig(state: &str, seq: u64) -> (Rig, String) {
    let rig = Rig::new(FakeNode::in_state(state, seq));
    let option = format!("--socket={}", rig.path.display());
    (rig, option)
}

#[test]
fn when_an_operator_kills_resets_and_arms_expect_each_said_and_done() {
    let (rig, socket) = rig("active", 40);
    let said = say(&["kill", "--reason", "arm near table", &socket]);
    assert_eq!((said.code, said.err.as_str()), (GOOD, ""));
    assert!(said.out.starts_with("killed, seq 41"), "{}", said.out);
    assert_eq!(rig.attribution.of(41).unwrap().reason, "arm near table");
    assert_eq!(say(&["status", &socket]).code, KILLED);

    // Nobody to ask: refused, and nothing was sent.
    let said = say(&["reset", &socket]);
    assert_eq!((said.code, said.out.as_str()), (USAGE, ""));
    assert!(said.err.contains("use --yes if this is meant"), "{}", said.err);
    for no in ["n\n", "\n", "", "yeah\n"] {
        let said = say_to(&["reset", &socket], Some(no));
        assert_eq!(said.code, REFUSED, "{no:?}");
        assert!(said.err.ends_with("Reset? [y/N] not done\n"), "{}", said.err);
    }
    assert!(rig.node.wishes.lock().is_empty());
    let said = say_to(&["reset", &socket, "--operator", "maria"], Some("y\n"));
    assert_eq!((said.code, said.out.as_str()), (GOOD, "disarmed, seq 42\n"));
    assert!(said.err.contains("KILLED  seq 41"), "{}", said.err);
    assert!(rig.node.wishes.lock()[0].operator.ends_with("(interlockctl) as maria"));

    let said = say(&["reset", &socket, "--yes"]);
    assert_eq!(said.code, REFUSED);
    assert!(said.err.contains("not killed: nothing to reset"), "{}", said.err);
    let said = say(&["arm", "--yes", "--profile", "careful", &socket]);
    assert_eq!((said.code, said.out.as_str()), (GOOD, "active, seq 43\n"));
    assert!(said.err.contains("with profile careful") && said.err.contains("THE ROBOT CAN MOVE"));
    let said = say(&["select-source", "base", "agent", &socket]);
    assert_eq!((said.code, said.out.as_str()), (GOOD, "agent is in charge\n"));
    assert_eq!(say(&["disarm", &socket]).code, GOOD);
    assert_eq!(say(&["disarm", &socket]).code, REFUSED);
    assert_eq!(say(&["wait", "--state", "ready", "--timeout", "0", &socket]).code, GOOD);
    assert_eq!(say(&["wait", "--state", "killed", "--timeout", "0", &socket]).code, REFUSED);
    assert_eq!(say(&["wait", "--state", "killed", "--timeout", "-1", &socket]).code, USAGE);
}

/// A log for a reason, and whatever is longer than a line may be.
#[test]
fn when_a_kill_says_more_than_a_line_holds_expect_it_all_the_same() {
    let (rig, socket) = rig("active", 40);
    let log = "\u{1b}ö\n".repeat(2_000);
    let said = say(&["kill", "--reason", &log, "--operator", &log, &socket]);
    assert_eq!((said.code, said.err.as_str()), (GOOD, ""));
    assert!(rig.attribution.of(41).unwrap().reason.len() > 100);
}

/// A process that is stopped keeps its socket: what was sent may still be done.
#[test]
fn when_a_node_takes_a_request_and_is_silent_expect_that_said() {
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    let asked = client::Asked::send(ours, "PATH".to_owned(), "kill", serde_json::json!({}));
    let text = asked.answer().unwrap_err().to_string();
    assert!(text.starts_with("PATH took the request and has not answered"), "{text}");
    assert!(text.contains("may still do it"), "{text}");
}

#[test]
fn hazard_27_stop_latched_but_robot_moves_is_said_before_a_reset_is_asked_for() {
    let (rig, socket) = rig("killed", 41);
    let motion = String::from("linear.x moves: 0.187, still is below 0.05");
    let lane = LaneStatus { name: String::from("base"), motion, ..LaneStatus::default() };
    rig.node.status.lock().lanes = vec![lane];
    let said = say_to(&["reset", &socket], Some("n\n"));
    assert_eq!(said.code, REFUSED);
    let asked = "  NOT STILL   base: linear.x moves: 0.187, still is below 0.05\n\
                 reset lets go of seq 41: IT MAY STILL MOVE. No command passes until arm.\n\
                 Reset? [y/N] not done\n";
    assert!(said.err.ends_with(asked), "{}", said.err);
    assert!(rig.node.wishes.lock().is_empty());
}

#[test]
fn when_a_self_test_runs_expect_each_part_in_a_line_and_the_exit_code() {
    let (rig, socket) = rig("disarmed", 40);
    let part = |input: &str, passed: bool, text: &str| SelfTestPart {
        input: String::from(input),
        passed,
        text: String::from(text),
        ..SelfTestPart::default()
    };
    let good = part("kill verbs", true, "safe command after 0.31 ms, on disk after 2.40 ms");
    *rig.node.self_test.lock() = vec![good.clone()];
    let said = say(&["self-test", &socket, "--operator", "maria"]);
    let expected = "  passed      kill verbs: safe command after 0.31 ms, on disk after 2.40 ms\n\
                    disarmed, seq 42: self test passed\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (GOOD, expected, ""));
    assert!(rig.node.wishes.lock()[0].operator.ends_with("as maria"));
    let bad = part("pad", false, "its own asserting message\u{1b} is not read as one");
    *rig.node.self_test.lock() = vec![good, bad];
    let said = say(&["self-test", &socket]);
    assert_eq!((said.code, said.err.as_str()), (REFUSED, "disarmed, seq 44: self test FAILED\n"));
    assert!(
        said.out.ends_with("  FAILED      pad: its own asserting message? is not read as one\n")
    );
    let said = say(&["self-test", "--json", &socket]);
    let answer: crate::socket::protocol::Answer = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, answer.self_test.len()), (REFUSED, 2));
    say(&["kill", &socket]);
    let said = say(&["self-test", &socket]);
    assert_eq!((said.code, said.out.as_str()), (REFUSED, ""));
    assert_eq!(said.err, "refused: it is killed\n");
}

#[test]
fn when_the_node_does_not_run_expect_every_verb_to_say_so() {
    for arguments in [
        &["self-test"][..],
        &["reset", "--yes"],
        &["arm", "--yes"],
        &["disarm"],
        &["select-source", "base"],
        &["history"],
        &["suggest"],
        &["wait", "--state", "active", "--timeout", "0"],
    ] {
        let said = say(&[arguments, &["--socket=/nonexistent/control.sock"]].concat());
        assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""), "{arguments:?}");
        assert!(
            said.err.starts_with("no node answers at /nonexistent/control.sock: it is not running"),
            "{}",
            said.err
        );
    }
    let said = say(&["kill", "--socket=/nonexistent/control.sock"]);
    assert_eq!(said.code, UNREACHABLE);
    assert!(said.err.starts_with("NOT KILLED: no node answers"), "{}", said.err);
    assert!(said.err.contains("hardware emergency stop") && said.err.contains("kill -USR1"));
}

#[test]
fn when_the_node_does_not_run_expect_what_its_latch_file_holds() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(folder.path()).unwrap();
    store.write(Contents::plain(State::Killed, 41)).unwrap();
    let own = format!("  latch file  in {}: killed, seq 41; ", folder.path().display());
    let nowhere = "--socket=/nonexistent/control.sock";
    let said = say_from(&["history", nowhere], None, Some(folder.path()));
    assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
    assert!(said.err.contains(&own), "{}", said.err);
    // The doctor looks at the directory itself.
    let said = say_from(&["doctor", nowhere], None, Some(folder.path()));
    let name = folder.path().display().to_string();
    assert!(said.out.contains("  state_dir       ") && said.out.contains(&name), "{}", said.out);
}

#[test]
fn when_the_gate_does_not_confirm_expect_a_kill_that_says_so() {
    let node = FakeNode::in_state("active", 1);
    node.is_stuck.store(true, std::sync::atomic::Ordering::SeqCst);
    let rig = Rig::new(node);
    let said = say(&["kill", &format!("--socket={}", rig.path.display())]);
    assert_eq!((said.code, said.out.as_str()), (REFUSED, ""));
    assert!(said.err.starts_with("NOT CONFIRMED: the kill is raised"), "{}", said.err);
}

#[test]
fn when_history_is_asked_for_expect_who_and_why() {
    let (rig, socket) = rig("active", 40);
    say(&["kill", "--reason", "arm near table", &socket]);
    let told = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        !rig.history.entries().is_empty()
    });
    assert!(told);
    let said = say(&["history", &socket]);
    assert_eq!(said.code, GOOD);
    assert!(said.out.contains("kill requested  by uid "), "{}", said.out);
    assert!(said.out.ends_with("(interlockctl): \"arm near table\"\n"), "{}", said.out);
    let said = say(&["history", "--json", &socket]);
    assert!(serde_json::from_str::<Vec<crate::telemetry::history::Entry>>(&said.out).is_ok());
}
