//! From readings to limits: heat and charge judged by the real judges, in front of the whole gate.

use proptest::prelude::*;

use super::bench::*;
use crate::gate::easing::DERATING_FLOOR;
use crate::gate::sensor::{TemperatureRules, Temperatures, Thresholds};
use crate::gate::test_rules::{position_lane, velocity_lane};
use crate::gate::units::at_least;

const STEP_MS: u64 = 20;

fn motors() -> Temperatures {
    let thresholds =
        Thresholds { warn: Some(60.0), derate: Some(70.0), trip: Some(90.0), hysteresis: 5.0 };
    Temperatures::new(TemperatureRules { valid: (-20.0, 130.0), thresholds }, 2)
}

/// The same gate at the same moment.
fn twin(bench: &Bench) -> Bench {
    Bench {
        gate: bench.gate.clone(),
        pose: bench.pose.clone(),
        velocity: bench.velocity.clone(),
        ..*bench
    }
}

/// One command, with what the joint's temperature is by then; what is sent.
fn step(bench: &mut Bench, motors: &mut Temperatures, celsius: f64, asked: f64) -> f64 {
    motors.sample(&[25.0 + celsius / 100.0, celsius], bench.now().steady, &mut |_| {});
    bench.gate.set_derating(motors.derating(), bench.now());
    bench.send(0, 0, &[asked]);
    bench.run(STEP_MS);
    bench.gate.lane(0).unwrap().sent()[0].value
}

#[test]
fn when_a_joint_heats_up_in_motion_expect_its_speed_to_follow_and_come_back() {
    let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
    let mut motors = motors();
    for _ in 0..100 {
        step(&mut bench, &mut motors, 40.0, 1.0);
    }
    assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 1.0);
    for (celsius, speed) in [(75.0, 0.8), (80.0, 0.6), (89.0, 0.24), (120.0, DERATING_FLOOR)] {
        let mut sent = 0.0;
        for _ in 0..100 {
            sent = step(&mut bench, &mut motors, celsius, 1.0);
        }
        assert!((sent - speed).abs() < 1e-9, "{celsius}: {sent}");
    }
    // Cooling gives it back by its hysteresis, and no faster than it may speed up.
    for (celsius, speed) in [(75.0, 0.6), (64.0, 1.0)] {
        let mut sent = 0.0;
        for _ in 0..100 {
            let before = bench.gate.lane(0).unwrap().sent()[0].value;
            sent = step(&mut bench, &mut motors, celsius, 1.0);
            assert!(sent - before <= 2.0 * 0.03 + 1e-9);
        }
        assert!((sent - speed).abs() < 1e-9, "{celsius}: {sent}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However a joint heats up and cools during a motion and its stop: with the real derating it
    /// stops in no longer a distance than without, and slows down by no more than it may.
    #[test]
    fn hazard_46_derate_lengthens_braking_with_a_joint_that_heats_up(
        heat in prop::collection::vec(20.0..140.0f64, 40..80),
        stop_at in 20usize..60,
        speed in -1.0..1.0f64,
    ) {
        let mut bench = Bench::new(rules(vec![velocity_lane(1)])).armed();
        let mut motors = motors();
        let mut heat = heat.into_iter().cycle();
        // Each temperature for a while, or the median would hide most of it.
        let mut next = { let mut left = 0; let mut now = 20.0; move || {
            if left == 0 { now = heat.next().unwrap(); left = 5; }
            left -= 1;
            now
        } };
        let mut moving = 1.0_f64;
        for _ in 0..stop_at {
            let before = bench.gate.lane(0).unwrap().sent()[0].value;
            let sent = step(&mut bench, &mut motors, next(), speed);
            prop_assert!((sent - before).abs() <= 4.0 * 0.03 + 1e-9, "{before} to {sent}");
            // The moving limit shrinks at the full deceleration, and what is sent is inside it, but
            // for what the time credit may have left over.
            moving = at_least(moving - 4.0 * 0.02, motors.derating());
            prop_assert!(sent.abs() <= moving + 4.0 * 0.03 + 1e-9, "{sent} over {moving}");
        }
        let mut plain = twin(&bench);
        plain.gate.set_derating(1.0, plain.now());
        let (mut derated_m, mut plain_m) = (0.0, 0.0);
        for _ in 0..60 {
            derated_m += step(&mut bench, &mut motors, next(), 0.0).abs();
            plain.send(0, 0, &[0.0]);
            plain.run(STEP_MS);
            plain_m += plain.gate.lane(0).unwrap().sent()[0].value.abs();
        }
        prop_assert!(derated_m <= plain_m + 1e-9, "{derated_m} over {plain_m}");
        prop_assert_eq!(bench.gate.lane(0).unwrap().sent()[0].value, 0.0);
    }

    /// The same for positions: told to stay where it is, it stops in what the full deceleration needs.
    #[test]
    fn hazard_46_derate_lengthens_braking_of_a_position(
        heat in prop::collection::vec(20.0..140.0f64, 10..40),
        stop_at in 5usize..40,
    ) {
        let mut lane = position_lane(1);
        lane.limits[0].acceleration = Some(5.0);
        lane.limits[0].deceleration = Some(10.0);
        let mut bench = Bench::new(rules(vec![lane]));
        bench.pose = vec![-0.9];
        let mut bench = bench.armed();
        let mut motors = motors();
        let mut heat = heat.into_iter().cycle();
        // The robot follows: one that does not would be held, where it is, and led from there.
        let mut follow = |bench: &mut Bench, asked: f64| {
            let sent = step(bench, &mut motors, heat.next().unwrap(), asked);
            bench.pose[0] = sent;
            sent
        };
        for _ in 0..stop_at {
            follow(&mut bench, 0.9);
        }
        let at = bench.gate.lane(0).unwrap().sent()[0];
        // What the full deceleration needs, and nothing for the heat.
        let stop = at.value + at.rate * at.rate / (2.0 * 10.0);
        for _ in 0..60 {
            let sent = follow(&mut bench, at.value);
            prop_assert!(sent <= stop + 1e-9, "{sent} over {stop}");
        }
    }
}
