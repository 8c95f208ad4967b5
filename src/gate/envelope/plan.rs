//! The plan that a controller follows by itself: where it has each joint now, and how far the next plan
//! may leap from there.
//!
//! The last point of a plan is its goal, not what is on the wire: a stop that held it would send the
//! joints there at once. And each plan may begin anywhere within the tolerance around the measured
//! pose, because that is known only so well; were this forgiven to every plan of a stream, the stream
//! would have no speed limit. So a leap is taken from a room that only time refills.

use crate::gate::command::Command;
use crate::gate::units::{SteadyTime, at_least, at_most};

use super::Present;
use super::curve::{End, position_at};

/// The plan that was sent last, and the one that is judged.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    running: Plan,
    next: Plan,
    /// One was sent.
    is_known: bool,
    /// And is followed still.
    is_running: bool,
    /// How far it had led each joint, where it is not: above 0 upwards.
    led: Vec<f64>,
    now: SteadyTime,
}

/// How far a joint may leap upwards and downwards, and to and fro; or how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Room {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) all: f64,
}

impl Room {
    pub(super) const fn both(room: f64) -> Self {
        Self { up: room, down: room, all: room }
    }

    /// How far in the direction of `change`.
    pub(super) fn towards(self, change: f64) -> f64 {
        at_most(if change > 0.0 { self.up } else { self.down }, self.all)
    }
}

#[derive(Clone, Debug)]
struct Plan {
    sent: SteadyTime,
    given: Vec<bool>,
    /// How fast each joint was when it was sent; 0 where nothing says it.
    speed: Vec<f64>,
    /// How far each joint might still leap then.
    room: Vec<Room>,
    /// How fast it was allowed to be when it was judged.
    fastest: Vec<Room>,
    /// Where each joint was measured then, and where the plan before had it: in between nothing leaps.
    between: Vec<(f64, f64)>,
    /// Nanoseconds from when it was sent.
    times: Vec<i64>,
    position: Vec<f64>,
    velocity: Vec<f64>,
    acceleration: Vec<f64>,
}

impl Plans {
    /// `numbers`: the most of one quantity that a plan has; 0 on a lane without plans.
    pub(super) fn new(dimensions: usize, numbers: usize) -> Self {
        // A clone would not have the room.
        Self {
            running: Plan::new(dimensions, numbers),
            next: Plan::new(dimensions, numbers),
            is_known: false,
            is_running: false,
            led: vec![0.0; dimensions],
            now: SteadyTime::default(),
        }
    }

    /// Before a plan is judged.
    pub(super) const fn at(&mut self, now: SteadyTime) {
        self.now = now;
    }

    /// The controller follows no plan of ours any more.
    pub(super) fn end(&mut self, now: SteadyTime) {
        if self.is_running {
            for (dimension, led) in self.led.iter_mut().enumerate() {
                *led = self.running.led(dimension, now);
            }
            self.is_running = false;
        }
    }

    /// An arm, or a release: what was sent before says nothing of where the joints were moved since.
    pub(super) const fn forget(&mut self) {
        self.is_running = false;
        self.is_known = false;
    }

    /// Where the plan that is followed has a joint at `now`; `None` where none is.
    pub(super) fn due(&self, dimension: usize, now: SteadyTime) -> Option<f64> {
        if self.is_running { self.running.due(dimension, now) } else { None }
    }

    /// Whether the plan that was sent last is followed still.
    pub(super) const fn is_running(&self) -> bool {
        self.is_running
    }

    /// The moment of [`Self::at`].
    pub(super) const fn now(&self) -> SteadyTime {
        self.now
    }

    /// Whether the plan that is followed is not over yet.
    pub(super) fn is_moving(&self) -> bool {
        let elapsed = self.now.since(self.running.sent).as_nanos();
        let last = self.running.times.last().map_or(0, |last| u128::try_from(*last).unwrap_or(0));
        self.is_running && elapsed < last
    }

