//! Any sequence of commands, credits and allowances on every kind of lane.

use proptest::prelude::*;

use super::*;
use crate::gate::limits::Bounds;
use crate::gate::units::{at_least, at_most, is_within};

fn allowances() -> impl Strategy<Value = Allowance> {
    (0.0..0.03f64, 0.0..=1.0f64, 0.0..=1.0f64, 0.0..=1.0f64, 0.1..=1.0f64).prop_map(
        |(credit_s, pace, velocity, acceleration, effort)| Allowance {
            pace_s: pace * credit_s,
            velocity,
            acceleration,
            effort,
            because: Some(Limit::Derating),
            ..Allowance::of(credit_s)
        },
    )
}

/// Now and then something extreme.
fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -3.0..3.0f64,
        1 => Just(-0.0),
        1 => Just(f64::MIN_POSITIVE / 2.0),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN)],
    ]
}

fn steps() -> impl Strategy<Value = Vec<(f64, f64, Allowance)>> {
    prop::collection::vec((values(), values(), allowances()), 1..150)
}

fn lanes() -> impl Strategy<Value = (bool, bool)> {
    (any::<bool>(), any::<bool>())
}

proptest! {
    /// Positions: finite, inside or inward, no faster than the bound in force except while slowing
    /// down at the deceleration limit, and always with the distance to stop.
    #[test]
    fn any_sequence_of_positions_keeps_every_limit(
        steps in steps(),
        (group, accelerates) in lanes(),
        start in -1.2..1.2f64,
    ) {
        let mut rules = position_lane(2);
        for limits in &mut rules.limits {
            limits.acceleration = accelerates.then_some(10.0);
            limits.deceleration = accelerates.then_some(20.0);
        }
        if group {
            rules.groups.push(vec![0, 1]);
        }
        let mut envelope = Envelope::new(2);
        for sent in envelope.sent_mut() {
            sent.value = start;
        }
        for (one, other, allowance) in steps {
            let before: Vec<Reference> = envelope.sent().to_vec();
            let mut command = command(&[one, other]);
            envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            envelope.commit();
            let used = envelope.used_s();
            prop_assert!(used <= allowance.credit_s);
            for (joint, (sent, before)) in envelope.sent().iter().zip(&before).enumerate() {
                prop_assert!(sent.value.is_finite() && sent.rate.is_finite());
                prop_assert_eq!(sent.value.to_bits(), command.position[joint].to_bits());
                let (low, high) = (at_most(before.value, -1.0), at_least(before.value, 1.0));
                prop_assert!(is_within(sent.value, low, high));
                let moved = (sent.value - before.value).abs();
                let slack = 1e-12 + 1e-9 * moved;
                // The moving limit: the bound in force, or what deceleration cannot yet undo.
                let left = if accelerates { before.rate.abs() - 20.0 * used } else { 0.0 };
                let most = at_least(2.0 * allowance.velocity, left);
                prop_assert!(moved <= most * used + slack, "{moved} of {most} in {used}");
                prop_assert!(sent.rate.abs() <= 2.0);
                if accelerates && used > 1e-6 {
                    let change = sent.rate - before.rate;
                    let slack = 1e-9 / used;
                    prop_assert!(change.abs() <= 20.0 * used + slack);
                    if sent.rate.abs() > before.rate.abs() && sent.rate * before.rate >= 0.0 {
                        let most = 10.0 * allowance.acceleration * used;
                        prop_assert!(change.abs() <= most + slack, "{change} of {most}");
                    }
                    let ahead = if sent.rate > 0.0 { 1.0 - sent.value } else { sent.value + 1.0 };
                    let inward = sent.value.abs() > 1.0 && sent.rate * sent.value <= 0.0;
                    let room = at_least(ahead, 0.0);
                    prop_assert!(
                        inward || sent.rate * sent.rate <= 40.0 * room + 1e-6 + 4.0 * slack,
                        "{} {room}", sent.rate
                    );
                }
            }
        }
    }

    /// Velocities: the same, with jerk; a shrunk bound is reached at the deceleration limit.
    #[test]
    fn any_sequence_of_velocities_keeps_every_limit(steps in steps(), (group, jerks) in lanes()) {
        let mut rules = velocity_lane(2);
        for limits in &mut rules.limits {
            limits.jerk = jerks.then_some(30.0);
        }
        if group {
            rules.groups.push(vec![0, 1]);
        }
        let mut envelope = Envelope::new(2);
        for (one, other, allowance) in steps {
            let before: Vec<Reference> = envelope.sent().to_vec();
            let mut command = command(&[one, other]);
            command.velocity = std::mem::take(&mut command.position);
            envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            envelope.commit();
            let used = envelope.used_s();
            prop_assert!(used <= allowance.credit_s);
            for (sent, before) in envelope.sent().iter().zip(&before) {
                prop_assert!(sent.value.is_finite() && sent.rate.is_finite());
                // The moving limit.
                let most = at_least(allowance.velocity, before.value.abs() - 4.0 * used);
                prop_assert!(sent.value.abs() <= most + 1e-12);
                let change = (sent.value - before.value).abs();
                prop_assert!(change <= 4.0 * used + 1e-12);
                let is_faster = sent.value.abs() > before.value.abs();
                if is_faster && sent.value * before.value >= 0.0 {
                    prop_assert!(change <= 2.0 * allowance.acceleration * used + 1e-12);
                    if jerks {
                        let rate = before.rate.abs() + 30.0 * allowance.acceleration * used;
                        prop_assert!(change <= rate * used + 1e-12);
                    }
                }
            }
        }
    }

    /// A limit that shrinks in motion: what was sent comes to rest at the bound or before, whatever
    /// the factors do meanwhile, in no longer distance than with the full deceleration.
    #[test]
    fn hazard_46_derate_lengthens_braking(
        factors in prop::collection::vec((0.0..=1.0f64, 0.0..=1.0f64), 1..60),
        start in -0.9..0.5f64,
        speed in 0.1..2.0f64,
    ) {
        let rules = braking_lane(1);
        prop_assume!(speed * speed <= 40.0 * (1.0 - start));
        let mut envelope = Envelope::new(1);
        envelope.sent_mut()[0] = Reference { value: start, rate: speed };
        // Told to stay: it stops as fast as it may, with whatever is derated.
        let stop = start + speed * speed / 40.0;
        let mut factors = factors.into_iter().cycle();
        for _ in 0..400 {
            let (velocity, acceleration) = factors.next().unwrap();
            let allowance = Allowance { velocity, acceleration, ..Allowance::of(0.005) };
            let mut command = command(&[start]);
            envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            envelope.commit();
            prop_assert!(envelope.sent()[0].value <= stop + 1e-9);
        }
    }

    /// Efforts and gains: inside the bounds in force, and the total too, or refused.
    #[test]
    fn any_effort_and_gain_is_inside_or_refused(
        commands in prop::collection::vec((values(), values(), values(), values()), 1..50),
        allowance in allowances(),
        measured in -1.0..1.0f64,
    ) {
        let mut rules = position_lane(1);
        rules.limits[0] = DimensionLimits {
            position: Some(Bounds { min: -1.0, max: 1.0 }),
            effort: Some(1.5),
            kp: Some(2.0),
            kd: Some(1.0),
            total_effort: Some(2.0),
            ..rules.limits[0]
        };
        let mut envelope = Envelope::new(1);
        for (position, effort, kp, kd) in commands {
            let mut command = command(&[position]);
            command.effort = vec![effort];
            command.kp = vec![kp];
            command.kd = vec![kd];
            let present = Present { position: Some(&[measured]), velocity: Some(&[0.3]) };
            if envelope.apply(&mut command, &rules, allowance, present).is_err() {
                continue;
            }
            envelope.commit();
            let (effort, kp, kd) = (command.effort[0], command.kp[0], command.kd[0]);
            prop_assert!(is_within(effort, -1.5 * allowance.effort, 1.5 * allowance.effort));
            prop_assert!(is_within(kp, 0.0, 2.0) && is_within(kd, 0.0, 1.0));
            let total = effort + kp * (command.position[0] - measured) + kd * (0.0 - 0.3);
            prop_assert!(total.abs() <= 2.0 * allowance.effort + 1e-12);
        }
    }

    /// Where no joint has to move on, the step sent is the step asked for, scaled.
    #[test]
    fn hazard_17_any_step_of_a_group_keeps_its_direction(
        steps in prop::collection::vec((-0.9..0.9f64, -0.9..0.9f64, -0.9..0.9f64), 1..50),
        credit_s in 0.001..0.03f64,
    ) {
        let mut rules = position_lane(3);
        rules.limits[1].velocity = Some(Bounds { min: -0.3, max: 0.7 });
        rules.groups.push(vec![0, 1, 2]);
        let mut envelope = Envelope::new(3);
        for (one, two, three) in steps {
            let asked = [one, two, three];
            let before: Vec<Reference> = envelope.sent().to_vec();
            let mut command = command(&asked);
            envelope
                .apply(&mut command, &rules, Allowance::of(credit_s), Present::UNKNOWN)
                .unwrap();
            envelope.commit();
            let steps: Vec<(f64, f64)> = (0..3)
                .map(|joint| {
                    let from = before[joint].value;
                    (asked[joint] - from, command.position[joint] - from)
                })
                .collect();
            for (asked, made) in &steps {
                prop_assert!(asked * made >= 0.0 && made.abs() <= asked.abs() + 1e-12);
                let across = asked * steps[0].1 - made * steps[0].0;
                prop_assert!(across.abs() <= 1e-12);
            }
        }
    }

    /// A plan that is let through: every point inside, every segment at a velocity in force, from
    /// the present pose, and every change of velocity within the acceleration limits.
    #[test]
    fn any_plan_let_through_keeps_every_limit(
        points in prop::collection::vec((0.01..0.5f64, -0.2..0.2f64), 1..20),
        velocity in 0.0..=1.0f64,
        far in prop::option::weighted(0.2, -3.0..3.0f64),
    ) {
        let mut rules = position_lane(1);
        rules.shape = Shape::Trajectory;
        rules.safe = crate::gate::safe::SafeCommand::HoldPoint { tolerance: 0.05 };
        rules.limits[0].acceleration = Some(10.0);
        rules.limits[0].deceleration = Some(20.0);
        let (mut time, mut position) = (0.0, 0.0);
        let mut plan = Command::with_capacity(1, 64);
        for (duration, step) in points {
            time += duration;
            position += step;
            plan.times.push((time * 1e9) as i64);
            plan.position.push(position);
        }
        plan.position.extend(far);
        plan.times.extend(far.map(|_| (time * 1e9) as i64 + 500_000_000));
        plan.points = plan.times.len();
        prop_assert_eq!(crate::gate::check::check(&plan, &rules), Ok(()));
        let allowance = Allowance { velocity, ..Allowance::of(0.0) };
        if Envelope::new(1).apply(&mut plan, &rules, allowance, at(&[0.0])).is_err() {
            return Ok(());
        }
        let knots: Vec<(f64, f64)> =
            plan.times.iter().map(|time| *time as f64 * 1e-9).zip(plan.position).collect();
        let rates: Vec<(f64, f64)> = knots
            .windows(2)
            .map(|pair| ((pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0), pair[1].0 - pair[0].0))
            .collect();
        prop_assert!(knots[0].1.abs() <= 0.05 + 2.0 * velocity * knots[0].0 + 1e-6);
        for (_, position) in &knots {
            prop_assert!(is_within(*position, -1.0, 1.0));
        }
        for (rate, _) in &rates {
            prop_assert!(rate.abs() <= 2.0 * velocity + 1e-6);
        }
        for pair in rates.windows(2) {
            let between = (pair[0].1 + pair[1].1) / 2.0;
            prop_assert!((pair[1].0 - pair[0].0).abs() <= 20.0 * between * 1.01 + 1e-6);
        }
    }
}
