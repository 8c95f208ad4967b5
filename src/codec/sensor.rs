//! Temperatures and batteries of any type: numbers at paths, of whatever width.
//!
//! Nothing here judges a number; a number that is not there is NaN, which means "not measured"
//! everywhere beyond.

use std::sync::Arc;

use super::CodecError;
use super::feedback::floats;
use super::mapped::{many_steps, wrong_kind};
use crate::cdr::{
    Endian, FiniteRule, Found, Layout, MessageType, Path, Primitive, Selection, SlotKind, read_f64,
    read_i64,
};
use crate::config::model::{BatteryConfig, ScaledField, TemperatureConfig};
use crate::gate::sensor::BatterySample;

/// Most messages on the way to one topic's temperatures.
const MAX_HITS: usize = 4096;

/// Reads the temperatures of one topic.
#[derive(Clone, Debug)]
pub struct TemperatureCodec {
    layout: Layout,
    found: Found,
    primitive: Primitive,
    places: Vec<usize>,
    /// All numbers found, and those of the components.
    all: Vec<f64>,
    values: Vec<f64>,
}

impl TemperatureCodec {
    /// Compiles the codec.
    ///
    /// # Errors
    /// [`CodecError`] when the type has no such numbers, or more than one to a component.
    pub fn new(config: &TemperatureConfig, message: &Arc<MessageType>) -> Result<Self, CodecError> {
        let path = &config.field;
        let select =
            Selection { path: path.clone(), max_hits: MAX_HITS, finite: FiniteRule::Leave };
        // What is not looked at need not be finite.
        let layout = Layout::compile(message, &[select], &floats(message))?;
        let primitive = number(message, &layout, 0, "field", path)?;
        let many = many_steps(message, path).len();
        if config.is_one() && many > 0 {
            let needed = "one number; an array needs an index or a range, for example data[0..7]";
            return Err(wrong_kind(message, "field".to_owned(), path, needed));
        }
        if many > 1 {
            return Err(CodecError::Arrays { key: "field".to_owned(), path: path.to_string() });
        }
        Ok(Self {
            found: layout.new_found(),
            layout,
            primitive,
            places: config.places.clone(),
            all: Vec::new(),
            values: Vec::with_capacity(config.places.len()),
        })
    }

    /// The temperatures in the components' order, °C; NaN where the message has none. `None`: the
    /// bytes are not such a message.
    pub fn read(&mut self, bytes: &[u8]) -> Option<&[f64]> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let endian = self.found.endian();
        self.all.clear();
        for hit in self.found.hits(0) {
            for element in 0..hit.len {
                let offset = hit.element(element, self.primitive)?;
                self.all.push(value(bytes, endian, self.primitive, offset)?);
            }
        }
        self.values.clear();
        let there = |place: &usize| self.all.get(*place).copied().unwrap_or(f64::NAN);
        self.values.extend(self.places.iter().map(there));
        Some(&self.values)
    }
}

/// Reads one battery.
#[derive(Clone, Debug)]
pub struct BatteryCodec {
    layout: Layout,
    found: Found,
    percentage: Option<Scalar>,
    charge: Option<Scalar>,
    capacity: Option<Scalar>,
    voltage: Option<Scalar>,
    current: Option<Scalar>,
    status: Option<Scalar>,
    health: Option<Scalar>,
}

/// One number of a message.
#[derive(Clone, Copy, Debug)]
struct Scalar {
    slot: usize,
    primitive: Primitive,
    scale: f64,
}

