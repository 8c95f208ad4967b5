//! What `/status` and `/diagnostics` say of the monitored topics, from their slots.

use serde::{Deserialize, Serialize};

use super::slots::{Slots, TopicSlots};
use crate::config::model::{Config, MonitoredTopic};
use crate::gate::units::{SteadyTime, at_least};

/// One monitored topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicStatus {
    /// As the params file names it; of a topic that a pattern found, its absolute name.
    pub name: String,
    /// Absolute name, the metrics' label.
    pub topic: String,
    /// Whether the params file names it.
    pub named: bool,
    /// The message type that is read; `null`: none yet.
    pub type_name: Option<String>,
    /// Messages since start.
    pub messages: u64,
    /// Messages a second over the last ten seconds; `null`: no message yet.
    pub rate_hz: Option<f64>,
    /// Expected messages a second; `null`: nobody says.
    pub expected_hz: Option<f64>,
    /// Since the newest message; `null`: none yet.
    pub silent_for_s: Option<f64>,
    /// Largest gap of the last ten seconds, the open one included; `null`: no message yet.
    pub gap_s: Option<f64>,
    /// The longest gap that is no fault; `null`: any.
    pub max_gap_s: Option<f64>,
    /// Lost by the publishers' own count; `null` where the middleware does not tell.
    pub lost: Option<u64>,
    /// Publishers, those that cannot be read included; `null`: not counted yet.
    pub publishers: Option<u64>,
    /// Publishers that cannot be read.
    pub incompatible: u64,
    /// `ok`, `warn`, `error`.
    pub level: String,
    /// One sentence for people.
    pub text: String,
}

/// How a topic is judged; the words of [`TopicStatus::level`].
const OK: &str = "ok";
const WARN: &str = "warn";
const ERROR: &str = "error";

/// Every topic that has a place, those named first.
pub(super) fn topics(config: &Config, slots: &Slots, now: SteadyTime) -> Vec<TopicStatus> {
    first(slots.topics.capacity(), config, slots, now)
}

/// Those that the params file names.
pub(super) fn named(config: &Config, slots: &Slots, now: SteadyTime) -> Vec<TopicStatus> {
    first(config.monitor.topics.len(), config, slots, now)
}

fn first(count: usize, config: &Config, slots: &Slots, now: SteadyTime) -> Vec<TopicStatus> {
    let named = config.monitor.topics.iter().map(Some).chain(std::iter::repeat(None));
    let places = (0..count).filter_map(|place| slots.topics.at(place));
    let given = places.zip(named).filter_map(|(slots, named)| Some((slots.name()?, slots, named)));
    given.map(|(topic, slots, named)| status(topic, slots, named, now)).collect()
}

fn status(
    topic: &str,
    slots: &TopicSlots,
    named: Option<&MonitoredTopic>,
    now: SteadyTime,
) -> TopicStatus {
    let words = slots.words();
    let last = slots.last_steady.get().map(SteadyTime::from_nanos);
    let expected = slots.expected.get().filter(|interval| *interval > 0.0);
    let mut status = TopicStatus {
        name: named.map_or(topic, |named| &named.name).to_owned(),
        topic: topic.to_owned(),
        named: named.is_some(),
        type_name: Some(words.type_name).filter(|name| !name.is_empty()),
        messages: slots.messages.get(),
        rate_hz: slots.rate.get(),
        expected_hz: expected.map(|interval| 1.0 / interval),
        silent_for_s: last.map(|at| now.since(at).as_secs_f64()),
        gap_s: slots.gap.get(),
        max_gap_s: named.and_then(|named| named.max_gap).map(|gap| gap.as_secs_f64()),
        lost: slots.lost.get(),
        publishers: slots.publishers.get(),
        incompatible: slots.incompatible.get().unwrap_or(0),
        level: String::new(),
        text: String::new(),
    };
    let (level, text) = judge(&status, &words.text);
    status.level = level.to_owned();
    status.text = text;
    status
}

/// Whether it has been silent for long by its rate, where nobody says how long it may: its publisher is
/// there and hangs. The same bounds as those of the alert.
fn is_silent(status: &TopicStatus, age: f64) -> bool {
    let late = |hz: f64| age > at_least(10.0 / hz, 2.0);
    status.max_gap_s.is_none() && status.expected_hz.is_some_and(late)
}

