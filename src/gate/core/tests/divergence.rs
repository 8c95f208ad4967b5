//! How far what is sent and what is measured are apart.

use super::bench::*;
use crate::gate::cause::{Action, Cause};
use crate::gate::command::Command;
use crate::gate::fault::Level;
use crate::gate::limits::Bounds;
use crate::gate::rules::{CauseRules, LaneRules, Shape};
use crate::gate::safe::SafeCommand;
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::at_most;

#[test]
fn what_is_sent_and_what_is_measured_are_apart_by_their_difference() {
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.pose = vec![0.5];
    let mut bench = bench.armed();
    bench.run(20);
    bench.send(0, 0, &[0.52]);
    let apart = bench.gate.lane(0).unwrap().divergence(None).unwrap().found;
    assert!((apart - 0.02).abs() < 1e-9, "{apart}");
}

/// A plan is ahead of the robot, an effort is not measured, and nothing was sent before the first command.
#[test]
fn what_cannot_be_compared_is_not_apart() {
    let apart = |bench: &Bench| bench.gate.lane(0).unwrap().divergence(None);
    let mut bench = Bench::new(rules(vec![position_lane(1)]));
    bench.run(50);
    assert_eq!(apart(&bench), None);
    let safe = SafeCommand::HoldPoint { tolerance: 0.5 };
    let lane = LaneRules { shape: Shape::Trajectory, safe, ..position_lane(1) };
    let mut bench = Bench::new(rules(vec![lane])).armed();
    bench.run(20);
    let mut plan = Command::with_capacity(1, 4);
    plan.times.push(1_000_000_000);
    plan.position.push(0.4);
    plan.points = 1;
    assert!(bench.send_command(0, 0, &mut plan).forwards());
    assert_eq!(apart(&bench), None);
}

#[test]
fn how_far_apart_is_told_of_the_joint_where_it_is_most() {
    for far in [0, 1] {
        let mut bench = Bench::new(rules(vec![position_lane(2)])).armed();
        bench.run(20);
        let mut sent = [0.01, 0.01];
        sent[far] = 0.03;
        bench.send(0, 0, &sent);
        let apart = bench.gate.lane(0).unwrap().divergence(None).unwrap().found;
        assert!((apart - 0.03).abs() < 1e-9, "{apart}");
    }
    let lane = LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane]));
    bench.velocity = vec![0.0];
    let mut bench = bench.armed();
    assert!(bench.gate.lane(0).unwrap().divergence(None).is_none_or(|level| level.found < 1e-9));
    for step in 0..200 {
        let speed = at_most(0.01 * f64::from(step), 0.5);
        bench.send(0, 0, &[speed]);
        bench.velocity = vec![speed];
        bench.run(20);
    }
    let apart = bench.gate.lane(0).unwrap().divergence(None).unwrap().found;
    assert!(apart < 0.02, "{apart}");
}

/// Somebody who moves the robot by hand while nothing is permitted is not a fault; nor does an old pose
/// say how far apart they are now.
#[test]
fn when_nothing_may_pass_or_the_pose_is_old_expect_no_divergence() {
    let mut rules = rules(vec![position_lane(1)]);
    rules.causes[Cause::Divergence.index()].above = Some(0.005);
    let diverges =
        |bench: &Bench| bench.gate.causes_present(bench.now().steady).contains(Cause::Divergence);
    for disarmed in [true, false] {
        let mut bench = Bench::new(rules.clone()).armed();
        bench.run(20);
        bench.send(0, 0, &[0.01]);
        bench.run(10);
        assert!(diverges(&bench));
        if disarmed {
            assert_eq!(bench.gate.disarm(bench.now()), Ok(()));
        } else {
            bench.feedback = false;
            bench.run(200);
        }
        bench.run(10);
        assert!(!diverges(&bench), "{disarmed}");
    }
}

/// Sent `sent` for two seconds while the feedback says `measured`: what is told of it.
fn after_two_seconds(
    lane: &LaneRules,
    above: Option<f64>,
    sent: [f64; 2],
    measured: [f64; 2],
) -> Level {
    let mut rules = rules(vec![LaneRules { feedback: Some(0), ..lane.clone() }]);
    rules.causes[Cause::Divergence.index()] =
        CauseRules { above, action: Some(Action::Warn), ..CauseRules::default() };
    let mut bench = Bench::new(rules);
    bench.velocity = vec![0.0; 2];
    let mut bench = bench.armed();
    bench.velocity = measured.to_vec();
    bench.stream(0, 0, &sent, 2_000);
    let level = bench.gate.lane(0).unwrap().divergence(above).unwrap();
    let present = bench.gate.causes_present(bench.now().steady).contains(Cause::Divergence);
    assert_eq!(level.present, present);
    level
}

/// The base of `config/mobile_base.yaml`: 0.5 m/s forward, 0.2 back, 1.5 rad/s.
fn slow_base() -> LaneRules {
    let mut lane = velocity_lane(2);
    lane.limits[0].velocity = Some(Bounds { min: -0.2, max: 0.5 });
    lane.limits[1].velocity = Some(Bounds { min: -1.5, max: 1.5 });
    lane
}

#[test]
fn when_a_slow_base_stands_or_runs_away_expect_half_of_its_largest_velocity_to_tell() {
    let lane = slow_base();
    for (sent, measured, bound, present) in [
        ([0.5, 0.0], [0.0, 0.0], 0.25, true),
        ([0.0, 0.0], [0.45, 0.0], 0.25, true),
        ([0.2, 0.0], [0.0, 0.0], 0.25, false),
        // Farther apart, and less of what it may be.
        ([0.3, 0.6], [0.0, 0.0], 0.25, true),
        ([0.0, 1.5], [0.0, 0.0], 0.75, true),
        ([0.1, 0.6], [0.0, 0.0], 0.75, false),
    ] {
        let level = after_two_seconds(&lane, None, sent, measured);
        assert_eq!((level.bound, level.present), (bound, present), "{sent:?} {measured:?}");
    }
    // Farther back than forward.
    let mut back = lane;
    back.limits[0].velocity = Some(Bounds { min: -0.8, max: 0.5 });
    assert_eq!(after_two_seconds(&back, None, [0.5, 0.0], [0.0; 2]).bound, 0.4);
}

#[test]
fn when_a_bound_is_written_or_no_velocity_is_limited_expect_one_for_all() {
    let written = after_two_seconds(&slow_base(), Some(0.5), [0.5, 0.0], [0.0, 0.0]);
    assert_eq!((written.bound, written.present), (0.5, false));
    let mut free = slow_base();
    for limits in &mut free.limits {
        limits.velocity = None;
    }
    let level = after_two_seconds(&free, None, [0.4, 0.0], [0.0, 0.0]);
    assert_eq!((level.bound, level.present), (0.5, false));
    // Positions know no other, whatever their velocities.
    let lane = position_lane(2);
    let level = after_two_seconds(&lane, None, [0.4, 0.0], [0.0, 0.0]);
    assert_eq!((level.bound, level.present), (0.5, false));
}
