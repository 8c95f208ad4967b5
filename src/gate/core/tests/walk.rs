//! Every cause, produced through the gate's own interface, removed, and armed
//! again. The matches have no wildcard: an entry that nobody produces does not compile.

use super::bench::*;
use super::situations::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::{Report, Subject};
use crate::gate::notice::Notice;
use crate::gate::rules::{CauseRules, GateRules};
use crate::gate::state::{BootRecord, Refused, State};

/// Removed, reset where it latched, armed, flowing.
fn recovers(bench: &mut Bench, cause: Cause) {
    steps(bench, 6_000, None);
    let seq = bench.gate.machine().seq();
    if bench.state() == State::Killed {
        assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()), "{cause}");
    }
    steps(bench, 1_500, None);
    if bench.state() == State::Disarmed {
        let seq = bench.gate.machine().seq();
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{cause} {:?}", bench.conditions());
    }
    steps(bench, 200, None);
    assert_eq!(
        (bench.state(), bench.lane_state(0)),
        (State::Active, LaneState::Flowing),
        "{cause}"
    );
    assert!(!bench.gate.causes_present(bench.now().steady).contains(cause), "{cause}");
}

/// How a cause comes about.
enum How {
    /// A situation in which a running gate finds it, or is told of it.
    Situation,
    /// Somebody's verb.
    Verb,
    /// What the latch file says at start.
    Boot(BootRecord),
    /// The end of the process.
    End,
}

fn how(cause: Cause) -> How {
    match cause {
        Cause::KillService | Cause::KillSocket | Cause::KillSignal | Cause::SelfTest => How::Verb,
        Cause::Persisted => How::Boot(BootRecord::Killed),
        Cause::LatchFile => How::Boot(BootRecord::Unreadable),
        Cause::FirstRun => How::Boot(BootRecord::Missing),
        Cause::UncleanRestart => How::Boot(BootRecord::EndedActive),
        Cause::Shutdown => How::End,
        Cause::KillInputAsserted
        | Cause::KillInputSilent
        | Cause::SourceSilent
        | Cause::RefusalsSustained
        | Cause::RateExceeded
        | Cause::LimitedRatio
        | Cause::Divergence
        | Cause::FeedbackStale
        | Cause::ForeignPublisher
        | Cause::OtherPath
        | Cause::Tilt
        | Cause::AngularVelocity
        | Cause::ControllerGone
        | Cause::ControllerChanged
        | Cause::TemperatureTrip
        | Cause::BatteryTrip
        | Cause::GateStalled
        | Cause::Suspended
        | Cause::ClockStep => How::Situation,
    }
}

#[test]
fn hazard_05_reset_can_never_succeed() {
    for &cause in Cause::ALL {
        match how(cause) {
            How::Situation => {
                let mut rules = base();
                rules.causes[cause.index()] =
                    CauseRules { action: Some(Action::Kill), ..CauseRules::default() };
                let mut bench = flowing(rules);
                steps(&mut bench, 2_000, Some(cause));
                assert_eq!(bench.state(), State::Killed, "{cause}");
                let first = bench.gate.machine().first_trip().map(|trip| trip.cause);
                assert_eq!(first, Some(cause));
                recovers(&mut bench, cause);
            }
            How::Verb => {
                let mut bench = flowing(base());
                bench.gate.kill(Report::plain(cause, Subject::Node), bench.now());
                assert_eq!((bench.state(), bench.last_cause()), (State::Killed, Some(cause)));
                recovers(&mut bench, cause);
            }
            How::Boot(record) => {
                let mut bench = Bench::booted(base(), record);
                assert_eq!((bench.state(), bench.last_cause()), (State::Killed, Some(cause)));
                recovers(&mut bench, cause);
            }
            How::End => {
                let mut bench = flowing(base());
                bench.gate.shut_down(bench.now());
                assert_eq!((bench.state(), bench.last_cause()), (State::Disarmed, Some(cause)));
                recovers(&mut bench, cause);
            }
        }
    }
}

