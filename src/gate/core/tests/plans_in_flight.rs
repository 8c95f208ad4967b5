//! A plan that its controller is following: what a stop holds, and how the next plan may begin.

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::limits::Bounds;
use crate::gate::rules::{LaneRules, Shape};
use crate::gate::safe::SafeCommand;
use crate::gate::state::State;
use crate::gate::test_rules::position_lane;
use crate::gate::verdict::Reason;

const TOLERANCE: f64 = 0.05;
const MS: i64 = 1_000_000;

/// Half a rad per s, 2 per s².
fn lane() -> LaneRules {
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

fn plan(points: &[(i64, f64)]) -> Command {
    let mut plan = Command::with_capacity(1, 64);
    plan.points = points.len();
    plan.times.extend(points.iter().map(|(ms, _)| ms * MS));
    plan.position.extend(points.iter().map(|(_, position)| position));
    plan
}

fn of_two(points: &[(i64, [f64; 2])]) -> Command {
    let mut plan = Command::with_capacity(2, 64);
    plan.points = points.len();
    plan.times.extend(points.iter().map(|(ms, _)| ms * MS));
    plan.position.extend(points.iter().flat_map(|(_, positions)| positions));
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
    near(bench.gate.would_send(0, &mut [0.0], now.steady).unwrap().values[0], 0.22);
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

/// The measured pose is known only so well, and that is forgiven to a plan; not to each of a stream.
#[test]
fn hazard_44_streams_of_short_plans_keep_the_speed_limit() {
    for (first_ms, every_ms) in [(0, 20), (20, 20), (0, 10), (20, 10), (50, 10), (5, 100)] {
        let mut lane = lane();
        lane.sources[0].max_rate_hz = 1_000.0;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        let began = bench.now_ms;
        let mut refused = 0;
        while bench.now_ms < began + 2_000 {
            let target = bench.pose[0] + TOLERANCE * 0.98;
            let decision = bench.send_command(0, 0, &mut plan(&[(first_ms, target)]));
            if decision.forwards() {
                bench.pose = vec![target];
            } else {
                let reason = decision.refusal.map(|refusal| refusal.reason);
                refused += u32::from(reason == Some(Reason::Discontinuity));
            }
            bench.run(every_ms);
        }
        let most = 0.5 * 2.0 + 2.0 * TOLERANCE;
        assert!(bench.pose[0] <= most, "{first_ms} ms: {} in 2 s", bench.pose[0]);
        assert!(refused > 0 || every_ms == 100, "{first_ms} ms of {every_ms} ms");
    }
}

/// Each direction has its own limit; one that is forbidden has none of it back.
#[test]
fn hazard_44_streams_of_short_plans_keep_the_limit_of_their_direction() {
    for (slower, most) in [(0.1, 0.1 * 2.0 + 2.0 * TOLERANCE), (0.0, TOLERANCE)] {
        for (sign, bounds) in
            [(-1.0, Bounds { min: -slower, max: 0.5 }), (1.0, Bounds { min: -0.5, max: slower })]
        {
            let mut lane = lane();
            lane.limits[0].velocity = Some(bounds);
            lane.sources[0].max_rate_hz = 1_000.0;
            let mut gate = rules(vec![lane]);
            gate.causes[Cause::RefusalsSustained.index()].action = Some(Action::Warn);
            let mut bench = Bench::new(gate).armed();
            for _ in 0..100 {
                let target = bench.pose[0] + sign * 0.01;
                if bench.send_command(0, 0, &mut plan(&[(0, target)])).forwards() {
                    bench.pose = vec![target];
                }
                bench.run(20);
            }
            let moved = bench.pose[0] * sign;
            assert!(moved <= most + 1e-9, "{moved} in 2 s at {slower}");
            // And back at its own speed.
            let back = bench.pose[0] - sign * 0.4;
            let decision = bench.send_command(0, 0, &mut plan(&[(1_000, back)]));
            assert!(decision.forwards(), "{decision:?}");
        }
    }
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

/// A slower planner takes a joint over that a faster one moves: what that one did is not its debt.
#[test]
fn when_a_slower_source_plans_on_from_where_a_faster_one_is_expect_it_to_pass() {
    for scale in [0.9, 0.5, 0.3] {
        for taken_at_ms in [300, 1_500, 5_500] {
            let mut lane = lane();
            lane.limits[0].position = Some(Bounds { min: -30.0, max: 30.0 });
            lane.limits[0].acceleration = None;
            lane.limits[0].deceleration = None;
            lane.sources[0].max_rate_hz = 1_000.0;
            lane.sources[0].limit_scale = scale;
            let mut bench = Bench::new(rules(vec![lane])).armed();
            assert!(bench.send_command(0, 1, &mut plan(&[(5_000, 2.5)])).forwards());
            let at = |ms: i64| {
                let ms = f64::from(i32::try_from(ms).unwrap());
                if ms < 0.0 {
                    0.0
                } else if ms > 5_000.0 {
                    2.5
                } else {
                    ms * 0.5e-3
                }
            };
            for ms in (0..taken_at_ms).step_by(10) {
                bench.pose = vec![at(ms + 10 - 30)];
                bench.run(10);
            }
            // Its first point is where the joint was 20 ms ago.
            let from = at(taken_at_ms - 50);
            let decision = bench.send_command(0, 0, &mut plan(&[(0, from), (9_000, from + 0.5)]));
            assert!(decision.forwards(), "{scale} at {taken_at_ms}: {decision:?}");
        }
    }
}

/// To and fro by the tolerance is forgiven once, too.
#[test]
fn hazard_44_streams_of_short_plans_shake_no_joint() {
    let mut lane = lane();
    lane.sources[0].max_rate_hz = 1_000.0;
    let mut gate = rules(vec![lane]);
    gate.causes[Cause::RefusalsSustained.index()].action = Some(Action::Warn);
    let mut bench = Bench::new(gate).armed();
    let mut way = 0.0;
    for step in 0..100 {
        let target = if step % 2 == 0 { 0.05 } else { 0.0 };
        if bench.send_command(0, 0, &mut plan(&[(0, target)])).forwards() {
            way += (bench.pose[0] - target).abs();
            bench.pose = vec![target];
        }
        bench.run(20);
    }
    assert!(way <= 0.5 * 2.0 + 2.0 * TOLERANCE, "{way} rad in 2 s");
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

/// What policies and servoing nodes send: each plan continues the one before, from where they believe
/// the joint is.
#[test]
fn when_each_plan_continues_the_one_before_expect_all_to_pass() {
    for (every_ms, lag_ms, speed) in [(100, 40, 0.4), (20, 0, 0.5), (20, 60, 0.45), (250, 90, 0.5)]
    {
        let mut lane = lane();
        lane.limits[0].acceleration = None;
        lane.limits[0].deceleration = None;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        // Up for four seconds and down again.
        let at = |ms: i32| {
            let turned = f64::from(ms.max(0) % 8_000) / 1e3;
            speed * if turned < 4.0 { turned } else { 8.0 - turned }
        };
        for now_ms in (0..20_000).step_by(10) {
            bench.pose = vec![at(now_ms - lag_ms)];
            bench.run(10);
            if now_ms % every_ms == 0 {
                let points: Vec<(i64, f64)> =
                    (1..=10).map(|step| (i64::from(step * 50), at(now_ms + step * 50))).collect();
                let decision = bench.send_command(0, 0, &mut plan(&points));
                assert!(decision.forwards(), "{every_ms} ms, at {now_ms}: {decision:?}");
            }
        }
    }
}

/// A plan that is empty, or about another joint, takes nothing back of what was used.
#[test]
fn hazard_44_streams_of_short_plans_keep_the_speed_limit_with_others_in_between() {
    let mut other = of_two(&[(0, [f64::NAN, 0.0])]);
    other.given = vec![false, true];
    for mut between in [of_two(&[]), other] {
        let mut rules_of = lane();
        rules_of.limits = vec![rules_of.limits[0]; 2];
        rules_of.sources[0].max_rate_hz = 1_000.0;
        let mut bench = Bench::new(rules(vec![rules_of])).armed();
        let began = bench.now_ms;
        while bench.now_ms < began + 2_000 {
            let target = bench.pose[0] + TOLERANCE * 0.98;
            if bench.send_command(0, 0, &mut of_two(&[(0, [target, 0.0])])).forwards() {
                bench.pose[0] = target;
            }
            bench.run(10);
            bench.send_command(0, 0, &mut between);
            bench.run(10);
        }
        assert!(bench.pose[0] <= 1.1, "{} in 2 s", bench.pose[0]);
    }
}

/// Plans that are computed on a grid and come a little late, each by another time.
#[test]
fn when_plans_at_the_limit_come_late_by_some_ms_expect_all_to_pass() {
    for (every, first, jitter, lag) in
        [(20, 20, 4, 30), (20, 50, 10, 30), (20, 100, 10, 30), (50, 100, 20, 30), (20, 50, 18, 60)]
    {
        let mut lane = lane();
        lane.limits[0].acceleration = None;
        lane.limits[0].deceleration = None;
        lane.limits[0].position = Some(Bounds { min: -30.0, max: 30.0 });
        lane.sources[0].max_rate_hz = 1_000.0;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        let at = |ms: i64| 0.5 * f64::from(i32::try_from(ms.max(0)).unwrap()) / 1e3;
        let (began, mut late) = (bench.now_ms, 0);
        for ms in (0..10_000_i64).step_by(2) {
            bench.now_ms = began + u64::try_from(ms).unwrap();
            let now = bench.now();
            bench.pose = vec![at(ms - lag)];
            assert!(bench.gate.feedback(0, &[at(ms - lag)], &[], now.steady));
            if ms % 10 == 0 {
                bench.gate.tick(now);
                let _unused = bench.gate.take_safe(0, now.steady);
            }
            let slot = ms / every * every;
            if ms == slot {
                // Each slot another delay, over all there are.
                late = (ms / every * 14) % (jitter + 2) / 2 * 2;
            }
            if ms - slot == late {
                let points: Vec<(i64, f64)> = (0..10)
                    .map(|point| first + 50 * point)
                    .map(|after| (after, at(slot + after)))
                    .collect();
                let decision = bench.send_command(0, 0, &mut plan(&points));
                assert!(decision.forwards(), "{every} {first} {jitter}, {ms}: {decision:?}");
            }
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
