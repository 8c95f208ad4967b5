//! A plan: points in time that the controller follows by itself.
//!
//! A point outside its position bounds is brought inside; everything else that does not fit refuses
//! the plan, because a plan slowed down would no longer be the plan. Judged are: what is due now
//! against the present pose, every segment's velocity, every change of velocity between two
//! segments, the curve between two points that carry velocities, how far ahead the plan reaches, and
//! whether its end leaves the distance to stop. Times count from the plan's start, which its stamp may
//! put before or after now.
//!
//! The changes of velocity are those of straight lines. A curve within the acceleration limit has no
//! larger difference of mean velocities than the limit times the time between the segments' middles,
//! so what planners make passes. A final velocity other than zero is not refused: chunks of a policy
//! end in motion and are replaced before; controllers that want zero there say so themselves.

use crate::gate::check::{Place, Refusal};
use crate::gate::command::Command;
use crate::gate::limit::{Allowance, limit_to};
use crate::gate::limits::{Bounds, DimensionLimits};
use crate::gate::rules::LaneRules;
use crate::gate::units::{at_least, at_most};
use crate::gate::verdict::{Limit, Reason};

use super::curve::{End, state_at};
use super::plan::{Room, beyond, seconds};
use super::segment::{ACCELERATION_SLACK, Knot, VELOCITY_SLACK, curve, judge_change, segment};
use super::{Envelope, Present, Quantity};

/// How far ahead a plan may reach, in nanoseconds. A minute is longer than the plans of motion
/// planners are, and as long as anybody can be expected to watch one.
pub const HORIZON_NS: i64 = 60_000_000_000;

impl Envelope {
    pub(super) fn trajectory(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        allowance: Allowance,
        present: Present<'_>,
    ) -> Result<(), Refusal> {
        let last = command.times.last().map(|last| last.saturating_add(command.starts_in));
        if let Some(last) = last.filter(|last| *last > HORIZON_NS) {
            let point = command.points.saturating_sub(1);
            let (found, bound) = (seconds(last), seconds(HORIZON_NS));
            return Err(Refusal { point, found, bound, ..Refusal::whole(Reason::Horizon) });
        }
        self.inside(command, rules, present)?;
        self.companions(command, rules, allowance)?;
        for (dimension, limits) in rules.limits.iter().enumerate() {
            let joint = (dimension, limits);
            let mut first = None;
            if command.given.get(dimension).copied().unwrap_or(true) {
                self.joint(command, rules, joint, allowance, present)?;
                first = begins(command, dimension, rules.limits.len());
            }
            let start = self.start(dimension, present);
            let between = (start, self.plans.due(dimension, self.plans.now()).unwrap_or(start));
            let room = self.leap(first, rules, joint, allowance, between)?;
            self.plans.note(dimension, room, between);
        }
        self.plans.keep(command, present);
        Ok(())
    }

    /// Brings every point inside the position bounds. A joint that is outside comes in, by the plan's
    /// own time; no point takes it further out than the one before. It is outside where it is both
    /// measured there and was sent there: sag under load leads no further out, nor does a wrong sample.
    fn inside(
        &mut self,
        command: &mut Command,
        rules: &LaneRules,
        present: Present<'_>,
    ) -> Result<(), Refusal> {
        let dimensions = rules.limits.len().max(1);
        for (dimension, limits) in rules.limits.iter().enumerate() {
            let given = command.given.get(dimension).copied().unwrap_or(true);
            let Some(bounds) = limits.position.filter(|_| given) else { continue };
            let now = self.plans.now();
            let sent = self.wire(dimension, now);
            let start = self.start(dimension, present);
            // The nearer of both to where it may be.
            let (low, high) = (at_most(start, sent), at_least(start, sent));
            let mut reached = at_least(at_most(f64::midpoint(bounds.min, bounds.max), high), low);
            let column = command.position.iter_mut().skip(dimension).step_by(dimensions);
            for (point, value) in column.enumerate() {
                let bounds = Bounds {
                    min: at_most(bounds.min, reached),
                    max: at_least(bounds.max, reached),
                };
                let limited = limit_to(*value, bounds, Limit::Position);
                if !limited.by.is_empty() {
                    let place = Place { point, dimension };
                    let quantity = Quantity::Position;
                    self.report.accept(&rules.on_limit, quantity, place, *value, limited)?;
                    *value = limited.value;
                }
                reached = *value;
            }
        }
        Ok(())
    }

