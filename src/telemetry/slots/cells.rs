//! The atoms of the slots: one value each, written by one thread, read by any.
//!
//! # Ordering
//! Every operation here is `Relaxed`, and pairs with nothing: a slot tells only about itself. A
//! scrape may see a verdict counted a moment before its reason; no reader concludes from one slot
//! what another holds. Two things do hold for each slot alone: a reader sees values in the order
//! they were written (coherence of one atomic, which makes a counter monotone), and never half a
//! value.
//!
//! **Invariant:** a write is wait-free: no lock, no loop, no allocation, no system call.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::table::Place;
use crate::gate::units::WallTime;

/// A count that one thread writes.
///
/// **Invariant:** one writer. `add` is a load and a store, not a read-modify-write: cheaper on the
/// gate thread, and two writers would lose counts. Where several threads count, use
/// [`SharedCounter`].
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. 64 bits do not wrap in service.
    pub fn add(&self, n: u64) {
        // Relaxed: see the module. The load sees this thread's own last store.
        let now = self.0.load(Ordering::Relaxed).wrapping_add(n);
        self.0.store(now, Ordering::Relaxed);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A count that any thread writes: one `fetch_add`, still wait-free on the machines we build for.
#[derive(Debug, Default)]
pub struct SharedCounter(AtomicU64);

impl SharedCounter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        // Relaxed: see the module. Read-modify-write, so no count of another thread is lost.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A count that is absent until the first `add`, `add(0)` included: for what not every middleware
/// can tell, where a zero would be a lie. One writer, as [`Counter`].
#[derive(Debug)]
pub struct MaybeCounter(AtomicU64);

/// Stands for "absent" in the slots of whole numbers.
const ABSENT: u64 = u64::MAX;

impl Default for MaybeCounter {
    fn default() -> Self {
        Self(AtomicU64::new(ABSENT))
    }
}

impl MaybeCounter {
    /// Adds `n`; from now on the count is present.
    pub fn add(&self, n: u64) {
        // Relaxed: see the module. The load sees this thread's own last store.
        let before = self.0.load(Ordering::Relaxed);
        let before = if before == ABSENT { 0 } else { before };
        self.0.store(before.wrapping_add(n), Ordering::Relaxed);
    }

    /// The count, `None` while absent.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        let value = self.0.load(Ordering::Relaxed);
        (value != ABSENT).then_some(value)
    }
}

/// A number that goes up and down. NaN means "not known": the series is absent.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

impl Default for Gauge {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Gauge {
    /// Sets the number. NaN makes the series absent; who sets NaN counts why.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The number, `None` while it is not known.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        let value = f64::from_bits(self.0.load(Ordering::Relaxed));
        (!value.is_nan()).then_some(value)
    }
}

/// A whole number that goes up and down, absent until first set.
#[derive(Debug)]
pub struct Level(AtomicU64);

impl Default for Level {
    fn default() -> Self {
        Self(AtomicU64::new(ABSENT))
    }
}

impl Level {
    /// Sets the number.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Back to "not known".
    pub fn forget(&self) {
        self.0.store(ABSENT, Ordering::Relaxed);
    }

    /// The number, `None` while it is not known.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        let value = self.0.load(Ordering::Relaxed);
        (value != ABSENT).then_some(value)
    }
}

/// Yes or no, absent until first set.
#[derive(Debug)]
pub struct Flag(AtomicU32);

const NO: u32 = 0;
const YES: u32 = 1;
const NOT_KNOWN: u32 = 2;

impl Default for Flag {
    fn default() -> Self {
        Self(AtomicU32::new(NOT_KNOWN))
    }
}

impl Flag {
    /// A flag that is known from the start.
    #[must_use]
    pub const fn known(value: bool) -> Self {
        Self(AtomicU32::new(if value { YES } else { NO }))
    }

    /// Sets it.
    pub fn set(&self, value: bool) {
        self.0.store(if value { YES } else { NO }, Ordering::Relaxed);
    }

    /// Back to "not known".
    pub fn forget(&self) {
        self.0.store(NOT_KNOWN, Ordering::Relaxed);
    }

