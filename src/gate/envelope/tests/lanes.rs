//! Whole lanes: groups, gains, total effort, balance, names of smaller limits.

use super::*;
use crate::gate::limit::LOCKED_TOLERANCE;
use crate::gate::limits::Bounds;
use crate::gate::rules::OnLimits;

pub(super) fn velocities(values: &[f64]) -> Command {
    let mut command = command(values);
    command.velocity = std::mem::take(&mut command.position);
    command
}

pub(super) fn efforts(values: &[f64]) -> Command {
    let mut command = command(values);
    command.effort = std::mem::take(&mut command.position);
    command
}

pub(super) fn grouped(rules: LaneRules, group: &[usize]) -> LaneRules {
    LaneRules { groups: vec![group.to_vec()], ..rules }
}

/// With gains, effort and total effort.
fn impedance_lane(joints: usize) -> LaneRules {
    let mut rules = position_lane(joints);
    for limits in &mut rules.limits {
        limits.effort = Some(20.0);
        limits.kp = Some(100.0);
        limits.kd = Some(5.0);
        limits.total_effort = Some(10.0);
    }
    rules
}

fn impedance(position: f64, kp: f64, kd: f64, effort: f64) -> Command {
    let mut command = command(&[position]);
    command.velocity = vec![0.0];
    command.kp = vec![kp];
    command.kd = vec![kd];
    command.effort = vec![effort];
    command
}

#[test]
fn hazard_17_clamping_distorts_direction() {
    let rules = grouped(position_lane(4), &[0, 1, 2]);
    let mut command = command(&[0.4, -0.2, 0.0, 0.4]);
    Envelope::new(4).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    // Joint 0 may make a tenth of its step; joint 3 stands alone.
    near(&command.position, &[0.04, -0.02, 0.0, 0.04]);
    // Velocities: the vector is scaled into the bounds, then its step.
    let rules = grouped(velocity_lane(3), &[0, 1]);
    let mut command = velocities(&[2.0, -0.5, 0.01]);
    Envelope::new(3).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    near(&command.velocity, &[0.04, -0.01, 0.01]);
    // Efforts.
    let mut rules = position_lane(2);
    rules.interface = Interface::Effort;
    rules.limits = vec![DimensionLimits { effort: Some(2.0), ..DimensionLimits::default() }; 2];
    let mut command = efforts(&[4.0, -1.0]);
    let rules = grouped(rules, &[0, 1]);
    Envelope::new(2).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert_eq!(command.effort, [2.0, -0.5]);
}

#[test]
fn when_a_joint_of_a_group_must_move_expect_it_not_held_back() {
    let rules = grouped(braking_lane(2), &[0, 1]);
    let mut envelope = Envelope::new(2);
    // Joint 1 is at full speed and cannot stop in one step; joint 0 wants far.
    envelope.sent_mut()[1].rate = 2.0;
    let mut command = command(&[0.9, 0.0]);
    envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert!((command.position[1] - 1.6 * 0.02).abs() < 1e-12, "{:?}", command.position);
    assert!((command.position[0] - 10.0 * 0.02 * 0.02).abs() < 1e-12, "{:?}", command.position);
}

#[test]
fn when_a_group_needs_no_limit_expect_the_same_bits() {
    let rules = grouped(position_lane(2), &[0, 1]);
    let mut command = command(&[0.013, -0.0]);
    let before = command.clone();
    Envelope::new(2).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert_eq!(command.position[0].to_bits(), before.position[0].to_bits());
    assert_eq!(command.position[1].to_bits(), before.position[1].to_bits());
}

