//! Temperatures and batteries: read, judged, told to the slots and, where they derate or trip, to the
//! gate thread.
//!
//! The types and fields are those of the params file, so they are loaded and compiled at the start;
//! how a topic is read follows what its publishers offer, as for every monitored topic.

use std::sync::Arc;

use super::MonitorError;
use super::bits::Bits;
use super::offers::{Offered, Reading, offered};
use crate::codec::sensor::{BatteryCodec, TemperatureCodec};
use crate::config::model::{BatteryConfig, Config, TemperatureConfig};
use crate::gate::sensor::{Battery, BatteryRules, Grade, TemperatureRules, Temperatures};
use crate::gate::units::{Moment, SteadyTime, at_most};
use crate::ros::graph::full_name;
use crate::ros::rcl::{
    EndpointInfo, Node, Qos, RclError, SerializedBuffer, Subscription, Waker, publishers_info,
};
use crate::ros::sensor_facts::SensorFacts;
use crate::ros::typesupport::{LoadedMessage, load_message};
use crate::telemetry::slots::{SensorSlots, Slots};

/// Messages kept between two turns: of a state message at 1 kHz.
const DEPTH: usize = 10;
const BUFFER: usize = 64 * 1024;
/// How often each topic is looked up in the graph.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// What a message of a topic is read as.
enum Meaning {
    Temperature {
        input: usize,
        first_point: usize,
        codec: Box<TemperatureCodec>,
        state: Temperatures,
    },
    Battery {
        input: usize,
        codec: Box<BatteryCodec>,
        state: Box<Battery>,
    },
}

/// One topic.
struct Input {
    topic: String,
    loaded: LoadedMessage,
    timeout: std::time::Duration,
    meaning: Meaning,
    bit: Waker,
    reader: Option<(Reading, Subscription)>,
    heard: Option<SteadyTime>,
    /// What was told of a topic that cannot be read, so that it is told once.
    told: String,
}

/// All of them.
pub(super) struct Sensors {
    node: Arc<Node>,
    inputs: Vec<Input>,
    slots: Arc<Slots>,
    facts: Arc<SensorFacts>,
    buffer: SerializedBuffer,
    next_look: SteadyTime,
}

/// How many there are.
pub(super) const fn count(config: &Config) -> usize {
    config.temperatures.len().saturating_add(config.batteries.len())
}

/// Their topics, as written, in the order that [`Sensors::new`] takes them.
pub(super) fn topics(config: &Config) -> impl Iterator<Item = &str> {
    let hot = config.temperatures.iter().map(|one| one.topic.as_str());
    hot.chain(config.batteries.iter().map(|one| one.topic.as_str()))
}

impl Sensors {
    /// `names` are the absolute names of [`topics`].
    ///
    /// # Errors
    /// A type that is not installed, or does not have the fields that the params file names.
    pub(super) fn new(
        node: Arc<Node>,
        config: &Config,
        names: Vec<String>,
        (slots, facts): (Arc<Slots>, Arc<SensorFacts>),
        bits: &mut Bits,
        now: SteadyTime,
    ) -> Result<Self, MonitorError> {
        let mut names = names.into_iter();
        let mut inputs = Vec::new();
        let mut first_point = 0;
        for (input, one) in config.temperatures.iter().enumerate() {
            let subject = format!("temperature {}", one.name);
            let loaded = load(&subject, &one.type_name)?;
            let codec = TemperatureCodec::new(one, loaded.message());
            let codec = codec.map_err(|error| MonitorError::codec(&subject, error))?;
            let state = Temperatures::new(temperature_rules(one), one.components.len());
            let codec = Box::new(codec);
            let meaning = Meaning::Temperature { input, first_point, codec, state };
            first_point += one.components.len();
            inputs.extend(Input::new(names.next(), loaded, one.timeout, meaning, bits.take()));
        }
        for (input, one) in config.batteries.iter().enumerate() {
            let subject = format!("battery {}", one.name);
            let loaded = load(&subject, &one.type_name)?;
            let codec = BatteryCodec::new(one, loaded.message());
            let codec = codec.map_err(|error| MonitorError::codec(&subject, error))?;
            let state = Box::new(Battery::new(battery_rules(one)));
            let meaning = Meaning::Battery { input, codec: Box::new(codec), state };
            inputs.extend(Input::new(names.next(), loaded, one.timeout, meaning, bits.take()));
        }
        let buffer = SerializedBuffer::with_capacity(BUFFER)?;
        Ok(Self { node, inputs, slots, facts, buffer, next_look: now })
    }

