//! Targets that stand still because nothing came for them, while the lane goes on.

use std::time::Duration;

use super::bench::*;
use crate::gate::lane_state::LaneState;
use crate::gate::rules::LaneRules;
use crate::gate::test_rules::{braking_lane, velocity_lane};
use crate::gate::verdict::Verdict;

/// 100 Hz, and silent only after a second.
fn patient(mut lane: LaneRules) -> Bench {
    lane.sources[0].timeout = Some(Duration::from_secs(1));
    lane.sources[0].max_rate_hz = 100.0;
    let mut bench = Bench::new(rules(vec![lane]));
    bench.pose = vec![0.0; 2];
    bench.armed()
}

/// A lane of two joints at 0.5 rad/s, at 0.5 rad, and nothing for `ms` after that.
fn paused(ms: u64) -> Bench {
    let mut bench = patient(braking_lane(2));
    for step in 0..100 {
        let ahead = 0.005 * f64::from(step + 1);
        bench.send(0, 0, &[ahead, ahead]);
        bench.pose = vec![ahead; 2];
        bench.run(10);
    }
    let sent = bench.gate.lane(0).unwrap().sent();
    assert!((sent[0].value - 0.5).abs() < 1e-9 && sent[0].rate > 0.4, "{sent:?}");
    bench.run(ms);
    bench
}

#[test]
fn when_a_stream_pauses_and_is_told_to_stay_expect_no_motion() {
    let mut bench = paused(300);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    let (decision, sent) = bench.send(0, 0, &[0.5, 0.5]);
    assert_eq!((decision.verdict, sent.as_slice()), (Verdict::Passed, &[0.5, 0.5][..]));
}

/// It goes on as from a standstill: 10 rad/s² in at most one and a half periods.
#[test]
fn when_a_stream_pauses_and_goes_on_expect_it_to_start_from_rest() {
    let mut bench = paused(300);
    let (decision, sent) = bench.send(0, 0, &[0.505, 0.505]);
    assert_eq!(decision.verdict, Verdict::Limited);
    assert!(sent[0] - 0.5 <= 10.0 * 0.015 * 0.015 + 1e-9, "{sent:?}");
}

#[test]
fn when_a_message_or_two_are_lost_expect_the_stream_to_go_on_at_its_speed() {
    let mut bench = paused(20);
    let (decision, _) = bench.send(0, 0, &[0.505, 0.505]);
    assert_eq!(decision.verdict, Verdict::Passed);
}

/// A joint that is not named for a while stands still, however long the others go on.
#[test]
fn when_only_other_joints_are_named_expect_the_one_left_out_at_rest() {
    let mut bench = paused(0);
    for step in 0..100 {
        let ahead = 0.5 + 0.004 * f64::from(step + 1);
        bench.send_partial(0, 0, &[f64::NAN, ahead], &[false, true]);
        bench.pose = vec![0.5, ahead];
        bench.run(10);
    }
    let (decision, sent) = bench.send(0, 0, &[0.5, 0.904]);
    assert_eq!((decision.limits.is_empty(), sent[0]), (true, 0.5));
}

/// Two writers' joints, each in every other message: neither pauses.
#[test]
fn when_joints_take_turns_expect_each_to_keep_its_speed() {
    let mut bench = paused(0);
    for step in 0..40 {
        let ahead = 0.5 + 0.005 * f64::from(step + 1);
        let given = [step % 2 == 0, step % 2 == 1];
        let values = given.map(|given| if given { ahead } else { f64::NAN });
        bench.send_partial(0, 0, &values, &given);
        bench.pose = vec![ahead; 2];
        bench.run(10);
    }
    let sent = bench.gate.lane(0).unwrap().sent();
    assert!(sent.iter().all(|sent| sent.value > 0.65), "{sent:?}");
}

/// A source that is slower than its highest rate: it is used to its own pace.
#[test]
fn when_a_source_is_always_slow_expect_no_start_from_rest_at_each_command() {
    let mut bench = patient(braking_lane(2));
    for step in 0..60 {
        let ahead = 0.01 * f64::from(step + 1);
        bench.send(0, 0, &[ahead, ahead]);
        bench.pose = vec![bench.gate.lane(0).unwrap().sent()[0].value; 2];
        bench.run(60);
    }
    let sent = bench.gate.lane(0).unwrap().sent()[0];
    assert!(sent.value > 0.55, "{sent:?}");
}

/// A velocity that stands still has no acceleration: jerk begins at zero.
#[test]
fn when_a_velocity_pauses_expect_its_acceleration_forgotten() {
    let mut lane = velocity_lane(2);
    for limits in &mut lane.limits {
        limits.jerk = Some(50.0);
    }
    let mut bench = patient(lane);
    for _ in 0..20 {
        bench.send(0, 0, &[0.9, 0.9]);
        bench.run(10);
    }
    let before = bench.gate.lane(0).unwrap().sent()[0];
    assert!(before.rate > 1.0 && before.value < 0.8, "{before:?}");
    bench.run(300);
    bench.send(0, 0, &[0.9, 0.9]);
    let after = bench.gate.lane(0).unwrap().sent()[0];
    assert!(after.value - before.value <= 50.0 * 0.015 * 0.015 + 1e-9, "{before:?} {after:?}");
}

/// However many are left out.
#[test]
fn when_several_joints_are_left_out_expect_all_of_them_at_rest() {
    let mut lane = braking_lane(4);
    lane.sources[0].timeout = Some(Duration::from_secs(1));
    lane.sources[0].max_rate_hz = 100.0;
    let mut bench = Bench::new(rules(vec![lane])).armed();
    for step in 0..100 {
        bench.send(0, 0, &[0.005 * f64::from(step + 1); 4]);
        bench.pose = vec![0.005 * f64::from(step + 1); 4];
        bench.run(10);
    }
    for step in 0..50 {
        let ahead = 0.5 + 0.004 * f64::from(step + 1);
        let values = [ahead, ahead, f64::NAN, f64::NAN];
        bench.send_partial(0, 0, &values, &[true, true, false, false]);
        bench.pose = vec![ahead, ahead, 0.5, 0.5];
        bench.run(10);
    }
    let (_, sent) = bench.send(0, 0, &[0.704, 0.704, 0.5, 0.5]);
    assert_eq!(sent[2..], [0.5, 0.5]);
}