#[test]
fn when_gains_are_outside_expect_them_limited_or_refused_each_by_its_own_rule() {
    let rules = impedance_lane(1);
    let mut command = impedance(0.0, 150.0, -1.0, 0.0);
    let mut envelope = Envelope::new(1);
    let by = envelope.apply(&mut command, &rules, STEP, at(&[0.0])).unwrap();
    assert_eq!((command.kp[0], command.kd[0]), (100.0, 0.0));
    assert!(by.contains(Limit::Gain));
    let quantities: Vec<_> = envelope.changes().iter().map(|change| change.quantity).collect();
    assert_eq!(quantities, [Quantity::Kp, Quantity::Kd]);
    for (kp, kd, refused) in [(150.0, 1.0, true), (50.0, 9.0, false)] {
        let on_limit = OnLimits { kp: OnLimit::Reject, ..OnLimits::default() };
        let rules = LaneRules { on_limit, ..impedance_lane(1) };
        let mut command = impedance(0.0, kp, kd, 0.0);
        let result = Envelope::new(1).apply(&mut command, &rules, STEP, at(&[0.0]));
        assert_eq!(result.err().map(|refusal| refusal.reason), refused.then_some(Reason::Gain));
    }
}

#[test]
fn when_gains_have_no_limit_expect_zero_or_locked_and_negative_never() {
    let mut rules = position_lane(1);
    let command = impedance(0.0, 1.0, 0.0, 0.0);
    let refusal = crate::gate::check::check(&command, &rules).unwrap_err();
    assert_eq!(refusal.reason, Reason::LockedAxis);
    rules.limits[0].gains_unlimited = true;
    assert_eq!(crate::gate::check::check(&command, &rules), Ok(()));
    let mut command = impedance(0.0, -3.0, -LOCKED_TOLERANCE, 0.0);
    Envelope::new(1).apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
    assert_eq!((command.kp[0], command.kd[0]), (0.0, -LOCKED_TOLERANCE));
}

#[test]
fn when_the_total_effort_is_over_expect_less_feed_forward_or_a_refusal() {
    let apply = |rules: &LaneRules, command: &mut Command, present: Present<'_>| {
        let mut envelope = Envelope::new(1);
        envelope.sent_mut()[0].value = command.position[0];
        envelope.apply(command, rules, STEP, present)
    };
    let rules = impedance_lane(1);
    // 100 · 0.05 = 5 from the gains, 8 fed forward, 10 allowed.
    let mut over = impedance(0.05, 100.0, 0.0, 8.0);
    assert!(apply(&rules, &mut over, at(&[0.0])).unwrap().contains(Limit::Effort));
    assert_eq!(over.effort, [5.0]);
    // 20 from the gains alone: less feed-forward is not enough, more of the opposite is invented.
    for effort in [8.0, 0.0] {
        let mut hopeless = impedance(0.2, 100.0, 0.0, effort);
        let refusal = apply(&rules, &mut hopeless, at(&[0.0])).unwrap_err();
        assert_eq!((refusal.reason, refusal.bound), (Reason::TotalEffort, 10.0));
        assert!((refusal.found - 20.0 - effort).abs() < 1e-12);
    }
    // The measured velocity counts, and missing quantities are zero.
    let mut damped = impedance(0.0, 0.0, 5.0, 0.0);
    let present = Present { position: Some(&[0.0]), velocity: Some(&[3.0]) };
    assert_eq!(apply(&rules, &mut damped, present).unwrap_err().reason, Reason::TotalEffort);
    // Never measured: not judged. Refusing by rule.
    assert!(apply(&rules, &mut impedance(0.05, 100.0, 0.0, 8.0), Present::UNKNOWN).is_ok());
    let on_limit = OnLimits { total_effort: OnLimit::Reject, ..OnLimits::default() };
    let rules = LaneRules { on_limit, ..rules };
    let refusal = apply(&rules, &mut impedance(0.05, 100.0, 0.0, 8.0), at(&[0.0])).unwrap_err();
    assert_eq!(refusal.reason, Reason::TotalEffort);
}

