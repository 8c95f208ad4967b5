//! The tool against a real server, and the texts.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::gate::state::State;
use crate::gate::units::SteadyTime;
use crate::http::{Bounds, HttpParts, HttpServer, start};
use crate::latch::{Contents, Store};
use crate::socket::fixture::{FakeNode, Folder, Rig};
use crate::telemetry::collector::registry;
use crate::telemetry::fixture;
use crate::telemetry::status::Status;
use crate::telemetry::status::{
    BatteryStatus, ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus, Readiness,
    SelfTestPart, SourceStatus, TemperatureStatus, TripStatus,
};

pub(super) fn killed() -> Status {
    let trip = TripStatus {
        seq: 41,
        stamp_unix_s: 1_700_000_000.0,
        age_s: 181.0,
        cause: String::from("kill_service"),
        subject: String::new(),
        detail: String::from("kill_service"),
        operator: String::from("ali\u{1b}[31mce"),
        reason: String::from("arm near table"),
    };
    let teleop = SourceStatus {
        name: String::from("teleop"),
        alive: true,
        passed: 100,
        limited: 2,
        withheld: 7,
        ..SourceStatus::default()
    };
    let agent = SourceStatus {
        name: String::from("agent"),
        silent_for_s: Some(12.0),
        rejected: 3,
        last_reason: Some(String::from("not_finite")),
        ..SourceStatus::default()
    };
    Status {
        state: String::from("killed"),
        seq: 41,
        first_trip: Some(trip.clone()),
        last_trip: Some(trip),
        derating: 1.0,
        lanes: vec![LaneStatus {
            name: String::from("base"),
            state: String::from("safe"),
            owner: Some(String::from("teleop")),
            safe_command: String::from("zero_velocity"),
            safe_rate_hz: Some(50.0),
            still_for_s: Some(95.0),
            subscribers: Some(1),
            foreign_publishers: Some(0),
            sources: vec![teleop, agent],
            ..LaneStatus::default()
        }],
        kill_inputs: vec![KillInputStatus {
            name: String::from("pendant"),
            seen: true,
            topic: String::from("/pendant"),
            publishers: Some(0),
            ..KillInputStatus::default()
        }],
        feedback: vec![FeedbackStatus {
            name: String::from("odom"),
            fresh: true,
            ..FeedbackStatus::default()
        }],
        ignored_causes: vec![String::from("divergence")],
        ..Status::default()
    }
}

fn serve(status: Status) -> HttpServer {
    let slots = fixture::slots();
    let parts = HttpParts {
        registry: registry(Arc::clone(&slots)).unwrap(),
        slots,
        steady: Box::new(SteadyTime::default),
        status: Box::new(move || status.clone()),
        readiness: Box::new(Readiness::default),
    };
    start((Ipv4Addr::LOCALHOST, 0).into(), parts, Bounds::default()).unwrap()
}

struct Said {
    code: u8,
    out: String,
    err: String,
}

fn say(arguments: &[&str]) -> Said {
    say_to(arguments, None)
}

/// `typed`: what somebody at a terminal answers.
fn say_to(arguments: &[&str], typed: Option<&str>) -> Said {
    say_from(arguments, typed, None)
}