impl BatteryCodec {
    /// Compiles the codec.
    ///
    /// # Errors
    /// [`CodecError`] when the type lacks one of the fields, or has something else than a number there.
    pub fn new(config: &BatteryConfig, message: &Arc<MessageType>) -> Result<Self, CodecError> {
        let fields = &config.fields;
        let all = [
            ("percentage", &fields.percentage),
            ("charge", &fields.charge),
            ("capacity", &fields.capacity),
            ("voltage", &fields.voltage),
            ("current", &fields.current),
            ("status", &fields.status),
            ("health", &fields.health),
        ];
        let written = all.iter().filter_map(|(_, field)| field.as_ref());
        let select = |(path, _): &ScaledField| Selection {
            path: path.clone(),
            max_hits: 1,
            finite: FiniteRule::Leave,
        };
        let selections: Vec<Selection> = written.map(select).collect();
        let layout = Layout::compile(message, &selections, &floats(message))?;
        let mut slot = 0;
        let mut scalars = Vec::new();
        for (name, field) in all {
            let Some((path, scale)) = field else {
                scalars.push(None);
                continue;
            };
            let key = format!("fields.{name}");
            let primitive = number(message, &layout, slot, &key, path)?;
            if !many_steps(message, path).is_empty() {
                let needed = "one number; an array needs an index, for example cells[0]";
                return Err(wrong_kind(message, key, path, needed));
            }
            scalars.push(Some(Scalar { slot, primitive, scale: *scale }));
            slot += 1;
        }
        let mut scalars = scalars.into_iter();
        let mut next = || scalars.next().flatten();
        Ok(Self {
            percentage: next(),
            charge: next(),
            capacity: next(),
            voltage: next(),
            current: next(),
            status: next(),
            health: next(),
            found: layout.new_found(),
            layout,
        })
    }

    /// What a message tells; `None`: the bytes are not such a message.
    pub fn read(&mut self, bytes: &[u8]) -> Option<BatterySample> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let endian = self.found.endian();
        let raw = |scalar: Option<Scalar>| {
            let Scalar { slot, primitive, scale } = scalar?;
            let offset = self.found.hits(slot).first()?.element(0, primitive)?;
            value(bytes, endian, primitive, offset).map(|value| value * scale)
        };
        let number = |scalar| raw(scalar).unwrap_or(f64::NAN);
        Some(BatterySample {
            percentage: number(self.percentage),
            charge: number(self.charge),
            capacity: number(self.capacity),
            voltage: number(self.voltage),
            current: number(self.current),
            status: raw(self.status).map(word),
            health: raw(self.health).map(word),
        })
    }
}

/// A small whole number; what is none is 255, which is in no list.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; a uint8 in BatteryState"
)]
fn word(value: f64) -> u8 {
    value as u8
}

/// The numbers that a selection finds; a bool, a character, a text or a stamp are none.
fn number(
    message: &MessageType,
    layout: &Layout,
    slot: usize,
    key: &str,
    path: &Path,
) -> Result<Primitive, CodecError> {
    match layout.kind(slot) {
        Some(SlotKind::Number(primitive)) if primitive.is_number() => Ok(primitive),
        Some(SlotKind::Number(_) | SlotKind::Text | SlotKind::WideText | SlotKind::Stamp)
        | None => Err(wrong_kind(message, key.to_owned(), path, "a number")),
    }
}

