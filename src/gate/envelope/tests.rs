use super::*;
use crate::gate::limits::DimensionLimits;
use crate::gate::rules::OnLimit;
use crate::gate::test_rules::{braking_lane, position_lane, velocity_lane};
use crate::gate::verdict::{Limit, Reason};

const STEP: Allowance = Allowance::of(0.02);

fn at(position: &[f64]) -> Present<'_> {
    Present { position: Some(position), velocity: None }
}

fn near(values: &[f64], expected: &[f64]) {
    assert_eq!(values.len(), expected.len());
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-12, "{values:?} instead of {expected:?}");
    }
}

fn command(values: &[f64]) -> Command {
    let mut command = Command::with_capacity(values.len(), 64);
    command.points = 1;
    command.position.extend_from_slice(values);
    command
}

pub(super) fn trajectory(points: &[(i64, &[f64])]) -> Command {
    let dimensions = points.first().map_or(0, |(_, values)| values.len());
    let mut command = Command::with_capacity(dimensions, 64);
    for (time, values) in points {
        command.times.push(*time);
        command.position.extend_from_slice(values);
    }
    command.points = points.len();
    command
}

#[test]
fn when_one_joint_is_over_expect_only_that_one_changed_and_named() {
    let mut envelope = Envelope::new(3);
    let mut command = command(&[0.01, 0.5, -0.02]);
    let by = envelope.apply(&mut command, &position_lane(3), STEP, Present::UNKNOWN).unwrap();
    assert_eq!(command.position, [0.01, 0.04, -0.02]);
    assert!(by.contains(Limit::Velocity));
    let named: Vec<_> = envelope.applied().iter().map(|by| !by.is_empty()).collect();
    assert_eq!(named, [false, true, false]);
}

#[test]
fn when_not_committed_expect_the_old_reference() {
    let mut envelope = Envelope::new(1);
    for _ in 0..3 {
        let mut command = command(&[0.5]);
        envelope.apply(&mut command, &position_lane(1), STEP, Present::UNKNOWN).unwrap();
        assert_eq!(command.position, [0.04]);
    }
    envelope.commit();
    assert_eq!(envelope.sent(), [Reference { value: 0.04, rate: 2.0 }]);
}

#[test]
fn when_on_limit_is_reject_expect_the_value_and_the_bound() {
    let mut rules = position_lane(2);
    rules.on_limit.velocity = OnLimit::Reject;
    let refusal = Envelope::new(2)
        .apply(&mut command(&[0.0, 0.5]), &rules, STEP, Present::UNKNOWN)
        .unwrap_err();
    assert_eq!(refusal.reason, Reason::Velocity);
    assert_eq!((refusal.dimension, refusal.found, refusal.bound), (Some(1), 0.5, 0.04));
}

/// What a later joint may be limited by takes nothing back of an earlier one's refusal.
#[test]
fn when_one_joint_is_refused_expect_no_later_one_to_undo_it() {
    let mut rules = position_lane(2);
    rules.on_limit.velocity = OnLimit::Reject;
    let mut envelope = Envelope::new(2);
    envelope.sent_mut()[1].value = 0.99;
    let mut command = command(&[0.5, 1.01]);
    let refusal = envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap_err();
    assert_eq!((refusal.reason, refusal.dimension), (Reason::Velocity, Some(0)));
    assert_eq!(command.position, [0.5, 1.01]);
}

#[test]
fn when_velocities_ride_along_expect_them_bounded() {
    let mut envelope = Envelope::new(1);
    let mut command = command(&[0.01]);
    command.velocity = vec![9.0];
    envelope.apply(&mut command, &position_lane(1), STEP, Present::UNKNOWN).unwrap();
    assert_eq!(command.velocity, [2.0]);
}

#[test]
fn when_velocities_ride_along_a_derated_lane_expect_the_bounds_in_force_both_ways() {
    let slow = Allowance { velocity: 0.25, because: Some(Limit::Derating), ..STEP };
    for (asked, bound) in [(9.0, 0.5), (-9.0, -0.5)] {
        let mut command = command(&[0.0]);
        command.velocity = vec![asked];
        let by = Envelope::new(1)
            .apply(&mut command, &position_lane(1), slow, Present::UNKNOWN)
            .unwrap();
        assert_eq!(command.velocity, [bound]);
        assert!(by.contains(Limit::Derating));
    }
}

