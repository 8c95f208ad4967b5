//! Causes over time: a level for each cause and subject, and when it has lasted long enough.
//!
//! A debounce is a budget of time. It drains while the cause is present and refills four times as
//! slowly while it is absent, so a fault that comes and goes still acts: at half of the time present
//! within `debounce ÷ 0.375`, never later. Absence ends a hold at once and leaves the budget low.
//!
//! **Invariant:** places for every cause that the rules can bring are made at the start; a detector
//! outside the gate gets one of [`RESERVED`] more.

use std::time::Duration;

use super::cause::Cause;
use super::machine::{Report, Subject};
use super::units::{SteadyTime, duration_nanos};

/// While absent the budget refills this many times as slowly as it drains while present.
const REFILL_SLOWER: u64 = 4;

/// Places for causes of subjects that the rules do not list: temperatures, batteries, other paths.
const RESERVED: usize = 64;

/// What a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Whether the cause is there.
    pub present: bool,
    /// The value found, in the cause's unit; NaN where there is none.
    pub found: f64,
    /// The value allowed; NaN where there is none.
    pub bound: f64,
}

impl Level {
    /// A level without numbers.
    #[must_use]
    pub const fn plain(present: bool) -> Self {
        Self { present, found: f64::NAN, bound: f64::NAN }
    }

    /// Present where `found` is over `bound`. A value that is not a number is.
    #[must_use]
    pub fn over(found: f64, bound: f64) -> Self {
        let within = found <= bound;
        Self { present: !within, found, bound }
    }
}

/// One cause about one subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) cause: Cause,
    pub(super) subject: Subject,
    pub(super) level: Level,
    /// Its action was told to have begun.
    pub(super) told: bool,
    debounce: u64,
    /// Nanoseconds of presence left before it acts.
    budget: u64,
    at: SteadyTime,
}

impl Fault {
    fn new(cause: Cause, subject: Subject, debounce: Duration, now: SteadyTime) -> Self {
        let debounce = duration_nanos(debounce);
        let level = Level::plain(false);
        Self { cause, subject, level, told: false, debounce, budget: debounce, at: now }
    }

    /// Lets the level it has had until now count.
    pub(super) fn advance(&mut self, now: SteadyTime) {
        let elapsed = duration_nanos(now.since(self.at));
        self.budget = if self.level.present {
            self.budget.saturating_sub(elapsed)
        } else {
            self.budget.saturating_add(elapsed / REFILL_SLOWER).min(self.debounce)
        };
        if now > self.at {
            self.at = now;
        }
    }

    fn set(&mut self, level: Level, now: SteadyTime) {
        self.advance(now);
        self.level = level;
    }

    /// Present, and for long enough.
    pub(super) const fn is_due(&self) -> bool {
        self.level.present && self.budget == 0
    }

    /// What the machine is told of it.
    pub(super) const fn report(&self) -> Report {
        Report {
            found: self.level.found,
            bound: self.level.bound,
            ..Report::plain(self.cause, self.subject)
        }
    }
}

