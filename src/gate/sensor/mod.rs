//! What readings of heat and charge mean: grades with hysteresis, and how much they derate.
//!
//! Each reading goes through three steps. **Median of three**: one reading alone never moves
//! anything, so a glitch neither trips nor lets go. **Hysteresis**: what counts rises with the worse
//! reading at once and falls only by what a reading is better than it by more than the hysteresis.
//! **Grade and derating** are functions of what counts, so all of them have the same hysteresis.
//!
//! **Invariant:** only a valid reading makes anything better. What is not measured (not a number, out
//! of range, stuck, silent) leaves grade and derating as they were.

mod battery;
mod temperature;

pub use battery::{
    Battery, BatteryRule, BatteryRules, BatterySample, BatteryView, PowerHealth, PowerStatus,
};
pub use temperature::{InvalidReading, TemperatureRules, TemperatureView, Temperatures};

use super::closed_list::closed_list;
use super::easing::DERATING_FLOOR;
use super::units::{at_least, at_most};

closed_list! {
    /// How bad a reading is. The order is the severity.
    Grade {
        /// Nothing to say.
        Ok = "ok",
        /// A person should look.
        Warn = "warn",
        /// Velocity and speeding up are derated.
        Derate = "derate",
        /// A cause: `temperature_trip` or `battery_trip`.
        Trip = "trip",
    }
}

/// Which side of a threshold is the bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSide {
    /// Heat.
    Above,
    /// Charge.
    Below,
}

impl BadSide {
    /// A value such that more is worse, and back.
    const fn worse(self, value: f64) -> f64 {
        match self {
            Self::Above => value,
            Self::Below => -value,
        }
    }
}

/// The thresholds of one sensor, in its own unit.
///
/// Invariant: those that are there are in order, `derate` only beside `trip`, all finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// From here on it is told.
    pub warn: Option<f64>,
    /// From here on limits shrink, down to the floor at `trip`.
    pub derate: Option<f64>,
    /// From here on it is a cause.
    pub trip: Option<f64>,
    /// How much better a reading must be than a threshold to be this side of it again.
    pub hysteresis: f64,
}

impl Thresholds {
    /// The threshold of a grade.
    #[must_use]
    pub const fn of(&self, grade: Grade) -> Option<f64> {
        match grade {
            Grade::Ok => None,
            Grade::Warn => self.warn,
            Grade::Derate => self.derate,
            Grade::Trip => self.trip,
        }
    }
}

/// One quantity under watch.
#[derive(Clone, Debug)]
pub struct Watch {
    side: BadSide,
    thresholds: Thresholds,
    /// The newest last; NaN before there were three.
    recent: [f64; 3],
    /// What counts, such that more is worse; `None` before the first reading.
    held: Option<f64>,
}

impl Watch {
    /// Nothing read yet.
    #[must_use]
    pub const fn new(side: BadSide, thresholds: Thresholds) -> Self {
        Self { side, thresholds, recent: [f64::NAN; 3], held: None }
    }

    /// A valid reading. One that is not a number is none.
    pub fn note(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let [_, first, second] = self.recent;
        self.recent = [first, second, self.side.worse(value)];
        let Some(found) = self.found() else { return };
        let hysteresis = self.thresholds.hysteresis;
        self.held = Some(
            self.held.map_or(found, |held| at_least(at_most(held, found + hysteresis), found)),
        );
    }

    /// The median of the last three readings, the worst of fewer, such that more is worse.
    fn found(&self) -> Option<f64> {
        let [one, two, three] = self.recent;
        if three.is_nan() {
            None
        } else if two.is_nan() {
            Some(three)
        } else if one.is_nan() {
            Some(at_least(two, three))
        } else {
            let (low, high) = (at_most(one, two), at_least(one, two));
            Some(at_least(low, at_most(high, three)))
        }
    }

