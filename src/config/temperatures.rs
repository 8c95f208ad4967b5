//! `temperatures.<name>`: what tells of heat.
//!
//! **Invariant:** what is measured is known by name at the start, so that each component has its
//! series and its cause before the first message; how many an open `[]` has, the lane says whose
//! joints they are.

use super::globals::Globals;
use super::keys::Keys;
use super::model::{CommandType, LaneConfig, TemperatureConfig};
use super::range::{Range, Read};
use super::shape::has_names;
use super::{names, paths, places};
use crate::cdr::{Index, Path};
use crate::gate::sensor::Thresholds;

/// The type that has its field by itself.
const TEMPERATURE: &str = "sensor_msgs/msg/Temperature";
/// What can be believed of a motor where nothing is written, °C.
const DEFAULT_VALID: (f64, f64) = (-40.0, 150.0);
const DEFAULT_HYSTERESIS: f64 = 5.0;
/// The widest range that can be written, °C: from absolute zero to where no robot is.
const COLDEST: f64 = -273.15;
const HOTTEST: f64 = 1000.0;
/// Longest silence, s, of any sensor.
pub(super) const LONGEST_SILENCE_S: f64 = 3600.0;
const MOST_COMPONENTS: usize = 1024;

/// All that can be read, sorted by name.
pub(super) fn temperatures(
    keys: &mut Keys<'_>,
    globals: &Globals,
    lanes: &[LaneConfig],
) -> Vec<TemperatureConfig> {
    let all = names::names(keys, "temperatures");
    all.into_iter().filter_map(|name| one(keys, name, globals, lanes)).collect()
}

/// The silence after which nothing is measured any more.
pub(super) fn timeout(
    keys: &mut Keys<'_>,
    at: &str,
    globals: &Globals,
) -> Option<std::time::Duration> {
    let key = format!("{at}.timeout_s");
    let range = Range::from(1.0 / globals.tick_hz, " s", "silence is looked at ten times a second");
    let timeout = keys.seconds(&key, range.to(LONGEST_SILENCE_S));
    keys.needed(&key, timeout, "a time in s", "a gauge of something silent must not look alive")
}

fn one(
    keys: &mut Keys<'_>,
    name: String,
    globals: &Globals,
    lanes: &[LaneConfig],
) -> Option<TemperatureConfig> {
    let at = format!("temperatures.{name}");
    let type_name = names::any_message_type(keys, &format!("{at}.type"));
    let topic = names::topic(keys, &format!("{at}.topic"));
    let field = field(keys, &at, type_name);
    let timeout = timeout(keys, &at, globals);
    let valid = valid(keys, &at);
    let thresholds = valid.and_then(|valid| thresholds(keys, &at, valid));
    let parts = match &field {
        Some(field) => components(keys, &at, &name, field, lanes),
        None => None,
    };
    let (components, places) = parts?;
    Some(TemperatureConfig {
        type_name: type_name?.to_owned(),
        topic: topic?,
        field: field?,
        timeout: timeout?,
        valid: valid?,
        components,
        places,
        thresholds: thresholds?,
        name,
    })
}

fn field(keys: &mut Keys<'_>, at: &str, type_name: Option<&str>) -> Option<Path> {
    let key = format!("{at}.field");
    let field = paths::path(keys, &key);
    if field.is_absent() && type_name == Some(TEMPERATURE) {
        return Path::parse("temperature").ok();
    }
    if field.is_absent() && type_name.is_none() {
        return None;
    }
    let allowed = "a path, for example motor_state[0..29].temperature[0]";
    keys.needed(&key, field, allowed, "which number is the temperature is never guessed")
}

fn valid(keys: &mut Keys<'_>, at: &str) -> Option<(f64, f64)> {
    let key = format!("{at}.valid");
    let because = "what is outside is a sensor's fault, and no temperature of a robot";
    let range = Range::from(COLDEST, " °C", because).to(HOTTEST);
    let valid = keys.pair(&key, range).or(DEFAULT_VALID)?;
    if valid.0 < valid.1 {
        return Some(valid);
    }
    keys.refuse(
        &key,
        format!("[{:?}, {:?}] holds nothing", valid.0, valid.1),
        "[lowest, highest]",
        "no reading would ever be believed",
        "write the lower one first",
    );
    None
}

fn thresholds(keys: &mut Keys<'_>, at: &str, valid: (f64, f64)) -> Option<Thresholds> {
    let because = "a reading outside `valid` is not believed, so it would never be reached";
    let range = Range::above(valid.0, " °C", because).to(valid.1);
    let mut celsius = |name: &str| keys.double(&format!("{at}.{name}_celsius"), range).optional();
    let (warn, derate, trip) = (celsius("warn"), celsius("derate"), celsius("trip"));
    let hysteresis_key = format!("{at}.hysteresis_celsius");
    let because = "how far below a threshold it is gone";
    let hysteresis = keys.double(&hysteresis_key, Range::above(0.0, " K", because).to(50.0));
    let (warn, derate, trip) = (warn?, derate?, trip?);
    if warn.is_none() && derate.is_none() && trip.is_none() && !hysteresis.is_absent() {
        let only = "only beside a threshold";
        keys.refuse_effectless(&hysteresis_key, only, "there is no threshold that it belongs to")?;
    }
    ordered(keys, at, "celsius", [warn, derate, trip], |less, more| less < more)?;
    Some(Thresholds { warn, derate, trip, hysteresis: hysteresis.or(DEFAULT_HYSTERESIS)? })
}

