//! Every reason for which the gate itself refuses a command, produced through its own interface. The
//! matches have no wildcard: an entry that nobody produces does not compile.

use std::time::Duration;

use super::bench::*;
use crate::gate::command::Command;
use crate::gate::lane::Decision;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{LaneRules, OnLimit, OnLimits, Shape};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::{Finder, finder, position_lane, velocity_lane};
use crate::gate::units::WallTime;
use crate::gate::verdict::{Reason, Verdict};

const SECOND: i64 = 1_000_000_000;

/// Rejects whatever it could limit.
fn strict(rules: LaneRules) -> LaneRules {
    let reject = OnLimit::Reject;
    let on_limit = OnLimits {
        position: reject,
        velocity: reject,
        acceleration: reject,
        jerk: reject,
        effort: reject,
        kp: reject,
        kd: reject,
        total_effort: reject,
    };
    LaneRules { on_limit, ..rules }
}

/// A lane that refuses for this reason, when it is asked by [`provoke`].
fn lane(reason: Reason) -> LaneRules {
    let mut position = strict(position_lane(1));
    let mut velocity = strict(velocity_lane(1));
    match reason {
        Reason::Position
        | Reason::NotFinite
        | Reason::WrongCount
        | Reason::OutOfOrder
        | Reason::OtherPublisher
        | Reason::Fenced
        | Reason::RateExceeded => position,
        Reason::LockedAxis => {
            position.limits[0].velocity = None;
            position
        }
        Reason::Velocity => {
            velocity.limits[0].acceleration = None;
            velocity.limits[0].deceleration = None;
            velocity
        }
        Reason::Acceleration => velocity,
        Reason::Jerk => {
            velocity.limits[0].jerk = Some(10.0);
            velocity
        }
        Reason::StaleStamp | Reason::FutureStamp => {
            velocity.sources[0].max_age = Some(Duration::from_millis(500));
            velocity
        }
        Reason::Effort | Reason::Gain | Reason::TotalEffort => {
            position.limits[0].effort = Some(20.0);
            position.limits[0].kp = Some(100.0);
            position.limits[0].kd = Some(5.0);
            position.limits[0].total_effort = Some(10.0);
            position
        }
        Reason::Discontinuity | Reason::Horizon | Reason::TimesNotIncreasing => LaneRules {
            shape: Shape::Trajectory,
            safe: SafeCommand::HoldPoint { tolerance: 0.05 },
            ..position
        },
        // Found elsewhere, and handed to the gate.
        Reason::Malformed
        | Reason::TooLarge
        | Reason::UnknownJoint
        | Reason::DuplicateJoint
        | Reason::FixedValue
        | Reason::Checksum
        | Reason::PublisherNotAllowed => position,
    }
}

fn plan(points: &[(i64, f64)]) -> Command {
    let mut command = Command::with_capacity(1, 8);
    command.points = points.len();
    command.position.extend(points.iter().map(|(_, value)| *value));
    command.times.extend(points.iter().map(|(time, _)| *time));
    command
}

/// A pose with gains and feed-forward.
fn impedance(kp: f64, effort: f64) -> Command {
    let mut command = Command::with_capacity(1, 4);
    command.points = 1;
    command.position.push(0.01);
    command.velocity.push(0.0);
    command.kp.push(kp);
    command.kd.push(0.0);
    command.effort.push(effort);
    command
}