/// Every cause about every subject.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Makes a place.
    pub(super) fn add(&mut self, cause: Cause, subject: Subject, wait: Duration, now: SteadyTime) {
        self.list.push(Fault::new(cause, subject, wait, now));
    }

    /// Makes the reserved places, after all others.
    pub(super) fn reserve(&mut self) {
        self.list.reserve_exact(RESERVED);
    }

    /// How many places there are, those reserved included.
    pub(super) const fn capacity(&self) -> usize {
        self.list.capacity()
    }

    /// Sets a level and returns its place. A subject that is new takes a reserved place; should those
    /// be used up, memory is taken rather than a cause lost.
    pub(super) fn set(
        &mut self,
        cause: Cause,
        subject: Subject,
        level: Level,
        wait: Duration,
        now: SteadyTime,
    ) -> usize {
        let known = self.list.iter().position(|f| f.cause == cause && f.subject == subject);
        let place = known.unwrap_or_else(|| {
            self.add(cause, subject, wait, now);
            self.list.len().saturating_sub(1)
        });
        if let Some(fault) = self.list.get_mut(place) {
            fault.set(level, now);
        }
        place
    }

    /// Whether a cause about a subject acts.
    pub(super) fn is_due(&self, cause: Cause, subject: Subject) -> bool {
        self.list.iter().any(|f| f.cause == cause && f.subject == subject && f.is_due())
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Fault> {
        self.list.get_mut(place)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    fn fault(debounce_ms: u64) -> Fault {
        Fault::new(Cause::Tilt, Subject::Node, Duration::from_millis(debounce_ms), at(0))
    }

    #[test]
    fn when_there_is_no_debounce_expect_it_due_at_once_and_gone_at_once() {
        let mut fault = fault(0);
        fault.set(Level::plain(true), at(1));
        assert!(fault.is_due());
        fault.set(Level::plain(false), at(2));
        assert!(!fault.is_due());
    }

    #[test]
    fn when_present_all_the_time_expect_it_due_after_its_debounce_exactly() {
        let mut fault = fault(100);
        fault.set(Level::plain(true), at(7));
        fault.advance(at(106));
        assert!(!fault.is_due());
        fault.advance(at(107));
        assert!(fault.is_due());
    }

    #[test]
    fn hazard_24_flapping_fault_never_trips() {
        for half_ms in [1, 10, 30, 99] {
            let mut fault = fault(100);
            let mut acted = None;
            for step in 0..2_000u64 {
                fault.set(Level::plain(step % 2 == 0), at(step * half_ms));
                fault.advance(at((step + 1) * half_ms));
                if fault.is_due() {
                    acted = Some((step + 1) * half_ms);
                    break;
                }
            }
            // 100 ms drain at 0.375 on average, and one period at the end.
            let acted = acted.expect("half of the time present acts");
            assert!(acted <= 267 + 2 * half_ms, "{half_ms} ms: {acted}");
        }
        // Rarely present: a budget that refills faster than it drains never acts.
        let mut rare = fault(100);
        for step in 0..1_000 {
            rare.set(Level::plain(true), at(step * 100));
            rare.set(Level::plain(false), at(step * 100 + 10));
            assert!(!rare.is_due());
        }
    }

    #[test]
    fn when_more_subjects_come_than_are_reserved_expect_none_lost() {
        let mut faults = Faults::new();
        faults.reserve();
        let places = faults.capacity();
        for path in 0..2 * RESERVED {
            let subject = Subject::Path(path);
            faults.set(Cause::OtherPath, subject, Level::plain(true), Duration::ZERO, at(0));
            assert!(path >= RESERVED || faults.capacity() == places, "no memory for the reserved");
        }
        assert_eq!(faults.iter().filter(|fault| fault.is_due()).count(), 2 * RESERVED);
    }

    #[test]
    fn when_a_value_is_not_a_number_expect_it_over_every_bound() {
        assert!(Level::over(f64::NAN, 1.0).present);
        assert!(Level::over(0.5, f64::NAN).present);
        assert!(!Level::over(1.0, 1.0).present);
    }

    proptest! {
        /// However it flaps: due only when it was present for the debounce in all, and never while
        /// less than that; due for sure when presence minus a quarter of absence exceeds it.
        #[test]
        fn the_budget_is_presence_minus_a_quarter_of_absence(
            spans in prop::collection::vec((any::<bool>(), 0u64..200), 1..40),
        ) {
            let mut fault = fault(150);
            let (mut now, mut present_for, mut left) = (0, 0, 150.0_f64);
            for (present, span) in spans {
                fault.set(Level::plain(present), at(now));
                now += span;
                fault.advance(at(now));
                #[expect(clippy::as_conversions, reason = "small numbers")]
                let span_ms = span as f64;
                if present {
                    present_for += span;
                    left -= span_ms;
                } else {
                    left += span_ms / 4.0;
                }
                left = super::super::units::at_least(super::super::units::at_most(left, 150.0), 0.0);
                prop_assert!(!fault.is_due() || present_for >= 150);
                prop_assert_eq!(fault.is_due(), present && left == 0.0);
            }
        }
    }
}
