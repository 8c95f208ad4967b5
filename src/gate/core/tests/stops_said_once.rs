//! A source that says zero once and then nothing: joysticks do when the button is let go, planners when
//! they end.

use std::time::Duration;

use super::bench::*;
use crate::gate::command::Command;
use crate::gate::lane_state::LaneState;
use crate::gate::publisher::Receipt;
use crate::gate::rules::LaneRules;
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::velocity_lane;
use crate::gate::units::at_least;
use crate::gate::verdict::{Reason, Verdict};

/// What is on the wire each 10 ms, until it is zero.
fn slowing(bench: &mut Bench) -> Vec<f64> {
    let on_wire = |bench: &Bench| bench.gate.lane(0).unwrap().sent()[0].value;
    let mut seen = vec![on_wire(bench)];
    while seen.last() != Some(&0.0) && seen.len() < 1_000 {
        bench.run(10);
        seen.push(on_wire(bench));
    }
    seen
}

#[test]
fn when_zero_is_said_once_expect_the_gate_to_finish_it_at_the_motions_deceleration() {
    for timeout in [None, Some(Duration::from_secs(10))] {
        for deceleration in [None, Some(0.5), Some(50.0)] {
            let mut lane = velocity_lane(1);
            lane.sources[0].timeout = timeout;
            lane.safe = SafeCommand::ZeroVelocity { deceleration };
            let mut bench = Bench::new(rules(vec![lane])).armed();
            bench.stream(0, 0, &[1.0], 2_000);
            let (decision, _) = bench.send(0, 0, &[0.0]);
            assert_eq!((decision.verdict, decision.moves), (Verdict::Limited, false));
            let seen = slowing(&mut bench);
            // 4 per s² from 1: a quarter of a second, and what it took to see that nothing more comes.
            assert!((25..=31).contains(&seen.len()), "{seen:?}");
            assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]), "{seen:?}");
            let steepest = seen.windows(2).map(|pair| pair[0] - pair[1]);
            assert!(steepest.fold(0.0, at_least) <= 4.0 * 0.03 + 1e-9, "{seen:?}");
            assert_eq!(bench.lane_state(0), LaneState::Waiting);
            // It goes on where it stands.
            assert!(bench.send(0, 0, &[0.5]).0.forwards());
            assert_eq!(bench.lane_state(0), LaneState::Flowing);
        }
    }
}

/// Going limp, or silent, is no end of a motion that its source slows down.
#[test]
fn when_the_safe_command_is_another_expect_the_source_to_finish_it() {
    for safe in [SafeCommand::Damping, SafeCommand::Silent] {
        let mut lane = velocity_lane(1);
        (lane.safe, lane.safe_targets) = (safe, vec![5.0]);
        lane.sources[0].timeout = Some(Duration::from_millis(500));
        let mut bench = Bench::new(rules(vec![lane])).armed();
        bench.stream(0, 0, &[1.0], 3_000);
        bench.send(0, 0, &[0.0]);
        bench.run(100);
        assert_eq!(bench.lane_state(0), LaneState::Flowing);
        let (decision, sent) = bench.send(0, 0, &[0.0]);
        assert!(decision.forwards() && sent[0] > 0.7, "{safe:?}: {sent:?}");
    }
}

#[test]
fn when_zeros_are_streamed_expect_no_gap_and_the_lane_flowing() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.stream(0, 0, &[1.0], 1_000);
    for _ in 0..30 {
        assert!(bench.send(0, 0, &[0.0]).0.forwards());
        bench.run(20);
        assert_eq!(bench.lane_state(0), LaneState::Flowing);
    }
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.0);
}

/// A stop in the middle of it is a stop.
#[test]
fn when_killed_while_it_slows_down_expect_zero_at_once() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.stream(0, 0, &[1.0], 1_000);
    bench.send(0, 0, &[0.0]);
    bench.run(60);
    assert!(bench.gate.lane(0).unwrap().sent()[0].value > 0.5);
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    assert_eq!(bench.gate.take_safe(0, now).unwrap().values, [0.0]);
}

#[test]
fn when_only_one_axis_is_told_to_stop_expect_the_others_left_alone() {
    let mut bench = Bench::new(rules(vec![velocity_lane(2)])).armed();
    bench.stream(0, 0, &[0.5, 0.5], 1_000);
    let mut partial = Command::with_capacity(2, 8);
    partial.points = 1;
    partial.given = vec![true, false];
    partial.velocity = vec![0.0, f64::NAN];
    assert!(bench.send_command(0, 0, &mut partial).forwards());
    bench.run(150);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    assert_eq!(bench.gate.lane(0).unwrap().sent()[1].value, 0.5);
}

fn backlog(lane: LaneRules, newest: f64) -> (Option<Reason>, Bench) {
    let mut bench = Bench::new(rules(vec![lane])).armed();
    let mut sequence = 0;
    let mut send = |bench: &mut Bench, value: f64, skipped: u64| {
        sequence += 1 + skipped;
        let receipt = Receipt { sequence: Some(sequence), ..bench.receipt() };
        bench.send_with(0, 0, &[value], receipt)
    };
    for _ in 0..40 {
        send(&mut bench, 0.8, 0);
        bench.run(50);
    }
    bench.run(350);
    // Eight came at once, of which the reader keeps the newest.
    let (decision, _) = send(&mut bench, newest, 7);
    (decision.refusal.map(|refusal| refusal.reason), bench)
}

#[test]
fn when_a_backlog_ends_in_zero_expect_the_stop_taken_and_nothing_else() {
    let mut lane = velocity_lane(1);
    lane.sources[0].timeout = None;
    lane.sources[0].max_rate_hz = 20.0;
    assert_eq!(backlog(lane.clone(), 0.1).0, Some(Reason::RateExceeded));
    let (refused, mut bench) = backlog(lane.clone(), 0.0);
    assert_eq!(refused, None);
    assert!(slowing(&mut bench).len() < 60);
    // What is no number is no stop.
    assert_eq!(backlog(lane, f64::NAN).0, Some(Reason::RateExceeded));
}
