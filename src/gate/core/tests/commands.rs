//! The command path: fence, rate, credit, a kill after the decision.

use super::bench::*;
use crate::gate::command::Command;
use crate::gate::limit::LimitSet;
use crate::gate::publisher::Receipt;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::{Moment, SteadyTime};
use crate::gate::verdict::{Reason, Verdict};

#[test]
fn when_sent_before_the_arm_expect_fenced() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
    bench.run(200);
    let before = bench.receipt();
    assert_eq!(bench.send_with(0, 0, &[0.1], before).0.verdict, Verdict::Withheld);
    let mut bench = bench.armed();
    let tail = Receipt { at: bench.now(), sequence: None, ..before };
    let refusal = bench.send_with(0, 0, &[0.1], tail).0.refusal.unwrap();
    assert_eq!(refusal.reason, Reason::Fenced);
    let fresh = bench.receipt();
    assert!(bench.send_with(0, 0, &[0.01], fresh).0.forwards());
}

#[test]
fn when_over_the_rate_expect_left_in_the_queue_and_charged_for_what_was_lost() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let now = bench.now().steady;
    for _ in 0..5 {
        assert!(bench.gate.may_take(0, 0, now));
        let receipt = bench.receipt();
        assert!(bench.send_with(0, 0, &[0.0], receipt).0.forwards());
    }
    assert!(!bench.gate.may_take(0, 0, now));
    assert!(bench.gate.next_take(0, 0).unwrap() > now);
    bench.run(20);
    bench.sequence += 7;
    let receipt = bench.receipt();
    let decision = bench.send_with(0, 0, &[0.1], receipt).0;
    assert_eq!(decision.lost, 7);
    assert_eq!(decision.refusal.unwrap().reason, Reason::RateExceeded);
}

#[test]
fn hazard_44_faster_is_freer() {
    for rate in [1.0, 2.0, 10.0, 100.0] {
        let mut lane = position_lane(1);
        lane.sources[0].max_rate_hz = 5_000.0;
        lane.sources[0].burst = 5_000;
        let mut bench = Bench::new(rules(vec![lane])).armed();
        let count = (50.0 * rate) as u32;
        let start = bench.now().steady.as_nanos();
        let mut sent = 0.0;
        for step in 1..=count {
            let nanos = start + u64::from(step) * 1_000_000_000 / u64::from(count);
            let steady = SteadyTime::from_nanos(nanos);
            let at = Moment { steady, ..Moment::default() };
            let receipt = Receipt { at, sequence: None, ..bench.receipt() };
            sent = bench.send_with(0, 0, &[1.0], receipt).1[0];
        }
        // One second at 2 rad/s, never more; the bound of one rad is reached either way.
        assert!(sent <= 1.0 && sent > 0.0, "{rate}: {sent}");
    }
}

#[test]
fn when_a_kill_arrives_after_the_decision_expect_it_withheld_and_the_reference_kept() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    bench.run(20);
    let receipt = bench.receipt();
    let mut command = Command::with_capacity(1, 4);
    command.points = 1;
    command.position.push(0.01);
    let decision = bench.gate.judge(0, 0, Ok(&mut command), &receipt).unwrap();
    assert!(decision.forwards());
    let decision = decision.withheld();
    bench.gate.conclude(0, 0, &decision, receipt.at.steady);
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.0);
    assert_eq!(bench.gate.count(0, 0, Verdict::Withheld), 1);
    assert_eq!(decision.limits, LimitSet::EMPTY);
}

/// A producer that restarts has another publisher. One of a source without a timeout is never silent, and
/// is followed all the same once it is quiet.
#[test]
fn when_a_source_without_timeout_has_a_new_publisher_expect_it_heard_after_a_second() {
    let mut lane = velocity_lane(1);
    lane.sources[0].timeout = None;
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.send(0, 0, &[0.0]);
    for (waited_ms, refused) in [(1_000, Some(Reason::OtherPublisher)), (1, None)] {
        bench.now_ms += waited_ms;
        let receipt = Receipt { publisher: Some([9; 16]), sequence: None, ..bench.receipt() };
        let decision = bench.send_with(0, 0, &[0.0], receipt).0;
        assert_eq!(decision.refusal.map(|refusal| refusal.reason), refused, "{waited_ms}");
    }
}
