//! How much of its credit a command takes: the usual time, or just what its largest change needs.

use super::lanes::velocities;
use super::*;
use crate::gate::limits::Bounds;

/// A source that usually sends every 20 ms and has saved up five times that.
const SAVED: Allowance = Allowance { pace_s: 0.02, ..Allowance::of(0.1) };

/// The time that the command takes, and whether it comes out as it was asked for.
fn taken(
    rules: &LaneRules,
    allowance: Allowance,
    sent: &[f64],
    asked: &[f64],
    given: &[bool],
) -> (f64, bool) {
    let mut envelope = Envelope::new(asked.len());
    for (reference, sent) in envelope.sent_mut().iter_mut().zip(sent) {
        reference.value = *sent;
    }
    let mut command = match rules.interface {
        Interface::Velocity => velocities(asked),
        Interface::Position | Interface::Effort => command(asked),
    };
    command.given = given.to_vec();
    let by = envelope.apply(&mut command, rules, allowance, Present::UNKNOWN).unwrap();
    (envelope.used_s(), by.is_empty())
}

fn expect(taken: (f64, bool), time: f64, is_unchanged: bool) {
    assert!((taken.0 - time).abs() < 1e-9 && taken.1 == is_unchanged, "{taken:?}, not {time}");
}

#[test]
fn when_a_position_changes_expect_the_usual_time_or_what_its_speed_needs_either_way() {
    let mut rules = position_lane(2);
    // Joint 0 goes down half as fast as up; joint 1 both ways alike.
    rules.limits[0].velocity = Some(Bounds { min: -1.0, max: 2.0 });
    let half = Allowance { velocity: 0.5, ..SAVED };
    for (allowance, asked, time, is_unchanged) in [
        (SAVED, [0.01, -0.01], 0.02, true),
        (SAVED, [0.1, 0.0], 0.05, true),
        (SAVED, [-0.05, 0.0], 0.05, true),
        (SAVED, [0.0, 0.16], 0.08, true),
        (SAVED, [0.1, -0.16], 0.08, true),
        (half, [0.05, 0.0], 0.05, true),
        (half, [-0.04, 0.0], 0.08, true),
        // More than the credit allows: all of it, and a limit.
        (SAVED, [0.5, 0.0], 0.1, false),
        (SAVED, [-0.5, 0.0], 0.1, false),
        (half, [0.0, -0.16], 0.1, false),
        // No time is enough where nothing may move.
        (Allowance { velocity: 0.0, ..SAVED }, [0.01, 0.0], 0.1, false),
    ] {
        expect(taken(&rules, allowance, &[0.0; 2], &asked, &[true; 2]), time, is_unchanged);
    }
    // A joint that is not commanded needs nothing, whatever stands in its place.
    let without = taken(&rules, SAVED, &[0.0; 2], &[0.1, 0.9], &[true, false]);
    expect(without, 0.05, true);
    // Where no velocity limit says how little a change takes, it takes all there is.
    rules.limits[1].velocity = None;
    expect(taken(&rules, SAVED, &[0.0; 2], &[0.01, 0.01], &[true; 2]), 0.1, true);
}

#[test]
fn when_a_velocity_changes_expect_the_usual_time_or_what_its_acceleration_needs() {
    let mut rules = velocity_lane(2);
    let half = Allowance { acceleration: 0.5, ..SAVED };
    for (allowance, sent, asked, time, is_unchanged) in [
        (SAVED, 0.0, 0.04, 0.02, true),
        (SAVED, 0.0, 0.1, 0.05, true),
        (SAVED, 0.0, -0.1, 0.05, true),
        // Slowing down may be twice as fast.
        (SAVED, 0.5, 0.3, 0.05, true),
        (SAVED, 0.5, 0.44, 0.02, true),
        (SAVED, -0.5, -0.3, 0.05, true),
        // Down to rest, then up the other way.
        (SAVED, 0.05, -0.1, 0.0125 + 0.05, true),
        (SAVED, -0.05, 0.05, 0.0125 + 0.025, true),
        (SAVED, 0.09, 0.002, 0.022, true),
        (SAVED, 0.0, 0.5, 0.1, false),
        (SAVED, 0.9, 0.3, 0.1, false),
        (half, 0.0, 0.05, 0.05, true),
        (half, 0.0, 0.15, 0.1, false),
    ] {
        let taken = taken(&rules, allowance, &[sent, 0.0], &[asked, 0.0], &[true; 2]);
        expect(taken, time, is_unchanged);
    }
    let without = taken(&rules, SAVED, &[0.0; 2], &[0.1, 0.9], &[true, false]);
    expect(without, 0.05, true);
    for (acceleration, deceleration) in [(None, Some(4.0)), (Some(2.0), None)] {
        rules.limits[1] = DimensionLimits { acceleration, deceleration, ..rules.limits[1] };
        let free = taken(&rules, SAVED, &[0.0; 2], &[0.01, 0.01], &[true; 2]);
        expect(free, 0.1, true);
    }
    // A locked axis does not move, so it needs nothing.
    rules.limits[1] = DimensionLimits { locked: true, ..DimensionLimits::default() };
    expect(taken(&rules, SAVED, &[0.0; 2], &[0.1, 0.0], &[true; 2]), 0.05, true);
}