/// Silent is an error where a longest gap is given, a warning where none is.
fn judge(status: &TopicStatus, obstacle: &str) -> (&'static str, String) {
    let silent = if status.max_gap_s.is_some() { ERROR } else { WARN };
    let over = |time: Option<f64>| time.zip(status.max_gap_s).is_some_and(|(time, max)| time > max);
    let max = status.max_gap_s.unwrap_or(f64::INFINITY);
    match (status.publishers, status.silent_for_s) {
        (None, _) => (OK, "not looked at yet".to_owned()),
        (Some(0), None) => (silent, "nobody publishes it".to_owned()),
        (Some(0), Some(age)) => {
            (silent, format!("its publisher is gone, last heard {age:.1} s ago"))
        }
        (Some(all), _) if status.incompatible >= all => {
            (silent, format!("it cannot be read: {obstacle}"))
        }
        (Some(_), None) => (silent, "it has a publisher, but nothing was heard yet".to_owned()),
        (Some(_), Some(age)) if over(Some(age)) => {
            (silent, format!("silent for {age:.3} s, longest allowed {max} s"))
        }
        (Some(_), Some(age)) if is_silent(status, age) => {
            let hz = status.expected_hz.unwrap_or_default();
            (WARN, format!("silent for {age:.1} s, expected {hz:.1} times a second"))
        }
        (Some(_), Some(_)) if !obstacle.is_empty() => {
            (WARN, format!("an incompatible publisher: {obstacle}"))
        }
        (Some(_), Some(_)) if over(status.gap_s) => {
            let gap = status.gap_s.unwrap_or_default();
            (WARN, format!("a gap of {gap:.3} s in the last 10 s, longest allowed {max} s"))
        }
        (Some(_), Some(_)) => {
            (OK, format!("{:.1} messages a second", status.rate_hz.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::fixture;

    fn one(change: impl FnOnce(&TopicSlots)) -> TopicStatus {
        let slots = fixture::slots();
        slots.topics.give(0, "/scan");
        change(slots.topics.at(0).unwrap());
        let all = topics(&fixture::config(), &slots, SteadyTime::from_nanos(5_000_000_000));
        assert_eq!(all.len(), 1);
        // It is the first place, which the params file names where it names any.
        let named = named(&fixture::config(), &slots, SteadyTime::from_nanos(5_000_000_000));
        assert_eq!(named, all.iter().filter(|one| one.named).cloned().collect::<Vec<_>>());
        all.into_iter().next().unwrap()
    }

    fn said(change: impl FnOnce(&TopicSlots)) -> (String, String) {
        let status = one(change);
        (status.level, status.text)
    }

    fn is(found: (String, String), level: &str, text: &str) {
        assert_eq!((found.0.as_str(), found.1.as_str()), (level, text));
    }

    #[test]
    fn when_a_topic_is_heard_expect_its_numbers() {
        let status = one(|topic| {
            topic.publishers.set(1);
            topic.incompatible.set(0);
            topic.last_steady.set(4_500_000_000);
            topic.gap.set(0.5);
            topic.rate.set(10.0);
            topic.expected.set(0.1);
            topic.messages.add(7);
        });
        assert_eq!((status.name.as_str(), status.topic.as_str()), ("scan", "/scan"));
        assert_eq!((status.level.as_str(), status.text.as_str()), ("ok", "10.0 messages a second"));
        assert_eq!((status.silent_for_s, status.expected_hz), (Some(0.5), Some(10.0)));
        assert_eq!((status.messages, status.max_gap_s), (7, Some(1.0)));
    }

    #[test]
    fn when_a_topic_is_not_heard_expect_why() {
        is(said(|_| {}), "ok", "not looked at yet");
        is(said(|t| t.publishers.set(0)), "error", "nobody publishes it");
        let silent = said(|t| t.publishers.set(1));
        is(silent, "error", "it has a publisher, but nothing was heard yet");
        let other = said(|t| {
            t.publishers.set(1);
            t.incompatible.set(1);
            t.say(|words| words.text = "/peer (writes a, read as b)".into());
        });
        is(other, "error", "it cannot be read: /peer (writes a, read as b)");
        let late = said(|t| {
            t.publishers.set(1);
            t.last_steady.set(3_000_000_000);
        });
        is(late, "error", "silent for 2.000 s, longest allowed 1 s");
    }

    #[test]
    fn when_its_publisher_is_there_and_hangs_expect_a_warning_by_its_rate_alone() {
        let said = |expected_s: f64, silent_ms: u64, max_gap: Option<Duration>| {
            let mut config = fixture::config();
            config.monitor.topics[0].max_gap = max_gap;
            let slots = fixture::slots();
            slots.topics.give(0, "/scan");
            let topic = slots.topics.at(0).unwrap();
            topic.publishers.set(1);
            topic.expected.set(expected_s);
            topic.last_steady.set(1_000_000_000);
            topic.rate.set(0.0);
            let now = SteadyTime::from_nanos(1_000_000_000 + silent_ms * 1_000_000);
            let one = topics(&config, &slots, now).remove(0);
            (one.level, one.text)
        };
        is(said(0.01, 2_000, None), "ok", "0.0 messages a second");
        is(said(0.01, 2_100, None), "warn", "silent for 2.1 s, expected 100.0 times a second");
        is(said(1.0, 10_000, None), "ok", "0.0 messages a second");
        is(said(1.0, 10_100, None), "warn", "silent for 10.1 s, expected 1.0 times a second");
        // Somebody says how long it may.
        is(said(0.01, 9_000, Some(Duration::from_secs(60))), "ok", "0.0 messages a second");
    }

    #[test]
    fn when_a_gap_is_over_expect_a_warning_and_an_incompatible_neighbour_first() {
        let heard = |t: &TopicSlots| {
            t.publishers.set(2);
            t.last_steady.set(4_999_000_000);
            t.gap.set(1.25);
        };
        is(said(heard), "warn", "a gap of 1.250 s in the last 10 s, longest allowed 1 s");
        let both = said(|t| {
            heard(t);
            t.incompatible.set(1);
            t.say(|words| words.text = "/peer".into());
        });
        is(both, "warn", "an incompatible publisher: /peer");
    }
}
