//! Families of the monitored topics.

use super::family;
use super::family::{Family, Sink};
use crate::telemetry::catalogue::{self as names, Row};
use crate::telemetry::slots::{Histogram, Slots, TopicSlots};

/// One of a topic's histograms, where it is kept.
type Histograms = fn(&TopicSlots) -> Option<&Histogram>;

fn topics(
    row: &'static Row,
    slots: &Slots,
    out: &mut dyn Sink,
    fill: impl Fn(&mut Family<'_>, &[&str], &TopicSlots),
) {
    family(row, out, |f| {
        for (name, topic) in slots.topics.given() {
            fill(f, &[name], topic);
        }
    });
}

pub(super) fn collect(slots: &Slots, out: &mut dyn Sink) {
    topics(&names::TOPIC_MESSAGES, slots, out, |f, name, t| f.counter(name, t.messages.get()));
    topics(&names::TOPIC_BYTES, slots, out, |f, name, t| f.counter(name, t.bytes.get()));
    topics(&names::TOPIC_LOST, slots, out, |f, name, t| {
        if let Some(lost) = t.lost.get() {
            f.counter(name, lost);
        }
    });
    let histograms: [(&'static Row, Histograms); 3] = [
        (&names::TOPIC_INTERVAL, |t| t.interval.as_ref()),
        (&names::TOPIC_TRANSPORT, |t| t.transport.as_ref()),
        (&names::TOPIC_AGE, |t| t.age.as_ref()),
    ];
    for (row, of) in histograms {
        topics(row, slots, out, |f, name, t| {
            if let Some(histogram) = of(t) {
                f.histogram(name, histogram);
            }
        });
    }
    topics(&names::TOPIC_GAP, slots, out, |f, name, t| f.gauge(name, t.gap.get()));
    topics(&names::TOPIC_ANOMALIES, slots, out, |f, name, t| {
        f.each(name, &t.anomalies, super::put_counter);
    });
    topics(&names::TOPIC_LAST, slots, out, |f, name, t| f.timestamp(name, t.last_message.get()));
    topics(&names::TOPIC_EXPECTED, slots, out, |f, name, t| f.gauge(name, t.expected.get()));
    topics(&names::TOPIC_PUBLISHERS, slots, out, |f, name, t| {
        f.level(name, t.publishers.get());
    });
    topics(&names::TOPIC_INCOMPATIBLE, slots, out, |f, name, t| {
        f.level(name, t.incompatible.get());
    });
    info(slots, out);
    let given = slots.topics.given().count();
    family(&names::TOPICS, out, |f| f.level(&[], u64::try_from(given).ok()));
    family(&names::TOPICS_SUPPRESSED, out, |f| {
        f.each(&[], &slots.topics.suppressed, super::put_counter);
    });
}

/// Absent until the topic was subscribed.
fn info(slots: &Slots, out: &mut dyn Sink) {
    family(&names::TOPIC, out, |f| {
        for (name, topic) in slots.topics.given() {
            if let (Some(reliability), Some(durability)) =
                (topic.reliability.get(), topic.durability.get())
            {
                let words = topic.words();
                let labels = [name, &words.type_name, reliability.label(), durability.label()];
                f.gauge(&labels, 1.0);
            }
        }
    });
}
