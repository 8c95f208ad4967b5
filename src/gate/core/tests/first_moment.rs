//! What a stop sends at its first moment, from whatever it finds the lane in, and what the first command
//! after it starts from.

use std::time::Duration;

use super::bench::*;
use crate::gate::awaits::SafeWaits;
use crate::gate::lane_state::LaneState;
use crate::gate::notice::Notice;
use crate::gate::rules::{Handover, LaneMode, LaneRules};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::verdict::Limit;

/// What a burst by somebody else would send on lane 0.
fn burst(bench: &Bench) -> Option<Vec<f64>> {
    let mut values = [9.0];
    let now = bench.now().steady;
    let out = bench.gate.would_send(0, &mut values, (now, now));
    out.map(|out| out.values.to_vec())
}

#[test]
fn when_it_flows_expect_the_burst_to_hold_where_it_is_and_when_it_holds_the_pose_chosen_then() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.4];
    let mut bench = bench.armed();
    for step in 1..=10 {
        bench.send(0, 0, &[0.4 + 0.01 * f64::from(step)]);
        bench.run(20);
    }
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    let sent = bench.gate.lane(0).unwrap().sent()[0].value;
    assert!((sent - 0.5).abs() < 1e-9);
    let held = burst(&bench).unwrap();
    assert!((held[0] - sent).abs() <= 0.1 && held[0] > 0.39, "{held:?}");
    // Silent in motion: it holds, and goes on holding that pose wherever the joint is pushed.
    bench.run(300);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    let held = burst(&bench).unwrap();
    bench.pose = vec![-0.3];
    bench.run(50);
    assert_eq!(burst(&bench).unwrap(), held);
    assert_eq!(bench.run(10), [held]);
}

/// The last command where the robot has nearly reached it, else where it is: a lagging joint must not
/// be driven on by its own stop.
#[test]
fn when_the_robot_lags_by_more_than_the_tolerance_expect_the_measured_pose_held() {
    for (lag, held) in [(0.05, 0.05), (0.1, 0.1), (0.11, 0.0), (0.5, 0.0)] {
        let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
        while bench.gate.lane(0).unwrap().sent()[0].value < lag {
            bench.run(20);
            bench.send(0, 0, &[lag]);
        }
        assert_eq!(burst(&bench), Some(vec![held]), "{lag}");
        bench.gate.kill(SERVICE, bench.now());
        assert_eq!(bench.run(10), [[held]], "{lag}");
    }
}

#[test]
fn when_nobody_knows_a_pose_expect_no_burst() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.feedback = false;
    bench.gate.kill(SERVICE, bench.now());
    assert_eq!(burst(&bench), None);
}

#[test]
fn when_a_stop_comes_late_expect_its_ramp_to_begin_with_one_step_all_the_same() {
    let safe = SafeCommand::ZeroVelocity { deceleration: Some(1.0) };
    let mut bench = Bench::new(rules(vec![LaneRules { safe, ..velocity_lane(1) }])).armed();
    for _ in 0..60 {
        bench.send(0, 0, &[0.5]);
        bench.run(20);
    }
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.5);
    // Nothing was sent for 150 ms, which the ramp does not make up for: one and a half periods.
    bench.now_ms += 150;
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    let first = bench.gate.take_safe(0, now).unwrap().values[0];
    assert!((first - (0.5 - 0.015)).abs() < 1e-9, "{first}");
    assert_eq!(burst(&bench), Some(vec![0.0]), "a burst has no time for a ramp");
    let ramp: Vec<f64> = bench.run(600).into_iter().map(|values| values[0]).collect();
    assert!(ramp.windows(2).all(|pair| pair[0] - pair[1] <= 0.015 + 1e-9), "{ramp:?}");
    assert_eq!(ramp.last(), Some(&0.0));
}

