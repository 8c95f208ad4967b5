//! Rows of the hazard list about commands that need no middleware.

use std::time::Duration;

use proptest::prelude::*;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::fault::Level;
use crate::gate::lane_state::LaneState;
use crate::gate::machine::Subject;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{Engage, GateRules, Handover, LaneRules};
use crate::gate::state::{Refused, State};
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::WallTime;
use crate::gate::verdict::{Reason, Verdict};

#[test]
fn hazard_02_stale_command_after_reset() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    bench.stream(0, 0, &[0.1], 200);
    bench.gate.kill(SERVICE, bench.now());
    // Published all through killed, reset and disarmed; the last of them is taken after the arm.
    bench.stream(0, 0, &[0.9], 400);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    bench.stream(0, 0, &[0.9], 400);
    let tail = bench.receipt();
    assert_eq!(bench.send_with(0, 0, &[0.9], tail).0.verdict, Verdict::Withheld);
    let mut bench = bench.armed();
    let late = Receipt { at: bench.now(), sequence: None, ..tail };
    assert_eq!(bench.send_with(0, 0, &[0.9], late).0.refusal.unwrap().reason, Reason::Fenced);
    assert_eq!(bench.lane_state(0), LaneState::Waiting);
}

#[test]
fn hazard_03_streaming_source_at_arm() {
    // A held joystick: not before it lets go.
    let mut lane = velocity_lane(1);
    lane.sources[0].engage = Engage::Neutral;
    let mut bench = Bench::new(rules(vec![lane]));
    bench.stream(0, 0, &[0.3], 300);
    let condition = bench.conditions()[0];
    assert_eq!(condition.code, ConditionCode::SourceNotReady);
    assert_eq!((condition.dimension, condition.found, condition.needed), (Some(0), 0.3, 1e-6));
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet));
    bench.stream(0, 0, &[0.0], 300);
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()));

    // A policy that streams targets from afar is led there from the pose held.
    let start_ramp = Duration::from_secs(1);
    let mut bench = Bench::new(rules(vec![LaneRules { start_ramp, ..position_lane(1) }]));
    bench.stream(0, 0, &[0.8], 300);
    let mut bench = bench.armed();
    let mut last = 0.0;
    for step in 0..40_u32 {
        let (decision, sent) = bench.send(0, 0, &[0.8]);
        assert_eq!(decision.verdict, Verdict::Limited);
        let allowed = 2.0 * f64::from(step) / 50.0 * 0.02;
        assert!(sent[0] - last <= allowed + 1e-9, "{step}: {} over {allowed}", sent[0] - last);
        last = sent[0];
        bench.run(20);
    }
    assert!(last > 0.3, "it does get there: {last}");

    // A window: near the measured pose, or no arm.
    let mut lane = position_lane(2);
    lane.sources[0].engage = Engage::Window(0.1);
    let mut bench = Bench::new(rules(vec![lane]));
    bench.pose = vec![0.2, 0.2];
    bench.stream(0, 0, &[0.2, 0.35], 300);
    assert_eq!(bench.unmet(), [ConditionCode::SourceNotReady]);
    assert_eq!(bench.conditions()[0].dimension, Some(1));
    bench.stream(0, 0, &[0.2, 0.25], 300);
    assert!(bench.unmet().is_empty());
    // One that has gone silent cannot move anything and is not asked.
    bench.stream(0, 0, &[0.2, 0.35], 100);
    assert!(!bench.unmet().is_empty());
    bench.run(500);
    assert!(bench.unmet().is_empty());
}

/// What a run of everything said and sent, with the wall clock as `wall` moves it.
fn run_with_wall(wall: impl Fn(u64) -> Option<i64>) -> Vec<(Verdict, Vec<f64>, State)> {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let mut said = Vec::new();
    for step in 0..200_u64 {
        bench.wall_ms = wall(step);
        if !(60..90).contains(&step) {
            let value = if step.is_multiple_of(7) { 0.8 } else { 0.05 };
            let (decision, sent) = bench.send(0, 0, &[value]);
            said.push((decision.verdict, sent, bench.state()));
        }
        for values in bench.run(20) {
            said.push((Verdict::Withheld, values, bench.state()));
        }
    }
    said
}