/// Either way, under a smaller limit too, which names itself where the lane's own would have done; and
/// by the rule of the total alone.
#[test]
fn when_the_total_effort_is_over_either_way_expect_the_feed_forward_that_just_fits() {
    let mut rules = impedance_lane(1);
    rules.on_limit.effort = OnLimit::Reject;
    let half = Allowance { effort: 0.5, because: Some(Limit::Derating), ..STEP };
    // Gains of 100 at 0.05 rad add 5, of 40 add 2.
    for (allowance, kp, effort, sent, by) in [
        (STEP, 100.0, 8.0, Some(5.0), Limit::Effort),
        (STEP, -100.0, -8.0, Some(-5.0), Limit::Effort),
        (half, 40.0, 4.0, Some(3.0), Limit::Derating),
        (half, -40.0, -4.0, Some(-3.0), Limit::Derating),
        // 4 from the gains and 5: within the lane's own 10.
        (half, 80.0, 5.0, Some(1.0), Limit::Derating),
        (half, 40.0, 9.0, Some(3.0), Limit::Effort),
        (half, -40.0, -9.0, Some(-3.0), Limit::Effort),
        // The gains work against it: what is fed forward may be more than the limit.
        (STEP, 100.0, -14.0, None, Limit::Effort),
        (STEP, 100.0, -16.0, Some(-15.0), Limit::Effort),
        (STEP, 100.0, 5.0, None, Limit::Effort),
    ] {
        let present = if kp < 0.0 { 0.1 } else { 0.0 };
        let mut command = impedance(0.05, f64::abs(kp), 0.0, effort);
        let mut envelope = Envelope::new(1);
        envelope.sent_mut()[0].value = 0.05;
        let applied = envelope.apply(&mut command, &rules, allowance, at(&[present])).unwrap();
        let expected = sent.unwrap_or(effort);
        assert!((command.effort[0] - expected).abs() < 1e-9, "{kp} {effort}: {command:?}");
        let named = sent.map_or(LimitSet::EMPTY, |_| LimitSet::EMPTY.with(by));
        assert_eq!(applied, named, "{kp} {effort}");
    }
    let rules = LaneRules { balance: true, ..impedance_lane(1) };
    for (effort, fits) in [(5.0, true), (5.1, false), (-14.0, true), (-15.1, false)] {
        let mut command = impedance(0.05, 100.0, 0.0, effort);
        let judged = Envelope::new(1).apply(&mut command, &rules, STEP, at(&[0.0]));
        assert_eq!(judged.is_ok(), fits, "{effort}: {judged:?}");
    }
}

#[test]
fn hazard_40_gate_distorts_balance() {
    let rules = LaneRules { balance: true, ..impedance_lane(1) };
    let mut envelope = Envelope::new(1);
    // A jump within the wide envelope, with no time at all: bit for bit.
    for position in [0.9, -0.9, -0.0] {
        let mut command = impedance(position, 10.0, 0.1, 0.5);
        let before = command.clone();
        let none = Allowance { velocity: 0.0, effort: 0.0, ..Allowance::of(0.0) };
        let by = envelope.apply(&mut command, &rules, none, at(&[position])).unwrap();
        assert!(by.is_empty() && envelope.changes().is_empty());
        assert_eq!(command, before);
        assert_eq!(command.position[0].to_bits(), before.position[0].to_bits());
        envelope.commit();
    }
    let speeding = {
        let mut command = impedance(0.0, 10.0, 0.1, 0.5);
        command.velocity[0] = 2.1;
        command
    };
    for (mut command, reason) in [
        (impedance(1.1, 0.0, 0.0, 0.0), Reason::Position),
        (speeding, Reason::Velocity),
        (impedance(0.0, 0.0, 0.0, 20.1), Reason::Effort),
        (impedance(0.0, 100.1, 0.0, 0.0), Reason::Gain),
        (impedance(0.0, 0.0, -0.1, 0.0), Reason::Gain),
        (impedance(0.5, 100.0, 0.0, 0.0), Reason::TotalEffort),
        (impedance(f64::NAN, 0.0, 0.0, 0.0), Reason::Position),
    ] {
        let before = format!("{command:?}");
        let refusal = envelope.apply(&mut command, &rules, STEP, at(&[0.0])).unwrap_err();
        assert_eq!(refusal.reason, reason);
        assert_eq!(format!("{command:?}"), before);
    }
}

