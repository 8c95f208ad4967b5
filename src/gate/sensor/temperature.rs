//! The readings of one temperature topic: which of them can be believed, and what they come to.
//!
//! A reading that cannot be believed is as if it had not come: its gauge is absent, its reason is
//! counted, and grade and derating of its component stay as they were.

use std::time::Duration;

use super::{BadSide, Grade, Thresholds, Watch};
use crate::gate::closed_list::closed_list;
use crate::gate::units::{SteadyTime, is_within};

closed_list! {
    /// Why a temperature cannot be believed.
    InvalidReading {
        /// Not a number, or not there.
        Nan = "nan",
        /// Outside `valid`.
        Range = "range",
        /// Outside `valid`, and one of the numbers that drivers send for "no sensor".
        Sentinel = "sentinel",
        /// Unchanged to the last bit while the others moved.
        Stuck = "stuck",
    }
}

/// What drivers send for "no sensor", °C: the ends of integer types, absolute zero, a bus without an
/// answer. Only looked at outside `valid`: at 127 °C a motor may well be.
const SENTINELS: [f64; 14] = [
    -273.15, -273.0, -128.0, -127.0, 127.0, 128.0, 255.0, -999.0, 999.0, 3276.7, 6553.5, -32768.0,
    32767.0, 65535.0,
];
/// A `float32` of one of them is this near.
const SENTINEL_WITHIN: f64 = 0.01;

/// The mean of the others moves this far while a stuck one does not move by a bit, K. Motors take
/// tens of seconds for that, in which a sensor that lives changes, even one in whole degrees.
const STUCK_OTHERS_MOVED: f64 = 10.0;
/// A reading without others to compare with is stuck after this time without a change.
const STUCK_ALONE: Duration = Duration::from_secs(3600);

/// The rules of one topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TemperatureRules {
    /// Lowest and highest reading that can be believed, °C.
    pub valid: (f64, f64),
    /// °C.
    pub thresholds: Thresholds,
}

/// One component as of now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TemperatureView {
    /// The newest reading, °C; `None`: not measured.
    pub celsius: Option<f64>,
    /// When the last believed reading came.
    pub read_at: Option<SteadyTime>,
    /// How bad it is; `None` before the first believed reading.
    pub grade: Option<Grade>,
    /// The median of the last three believed readings, °C.
    pub median: Option<f64>,
}

/// One component.
#[derive(Clone, Debug)]
struct Component {
    watch: Watch,
    celsius: Option<f64>,
    read_at: Option<SteadyTime>,
    /// The newest reading in range, bit for bit.
    bits: Option<u64>,
    /// When it became that.
    changed_at: SteadyTime,
    /// The mean of the others then; NaN where there was none.
    others_then: f64,
}

/// All components of one topic.
#[derive(Clone, Debug)]
pub struct Temperatures {
    rules: TemperatureRules,
    components: Vec<Component>,
    /// How many have ever been measured: means are over these.
    known: u32,
}

impl Temperatures {
    /// Nothing read yet.
    #[must_use]
    pub fn new(rules: TemperatureRules, components: usize) -> Self {
        let component = Component {
            watch: Watch::new(BadSide::Above, rules.thresholds),
            celsius: None,
            read_at: None,
            bits: None,
            changed_at: SteadyTime::default(),
            others_then: f64::NAN,
        };
        Self { rules, components: vec![component; components], known: 0 }
    }

    /// One message: a value for each component, in order; what is missing was not measured. Calls
    /// `tell` for each reading that cannot be believed.
    pub fn sample(
        &mut self,
        values: &[f64],
        now: SteadyTime,
        tell: &mut dyn FnMut(InvalidReading),
    ) {
        let all = self.sum();
        let is_alone = self.components.len() < 2;
        let values = values.iter().copied().chain(std::iter::repeat(f64::NAN));
        for (component, value) in self.components.iter_mut().zip(values) {
            let others = component.others(all);
            let invalid = implausible(value, self.rules.valid)
                .or_else(|| component.is_stuck(value, others, is_alone, now));
            match invalid {
                None => {
                    component.watch.note(value);
                    component.celsius = Some(value);
                    component.read_at = Some(now);
                }
                Some(reason) => {
                    component.celsius = None;
                    tell(reason);
                }
            }
        }
        let all = self.sum();
        if all.1 != self.known {
            // The means are of others now.
            self.known = all.1;
            for component in &mut self.components {
                component.others_then = component.others(all);
            }
        }
    }

