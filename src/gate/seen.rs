//! What a watch lane saw: the numbers that `interlockctl suggest` compares with the limits.

use super::limit::LimitSet;
use super::rules::Interface;
use super::units::{at_least, at_most};

/// What was commanded for one joint or axis since the start, before any limit.
///
/// # Units
/// rad or m, per s, per s². NaN: nothing seen yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Lowest position.
    pub min_position: f64,
    /// Highest position.
    pub max_position: f64,
    /// Largest magnitude of velocity: commanded, or from the change of position.
    pub max_velocity: f64,
    /// Largest magnitude of acceleration, from the change of velocity.
    pub max_acceleration: f64,
    /// Commands that a limit would have changed here.
    pub limited: u64,
    /// Commands judged.
    pub judged: u64,
    last: Option<f64>,
    last_rate: Option<f64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            min_position: f64::NAN,
            max_position: f64::NAN,
            max_velocity: f64::NAN,
            max_acceleration: f64::NAN,
            limited: 0,
            judged: 0,
            last: None,
            last_rate: None,
        }
    }
}

impl Seen {
    /// Notes one commanded value. `elapsed_s`: since the value before, where the stream did not break
    /// off; never shorter than the source's nominal period, so that jitter is not taken for speed.
    pub(super) fn note(&mut self, value: f64, interface: Interface, elapsed_s: Option<f64>) {
        if elapsed_s.is_none() {
            self.last = None;
            self.last_rate = None;
        }
        let per_second = |from: Option<f64>, to: f64| match (from, elapsed_s) {
            (Some(from), Some(elapsed)) if elapsed > 0.0 => Some((to - from) / elapsed),
            (Some(_) | None, _) => None,
        };
        let (rate, acceleration) = match interface {
            Interface::Position => {
                self.min_position = at_most(self.min_position, value);
                self.max_position = at_least(self.max_position, value);
                let rate = per_second(self.last, value);
                (rate, rate.and_then(|rate| per_second(self.last_rate, rate)))
            }
            Interface::Velocity => (Some(value), per_second(self.last, value)),
            Interface::Effort => (None, None),
        };
        self.last = Some(value);
        if let Some(rate) = rate {
            self.max_velocity = at_least(self.max_velocity, rate.abs());
            self.last_rate = Some(rate);
        }
        if let Some(acceleration) = acceleration {
            self.max_acceleration = at_least(self.max_acceleration, acceleration.abs());
        }
    }

    pub(super) const fn count(&mut self, applied: LimitSet) {
        self.judged = self.judged.saturating_add(1);
        if !applied.is_empty() {
            self.limited = self.limited.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_positions_are_seen_expect_their_bounds_and_rates() {
        let mut seen = Seen::default();
        seen.note(0.5, Interface::Position, None);
        assert!(seen.max_velocity.is_nan());
        seen.note(0.4, Interface::Position, Some(0.1));
        seen.note(0.6, Interface::Position, Some(0.1));
        assert_eq!((seen.min_position, seen.max_position), (0.4, 0.6));
        assert!((seen.max_velocity - 2.0).abs() < 1e-9);
        assert!((seen.max_acceleration - 30.0).abs() < 1e-9);
        // A stream that broke off starts anew: what lies between was nobody's command.
        seen.note(-0.6, Interface::Position, None);
        assert!((seen.max_velocity - 2.0).abs() < 1e-9);
        assert_eq!(seen.min_position, -0.6);
    }

    #[test]
    fn when_velocities_are_seen_expect_them_and_their_changes() {
        let mut seen = Seen::default();
        seen.note(0.5, Interface::Velocity, None);
        seen.note(-0.5, Interface::Velocity, Some(0.5));
        assert_eq!((seen.max_velocity, seen.max_acceleration), (0.5, 2.0));
        assert!(seen.min_position.is_nan());
    }

    #[test]
    fn when_no_time_passed_expect_no_rate() {
        let mut seen = Seen::default();
        seen.note(0.5, Interface::Position, None);
        seen.note(0.6, Interface::Position, Some(0.0));
        assert!(seen.max_velocity.is_nan() && seen.max_acceleration.is_nan(), "{seen:?}");
        assert_eq!((seen.min_position, seen.max_position), (0.5, 0.6));
    }
}