#[test]
fn when_a_balance_lane_refuses_expect_the_bound_that_the_value_is_beyond() {
    let rules = LaneRules { balance: true, ..impedance_lane(1) };
    for (mut command, found, bound) in [
        (impedance(1.1, 0.0, 0.0, 0.0), 1.1, 1.0),
        (impedance(-1.1, 0.0, 0.0, 0.0), -1.1, -1.0),
        (impedance(0.0, 0.0, 0.0, 20.1), 20.1, 20.0),
        (impedance(0.0, 0.0, 0.0, -20.1), -20.1, -20.0),
        (impedance(0.0, 100.1, 0.0, 0.0), 100.1, 100.0),
        (impedance(0.0, -0.1, 0.0, 0.0), -0.1, 0.0),
    ] {
        let refusal = Envelope::new(1).apply(&mut command, &rules, STEP, at(&[0.0])).unwrap_err();
        assert_eq!((refusal.found, refusal.bound), (found, bound), "{refusal:?}");
    }
}

#[test]
fn when_derating_moved_the_value_expect_its_name_and_the_own_kind_only_beyond_it() {
    let rules = velocity_lane(1);
    let allowance =
        Allowance { velocity: 0.5, because: Some(Limit::Derating), ..Allowance::of(10.0) };
    for (commanded, own) in [(0.8, false), (3.0, true)] {
        let mut command = velocities(&[commanded]);
        let mut envelope = Envelope::new(1);
        let by = envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
        assert_eq!(command.velocity, [0.5]);
        assert!(by.contains(Limit::Derating));
        assert_eq!(by.contains(Limit::Velocity), own);
        let change = envelope.changes()[0];
        assert_eq!(
            (change.limit, change.requested, change.sent, change.bound),
            (Limit::Derating, commanded, 0.5, 0.5)
        );
    }
    // Source and profile have no name of their own.
    let allowance = Allowance { because: None, ..allowance };
    let mut command = velocities(&[0.8]);
    let by = Envelope::new(1).apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
    assert_eq!(by, LimitSet::EMPTY.with(Limit::Velocity));
    // Slowing down is never scaled.
    let mut envelope = Envelope::new(1);
    envelope.sent_mut()[0].value = 0.9;
    let slow = Allowance { acceleration: 0.1, ..Allowance::of(0.02) };
    let mut command = velocities(&[0.83]);
    assert!(envelope.apply(&mut command, &rules, slow, Present::UNKNOWN).unwrap().is_empty());
}

#[test]
fn when_more_changes_than_listed_expect_all_applied() {
    let joints = MAX_CHANGES + 6;
    let mut command = command(&vec![0.9; joints]);
    let mut envelope = Envelope::new(joints);
    envelope.apply(&mut command, &position_lane(joints), STEP, Present::UNKNOWN).unwrap();
    assert_eq!(envelope.changes().len(), MAX_CHANGES);
    assert!(command.position.iter().all(|value| (*value - 0.04).abs() < 1e-12));
    let mut still = super::command(&vec![0.0; joints]);
    envelope.apply(&mut still, &position_lane(joints), STEP, Present::UNKNOWN).unwrap();
    assert!(envelope.changes().is_empty());
}

#[test]
fn when_the_jerk_is_limited_expect_acceleration_to_grow_and_stopping_free_of_it() {
    let mut rules = velocity_lane(1);
    rules.limits[0].jerk = Some(10.0);
    let mut envelope = Envelope::new(1);
    let mut expected = 0.0;
    for step in 1..=5 {
        let mut command = velocities(&[1.0]);
        let by = envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
        envelope.commit();
        assert_eq!(by, LimitSet::EMPTY.with(Limit::Jerk));
        expected += f64::from(step) * 10.0 * 0.02 * 0.02;
        assert!((command.velocity[0] - expected).abs() < 1e-12);
        assert!((envelope.sent()[0].rate - f64::from(step) * 0.2).abs() < 1e-9);
    }
    let mut stop = velocities(&[0.0]);
    assert!(envelope.apply(&mut stop, &rules, STEP, Present::UNKNOWN).unwrap().is_empty());
    rules.on_limit.jerk = OnLimit::Reject;
    let mut fast = velocities(&[1.0]);
    let refusal = envelope.apply(&mut fast, &rules, STEP, Present::UNKNOWN).unwrap_err();
    assert_eq!(refusal.reason, Reason::Jerk);
}

