//! A plan that its controller is following: what a stop holds, and how the next plan may begin.

use std::time::Duration;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::limits::Bounds;
use crate::gate::rules::{LaneRules, Shape};
use crate::gate::safe::SafeCommand;
use crate::gate::state::State;
use crate::gate::test_rules::position_lane;
use crate::gate::verdict::Reason;

pub(super) const TOLERANCE: f64 = 0.05;
pub(super) const MS: i64 = 1_000_000;

/// Half a rad per s, 2 per s².
pub(super) fn lane() -> LaneRules {
    let mut lane = LaneRules {
        shape: Shape::Trajectory,
        safe: SafeCommand::HoldPoint { tolerance: TOLERANCE },
        ..position_lane(1)
    };
    lane.limits[0].position = Some(Bounds { min: -3.0, max: 3.0 });
    lane.limits[0].velocity = Some(Bounds { min: -0.5, max: 0.5 });
    lane.limits[0].acceleration = Some(2.0);
    lane.limits[0].deceleration = Some(2.0);
    lane.sources[0].timeout = None;
    lane
}

pub(super) fn plan(points: &[(i64, f64)]) -> Command {
    let mut plan = Command::with_capacity(1, 64);
    plan.points = points.len();
    plan.times.extend(points.iter().map(|(ms, _)| ms * MS));
    plan.position.extend(points.iter().map(|(_, position)| position));
    plan
}

/// One second into a plan from 0 to 2 rad in ten, its joint where it is due.
fn under_way() -> Bench {
    let mut bench = Bench::new(rules(vec![lane()])).armed();
    assert!(bench.send_command(0, 0, &mut plan(&[(10_000, 2.0)])).forwards());
    for _ in 0..100 {
        bench.pose[0] += 0.002;
        bench.run(10);
    }
    bench
}

fn near(held: f64, expected: f64) {
    assert!((held - expected).abs() < 0.02, "{held}, not {expected}");
}

/// What a burst so long after now would hold.
fn would_hold(bench: &Bench, later_ms: u64) -> Option<f64> {
    let now = bench.now().steady;
    let then = now.after(Duration::from_millis(later_ms));
    bench.gate.would_send(0, &mut [0.0], (now, then)).map(|safe| safe.values[0])
}

/// A gate that stands still is found half a second later, and the controller has gone on by then.
#[test]
fn hazard_13_gate_hangs_or_dies_under_a_plan_holds_what_is_due_when_it_is_found() {
    let mut bench = under_way();
    assert!(bench.gate.follows_plan(0));
    near(would_hold(&bench, 500).unwrap(), 0.3);
    // No further than it leads, and not where a joint does not follow it.
    near(would_hold(&bench, 60_000).unwrap(), 2.0);
    bench.pose[0] -= 0.06;
    bench.run(30);
    near(would_hold(&bench, 500).unwrap(), 0.14);
    bench.pose[0] += 0.06;
    bench.run(30);
    near(would_hold(&bench, 500).unwrap(), 0.31);
    // A pose that is chosen is kept.
    bench.gate.kill(SERVICE, bench.now());
    assert!(!bench.gate.follows_plan(0) && !bench.gate.follows_plan(1));
    assert_eq!(would_hold(&bench, 500), would_hold(&bench, 0));
}

/// The goal of a plan is not where it is: held there, the joint would leap to it.
#[test]
fn hazard_19_stop_under_a_plan_without_feedback_holds_what_is_due() {
    let mut bench = under_way();
    bench.feedback = false;
    let safes = bench.run(300);
    near(safes[0][0], 0.22);
    assert!(safes.iter().all(|safe| *safe == safes[0]), "chosen once: {safes:?}");
    let mut bench = under_way();
    bench.feedback = false;
    bench.run(95);
    bench.now_ms += 10;
    let now = bench.now();
    near(would_hold(&bench, 0).unwrap(), 0.22);
    bench.gate.kill(SERVICE, now);
    assert_eq!(bench.state(), State::Killed);
    near(bench.gate.take_safe(0, now.steady).unwrap().values[0], 0.22);
}