/// What it sent before the last arm says nothing of what the next one would meet.
#[test]
fn hazard_03_streaming_source_at_the_next_arm() {
    let mut lane = velocity_lane(1);
    lane.release = Duration::from_millis(100);
    for source in &mut lane.sources {
        source.engage = Engage::Neutral;
        source.timeout = Some(Duration::from_secs(2));
        source.max_rate_hz = 2.0;
    }
    let mut rules = rules(vec![lane]);
    rules.causes[Cause::TemperatureTrip.index()].action = Some(Action::Hold);
    let hot = |bench: &mut Bench, is_hot: bool| {
        let now = bench.now();
        bench.gate.level(Cause::TemperatureTrip, Subject::Node, Level::plain(is_hot), now);
        bench.run(10);
    };
    // Whatever became of the newest, it is the newest.
    for (source, is_hot, verdict) in [
        (0, false, Verdict::Limited),
        (1, false, Verdict::NotSelected),
        (0, true, Verdict::Withheld),
    ] {
        let mut bench = Bench::new(rules.clone());
        bench.run(200);
        bench.send(0, source, &[0.0]);
        let mut bench = bench.armed();
        bench.run(1_000);
        if source == 1 {
            bench.send(0, 0, &[0.1]);
        }
        hot(&mut bench, is_hot);
        assert_eq!(bench.verdict(source, &[1.5]), verdict);
        bench.send(0, 1 - source, &[0.0]);
        hot(&mut bench, false);
        assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
        bench.run(600);
        // As it was asked for, and not as it was limited.
        let condition = bench.conditions()[0];
        assert_eq!(condition.code, ConditionCode::SourceNotReady);
        assert_eq!((condition.found, condition.needed), (1.5, 1e-6));
        bench.send(0, source, &[0.0]);
        bench.run(200);
        assert_eq!(bench.unmet(), []);
    }
}

#[test]
fn hazard_10_ros_time_stops_or_jumps() {
    let hour = 3_600_000;
    let steady = run_with_wall(|_| Some(0));
    assert_eq!(run_with_wall(|_| None), steady, "frozen");
    assert_eq!(run_with_wall(|step| Some(if step > 50 { hour } else { 0 })), steady, "ahead");
    assert_eq!(run_with_wall(|step| Some(if step > 50 { -hour } else { 0 })), steady, "back");
}

#[test]
fn hazard_11_future_stamp_extends_timeout() {
    let mut lane = velocity_lane(1);
    lane.sources[0].max_age = Some(Duration::from_millis(500));
    let mut bench = Bench::new(rules(vec![lane])).armed();
    let with_stamp = |bench: &mut Bench, offset_ms: i64| {
        bench.run(20);
        let now = bench.now().wall.as_nanos();
        let stamp = Some(WallTime::from_nanos(now + offset_ms * 1_000_000));
        bench.send_stamped(0, 0, &[0.01], stamp).refusal.map(|refusal| refusal.reason)
    };
    assert_eq!(with_stamp(&mut bench, 0), None);
    assert_eq!(with_stamp(&mut bench, -490), None);
    assert_eq!(with_stamp(&mut bench, -510), Some(Reason::StaleStamp));
    assert_eq!(with_stamp(&mut bench, 90), None, "two computers' clocks");
    assert_eq!(with_stamp(&mut bench, 110), Some(Reason::FutureStamp));
    let zero = -bench.now().wall.as_nanos() / 1_000_000 - 20;
    assert_eq!(with_stamp(&mut bench, zero), Some(Reason::StaleStamp));
    assert_eq!(bench.send_stamped(0, 0, &[0.01], None).refusal.unwrap().reason, Reason::StaleStamp);
    // A stamp ahead of time buys none: silence counts from the receipt.
    for _ in 0..20 {
        assert_eq!(with_stamp(&mut bench, 99), None);
    }
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    bench.run(220);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
}

