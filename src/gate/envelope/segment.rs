//! One segment of a plan: its mean velocity, the change from the one before, and the curve through its ends.

use crate::gate::check::{Place, Refusal};
use crate::gate::limit::{Allowance, change_time};
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::units::{at_least, at_most};
use crate::gate::verdict::Reason;

use super::curve::{End, extremes};

/// Times are whole nanoseconds, so a velocity at its limit may come out a part in 10⁹ above.
pub(super) const VELOCITY_SLACK: f64 = 1e-9;

/// The same for accelerations, which divide by the time once more: a part in a hundred.
pub(super) const ACCELERATION_SLACK: f64 = 0.01;

/// A planner that changes its acceleration between two points leaves a curve that is a little faster
/// than it meant: up to a 48th of the acceleration times the segment. Twice that, and a part of the
/// range; never more than that part once more, or a segment of some seconds would have no limit.
const CURVE_SLACK: f64 = 0.05;
const CURVE_OF_ACCELERATION: f64 = 1.0 / 24.0;

/// A curve that starts elsewhere, and ends at the same place at the same time, is this much faster in
/// its middle, times the distance by the time.
const CURVE_OF_LAG: f64 = 1.5;

/// How far beyond the bounds a curve may round a point at one, as a part of their range.
const SWING: f64 = 1e-3;

/// One joint's motion up to a point: where, when, and the mean velocity that led there.
#[derive(Clone, Copy)]
pub(super) struct Knot {
    pub(super) position: f64,
    pub(super) time_s: f64,
    /// Range of the mean velocity, because the first segment starts somewhere within the tolerance
    /// around the measured pose; and that segment's duration. `None`: nothing led there.
    pub(super) arrival: Option<(Bounds, f64)>,
    /// How far the joint may be from here in truth.
    pub(super) slack: f64,
}

/// Judges one segment. `tolerance`: it starts at the present pose, which is known only so well.
pub(super) fn segment(
    from: Knot,
    (position, time_s): (f64, f64),
    tolerance: Option<f64>,
    limits: &DimensionLimits,
    allowance: Allowance,
    place: Place,
) -> Result<Knot, Refusal> {
    let change = position - from.position;
    let tolerance = tolerance.unwrap_or(0.0);
    let duration_s = time_s - from.time_s;
    if duration_s <= 0.0 {
        // Due now: a step in no time is a jump.
        if change.abs() <= tolerance {
            return Ok(Knot { position, time_s, arrival: from.arrival, slack: tolerance });
        }
        return Err(Refusal::value(Reason::Discontinuity, place, change, tolerance));
    }
    let rates =
        Bounds { min: (change - tolerance) / duration_s, max: (change + tolerance) / duration_s };
    if let Some(bounds) = limits.velocity {
        let (low, high) = (bounds.min * allowance.velocity, bounds.max * allowance.velocity);
        let slack = VELOCITY_SLACK * (high - low);
        if rates.min > high + slack || rates.max < low - slack {
            let bound = if rates.min > high { high } else { low };
            return Err(Refusal::value(Reason::Velocity, place, change / duration_s, bound));
        }
    }
    judge_change(from, rates, duration_s, limits, allowance, place)?;
    Ok(Knot { position, time_s, arrival: Some((rates, duration_s)), slack: 0.0 })
}

/// Judges the change from the velocity that led to `from` to one within `rates`, half of `duration_s`
/// later.
pub(super) fn judge_change(
    from: Knot,
    rates: Bounds,
    duration_s: f64,
    limits: &DimensionLimits,
    allowance: Allowance,
    place: Place,
) -> Result<(), Refusal> {
    let Some((before, before_s)) = from.arrival else { return Ok(()) };
    // Without a limit any change takes no time.
    let speeding_up = limits.acceleration.unwrap_or(f64::INFINITY);
    let slowing_down = limits.deceleration.unwrap_or(f64::INFINITY);
    // The nearest two velocities of both ranges.
    let slack = from.slack / duration_s;
    let (low, high) = (rates.min - slack, rates.max + slack);
    let start = at_least(at_most(low, before.max), before.min);
    let end = at_least(at_most(start, high), low);
    let between_s = (before_s + duration_s) / 2.0;
    let speeding_up = speeding_up * allowance.acceleration;
    let needed_s = change_time(start, end, speeding_up, slowing_down);
    if needed_s > between_s * (1.0 + ACCELERATION_SLACK) {
        let bound = if end.abs() > start.abs() { speeding_up } else { slowing_down };
        let found = (end - start) / between_s;
        return Err(Refusal::value(Reason::Acceleration, place, found, bound));
    }
    Ok(())
}

/// Judges the curve between two points. `velocity`: its bounds; `None` where too little is known of
/// the start. `lag`: how far away the joint may start in truth, which makes the curve look fast.
pub(super) fn curve(
    (from, to, duration_s): (End, End, f64),
    (limits, velocity): (&DimensionLimits, Option<Bounds>),
    (allowance, lag): (Allowance, f64),
    place: Place,
) -> Result<(), Refusal> {
    if duration_s <= 0.0 {
        return Ok(());
    }
    let found = extremes(from, to, duration_s);
    if let Some(bounds) = velocity {
        let (low, high) = (bounds.min * allowance.velocity, bounds.max * allowance.velocity);
        let range = CURVE_SLACK * (high - low);
        let bent = CURVE_OF_ACCELERATION * limits.acceleration.unwrap_or(0.0) * duration_s;
        let slack = range + at_most(bent, range) + CURVE_OF_LAG * lag / duration_s;
        // A joint that is too fast already may slow down.
        let bounds =
            Bounds { min: at_most(low, from.velocity), max: at_least(high, from.velocity) };
        keep_within(found.velocity, bounds, slack, (Reason::Velocity, place))?;
    }
    if let Some(mut bounds) = limits.position {
        let slack = SWING * (bounds.max - bounds.min);
        // What starts outside comes in.
        bounds.min = at_most(bounds.min, at_most(from.position, to.position));
        bounds.max = at_least(bounds.max, at_least(from.position, to.position));
        keep_within(found.position, bounds, slack, (Reason::Position, place))?;
    }
    Ok(())
}

/// Refuses what is found beyond the bounds by more than the slack.
fn keep_within(
    found: Bounds,
    bounds: Bounds,
    slack: f64,
    (reason, place): (Reason, Place),
) -> Result<(), Refusal> {
    let (found, bound) = if found.max > bounds.max + slack {
        (found.max, bounds.max)
    } else if found.min < bounds.min - slack {
        (found.min, bounds.min)
    } else {
        return Ok(());
    };
    Err(Refusal::value(reason, place, found, bound))
}

#[cfg(test)]
mod tests;
