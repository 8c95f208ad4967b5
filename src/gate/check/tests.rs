use super::*;
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::test_rules::{position_lane, velocity_lane};

fn positions(values: &[f64]) -> Command {
    let mut command = Command::with_capacity(values.len(), 64);
    command.points = 1;
    command.position.extend_from_slice(values);
    command
}

fn velocities(values: &[f64]) -> Command {
    let mut command = positions(values);
    command.velocity = std::mem::take(&mut command.position);
    command
}

fn reason(command: &Command, rules: &LaneRules) -> Option<Reason> {
    check(command, rules).err().map(|refusal| refusal.reason)
}

#[test]
fn when_all_is_well_expect_nothing() {
    assert_eq!(check(&positions(&[0.1, -0.2]), &position_lane(2)), Ok(()));
}

#[test]
fn when_any_value_is_not_finite_expect_not_finite_with_its_place() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for dimension in 0..2 {
            let mut command = positions(&[0.0, 0.0]);
            command.position[dimension] = bad;
            let refusal = check(&command, &position_lane(2)).unwrap_err();
            assert_eq!(refusal.reason, Reason::NotFinite);
            assert_eq!(refusal.dimension, Some(dimension));
        }
    }
    for ok in [-0.0, f64::MIN_POSITIVE / 2.0, f64::MAX] {
        assert_eq!(check(&positions(&[ok]), &position_lane(1)), Ok(()));
    }
}

#[test]
fn when_a_count_is_wrong_expect_wrong_count() {
    let mut short = positions(&[0.0, 0.0]);
    short.position.pop();
    assert_eq!(reason(&short, &position_lane(2)), Some(Reason::WrongCount));
    let mut missing = positions(&[0.0, 0.0]);
    missing.position.clear();
    assert_eq!(reason(&missing, &position_lane(2)), Some(Reason::WrongCount));
    // Values of the right count in a command of another lane, or one that does not say which are given.
    let mut other = positions(&[0.0, 0.0]);
    other.dimensions = 3;
    assert_eq!(reason(&other, &position_lane(2)), Some(Reason::WrongCount));
    let mut unsaid = positions(&[0.0, 0.0]);
    unsaid.given.pop();
    assert_eq!(reason(&unsaid, &position_lane(2)), Some(Reason::WrongCount));
}

#[test]
fn when_a_plan_has_points_and_nothing_commanded_expect_wrong_count() {
    let rules = LaneRules { shape: Shape::Trajectory, ..position_lane(1) };
    let mut plan = velocities(&[0.0]);
    plan.times = vec![0];
    assert_eq!(reason(&plan, &rules), Some(Reason::WrongCount));
    let mut empty = Command::with_capacity(1, 64);
    assert_eq!(reason(&empty, &rules), None, "an empty plan is a stop");
    empty.points = 1;
    assert_eq!(reason(&empty, &rules), Some(Reason::WrongCount));
}

#[test]
fn when_a_gain_is_limited_or_declared_unlimited_expect_it_taken_and_otherwise_locked() {
    let gains = |kp: f64, kd: f64| {
        let mut command = positions(&[0.0]);
        (command.kp, command.kd) = (vec![kp], vec![kd]);
        command
    };
    let mut rules = position_lane(1);
    for (kp, kd) in [(1.0, 0.0), (0.0, 1.0)] {
        assert_eq!(reason(&gains(kp, kd), &rules), Some(Reason::LockedAxis));
    }
    rules.limits[0].gains_unlimited = true;
    assert_eq!(reason(&gains(1.0, 1.0), &rules), None);
    rules.limits[0].gains_unlimited = false;
    (rules.limits[0].kp, rules.limits[0].kd) = (Some(50.0), Some(5.0));
    assert_eq!(reason(&gains(1.0, 1.0), &rules), None);
}

#[test]
fn hazard_21_unlisted_axis_passes() {
    let mut rules = velocity_lane(6);
    for limits in &mut rules.limits[1..] {
        *limits = DimensionLimits { locked: true, ..DimensionLimits::default() };
    }
    let mut command = velocities(&[0.2, 0.0, -0.0, 1e-6, -1e-6, 0.0]);
    assert_eq!(check(&command, &rules), Ok(()));
    for axis in 1..6 {
        for value in [1.1e-6, -0.5] {
            let before = std::mem::replace(&mut command.velocity[axis], value);
            let refusal = check(&command, &rules).unwrap_err();
            assert_eq!((refusal.reason, refusal.dimension), (Reason::LockedAxis, Some(axis)));
            command.velocity[axis] = before;
        }
    }
}