/// `directory`: where this user's node would have its latch file.
fn say_from(arguments: &[&str], typed: Option<&str>, directory: Option<&Path>) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once(&"interlockctl").chain(arguments);
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        input: &mut typed.unwrap_or_default().as_bytes(),
        can_ask: typed.is_some(),
        screen: None,
        colour: false,
        state_directory: directory.map(Path::to_path_buf),
        surroundings: Surroundings {
            runtime_directory: Some(String::from("/nonexistent")),
            ..Surroundings::default()
        },
    };
    let code = run(arguments, &mut console);
    Said { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

#[test]
fn when_the_node_is_killed_expect_the_cause_the_outputs_and_the_way_on() {
    let server = serve(killed());
    let url = format!("http://{}/", server.address());
    let said = say(&["status", "--url", &url]);
    let expected = "\
KILLED  seq 41   by ali?[31mce 22:13:20 UTC, 3 min ago: \"arm near table\"
  lane        base: safe, zero_velocity at 50 Hz, still for 95 s, 1 reader
              * teleop: alive, 100 passed, 2 limited, 7 withheld
                agent: silent for 12 s, 3 rejected, last refused: not_finite
  kill input  pendant: released
  feedback    odom: fresh
  IGNORED     causes divergence
  to go on    1. interlockctl reset (nothing moves)   2. interlockctl arm
";
    assert_eq!(said.out, expected);
    assert_eq!((said.code, said.err.as_str()), (KILLED, ""));
}

#[test]
fn when_json_is_asked_for_expect_the_nodes_own() {
    let server = serve(killed());
    let url = format!("http://{}", server.address());
    let said = say(&["status", "--json", "--url", &url]);
    assert_eq!(serde_json::from_str::<Status>(&said.out).unwrap(), killed());
    assert_eq!(said.code, KILLED);
}

#[test]
fn when_the_node_is_disarmed_expect_what_is_missing() {
    let unmet = |code: &str, text: &str| ConditionStatus {
        code: String::from(code),
        subject: String::from("pendant"),
        text: String::from(text),
    };
    let mut status = Status {
        state: String::from("disarmed"),
        seq: 42,
        since_age_s: 5.0,
        unmet: vec![
            unmet("not_standing_still", "left_elbow moves: 0.06 rad/s, needs < 0.05 for 0.5 s"),
            unmet("kill_input_unseen", ""),
        ],
        ..Status::default()
    };
    let said = text::status(&status);
    let expected = "\
NOT ARMED  seq 42   since 00:00:00 UTC, 5.0 s ago, 2 things missing
  in the way  left_elbow moves: 0.06 rad/s, needs < 0.05 for 0.5 s
  in the way  kill_input_unseen: pendant
  to go on    clear what is in the way, then interlockctl arm
";
    assert_eq!(said, expected);
    status.unmet.clear();
    let said = text::status(&status);
    assert!(said.contains("5.0 s ago, ready to arm\n  to go on    interlockctl arm\n"), "{said}");
}

#[test]
fn when_a_kill_input_asserts_expect_who_does_it() {
    let mut status = killed();
    let input = &mut status.kill_inputs[0];
    input.asserted = true;
    assert!(text::status(&status).contains("pendant: ASSERTED\n"));
    status.kill_inputs[0].asserted_by = String::from("/pen\u{1b}dant");
    status.latch = String::from("not persisted");
    let said = text::status(&status);
    assert!(said.contains("pendant: ASSERTED by /pen?dant\n"), "{said}");
    assert!(said.contains("  latch       not persisted\n"), "{said}");
}

#[test]
fn when_a_kill_input_was_never_heard_expect_where_and_how_many_could_be() {
    let mut status = killed();
    status.kill_inputs[0].seen = false;
    let said = text::status(&status);
    let expected = "pendant: not heard yet: is it switched on? (topic /pendant, 0\n                \
                    publishers)\n";
    assert!(said.contains(expected), "{said}");
    status.kill_inputs[0].publishers = None;
    let said = text::status(&status);
    assert!(said.contains("is it switched on? (topic /pendant)\n"), "{said}");
    // A node of an earlier version does not tell.
    status.kill_inputs[0].topic.clear();
    assert!(text::status(&status).contains("is it switched on?\n"));
}

#[test]
fn when_the_latch_file_is_in_trouble_expect_it_said_once_in_every_state() {
    let mut status = killed();
    status.latch = String::from("the disk is full");
    assert_eq!(text::status(&status).matches("the disk is full").count(), 1);
    status.unmet = vec![ConditionStatus {
        text: String::from("the disk is full"),
        ..ConditionStatus::default()
    }];
    let said = text::status(&status);
    assert_eq!(said.matches("the disk is full").count(), 1);
    assert!(said.contains("  in the way  the disk is full\n"), "{said}");
}

#[test]
fn when_the_node_is_active_expect_good_and_who_is_in_charge() {
    let mut status = killed();
    status.state = String::from("active");
    status.profile = Some(String::from("careful"));
    status.derating = 0.5;
    status.first_trip = None;
    status.lanes[0].state = String::from("flowing");
    status.lanes[0].subscribers = Some(0);
    status.lanes[0].foreign_publishers = Some(2);
    status.kill_inputs[0].lost = true;
    status.kill_inputs[0].silent_for_s = Some(3.0);
    let server = serve(status);
    let said = say(&["status", "--url", &format!("http://{}", server.address())]);
    assert_eq!(said.code, GOOD);
    for part in [
        "ACTIVE  seq 41   ",
        "profile careful, velocity\n  derated to 50 %\n",
        "base: flowing, teleop in charge, NOBODY READS IT, 2 FOREIGN\n                PUBLISHERS\n",
        "pendant: SILENT for 3.0 s (topic /pendant, 0 publishers)\n",
    ] {
        assert!(said.out.contains(part), "{part} not in {}", said.out);
    }
    assert!(!said.out.contains("to go on"));
}

#[test]
fn when_a_joint_is_hot_or_a_battery_low_expect_it_named_and_else_the_hottest() {
    let joint = |component: &str, celsius, level: &str, text: &str| TemperatureStatus {
        name: String::from("motors"),
        component: component.to_owned(),
        celsius: Some(celsius),
        level: level.to_owned(),
        text: text.to_owned(),
        ..TemperatureStatus::default()
    };
    let mut status = killed();
    status.temperatures = vec![
        joint("hip", 40.0, "ok", "40.0 °C"),
        joint("knee", 82.5, "derate", "82.5 °C; derate from 80 °C on"),
    ];
    status.batteries = vec![BatteryStatus {
        name: String::from("main"),
        text: String::from("15 %; derate from 0.2 on"),
        ..BatteryStatus::default()
    }];
    let said = text::status(&status);
    for part in [
        "  heat        motors: knee, 82.5 °C; derate from 80 °C on\n",
        "  battery     main: 15 %; derate from 0.2 on\n",
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    status.temperatures.pop();
    let said = text::status(&status);
    assert!(said.contains("  heat        motors: hip, 40.0 °C\n"), "{said}");
}

#[test]
fn when_nobody_listens_expect_2_and_a_clear_line() {
    // Bound but not listening for HTTP, then closed: the port is free again.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let said = say(&["status", "--url", &url]);
    assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
    assert!(
        said.err.starts_with(&format!("cannot reach a node at {url}/status: ")),
        "{}",
        said.err
    );
    assert!(said.err.contains("is it running?"));
}

#[test]
fn when_another_service_answers_expect_2_and_no_state() {
    let server = serve(Status::default());
    let url = format!("http://{}/elsewhere", server.address());
    let said = say(&["status", "--url", &url]);
    assert_eq!((said.code, said.out.as_str()), (UNREACHABLE, ""));
    assert!(said.err.contains("is not Interlock: it says 404"), "{}", said.err);
}

#[test]
fn when_the_command_line_is_wrong_expect_64_and_nothing_on_stdout() {
    for arguments in [&[][..], &["resume"], &["status", "--loud"], &["wait", "--state", "x"]] {
        let said = say(arguments);
        assert_eq!((said.code, said.out.as_str()), (USAGE, ""), "{arguments:?}");
        assert!(!said.err.is_empty());
    }
}

#[test]
fn when_version_or_help_is_asked_for_expect_it_on_stdout() {
    let said = say(&["--version"]);
    assert_eq!(said.out, format!("interlockctl {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!((said.code, said.err.as_str()), (GOOD, ""));
    let said = say(&["--help"]);
    assert_eq!(said.code, GOOD);
    assert!(said.out.contains("Exit codes:"), "{}", said.out);
}

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

#[test]
fn when_a_shell_or_a_manual_asks_expect_every_verb_in_it() {
    for shell in ["bash", "zsh", "fish"] {
        let said = say(&["completions", shell]);
        assert!(said.code == GOOD && said.out.contains("select-source"), "{shell}");
        assert!(said.out.contains("self-test"), "{shell}");
    }
    let said = say(&["man"]);
    assert_eq!(said.code, GOOD);
    assert!(said.out.contains(".TH") && said.out.contains("Exit codes"), "{}", said.out);
}

#[test]
fn when_colours_are_wanted_expect_the_state_only_and_else_none() {
    let plain = text::status(&killed());
    assert!(!plain.contains('\u{1b}'));
    let painted = text::painted(&plain, true);
    assert!(painted.starts_with("\u{1b}[1;31mKILLED\u{1b}[0m  seq 41"));
    assert_eq!(painted.matches('\u{1b}').count(), 2);
    assert_eq!(text::painted(&plain, false), plain);
    assert!(plain.lines().all(|line| line.chars().count() <= 79), "{plain}");
    let on_screen = text::painted_on_screen("\u{1b}[2J\u{1b}[1;1HACTIVE  seq 2", true);
    assert_eq!(on_screen, "\u{1b}[2J\u{1b}[1;1H\u{1b}[1;32mACTIVE\u{1b}[0m  seq 2");
}

#[test]
fn when_a_text_is_long_expect_it_in_lines_that_fit() {
    let text = "  * one two three";
    assert_eq!(text::wrapped(text, 80), [text]);
    assert_eq!(text::wrapped(text, 9), ["  * one", "  two", "  three"]);
    assert_eq!(text::wrapped("0123456789 x", 5), ["0123456789", "  x"]);
}