/// What each situation does with the default actions of a lane.
fn defaults(rules: &GateRules, column: impl Fn(Cause) -> Action) {
    for &cause in Cause::ALL {
        if !matches!(how(cause), How::Situation) {
            continue;
        }
        let mut bench = flowing(rules.clone());
        bench.notices();
        steps(&mut bench, 2_000, Some(cause));
        let found = (bench.state(), bench.lane_state(0));
        let present = bench.gate.causes_present(bench.now().steady).contains(cause);
        match column(cause) {
            Action::Kill => assert_eq!(found.0, State::Killed, "{cause}"),
            Action::Disarm => assert_eq!(found.0, State::Disarmed, "{cause}"),
            Action::Hold => {
                // A hold ends with its cause, and some causes end with the hold.
                let notices = bench.notices();
                let held = notices
                    .iter()
                    .any(|notice| matches!(notice, Notice::Lane { to: LaneState::Holding, .. }));
                assert!(found.0 == State::Active && held, "{cause}");
                assert!(tells(&notices, cause), "{cause}");
            }
            Action::Warn => {
                assert_eq!(found.0, State::Active, "{cause}");
                assert_ne!(found.1, LaneState::Holding, "{cause}");
                assert!(present, "{cause}");
                assert!(tells(&bench.notices(), cause), "{cause}");
            }
            Action::Ignore => {
                assert_eq!(found, (State::Active, LaneState::Flowing), "{cause}");
                assert!(!tells(&bench.notices(), cause), "{cause}");
            }
        }
        recovers(&mut bench, cause);
    }
}

fn tells(notices: &[Notice], asked: Cause) -> bool {
    notices.iter().any(
        |notice| matches!(notice, Notice::Cause { cause, present: true, .. } if *cause == asked),
    )
}

#[test]
fn every_cause_does_what_the_column_for_lanes_of_targets_says() {
    defaults(&base(), Cause::default_action);
}

#[test]
fn every_cause_does_what_the_column_for_balance_lanes_says() {
    defaults(&leg(), Cause::default_action_balance);
}

#[test]
fn when_a_cause_is_there_while_disarmed_expect_nothing_latched_and_the_arm_refused() {
    for &cause in Cause::ALL {
        // What only happens while commands flow, or for a moment, is gone by then.
        let lasts = match how(cause) {
            How::Verb | How::Boot(_) | How::End => false,
            How::Situation => !matches!(
                cause,
                Cause::KillInputAsserted
                    | Cause::SourceSilent
                    | Cause::RefusalsSustained
                    | Cause::RateExceeded
                    | Cause::LimitedRatio
                    | Cause::Divergence
                    | Cause::GateStalled
            ),
        };
        if !lasts {
            continue;
        }
        let mut rules = base();
        rules.causes[cause.index()].action = Some(Action::Kill);
        let mut bench = Bench::new(rules);
        steps(&mut bench, 400, None);
        steps(&mut bench, 2_000, Some(cause));
        assert_eq!(bench.state(), State::Disarmed, "{cause}");
        let own = [
            (Cause::KillInputSilent, ConditionCode::KillInputSilent),
            (Cause::FeedbackStale, ConditionCode::FeedbackStale),
            (Cause::ControllerGone, ConditionCode::NoController),
        ];
        let own = own.iter().find(|(of, _)| *of == cause).map(|(_, code)| *code);
        let expected = own.unwrap_or(ConditionCode::CausePresent);
        let named = bench.conditions().iter().any(|condition| condition.cause == Some(cause));
        assert_eq!(named, own.is_none(), "{cause}: {:?}", bench.conditions());
        assert!(bench.unmet().contains(&expected), "{cause}: {:?}", bench.unmet());
        let seq = bench.gate.machine().seq();
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet), "{cause}");
        steps(&mut bench, 400, None);
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{cause}: {:?}", bench.unmet());
    }
}
