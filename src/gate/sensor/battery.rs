//! The readings of one battery: what it has, what flows, and what its driver gets wrong.
//!
//! By the rules of `sensor_msgs/msg/BatteryState`: charge from 0 to 1, current negative while it
//! discharges, NaN for what is not measured. Drivers that break a rule are common, so each is looked
//! for, counted, and taken so that the battery does not look fuller than it is.

use std::time::Duration;

use super::{BadSide, Grade, Thresholds, Watch};
use crate::gate::closed_list::closed_list;
use crate::gate::units::{SteadyTime, at_most, is_within};

closed_list! {
    /// Rules that drivers break.
    BatteryRule {
        /// The charge comes as 0 to 100 and not as 0 to 1. From the first on it is read as that.
        PercentScale = "percent_scale",
        /// The current's sign says the opposite of the status.
        Sign = "sign",
        /// There is no voltage, which is the one thing that a battery must tell.
        VoltageMissing = "voltage_missing",
        /// A number that cannot be: a charge below 0 or over 100, a status that is none.
        Range = "range",
    }
}

closed_list! {
    /// `power_supply_status` of `sensor_msgs/msg/BatteryState`.
    PowerStatus {
        /// 0
        Unknown = "unknown",
        /// 1
        Charging = "charging",
        /// 2
        Discharging = "discharging",
        /// 3
        NotCharging = "not_charging",
        /// 4
        Full = "full",
    }
}

closed_list! {
    /// `power_supply_health` of `sensor_msgs/msg/BatteryState`.
    PowerHealth {
        /// 0
        Unknown = "unknown",
        /// 1
        Good = "good",
        /// 2
        Overheat = "overheat",
        /// 3
        Dead = "dead",
        /// 4
        Overvoltage = "overvoltage",
        /// 5
        UnspecFailure = "unspec_failure",
        /// 6
        Cold = "cold",
        /// 7
        WatchdogTimerExpire = "watchdog_timer_expire",
        /// 8
        SafetyTimerExpire = "safety_timer_expire",
    }
}

/// Charges over 1 up to here may be a full battery or one percent: neither is believed.
const FULL_AT_MOST: f64 = 1.05;
/// Currents below this say nothing about their direction, A.
const NO_CURRENT: f64 = 0.05;

/// The rules of one battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatteryRules {
    /// Ratios, 0 to 1.
    pub thresholds: Thresholds,
    /// A longer time between two messages counts no energy: nobody knows what flowed in it.
    pub longest_gap: Duration,
    /// The message has a voltage, so that its absence is a fault.
    pub has_voltage: bool,
}

/// One message; NaN and `None`: it does not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatterySample {
    /// Charge as the driver tells it, 0 to 1 by the rule.
    pub percentage: f64,
    /// Charge, in the unit of `capacity`.
    pub charge: f64,
    /// Charge when full.
    pub capacity: f64,
    /// V.
    pub voltage: f64,
    /// A, negative while discharging.
    pub current: f64,
    /// `power_supply_status`.
    pub status: Option<u8>,
    /// `power_supply_health`.
    pub health: Option<u8>,
}

impl Default for BatterySample {
    /// One that tells nothing.
    fn default() -> Self {
        Self {
            percentage: f64::NAN,
            charge: f64::NAN,
            capacity: f64::NAN,
            voltage: f64::NAN,
            current: f64::NAN,
            status: None,
            health: None,
        }
    }
}

/// A battery as of now; `None`: not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatteryView {
    /// Charge, 0 to 1.
    pub charge: Option<f64>,
    /// V.
    pub voltage: Option<f64>,
    /// A, negative while discharging.
    pub current: Option<f64>,
    /// What it does.
    pub status: Option<PowerStatus>,
    /// How it is.
    pub health: Option<PowerHealth>,
    /// When the last believed charge came.
    pub read_at: Option<SteadyTime>,
}

/// One battery.
#[derive(Clone, Debug)]
pub struct Battery {
    rules: BatteryRules,
    watch: Watch,
    view: BatteryView,
    /// The driver was caught at sending 0 to 100.
    sends_percent: bool,
    /// When the power was last known, and what it was, W.
    flowed: Option<(SteadyTime, f64)>,
    discharged_j: f64,
    charged_j: f64,
}

