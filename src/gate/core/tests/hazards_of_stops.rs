//! Rows of the hazard list about stops and who holds an output that need no middleware.

use std::time::Duration;

use super::bench::*;
use crate::gate::condition::ConditionCode;
use crate::gate::core::SelectRefused;
use crate::gate::lane_state::LaneState;
use crate::gate::publisher::Receipt;
use crate::gate::rules::{KillInputRules, LaneRules, ReturnTo, SilenceThen};
use crate::gate::safe::SafeCommand;
use crate::gate::state::{BootRecord, Refused, State};
use crate::gate::test_rules::{heartbeat, position_lane, velocity_lane};
use crate::gate::verdict::Verdict;

fn button() -> KillInputRules {
    heartbeat(Duration::from_millis(500))
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
        BootRecord::KilledUnclean,
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
            if record.is_unclean() && is_frozen {
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
fn hazard_28_shutdown_drops_robot() {
    // A stop that takes longer than the release: a shutdown does not let go in the middle of it.
    let lane = LaneRules {
        safe: SafeCommand::ZeroVelocity { deceleration: Some(0.1) },
        release: Duration::from_millis(200),
        ..velocity_lane(1)
    };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.stream(0, 0, &[0.2], 100);
    bench.gate.shut_down(bench.now());
    let sent = bench.run(3_000);
    assert!(sent.windows(2).all(|pair| pair[1][0] <= pair[0][0]), "{sent:?}");
    assert!(sent.iter().any(|one| one[0] > 0.05 && one[0] < 0.15), "no jump: {sent:?}");
    assert_eq!(sent.last().unwrap()[0], 0.0);
    assert!(sent.len() > 250, "to the end: {}", sent.len());
    assert_eq!(bench.gate.lane(0).unwrap().state(), LaneState::Safe);
}

/// Whoever hears nothing more goes on at the speed it heard last.
#[test]
fn hazard_28_shutdown_drops_robot_a_ramp_is_over_before_a_release() {
    let lane = |release, deceleration| LaneRules {
        safe: SafeCommand::ZeroVelocity { deceleration: Some(deceleration) },
        release: Duration::from_millis(release),
        ..velocity_lane(1)
    };
    // From 0.2 to zero takes 0.8 s; or 4 s, of which the stop's deadline ends it after one.
    for (release, deceleration, ms, last) in
        [(0, 0.25, 800, 0.0), (300, 0.25, 800, 0.0), (900, 0.25, 900, 0.0), (0, 0.05, 1_000, 0.15)]
    {
        let mut bench = Bench::new(rules(vec![lane(release, deceleration)])).armed();
        bench.stream(0, 0, &[0.2], 200);
        bench.gate.disarm(bench.now()).unwrap();
        assert!(bench.gate.is_slowing());
        let sent = bench.run(3_000);
        assert!(!bench.gate.is_slowing());
        assert_eq!(bench.lane_state(0), LaneState::Released);
        let took = sent.len() * 10;
        assert!((ms - 20..=ms + 20).contains(&took), "{release} {deceleration}: {took} ms");
        assert!((sent.last().unwrap()[0] - last).abs() < 0.01, "{sent:?}");
    }
}
