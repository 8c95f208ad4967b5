//! Slots of the monitored topics: those named from the start, the rest given out as topics are found.
//!
//! A pool made at start, so that a topic that appears costs one name and nothing that exists moves.
//! A place once given stays with its topic: one that disappears keeps its counts, and goes on with
//! them when it comes back.
//!
//! **Invariant:** thread `monitor` alone writes. The lock is for words only, which a scrape and the
//! status read; the gate thread touches none of this.

use std::sync::OnceLock;

use parking_lot::Mutex;

use super::cells::{Counter, Gauge, Level, MaybeCounter, OneOf, TimestampGauge};
use super::histogram::{Histogram, PERIOD, TRANSPORT};
use super::lists::{OfferedDurability, OfferedReliability, StampAnomaly, Suppressed};
use super::table::Table;
use crate::config::model::{Histograms, MonitorConfig};

/// Every monitored topic.
#[derive(Debug)]
pub struct TopicPool {
    /// Those named first, in the order of [`MonitorConfig::topics`].
    places: Box<[TopicSlots]>,
    /// Topics that are not monitored, each counted once.
    pub suppressed: Table<Suppressed, Counter>,
}

/// Slots of one topic. Written by thread `monitor`.
#[derive(Debug)]
pub struct TopicSlots {
    /// Its absolute name; none while nobody has the place.
    name: OnceLock<String>,
    /// Messages taken, replays of the same message not counted again.
    pub messages: Counter,
    /// Serialized bytes of them.
    pub bytes: Counter,
    /// Gaps in the publishers' sequence; absent until the middleware numbers a message.
    pub lost: MaybeCounter,
    /// Between two messages; `None`: not wanted.
    pub interval: Option<Histogram>,
    /// Receipt − source timestamp.
    pub transport: Option<Histogram>,
    /// Receipt − header stamp.
    pub age: Option<Histogram>,
    /// Largest gap of the last ten seconds, the open one included, s.
    pub gap: Gauge,
    /// Messages a second over the same time; for people, Prometheus has its own.
    pub rate: Gauge,
    /// Stamps that cannot be right.
    pub anomalies: Table<StampAnomaly, Counter>,
    /// Newest message.
    pub last_message: TimestampGauge,
    /// The same by the steady clock, ns.
    pub last_steady: Level,
    /// Expected time between two messages, s.
    pub expected: Gauge,
    /// Publishers, those that cannot be read included.
    pub publishers: Level,
    /// Publishers that cannot be read: another type, or another quality of service.
    pub incompatible: Level,
    /// As subscribed.
    pub reliability: OneOf<OfferedReliability>,
    /// As subscribed.
    pub durability: OneOf<OfferedDurability>,
    words: Mutex<TopicWords>,
}

/// What is said of a topic in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicWords {
    /// The message type that is read; empty: none yet.
    pub type_name: String,
    /// What is in the way of reading it; empty: nothing.
    pub text: String,
}

impl TopicPool {
    /// Room for what the configuration allows.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> Self {
        let named = config.topics.iter().map(|topic| topic.histograms);
        let all = named.chain(std::iter::repeat(Histograms::DEFAULT)).take(config.capacity());
        Self { places: all.map(TopicSlots::new).collect(), suppressed: Table::default() }
    }

    /// Gives a place to a topic. A place is given once; the second name is not taken.
    pub fn give(&self, place: usize, name: &str) {
        if let Some(slots) = self.places.get(place) {
            slots.name.get_or_init(|| name.to_owned());
        }
    }

    /// The slots at a place, given or not.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&TopicSlots> {
        self.places.get(place)
    }

    /// How many places there are.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.places.len()
    }

    /// The places that were given, with their topics' names.
    pub fn given(&self) -> impl Iterator<Item = (&str, &TopicSlots)> {
        self.places.iter().filter_map(|slots| Some((slots.name.get()?.as_str(), slots)))
    }
}

impl TopicSlots {
    fn new(kept: Histograms) -> Self {
        Self {
            name: OnceLock::new(),
            messages: Counter::default(),
            bytes: Counter::default(),
            lost: MaybeCounter::default(),
            interval: kept.interval.then(|| Histogram::new(&PERIOD)),
            transport: kept.transport.then(|| Histogram::new(&TRANSPORT)),
            age: kept.age.then(|| Histogram::new(&TRANSPORT)),
            gap: Gauge::default(),
            rate: Gauge::default(),
            anomalies: Table::default(),
            last_message: TimestampGauge::default(),
            last_steady: Level::default(),
            expected: Gauge::default(),
            publishers: Level::default(),
            incompatible: Level::default(),
            reliability: OneOf::default(),
            durability: OneOf::default(),
            words: Mutex::default(),
        }
    }

    /// Its absolute name; `None` while nobody has the place.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// A copy of what is said of it.
    #[must_use]
    pub fn words(&self) -> TopicWords {
        self.words.lock().clone()
    }

    /// Says something else of it.
    pub fn say(&self, change: impl FnOnce(&mut TopicWords)) {
        change(&mut self.words.lock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;

    #[test]
    fn when_a_place_is_given_twice_expect_the_first_name_to_stay() {
        let pool = TopicPool::new(&fixture::config().monitor);
        assert_eq!((pool.capacity(), pool.given().count()), (3, 0));
        pool.give(2, "/camera/left/image");
        pool.give(2, "/camera/right/image");
        pool.give(9, "/beyond");
        let names: Vec<&str> = pool.given().map(|(name, _)| name).collect();
        assert_eq!(names, ["/camera/left/image"]);
    }

    #[test]
    fn when_histograms_are_chosen_expect_only_those() {
        let pool = TopicPool::new(&fixture::config().monitor);
        let has_age: Vec<bool> =
            (0..3).filter_map(|place| pool.at(place)).map(|slots| slots.age.is_some()).collect();
        assert_eq!(has_age, [true, false, false]);
    }
}