    /// How far a joint may leap now. What the plan before has led it to takes from it, by its own time or
    /// by the joint's. Time refills each direction by what its speed allows, or by what the joint went the
    /// other way at that one's: where one is forbidden, noise would else use it up. A stop in between
    /// refills nothing. A leap that is only planned takes nothing: a later plan may come before it.
    pub(super) fn room(
        &self,
        dimension: usize,
        tolerance: f64,
        speed: Room,
        measured: f64,
    ) -> Room {
        if !self.is_known {
            return Room::both(tolerance);
        }
        let left = self.running.room.get(dimension).copied().unwrap_or_default();
        let led = if self.is_running {
            self.running.led(dimension, self.now)
        } else {
            self.led.get(dimension).copied().unwrap_or(0.0)
        };
        let moved = self.running.beyond(dimension, measured);
        let went = self.running.could_go(dimension, speed, self.now);
        let room = |left: f64, went: f64, led: f64, other: f64| {
            // A way back is given for what was moved, and not for what was leapt.
            let moved_back = at_most(at_least(-led, 0.0), other);
            let refilled = left + at_least(went, moved_back);
            at_least(at_most(refilled - at_least(led, 0.0), tolerance), 0.0)
        };
        Room {
            up: room(left.up, went.up, at_least(led, moved), went.down),
            down: room(left.down, went.down, at_least(-led, -moved), went.up),
            all: room(left.all, went.all, at_least(led.abs(), moved.abs()), 0.0),
        }
    }

    /// The plan just judged is the next, after [`Self::note`] for each joint.
    pub(super) fn keep(&mut self, command: &Command, present: Present<'_>) {
        let next = &mut self.next;
        next.times.clear();
        next.times.extend(command.times.iter().map(|at| at.saturating_add(command.starts_in)));
        next.given.copy_from_slice(&command.given);
        for (kept, values) in [
            (&mut next.position, &command.position),
            (&mut next.velocity, &command.velocity),
            (&mut next.acceleration, &command.acceleration),
        ] {
            kept.clear();
            kept.extend_from_slice(values);
        }
        for (dimension, speed) in next.speed.iter_mut().enumerate() {
            *speed = present.velocity(dimension).unwrap_or(0.0);
        }
    }

    /// What a joint has of its room at the plan just judged, how fast it may be, and where it leaps from.
    pub(super) fn note(
        &mut self,
        dimension: usize,
        (room, fastest): (Room, Room),
        between: (f64, f64),
    ) {
        if let Some(place) = self.next.fastest.get_mut(dimension) {
            *place = fastest;
        }
        if let Some(place) = self.next.between.get_mut(dimension) {
            *place = between;
        }
        if let Some(place) = self.next.room.get_mut(dimension) {
            *place = room;
        }
    }

    /// The plan just judged was sent.
    pub(super) fn commit(&mut self, now: SteadyTime) {
        std::mem::swap(&mut self.running, &mut self.next);
        self.running.sent = now;
        self.is_known = true;
        self.is_running = true;
    }
}

impl Plan {
    fn new(dimensions: usize, numbers: usize) -> Self {
        let values = || Vec::with_capacity(numbers);
        Self {
            sent: SteadyTime::default(),
            given: vec![true; dimensions],
            speed: vec![0.0; dimensions],
            room: vec![Room::default(); dimensions],
            fastest: vec![Room::default(); dimensions],
            between: vec![(0.0, 0.0); dimensions],
            times: Vec::with_capacity(numbers),
            position: values(),
            velocity: values(),
            acceleration: values(),
        }
    }

