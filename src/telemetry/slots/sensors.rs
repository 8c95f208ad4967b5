//! Slots of temperatures and batteries.
//!
//! **Invariant:** thread `monitor` alone writes. The lock is for words only, which the status reads;
//! the gate thread touches none of this.

use std::time::Duration;

use parking_lot::Mutex;

use super::cells::{Counter, Gauge, Level, OneOf, TimestampGauge};
use super::table::Table;
use crate::config::model::{BatteryConfig, TemperatureConfig};
use crate::gate::sensor::{
    BatteryRule, Grade, InvalidReading, PowerHealth, PowerStatus, Thresholds,
};
use crate::gate::units::SteadyTime;

/// What every sensor has.
#[derive(Debug, Default)]
pub struct SensorSlots {
    /// Newest message, believed or not.
    pub last_received: TimestampGauge,
    /// The same by the steady clock, ns.
    pub last_steady: Level,
    obstacle: Mutex<String>,
}

impl SensorSlots {
    /// Who offers on its topic what cannot be read; empty: nobody.
    #[must_use]
    pub fn obstacle(&self) -> String {
        self.obstacle.lock().clone()
    }

    /// Says who.
    pub fn say_obstacle(&self, text: &str) {
        text.clone_into(&mut self.obstacle.lock());
    }
}

/// Slots of one temperature topic.
#[derive(Debug)]
pub struct TemperatureSlots {
    /// Of the input.
    pub name: String,
    /// Of its topic.
    pub sensor: SensorSlots,
    /// In the order of [`TemperatureConfig::components`].
    pub components: Box<[ComponentSlots]>,
    /// Constant, °C.
    pub thresholds: Thresholds,
    /// Readings that cannot be believed.
    pub invalid: Table<InvalidReading, Counter>,
}

/// Slots of one component.
#[derive(Debug)]
pub struct ComponentSlots {
    /// Of the component.
    pub name: String,
    /// Newest reading, °C; absent while not measured.
    pub celsius: Gauge,
    /// None before the first reading.
    pub grade: OneOf<Grade>,
    /// When the last believed reading came, by the steady clock, ns.
    pub read_steady: Level,
}

impl TemperatureSlots {
    pub(super) fn new(config: &TemperatureConfig) -> Self {
        let component = |name: &String| ComponentSlots {
            name: name.clone(),
            celsius: Gauge::default(),
            grade: OneOf::default(),
            read_steady: Level::default(),
        };
        Self {
            name: config.name.clone(),
            sensor: SensorSlots::default(),
            components: config.components.iter().map(component).collect(),
            thresholds: config.thresholds,
            invalid: Table::default(),
        }
    }
}

/// Slots of one battery.
#[derive(Debug)]
pub struct BatterySlots {
    /// Of the input.
    pub name: String,
    /// Of its topic.
    pub sensor: SensorSlots,
    /// 0 to 1; absent while not measured, as the two below.
    pub charge: Gauge,
    /// V.
    pub voltage: Gauge,
    /// A, negative while discharging.
    pub current: Gauge,
    /// J, given since start.
    pub discharged: Gauge,
    /// J, taken since start.
    pub charged: Gauge,
    /// As the message tells it; none while it does not.
    pub status: OneOf<PowerStatus>,
    /// As the message tells it; none while it does not.
    pub health: OneOf<PowerHealth>,
    /// Rules that its driver broke.
    pub violations: Table<BatteryRule, Counter>,
    /// When it broke each last, by the steady clock, ns.
    broken_steady: Table<BatteryRule, Level>,
    /// None before the first believed charge.
    pub grade: OneOf<Grade>,
    /// When the last believed charge came, by the steady clock, ns.
    pub read_steady: Level,
}

impl BatterySlots {
    pub(super) fn new(config: &BatteryConfig) -> Self {
        let zero = || {
            let energy = Gauge::default();
            energy.set(0.0);
            energy
        };
        Self {
            name: config.name.clone(),
            sensor: SensorSlots::default(),
            charge: Gauge::default(),
            voltage: Gauge::default(),
            current: Gauge::default(),
            discharged: zero(),
            charged: zero(),
            status: OneOf::default(),
            health: OneOf::default(),
            violations: Table::default(),
            broken_steady: Table::default(),
            grade: OneOf::default(),
            read_steady: Level::default(),
        }
    }
    /// A message broke a rule.
    pub fn violated(&self, rule: BatteryRule, now: SteadyTime) {
        self.violations.at(rule).increment();
        self.broken_steady.at(rule).set(now.as_nanos());
    }

    /// The rules that messages broke within this time.
    pub fn broken_within(
        &self,
        time: Duration,
        now: SteadyTime,
    ) -> impl Iterator<Item = BatteryRule> + '_ {
        let recent = move |at: &Level| {
            at.get().is_some_and(|at| now.since(SteadyTime::from_nanos(at)) <= time)
        };
        self.broken_steady.iter().filter(move |(_, at)| recent(at)).map(|(rule, _)| rule)
    }
}
