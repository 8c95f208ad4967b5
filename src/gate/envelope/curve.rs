//! What becomes of a segment between two points that carry velocities.
//!
//! A controller lays a polynomial through them: of third degree where velocities are given, of fifth
//! where accelerations are given too, a straight line where neither is. Such a curve may go beyond both
//! points, and faster than the mean of its segment.

use crate::gate::limits::Bounds;
use crate::gate::units::{at_least, at_most};

/// Places at which a curve of fifth degree is looked at.
const LOOKS: u32 = 16;

/// A point, or where the joint is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) position: f64,
    pub(super) velocity: f64,
    pub(super) acceleration: Option<f64>,
}

/// How far and how fast a curve goes, its ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extremes {
    pub(super) position: Bounds,
    pub(super) velocity: Bounds,
}

/// The curve from one end to the other in `duration_s`, which is above 0.
pub(super) fn extremes(from: End, to: End, duration_s: f64) -> Extremes {
    let mut found = Extremes {
        position: Bounds { min: from.position, max: from.position },
        velocity: Bounds { min: from.velocity, max: from.velocity },
    };
    widen(&mut found.position, to.position);
    widen(&mut found.velocity, to.velocity);
    let curve = Curve::of(from, to, duration_s);
    let mut look = |share: f64| {
        if share > 0.0 && share < 1.0 {
            widen(&mut found.position, curve.position(share));
            widen(&mut found.velocity, curve.slope(share) / duration_s);
        }
    };
    if curve.is_cubic() {
        // Where it turns, and where it is fastest.
        curve.turns().into_iter().for_each(&mut look);
    } else {
        (1..LOOKS).for_each(|place| look(f64::from(place) / f64::from(LOOKS)));
    }
    found
}

/// Where the curve is at a share of its time, from 0 to 1, and how fast.
pub(super) fn state_at(from: End, to: End, duration_s: f64, share: f64) -> (f64, f64) {
    let curve = Curve::of(from, to, duration_s);
    (curve.position(share), curve.slope(share) / duration_s)
}

/// Where the curve is at a share of its time, from 0 to 1.
pub(super) fn position_at(from: End, to: End, duration_s: f64, share: f64) -> f64 {
    Curve::of(from, to, duration_s).position(share)
}

fn widen(bounds: &mut Bounds, value: f64) {
    bounds.min = at_most(value, bounds.min);
    bounds.max = at_least(value, bounds.max);
}

/// A polynomial over the share of the segment that has passed, lowest degree first.
struct Curve([f64; 6]);

impl Curve {
    fn of(from: End, to: End, duration_s: f64) -> Self {
        let change = to.position - from.position;
        let (before, after) = (from.velocity * duration_s, to.velocity * duration_s);
        match (from.acceleration, to.acceleration) {
            (Some(first), Some(last)) => {
                let squared = duration_s * duration_s;
                let (first, last) = (first * squared, last * squared);
                Self([
                    from.position,
                    before,
                    0.5 * first,
                    10.0 * change - 6.0 * before - 4.0 * after - 0.5 * (3.0 * first - last),
                    -15.0 * change + 8.0 * before + 7.0 * after + 0.5 * (3.0 * first - 2.0 * last),
                    6.0 * change - 3.0 * (before + after) + 0.5 * (last - first),
                ])
            }
            (Some(_) | None, Some(_) | None) => Self([
                from.position,
                before,
                3.0 * change - 2.0 * before - after,
                before + after - 2.0 * change,
                0.0,
                0.0,
            ]),
        }
    }

    fn is_cubic(&self) -> bool {
        let [.., fourth, fifth] = self.0;
        fourth == 0.0 && fifth == 0.0
    }

    fn position(&self, share: f64) -> f64 {
        self.0.iter().rev().fold(0.0, |sum, factor| sum * share + factor)
    }

    fn slope(&self, share: f64) -> f64 {
        let [_, one, two, three, four, five] = self.0;
        let all = [5.0 * five, 4.0 * four, 3.0 * three, 2.0 * two, one];
        all.into_iter().fold(0.0, |sum, factor| sum * share + factor)
    }

