//! A whole run, boot states, conditions, what goes out in a stop.

use std::time::Duration;

use super::bench::*;
use crate::gate::condition::ConditionCode;
use crate::gate::lane::LaneGraph;
use crate::gate::lane_state::LaneState;
use crate::gate::rules::GateRules;
use crate::gate::state::{BootRecord, Refused, State};
use crate::gate::test_rules::{heartbeat, position_lane, velocity_lane};
use crate::gate::verdict::{Limit, Reason, Verdict};

#[test]
fn the_story() {
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    bench.pose = vec![0.2, -0.1];
    // Nothing before arm.
    assert!(bench.run(200).is_empty());
    assert_eq!(bench.verdict(0, &[0.2, -0.1]), Verdict::Withheld);
    bench = bench.armed();
    // The measured pose is held until a source moves.
    assert_eq!(bench.run(10), [[0.2, -0.1]]);
    assert_eq!(bench.verdict(0, &[0.21, -0.1]), Verdict::Passed);
    assert_eq!(bench.lane_state(0), LaneState::Flowing);
    assert!(bench.run(20).is_empty(), "a flowing lane publishes nothing of its own");
    let (decision, sent) = bench.send(0, 0, &[0.9, -0.1]);
    assert_eq!(decision.verdict, Verdict::Limited);
    assert!(decision.limits.contains(Limit::Velocity));
    assert!((sent[0] - 0.25).abs() < 1e-12, "2 rad/s for 20 ms after 0.21, not {}", sent[0]);
    bench.run(20);
    assert_eq!(bench.send(0, 0, &[f64::NAN, 0.0]).0.refusal.unwrap().reason, Reason::NotFinite);
    // Killed: the safe command at once, and nothing passes.
    bench.gate.kill(SERVICE, bench.now());
    let now = bench.now().steady;
    let safe = bench.gate.take_safe(0, now).unwrap().values.to_vec();
    assert_eq!(safe, [0.25, -0.1], "the last sent is within the tolerance of the measured");
    assert_eq!(bench.verdict(0, &[0.25, -0.1]), Verdict::Withheld);
    let held = bench.run(500);
    assert!(held.len() >= 49 && held.iter().all(|pose| *pose == safe), "constant to the last bit");
    // Reset moves nothing and permits nothing.
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::ResetFirst));
    assert_eq!(bench.gate.reset(seq - 1, bench.now()), Err(Refused::SeqMoved));
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    assert_eq!(bench.verdict(0, &[0.25, -0.1]), Verdict::Withheld);
    let released = bench.run(1_500);
    assert!((99..=101).contains(&released.len()), "{} for release_s", released.len());
    assert_eq!(bench.lane_state(0), LaneState::Released);
    let mut bench = bench.armed();
    assert_eq!(bench.verdict(0, &[0.2, -0.1]), Verdict::Passed);
    let counts = *bench.gate.lane(0).unwrap().sources[0].counts();
    assert_eq!(counts.received(), 7);
}

#[test]
fn hazard_38_start_drops_robot_boot_states() {
    for record in [BootRecord::Clean, BootRecord::Killed, BootRecord::Missing] {
        let mut bench = Bench::booted(rules(vec![position_lane(1)]), record);
        assert!(bench.run(500).is_empty(), "{record:?}: no byte before the first arm or kill");
    }
    let mut base = Bench::booted(rules(vec![velocity_lane(2)]), BootRecord::Killed);
    assert_eq!(base.run(10), [[0.0, 0.0]], "a velocity lane sends zero while killed");
    let mut base = Bench::booted(rules(vec![velocity_lane(2)]), BootRecord::Clean);
    assert!(base.run(500).is_empty());
}

#[test]
fn when_a_kill_input_asserts_expect_killed_and_reset_refused_until_released() {
    let mut rules = rules(vec![velocity_lane(1)]);
    let input = heartbeat(Duration::from_millis(500));
    rules.kill_inputs = vec![input];
    let mut bench = Bench::new(rules);
    bench.run(200);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputUnseen]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(true), &receipt);
    assert_eq!(bench.gate.machine().state(), State::Killed, "also while disarmed");
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Err(Refused::Unmet));
    assert_eq!(bench.unmet(), [ConditionCode::KillInputAsserted]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, Some(false), &receipt);
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    // Silence prevents arm, not reset.
    bench.run(600);
    assert_eq!(bench.unmet(), [ConditionCode::KillInputSilent]);
    let receipt = bench.receipt();
    bench.gate.kill_input(0, None, &receipt);
    assert_eq!(bench.gate.machine().state(), State::Killed, "unreadable asserts");
}

#[test]
fn when_conditions_are_unmet_expect_each_named() {
    let mut bench = Bench::new(rules(vec![position_lane(2)]));
    bench.feedback = false;
    bench.run(100);
    assert_eq!(bench.unmet(), [ConditionCode::FeedbackStale, ConditionCode::NoSafeCommand]);
    bench.feedback = true;
    bench.run(50);
    assert_eq!(bench.unmet(), [ConditionCode::Settling]);
    bench.gate.graph(0, LaneGraph::default());
    bench.run(10);
    assert_eq!(bench.unmet(), [ConditionCode::NoController]);
    bench.gate.graph(0, READ);
    for step in 0..100 {
        bench.pose = vec![0.0, f64::from(step) * 0.01];
        bench.run(10);
    }
    assert_eq!(bench.unmet(), [ConditionCode::NotStandingStill]);
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.arm(seq, 0, bench.now()), Err(Refused::Unmet));

    let mut named = position_lane(1);
    named.names_controller = true;
    let mut bench = Bench::new(GateRules { simulated_time: true, ..rules(vec![named]) });
    bench.gate.graph(0, LaneGraph { controller_reads: false, ..READ });
    bench.run(200);
    assert_eq!(bench.unmet(), [ConditionCode::SimulatedTime, ConditionCode::ControllerMismatch]);
}

#[test]
fn when_zero_velocity_has_a_deceleration_expect_a_ramp_to_exactly_zero() {
    let mut lane = velocity_lane(1);
    lane.safe = crate::gate::safe::SafeCommand::ZeroVelocity { deceleration: Some(4.0) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    let mut sent = 0.0;
    for _ in 0..40 {
        bench.run(20);
        sent = bench.send(0, 0, &[1.0]).1[0];
    }
    assert!((sent - 1.0).abs() < 1e-9, "{sent}");
    bench.gate.kill(SERVICE, bench.now());
    let ramp: Vec<f64> = bench.run(400).into_iter().map(|values| values[0]).collect();
    assert!(ramp.windows(2).all(|pair| pair[1] <= pair[0] && pair[0] - pair[1] <= 0.0401));
    assert_eq!(ramp.last(), Some(&0.0));
    assert!(ramp.iter().filter(|value| **value > 0.0).count() >= 24);
}