#[expect(clippy::as_conversions, reason = "whole degrees and millivolts")]
fn value(bytes: &[u8], endian: Endian, primitive: Primitive, offset: u32) -> Option<f64> {
    if primitive.is_float() {
        read_f64(bytes, endian, primitive, offset)
    } else {
        read_i64(bytes, endian, primitive, offset).map(|value| value as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cdr::Value;
    use crate::codec::test_types::{bytes, low_state_type, multi_array_type, numbers, type_of};
    use crate::config::model::BatteryFields;
    use crate::gate::sensor::Thresholds;

    fn temperature(field: &str, places: &[usize]) -> TemperatureConfig {
        TemperatureConfig {
            name: "motors".to_owned(),
            type_name: String::new(),
            topic: "motors".to_owned(),
            field: Path::parse(field).unwrap(),
            timeout: Duration::from_secs(1),
            valid: (-40.0, 150.0),
            components: places.iter().map(ToString::to_string).collect(),
            places: places.to_vec(),
            thresholds: Thresholds::default(),
        }
    }

    fn battery(fields: BatteryFields) -> BatteryConfig {
        BatteryConfig {
            name: "main".to_owned(),
            type_name: String::new(),
            topic: "battery".to_owned(),
            timeout: Duration::from_secs(1),
            fields,
            thresholds: Thresholds::default(),
        }
    }

    fn field(path: &str, scale: f64) -> Option<ScaledField> {
        Some((Path::parse(path).unwrap(), scale))
    }

    #[test]
    fn when_a_motor_has_two_sensors_expect_the_one_asked_for_and_spare_slots_left_out() {
        let message = low_state_type();
        let sent: Vec<(String, Value)> = (0..35)
            .map(|motor| {
                let pair = [Value::Signed(20 + motor), Value::Signed(-128)];
                (format!("motor_state[{motor}].temperature"), Value::List(pair.to_vec()))
            })
            .collect();
        let sent: Vec<(&str, Value)> =
            sent.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let sent = bytes(&message, &sent);
        let read = |path: &str, places: &[usize]| {
            let mut codec = TemperatureCodec::new(&temperature(path, places), &message).unwrap();
            codec.read(&sent).unwrap().to_vec()
        };
        assert_eq!(read("motor_state[].temperature[0]", &[0, 34, 3]), [20.0, 54.0, 23.0]);
        assert_eq!(read("motor_state[2..5].temperature[1]", &[0, 1, 2]), [-128.0; 3]);
        assert_eq!(read("motor_state[7].temperature[0..2]", &[0, 1]), [27.0, -128.0]);
        assert_eq!(read("imu_state.temperature", &[0]), [0.0]);
    }

    #[test]
    fn when_an_array_is_short_expect_the_rest_to_be_no_number() {
        let message = multi_array_type();
        let mut codec =
            TemperatureCodec::new(&temperature("data[]", &[0, 1, 2]), &message).unwrap();
        let sent = bytes(&message, &[("data", numbers(&[40.5, f64::NAN]))]);
        let read = codec.read(&sent).unwrap();
        assert!(read[0] == 40.5 && read[1].is_nan() && read[2].is_nan(), "{read:?}");
        assert!(codec.read(&[0, 1, 0]).is_none());
    }

    #[test]
    fn when_a_path_does_not_fit_expect_why() {
        let refused = |path: &str, message: &Arc<MessageType>| {
            let error = TemperatureCodec::new(&temperature(path, &[0]), message).unwrap_err();
            error.to_string()
        };
        let multi = multi_array_type();
        let text = refused("data", &multi);
        assert!(text.contains("an array needs an index or a range"), "{text}");
        let text = refused("layout.dim[].label", &multi);
        assert!(text.contains("a number is needed"), "{text}");
        let text = refused("motor_state[].temperature", &low_state_type());
        assert!(text.contains("exactly one array"), "{text}");
        assert!(refused("celsius", &multi).contains("celsius"));
        let flag = type_of(&[("hot", "bool")]);
        assert!(refused("hot", &flag).contains("a number is needed"));
    }

    #[test]
    fn when_a_battery_is_mapped_expect_its_numbers_scaled_and_the_rest_not_measured() {
        let message = type_of(&[("soc", "uint8"), ("mv", "uint32"), ("ma", "int32")]);
        let fields = BatteryFields {
            percentage: field("soc", 0.01),
            voltage: field("mv", 0.001),
            current: field("ma", -0.001),
            ..BatteryFields::default()
        };
        let mut codec = BatteryCodec::new(&battery(fields), &message).unwrap();
        let sent = [
            ("soc", Value::Unsigned(87)),
            ("mv", Value::Unsigned(48_500)),
            ("ma", Value::Signed(2_500)),
        ];
        let sample = codec.read(&bytes(&message, &sent)).unwrap();
        assert_eq!((sample.percentage, sample.voltage, sample.current), (0.87, 48.5, -2.5));
        assert!(sample.charge.is_nan() && sample.capacity.is_nan());
        assert_eq!((sample.status, sample.health), (None, None));
        assert!(codec.read(&[0, 1, 0, 0, 9]).is_none());
    }

    #[test]
    fn when_a_battery_s_path_is_an_array_or_missing_expect_why() {
        let message = type_of(&[("cells", "float32[]"), ("name", "string")]);
        let refused = |path: &str| {
            let fields = BatteryFields { voltage: field(path, 1.0), ..BatteryFields::default() };
            BatteryCodec::new(&battery(fields), &message).unwrap_err().to_string()
        };
        assert!(refused("cells").contains("fields.voltage"), "{}", refused("cells"));
        assert!(refused("name").contains("a number is needed"), "{}", refused("name"));
        assert!(refused("volts").contains("volts"));
    }
}