impl Battery {
    /// Nothing read yet.
    #[must_use]
    pub fn new(rules: BatteryRules) -> Self {
        Self {
            rules,
            watch: Watch::new(BadSide::Below, rules.thresholds),
            view: BatteryView::default(),
            sends_percent: false,
            flowed: None,
            discharged_j: 0.0,
            charged_j: 0.0,
        }
    }

    /// One message. Calls `tell` for each rule that it breaks.
    pub fn sample(
        &mut self,
        sample: &BatterySample,
        now: SteadyTime,
        tell: &mut dyn FnMut(BatteryRule),
    ) {
        let measured = |value: f64| value.is_finite().then_some(value);
        let charge = self.charge(sample, tell);
        if let Some(charge) = charge {
            self.watch.note(charge);
            self.view.read_at = Some(now);
        }
        self.view.charge = charge;
        self.view.voltage = measured(sample.voltage).filter(|voltage| *voltage > 0.0);
        if self.rules.has_voltage && self.view.voltage.is_none() {
            tell(BatteryRule::VoltageMissing);
        }
        self.view.current = measured(sample.current);
        self.view.status = listed(sample.status, PowerStatus::ALL, tell);
        self.view.health = listed(sample.health, PowerHealth::ALL, tell);
        let is_wrong = match (self.view.status, self.view.current) {
            (Some(PowerStatus::Discharging), Some(current)) => current > NO_CURRENT,
            (Some(PowerStatus::Charging), Some(current)) => current < -NO_CURRENT,
            (Some(PowerStatus::Unknown | PowerStatus::NotCharging | PowerStatus::Full), _)
            | (None, _)
            | (_, None) => false,
        };
        if is_wrong {
            tell(BatteryRule::Sign);
        }
        self.flow(is_wrong, now);
    }

    /// The charge, where it can be believed.
    fn charge(&mut self, sample: &BatterySample, tell: &mut dyn FnMut(BatteryRule)) -> Option<f64> {
        let told = sample.percentage;
        if told.is_nan() {
            // As the message has it: charge and capacity tell the same.
            let ratio = sample.charge / sample.capacity;
            if ratio.is_nan() {
                return None;
            }
            if sample.capacity > 0.0 && is_within(ratio, 0.0, FULL_AT_MOST) {
                return Some(at_most(ratio, 1.0));
            }
            tell(BatteryRule::Range);
            return None;
        }
        if is_within(told, 0.0, 1.0) && !self.sends_percent {
            return Some(told);
        }
        let is_percent = is_within(told, 0.0, 100.0) && (self.sends_percent || told > FULL_AT_MOST);
        if is_percent {
            // From here on 0.8 is nearly empty, and no longer nearly full.
            self.sends_percent = true;
            tell(BatteryRule::PercentScale);
            return Some(told / 100.0);
        }
        tell(BatteryRule::Range);
        None
    }

    /// Energy since the message before, by the mean of the two powers.
    fn flow(&mut self, is_wrong: bool, now: SteadyTime) {
        let (Some(voltage), Some(current), false) =
            (self.view.voltage, self.view.current, is_wrong)
        else {
            self.flowed = None;
            return;
        };
        let power = voltage * current;
        let before = self.flowed.replace((now, power));
        let Some((at, power_before)) = before else { return };
        let elapsed = now.since(at);
        if elapsed > self.rules.longest_gap {
            return;
        }
        let energy = f64::midpoint(power, power_before) * elapsed.as_secs_f64();
        if energy > 0.0 {
            self.charged_j += energy;
        } else {
            self.discharged_j -= energy;
        }
    }

    /// Nothing has come for too long: nothing is measured any more, everything else stays.
    pub fn silence(&mut self) {
        self.view = BatteryView { read_at: self.view.read_at, ..BatteryView::default() };
        self.flowed = None;
    }

    /// What is measured.
    #[must_use]
    pub const fn view(&self) -> &BatteryView {
        &self.view
    }

    /// How bad it is; `None` before the first believed charge.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        self.watch.grade()
    }

    /// The median of the last three believed charges, 0 to 1.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.watch.median()
    }

    /// Factor on velocity and speeding up.
    #[must_use]
    pub fn derating(&self) -> f64 {
        self.watch.derating()
    }

    /// Energy given since start, J.
    #[must_use]
    pub const fn discharged_j(&self) -> f64 {
        self.discharged_j
    }

    /// Energy taken since start, J.
    #[must_use]
    pub const fn charged_j(&self) -> f64 {
        self.charged_j
    }
}

