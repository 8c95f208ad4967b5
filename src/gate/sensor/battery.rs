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
        /// The charge comes as 0 to 100 and not as 0 to 1. From the third in a row on every one is read
        /// as that.
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
/// Charges in a row that can only be percent, until all that come are read so: as many as a median
/// takes, because one alone must not turn the 0.8 after it into nearly empty.
const IN_A_ROW: u8 = 3;
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
    /// Charges in a row that can only be percent. At [`IN_A_ROW`] it stays: the driver sends 0 to 100.
    percents: u8,
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
            percents: 0,
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
        let sends_percent = self.percents >= IN_A_ROW;
        if is_within(told, 0.0, 1.0) && !sends_percent {
            self.percents = 0;
            return Some(told);
        }
        let is_percent = is_within(told, 0.0, 100.0) && (sends_percent || told > FULL_AT_MOST);
        if is_percent {
            // From the third on 0.8 is nearly empty, and no longer nearly full.
            self.percents = self.percents.saturating_add(1);
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
mod tests;