/// Refuses thresholds of grades `warn`, `derate` and `trip` that are not in the order in which it
/// gets worse, and a derating that leads nowhere. `None` if it did.
pub(super) fn ordered(
    keys: &mut Keys<'_>,
    at: &str,
    unit: &str,
    [warn, derate, trip]: [Option<f64>; 3],
    is_before: impl Fn(f64, f64) -> bool,
) -> Option<()> {
    if derate.is_some() && trip.is_none() {
        keys.missing(
            &format!("{at}.trip_{unit}"),
            &format!("a threshold beyond derate_{unit}"),
            "limits shrink from derate to trip, where a fifth of them is left",
        );
        return None;
    }
    let all = [("warn", warn), ("derate", derate), ("trip", trip)];
    let written: Vec<(&str, f64)> =
        all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    let mut is_good = true;
    for pair in written.windows(2) {
        let [(first, before), (second, after)] = pair else { continue };
        if !is_before(*before, *after) {
            keys.refuse(
                &format!("{at}.{second}_{unit}"),
                format!("{after:?} comes before {first}_{unit}, {before:?}"),
                "warn, derate, trip in the order in which it gets worse",
                "a trip without a warning, or a derating beyond the trip, is a mistake",
                "correct one of the two",
            );
            is_good = false;
        }
    }
    is_good.then_some(())
}

/// The names of what a field measures, and which of the numbers found is whose.
fn components(
    keys: &mut Keys<'_>,
    at: &str,
    name: &str,
    field: &Path,
    lanes: &[LaneConfig],
) -> Option<(Vec<String>, Vec<usize>)> {
    let key = format!("{at}.joints_of");
    let many: Vec<Index> = field
        .steps()
        .iter()
        .map(|step| step.index)
        .filter(|index| matches!(index, Index::All | Index::Range(..)))
        .collect();
    let index = match many.as_slice() {
        [] => {
            let because = "one number is no list of joints";
            keys.refuse_effectless(&key, "only with a field of many numbers", because)?;
            return Some((vec![name.to_owned()], vec![0]));
        }
        [index] => *index,
        [_, _, ..] => {
            keys.refuse(
                &format!("{at}.field"),
                format!("{field} goes through several arrays"),
                "one [] or [i..j], and a number in the other brackets",
                "each number needs a name of its own",
                "write one input for each, for example motor_state[0..29].temperature[0] and [1]",
            );
            return None;
        }
    };
    let joints = match keys.string(&key) {
        Read::Bad => return None,
        Read::Absent => None,
        Read::Got(lane) => Some(joints(keys, &key, lane, lanes, index)?),
    };
    let (components, places) = match (index, joints) {
        (Index::Range(from, to), None) => {
            let names: Vec<String> =
                (from..to).take(MOST_COMPONENTS + 1).map(|i| i.to_string()).collect();
            let places = (0..names.len()).collect();
            (names, places)
        }
        (Index::Range(from, to), Some((joints, _))) => {
            let count = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            if joints.len() != count {
                keys.refuse(
                    &key,
                    format!("{count} numbers for {} joints", joints.len()),
                    format!("a range of {}, in the order of `joints`", joints.len()),
                    "each temperature must belong to exactly one joint",
                    "correct the range, or the lane",
                );
                return None;
            }
            let places = (0..joints.len()).collect();
            (joints, places)
        }
        (_, Some(all)) => all,
        (_, None) => {
            keys.missing(
                &key,
                "a lane's name, or a range in `field`, for example data[0..7]",
                "how many there are and what they are called must be known before the first message",
            );
            return None;
        }
    };
    if components.len() > MOST_COMPONENTS {
        keys.refuse(
            &format!("{at}.field"),
            format!("{field} takes more than {MOST_COMPONENTS} numbers"),
            format!("at most {MOST_COMPONENTS}"),
            "each is a series of the metrics",
            "take those that belong to a component",
        );
        return None;
    }
    Some((components, places))
}

/// A lane's joints, and the place of each in its arrays.
fn joints(
    keys: &mut Keys<'_>,
    key: &str,
    lane: &str,
    lanes: &[LaneConfig],
    index: Index,
) -> Option<(Vec<String>, Vec<usize>)> {
    let Some(found) = lanes.iter().find(|one| one.name == lane) else {
        let is_broken = keys.map.under(&format!("lanes.{lane}")).next().is_some();
        if !is_broken {
            let all: Vec<&str> = lanes.iter().map(|one| one.name.as_str()).collect();
            keys.refuse(
                key,
                format!("{lane:?} is not a lane"),
                all.join(", "),
                "a temperature is named after a lane's joint",
                "correct the name",
            );
        }
        return None;
    };
    if matches!(found.command_type, CommandType::Twist | CommandType::TwistStamped) {
        keys.refuse(
            key,
            format!("lane {lane} has axes and no joints"),
            "a lane with `joints`",
            "a temperature is named after a lane's joint",
            "remove it, and write a range in `field`",
        );
        return None;
    }
    let is_named = has_names(found.command_type) || found.fields.names.is_some();
    let is_part = places::is_chosen(found.fields.of(found.interface));
    if index == Index::All && (is_named || is_part) {
        let how =
            if is_named { "knows its joints by name only" } else { "commands a part of its array" };
        keys.refuse(
            key,
            format!("lane {lane} {how}"),
            "a lane of a whole array, or a range in `field`",
            "which of these numbers are its joints' nobody could know",
            "write a range that holds its joints in their order",
        );
        return None;
    }
    Some((found.dimensions.clone(), found.joint_index.clone()))
}