/// The member of that number.
fn listed<T: Copy>(number: Option<u8>, all: &[T], tell: &mut dyn FnMut(BatteryRule)) -> Option<T> {
    let found = all.get(usize::from(number?)).copied();
    if found.is_none() {
        tell(BatteryRule::Range);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    fn battery() -> Battery {
        Battery::new(BatteryRules {
            thresholds: Thresholds {
                warn: Some(0.3),
                derate: Some(0.2),
                trip: Some(0.1),
                hysteresis: 0.02,
            },
            longest_gap: Duration::from_secs(10),
            has_voltage: true,
        })
    }

    fn sample(battery: &mut Battery, sample: BatterySample, ms: u64) -> Vec<BatteryRule> {
        let mut told = Vec::new();
        battery.sample(&sample, at(ms), &mut |rule| told.push(rule));
        told
    }

    fn with_charge(percentage: f64) -> BatterySample {
        BatterySample { percentage, voltage: 48.0, ..BatterySample::default() }
    }

    fn flows(current: f64, status: u8) -> BatterySample {
        BatterySample { current, status: Some(status), ..with_charge(0.5) }
    }

    #[test]
    fn when_a_driver_keeps_the_rules_expect_its_numbers_and_nothing_told() {
        let mut battery = battery();
        let full = BatterySample { health: Some(1), ..flows(-2.5, 2) };
        assert_eq!(sample(&mut battery, full, 0), []);
        let view = battery.view();
        assert_eq!((view.charge, view.voltage, view.current), (Some(0.5), Some(48.0), Some(-2.5)));
        assert_eq!(view.status, Some(PowerStatus::Discharging));
        assert_eq!(view.health, Some(PowerHealth::Good));
        assert_eq!(battery.grade(), Some(Grade::Ok));
    }

    #[test]
    fn when_nothing_is_measured_expect_absence_and_only_the_voltage_missed() {
        let mut battery = battery();
        let told = sample(&mut battery, BatterySample::default(), 0);
        assert_eq!(told, [BatteryRule::VoltageMissing]);
        assert_eq!(*battery.view(), BatteryView::default());
        assert_eq!((battery.grade(), battery.derating()), (None, 1.0));
        let zero = BatterySample { voltage: 0.0, ..with_charge(0.5) };
        assert_eq!(sample(&mut battery, zero, 1), [BatteryRule::VoltageMissing]);
        let mut mapped = Battery::new(BatteryRules { has_voltage: false, ..battery.rules });
        assert_eq!(sample(&mut mapped, BatterySample::default(), 0), []);
    }

    #[test]
    fn when_a_driver_sends_percent_expect_it_told_and_read_as_that_from_then_on() {
        let mut battery = battery();
        assert_eq!(sample(&mut battery, with_charge(87.0), 0), [BatteryRule::PercentScale]);
        assert_eq!(battery.view().charge, Some(0.87));
        // 0.8 percent, and not 80.
        for ms in 1..4 {
            assert_eq!(sample(&mut battery, with_charge(0.8), ms), [BatteryRule::PercentScale]);
        }
        assert_eq!((battery.view().charge, battery.grade()), (Some(0.008), Some(Grade::Trip)));
        assert_eq!(sample(&mut battery, with_charge(1.0), 9), [BatteryRule::PercentScale]);
        assert_eq!(battery.view().charge, Some(0.01));
    }

    #[test]
    fn when_a_charge_cannot_be_expect_it_told_and_not_measured() {
        for told in [-1.0, -0.01, 1.01, FULL_AT_MOST, 100.1, f64::INFINITY, f64::NEG_INFINITY] {
            let mut battery = battery();
            assert_eq!(sample(&mut battery, with_charge(told), 0), [BatteryRule::Range], "{told}");
            assert_eq!((battery.view().charge, battery.grade()), (None, None), "{told}");
        }
        let mut battery = battery();
        let odd = BatterySample { status: Some(9), health: Some(200), ..with_charge(0.5) };
        assert_eq!(sample(&mut battery, odd, 0), [BatteryRule::Range; 2]);
        assert_eq!((battery.view().status, battery.view().health), (None, None));
    }

    #[test]
    fn when_there_is_no_percentage_expect_charge_over_capacity() {
        let ratio = |charge: f64, capacity: f64| {
            let mut battery = battery();
            let told = BatterySample { charge, capacity, ..with_charge(f64::NAN) };
            let told = sample(&mut battery, told, 0);
            (battery.view().charge, told)
        };
        assert_eq!(ratio(2.0, 8.0), (Some(0.25), vec![]));
        assert_eq!(ratio(8.2, 8.0), (Some(1.0), vec![]));
        assert_eq!(ratio(9.0, 8.0), (None, vec![BatteryRule::Range]));
        assert_eq!(ratio(2.0, 0.0), (None, vec![BatteryRule::Range]));
        assert_eq!(ratio(-2.0, -8.0), (None, vec![BatteryRule::Range]));
        assert_eq!(ratio(f64::NAN, 8.0), (None, vec![]));
    }

    #[test]
    fn when_sign_and_status_disagree_expect_it_told_and_no_energy() {
        for (current, status, is_wrong) in [
            (2.0, 2, true),
            (-2.0, 1, true),
            (-2.0, 2, false),
            (2.0, 1, false),
            (0.04, 2, false),
            (NO_CURRENT, 2, false),
            (-NO_CURRENT, 1, false),
            (2.0, 0, false),
            (-2.0, 4, false),
        ] {
            let mut battery = battery();
            let expected = if is_wrong { vec![BatteryRule::Sign] } else { vec![] };
            for ms in [0, 1_000] {
                let told = sample(&mut battery, flows(current, status), ms);
                assert_eq!(told, expected, "{current} {status}");
            }
            let all = battery.discharged_j() + battery.charged_j();
            assert_eq!(all > 0.0, !is_wrong, "{current} {status}");
        }
    }

    #[test]
    fn when_current_flows_expect_the_energy_of_short_gaps_only() {
        let mut battery = battery();
        sample(&mut battery, flows(-2.0, 2), 0);
        sample(&mut battery, flows(-4.0, 2), 1_000);
        assert_eq!((battery.discharged_j(), battery.charged_j()), (48.0 * 3.0, 0.0));
        sample(&mut battery, flows(-4.0, 2), 11_001);
        assert_eq!(battery.discharged_j(), 48.0 * 3.0, "ten seconds and a bit: nobody knows");
        sample(&mut battery, flows(4.0, 1), 12_001);
        assert_eq!((battery.discharged_j(), battery.charged_j()), (48.0 * 3.0, 0.0));
        sample(&mut battery, flows(4.0, 1), 14_001);
        assert_eq!(battery.charged_j(), 48.0 * 8.0);
        battery.silence();
        sample(&mut battery, flows(4.0, 1), 15_001);
        assert_eq!(battery.charged_j(), 48.0 * 8.0, "silent in between");
        sample(&mut battery, flows(4.0, 1), 25_001);
        assert_eq!(battery.charged_j(), 48.0 * 48.0, "ten seconds to the millisecond: known");
    }

    #[test]
    fn when_it_falls_silent_expect_absence_and_the_grade_kept() {
        let mut battery = battery();
        for ms in 0..3 {
            sample(&mut battery, with_charge(0.15), ms);
        }
        assert_eq!(battery.median(), Some(0.15));
        battery.silence();
        assert_eq!((battery.view().charge, battery.view().voltage), (None, None));
        assert_eq!(battery.view().read_at, Some(at(2)));
        assert_eq!(battery.grade(), Some(Grade::Derate));
        assert!((battery.derating() - 0.6).abs() < 1e-12);
    }

    proptest! {
        /// Whatever a driver sends: energy only grows and is a number, and a charge is from 0 to 1.
        #[test]
        fn any_messages_keep_energy_monotone_and_charge_a_ratio(
            messages in prop::collection::vec(
                (prop::num::f64::ANY, prop::num::f32::ANY, -100.0..100.0f64, 0u8..7, 0u64..20_000),
                1..60,
            ),
        ) {
            let mut battery = battery();
            let (mut now, mut before) = (0, (0.0, 0.0));
            for (percentage, voltage, current, status, wait) in messages {
                now += wait;
                let message = BatterySample {
                    percentage,
                    voltage: f64::from(voltage),
                    current,
                    status: Some(status),
                    ..BatterySample::default()
                };
                battery.sample(&message, at(now), &mut |_| {});
                let energy = (battery.discharged_j(), battery.charged_j());
                prop_assert!(energy.0 >= before.0 && energy.1 >= before.1);
                prop_assert!(energy.0.is_finite() && energy.1.is_finite());
                before = energy;
                if let Some(charge) = battery.view().charge {
                    prop_assert!((0.0..=1.0).contains(&charge));
                }
                prop_assert!((0.2..=1.0).contains(&battery.derating()));
            }
        }
    }
}
