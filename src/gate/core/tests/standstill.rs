//! After a stop: what is told of a robot that goes on moving, and what is not done to it.

use std::time::Duration;

use super::bench::{Bench, SERVICE, rules};
use crate::gate::awaits::SafeWaits;
use crate::gate::lane_state::LaneState;
use crate::gate::notice::Notice;
use crate::gate::rules::LaneRules;
use crate::gate::safe::SafeCommand;
use crate::gate::snapshot::Snapshot;
use crate::gate::standstill::Motion;
use crate::gate::state::BootRecord;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::SteadyTime;

fn motions(bench: &mut Bench) -> Vec<Option<Motion>> {
    let motion = |notice| {
        if let Notice::Motion { found, .. } = notice { Some(found) } else { None }
    };
    bench.gate.notices().drain().filter_map(motion).collect()
}

fn killed(lane: LaneRules) -> Bench {
    let mut rules = rules(vec![lane]);
    rules.stop_deadline = Duration::from_secs(1);
    let mut bench = Bench::new(rules);
    bench.velocity = vec![0.0];
    let mut bench = bench.armed();
    bench.send(0, 0, &[0.01]);
    bench.gate.kill(SERVICE, bench.now());
    motions(&mut bench);
    bench
}

#[test]
fn hazard_27_stop_latched_but_robot_moves() {
    // It brakes in half a second: nothing is told.
    let mut bench = killed(position_lane(1));
    bench.velocity = vec![0.5];
    bench.run(500);
    bench.velocity = vec![0.0];
    bench.run(5_000);
    assert_eq!(motions(&mut bench), []);
    assert!(!moves(&bench));
    assert_eq!(bench.gate.lane_moves_after_stop(0), Some(false));

    // It goes on: told once the time is over, not before, and once.
    let mut bench = killed(position_lane(1));
    bench.velocity = vec![0.5];
    bench.run(990);
    assert_eq!(motions(&mut bench), []);
    bench.run(2_000);
    let [Some(motion)] = motions(&mut bench)[..] else { panic!("not told once") };
    assert_eq!((motion.dimension, motion.standstill), (0, 0.05));
    assert!((motion.velocity - 0.5).abs() < 0.01, "{motion:?}");
    assert!(moves(&bench));
    assert_eq!(bench.gate.lane_moves_after_stop(0), Some(true));
    assert_eq!(bench.gate.lane_moves_after_stop(1), None);
    // The hold pre-empts whatever goes on below: it is out all the time, the same to the last bit.
    let out = bench.run(1_000);
    assert!(out.len() > 90 && out.iter().all(|values| *values == out[0]));
    // It stands for a second: that is told, too.
    bench.velocity = vec![0.0];
    bench.run(900);
    assert_eq!(motions(&mut bench), []);
    bench.run(1_000);
    assert_eq!(motions(&mut bench), [None]);
    assert!(!moves(&bench));
}

fn moves(bench: &Bench) -> bool {
    bench.gate.moves_after_stop()
}

/// Killed since the start, it stopped nobody: who holds the robot may move it. That is told, and its power
/// is not cut.
#[test]
fn hazard_38_start_drops_robot_by_a_request_to_cut() {
    for (record, cut) in [
        (BootRecord::Killed, false),
        (BootRecord::Missing, false),
        (BootRecord::EndedActiveEarlier, false),
        // What this one sent may still be followed.
        (BootRecord::EndedActive, true),
    ] {
        let mut rules = rules(vec![position_lane(1)]);
        rules.stop_deadline = Duration::from_secs(1);
        let mut bench = Bench::booted(rules, record);
        bench.velocity = vec![0.5];
        bench.run(3_000);
        assert_eq!(moves(&bench), cut, "{record:?}");
        // The report says it; what pages, "it does not obey", is about this node's stops.
        assert!(!motions(&mut bench).is_empty(), "{record:?}");
        assert_eq!(bench.gate.lane_moves_after_stop(0), Some(cut), "{record:?}");
        // From a kill on it is this run's stop, and has its time.
        bench.gate.kill(SERVICE, bench.now());
        bench.run(900);
        assert_eq!(moves(&bench), cut, "{record:?}");
        assert_eq!(bench.gate.lane_moves_after_stop(0), Some(cut), "{record:?}");
        bench.run(500);
        assert!(moves(&bench), "{record:?}");
    }
    // A base is sent zero from the start, and is to stand.
    let base = LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut rules = rules(vec![base]);
    rules.stop_deadline = Duration::from_secs(1);
    let mut bench = Bench::booted(rules, BootRecord::Killed);
    bench.velocity = vec![0.5];
    bench.run(3_000);
    assert!(moves(&bench));
}

