//! 20 ms in which one cause is there, or everything is well: what the walks over the closed lists use.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::Cause;
use crate::gate::fault::Level;
use crate::gate::lane::LaneGraph;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::Subject;
use crate::gate::rules::{FeedbackRules, GateRules, LaneRules};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::{heartbeat, velocity_lane};
use crate::gate::verdict::Reason;

/// A base with a button, and an IMU that no lane uses.
pub(crate) fn base() -> GateRules {
    let mut rules = rules(vec![LaneRules { feedback: Some(0), ..velocity_lane(1) }]);
    for source in &mut rules.lanes[0].sources {
        // A little more than what is sent, so that a debt is paid back.
        source.max_rate_hz = 60.0;
    }
    rules.kill_inputs = vec![heartbeat(Duration::from_secs(60))];
    rules.feedback.push(FeedbackRules {
        timeout: Duration::from_millis(100),
        max_tilt: Some(0.5),
        max_angular_velocity: Some(2.0),
    });
    rules
}

/// A leg below a balance loop.
pub(crate) fn leg() -> GateRules {
    let mut rules = base();
    for lane in &mut rules.lanes {
        lane.balance = true;
        lane.safe = SafeCommand::Damping;
        lane.safe_targets = vec![3.0];
    }
    rules
}

/// 20 ms in which `cause` is there, or everything is well (`None`).
pub(crate) fn step(bench: &mut Bench, count: u64, cause: Option<Cause>) {
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
pub(crate) const OUTSIDE: [(Cause, Subject); 7] = [
    (Cause::ForeignPublisher, Subject::Lane(0)),
    (Cause::ControllerChanged, Subject::Lane(0)),
    (Cause::OtherPath, Subject::Path(0)),
    (Cause::TemperatureTrip, Subject::Temperature(3)),
    (Cause::BatteryTrip, Subject::Battery(0)),
    (Cause::Suspended, Subject::Node),
    (Cause::ClockStep, Subject::Node),
];

pub(crate) fn steps(bench: &mut Bench, ms: u64, cause: Option<Cause>) {
    for count in 0..ms / 20 {
        step(bench, count, cause);
    }
}

pub(crate) fn flowing(rules: GateRules) -> Bench {
    let mut bench = Bench::new(rules);
    steps(&mut bench, 400, None);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.conditions());
    steps(&mut bench, 200, None);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    bench
}