    /// One look: what has come, and now and then the graph.
    pub(super) fn turn(&mut self, bits: &mut Bits, now: Moment) {
        let mut worked = false;
        for input in &mut self.inputs {
            if !bits.is_set(&input.bit) {
                continue;
            }
            bits.clear(&input.bit);
            worked = true;
            match input.take(&mut self.buffer, &self.slots, &self.facts, now) {
                // The rest at the next turn.
                Ok(true) => bits.set(&input.bit),
                Ok(false) => {}
                Err(error) => input.tell(&error.to_string()),
            }
        }
        if now.steady >= self.next_look {
            self.next_look = now.steady.after(LOOK);
            for input in &mut self.inputs {
                if let Err(error) = input.follow(&self.node, &self.slots) {
                    input.tell(&error.to_string());
                }
            }
        }
        if worked {
            let all = self.inputs.iter().map(|input| input.meaning.derating());
            self.facts.set_derating(all.fold(1.0, at_most));
        }
    }

    /// What is silent is no longer measured. Whether it derates or trips stays as it was.
    pub(super) fn refresh(&mut self, now: SteadyTime) {
        for input in &mut self.inputs {
            let is_silent = input.heard.is_some_and(|at| now.since(at) > input.timeout);
            if is_silent {
                input.meaning.silence();
                input.meaning.show(&self.slots);
            }
        }
    }
}

fn load(subject: &str, type_name: &str) -> Result<LoadedMessage, MonitorError> {
    load_message(type_name)
        .map_err(|error| MonitorError::Type { subject: subject.to_owned(), error: Box::new(error) })
}

const fn temperature_rules(config: &TemperatureConfig) -> TemperatureRules {
    TemperatureRules { valid: config.valid, thresholds: config.thresholds }
}

const fn battery_rules(config: &BatteryConfig) -> BatteryRules {
    BatteryRules {
        thresholds: config.thresholds,
        longest_gap: config.timeout,
        has_voltage: config.fields.voltage.is_some(),
    }
}

impl Input {
    /// `None` only where there is no name or no bit: a programming error, as there are as many.
    fn new(
        topic: Option<String>,
        loaded: LoadedMessage,
        timeout: std::time::Duration,
        meaning: Meaning,
        bit: Option<Waker>,
    ) -> Option<Self> {
        let (topic, bit) = (topic?, bit?);
        let (reader, heard, told) = (None, None, String::new());
        Some(Self { topic, loaded, timeout, meaning, bit, reader, heard, told })
    }

    /// Once for each text.
    fn tell(&mut self, text: &str) {
        if self.told != text {
            text.clone_into(&mut self.told);
            tracing::warn!(topic = self.topic, text, "a sensor cannot be read");
        }
    }

    /// Follows what the graph offers.
    fn follow(&mut self, node: &Arc<Node>, slots: &Slots) -> Result<(), RclError> {
        let publishers = publishers_info(node, &self.topic)?;
        let wanted = self.loaded.message().name.clone();
        let now = self.reader.as_ref().map(|(reading, _)| reading.clone());
        let offered = of_type(publishers, &wanted, now.as_ref());
        if let Some(slots) = self.meaning.sensor(slots) {
            slots.say_obstacle(&offered.text);
        }
        if offered.text.is_empty() {
            self.told.clear();
        } else {
            self.tell(&offered.text);
        }
        let Some(reading) = offered.reading else { return Ok(()) };
        if Some(&reading) == now.as_ref() {
            return Ok(());
        }
        // First the old one goes: a participant reads a topic in one way.
        self.reader = None;
        let (reliability, durability) = (reading.reliability, reading.durability);
        let qos = Qos { reliability, durability, depth: DEPTH };
        let mut subscription = Subscription::new(node, self.loaded.support(), &self.topic, qos)?;
        subscription.on_new_message(self.bit.clone())?;
        self.reader = Some((reading, subscription));
        Ok(())
    }