    fn due(&self, dimension: usize, now: SteadyTime) -> Option<f64> {
        let (_, position) = *self.between.get(dimension)?;
        let velocity = self.speed.get(dimension).copied()?;
        let from = End { position, velocity, acceleration: None };
        // An empty plan, and a joint that it leaves out, stay where they are.
        if !self.given.get(dimension).copied().unwrap_or(false) {
            return Some(from.position);
        }
        let elapsed = i64::try_from(now.since(self.sent).as_nanos()).unwrap_or(i64::MAX);
        let next = self.times.partition_point(|time| *time <= elapsed);
        let before = next.checked_sub(1);
        let (Some(to), Some(end)) = (self.point(next, dimension), self.times.get(next)) else {
            let last = before.and_then(|last| self.point(last, dimension));
            return Some(last.map_or(from.position, |last| last.position));
        };
        let (start, began) = match before {
            Some(before) => (self.point(before, dimension)?, self.times.get(before).copied()?),
            None => (from, 0),
        };
        let whole = seconds(end.saturating_sub(began));
        let passed = seconds(elapsed.saturating_sub(began));
        if self.velocity.is_empty() {
            return Some(start.position + (to.position - start.position) * (passed / whole));
        }
        Some(position_at(start, to, whole, passed / whole))
    }

    /// How far a joint could go since it was sent: as fast as `speed` now, and while it was under way as
    /// fast as it was allowed to be, or whoever is slower now would pay for it.
    fn could_go(&self, dimension: usize, speed: Room, now: SteadyTime) -> Room {
        let elapsed_s = now.since(self.sent).as_secs_f64();
        let whole_s = self.times.last().map_or(0.0, |last| at_least(seconds(*last), 0.0));
        let (led_s, over_s) = (at_most(elapsed_s, whole_s), at_least(elapsed_s - whole_s, 0.0));
        let fastest = self.fastest.get(dimension).copied().unwrap_or_default();
        let far = |speed: f64, fastest: f64| at_least(speed, fastest) * led_s + speed * over_s;
        Room {
            up: far(speed.up, fastest.up),
            down: far(speed.down, fastest.down),
            all: far(speed.all, fastest.all),
        }
    }

    /// How far it has led a joint, above 0 upwards.
    fn led(&self, dimension: usize, now: SteadyTime) -> f64 {
        self.due(dimension, now).map_or(0.0, |due| self.beyond(dimension, due))
    }

    /// How far a place of a joint is beyond those in between which nothing leapt, above 0 upwards.
    fn beyond(&self, dimension: usize, place: f64) -> f64 {
        let between = self.between.get(dimension);
        between.map_or(0.0, |(one, other)| beyond(place, *one, *other))
    }

    fn point(&self, point: usize, dimension: usize) -> Option<End> {
        let index = point.saturating_mul(self.between.len()).saturating_add(dimension);
        let position = self.position.get(index).copied()?;
        let velocity = self.velocity.get(index).copied().unwrap_or(0.0);
        Some(End { position, velocity, acceleration: self.acceleration.get(index).copied() })
    }
}

/// How far `to` is beyond all places between `one` and `other`: above 0 upwards.
pub(super) fn beyond(to: f64, one: f64, other: f64) -> f64 {
    let (low, high) = (at_most(one, other), at_least(one, other));
    if to > high {
        to - high
    } else if to < low {
        to - low
    } else {
        0.0
    }
}