/// What has no history of rates of its own is still what was last sent: a safe command, a hand-over
/// and the comparison with what is measured start from it.
#[test]
fn when_efforts_plans_and_balance_commands_are_sent_expect_the_last_of_them_at_rest() {
    let effort = DimensionLimits { effort: Some(2.0), ..DimensionLimits::default() };
    let efforts =
        LaneRules { interface: Interface::Effort, limits: vec![effort; 2], ..position_lane(2) };
    let plans = LaneRules { shape: Shape::Trajectory, ..position_lane(2) };
    let balance = LaneRules { balance: true, ..position_lane(2) };
    let mut pushed = command(&[3.0, -0.5]);
    pushed.effort = std::mem::take(&mut pushed.position);
    let plan = trajectory(&[(1_000_000_000, &[0.1, 0.0]), (2_000_000_000, &[0.2, -0.1])]);
    for (rules, mut command, sent) in [
        (efforts, pushed, [2.0, -0.5]),
        (plans, plan, [0.2, -0.1]),
        (balance, command(&[0.9, -0.9]), [0.9, -0.9]),
    ] {
        let mut envelope = Envelope::new(2);
        envelope.sent_mut()[1].rate = 0.7;
        envelope.apply(&mut command, &rules, STEP, at(&[0.0, 0.0])).unwrap();
        envelope.commit();
        assert_eq!(envelope.sent(), sent.map(|value| Reference { value, rate: 0.0 }));
    }
}

#[test]
fn when_an_axis_is_locked_expect_it_left_alone() {
    let mut rules = velocity_lane(2);
    rules.limits[1] = DimensionLimits { locked: true, ..DimensionLimits::default() };
    let mut command = command(&[]);
    command.dimensions = 2;
    command.given = vec![true; 2];
    command.velocity = vec![0.5, 1e-7];
    Envelope::new(2).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert_eq!(command.velocity, [0.04, 1e-7]);
}

#[test]
fn when_a_joint_is_not_given_expect_its_reference_kept() {
    let mut envelope = Envelope::new(2);
    envelope.sent_mut()[1].value = 0.3;
    let mut command = command(&[0.01, f64::NAN]);
    command.given[1] = false;
    envelope.apply(&mut command, &position_lane(2), STEP, Present::UNKNOWN).unwrap();
    envelope.commit();
    assert_eq!(envelope.sent()[1].value, 0.3);
}

#[test]
fn when_a_trajectory_fits_expect_it_unchanged() {
    let rules = LaneRules {
        shape: Shape::Trajectory,
        safe: crate::gate::safe::SafeCommand::HoldPoint { tolerance: 0.1 },
        ..position_lane(2)
    };
    let points: &[(i64, &[f64])] =
        &[(0, &[0.05, 0.0]), (100_000_000, &[0.2, -0.1]), (200_000_000, &[0.4, -0.3])];
    let mut command = trajectory(points);
    let before = command.clone();
    let by = Envelope::new(2).apply(&mut command, &rules, STEP, at(&[0.0, 0.0])).unwrap();
    assert!(by.is_empty());
    assert_eq!(command, before);
}

#[test]
fn when_a_trajectory_jumps_rushes_or_leaves_expect_each_told() {
    let rules = LaneRules {
        shape: Shape::Trajectory,
        safe: crate::gate::safe::SafeCommand::HoldPoint { tolerance: 0.1 },
        ..position_lane(1)
    };
    let judge = |points: &[(i64, &[f64])]| {
        let mut command = trajectory(points);
        let result = Envelope::new(1).apply(&mut command, &rules, STEP, at(&[0.0]));
        (result, command.position)
    };
    let (jump, _) = judge(&[(0, &[0.2])]);
    assert_eq!(jump.unwrap_err().reason, Reason::Discontinuity);
    let (rush, _) = judge(&[(1_000_000_000, &[0.5]), (1_100_000_000, &[0.8])]);
    let rush = rush.unwrap_err();
    assert_eq!((rush.reason, rush.point), (Reason::Velocity, 1));
    let (outside, sent) = judge(&[(1_000_000_000, &[1.5])]);
    assert!(outside.unwrap().contains(Limit::Position));
    assert_eq!(sent, [1.0]);
}

mod bounds;
mod curves;
mod groups;
mod lanes;
pub(super) mod plans;
mod properties;
mod reference;
mod time;