    /// Takes what has come; returns whether there may be more.
    fn take(
        &mut self,
        buffer: &mut SerializedBuffer,
        slots: &Slots,
        facts: &SensorFacts,
        now: Moment,
    ) -> Result<bool, RclError> {
        for _ in 0..DEPTH {
            let Some((_, subscription)) = &mut self.reader else { return Ok(false) };
            let Some(_info) = subscription.take(buffer)? else { return Ok(false) };
            self.heard = Some(now.steady);
            if let Some(sensor) = self.meaning.sensor(slots) {
                sensor.last_received.set(now.wall);
                sensor.last_steady.set(now.steady.as_nanos());
            }
            self.meaning.sample(buffer.bytes(), slots, now.steady);
            self.meaning.show(slots);
            self.meaning.trip(facts);
        }
        Ok(true)
    }
}

/// What the publishers of the one type offer; those of others are told as obstacles.
fn of_type(publishers: Vec<EndpointInfo>, wanted: &str, now: Option<&Reading>) -> Offered {
    let (ours, others): (Vec<EndpointInfo>, Vec<EndpointInfo>) =
        publishers.into_iter().partition(|one| one.topic_type == wanted);
    let mut offered = offered(&ours, now, |_| true);
    offered.incompatible += others.len();
    let strange = others
        .iter()
        .map(|one| format!("{} (writes {}, read as {wanted})", full_name(one), one.topic_type));
    let mut texts: Vec<String> = strange.collect();
    if !offered.text.is_empty() {
        texts.insert(0, offered.text);
    }
    offered.text = texts.join(", ");
    offered
}

impl Meaning {
    fn sensor<'s>(&self, slots: &'s Slots) -> Option<&'s SensorSlots> {
        match self {
            Self::Temperature { input, .. } => slots.temperatures.get(*input).map(|s| &s.sensor),
            Self::Battery { input, .. } => slots.batteries.get(*input).map(|slots| &slots.sensor),
        }
    }

    fn sample(&mut self, bytes: &[u8], slots: &Slots, now: SteadyTime) {
        match self {
            Self::Temperature { input, codec, state, .. } => {
                let Some(slots) = slots.temperatures.get(*input) else { return };
                // Bytes that are no such message measure nothing.
                let values = codec.read(bytes).unwrap_or_default();
                state.sample(values, now, &mut |reason| slots.invalid.at(reason).increment());
            }
            Self::Battery { input, codec, state } => {
                let Some(slots) = slots.batteries.get(*input) else { return };
                let sample = codec.read(bytes).unwrap_or_default();
                state.sample(&sample, now, &mut |rule| slots.violated(rule, now));
            }
        }
    }

    fn silence(&mut self) {
        match self {
            Self::Temperature { state, .. } => state.silence(),
            Self::Battery { state, .. } => state.silence(),
        }
    }

    fn derating(&self) -> f64 {
        match self {
            Self::Temperature { state, .. } => state.derating(),
            Self::Battery { state, .. } => state.derating(),
        }
    }

    /// What is measured, to the slots.
    fn show(&self, slots: &Slots) {
        let unknown = |value: Option<f64>| value.unwrap_or(f64::NAN);
        match self {
            Self::Temperature { input, state, .. } => {
                let Some(slots) = slots.temperatures.get(*input) else { return };
                for (slots, view) in slots.components.iter().zip(state.views()) {
                    slots.celsius.set(unknown(view.celsius));
                    slots.grade.set(view.grade);
                    if let Some(at) = view.read_at {
                        slots.read_steady.set(at.as_nanos());
                    }
                }
            }
            Self::Battery { input, state, .. } => {
                let Some(slots) = slots.batteries.get(*input) else { return };
                let view = state.view();
                slots.charge.set(unknown(view.charge));
                slots.voltage.set(unknown(view.voltage));
                slots.current.set(unknown(view.current));
                slots.status.set(view.status);
                slots.health.set(view.health);
                slots.discharged.set(state.discharged_j());
                slots.charged.set(state.charged_j());
                slots.grade.set(state.grade());
                if let Some(at) = view.read_at {
                    slots.read_steady.set(at.as_nanos());
                }
            }
        }
    }

    /// What trips, to the gate thread.
    fn trip(&self, facts: &SensorFacts) {
        let trips =
            |grade: Option<Grade>, found: Option<f64>| found.filter(|_| grade == Some(Grade::Trip));
        match self {
            Self::Temperature { first_point, state, .. } => {
                for (point, view) in (*first_point..).zip(state.views()) {
                    facts.set_temperature(point, trips(view.grade, view.median));
                }
            }
            Self::Battery { input, state, .. } => {
                facts.set_battery(*input, trips(state.grade(), state.median()));
            }
        }
    }
}
