//! Rows of the hazard list that need no middleware.

use std::time::Duration;

use proptest::prelude::*;

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::condition::ConditionCode;
use crate::gate::core::SelectRefused;
use crate::gate::lane_state::LaneState;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{
    Engage, GateRules, Handover, KillInputRules, LaneRules, ReturnTo, SilenceThen,
};
use crate::gate::safe::SafeCommand;
use crate::gate::state::{BootRecord, Refused, State};
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::WallTime;
use crate::gate::verdict::{Reason, Verdict};

fn button() -> KillInputRules {
    KillInputRules {
        timeout: Some(Duration::from_millis(300)),
        kill_after: Duration::from_millis(500),
    }
}

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
fn hazard_19_hold_drifts_or_sags() {
    // The measured pose sags while the lane holds: what goes out stays, to the last bit.
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.1];
    let mut bench = bench.armed();
    bench.stream(0, 0, &[0.15], 100);
    bench.pose = vec![0.12];
    bench.gate.kill(SERVICE, bench.now());
    let mut held = Vec::new();
    for step in 0..100_u32 {
        bench.pose = vec![0.12 - f64::from(step) * 1e-3];
        held.extend(bench.run(10));
    }
    assert!(held.len() > 90 && held.iter().all(|pose| pose[0].to_bits() == 0.15_f64.to_bits()));
    // Armed within the release: what is on the wire is where the first command starts from.
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    bench.pose = vec![0.14];
    let mut bench = Bench { feedback: true, ..bench };
    bench.run(150);
    let seq = bench.gate.machine().seq();
    bench.run(600);
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Ok(()), "{:?}", bench.conditions());
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.15);
    // An old target is not jumped to: after the release the measured pose is taken.
    assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
    bench.pose = vec![0.8];
    bench.run(6_000);
    let bench = bench.armed();
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.8);
}

#[test]
fn hazard_22_stop_filtered_or_refused() {
    // Derating, a profile, a ramp and a flood: a stop knows none of them, and each kill is put out.
    let lane = LaneRules {
        safe: SafeCommand::ZeroVelocity { deceleration: Some(4.0) },
        start_ramp: Duration::from_secs(100),
        ..velocity_lane(1)
    };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.stream(0, 0, &[1.0], 4_000);
    bench.gate.set_derating(0.2, bench.now());
    let speed = bench.gate.lane(0).unwrap().sent()[0].value;
    assert!(speed > 0.03);
    for _ in 0..3 {
        bench.gate.kill(SERVICE, bench.now());
        let now = bench.now().steady;
        assert!(bench.gate.take_safe(0, now).is_some(), "each kill puts it out again");
        assert!(bench.gate.take_safe(0, now).is_none());
    }
    assert_eq!(bench.run(100).last(), Some(&vec![0.0]));
}

#[test]
fn hazard_26_old_watchdog_kills_new_command() {
    let lane = LaneRules { silence: SilenceThen::Kill(Duration::from_secs(2)), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    let (teleop, policy) = (0, 1);
    bench.stream(0, teleop, &[0.02], 100);
    for _ in 0..100 {
        bench.send(0, policy, &[0.02]);
        bench.run(20);
    }
    assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Holding));
    // Nearly time to kill: another source is put in charge, before its next command even.
    let now = bench.now().steady;
    assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
    bench.run(150);
    bench.stream(0, policy, &[0.02], 3_000);
    assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Flowing));
}

#[test]
fn hazard_38_start_drops_robot() {
    let frozen = position_lane(1);
    let damped = LaneRules {
        balance: true,
        safe: SafeCommand::Damping,
        safe_targets: vec![2.0],
        ..position_lane(1)
    };
    let written =
        LaneRules { safe: SafeCommand::Values, safe_targets: vec![0.3], ..position_lane(1) };
    let all = [
        BootRecord::Clean,
        BootRecord::Killed,
        BootRecord::EndedActive,
        BootRecord::Unreadable,
        BootRecord::Missing,
    ];
    for record in all {
        for (lane, is_frozen) in [(&frozen, true), (&damped, false), (&written, false)] {
            let mut bench = Bench::booted(rules(vec![lane.clone()]), record);
            bench.feedback = false;
            assert!(bench.run(500).is_empty(), "{record:?}: nothing is known yet");
            bench.feedback = true;
            bench.pose = vec![0.7];
            let out = bench.run(500);
            // What the last run sent may still be followed: the pose is frozen once it is known.
            if record == BootRecord::EndedActive && is_frozen {
                assert!(out.len() > 45 && out.iter().all(|pose| *pose == [0.7]));
            } else {
                assert!(out.is_empty(), "{record:?} {:?}", lane.safe);
            }
        }
        let mut base = Bench::booted(rules(vec![velocity_lane(1)]), record);
        let out = base.run(100);
        assert_eq!(out.is_empty(), record == BootRecord::Clean);
        assert!(out.iter().all(|values| *values == [0.0]));
    }
}

