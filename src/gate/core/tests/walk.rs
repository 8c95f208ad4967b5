//! Every entry of the closed lists, produced through the gate's own interface, removed, and armed
//! again. The matches have no wildcard: an entry that nobody produces does not compile.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::{Report, Subject};
use crate::gate::notice::Notice;
use crate::gate::rules::{CauseRules, Engage, FeedbackRules, GateRules, KillInputRules, LaneRules};
use crate::gate::safe::SafeCommand;
use crate::gate::state::{BootRecord, Refused, State};
use crate::gate::test_rules::{TICK, position_lane, velocity_lane};
use crate::gate::verdict::Reason;

/// A base with a button, and an IMU that no lane uses.
fn base() -> GateRules {
    let mut rules = rules(vec![LaneRules { feedback: Some(0), ..velocity_lane(1) }]);
    for source in &mut rules.lanes[0].sources {
        // A little more than what is sent, so that a debt is paid back.
        source.max_rate_hz = 60.0;
    }
    rules.kill_inputs = vec![KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after: Duration::from_secs(60),
    }];
    rules.feedback.push(FeedbackRules {
        timeout: Duration::from_millis(100),
        max_tilt: Some(0.5),
        max_angular_velocity: Some(2.0),
    });
    rules
}

/// A leg below a balance loop.
fn leg() -> GateRules {
    let mut rules = base();
    for lane in &mut rules.lanes {
        lane.balance = true;
        lane.safe = SafeCommand::Damping;
        lane.safe_targets = vec![3.0];
    }
    rules
}

/// 20 ms in which `cause` is there, or everything is well (`None`).
fn step(bench: &mut Bench, count: u64, cause: Option<Cause>) {
    let is = |asked: Cause| cause == Some(asked);
    let receipt = bench.receipt();
    if !is(Cause::KillInputSilent) {
        bench.gate.kill_input(0, Some(is(Cause::KillInputAsserted)), &receipt);
    }
    let tilt = if is(Cause::Tilt) { 0.6 } else { 0.1 };
    let spin = if is(Cause::AngularVelocity) { -2.5 } else { 0.1 };
    let now = bench.now();
    assert!(bench.gate.imu(1, tilt, spin, now));
    bench.feedback = !is(Cause::FeedbackStale);
    bench.gate.graph(0, if is(Cause::ControllerGone) { LaneGraph::default() } else { READ });
    for (found_outside, subject) in OUTSIDE {
        let level = Level { present: is(found_outside), found: 2.0, bound: 1.0 };
        bench.gate.level(found_outside, subject, level, now);
    }
    let beat = if count.is_multiple_of(2) { 0.01 } else { 0.02 };
    match cause {
        Some(Cause::SourceSilent) => {}
        Some(Cause::RefusalsSustained) if !count.is_multiple_of(4) => {
            bench.refuse(0, 0, Reason::NotFinite);
        }
        Some(Cause::RateExceeded) => {
            bench.sequence += 100;
            let receipt = bench.receipt();
            bench.send_with(0, 0, &[beat], receipt);
        }
        Some(Cause::LimitedRatio) => {
            bench.send(0, 0, &[if count.is_multiple_of(2) { 0.9 } else { -0.9 }]);
        }
        Some(Cause::Divergence) => {
            bench.send(0, 0, &[0.9]);
        }
        Some(Cause::GateStalled) if count == 0 => bench.now_ms += 100,
        Some(_) | None => {
            // A source in debt is left in its queue.
            if bench.gate.may_take(0, 0, now.steady) {
                bench.send(0, 0, &[beat]);
            }
        }
    }
    bench.run(20);
}

/// Causes that others find.
const OUTSIDE: [(Cause, Subject); 7] = [
    (Cause::ForeignPublisher, Subject::Lane(0)),
    (Cause::ControllerChanged, Subject::Lane(0)),
    (Cause::OtherPath, Subject::Path(0)),
    (Cause::TemperatureTrip, Subject::Temperature(3)),
    (Cause::BatteryTrip, Subject::Battery(0)),
    (Cause::Suspended, Subject::Node),
    (Cause::ClockStep, Subject::Node),
];

fn steps(bench: &mut Bench, ms: u64, cause: Option<Cause>) {
    for count in 0..ms / 20 {
        step(bench, count, cause);
    }
}

fn flowing(rules: GateRules) -> Bench {
    let mut bench = Bench::new(rules);
    steps(&mut bench, 400, None);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.conditions());
    steps(&mut bench, 200, None);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    bench
}

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
        Cause::KillService | Cause::KillSocket | Cause::KillSignal => How::Verb,
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
        let expected = match cause {
            Cause::KillInputSilent => ConditionCode::KillInputSilent,
            Cause::FeedbackStale => ConditionCode::FeedbackStale,
            Cause::ControllerGone => ConditionCode::NoController,
            other => {
                let named = bench.conditions().iter().any(|c| c.cause == Some(other));
                assert!(named, "{cause}: {:?}", bench.conditions());
                ConditionCode::CausePresent
            }
        };
        assert!(bench.unmet().contains(&expected), "{cause}: {:?}", bench.unmet());
        let seq = bench.gate.machine().seq();
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet), "{cause}");
        steps(&mut bench, 400, None);
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{cause}: {:?}", bench.unmet());
    }
}

