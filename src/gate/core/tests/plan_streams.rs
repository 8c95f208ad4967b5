//! Streams of plans: what each may leap, and what all of them together may.

use super::bench::*;
use super::plans_in_flight::{MS, TOLERANCE, lane, plan};
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::limits::Bounds;
use crate::gate::verdict::Reason;

fn of_two(points: &[(i64, [f64; 2])]) -> Command {
    let mut plan = Command::with_capacity(2, 64);
    plan.points = points.len();
    plan.times.extend(points.iter().map(|(ms, _)| ms * MS));
    plan.position.extend(points.iter().flat_map(|(_, positions)| positions));
    plan
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
