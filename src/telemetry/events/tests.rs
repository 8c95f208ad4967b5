//! Events from the queue to lines, with the real subscriber writing into memory.

use std::time::Duration;

use super::*;
use crate::gate::cause::Cause;
use crate::gate::check::Refusal;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::Trip;
use crate::gate::self_test::{Flaw, Part, Reach};
use crate::gate::state::Refused;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;
use crate::telemetry::fixture;
use crate::telemetry::logging::capture;
use crate::telemetry::slots::Labelled;

fn moment(millis: u64) -> Moment {
    Moment { steady: SteadyTime::from_nanos(millis * 1_000_000), wall: WallTime::from_nanos(0) }
}

fn event(what: What) -> Event {
    Event { at: moment(1), what }
}

/// One of each kind.
fn one_of_each() -> Vec<What> {
    let state = |from, to| What::Gate(Notice::State { from, to, seq: 41 });
    let trip = Trip {
        seq: 41,
        stamp: WallTime::from_nanos(5),
        cause: Cause::KillInputAsserted,
        subject: Subject::KillInput(0),
        found: f64::NAN,
        bound: f64::NAN,
    };
    vec![
        What::Started,
        What::Configured,
        What::Requested {
            verb: Verb::Reset,
            seq: Some(40),
            operator: ShortText::new("alice"),
            reason: ShortText::EMPTY,
        },
        What::RequestRefused {
            verb: Verb::Reset,
            operator: ShortText::new("uid 1001"),
            why: RequestRefusal::NotAuthorised,
        },
        state(State::Active, State::Killed),
        state(State::Killed, State::Disarmed),
        state(State::Disarmed, State::Active),
        state(State::Active, State::Disarmed),
        What::Gate(Notice::Trip(trip)),
        What::Gate(Notice::ResetRefused(Refused::SeqMoved)),
        What::Gate(Notice::ArmRefused(Refused::Unmet)),
        What::Gate(Notice::DisarmRefused(Refused::AlreadyDisarmed)),
        What::Gate(Notice::Owner { lane: 1, from: Some(1), to: None }),
        What::Gate(Notice::Lane { lane: 1, from: LaneState::Flowing, to: LaneState::Holding }),
        What::Gate(Notice::Rejected {
            lane: 1,
            source: 1,
            refusal: Refusal {
                reason: Reason::Velocity,
                dimension: Some(0),
                point: 0,
                found: 25.0,
                bound: 20.0,
            },
        }),
        What::Lost { lane: 0, source: 1, count: 3 },
        What::DecisionLost { lane: 0, source: 1 },
        What::Gate(Notice::Stalled { late: Duration::from_millis(75) }),
        What::Gate(Notice::NoSafeCommand { lane: 0 }),
        What::Gate(Notice::Motion { lane: 0, found: None }),
        What::Gate(Notice::Cause {
            cause: Cause::FeedbackStale,
            subject: Subject::Feedback(0),
            action: crate::gate::cause::Action::Hold,
            present: true,
            found: 0.5,
            bound: 0.3,
        }),
        What::Description(DescriptionIs::Used),
        What::Audits { stopped: true },
        What::Monitor { stopped: true },
        What::SelfTested(PartResult {
            part: Part::Input(0),
            reach: Reach::Trip,
            flaw: Some(Flaw::NoSafeCommand { lane: 1 }),
            to_safe: None,
            to_disk: None,
        }),
        What::SelfTestRefused(SelfTestRefusal::TooSoon),
        What::MiddlewareFailed { call: Call::Reply, subject: Subject::Node, code: 1 },
        What::Stopping,
    ]
}