    /// Yes or no, `None` while it is not known.
    #[must_use]
    pub fn get(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            NO => Some(false),
            YES => Some(true),
            _ => None,
        }
    }
}

/// When something last happened, by the wall clock, for series that end in `_timestamp_seconds`.
/// Absent until the first time.
#[derive(Debug)]
pub struct TimestampGauge(AtomicI64);

const NEVER: i64 = i64::MIN;

impl Default for TimestampGauge {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

impl TimestampGauge {
    /// Sets the time.
    pub fn set(&self, at: WallTime) {
        self.0.store(at.as_nanos(), Ordering::Relaxed);
    }

    /// The time, `None` before the first.
    #[must_use]
    pub fn get(&self) -> Option<WallTime> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != NEVER).then(|| WallTime::from_nanos(nanos))
    }
}

/// Which one of several, or none: a state, an owner. One store changes it, so a scrape always sees
/// exactly one.
#[derive(Debug)]
pub struct OneOf<E>(AtomicUsize, PhantomData<fn(E) -> E>);

const NONE: usize = usize::MAX;

impl<E> Default for OneOf<E> {
    fn default() -> Self {
        Self(AtomicUsize::new(NONE), PhantomData)
    }
}

impl<E: Place> OneOf<E> {
    /// Chooses one, or none.
    pub fn set(&self, chosen: Option<E>) {
        let place = chosen.map_or(NONE, Place::place);
        self.0.store(place, Ordering::Relaxed);
    }

    /// The one chosen.
    #[must_use]
    pub fn get(&self) -> Option<E> {
        E::at_place(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::state::State;

    #[test]
    fn when_nothing_was_written_expect_absence_and_zero_counts() {
        assert_eq!(Counter::default().get(), 0);
        assert_eq!(SharedCounter::default().get(), 0);
        assert_eq!(MaybeCounter::default().get(), None);
        assert_eq!(Gauge::default().get(), None);
        assert_eq!(Level::default().get(), None);
        assert_eq!(Flag::default().get(), None);
        assert_eq!(TimestampGauge::default().get(), None);
        assert_eq!(OneOf::<State>::default().get(), None);
    }

    #[test]
    fn when_a_gauge_is_set_to_nan_expect_absence_again() {
        let gauge = Gauge::default();
        gauge.set(0.0);
        assert_eq!(gauge.get(), Some(0.0));
        gauge.set(f64::NAN);
        assert_eq!(gauge.get(), None);
        gauge.set(f64::INFINITY);
        assert_eq!(gauge.get(), Some(f64::INFINITY));
    }

    #[test]
    fn when_a_maybe_counter_adds_nothing_expect_it_present_at_zero() {
        let lost = MaybeCounter::default();
        lost.add(0);
        assert_eq!(lost.get(), Some(0));
        lost.add(3);
        assert_eq!(lost.get(), Some(3));
    }

    #[test]
    fn when_one_is_chosen_expect_it_and_none_after_none() {
        let state = OneOf::default();
        state.set(Some(State::Killed));
        assert_eq!(state.get(), Some(State::Killed));
        state.set(None);
        assert_eq!(state.get(), None);
        let owner = OneOf::<usize>::default();
        owner.set(Some(2));
        assert_eq!(owner.get(), Some(2));
    }

    #[test]
    fn when_a_level_is_forgotten_expect_absence() {
        let readers = Level::default();
        readers.set(0);
        assert_eq!(readers.get(), Some(0));
        readers.forget();
        assert_eq!(readers.get(), None);
    }

    #[test]
    fn when_flag_and_time_are_set_expect_them() {
        let flag = Flag::known(false);
        assert_eq!(flag.get(), Some(false));
        flag.set(true);
        assert_eq!(flag.get(), Some(true));
        let seen = TimestampGauge::default();
        seen.set(WallTime::from_nanos(-5));
        assert_eq!(seen.get(), Some(WallTime::from_nanos(-5)));
    }

    #[test]
    fn when_several_threads_count_expect_no_count_lost() {
        let shared = SharedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| shared.increment()));
            }
        });
        assert_eq!(shared.get(), 40_000);
    }
}
