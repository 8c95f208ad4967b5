//! All monitored topics: which there are, looked up in the graph a part at a time, and taken from when
//! their bits are set.
//!
//! **Invariant:** no topic of the gate's own is ever read here, by whatever name it is asked for: a
//! second reader of what the gate writes costs the gate time at each publish.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::bits::Bits;
use super::offers::offered;
use super::patterns;
use super::topic::Topic;
use crate::config::model::MonitorConfig;
use crate::gate::units::{Moment, SteadyTime};
use crate::ros::rcl::{Node, RclError, SerializedBuffer, publishers_info, topics};
use crate::ros::typesupport::{LoadedMessage, load_message};
use crate::telemetry::slots::{Slots, Suppressed};

/// How often the graph is looked at, each topic once.
const LOOK: Duration = Duration::from_secs(1);
/// In this many pieces, so that five hundred topics do not keep the messages waiting.
const PIECES: usize = 10;
/// Messages of one topic taken at a time, so that a flood does not keep the others waiting.
const MOST_AT_ONCE: usize = 256;
/// Names that are remembered as not monitored; a graph with more of them is counted no further.
const MOST_SUPPRESSED: usize = 10_000;
/// Types that are remembered; more are looked up again.
const MOST_TYPES: usize = 1_000;
/// Reused for every message; one that is larger makes it grow for good, off the gate's thread.
const BUFFER: usize = 64 * 1024;
/// Of every node, and nobody's telemetry.
const OF_EVERY_NODE: [&str; 2] = ["/rosout", "/parameter_events"];

/// A type by name, or why it cannot be loaded.
type Loaded = Result<LoadedMessage, String>;

/// What is never monitored.
pub(super) struct Excluded {
    /// Absolute names: the gate's topics, wherever remap rules put them.
    pub(super) names: BTreeSet<String>,
    /// Everything below our own node, with the last `/`.
    pub(super) below: String,
}

impl Excluded {
    fn contains(&self, name: &str) -> bool {
        self.names.contains(name) || name.starts_with(&self.below)
    }
}

/// The monitored topics.
pub(super) struct Topics {
    node: Arc<Node>,
    config: MonitorConfig,
    slots: Arc<Slots>,
    excluded: Excluded,
    topics: Vec<Topic>,
    names: BTreeSet<String>,
    suppressed: BTreeSet<(Suppressed, String)>,
    types: BTreeMap<String, Loaded>,
    buffer: SerializedBuffer,
    next_piece: SteadyTime,
    piece: usize,
    /// Topics with a problem that was told, so that it is told once.
    told: BTreeMap<String, String>,
}

impl Topics {
    /// `names` are the absolute names of the topics that are configured, in order.
    pub(super) fn new(
        node: Arc<Node>,
        (config, names): (MonitorConfig, Vec<String>),
        excluded: Excluded,
        slots: Arc<Slots>,
        bits: &mut Bits,
        now: SteadyTime,
    ) -> Result<Self, RclError> {
        let mut this = Self {
            node,
            config,
            slots,
            excluded,
            topics: Vec::new(),
            names: BTreeSet::new(),
            suppressed: BTreeSet::new(),
            types: BTreeMap::new(),
            buffer: SerializedBuffer::with_capacity(BUFFER)?,
            next_piece: now,
            piece: 0,
            told: BTreeMap::new(),
        };
        for (place, name) in names.into_iter().enumerate() {
            if this.excluded.contains(&name) || this.names.contains(&name) {
                // By a remap rule only: the params file was checked.
                tracing::warn!(topic = name, "not monitored: it is the gate's own, or named twice");
                this.suppress(Suppressed::Excluded, &name);
                continue;
            }
            this.add(name, place, bits, now);
        }
        Ok(this)
    }

    /// One look: what has come, and a piece of the graph.
    pub(super) fn turn(&mut self, bits: &mut Bits, now: Moment) {
        let pool = &self.slots.topics;
        for topic in &mut self.topics {
            if !bits.is_set(topic.bit()) {
                continue;
            }
            bits.clear(topic.bit());
            match topic.take(&mut self.buffer, pool, MOST_AT_ONCE, now) {
                Ok(false) => {}
                // The rest at the next turn.
                Ok(true) => bits.set(topic.bit()),
                Err(error) => tell(&mut self.told, &topic.name, &error.to_string()),
            }
        }
        if now.steady >= self.next_piece {
            self.next_piece = now.steady.after(LOOK / 10);
            if self.piece == 0 {
                self.discover(bits, now.steady);
            }
            self.look(now);
            self.piece = (self.piece + 1) % PIECES;
        }
    }