/// However it moved before, and whoever moved it.
#[test]
fn hazard_38_start_drops_robot_that_obeys_its_first_kill() {
    let mut rules = rules(vec![position_lane(1)]);
    rules.stop_deadline = Duration::from_secs(1);
    let mut bench = Bench::booted(rules, BootRecord::Killed);
    bench.velocity = vec![0.5];
    bench.run(3_000);
    assert!(motions(&mut bench).iter().flatten().all(|motion| !motion.is_ours));
    bench.gate.kill(SERVICE, bench.now());
    for ms in (0..3_000).step_by(10) {
        if ms == 200 {
            bench.velocity = vec![0.0];
        }
        bench.run(10);
        assert_eq!(bench.gate.lane_moves_after_stop(0), Some(false), "{ms} ms");
    }
    assert_eq!((motions(&mut bench), told(&bench).0.is_some()), (Vec::new(), true));
}

/// Nothing could be sent to stop it: it is killed all the same.
#[test]
fn when_a_lane_without_a_safe_command_is_killed_and_moves_expect_the_cut() {
    let mut bench = killed(position_lane(1));
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    bench.gate.safe_waits(0, Some(SafeWaits::Command));
    bench.run(5_000);
    bench.gate.kill(SERVICE, bench.now());
    bench.velocity = vec![0.5];
    bench.run(900);
    assert_eq!((bench.lane_state(0), moves(&bench)), (LaneState::Released, false));
    bench.run(500);
    assert_eq!((bench.lane_state(0), moves(&bench)), (LaneState::Released, true));
}

/// Over a tenth of a second: each hundredth counts for an eleventh.
#[test]
fn when_it_has_just_stopped_expect_its_mean_velocity_told() {
    let mut bench = killed(position_lane(1));
    bench.velocity = vec![0.5];
    bench.run(2_000);
    bench.velocity = vec![0.0];
    motions(&mut bench);
    bench.run(110);
    let found = bench.gate.standstill[0].found().unwrap().velocity;
    assert!((found - 0.5 * (10.0_f64 / 11.0).powi(11)).abs() < 0.01, "{found}");
}

/// What the snapshot says of lane 0: since when it stands, in ms, and whether it moves.
fn told(bench: &Bench) -> (Option<u64>, bool) {
    let snapshot = Snapshot::new(&bench.gate, bench.now());
    let lane = &snapshot.lanes[0];
    let start = SteadyTime::from_nanos(0);
    let since = lane.still_since.map(|at| at.since(start).as_millis().try_into().unwrap());
    (since, lane.motion.is_some())
}

#[test]
fn when_it_stands_after_a_stop_expect_since_when_and_never_while_it_moves_or_is_silent() {
    let mut bench = killed(position_lane(1));
    let killed_at = bench.now_ms;
    bench.run(900);
    assert_eq!(told(&bench), (None, false), "its time to stop is not over");
    bench.run(5_000);
    let deadline = Some(killed_at + 1_000);
    assert_eq!(told(&bench), (deadline, false));
    // It moves: nothing of the time before counts.
    bench.velocity = vec![0.5];
    bench.run(500);
    assert_eq!(told(&bench), (None, true));
    // It has to stand for a second before it is believed, and then that second counts.
    bench.velocity = vec![0.0];
    bench.run(900);
    assert_eq!(told(&bench), (None, true));
    bench.run(1_000);
    let (Some(since), false) = told(&bench) else { panic!("{:?}", told(&bench)) };
    assert!((killed_at + 6_400..=killed_at + 6_900).contains(&since), "{since}");
    // Silent feedback: nobody knows.
    bench.feedback = false;
    bench.run(500);
    assert_eq!(told(&bench), (None, true));
    // After a reset nothing was stopped.
    bench.feedback = true;
    bench.run(3_000);
    assert!(told(&bench).0.is_some());
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    bench.run(10);
    assert_eq!(told(&bench), (None, false));
}

