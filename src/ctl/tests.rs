//! The tool against a real server, and the texts.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use super::*;
use crate::gate::units::SteadyTime;
use crate::http::{Bounds, HttpParts, HttpServer, start};
use crate::telemetry::collector::registry;
use crate::telemetry::fixture;
use crate::telemetry::status::{
    ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus, Readiness, SourceStatus,
    TripStatus,
};

fn killed() -> Status {
    let trip = TripStatus {
        seq: 41,
        stamp_unix_s: 1_700_000_000.0,
        age_s: 181.0,
        cause: String::from("kill_service"),
        subject: String::new(),
        detail: String::from("arm near table"),
        operator: String::from("ali\u{1b}[31mce"),
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
            subscribers: Some(1),
            foreign_publishers: Some(0),
            sources: vec![teleop, agent],
            ..LaneStatus::default()
        }],
        kill_inputs: vec![KillInputStatus {
            name: String::from("pendant"),
            seen: true,
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
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once(&"interlockctl").chain(arguments);
    let code = run(arguments, &mut out, &mut err);
    Said { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

#[test]
fn when_the_node_is_killed_expect_the_cause_the_outputs_and_the_way_on() {
    let server = serve(killed());
    let url = format!("http://{}/", server.address());
    let said = say(&["status", "--url", &url]);
    let expected = "\
KILLED  seq 41   by kill_service of ali?[31mce 22:13:20 UTC, 3 min ago: arm near table
  lane        base: safe, zero_velocity is out, 1 reader
              * teleop: alive, 100 passed, 2 limited, 7 withheld
                agent: silent for 12 s, 3 rejected, last refused: not_finite
  kill input  pendant: released
  feedback    odom: fresh
  IGNORED     causes divergence
  to go on    1. reset, naming seq 41 (lets go, nothing moves)   2. arm
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
  to go on    clear what is in the way, then arm
";
    assert_eq!(said, expected);
    status.unmet.clear();
    let said = text::status(&status);
    assert!(said.contains("5.0 s ago, ready to arm\n  to go on    arm, naming seq 42\n"), "{said}");
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
        "profile careful, velocity derated to 50 %\n",
        "base: flowing, teleop in charge, NOBODY READS IT, 2 FOREIGN PUBLISHERS\n",
        "pendant: SILENT for 3.0 s\n",
    ] {
        assert!(said.out.contains(part), "{part} not in {}", said.out);
    }
    assert!(!said.out.contains("to go on"));
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
    for arguments in [&[][..], &["reset"], &["status", "--loud"]] {
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