#[test]
fn when_a_plan_is_stopped_with_feedback_expect_what_is_due_or_the_measured_pose() {
    for (lag, held) in [(0.03, 0.2), (0.06, 0.14)] {
        let mut bench = under_way();
        bench.pose[0] -= lag;
        bench.run(30);
        bench.gate.kill(SERVICE, bench.now());
        let now = bench.now().steady;
        near(bench.gate.take_safe(0, now).unwrap().values[0], held);
    }
}

#[test]
fn when_a_plan_is_over_or_empty_expect_where_it_ended_held() {
    let mut over = under_way();
    over.run(9_500);
    over.feedback = false;
    near(over.run(300)[0][0], 2.0);
    let mut empty = under_way();
    assert!(empty.send_command(0, 0, &mut plan(&[])).forwards());
    empty.run(50);
    empty.feedback = false;
    near(empty.run(2_000)[0][0], 0.2);
}

/// Moved out of its bounds by hand or by a brake that let go, a joint is planned back in.
#[test]
fn hazard_45_plans_bring_a_joint_outside_its_bounds_back_in() {
    for sign in [1.0, -1.0] {
        let send = |points: &[(i64, f64)]| {
            let mut lane = lane();
            lane.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
            let mut bench = Bench::new(rules(vec![lane]));
            bench.pose = vec![sign * 1.1];
            let mut bench = bench.armed();
            let points: Vec<(i64, f64)> = points.iter().map(|(ms, at)| (*ms, sign * at)).collect();
            let mut sent = plan(&points);
            let decision = bench.send_command(0, 0, &mut sent);
            let position: Vec<f64> = sent.position.iter().map(|at| sign * at).collect();
            (decision, position)
        };
        for (points, sent) in [
            // As planners do: their start, and from there in.
            (vec![(0, 1.1), (3_000, 0.5)], vec![1.1, 0.5]),
            (vec![(0, 1.1), (5_000, 1.1)], vec![1.1, 1.1]),
            // Never further out than it is, nor out again.
            (vec![(0, 1.1), (1_000, 1.2)], vec![1.1, 1.1]),
            (vec![(0, 1.1), (1_000, 0.95), (2_000, 1.1)], vec![1.1, 0.95, 1.0]),
        ] {
            let (decision, found) = send(&points);
            assert!(decision.forwards(), "{points:?}: {decision:?}");
            assert_eq!(found, sent, "{points:?}");
        }
    }
}

/// Neither sag under load nor one wrong sample leads a plan out of the bounds.
#[test]
fn hazard_45_what_is_measured_outside_lets_no_plan_out() {
    let mut bounded = lane();
    bounded.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
    let mut bench = Bench::new(rules(vec![bounded.clone()])).armed();
    for _ in 0..100 {
        let mut sent = plan(&[(100, 1.5)]);
        if bench.send_command(0, 0, &mut sent).forwards() {
            assert!(sent.position[0] <= 1.0, "{}", sent.position[0]);
            bench.pose[0] += 0.04;
            if bench.pose[0] > 1.01 {
                bench.pose[0] = 1.01;
            }
        }
        bench.run(100);
    }
    let mut bench = Bench::new(rules(vec![bounded])).armed();
    bench.run(50);
    let now = bench.now().steady;
    assert!(bench.gate.feedback(0, &[3.0], &[], now));
    let mut sent = plan(&[(5_000, 2.5)]);
    bench.send_command(0, 0, &mut sent);
    assert_eq!(sent.position[0], 1.0);
}

/// Without fresh feedback a plan goes on from what is due, not from what was measured once.
#[test]
fn when_feedback_is_stale_and_only_told_expect_plans_to_begin_where_the_last_one_is() {
    let mut gate = rules(vec![lane()]);
    gate.causes[Cause::FeedbackStale.index()].action = Some(Action::Warn);
    let mut bench = Bench::new(gate).armed();
    assert!(bench.send_command(0, 0, &mut plan(&[(10_000, 2.0)])).forwards());
    for _ in 0..100 {
        bench.pose[0] += 0.002;
        bench.run(10);
    }
    bench.feedback = false;
    bench.run(5_000);
    let leaps = bench.send_command(0, 0, &mut plan(&[(0, 0.2), (8_000, 1.0)]));
    assert_eq!(leaps.refusal.map(|refusal| refusal.reason), Some(Reason::Discontinuity));
    let goes_on = bench.send_command(0, 0, &mut plan(&[(0, 1.2), (4_000, 2.0)]));
    assert!(goes_on.forwards(), "{goes_on:?}");
}