#[test]
fn when_velocity_is_not_told_expect_motion_seen_in_the_positions() {
    let mut bench = killed(position_lane(1));
    bench.velocity = Vec::new();
    for _ in 0..200 {
        bench.pose[0] += 0.005;
        bench.run(10);
    }
    assert!(moves(&bench));
}

#[test]
fn when_feedback_is_silent_after_a_stop_expect_it_told_and_no_cut() {
    let mut bench = killed(position_lane(1));
    bench.feedback = false;
    bench.run(3_000);
    let [Some(motion)] = motions(&mut bench)[..] else { panic!("not told once") };
    assert!(motion.velocity.is_nan());
    assert!(!moves(&bench));
}

#[test]
fn when_it_is_reset_expect_nothing_left_of_it() {
    let mut bench = killed(position_lane(1));
    bench.velocity = vec![0.5];
    bench.run(2_000);
    assert!(moves(&bench));
    let seq = bench.gate.machine().seq();
    assert_eq!(bench.gate.reset(seq, bench.now()), Ok(()));
    bench.run(10);
    assert!(!moves(&bench));
}

#[test]
fn hazard_39_escalation_fells_biped() {
    // A minute of sway after a kill: reported, and its safe command stays what it is.
    for safe in [SafeCommand::Silent, SafeCommand::Freeze { tolerance: 1.0 }] {
        let balance = safe == SafeCommand::Silent;
        let mut bench = killed(LaneRules { balance, safe, ..position_lane(1) });
        let mut told = Vec::new();
        let mut out = Vec::new();
        for step in 0..6_000_u32 {
            let phase = f64::from(step) * 0.01 * std::f64::consts::TAU;
            bench.pose = vec![0.02 * phase.sin()];
            bench.velocity = vec![0.02 * std::f64::consts::TAU * phase.cos()];
            out.extend(bench.run(10));
            told.extend(motions(&mut bench));
        }
        let [Some(motion)] = told[..] else { panic!("told {} times", told.len()) };
        assert!(motion.velocity.is_finite());
        // No damping: what goes out is the safe command that was configured, unchanged, or nothing.
        if balance {
            assert_eq!(out, Vec::<Vec<f64>>::new());
        } else {
            assert!(out.len() > 5_900 && out.iter().all(|values| *values == out[0]));
        }
        assert_eq!(bench.gate.lane(0).unwrap().rules.safe, safe);
    }
}

/// Where the feedback carries positions only, its velocity is their change, at any pace.
#[test]
fn when_only_positions_are_measured_expect_their_change_told_as_the_velocity() {
    let mut bench = Bench::new(rules(vec![position_lane(1)])).armed();
    bench.send(0, 0, &[0.01]);
    bench.gate.kill(SERVICE, bench.now());
    motions(&mut bench);
    for _ in 0..300 {
        bench.pose[0] += 0.005;
        bench.run(10);
        // The same moment again: no time, no change, no velocity.
        bench.gate.tick(bench.now());
    }
    let [Some(motion)] = motions(&mut bench)[..] else { panic!("not told once") };
    assert!((motion.velocity - 0.5).abs() < 0.01, "{motion:?}");
    // It stands, somewhere.
    bench.run(5_000);
    assert_eq!(motions(&mut bench), [None]);
    assert!(!moves(&bench));
}

/// Nobody knows: it is silent, or there is none.
#[test]
fn when_feedback_does_not_say_it_expect_no_word_of_motion_after_a_stop() {
    let mut silent = killed(position_lane(1));
    silent.feedback = false;
    silent.run(3_000);
    assert_eq!(silent.gate.lane_moves_after_stop(0), None);
    let without = LaneRules { feedback: None, ..crate::gate::test_rules::velocity_lane(1) };
    let mut without = Bench::new(rules(vec![without])).armed();
    without.gate.kill(SERVICE, without.now());
    without.run(3_000);
    assert_eq!(without.gate.lane_moves_after_stop(0), None);
}