    fn add(&mut self, name: String, place: usize, bits: &mut Bits, now: SteadyTime) {
        let Some(bit) = bits.take() else { return };
        self.slots.topics.give(place, &name);
        self.names.insert(name.clone());
        let config = self.config.topics.get(place);
        self.topics.push(Topic::new(name, place, bit, config, now));
    }

    /// New topics that fit a pattern.
    fn discover(&mut self, bits: &mut Bits, now: SteadyTime) {
        if self.config.patterns.is_empty() {
            return;
        }
        let mut found = match topics(&self.node) {
            Ok(found) => found,
            Err(error) => return tell(&mut self.told, "the graph", &error.to_string()),
        };
        found.sort_unstable();
        for (name, types) in found {
            let fits = self.config.patterns.iter().any(|pattern| patterns::fits(pattern, &name));
            if !fits || self.names.contains(&name) {
                continue;
            }
            // After those named, in the order of being found. Places of named topics that a remap
            // made ours stay empty.
            let found_before = self.topics.iter().filter(|topic| !topic.is_named()).count();
            let place = self.config.topics.len().saturating_add(found_before);
            if self.excluded.contains(&name) || OF_EVERY_NODE.contains(&name.as_str()) {
                self.suppress(Suppressed::Excluded, &name);
            } else if !types.iter().any(|type_name| self.is_installed(type_name)) {
                self.suppress(Suppressed::UnknownType, &name);
            } else if place >= self.slots.topics.capacity() {
                self.suppress(Suppressed::Cap, &name);
            } else {
                self.add(name, place, bits, now);
            }
        }
    }

    fn is_installed(&mut self, type_name: &str) -> bool {
        loaded(&mut self.types, type_name).is_ok()
    }

    fn suppress(&mut self, reason: Suppressed, name: &str) {
        if self.suppressed.len() < MOST_SUPPRESSED
            && self.suppressed.insert((reason, name.to_owned()))
        {
            self.slots.topics.suppressed.at(reason).increment();
        }
    }

    /// Looks at every tenth topic.
    fn look(&mut self, now: Moment) {
        let mut unknown = Vec::new();
        for topic in self.topics.iter_mut().skip(self.piece).step_by(PIECES) {
            let types = &mut self.types;
            let followed = publishers_info(&self.node, &topic.name).and_then(|publishers| {
                let is_installed = |name: &str| loaded(types, name).is_ok();
                let offered = offered(&publishers, topic.reading(), is_installed);
                if offered.reading.is_none() && offered.publishers > 0 {
                    unknown.push(topic.name.clone());
                }
                let wanted = offered.reading.as_ref().map(|reading| reading.type_name.as_str());
                let wanted = wanted.map(|name| loaded(types, name));
                let wanted = wanted.and_then(|loaded| loaded.as_ref().ok());
                topic.follow(&self.node, &offered, wanted, &self.slots.topics, now)
            });
            match followed {
                Ok(()) => {
                    self.told.remove(&topic.name);
                }
                Err(error) => tell(&mut self.told, &topic.name, &error.to_string()),
            }
        }
        for name in unknown {
            self.suppress(Suppressed::UnknownType, &name);
        }
    }

    /// Open gaps grow without a message.
    pub(super) fn refresh(&mut self, now: SteadyTime) {
        for topic in &mut self.topics {
            topic.turn(&self.slots.topics, now);
        }
    }
}

fn loaded<'types>(types: &'types mut BTreeMap<String, Loaded>, name: &str) -> &'types Loaded {
    if types.len() >= MOST_TYPES && !types.contains_key(name) {
        types.clear();
    }
    types.entry(name.to_owned()).or_insert_with(|| {
        load_message(name).map_err(|error| {
            let why = error.to_string();
            tracing::warn!(type_name = name, why, "topics of this type are not monitored");
            why
        })
    })
}

/// Once for each text.
fn tell(told: &mut BTreeMap<String, String>, topic: &str, text: &str) {
    if told.get(topic).is_none_or(|before| before != text) {
        tracing::warn!(topic, text, "a topic cannot be monitored");
        told.insert(topic.to_owned(), text.to_owned());
    }
}
