//! How far what is sent and what is measured are apart.

use super::bench::*;
use crate::gate::cause::Cause;
use crate::gate::command::Command;
use crate::gate::rules::{LaneRules, Shape};
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
    let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
    assert!((apart - 0.02).abs() < 1e-9, "{apart}");
}

/// A plan is ahead of the robot, an effort is not measured, and nothing was sent before the first command.
#[test]
fn what_cannot_be_compared_is_not_apart() {
    let apart = |bench: &Bench| bench.gate.lane(0).unwrap().divergence();
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
        let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
        assert!((apart - 0.03).abs() < 1e-9, "{apart}");
    }
    let lane = LaneRules { feedback: Some(0), ..velocity_lane(1) };
    let mut bench = Bench::new(rules(vec![lane]));
    bench.velocity = vec![0.0];
    let mut bench = bench.armed();
    assert!(bench.gate.lane(0).unwrap().divergence().is_none_or(|apart| apart < 1e-9));
    for step in 0..200 {
        let speed = at_most(0.01 * f64::from(step), 0.5);
        bench.send(0, 0, &[speed]);
        bench.velocity = vec![speed];
        bench.run(20);
    }
    let apart = bench.gate.lane(0).unwrap().divergence().unwrap();
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