    /// Nothing has come for too long: nothing is measured any more, everything else stays.
    pub fn silence(&mut self) {
        for component in &mut self.components {
            component.celsius = None;
        }
    }

    /// The components in order.
    pub fn views(&self) -> impl Iterator<Item = TemperatureView> + '_ {
        self.components.iter().map(|component| TemperatureView {
            celsius: component.celsius,
            read_at: component.read_at,
            grade: component.watch.grade(),
            median: component.watch.median(),
        })
    }

    /// The least factor of all components.
    #[must_use]
    pub fn derating(&self) -> f64 {
        let all = self.components.iter().map(|component| component.watch.derating());
        all.fold(1.0, crate::gate::units::at_most)
    }

    /// The sum of what was measured last, glitches left out, and of how many.
    fn sum(&self) -> (f64, u32) {
        let medians = self.components.iter().filter_map(|component| component.watch.median());
        medians.fold((0.0, 0), |(sum, count), one| (sum + one, count + 1))
    }
}

impl Component {
    /// The mean of the others; NaN where there is none.
    fn others(&self, (sum, count): (f64, u32)) -> f64 {
        let (own, owns) = self.watch.median().map_or((0.0, 0), |own| (own, 1));
        match count.saturating_sub(owns) {
            0 => f64::NAN,
            others => (sum - own) / f64::from(others),
        }
    }

    fn is_stuck(
        &mut self,
        value: f64,
        others: f64,
        is_alone: bool,
        now: SteadyTime,
    ) -> Option<InvalidReading> {
        if self.bits != Some(value.to_bits()) {
            self.bits = Some(value.to_bits());
            self.changed_at = now;
            self.others_then = others;
            return None;
        }
        let is_stuck = if is_alone {
            now.since(self.changed_at) >= STUCK_ALONE
        } else {
            (others - self.others_then).abs() >= STUCK_OTHERS_MOVED
        };
        is_stuck.then_some(InvalidReading::Stuck)
    }
}