/// A command that is refused for this reason.
fn provoke(bench: &mut Bench, reason: Reason) -> Decision {
    let from = |bench: &mut Bench, publisher: u8| Receipt {
        publisher: Some([publisher; 16]),
        ..bench.receipt()
    };
    let stamped = |bench: &mut Bench, offset_ms: i64| {
        let now = bench.now().wall.as_nanos();
        let stamp = Some(WallTime::from_nanos(now + offset_ms * 1_000_000));
        bench.send_stamped(0, 0, &[0.0], stamp)
    };
    match reason {
        Reason::NotFinite => bench.send(0, 0, &[f64::NAN]).0,
        Reason::WrongCount => bench.send(0, 0, &[0.0, 0.0]).0,
        Reason::LockedAxis => bench.send_command(0, 0, &mut {
            let mut command = impedance(0.0, 0.0);
            command.kp.clear();
            command.kd.clear();
            command.effort.clear();
            command.velocity[0] = 0.1;
            command
        }),
        Reason::Position => bench.send(0, 0, &[1.5]).0,
        Reason::Velocity => bench.send(0, 0, &[1.5]).0,
        Reason::Acceleration => bench.send(0, 0, &[0.9]).0,
        Reason::Jerk => bench.send(0, 0, &[0.03]).0,
        Reason::Effort => bench.send_command(0, 0, &mut impedance(0.0, 20.5)),
        Reason::Gain => bench.send_command(0, 0, &mut impedance(100.5, 0.0)),
        Reason::TotalEffort => bench.send_command(0, 0, &mut impedance(100.0, 9.5)),
        Reason::Discontinuity => bench.send_command(0, 0, &mut plan(&[(0, 0.5), (SECOND, 0.6)])),
        Reason::Horizon => bench.send_command(0, 0, &mut plan(&[(61 * SECOND, 0.1)])),
        Reason::TimesNotIncreasing => {
            bench.send_command(0, 0, &mut plan(&[(2 * SECOND, 0.1), (SECOND, 0.1)]))
        }
        Reason::StaleStamp => stamped(bench, -600),
        Reason::FutureStamp => stamped(bench, 600),
        Reason::Fenced => {
            // Published before the arm, and arriving after it.
            let tail = Receipt { sequence: None, source_timestamp: Some(1), ..from(bench, 1) };
            bench.send_with(0, 0, &[0.0], tail).0
        }
        Reason::OutOfOrder => {
            let (first, second) = (from(bench, 1), from(bench, 1));
            bench.send_with(0, 0, &[0.0], second);
            bench.send_with(0, 0, &[0.0], first).0
        }
        Reason::OtherPublisher => {
            let (first, second) = (from(bench, 1), from(bench, 2));
            bench.send_with(0, 0, &[0.0], first);
            bench.send_with(0, 0, &[0.0], Receipt { sequence: None, ..second }).0
        }
        Reason::RateExceeded => {
            let first = from(bench, 1);
            bench.send_with(0, 0, &[0.0], first);
            bench.sequence += 50;
            let after_a_flood = from(bench, 1);
            bench.send_with(0, 0, &[0.0], after_a_flood).0
        }
        Reason::Malformed
        | Reason::TooLarge
        | Reason::UnknownJoint
        | Reason::DuplicateJoint
        | Reason::FixedValue
        | Reason::Checksum
        | Reason::PublisherNotAllowed => {
            bench.refuse(0, 0, reason);
            Decision::new(Verdict::Withheld, 0, 0)
                .rejected(crate::gate::check::Refusal::whole(reason))
        }
    }
}

#[test]
fn every_reason_is_produced_counted_and_changes_nothing_that_is_sent() {
    for &reason in Reason::ALL {
        let mut bench = Bench::new(rules(vec![lane(reason)]));
        bench.run(200);
        // What this publisher sent before the arm is the fence of what comes after it.
        let before = Receipt { publisher: Some([1; 16]), sequence: None, ..bench.receipt() };
        if finder(reason) == Finder::Gate && reason == Reason::Fenced {
            bench.send_with(0, 0, &[0.0], before);
        }
        let mut bench = bench.armed();
        bench.run(20);
        let sent = bench.gate.lane(0).unwrap().sent().to_vec();
        let passed = bench.gate.count(0, 0, Verdict::Passed);
        let decision = provoke(&mut bench, reason);
        let refusal = decision.refusal.map(|refusal| refusal.reason);
        assert_eq!((decision.verdict, refusal), (Verdict::Rejected, Some(reason)));
        assert_eq!(bench.gate.count(0, 0, Verdict::Rejected), 1, "{reason}");
        assert_eq!(bench.gate.count(0, 0, Verdict::Limited), 0, "{reason}");
        assert!(bench.gate.count(0, 0, Verdict::Passed) <= passed + 1, "{reason}");
        assert_eq!(bench.gate.lane(0).unwrap().sent(), sent, "{reason}");
        let source = &bench.gate.lane(0).unwrap().sources[0];
        assert_eq!(source.last_reason(), Some(reason));
    }
}
