//! Every arm condition, produced through the gate's own interface and removed again. The matches have
//! no wildcard: an entry that nobody produces does not compile.

use super::bench::*;
use super::situations::*;
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::lane::LaneGraph;
use crate::gate::rules::{Engage, GateRules, LaneRules};
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{TICK, position_lane};

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
        | ConditionCode::RobotDescriptionMissing
        | ConditionCode::SensorsUnread
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
    bench.gate.await_description(false);
    bench.gate.sensors_unread(false);
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
        ConditionCode::RobotDescriptionMissing => {
            bench.gate.await_description(true);
            bench.unmet()
        }
        ConditionCode::SensorsUnread => {
            bench.gate.sensors_unread(true);
            bench.unmet()
        }
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