    /// The points of one joint in their order, from the present pose.
    fn joint(
        &self,
        command: &Command,
        rules: &LaneRules,
        (dimension, limits): (usize, &DimensionLimits),
        allowance: Allowance,
        present: Present<'_>,
    ) -> Result<(), Refusal> {
        let start = self.start(dimension, present);
        let lag = rules.safe.tolerance().unwrap_or(0.0);
        let mut before = Knot { position: start, time_s: 0.0, arrival: None, slack: 0.0 };
        // The velocity now, as a segment without duration that ends at the start.
        if let Some(now) = present.velocity(dimension) {
            before.arrival = Some((Bounds { min: now, max: now }, 0.0));
        }
        let mut tolerance = Some(lag);
        let dimensions = rules.limits.len().max(1);
        let positions = command.position.iter().skip(dimension).step_by(dimensions);
        let mut last: Option<(f64, f64)> = None;
        for (point, (position, time)) in positions.zip(&command.times).enumerate() {
            let (position, time_s) = (*position, seconds(time.saturating_add(command.starts_in)));
            let place = Place { point, dimension };
            let led_from = last.replace((position, time_s));
            // What is over is over; what is due now lies on the way from there.
            if time_s < 0.0 {
                continue;
            }
            if let Some(from) = led_from.filter(|from| from.1 < 0.0 && time_s > 0.0) {
                let (due, speed) = due_now(command, place, from, (position, time_s));
                before = segment(before, (due, 0.0), tolerance.take(), limits, allowance, place)?;
                if let Some(speed) = speed {
                    // The mean velocity of what is left of a curve is not that of all of it, and neither
                    // is the velocity now.
                    let rates = Bounds { min: speed, max: speed };
                    judge_change(before, rates, time_s, limits, allowance, place)?;
                    before.position = between(from, (position, time_s));
                    before.arrival = None;
                }
            }
            before =
                segment(before, (position, time_s), tolerance.take(), limits, allowance, place)?;
            if let (Some((_, since_s)), Some((_, duration_s))) = (led_from, &mut before.arrival) {
                // Its velocity is that of all of it, also where a part of it is over.
                *duration_s = time_s - since_s;
            }
            let Some(to) = waypoint(command, place, position) else { continue };
            let (from, since_s, within) = match led_from {
                Some((from, since_s)) => {
                    let place = Place { point: point.saturating_sub(1), dimension };
                    let Some(from) = waypoint(command, place, from) else { continue };
                    (from, since_s, limits.velocity)
                }
                None => {
                    let velocity = present.velocity(dimension);
                    // At rest, unless something moves it of which no velocity is known.
                    let known = velocity.is_some() || !self.plans.is_moving();
                    let velocity = velocity.unwrap_or(0.0);
                    let now = End { position: start, velocity, acceleration: None };
                    (now, 0.0, limits.velocity.filter(|_| known))
                }
            };
            let lag = if led_from.is_some() { 0.0 } else { lag };
            curve((from, to, time_s - since_s), (limits, within), (allowance, lag), place)?;
        }
        let ends = last.map_or(start, |(position, _)| position);
        if let Some(over) = last.filter(|last| last.1 < 0.0) {
            // All of it is over: its last point would be taken at once.
            let point = command.points.saturating_sub(1);
            let place = Place { point, dimension };
            segment(before, over, tolerance.take(), limits, allowance, place)?;
        }
        self.end(command, limits, ends, dimension)
    }