    /// The median, in the sensor's own unit.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.found().map(|found| self.side.worse(found))
    }

    /// What counts, in the sensor's own unit.
    #[must_use]
    pub fn counts(&self) -> Option<f64> {
        self.held.map(|held| self.side.worse(held))
    }

    /// How bad it is; `None` before the first reading.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        let held = self.held?;
        let reached = |grade: &&Grade| {
            let threshold = self.thresholds.of(**grade);
            threshold.is_some_and(|threshold| held >= self.side.worse(threshold))
        };
        Some(Grade::ALL.iter().rev().find(reached).copied().unwrap_or(Grade::Ok))
    }

    /// Factor on velocity and speeding up: 1 up to the threshold `derate`, linear from there to the
    /// floor at `trip`. 1 before the first reading.
    #[must_use]
    pub fn derating(&self) -> f64 {
        let (Some(held), Some(from), Some(to)) =
            (self.held, self.thresholds.derate, self.thresholds.trip)
        else {
            return 1.0;
        };
        let (from, to) = (self.side.worse(from), self.side.worse(to));
        if held <= from {
            return 1.0;
        }
        let share = at_most((held - from) / (to - from), 1.0);
        at_least(1.0 - (1.0 - DERATING_FLOOR) * share, DERATING_FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heat() -> Watch {
        Watch::new(
            BadSide::Above,
            Thresholds { warn: Some(60.0), derate: Some(70.0), trip: Some(90.0), hysteresis: 5.0 },
        )
    }

    fn charge() -> Watch {
        Watch::new(
            BadSide::Below,
            Thresholds { warn: Some(0.3), derate: Some(0.2), trip: Some(0.1), hysteresis: 0.02 },
        )
    }

    /// As often as it takes to be the median.
    fn settle(watch: &mut Watch, value: f64) -> (Option<Grade>, f64) {
        for _ in 0..3 {
            watch.note(value);
        }
        (watch.grade(), watch.derating())
    }

    #[test]
    fn when_it_gets_hot_expect_each_grade_at_its_threshold() {
        let mut watch = heat();
        assert_eq!((watch.grade(), watch.derating(), watch.counts()), (None, 1.0, None));
        for (celsius, grade, derating) in [
            (20.0, Grade::Ok, 1.0),
            (59.9, Grade::Ok, 1.0),
            (60.0, Grade::Warn, 1.0),
            (70.0, Grade::Derate, 1.0),
            (75.0, Grade::Derate, 0.8),
            (80.0, Grade::Derate, 0.6),
            (90.0, Grade::Trip, 0.2),
            (149.0, Grade::Trip, 0.2),
        ] {
            let (found, ratio) = settle(&mut watch, celsius);
            assert_eq!(found, Some(grade), "{celsius}");
            assert!((ratio - derating).abs() < 1e-12, "{celsius}: {ratio}");
        }
    }

    #[test]
    fn when_it_cools_expect_the_hysteresis_below_each_threshold() {
        let mut watch = heat();
        settle(&mut watch, 92.0);
        assert_eq!(settle(&mut watch, 85.0).0, Some(Grade::Trip), "85 + 5 is the threshold");
        assert_eq!(settle(&mut watch, 84.9).0, Some(Grade::Derate));
        let (_, ratio) = settle(&mut watch, 70.0);
        assert!((ratio - 0.8).abs() < 1e-12, "75 counts: {ratio}");
        assert_eq!(settle(&mut watch, 64.0), (Some(Grade::Warn), 1.0));
        assert_eq!(settle(&mut watch, 54.0), (Some(Grade::Ok), 1.0));
    }

    #[test]
    fn when_charge_falls_expect_the_same_the_other_way_round() {
        let mut watch = charge();
        for (ratio, grade, derating) in [
            (1.0, Grade::Ok, 1.0),
            (0.3, Grade::Warn, 1.0),
            (0.15, Grade::Derate, 0.6),
            (0.1, Grade::Trip, 0.2),
            (0.0, Grade::Trip, 0.2),
        ] {
            let (found, factor) = settle(&mut watch, ratio);
            assert_eq!(found, Some(grade), "{ratio}");
            assert!((factor - derating).abs() < 1e-12, "{ratio}: {factor}");
        }
        assert_eq!(settle(&mut watch, 0.11).0, Some(Grade::Trip));
        assert_eq!(settle(&mut watch, 0.13).0, Some(Grade::Derate));
        assert_eq!(settle(&mut watch, 0.9), (Some(Grade::Ok), 1.0));
    }

    #[test]
    fn when_one_reading_alone_is_odd_expect_it_to_move_nothing() {
        let mut watch = heat();
        settle(&mut watch, 50.0);
        watch.note(120.0);
        assert_eq!(watch.grade(), Some(Grade::Ok));
        watch.note(50.0);
        assert_eq!(watch.grade(), Some(Grade::Ok));
        settle(&mut watch, 95.0);
        watch.note(20.0);
        assert_eq!(watch.grade(), Some(Grade::Trip));
        watch.note(95.0);
        watch.note(f64::NAN);
        assert_eq!((watch.grade(), watch.median()), (Some(Grade::Trip), Some(95.0)));
    }

    #[test]
    fn when_the_first_readings_differ_expect_the_worst_to_count() {
        let mut watch = heat();
        watch.note(95.0);
        assert_eq!(watch.grade(), Some(Grade::Trip));
        watch.note(20.0);
        assert_eq!(watch.grade(), Some(Grade::Trip), "nothing says yet which of the two is odd");
        watch.note(20.0);
        assert_eq!(watch.grade(), Some(Grade::Ok));
    }

    #[test]
    fn when_a_threshold_is_not_written_expect_its_grade_never() {
        let only_trip = Thresholds { trip: Some(90.0), ..Thresholds::default() };
        let mut watch = Watch::new(BadSide::Above, only_trip);
        assert_eq!(settle(&mut watch, 89.0), (Some(Grade::Ok), 1.0));
        assert_eq!(settle(&mut watch, 95.0), (Some(Grade::Trip), 1.0), "no `derate`, no derating");
    }

    proptest! {
        /// Whatever comes: in range, and never better than the newest two readings together say.
        #[test]
        fn any_readings_derate_within_the_floor_and_only_two_make_it_better(
            readings in prop::collection::vec(-40.0..150.0f64, 1..60),
        ) {
            let mut watch = heat();
            let mut before = 1.0;
            for pair in readings.windows(2) {
                watch.note(pair[0]);
                let ratio = watch.derating();
                prop_assert!((DERATING_FLOOR..=1.0).contains(&ratio));
                let counts = watch.counts().unwrap();
                let median = watch.median().unwrap();
                prop_assert!(median <= counts && counts <= median + 150.0);
                // Better only when what counts has fallen to within the hysteresis of the median.
                if ratio > before {
                    prop_assert!(counts <= median + 5.0 + 1e-9);
                }
                before = ratio;
            }
        }
    }
}