#[expect(clippy::as_conversions, reason = "nanoseconds of a plan, exact to a part in 2^53")]
pub(super) fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(tenths: u64) -> SteadyTime {
        SteadyTime::from_nanos(tenths * SECOND / 10)
    }

    /// From 0 to 1 in two seconds; the second joint is left out, at 0.4.
    fn under_way() -> Plans {
        let mut plans = Plans::new(2, 8);
        let mut command = Command::with_capacity(2, 8);
        command.points = 2;
        command.times.extend([1_000_000_000, 2_000_000_000]);
        command.position.extend([0.25, f64::NAN, 1.0, f64::NAN]);
        command.given = vec![true, false];
        plans.at(at(0));
        let slow = Room::both(0.01);
        plans.note(0, (Room::both(0.1), slow), (0.0, 0.0));
        plans.note(1, (Room::both(0.1), slow), (0.4, 0.4));
        plans.keep(&command, Present::UNKNOWN);
        plans.commit(at(0));
        plans
    }

    fn near(found: Option<f64>, expected: f64) {
        let found = found.expect("it is followed");
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn when_a_plan_is_followed_expect_each_joint_where_it_is_due() {
        let plans = under_way();
        for (tenths, due) in [(0, 0.0), (4, 0.1), (10, 0.25), (14, 0.55), (20, 1.0), (90, 1.0)] {
            near(plans.due(0, at(tenths)), due);
            near(plans.due(1, at(tenths)), 0.4);
        }
        assert_eq!(plans.due(2, at(4)), None);
        assert_eq!(Plans::new(1, 8).due(0, at(4)), None);
    }

    #[test]
    fn when_it_ends_expect_nothing_due_and_what_it_led_to_kept() {
        let mut plans = under_way();
        plans.at(at(14));
        assert!(plans.is_moving());
        // 0.1 and 1.4 s at 0.25 per s, less the 0.55 that it led to.
        let up = |plans: &Plans, tolerance: f64, speed: f64, measured: f64| {
            plans.room(0, tolerance, Room { up: speed, ..Room::default() }, measured).up
        };
        assert_eq!(up(&plans, 0.1, 0.25, 0.0), 0.0);
        assert!((up(&plans, 0.1, 0.35, 0.0) - 0.04).abs() < 1e-12);
        plans.end(at(14));
        assert_eq!((plans.due(0, at(14)), plans.is_moving()), (None, false));
        plans.at(at(24));
        assert!((up(&plans, 0.2, 0.25, 0.0) - 0.15).abs() < 1e-12);
        assert_eq!(up(&plans, 0.1, 0.25, 0.0), 0.1, "never more than the tolerance");
        // The joint itself went further.
        assert!((up(&plans, 0.2, 0.25, 0.6) - 0.1).abs() < 1e-12);
        plans.forget();
        assert_eq!(plans.room(0, 0.2, Room::default(), 0.6), Room::both(0.2));
    }

    #[test]
    fn when_it_led_upwards_expect_the_way_back_given_and_each_refilled_by_its_own_speed() {
        let mut plans = under_way();
        plans.at(at(2));
        // 0.05 upwards in 0.2 s.
        let near = |room: Room, up: f64, down: f64, all: f64| {
            let far = [room.up - up, room.down - down, room.all - all];
            assert!(far.iter().all(|far| far.abs() < 1e-12), "{room:?}");
        };
        near(plans.room(0, 1.0, Room { up: 0.5, down: 0.0, all: 0.5 }, 0.05), 0.15, 0.15, 0.15);
        // No more than what that direction's speed explains: the rest was leapt.
        near(plans.room(0, 1.0, Room { up: 0.1, down: 0.0, all: 0.0 }, 0.05), 0.07, 0.12, 0.052);
        // Where it is measured counts where that is further.
        near(plans.room(0, 1.0, Room { up: 0.0, down: 0.5, all: 0.5 }, -0.08), 0.052, 0.12, 0.12);
        assert_eq!(Room { up: 0.1, down: 0.2, all: 0.15 }.towards(1.0), 0.1);
        assert_eq!(Room { up: 0.1, down: 0.2, all: 0.15 }.towards(-1.0), 0.15);
    }

    #[test]
    fn when_its_last_time_has_come_expect_it_over() {
        let mut plans = under_way();
        for (tenths, moves) in [(0, true), (19, true), (20, false)] {
            plans.at(at(tenths));
            assert_eq!(plans.is_moving(), moves, "{tenths}");
        }
    }

    #[test]
    fn when_a_place_is_beyond_two_others_expect_how_far_and_which_way() {
        for (to, found) in [(0.5, 0.0), (1.0, 0.0), (-1.0, 0.0), (1.5, 0.5), (-1.5, -0.5)] {
            assert_eq!((beyond(to, -1.0, 1.0), beyond(to, 1.0, -1.0)), (found, found));
        }
    }
}