    /// Judges how far a plan begins beyond all places between where the joint is and where the plan
    /// before has it, and beyond what its speed allows until then. Returns the room that there is, and
    /// how fast it may be.
    /// `first`: of [`begins`], where it gives the joint.
    fn leap(
        &self,
        first: Option<(f64, f64, usize)>,
        rules: &LaneRules,
        (dimension, limits): (usize, &DimensionLimits),
        allowance: Allowance,
        (start, due): (f64, f64),
    ) -> Result<(Room, Room), Refusal> {
        let tolerance = rules.safe.tolerance().unwrap_or(0.0);
        let Some(fastest) = limits.velocity else {
            return Ok((Room::both(tolerance), Room::both(f64::MAX)));
        };
        let speed = Room {
            up: at_least(fastest.max, 0.0) * allowance.velocity,
            down: at_least(-fastest.min, 0.0) * allowance.velocity,
            all: limits.largest_velocity().unwrap_or(0.0) * allowance.velocity,
        };
        let room = self.plans.room(dimension, tolerance, speed, start);
        let Some((position, time_s, point)) = first else { return Ok((room, speed)) };
        let place = Place { point, dimension };
        let change = beyond(position, start, due);
        let (may, fast) = (room.towards(change), speed.towards(change));
        let leap = at_least(change.abs() - fast * time_s * (1.0 + VELOCITY_SLACK), 0.0);
        if leap > may {
            let bound = (may + fast * time_s).copysign(change);
            return Err(Refusal::value(Reason::Discontinuity, place, change, bound));
        }
        Ok((room, speed))
    }

    /// Where a joint is, as far as anything says.
    fn start(&self, dimension: usize, present: Present<'_>) -> f64 {
        let now = self.plans.now();
        present.position(dimension).unwrap_or_else(|| self.wire(dimension, now))
    }

    /// A plan that ends in motion must leave the distance that stopping needs.
    fn end(
        &self,
        command: &Command,
        limits: &DimensionLimits,
        position: f64,
        dimension: usize,
    ) -> Result<(), Refusal> {
        let (Some(bounds), Some(deceleration)) = (limits.position, limits.deceleration) else {
            return Ok(());
        };
        let point = command.points.saturating_sub(1);
        let index = point.saturating_mul(command.dimensions).saturating_add(dimension);
        let velocity = command.velocity.get(index).copied().unwrap_or(0.0);
        let room = if velocity > 0.0 { bounds.max - position } else { position - bounds.min };
        let most = (2.0 * deceleration * at_least(room, 0.0)).sqrt();
        if velocity.abs() <= most * (1.0 + ACCELERATION_SLACK) {
            return Ok(());
        }
        let place = Place { point, dimension };
        Err(Refusal::value(Reason::Velocity, place, velocity, most.copysign(velocity)))
    }
}

/// Where a plan has a joint first from now on: position, seconds from now and point. `None`: nowhere.
fn begins(command: &Command, dimension: usize, dimensions: usize) -> Option<(f64, f64, usize)> {
    let positions = command.position.iter().skip(dimension).step_by(dimensions.max(1));
    let mut over = None;
    for (point, (position, time)) in positions.zip(&command.times).enumerate() {
        let time_s = seconds(time.saturating_add(command.starts_in));
        if time_s >= 0.0 {
            return Some(match over {
                Some(from) if time_s > 0.0 => {
                    let place = Place { point, dimension };
                    (due_now(command, place, from, (*position, time_s)).0, 0.0, point)
                }
                Some(_) | None => (*position, time_s, point),
            });
        }
        over = Some((*position, time_s));
    }
    over.map(|(position, _)| (position, 0.0, command.points.saturating_sub(1)))
}

/// Where the segment that leads to the point of `place` is at the time 0: on its curve, where both of
/// its ends carry velocities, and then how fast it is there.
fn due_now(
    command: &Command,
    place: Place,
    (from, since_s): (f64, f64),
    (to, until_s): (f64, f64),
) -> (f64, Option<f64>) {
    let led_from = Place { point: place.point.saturating_sub(1), ..place };
    let whole_s = until_s - since_s;
    match waypoint(command, led_from, from).zip(waypoint(command, place, to)) {
        Some((from, to)) => {
            let (position, velocity) = state_at(from, to, whole_s, -since_s / whole_s);
            (position, Some(velocity))
        }
        None => (between((from, since_s), (to, until_s)), None),
    }
}

/// Where a straight segment is now, at the time 0.
fn between((from, since_s): (f64, f64), (to, until_s): (f64, f64)) -> f64 {
    from - (to - from) * since_s / (until_s - since_s)
}

/// A point of the plan, where it carries a velocity.
fn waypoint(command: &Command, place: Place, position: f64) -> Option<End> {
    let index = place.point.saturating_mul(command.dimensions).saturating_add(place.dimension);
    let velocity = command.velocity.get(index).copied()?;
    Some(End { position, velocity, acceleration: command.acceleration.get(index).copied() })
}

#[cfg(test)]
mod tests;