#[test]
fn hazard_29_dead_indicators_each_event_kind_is_counted_and_written_once() {
    let slots = fixture::slots();
    let (sender, receiver) = queue(Arc::clone(&slots));
    let all = one_of_each();
    let kinds: Vec<_> = all.iter().map(What::kind).collect();
    assert_eq!(kinds, EventKind::MEMBERS);
    let text = capture("trace", || {
        let mut log = Log::new(SteadyTime::default());
        for what in all {
            sender.post(event(what));
        }
        while let Ok(event) = receiver.try_recv() {
            log.take(&event, &slots);
        }
    });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), EventKind::ALL.len());
    for (line, kind) in lines.iter().zip(EventKind::ALL) {
        assert_eq!(line["kind"], kind.label());
        assert!(!line["message"].as_str().unwrap().contains('?'), "{line}");
        assert_eq!(slots.events.at(*kind).get(), 1);
    }
    let configured = lines.iter().find(|l| l["kind"] == "configured").unwrap();
    assert_eq!(configured["config_sha256"], "ab".repeat(32));
    assert_eq!(configured["hardware_id"], "g1-0042");
    let line = |kind: EventKind| lines.iter().find(|l| l["kind"] == kind.label()).unwrap();
    let rejected = line(EventKind::Rejected);
    assert_eq!(rejected["message"], "arms/vla rejected: velocity, left_elbow, 25 (allowed 20)");
    assert_eq!(rejected["joint"], "left_elbow");
    assert_eq!(rejected["found"], 25.0);
    let tripped = line(EventKind::Tripped);
    assert_eq!(tripped["message"], "tripped: kill_input_asserted, kill input pendant, seq 41");
    assert_eq!(tripped["level"], "ERROR");
    assert!(tripped.get("found").is_none(), "NaN is absent, not null or NaN: {tripped}");
    assert_eq!(line(EventKind::Requested)["operator"], "alice");
    let tested = line(EventKind::SelfTest);
    let text = tested["message"].as_str().unwrap();
    assert!(text.starts_with("self test of kill input pendant FAILED: "), "{text}");
    assert_eq!((&tested["level"], &tested["flaw"]), (&"ERROR".into(), &"no_safe_command".into()));
    assert_eq!(line(EventKind::OwnerChanged)["message"], "lane arms: vla -> none in charge");
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_full_queue_drops_and_counts() {
    let slots = fixture::slots();
    let (sender, receiver) = queue(Arc::clone(&slots));
    let extra = 500;
    for _ in 0..CAPACITY + extra {
        sender.post(event(What::Started));
    }
    assert_eq!(receiver.len(), CAPACITY);
    assert_eq!(slots.events_dropped.get(), 500);
    assert_eq!(slots.events.at(EventKind::Started).get(), 2548);
    let text = capture("info", || {
        let mut log = Log::new(SteadyTime::default());
        log.tick(moment(500).steady, &slots);
        log.tick(moment(1_000).steady, &slots);
        log.tick(moment(2_000).steady, &slots);
        slots.events_dropped.increment();
        log.finish(&slots);
    });
    let counts: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["count"].clone())
        .collect();
    assert_eq!(counts, [500, 1]);
}

#[test]
fn when_rejections_flood_expect_few_lines_and_every_command_in_them() {
    let slots = fixture::slots();
    let refusal = Refusal::whole(Reason::NotFinite);
    let text = capture("info", || {
        let mut log = Log::new(SteadyTime::default());
        for millis in 0..3_500 {
            let what = What::Gate(Notice::Rejected { lane: 0, source: 0, refusal });
            log.take(&Event { at: moment(millis), what }, &slots);
            log.tick(moment(millis).steady, &slots);
        }
        log.finish(&slots);
    });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines.iter().map(|l| l["count"].as_u64().unwrap()).sum::<u64>(), 3_500);
    assert_eq!(lines[0]["message"], "base/teleop rejected: not_finite");
    assert_eq!(lines[1]["message"], "base/teleop rejected: not_finite, 1000 commands");
}

#[test]
fn when_the_log_is_stopped_expect_nothing_left_in_the_queue() {
    let slots = fixture::slots();
    let (sender, log) =
        EventLog::start(Arc::clone(&slots), Arc::default(), crate::clock::steady).unwrap();
    for _ in 0..1_000 {
        sender.post(event(What::Stopping));
    }
    log.stop();
    assert!(sender.queue.is_empty());
    assert_eq!(slots.events_dropped.get(), 0);
    assert!(slots.threads.at(ThreadName::Events).id().is_some());
}
