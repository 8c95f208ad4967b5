//! What tells of heat and charge, after validation.

use std::time::Duration;

use super::Config;
use crate::cdr::Path;
use crate::gate::sensor::Thresholds;

/// One topic with temperatures.
#[derive(Clone, Debug, PartialEq)]
pub struct TemperatureConfig {
    /// Name in the params file.
    pub name: String,
    /// Name of the message type.
    pub type_name: String,
    /// Topic as written.
    pub topic: String,
    /// Where the numbers are, °C.
    pub field: Path,
    /// Silence after which nothing is measured any more.
    pub timeout: Duration,
    /// Lowest and highest reading that can be believed, °C.
    pub valid: (f64, f64),
    /// Names of what is measured; of one number alone, the input's own. Invariant: not empty, as many
    /// as `places`.
    pub components: Vec<String>,
    /// Which of the numbers found belongs to each component.
    pub places: Vec<usize>,
    /// °C.
    pub thresholds: Thresholds,
}

impl TemperatureConfig {
    /// Whether one field is one number, and no array on the way.
    #[must_use]
    pub fn is_one(&self) -> bool {
        use crate::cdr::Index;
        let is_single = |index: Index| matches!(index, Index::None | Index::One(_));
        self.field.steps().iter().all(|step| is_single(step.index))
    }

    /// What people call one component: the input, or `input/component`.
    #[must_use]
    pub fn point(&self, component: usize) -> String {
        match self.components.get(component) {
            Some(component) if *component != self.name => format!("{}/{component}", self.name),
            Some(_) | None => self.name.clone(),
        }
    }
}

/// One battery.
#[derive(Clone, Debug, PartialEq)]
pub struct BatteryConfig {
    /// Name in the params file.
    pub name: String,
    /// Name of the message type.
    pub type_name: String,
    /// Topic as written.
    pub topic: String,
    /// Silence after which nothing is measured any more.
    pub timeout: Duration,
    /// Where the numbers are, each with the factor that makes it the unit of `BatteryState`.
    pub fields: BatteryFields,
    /// Ratios, 0 to 1.
    pub thresholds: Thresholds,
}

/// A number's place and the factor that it is multiplied with.
pub type ScaledField = (Path, f64);

/// Where a battery's numbers are; `None`: the message does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatteryFields {
    /// Charge, 0 to 1.
    pub percentage: Option<ScaledField>,
    /// Charge, in the unit of `capacity`.
    pub charge: Option<ScaledField>,
    /// Charge when full.
    pub capacity: Option<ScaledField>,
    /// V.
    pub voltage: Option<ScaledField>,
    /// A, negative while discharging.
    pub current: Option<ScaledField>,
    /// `power_supply_status` by the numbers of `BatteryState`.
    pub status: Option<ScaledField>,
    /// `power_supply_health` by the numbers of `BatteryState`.
    pub health: Option<ScaledField>,
}

impl Config {
    /// Every temperature that can be a cause, by its number there: topic after topic, component
    /// after component.
    pub fn temperature_points(&self) -> impl Iterator<Item = (&TemperatureConfig, usize)> + '_ {
        let all = self.temperatures.iter();
        all.flat_map(|one| (0..one.components.len()).map(move |component| (one, component)))
    }
}
