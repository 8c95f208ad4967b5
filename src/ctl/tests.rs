//! The tool against a real server, and the texts.

mod status;
mod verbs;

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
    BatteryStatus, CauseStatus, ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus,
    Readiness, SelfTestPart, SourceStatus, TemperatureStatus, TripStatus,
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

pub(super) fn serve(status: Status) -> HttpServer {
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

pub(super) struct Said {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) err: String,
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
    let arguments = std::iter::once(&"interlockctl").chain(arguments);
    on_console(typed, directory, |console| run(arguments, console))
}

/// What `done` says on a console.
pub(super) fn on_console(
    typed: Option<&str>,
    directory: Option<&Path>,
    done: impl FnOnce(&mut Console<'_>) -> u8,
) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
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
    let code = done(&mut console);
    Said { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
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
