//! Joints that move together: directions from where they are, what is never held back, and by which
//! names and rules the others are limited with the one that is.

use super::lanes::{efforts, grouped, velocities};
use super::*;

/// Enough for any change.
const LONG: Allowance = Allowance::of(10.0);

#[test]
fn when_velocities_change_in_motion_expect_the_direction_of_their_change_kept() {
    let rules = grouped(velocity_lane(2), &[0, 1]);
    let mut envelope = Envelope::new(2);
    envelope.sent_mut()[0].value = 0.5;
    // Steps of 0.5 and -0.25, of which joint 0 may make 0.04: 8 %.
    let mut command = velocities(&[1.0, -0.25]);
    envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    near(&command.velocity, &[0.54, -0.02]);
}

#[test]
fn when_a_joint_of_a_group_is_not_commanded_expect_it_to_hold_nothing_back() {
    let rules = grouped(velocity_lane(2), &[0, 1]);
    let mut envelope = Envelope::new(2);
    envelope.sent_mut()[0].value = 0.9;
    envelope.sent_mut()[1].value = 0.5;
    let mut command = velocities(&[1.0, f64::NAN]);
    command.given[1] = false;
    envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert!((command.velocity[0] - 0.94).abs() < 1e-12, "{:?}", command.velocity);
    assert!(command.velocity[1].is_nan());
    envelope.commit();
    assert_eq!(envelope.sent()[1].value, 0.5);
}

#[test]
fn when_a_joint_must_go_on_away_from_its_target_expect_the_others_not_turned_round() {
    let rules = grouped(braking_lane(2), &[0, 1]);
    let mut envelope = Envelope::new(2);
    // Joint 1 is at full speed upward and told to go down: it goes on up while it slows down.
    envelope.sent_mut()[1].rate = 2.0;
    let mut command = command(&[0.9, -0.5]);
    envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    near(&command.position, &[10.0 * 0.02 * 0.02, 1.6 * 0.02]);
}

/// A smaller limit scales the vector, and says so by its own name; the lane's own limit by its.
#[test]
fn when_a_group_is_scaled_expect_every_joint_named_by_what_scaled_it() {
    let derated = Allowance { velocity: 0.5, effort: 0.5, because: Some(Limit::Derating), ..LONG };
    let full = Allowance { velocity: 1.0, effort: 1.0, ..derated };
    let velocity = grouped(velocity_lane(2), &[0, 1]);
    let mut effort = LaneRules { interface: Interface::Effort, ..velocity.clone() };
    for limits in &mut effort.limits {
        *limits = DimensionLimits { effort: Some(1.0), ..DimensionLimits::default() };
    }
    for (allowance, asked, sent, name) in [
        (derated, [0.8, -0.2], [0.5, -0.125], Some(Limit::Derating)),
        (full, [2.0, -0.5], [1.0, -0.25], None),
    ] {
        for (rules, own) in [(&velocity, Limit::Velocity), (&effort, Limit::Effort)] {
            let mut envelope = Envelope::new(2);
            let mut command =
                if own == Limit::Velocity { velocities(&asked) } else { efforts(&asked) };
            let by = envelope.apply(&mut command, rules, allowance, Present::UNKNOWN).unwrap();
            let values = if own == Limit::Velocity { &command.velocity } else { &command.effort };
            near(values, &sent);
            let expected = LimitSet::EMPTY.with(name.unwrap_or(own));
            assert_eq!((by, envelope.applied()), (expected, &[expected; 2][..]));
        }
    }
}

#[test]
fn when_a_joint_is_changed_with_its_group_expect_the_rule_of_the_limit_that_changed_it() {
    let mut rules = grouped(velocity_lane(2), &[0, 1]);
    rules.on_limit.velocity = OnLimit::Reject;
    // Joint 0 is inside; it would be changed because joint 1 is not.
    let mut command = velocities(&[0.2, 3.0]);
    let refusal = Envelope::new(2).apply(&mut command, &rules, LONG, Present::UNKNOWN).unwrap_err();
    assert_eq!((refusal.reason, refusal.dimension), (Reason::Velocity, Some(0)));
    // Its step is, because joint 1 may not speed up so fast: that rule, for both.
    rules.on_limit = crate::gate::rules::OnLimits::default();
    rules.on_limit.acceleration = OnLimit::Reject;
    let mut command = velocities(&[0.02, 0.9]);
    let refusal = Envelope::new(2).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap_err();
    assert_eq!((refusal.reason, refusal.dimension), (Reason::Acceleration, Some(0)));
}

/// What stands still with its group, or makes its whole step beside one that must move, is the
/// command to the last bit, however large its value, and nothing is said of it.
#[test]
fn when_a_joint_need_not_change_with_its_group_expect_the_same_bits() {
    let mut rules = grouped(braking_lane(2), &[0, 1]);
    rules.limits[0].position = None;
    let mut envelope = Envelope::new(2);
    // Told to stay where it is; the other wants far.
    envelope.sent_mut()[0].value = 0.3;
    let mut resting = command(&[0.3, 0.9]);
    envelope.apply(&mut resting, &rules, STEP, Present::UNKNOWN).unwrap();
    assert_eq!(
        (resting.position[0].to_bits(), envelope.applied()[0]),
        (0.3_f64.to_bits(), LimitSet::EMPTY)
    );
    assert!(!envelope.applied()[1].is_empty());
    for step in 1..30 {
        let mut envelope = Envelope::new(2);
        envelope.sent_mut()[0].value = 1000.1;
        envelope.sent_mut()[1].rate = 2.0;
        let asked = 1000.1 + f64::from(step) * 1.3e-5;
        let mut command = command(&[asked, -0.5]);
        envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
        assert_eq!(command.position[0].to_bits(), asked.to_bits(), "{:?}", command.position);
        assert!(envelope.applied()[0].is_empty() && !envelope.applied()[1].is_empty());
    }
}

#[test]
fn when_an_axis_of_a_group_is_locked_expect_its_noise_left_alone() {
    let mut rules = grouped(velocity_lane(2), &[0, 1]);
    rules.limits[1] = DimensionLimits { locked: true, ..DimensionLimits::default() };
    let mut command = velocities(&[0.5, 1e-7]);
    Envelope::new(2).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    near(&command.velocity, &[0.04, 1e-7]);
    assert_eq!(command.velocity[1], 1e-7);
}
