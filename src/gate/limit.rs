//! Limits the value of one joint or axis against its bounds and against what was last sent.
//!
//! Every rate limit refers to the last *sent* value, never to the measured one, so a lagging robot
//! neither throttles nor oscillates. The time that a change may take is given by the caller; no time
//! means no change.
//!
//! Precedence, highest first: a value outside its position bounds moves only inward; then
//! deceleration; then velocity; then acceleration; then jerk. So a limit that shrinks pulls the
//! command in no faster than the deceleration limit, and stopping distance never grows.
//!
//! **Invariant:** a value inside every limit comes out bit for bit; NaN never comes out.

use super::limits::Bounds;
use super::units::is_within;
use super::verdict::Limit;

mod position;
mod reach;
mod velocity;

pub(super) use position::{Step, fits_position, limit_position, position_range};
pub(super) use reach::change_time;
pub(super) use velocity::{fits_velocity, limit_velocity, velocity_range};

/// An axis without limits accepts this much, so that `-0.0` and float noise pass.
pub const LOCKED_TOLERANCE: f64 = 1e-6;

/// A set of [`Limit`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSet(u16);

impl LimitSet {
    /// No limit.
    pub const EMPTY: Self = Self(0);

    /// The set with `limit` added.
    #[must_use]
    pub const fn with(self, limit: Limit) -> Self {
        Self(self.0 | 1 << limit.index())
    }

    /// Everything in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `limit` is in the set.
    #[must_use]
    pub const fn contains(self, limit: Limit) -> bool {
        self.0 & (1 << limit.index()) != 0
    }

    /// Whether no limit was applied.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The last of the closed list that is in the set: a rate before the position bound that it keeps
    /// the value from reaching, and what made it smaller before both.
    #[must_use]
    pub fn last(self) -> Option<Limit> {
        let index = self.0.checked_ilog2().and_then(|index| usize::try_from(index).ok())?;
        Limit::ALL.get(index).copied()
    }

    /// The limits in the set.
    pub fn iter(self) -> impl Iterator<Item = Limit> {
        Limit::ALL.iter().copied().filter(move |limit| self.contains(*limit))
    }
}

/// A value after limiting, and which limits moved it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "only the limited value may be sent on"]
pub struct Limited {
    /// The nearest allowed value.
    pub value: f64,
    /// The names it is reported by. Empty: `value` is the commanded one, bit for bit.
    pub by: LimitSet,
    /// The kinds that `on_limit` is asked for. What derating, a hand-over or the ramp made smaller
    /// is still a limit of its own kind.
    pub kinds: LimitSet,
    /// The bound that moved it; the value itself where none did.
    pub bound: f64,
}

impl Limited {
    pub(super) const fn unchanged(value: f64) -> Self {
        Self { value, by: LimitSet::EMPTY, kinds: LimitSet::EMPTY, bound: value }
    }

    pub(super) const fn moved(value: f64, by: LimitSet, bound: f64) -> Self {
        Self { value, by, kinds: by, bound }
    }

    /// Names what made the limits smaller, where it did: alone where the lane's own limits would
    /// have let the value through, beside them where they would have moved it less.
    #[inline]
    pub(super) fn named(self, allowance: Allowance, full: impl FnOnce(Allowance) -> Self) -> Self {
        match allowance.because {
            Some(because) if !self.by.is_empty() => self.named_by(because, allowance, full),
            Some(_) | None => self,
        }
    }

    #[cold]
    fn named_by(
        self,
        because: Limit,
        allowance: Allowance,
        full: impl FnOnce(Allowance) -> Self,
    ) -> Self {
        let full = full(Allowance { velocity: 1.0, acceleration: 1.0, effort: 1.0, ..allowance });
        let because = LimitSet::EMPTY.with(because);
        if full.by.is_empty() {
            Self { by: because, ..self }
        } else if full.value.to_bits() == self.value.to_bits() {
            self
        } else {
            Self { by: self.by.union(because), ..self }
        }
    }
}

/// What was last sent for one dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reference {
    /// The value: a position on position lanes, a velocity on velocity lanes.
    pub value: f64,
    /// Its rate of change: the velocity on position lanes, the acceleration on velocity lanes.
    pub rate: f64,
}

/// How much of the limits a command may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Time credit in seconds, at least 0: the most that the command may take.
    pub credit_s: f64,
    /// What a command that needs no more takes of it, in seconds: the usual time between two.
    pub pace_s: f64,
    /// Factor on velocity, 0 to 1.
    pub velocity: f64,
    /// Factor on speeding up, never on slowing down; 0 to 1.
    pub acceleration: f64,
    /// Factor on effort, 0 to 1.
    pub effort: f64,
    /// What made the factors smaller than the lane's own, for the label of a limit that they moved;
    /// `None`: source and profile only, which count as the limit's own kind.
    pub because: Option<Limit>,
}

impl Allowance {
    /// The lane's own limits, for a command that takes all of `credit_s` seconds.
    #[must_use]
    pub const fn of(credit_s: f64) -> Self {
        Self {
            credit_s,
            pace_s: credit_s,
            velocity: 1.0,
            acceleration: 1.0,
            effort: 1.0,
            because: None,
        }
    }
}

/// Limits a value to fixed bounds, without history: velocities and efforts that accompany a target.
#[inline]
pub fn limit_to(commanded: f64, bounds: Bounds, by: Limit) -> Limited {
    if is_within(commanded, bounds.min, bounds.max) {
        Limited::unchanged(commanded)
    } else {
        let bound = if commanded > bounds.max { bounds.max } else { bounds.min };
        Limited::moved(bound, LimitSet::EMPTY.with(by), bound)
    }
}

#[cfg(test)]
mod tests;
