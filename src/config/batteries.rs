//! `batteries.<name>`: what tells of charge.
//!
//! `sensor_msgs/msg/BatteryState` says by itself what is what; of any other type `fields` and `scale`
//! do. **Invariant:** a threshold stands only where there is a charge that can reach it.

use super::globals::Globals;
use super::keys::Keys;
use super::model::{BatteryConfig, BatteryFields, ScaledField};
use super::range::Range;
use super::{names, paths, temperatures};
use crate::cdr::Path;
use crate::gate::sensor::Thresholds;

const BATTERY_STATE: &str = "sensor_msgs/msg/BatteryState";
/// How much fuller than a threshold it must be to be this side of it again: a battery whose load
/// ends recovers by some percent.
const HYSTERESIS: f64 = 0.02;

/// All that can be read, sorted by name.
pub(super) fn batteries(keys: &mut Keys<'_>, globals: &Globals) -> Vec<BatteryConfig> {
    let all = names::names(keys, "batteries");
    all.into_iter().filter_map(|name| one(keys, name, globals)).collect()
}

fn one(keys: &mut Keys<'_>, name: String, globals: &Globals) -> Option<BatteryConfig> {
    let at = format!("batteries.{name}");
    let type_name = names::any_message_type(keys, &format!("{at}.type"));
    let topic = names::topic(keys, &format!("{at}.topic"));
    let timeout = temperatures::timeout(keys, &at, globals);
    let fields = match type_name {
        None => None,
        Some(BATTERY_STATE) => built_in(keys, &at),
        Some(_) => mapped(keys, &at),
    };
    let thresholds = thresholds(keys, &at);
    let (fields, thresholds) = (fields?, thresholds?);
    let has_charge = fields.percentage.is_some() || fields.charge.is_some();
    if !has_charge {
        for grade in ["warn", "derate", "trip"] {
            let because = "nothing here tells how full it is";
            let only = "only with fields.percentage, or fields.charge and fields.capacity";
            keys.refuse_effectless(&format!("{at}.{grade}_ratio"), only, because)?;
        }
    }
    Some(BatteryConfig {
        name,
        type_name: type_name?.to_owned(),
        topic: topic?,
        timeout: timeout?,
        fields,
        thresholds,
    })
}

/// The fields of `BatteryState`.
fn built_in(keys: &mut Keys<'_>, at: &str) -> Option<BatteryFields> {
    for group in ["fields", "scale"] {
        let because = "the type says by itself what is what, and in which unit";
        let key = format!("{at}.{group}");
        keys.refuse_effectless(&key, "only for types other than BatteryState", because)?;
    }
    let field = |path: &str| Path::parse(path).ok().map(|path| (path, 1.0));
    Some(BatteryFields {
        percentage: field("percentage"),
        charge: field("charge"),
        capacity: field("capacity"),
        voltage: field("voltage"),
        current: field("current"),
        status: field("power_supply_status"),
        health: field("power_supply_health"),
    })
}

fn mapped(keys: &mut Keys<'_>, at: &str) -> Option<BatteryFields> {
    let percentage = scaled(keys, at, "percentage");
    let charge = scaled(keys, at, "charge");
    let capacity = scaled(keys, at, "capacity");
    let voltage = scaled(keys, at, "voltage");
    let current = scaled(keys, at, "current");
    let (charge, capacity) = (charge?, capacity?);
    for (one, other, missing) in [(&charge, &capacity, "capacity"), (&capacity, &charge, "charge")]
    {
        if one.is_some() && other.is_none() {
            keys.missing(
                &format!("{at}.fields.{missing}"),
                "a path",
                "only charge and capacity together tell how full it is",
            );
            return None;
        }
    }
    let fields = BatteryFields {
        percentage: percentage?,
        charge,
        capacity,
        voltage: voltage?,
        current: current?,
        status: None,
        health: None,
    };
    if fields == BatteryFields::default() {
        keys.missing(
            &format!("{at}.fields"),
            "percentage, charge and capacity, voltage, current; at least one",
            "only sensor_msgs/msg/BatteryState has a built-in map",
        );
        return None;
    }
    Some(fields)
}

/// One number with its factor; `Some(None)` where it is not there, `None` after a problem.
fn scaled(keys: &mut Keys<'_>, at: &str, name: &str) -> Option<Option<ScaledField>> {
    let path = paths::path(keys, &format!("{at}.fields.{name}")).optional();
    let key = format!("{at}.scale.{name}");
    let because = "the number times this is the unit of BatteryState: 1, Ah, V, A";
    let scale = keys.double(&key, Range::any("", because)).optional();
    let (path, scale) = (path?, scale?);
    let Some(path) = path else {
        let only = format!("only beside fields.{name}");
        keys.refuse_effectless(&key, &only, "there is nothing that it could scale")?;
        return Some(None);
    };
    let scale = scale.unwrap_or(1.0);
    let is_current = name == "current";
    if scale > 0.0 || (is_current && scale < 0.0) {
        return Some(Some((path, scale)));
    }
    keys.refuse(
        &key,
        format!("{scale:?} is not allowed"),
        if is_current { "v < 0 or v > 0" } else { "v > 0" },
        "only a current has a sign that drivers turn round",
        "correct the value",
    );
    None
}

fn thresholds(keys: &mut Keys<'_>, at: &str) -> Option<Thresholds> {
    let range = Range::above(0.0, "", "a charge from empty, 0, to full, 1").to(0.95);
    let mut ratio = |name: &str| keys.double(&format!("{at}.{name}_ratio"), range).optional();
    let (warn, derate, trip) = (ratio("warn"), ratio("derate"), ratio("trip"));
    let (warn, derate, trip) = (warn?, derate?, trip?);
    temperatures::ordered(keys, at, "ratio", [warn, derate, trip], |more, less| more > less)?;
    Some(Thresholds { warn, derate, trip, hysteresis: HYSTERESIS })
}