#[test]
fn hazard_16_limiting_hides_broken_policy() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.causes[Cause::LimitedRatio.index()].action = Some(Action::Disarm);
    let mut bench = Bench::new(rules).armed();
    for step in 0..200_u32 {
        let value = if step.is_multiple_of(2) { 0.9 } else { -0.9 };
        bench.send(0, 0, &[value]);
        bench.run(20);
    }
    assert_eq!((bench.state(), bench.last_cause()), (State::Disarmed, Some(Cause::LimitedRatio)));
    let trip = *bench.gate.machine().last_trip().unwrap();
    assert!(trip.found > 0.5 && trip.bound == 0.5, "{trip:?}");
}

#[test]
fn hazard_52_clock_skew_fence() {
    let hour = 3_600_000_000_000;
    for skew in [-hour, 0, hour] {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)]));
        bench.stamp = skew;
        bench.run(200);
        let before = bench.receipt();
        bench.send_with(0, 0, &[0.01], before);
        let mut bench = bench.armed();
        let tail = Receipt { at: bench.now(), sequence: None, ..before };
        assert_eq!(bench.send_with(0, 0, &[0.01], tail).0.refusal.unwrap().reason, Reason::Fenced);
        let fresh = bench.receipt();
        assert!(bench.send_with(0, 0, &[0.01], fresh).0.forwards(), "{skew}");
    }
}

#[test]
fn hazard_53_stall_releases_queue() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    bench.stream(0, 0, &[0.02], 200);
    let backlog: Vec<Receipt> = (0..50).map(|_| bench.receipt()).collect();
    bench.now_ms += 5_000;
    assert!(bench.gate.is_stalled(bench.now().steady));
    // The caller drains first, then ticks; whatever it missed meets a gate that is disarmed.
    bench.gate.tick(bench.now());
    assert_eq!((bench.state(), bench.last_cause()), (State::Disarmed, Some(Cause::GateStalled)));
    for receipt in backlog {
        let late = Receipt { at: bench.now(), sequence: None, ..receipt };
        assert!(!bench.send_with(0, 0, &[0.02], late).0.forwards());
    }
    assert_eq!(bench.lane_state(0), LaneState::Safe);
}

#[test]
fn hazard_62_two_publishers_one_source() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let from = |bench: &mut Bench, publisher: u8, value: f64| {
        let receipt =
            Receipt { publisher: Some([publisher; 16]), sequence: None, ..bench.receipt() };
        bench.send_with(0, 0, &[value], receipt).0
    };
    for _ in 0..100 {
        assert!(from(&mut bench, 1, 0.02).forwards());
        let refusal = from(&mut bench, 2, -0.02).refusal.unwrap();
        assert_eq!(refusal.reason, Reason::OtherPublisher);
        bench.run(40);
    }
    // Nor can a stranger hold the lane with what is refused.
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    assert!(bench.gate.causes_present(bench.now().steady).iter().next().is_none());
}

proptest! {
    /// A handed-over lane moves within its hand-over limits for their time, whatever is asked.
    #[test]
    fn after_a_change_of_hands_nothing_is_faster_than_the_hand_over_allows(
        targets in prop::collection::vec(-1.0..1.0_f64, 20..60),
    ) {
        let handover = Handover { duration: Duration::from_secs(1), limit_scale: 0.3 };
        let lane = LaneRules { handover, ..position_lane(1) };
        let mut bench = Bench::new(GateRules { ..rules(vec![lane]) }).armed();
        bench.send(0, 1, &[0.02]);
        let taken = bench.now_ms;
        let mut last = bench.gate.lane(0).unwrap().sent()[0].value;
        bench.run(20);
        for target in targets {
            let (decision, sent) = bench.send(0, 0, &[target]);
            prop_assume!(decision.forwards());
            // 2 rad/s, 0.3 of it for a second, 20 ms and at most half a period of credit more.
            let scale = if bench.now_ms < taken + 1_000 { 0.3 } else { 1.0 };
            prop_assert!((sent[0] - last).abs() <= 2.0 * scale * 0.030 + 1e-9);
            last = sent[0];
            bench.run(20);
        }
    }
}
