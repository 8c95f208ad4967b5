//! Position targets against the rules written down once more: one joint after the other, ranges
//! instead of directions, no fast way, no shared step.

use proptest::prelude::*;

use super::*;
use crate::gate::limits::Bounds;

fn most(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}

fn least(one: f64, other: f64) -> f64 {
    if one < other { one } else { other }
}

/// A joint with every limit that position lanes have.
#[derive(Clone, Copy, Debug)]
struct Joint {
    bounds: (f64, f64),
    speed: f64,
    acceleration: f64,
    deceleration: f64,
}

/// The highest velocity after `time`, from `speed`.
fn fastest(joint: &Joint, speed: f64, scale: f64, time: f64) -> f64 {
    if speed < 0.0 {
        let to_rest = -speed / joint.deceleration;
        if time <= to_rest {
            speed + joint.deceleration * time
        } else {
            joint.acceleration * scale * (time - to_rest)
        }
    } else {
        speed + joint.acceleration * scale * time
    }
}

/// The highest velocity toward `room` that leaves the distance to stop: `v² = 2·d·(room − v·t)`.
fn to_stop(joint: &Joint, room: f64, time: f64) -> f64 {
    let room = most(room, 0.0);
    let step = joint.deceleration * time;
    (step * step + 2.0 * joint.deceleration * room).sqrt() - step
}

/// The interval of positions one step away, upward velocity first.
fn reach(joint: &Joint, sent: Reference, allowance: Allowance) -> (f64, f64) {
    let time = allowance.credit_s;
    let edge = |sign: f64, ahead: f64, behind: f64| {
        let (at, rate) = (sign * sent.value, sign * sent.rate);
        // Never slowed down faster than this, whatever else says so.
        let least_speed = rate - joint.deceleration * time;
        let mut speed = fastest(joint, rate, allowance.acceleration, time);
        speed = least(speed, most(joint.speed * allowance.velocity, least_speed));
        if at >= behind {
            speed = least(speed, most(to_stop(joint, ahead - at, time), least_speed));
        }
        let (outer, inner) = (most(ahead, at), least(behind, at));
        sign * most(least(at + speed * time, outer), inner)
    };
    let (low, high) = joint.bounds;
    (edge(-1.0, -low, -high), edge(1.0, high, low))
}

fn joints() -> impl Strategy<Value = Joint> {
    (0.2..2.0f64, 0.5..3.0f64, 2.0..30.0f64, 1.0..3.0f64).prop_map(
        |(bound, speed, acceleration, stronger)| Joint {
            bounds: (-bound, 1.5 * bound),
            speed,
            acceleration,
            deceleration: acceleration * stronger,
        },
    )
}

/// The share of each limit, and whether the source gives its own pace.
fn allowances() -> impl Strategy<Value = Allowance> {
    (0.001..0.03f64, prop_oneof![Just(1.0), 0.0..=1.0f64], prop_oneof![Just(1.0), 0.0..=1.0f64])
        .prop_map(|(credit_s, velocity, acceleration)| Allowance {
            velocity,
            acceleration,
            ..Allowance::of(credit_s)
        })
}

proptest! {
    /// What comes out lies in the interval of the reference, is the command to the last bit where that
    /// lies in it, and is named where it is not. A command beyond an edge comes out at the edge, or
    /// nearer, where it slows down for the command itself.
    #[test]
    fn any_sequence_of_positions_is_limited_as_the_rules_say(
        joints in prop::collection::vec(joints(), 1..40),
        steps in prop::collection::vec((allowances(), any::<u64>()), 1..40),
    ) {
        let mut rules = position_lane(joints.len());
        for (limits, joint) in rules.limits.iter_mut().zip(&joints) {
            limits.position = Some(Bounds { min: joint.bounds.0, max: joint.bounds.1 });
            limits.velocity = Some(Bounds { min: -joint.speed, max: joint.speed });
            limits.acceleration = Some(joint.acceleration);
            limits.deceleration = Some(joint.deceleration);
        }
        let mut envelope = Envelope::new(joints.len());
        for (allowance, mut seed) in steps {
            let before: Vec<Reference> = envelope.sent().to_vec();
            let targets = joints.iter().zip(&before).map(|(joint, sent)| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let share = (seed >> 11) as f64 / (1_u64 << 53) as f64;
                match seed >> 62 {
                    // Near, so that some pass; far within the bounds; beyond them; the same again.
                    0 => sent.value + (share - 0.5) * joint.speed * allowance.credit_s,
                    1 => joint.bounds.0 + share * (joint.bounds.1 - joint.bounds.0),
                    2 => (share - 0.5) * 20.0,
                    _ => sent.value,
                }
            });
            let targets: Vec<f64> = targets.collect();
            let mut command = command(&targets);
            let by = envelope.apply(&mut command, &rules, allowance, Present::UNKNOWN).unwrap();
            let used = Allowance { credit_s: envelope.used_s(), ..allowance };
            prop_assert!(used.credit_s <= allowance.credit_s);
            let mut any = LimitSet::EMPTY;
            for (number, (joint, before)) in joints.iter().zip(&before).enumerate() {
                let (low, high) = reach(joint, *before, used);
                let (target, value) = (targets[number], command.position[number]);
                let applied = envelope.applied()[number];
                any = any.union(applied);
                let slack = 1e-9 * (1.0 + value.abs());
                prop_assert!(low - slack <= value && value <= high + slack,
                    "joint {number}: {value} of {low}..{high}");
                prop_assert!(!applied.is_empty() || value.to_bits() == target.to_bits());
                if target > low + slack && target < high - slack {
                    prop_assert_eq!(value.to_bits(), target.to_bits());
                } else if target < low - slack || target > high + slack {
                    // At the edge, or nearer, where it slows down to meet the target.
                    let edge = if target < low { low } else { high };
                    let stops = (value - target).abs() <= (before.value - target).abs() + slack;
                    prop_assert!((value - edge).abs() <= slack || stops, "{value}, {edge}");
                    prop_assert!(!applied.is_empty());
                }
            }
            prop_assert_eq!(any, by);
            envelope.commit();
            for ((sent, before), value) in envelope.sent().iter().zip(&before).zip(&command.position) {
                prop_assert_eq!(sent.value.to_bits(), value.to_bits());
                let rate = (value - before.value) / used.credit_s;
                prop_assert!((sent.rate - rate).abs() <= 1e-9 * (1.0 + rate.abs()));
            }
        }
    }
}