#[test]
fn hazard_18_rate_limit_on_measured_state() {
    // The robot lags far behind: what was last sent is the reference all the same.
    let mut envelope = Envelope::new(1);
    envelope.sent_mut()[0].value = 0.5;
    let mut command = command(&[0.9]);
    envelope.apply(&mut command, &position_lane(1), STEP, at(&[-0.5])).unwrap();
    assert!((command.position[0] - 0.54).abs() < 1e-12);
}

#[test]
fn hazard_45_starts_outside_limits() {
    let mut rules = braking_lane(1);
    rules.limits[0].position = Some(Bounds { min: -1.0, max: 1.0 });
    for target in [0.0, 3.0, 1.1] {
        let mut envelope = Envelope::new(1);
        envelope.sent_mut()[0].value = 1.1;
        let mut last = 1.1;
        for _ in 0..200 {
            let mut command = command(&[target]);
            envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
            envelope.commit();
            assert!(last <= 1.0 || command.position[0] <= last, "outward");
            assert!((last - command.position[0]).abs() <= 0.04 + 1e-12, "a jump");
            last = command.position[0];
        }
        assert!(if target == 0.0 { last.abs() < 1e-6 } else { last == 1.1 }, "{target} {last}");
    }
}

/// A stream in motion that was once limited catches up with its target and then passes unchanged.
#[test]
fn when_a_moving_target_was_lost_expect_it_caught_and_followed() {
    let rules = braking_lane(1);
    let mut envelope = Envelope::new(1);
    let mut limited = Vec::new();
    for step in 0..90 {
        // 1 rad/s from the first command on.
        let mut command = command(&[-0.9 + 0.02 * f64::from(step)]);
        if step == 0 {
            envelope.sent_mut()[0].value = -0.9;
        }
        let by = envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
        envelope.commit();
        limited.push(!by.is_empty());
    }
    assert!(limited[1], "a jump to 1 rad/s is more than 10 rad/s² allow");
    assert!(limited[30..].iter().all(|limited| !limited), "{limited:?}");
}

#[test]
fn when_efforts_are_scaled_together_expect_none_beyond_its_limit_by_rounding() {
    for (limit, asked) in [(3.3, 144.586_466_435_815_74), (7.7, 25.057_102_001_355_474)] {
        let mut rules =
            LaneRules { interface: Interface::Effort, ..grouped(position_lane(2), &[0, 1]) };
        for limits in &mut rules.limits {
            limits.effort = Some(limit);
        }
        for (sign, effort) in [(1.0, 1.0), (-1.0, 1.0), (1.0, 0.5), (-1.0, 0.5)] {
            let mut command = efforts(&[sign * effort * asked, 0.5]);
            let allowance = Allowance { effort, ..STEP };
            Envelope::new(2).apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            assert_eq!(command.effort[0], sign * effort * limit);
        }
    }
}

/// What has fallen behind a target in motion may arrive as fast as the target moves; how fast that is
/// comes from the last two targets. Alone and in a group.
#[test]
fn when_a_target_moves_expect_the_value_behind_it_to_arrive_at_its_speed() {
    for group in [false, true] {
        let mut rules = braking_lane(1);
        if group {
            rules = grouped(rules, &[0]);
        }
        // 0.046, then 0.05 rad: 0.2 rad/s, on top of the 1.0697 rad/s from which 0.05 rad just suffice.
        let (room, step) = (0.05, 20.0 * 0.02);
        let arrives = 40.0 * room / (f64::sqrt(step * step + 40.0 * room) + step) + 0.2;
        for sign in [1.0, -1.0] {
            let mut envelope = Envelope::new(1);
            envelope.apply(&mut command(&[sign * 0.046]), &rules, STEP, Present::UNKNOWN).unwrap();
            envelope.sent_mut()[0] = Reference { value: 0.0, rate: sign * 1.5 };
            let mut command = command(&[sign * room]);
            envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
            near(&command.position, &[sign * arrives * 0.02]);
        }
    }
}