#[test]
fn hazard_41_override_release_resumes() {
    let (teleop, policy) = (0, 1);
    for joystick_dies in [false, true] {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
        bench.stream(0, policy, &[0.02], 200);
        assert!(bench.send(0, teleop, &[-0.02]).0.forwards(), "up, by itself");
        bench.run(20);
        if !joystick_dies {
            bench.stream(0, teleop, &[0.0], 200);
        }
        for _ in 0..500 {
            assert_eq!(bench.verdict(policy, &[0.02]), Verdict::NotSelected);
            bench.run(20);
        }
        let state = if joystick_dies { LaneState::Holding } else { LaneState::Waiting };
        assert_eq!(bench.lane_state(0), state);
        let now = bench.now().steady;
        assert_eq!(bench.gate.select_source(0, Some(teleop), now), Err(SelectRefused::Silent));
        assert_eq!(bench.gate.select_source(0, Some(policy), now), Ok(()));
        assert!(bench.send(0, policy, &[0.02]).0.forwards());
    }
    let lane = LaneRules { return_to: ReturnTo::Auto, ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.stream(0, teleop, &[0.02], 100);
    bench.run(300);
    assert!(bench.send(0, policy, &[0.02]).0.forwards(), "where it is written");
}

#[test]
fn hazard_43_flapping_input_blocks_reset() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![button()];
    let mut bench = Bench::new(rules);
    let start = bench.gate.machine().seq();
    for edge in 0..50_u32 {
        let receipt = bench.receipt();
        bench.gate.kill_input(0, Some(edge.is_multiple_of(2)), &receipt);
        bench.run(100);
    }
    let seq = bench.gate.machine().seq();
    assert!(seq - start <= 6, "{} in five seconds", seq - start);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(false), &receipt);
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
}

#[test]
fn hazard_47_one_lane_stops_alone() {
    for independent in [false, true] {
        let arm = LaneRules { independent, ..velocity_lane(1) };
        let leg = LaneRules {
            balance: true,
            safe: SafeCommand::Damping,
            safe_targets: vec![1.0],
            ..velocity_lane(1)
        };
        let mut bench = Bench::new(rules(vec![arm, velocity_lane(1), leg])).armed();
        bench.send(0, 0, &[0.01]);
        let mut together = true;
        for _ in 0..20 {
            bench.send(1, 0, &[0.01]);
            bench.send(2, 0, &[0.01]);
            for _ in 0..2 {
                bench.run(10);
                let holding = [0, 1].map(|lane| bench.lane_state(lane) == LaneState::Holding);
                together &= holding[0] == holding[1];
            }
        }
        assert_eq!(bench.lane_state(0), LaneState::Holding);
        assert_eq!(together, !independent, "in the same tick");
        assert_eq!(bench.lane_state(2), LaneState::Flowing, "a stop there would be a fall");
    }
}

#[test]
fn hazard_48_grip_lost_on_stop() {
    // What a command does not name (a gripper in a partial command) keeps its last bits.
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    let grip = 0.1 + 0.2;
    bench.pose = vec![0.0, 0.3];
    let mut bench = bench.armed();
    bench.run(20);
    assert!(bench.send(0, 0, &[0.0, grip]).0.forwards());
    bench.run(20);
    let decision = bench.send_partial(0, 0, &[0.01, f64::NAN], &[true, false]);
    assert!(decision.forwards(), "{decision:?}");
    bench.run(20);
    let kept = |out: &[Vec<f64>]| out.iter().all(|pose| pose[1].to_bits() == grip.to_bits());
    let held = bench.run(500);
    assert_eq!(bench.lane_state(0), LaneState::Holding);
    assert!(held.len() > 20 && kept(&held), "{held:?}");
    bench.gate.kill(SERVICE, bench.now());
    let killed = bench.run(500);
    assert!(killed.len() > 45 && kept(&killed));
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    let released = bench.run(500);
    assert!(released.len() > 45 && kept(&released));
}

#[test]
fn hazard_50_two_publishers_one_kill() {
    let mut rules = rules(vec![velocity_lane(1)]);
    rules.kill_inputs = vec![button()];
    let mut bench = Bench::new(rules);
    let from = |bench: &mut Bench, publisher: u8, asserted: bool| {
        let receipt = Receipt { publisher: Some([publisher; 16]), ..bench.receipt() };
        bench.gate.kill_input(0, Some(asserted), &receipt);
    };
    for _ in 0..20 {
        from(&mut bench, 1, true);
        from(&mut bench, 2, false);
        bench.run(20);
        let seq = bench.gate.machine().seq();
        assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
        assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    }
    from(&mut bench, 1, false);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
}

#[test]
fn hazard_51_idle_latches() {
    let lane = LaneRules { silence: SilenceThen::Kill(Duration::ZERO), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    for _ in 0..3 {
        bench.stream(0, 0, &[0.02], 200);
        bench.stream(0, 0, &[0.0], 100);
        bench.run(20_000);
        assert_eq!((bench.state(), bench.lane_state(0)), (State::Active, LaneState::Waiting));
        assert!(bench.gate.is_permitted());
    }
    assert!(bench.send(0, 0, &[0.02]).0.forwards());
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