fn implausible(value: f64, (low, high): (f64, f64)) -> Option<InvalidReading> {
    if value.is_nan() {
        Some(InvalidReading::Nan)
    } else if is_within(value, low, high) {
        None
    } else if SENTINELS.iter().any(|known| (value - known).abs() <= SENTINEL_WITHIN) {
        Some(InvalidReading::Sentinel)
    } else {
        Some(InvalidReading::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> SteadyTime {
        SteadyTime::from_nanos(s * 1_000_000_000)
    }

    fn motors(count: usize) -> Temperatures {
        let thresholds =
            Thresholds { warn: Some(60.0), derate: Some(70.0), trip: Some(90.0), hysteresis: 5.0 };
        Temperatures::new(TemperatureRules { valid: (-20.0, 130.0), thresholds }, count)
    }

    fn sample(motors: &mut Temperatures, values: &[f64], s: u64) -> Vec<InvalidReading> {
        let mut told = Vec::new();
        motors.sample(values, at(s), &mut |reason| told.push(reason));
        told
    }

    fn celsius(motors: &Temperatures) -> Vec<Option<f64>> {
        motors.views().map(|view| view.celsius).collect()
    }

    #[test]
    fn when_a_reading_cannot_be_believed_expect_its_reason_and_no_value() {
        for (value, reason) in [
            (f64::NAN, InvalidReading::Nan),
            (f64::INFINITY, InvalidReading::Range),
            (130.1, InvalidReading::Range),
            (-20.5, InvalidReading::Range),
            (f64::from(-273.15_f32), InvalidReading::Sentinel),
            (-273.0, InvalidReading::Sentinel),
            (-128.0, InvalidReading::Sentinel),
            (-127.0, InvalidReading::Sentinel),
            (-999.0, InvalidReading::Sentinel),
            (-32768.0, InvalidReading::Sentinel),
            (255.0, InvalidReading::Sentinel),
            (999.0, InvalidReading::Sentinel),
            (f64::from(3276.7_f32), InvalidReading::Sentinel),
            (f64::from(6553.5_f32), InvalidReading::Sentinel),
            (32767.0, InvalidReading::Sentinel),
            (65535.0, InvalidReading::Sentinel),
        ] {
            let mut motors = motors(2);
            assert_eq!(sample(&mut motors, &[40.0, 50.0], 0), []);
            assert_eq!(sample(&mut motors, &[value, 51.0], 1), [reason], "{value}");
            assert_eq!(celsius(&motors), [None, Some(51.0)]);
            let first = motors.views().next().unwrap();
            assert_eq!((first.read_at, first.grade), (Some(at(0)), Some(Grade::Ok)));
        }
    }

    #[test]
    fn when_a_sentinel_is_inside_the_range_expect_it_believed() {
        let mut motors = motors(1);
        assert_eq!(sample(&mut motors, &[127.0], 0), []);
        assert_eq!(motors.views().next().unwrap().grade, Some(Grade::Trip));
    }

    #[test]
    fn when_a_hot_one_is_lost_expect_grade_and_derating_to_stay() {
        let mut motors = motors(3);
        for s in 0..3 {
            sample(&mut motors, &[30.0, 80.0, 30.0], s);
        }
        assert!((motors.derating() - 0.6).abs() < 1e-12);
        for s in 3..100 {
            sample(&mut motors, &[30.5, [f64::NAN, 255.0, 1e9][s as usize % 3], 30.5], s);
        }
        motors.silence();
        assert_eq!(celsius(&motors), [None, None, None]);
        assert_eq!(motors.views().nth(1).unwrap().grade, Some(Grade::Derate));
        assert!((motors.derating() - 0.6).abs() < 1e-12);
        for s in 100..103 {
            sample(&mut motors, &[30.0, 40.0, 30.0], s);
        }
        assert_eq!(motors.derating(), 1.0);
    }

    #[test]
    fn when_a_message_is_short_expect_the_rest_not_measured() {
        let mut motors = motors(3);
        assert_eq!(sample(&mut motors, &[40.0], 0), [InvalidReading::Nan; 2]);
        assert_eq!(celsius(&motors), [Some(40.0), None, None]);
    }

    #[test]
    fn when_one_stands_still_while_the_others_move_expect_it_stuck_until_it_changes() {
        let mut motors = motors(3);
        let mut stuck = Vec::new();
        for s in 0..40_u32 {
            let warms = 30.0 + f64::from(s);
            stuck.push(sample(&mut motors, &[warms, 25.0, warms], s.into()));
        }
        // The others move a kelvin a message, and are one behind in the median.
        assert!(stuck[..10].iter().all(Vec::is_empty), "{stuck:?}");
        assert!(stuck[13..].iter().all(|told| *told == [InvalidReading::Stuck]), "{stuck:?}");
        assert_eq!(celsius(&motors)[1], None);
        assert_eq!(sample(&mut motors, &[70.0, 25.5, 70.0], 41), []);
        assert_eq!(celsius(&motors)[1], Some(25.5));
    }

    #[test]
    fn when_all_stand_still_or_one_glitches_or_comes_late_expect_none_stuck() {
        let mut motors = motors(3);
        for s in 0..10_000 {
            assert_eq!(sample(&mut motors, &[25.0, 26.0, 27.0], s), []);
        }
        assert_eq!(sample(&mut motors, &[25.0, 26.0, 120.0], 10_000), []);
        assert_eq!(sample(&mut motors, &[25.0, 26.0, 27.0], 10_001), []);
        // One of two is heard only later: that moves the mean and nobody's temperature.
        let mut motors = self::motors(2);
        for s in 0..10 {
            assert_eq!(sample(&mut motors, &[25.0, f64::NAN], s), [InvalidReading::Nan]);
        }
        for s in 10..20 {
            assert_eq!(sample(&mut motors, &[25.0, 80.0], s), [], "{s}");
        }
        // And one that is lost again.
        for s in 20..40 {
            assert_eq!(sample(&mut motors, &[25.0, f64::NAN], s), [InvalidReading::Nan]);
        }
    }

    #[test]
    fn when_one_jumps_and_stays_expect_it_not_stuck_by_its_own_doing() {
        let mut motors = motors(2);
        for s in 0..3 {
            assert_eq!(sample(&mut motors, &[30.0, 30.0], s), []);
        }
        for s in 3..5 {
            assert_eq!(sample(&mut motors, &[80.0, 30.25], s), [], "{s}");
        }
        // The other has seen it move by 50 K, and should have changed.
        assert_eq!(sample(&mut motors, &[80.0, 30.25], 5), [InvalidReading::Stuck]);
        assert_eq!(celsius(&motors), [Some(80.0), None]);
    }

    #[test]
    fn when_there_is_only_one_expect_it_stuck_after_an_hour() {
        let mut motors = motors(1);
        for s in 0..3600 {
            assert_eq!(sample(&mut motors, &[25.0], s), []);
        }
        assert_eq!(sample(&mut motors, &[25.0], 3600), [InvalidReading::Stuck]);
        assert_eq!(sample(&mut motors, &[25.1], 3601), []);
    }
}