#[test]
fn when_a_limp_joint_hangs_beyond_its_bound_expect_the_first_command_from_where_it_hangs() {
    let lane =
        LaneRules { safe: SafeCommand::Damping, safe_targets: vec![4.0], ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane]));
    bench.pose = vec![1.2];
    let mut bench = bench.armed();
    bench.run(20);
    let (decision, sent) = bench.send(0, 0, &[0.9]);
    assert!(decision.forwards() && sent[0] > 1.1 && sent[0] < 1.2, "{sent:?}");
}

#[test]
fn when_a_watched_lane_moves_after_a_stop_expect_nothing_told_it_was_not_stopped() {
    let watched = LaneRules { mode: LaneMode::Watch, feedback: Some(0), ..velocity_lane(1) };
    let mut rules = rules(vec![velocity_lane(1), watched]);
    rules.stop_deadline = Duration::from_millis(500);
    let mut bench = Bench::new(rules).armed();
    bench.gate.kill(SERVICE, bench.now());
    bench.velocity = vec![0.8];
    bench.run(3_000);
    let moves = |notice: &Notice| matches!(notice, Notice::Motion { .. });
    assert!(!bench.notices().iter().any(moves));
    assert!(!bench.gate.moves_after_stop());
}

#[test]
fn when_a_hold_was_long_expect_a_hand_over_after_it_and_after_a_short_one_none() {
    let handover = Handover { duration: Duration::from_secs(1), limit_scale: 0.25 };
    for (held_ms, eased) in [(700, false), (1_500, true)] {
        let mut bench = Bench::new(rules(vec![LaneRules { handover, ..position_lane(1) }])).armed();
        bench.stream(0, 0, &[0.0], 200);
        bench.feedback = false;
        bench.run(100 + held_ms);
        assert_eq!(bench.lane_state(0), LaneState::Holding);
        bench.feedback = true;
        bench.run(10);
        let (decision, _) = bench.send(0, 0, &[0.9]);
        assert!(decision.forwards());
        assert_eq!(decision.limits.contains(Limit::Handover), eased, "{held_ms} ms: {decision:?}");
    }
}

/// Killed before its first command, a lane whose safe message is built on one sends nothing, and is
/// not said to.
#[test]
fn when_killed_with_nothing_to_build_on_expect_released_until_there_is() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.gate.safe_waits(0, Some(SafeWaits::Command));
    bench.run(50);
    bench.gate.kill(SERVICE, bench.now());
    assert!(bench.run(100).is_empty());
    assert_eq!(bench.lane_state(0), LaneState::Released);
    assert!(bench.notices().contains(&Notice::NoSafeCommand { lane: 0 }));
    bench.gate.safe_waits(0, None);
    assert!(!bench.run(20).is_empty());
    assert_eq!(bench.lane_state(0), LaneState::Safe);
    // What only an arm waits for keeps no stop back.
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.gate.safe_waits(0, Some(SafeWaits::Kept));
    bench.run(50);
    bench.gate.kill(SERVICE, bench.now());
    assert!(!bench.run(100).is_empty());
    assert_eq!(bench.lane_state(0), LaneState::Safe);
}

/// A pose that was measured once says nothing of where an unsent lane's joints are now.
#[test]
fn when_killed_unsent_and_its_feedback_is_stale_expect_nothing_sent() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.4];
    bench.run(50);
    bench.feedback = false;
    bench.run(500);
    bench.gate.kill(SERVICE, bench.now());
    assert!(bench.run(200).is_empty());
    assert_eq!(bench.lane_state(0), LaneState::Released);
}

/// Two wrong samples and a right one: the newest is where it was sent, and there it is held.
#[test]
fn when_the_newest_sample_is_near_expect_what_was_sent_held_whatever_the_ones_before_say() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.4];
    let mut bench = bench.armed();
    bench.stream(0, 0, &[0.4], 400);
    bench.pose = vec![0.9];
    bench.run(20);
    bench.pose = vec![0.45];
    bench.run(10);
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    let held = bench.gate.take_safe(0, now).unwrap().values[0];
    assert!((held - 0.4).abs() < 1e-9, "{held}");
}