/// Sent again, or late, while the joint follows its curve exactly: it is as fast as the curve.
#[test]
fn when_a_curve_is_sent_again_while_followed_at_its_speed_expect_it_to_pass_to_its_end() {
    for (distance, whole_s, acceleration) in [(1.0, 4.0, 0.4), (0.3, 1.0, 2.0)] {
        let mut lane = lane();
        lane.limits[0].acceleration = Some(acceleration);
        lane.limits[0].deceleration = Some(acceleration);
        lane.safe = SafeCommand::HoldPoint { tolerance: 0.02 };
        lane.sources[0].max_rate_hz = 1_000.0;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        let (began, stamp) = (bench.now_ms, bench.now().wall);
        let whole_ms = (whole_s * 1e3) as i64;
        while (bench.now_ms - began) as i64 + 10 < whole_ms {
            let s = (bench.now_ms - began) as f64 * 1e-3 / whole_s;
            let (pose, speed) =
                (distance * (3.0 - 2.0 * s) * s * s, distance * 6.0 * (1.0 - s) * s / whole_s);
            let now = bench.now().steady;
            bench.pose = vec![pose];
            assert!(bench.gate.feedback(0, &[pose], &[speed], now));
            let mut again = plan(&[(0, 0.0), (whole_ms, distance)]);
            again.velocity.extend([0.0, 0.0]);
            again.stamp = Some(stamp);
            let decision = bench.send_command(0, 0, &mut again);
            assert!(decision.forwards(), "{distance} at {s}: {decision:?}");
            bench.run(10);
        }
    }
}

/// What has a plan's curve due now is on the curve, not on the straight line between its points.
#[test]
fn when_a_stamped_plan_is_sent_again_while_it_is_followed_expect_it_to_pass() {
    for (distance, whole_ms, every_ms) in [(0.3, 1_000, 50), (0.25, 1_000, 20), (0.5, 2_000, 100)] {
        let mut bench = Bench::new(rules(vec![lane()])).armed();
        let (began, stamp) = (bench.now_ms, bench.now().wall);
        for ms in (0..whole_ms).step_by(every_ms) {
            let s = f64::from(u32::try_from(bench.now_ms - began).unwrap())
                / f64::from(u32::try_from(whole_ms).unwrap());
            bench.pose = vec![distance * (3.0 - 2.0 * s) * s * s];
            let (pose, now) = (bench.pose.clone(), bench.now().steady);
            assert!(bench.gate.feedback(0, &pose, &[], now));
            let mut again = plan(&[(0, 0.0), (i64::from(whole_ms), distance)]);
            again.velocity.extend([0.0, 0.0]);
            again.stamp = Some(stamp);
            let decision = bench.send_command(0, 0, &mut again);
            assert!(decision.forwards(), "{distance} in {whole_ms}, {ms}: {decision:?}");
            bench.run(u64::try_from(every_ms).unwrap());
        }
    }
}

/// A joint that something holds back is far behind its plan; a new one may begin where it is.
#[test]
fn when_a_joint_was_held_back_expect_a_plan_from_where_it_is() {
    let mut bench = under_way();
    let pose = bench.pose[0];
    bench.run(5_000);
    assert!(bench.send_command(0, 0, &mut plan(&[(0, pose), (4_000, 0.0)])).forwards());
    // And no further back than the tolerance.
    bench.run(20);
    let refusal = bench.send_command(0, 0, &mut plan(&[(0, pose - 0.07)])).refusal.unwrap();
    assert_eq!(refusal.reason, Reason::Discontinuity);
}

/// Moved by hand while disarmed, a joint has used nothing up.
#[test]
fn when_a_joint_was_moved_by_hand_before_an_arm_expect_the_whole_tolerance_again() {
    let mut bench = under_way();
    bench.gate.disarm(bench.now()).unwrap();
    bench.pose[0] = 2.9;
    bench.run(2_600);
    let mut bench = bench.armed();
    let off = bench.pose[0] - TOLERANCE * 0.9;
    let decision = bench.send_command(0, 0, &mut plan(&[(0, off), (9_000, 1.0)]));
    assert!(decision.forwards(), "{decision:?}");
}