    /// Of a cubic: where its slope is zero, and where its slope is extreme.
    fn turns(&self) -> [f64; 3] {
        let [_, one, two, three, ..] = self.0;
        let fastest = -two / (3.0 * three);
        // The roots of `one + 2·two·s + 3·three·s²`, without the difference of two near numbers.
        let root = (two * two - 3.0 * three * one).sqrt();
        let sum = -(two + root.copysign(two));
        [fastest, sum / (3.0 * three), one / sum]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn end(position: f64, velocity: f64) -> End {
        End { position, velocity, acceleration: None }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn when_a_curve_swings_out_expect_how_far() {
        // Stands at 1.9 after ten seconds, and arrives there at 0.9 per s: 4/27 of 9 beyond.
        let out = extremes(end(1.9, 0.9), end(1.9, 0.0), 10.0);
        near(out.position.max, 1.9 + 9.0 * 4.0 / 27.0);
        near(out.position.min, 1.9);
        let mirrored = extremes(end(-1.9, -0.9), end(-1.9, 0.0), 10.0);
        near(mirrored.position.min, -out.position.max);
        near(mirrored.velocity.max, -out.velocity.min);
    }

    #[test]
    fn when_it_is_faster_in_its_middle_expect_how_fast() {
        let from_rest_to_rest = extremes(end(0.0, 0.0), end(1.0, 0.0), 1.0);
        near(from_rest_to_rest.velocity.max, 1.5);
        near(from_rest_to_rest.position.max, 1.0);
        near(from_rest_to_rest.position.min, 0.0);
        let smooth = |position| End { acceleration: Some(0.0), ..end(position, 0.0) };
        let fifth = extremes(smooth(0.0), smooth(1.0), 1.0);
        near(fifth.velocity.max, 1.875);
        // Of fifth degree without a fourth: slowest near four fifths of the way.
        let bent =
            |position, acceleration| End { acceleration: Some(acceleration), ..end(position, 1.0) };
        let slowest = extremes(bent(0.0, 2.0), bent(1.0, 3.0), 1.0).velocity.min;
        assert!((0.743..0.745).contains(&slowest), "{slowest}");
    }

    #[test]
    fn when_it_is_a_line_or_a_parabola_expect_its_ends() {
        for (velocity, to) in [(0.5, 0.5), (-0.5, -0.5), (0.0, 0.0)] {
            let line = extremes(end(0.0, velocity), end(to, velocity), 1.0);
            near(line.velocity.min, velocity);
            near(line.velocity.max, velocity);
        }
        let thrown = extremes(end(0.0, 1.0), end(0.0, -1.0), 1.0);
        near(thrown.position.max, 0.25);
        near(thrown.velocity.min, -1.0);
    }

    proptest! {
        /// What is told is never less than what any place of the curve shows.
        #[test]
        fn no_place_of_a_cubic_is_beyond_its_extremes(
            (p0, v0, p1, v1) in (-2.0..2.0f64, -3.0..3.0f64, -2.0..2.0f64, -3.0..3.0f64),
            duration_s in 0.01..5.0f64,
        ) {
            let (from, to) = (end(p0, v0), end(p1, v1));
            let found = extremes(from, to, duration_s);
            let curve = Curve::of(from, to, duration_s);
            prop_assert!((curve.position(1.0) - p1).abs() < 1e-9);
            prop_assert!((curve.slope(1.0) / duration_s - v1).abs() < 1e-9);
            for place in 0..=200 {
                let share = f64::from(place) / 200.0;
                let (position, velocity) = (curve.position(share), curve.slope(share) / duration_s);
                prop_assert!(position <= found.position.max + 1e-9);
                prop_assert!(position >= found.position.min - 1e-9);
                prop_assert!(velocity <= found.velocity.max + 1e-9);
                prop_assert!(velocity >= found.velocity.min - 1e-9);
            }
        }

        /// A curve of fifth degree has what it is asked for at both ends.
        #[test]
        fn a_curve_meets_both_its_ends(
            (p0, v0, a0) in (-2.0..2.0f64, -3.0..3.0f64, -9.0..9.0f64),
            (p1, v1, a1) in (-2.0..2.0f64, -3.0..3.0f64, -9.0..9.0f64),
            duration_s in 0.05..5.0f64,
        ) {
            let at = |position, velocity, acceleration| {
                End { position, velocity, acceleration: Some(acceleration) }
            };
            let curve = Curve::of(at(p0, v0, a0), at(p1, v1, a1), duration_s);
            for (share, position, velocity) in [(0.0, p0, v0), (1.0, p1, v1)] {
                prop_assert!((curve.position(share) - position).abs() < 1e-7);
                prop_assert!((curve.slope(share) / duration_s - velocity).abs() < 1e-7);
            }
            let bend = |share: f64| {
                let step = 1e-4;
                let ahead = curve.slope(share + step) - curve.slope(share - step);
                ahead / (2.0 * step) / (duration_s * duration_s)
            };
            let room = 1e-3 * (1.0 + 1.0 / (duration_s * duration_s));
            prop_assert!((bend(0.0) - a0).abs() < room, "{} {a0}", bend(0.0));
            prop_assert!((bend(1.0) - a1).abs() < room, "{} {a1}", bend(1.0));
        }
    }
}