#[test]
fn when_a_quantity_without_a_limit_is_not_zero_expect_locked_axis() {
    let mut command = positions(&[0.0, 0.0]);
    command.effort = vec![0.0, 0.0];
    assert_eq!(check(&command, &position_lane(2)), Ok(()));
    command.effort[1] = 3.0;
    assert_eq!(reason(&command, &position_lane(2)), Some(Reason::LockedAxis));
    let mut rules = position_lane(2);
    rules.limits[1].effort = Some(5.0);
    assert_eq!(check(&command, &rules), Ok(()));
    rules.limits[1] = DimensionLimits { effort: None, effort_unlimited: true, ..rules.limits[1] };
    assert_eq!(check(&command, &rules), Ok(()));
}

/// A plan's accelerations on a lane with `unlimited: [acceleration]`, and their like.
#[test]
fn when_a_quantity_is_left_free_on_purpose_expect_it_to_pass() {
    let mut rules = position_lane(1);
    rules.limits[0] = DimensionLimits { position: rules.limits[0].position, ..Default::default() };
    for free in [false, true] {
        rules.limits[0].velocity_unlimited = free;
        rules.limits[0].acceleration_unlimited = free;
        let expected = (!free).then_some(Reason::LockedAxis);
        let mut command = positions(&[0.0]);
        command.velocity = vec![0.3];
        assert_eq!(reason(&command, &rules), expected);
        let mut command = positions(&[0.0]);
        command.acceleration = vec![2.0];
        assert_eq!(reason(&command, &rules), expected);
        let mut command = velocities(&[0.1]);
        command.position = vec![0.4];
        let mut rules = velocity_lane(1);
        rules.limits[0].position_unlimited = free;
        assert_eq!(reason(&command, &rules), expected);
        rules.limits[0].locked = true;
        assert_eq!(reason(&command, &rules), Some(Reason::LockedAxis));
    }
}

#[test]
fn when_positions_ride_on_a_velocity_lane_expect_them_locked_unless_limited() {
    let mut command = velocities(&[0.1]);
    command.position = vec![0.4];
    let mut rules = velocity_lane(1);
    assert_eq!(reason(&command, &rules), Some(Reason::LockedAxis));
    rules.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
    assert_eq!(check(&command, &rules), Ok(()));
}

#[test]
fn when_times_do_not_increase_expect_that_point() {
    let rules = LaneRules { shape: Shape::Trajectory, ..position_lane(1) };
    for (times, bad) in [
        (vec![0, 1, 2], None),
        (vec![-1, 1, 2], Some(0)),
        (vec![0, 0, 2], Some(1)),
        (vec![5, 6, 6], Some(2)),
    ] {
        let mut command = positions(&[0.0, 0.0, 0.0]);
        command.dimensions = 1;
        command.points = 3;
        command.times = times;
        let refusal = check(&command, &rules).err();
        assert_eq!(refusal.map(|refusal| refusal.point), bad);
    }
}

#[test]
fn when_a_trajectory_is_empty_expect_it_allowed() {
    let rules = LaneRules { shape: Shape::Trajectory, ..position_lane(2) };
    assert_eq!(check(&Command::with_capacity(2, 4), &rules), Ok(()));
}

#[test]
fn when_a_joint_is_not_given_expect_it_not_judged() {
    let mut command = positions(&[0.0, f64::NAN]);
    command.given[1] = false;
    assert_eq!(check(&command, &position_lane(2)), Ok(()));
}

#[test]
fn hazard_08_nan_passes() {
    let mut rules = position_lane(3);
    for limits in &mut rules.limits {
        limits.acceleration = Some(1.0);
        limits.effort_unlimited = true;
        limits.gains_unlimited = true;
    }
    let quantities: [fn(&mut Command) -> &mut Vec<f64>; 6] = [
        |command| &mut command.position,
        |command| &mut command.velocity,
        |command| &mut command.acceleration,
        |command| &mut command.effort,
        |command| &mut command.kp,
        |command| &mut command.kd,
    ];
    let mut command = positions(&[0.0; 3]);
    for quantity in quantities {
        *quantity(&mut command) = vec![0.0; 3];
    }
    assert_eq!(check(&command, &rules), Ok(()));
    for quantity in quantities {
        for joint in 0..3 {
            for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                quantity(&mut command)[joint] = bad;
                let refusal = check(&command, &rules).unwrap_err();
                assert_eq!(refusal.reason, Reason::NotFinite);
                assert_eq!(refusal.dimension, Some(joint));
                quantity(&mut command)[joint] = 0.0;
            }
        }
    }
}

#[test]
fn when_the_lane_has_other_dimensions_expect_wrong_count() {
    let command = positions(&[0.0, 0.0]);
    assert_eq!(reason(&command, &position_lane(1)), Some(Reason::WrongCount));
    let mut twice = positions(&[0.0, 0.0]);
    twice.dimensions = 1;
    twice.points = 2;
    assert_eq!(reason(&twice, &position_lane(1)), Some(Reason::WrongCount));
    // A plan whose times do not match its points.
    let rules = LaneRules { shape: Shape::Trajectory, ..position_lane(1) };
    twice.times = vec![0];
    assert_eq!(reason(&twice, &rules), Some(Reason::WrongCount));
}
