//! What thread `monitor` finds of heat and charge, for the gate thread: atomics, and nothing to wait
//! for.
//!
//! The gate thread looks at its tick: a temperature takes seconds to matter, a tick is 50 ms at most,
//! and a wake-up for each reading would cost it more than it tells.
//!
//! **Invariant:** one writer, thread `monitor`. Each trip is one atomic, so what was found and whether
//! it is there cannot part.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by both threads.
#[derive(Debug)]
pub struct SensorFacts {
    /// Moves after every change of the others.
    changes: AtomicU64,
    /// Moves while thread `monitor` goes on; 0 before its first look.
    looks: AtomicU64,
    /// Factor on velocity and speeding up, as bits.
    derating: AtomicU64,
    /// What was found where a temperature trips, °C, as bits; NaN where none does.
    temperatures: Box<[AtomicU64]>,
    /// The same of batteries, ratios.
    batteries: Box<[AtomicU64]>,
}

impl SensorFacts {
    /// Nothing trips, nothing derates.
    #[must_use]
    pub fn new(temperatures: usize, batteries: usize) -> Arc<Self> {
        let none = |count: usize| (0..count).map(|_| AtomicU64::new(f64::NAN.to_bits())).collect();
        Arc::new(Self {
            changes: AtomicU64::new(0),
            looks: AtomicU64::new(0),
            derating: AtomicU64::new(1.0_f64.to_bits()),
            temperatures: none(temperatures),
            batteries: none(batteries),
        })
    }

    /// Says what one temperature trips at; `None`: it does not.
    pub(super) fn set_temperature(&self, point: usize, found: Option<f64>) {
        self.set(self.temperatures.get(point), found.unwrap_or(f64::NAN));
    }

    /// Says what one battery trips at; `None`: it does not.
    pub(super) fn set_battery(&self, battery: usize, found: Option<f64>) {
        self.set(self.batteries.get(battery), found.unwrap_or(f64::NAN));
    }

    /// Says how much of velocity and speeding up is left.
    pub(super) fn set_derating(&self, ratio: f64) {
        self.set(Some(&self.derating), ratio);
    }

    fn set(&self, cell: Option<&AtomicU64>, value: f64) {
        let Some(cell) = cell else { return };
        // Relaxed: this thread's own last store.
        if cell.load(Ordering::Relaxed) == value.to_bits() {
            return;
        }
        // Release: pairs with the Acquire in `changes`, so whoever sees the count finds the value.
        cell.store(value.to_bits(), Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Moves after every change; the values are read after it. A change that comes in between is seen
    /// now and once more at the next look, never missed.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Thread `monitor` goes on.
    pub(super) fn look(&self) {
        // Relaxed: the number is all there is to see.
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// Moves while thread `monitor` goes on; `None` before its first look, and where there is none.
    pub(super) fn looks(&self) -> Option<u64> {
        Some(self.looks.load(Ordering::Relaxed)).filter(|looks| *looks != 0)
    }

    /// How much of velocity and speeding up is left.
    pub(super) fn derating(&self) -> f64 {
        f64::from_bits(self.derating.load(Ordering::Relaxed))
    }

    /// What each temperature trips at; NaN: it does not.
    pub(super) fn temperatures(&self) -> impl Iterator<Item = f64> + '_ {
        self.temperatures.iter().map(|cell| f64::from_bits(cell.load(Ordering::Relaxed)))
    }

    /// What each battery trips at; NaN: it does not.
    pub(super) fn batteries(&self) -> impl Iterator<Item = f64> + '_ {
        self.batteries.iter().map(|cell| f64::from_bits(cell.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_something_changes_expect_the_count_to_move_and_the_value_there() {
        let facts = SensorFacts::new(2, 1);
        assert_eq!((facts.changes(), facts.derating()), (0, 1.0));
        facts.set_temperature(1, None);
        facts.set_derating(1.0);
        assert_eq!(facts.changes(), 0, "nothing changed");
        facts.set_temperature(1, Some(95.5));
        facts.set_battery(0, Some(0.08));
        facts.set_derating(0.2);
        facts.set_temperature(9, Some(1.0));
        assert_eq!((facts.changes(), facts.derating()), (3, 0.2));
        let found: Vec<f64> = facts.temperatures().collect();
        assert!(found[0].is_nan() && found[1] == 95.5, "{found:?}");
        assert_eq!(facts.batteries().collect::<Vec<f64>>(), [0.08]);
        facts.set_temperature(1, None);
        assert!(facts.temperatures().all(f64::is_nan));
        assert_eq!(facts.changes(), 4);
    }
}