/// Brings about one unmet condition, then removes it.
fn condition(code: ConditionCode) {
    let mut rules = base();
    let mut bench = match code {
        ConditionCode::SimulatedTime => {
            let mut bench = Bench::new(GateRules { simulated_time: true, ..rules });
            steps(&mut bench, 400, None);
            assert_eq!(bench.unmet(), [code]);
            // Nothing removes it but another params file.
            return;
        }
        ConditionCode::SourceNotReady => {
            rules.lanes[0].sources[0].engage = Engage::Neutral;
            Bench::new(rules)
        }
        ConditionCode::NoSafeCommand => {
            let lane = LaneRules { sources: vec![], ..position_lane(1) };
            let mut bench = Bench::new(self::rules(vec![lane]));
            bench.feedback = false;
            bench.run(400);
            assert!(bench.unmet().contains(&code));
            bench.feedback = true;
            bench.armed();
            return;
        }
        ConditionCode::KillInputAsserted
        | ConditionCode::KillInputSilent
        | ConditionCode::KillInputUnseen
        | ConditionCode::FeedbackStale
        | ConditionCode::NotStandingStill
        | ConditionCode::NoController
        | ConditionCode::ControllerMismatch
        | ConditionCode::ForeignPublisher
        | ConditionCode::CausePresent
        | ConditionCode::LatchNotWritable
        | ConditionCode::Settling
        | ConditionCode::SeqMoved => Bench::new(rules),
    };
    if code == ConditionCode::KillInputUnseen {
        bench.run(20);
        assert!(bench.unmet().contains(&code));
    }
    steps(&mut bench, 400, None);
    provoke(&mut bench, code);
    steps(&mut bench, 400, None);
    if bench.state() == State::Killed {
        let seq = bench.gate.machine().seq();
        assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    }
    bench.gate.set_latch_writable(true);
    bench.velocity = vec![0.0];
    bench.run(3_000);
    for _ in 0..30 {
        let receipt = bench.receipt();
        bench.gate.kill_input(0, Some(false), &receipt);
        let now = bench.now();
        assert!(bench.gate.imu(1, 0.0, 0.0, now));
        bench.run(10);
    }
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{code}: {:?}", bench.unmet());
}

fn provoke(bench: &mut Bench, code: ConditionCode) {
    let seq = bench.gate.machine().seq();
    let unmet = match code {
        ConditionCode::KillInputAsserted => {
            steps(bench, 20, Some(Cause::KillInputAsserted));
            assert_eq!(bench.state(), State::Killed);
            assert_eq!(bench.gate.reset(seq + 1, bench.now()), Err(Refused::Unmet));
            bench.unmet()
        }
        ConditionCode::KillInputSilent => {
            steps(bench, 400, Some(Cause::KillInputSilent));
            bench.unmet()
        }
        ConditionCode::FeedbackStale => {
            steps(bench, 400, Some(Cause::FeedbackStale));
            bench.unmet()
        }
        ConditionCode::NotStandingStill => {
            bench.velocity = vec![0.2];
            steps(bench, 1_000, None);
            bench.unmet()
        }
        ConditionCode::NoController => {
            bench.gate.graph(0, LaneGraph::default());
            bench.unmet()
        }
        ConditionCode::ControllerMismatch => {
            bench.gate.graph(0, LaneGraph { incompatible: 2, ..LaneGraph::default() });
            assert_eq!(bench.conditions()[0].found, 2.0);
            bench.unmet()
        }
        ConditionCode::ForeignPublisher => {
            bench.gate.graph(0, LaneGraph { foreign_publishers: 1, ..READ });
            bench.unmet()
        }
        ConditionCode::CausePresent => {
            steps(bench, 400, Some(Cause::Tilt));
            bench.unmet()
        }
        ConditionCode::SourceNotReady => bench.unmet(),
        ConditionCode::LatchNotWritable => {
            bench.gate.set_latch_writable(false);
            bench.unmet()
        }
        ConditionCode::Settling => {
            bench.gate.graph(0, LaneGraph::default());
            bench.run(10);
            bench.gate.graph(0, READ);
            bench.run(10);
            bench.unmet()
        }
        ConditionCode::SeqMoved => {
            // A condition of the caller's, told as a refusal of its own.
            assert_eq!(bench.gate.arm(seq + 1, 0, bench.now()), Err(Refused::SeqMoved));
            return;
        }
        ConditionCode::KillInputUnseen
        | ConditionCode::SimulatedTime
        | ConditionCode::NoSafeCommand => return,
    };
    assert!(unmet.contains(&code), "{code}: {unmet:?}");
    if bench.state() == State::Disarmed {
        assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet), "{code}");
    }
}

#[test]
fn every_condition_is_produced_prevents_the_arm_and_goes_away() {
    for &code in ConditionCode::ALL {
        condition(code);
    }
}

#[test]
fn hazard_23_fail_open_at_start() {
    // Nothing was ever heard: every required input is a reason not to arm.
    let mut bench = Bench::new(base());
    bench.feedback = false;
    bench.gate.graph(0, LaneGraph::default());
    bench.run(60_000);
    let unmet = bench.unmet();
    for code in
        [ConditionCode::KillInputUnseen, ConditionCode::FeedbackStale, ConditionCode::NoController]
    {
        assert!(unmet.contains(&code), "{code}: {unmet:?}");
    }
    // The lane's odometry and the IMU that no lane uses: each is asked for.
    let stale = unmet.iter().filter(|code| **code == ConditionCode::FeedbackStale);
    assert_eq!(stale.count(), 2);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet));
    assert!(!bench.gate.is_permitted());
    let tick = u64::try_from(TICK.as_millis()).unwrap();
    assert!(bench.run(10 * tick).is_empty());
}
