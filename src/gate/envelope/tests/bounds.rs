//! Room to brake in front of a bound, at every step.

use super::*;
use crate::gate::units::{at_least, at_most};

/// A target far beyond the bound, for ever: full speed, then slower, so that from every step on the
/// deceleration still ends inside; and at the bound, not before it.
#[test]
fn when_driven_at_a_bound_expect_room_to_stop_at_every_step_and_the_bound_at_last() {
    let rules = braking_lane(1);
    for (sign, credit_s) in [(1.0, 0.02), (-1.0, 0.02), (1.0, 0.005), (-1.0, 0.001)] {
        let mut envelope = Envelope::new(1);
        let mut fastest: f64 = 0.0;
        for _ in 0..3000 {
            let mut command = command(&[5.0 * sign]);
            let allowance = Allowance::of(credit_s);
            envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            envelope.commit();
            let [Reference { value, rate }] = envelope.sent() else { panic!("one joint") };
            assert!(rate * rate <= 2.0 * 20.0 * (1.0 - sign * value) + 1e-9, "{value} {rate}");
            fastest = at_least(fastest, sign * rate);
        }
        assert!((fastest - 2.0).abs() < 1e-9, "{fastest}");
        assert!((envelope.sent()[0].value - sign).abs() < 1e-6, "{:?}", envelope.sent());
    }
}

/// A stream that runs at full speed up to a bound, or to just before it: every target is inside, and at
/// some step the room to stop is gone. Alone, and with a joint that keeps its direction with it.
#[test]
fn when_a_stream_runs_at_a_bound_expect_room_to_stop_at_every_step() {
    for group in [false, true] {
        for (sign, end) in [(1.0, 1.0), (1.0, 0.99), (1.0, 0.96), (-1.0, 1.0), (-1.0, 0.97)] {
            let mut rules = braking_lane(2);
            if group {
                rules.groups.push(vec![0, 1]);
            }
            let mut envelope = Envelope::new(2);
            for step in 0..200 {
                let ahead = at_most(0.04 * f64::from(step), end);
                let mut command = command(&[sign * ahead, -0.5 * sign * ahead]);
                envelope.apply(&mut command, &rules, STEP, Present::UNKNOWN).unwrap();
                envelope.commit();
                let [Reference { value, rate }, _] = envelope.sent() else { panic!("two joints") };
                let room = 1.0 - sign * value;
                assert!(rate * rate <= 2.0 * 20.0 * room + 1e-9, "{group} {end}: {value} {rate}");
            }
            let [first, second] = envelope.sent() else { panic!("two joints") };
            assert!((first.value - sign * end).abs() < 1e-6, "{group} {end}: {first:?}");
            assert!((second.value + 0.5 * sign * end).abs() < 1e-6, "{group} {end}: {second:?}");
        }
    }
}
