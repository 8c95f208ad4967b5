//! One monitored topic: its subscription, and what a message says.
//!
//! **Invariant:** what it counts stays in its slots, whatever becomes of the subscription: a topic that
//! disappears keeps its counters, and one that comes back goes on with them.

use std::sync::Arc;
use std::time::Duration;

use super::offers::{Offered, Reading};
use super::publishers::{Counted, Publishers};
use super::stamps::StampReader;
use super::window::Window;
use crate::config::model::MonitoredTopic;
use crate::gate::units::{Moment, SteadyTime, WallTime};
use crate::ros::rcl::{
    Durability, MessageInfo, Node, Qos, RclError, Reliability, SerializedBuffer, Subscription,
    Waker,
};
use crate::ros::typesupport::LoadedMessage;
use crate::telemetry::slots::{
    OfferedDurability, OfferedReliability, StampAnomaly, TopicPool, TopicSlots,
};

/// Messages kept for a topic whose rate nobody says: 50 ms of 1 kHz.
const DEPTH: usize = 50;
/// The longest that this thread may be away without losing messages of a topic with a rate.
const AWAY_S: f64 = 0.25;
const MOST_DEPTH: f64 = 2000.0;
/// A receipt is never taken to be further back than this: then a clock was stepped.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A topic with its place in the slots.
pub(super) struct Topic {
    pub(super) name: String,
    place: usize,
    bit: Waker,
    rate_hz: Option<f64>,
    named: bool,
    subscription: Option<Reader>,
    publishers: Publishers,
    window: Window,
    /// Whether anybody published when the graph was looked at.
    is_published: bool,
    /// The deadline that its publishers offer, or offered when the last of them was there, s.
    deadline_s: Option<f64>,
}

struct Reader {
    reading: Reading,
    subscription: Subscription,
    stamps: Option<StampReader>,
    /// When it was made, by the wall clock.
    since: WallTime,
}

impl Topic {
    pub(super) fn new(
        name: String,
        place: usize,
        bit: Waker,
        config: Option<&MonitoredTopic>,
        now: SteadyTime,
    ) -> Self {
        Self {
            name,
            place,
            bit,
            rate_hz: config.and_then(|config| config.rate_hz),
            named: config.is_some(),
            subscription: None,
            publishers: Publishers::default(),
            window: Window::new(now),
            is_published: false,
            deadline_s: None,
        }
    }

    pub(super) const fn bit(&self) -> &Waker {
        &self.bit
    }

    pub(super) const fn is_named(&self) -> bool {
        self.named
    }

    /// How it is read now.
    pub(super) fn reading(&self) -> Option<&Reading> {
        self.subscription.as_ref().map(|reader| &reader.reading)
    }

    /// Follows what the graph offers. `loaded` is the type to read, if there is one.
    pub(super) fn follow(
        &mut self,
        node: &Arc<Node>,
        offered: &Offered,
        loaded: Option<&LoadedMessage>,
        pool: &TopicPool,
        now: Moment,
    ) -> Result<(), RclError> {
        let Some(slots) = pool.at(self.place) else { return Ok(()) };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.is_published = offered.publishers > 0;
        slots.publishers.set(count(offered.publishers));
        slots.incompatible.set(count(offered.incompatible));
        // A promise outlives who gave it: a driver that is gone is silent, not without a rate.
        if offered.publishers > offered.incompatible {
            self.deadline_s = offered.deadline_s;
        }
        let expected = self.rate_hz.map(|rate| 1.0 / rate).or(self.deadline_s);
        slots.expected.set(expected.unwrap_or(f64::NAN));
        slots.say(|words| words.text.clone_from(&offered.text));
        if offered.reading.as_ref() == self.reading() {
            return Ok(());
        }
        // First the old one goes: a participant has one type for a topic.
        self.subscription = None;
        let (Some(reading), Some(loaded)) = (&offered.reading, loaded) else { return Ok(()) };
        self.publishers.listen_anew();
        let qos = Qos {
            reliability: reading.reliability,
            durability: reading.durability,
            depth: depth(expected),
        };
        let mut subscription = Subscription::new(node, loaded.support(), &self.name, qos)?;
        subscription.on_new_message(self.bit.clone())?;
        slots.say(|words| words.type_name.clone_from(&reading.type_name));
        slots.reliability.set(Some(match reading.reliability {
            Reliability::Reliable => OfferedReliability::Reliable,
            Reliability::BestEffort => OfferedReliability::BestEffort,
        }));
        slots.durability.set(Some(match reading.durability {
            Durability::TransientLocal => OfferedDurability::TransientLocal,
            Durability::Volatile => OfferedDurability::Volatile,
        }));
        self.subscription = Some(Reader {
            reading: reading.clone(),
            subscription,
            stamps: StampReader::new(loaded.message()),
            since: now.wall,
        });
        Ok(())
    }

    /// Takes what has come, at most `most` messages. Returns whether there may be more.
    pub(super) fn take(
        &mut self,
        buffer: &mut SerializedBuffer,
        pool: &TopicPool,
        most: usize,
        now: Moment,
    ) -> Result<bool, RclError> {
        for _ in 0..most {
            let Some(reader) = &mut self.subscription else { return Ok(false) };
            let Some(info) = reader.subscription.take(buffer)? else { return Ok(false) };
            self.arrived(buffer.bytes(), &info, pool, now);
        }
        Ok(true)
    }

    fn arrived(&mut self, bytes: &[u8], info: &MessageInfo, pool: &TopicPool, now: Moment) {
        let (Some(slots), Some(reader)) = (pool.at(self.place), &mut self.subscription) else {
            return;
        };
        let receipt = receipt(info, now);
        let gid = info.publisher_gid;
        match self.publishers.count(gid, info.publication_sequence_number, receipt.steady) {
            Counted::Again => return,
            Counted::New { lost: Some(lost) } => slots.lost.add(lost),
            Counted::New { lost: None } => {}
        }
        slots.messages.increment();
        slots.bytes.add(u64::try_from(bytes.len()).unwrap_or(0));
        tell_last(slots, &self.window, receipt);
        let gap = self.window.arrived(receipt.steady);
        if let Some(last) = self.window.last() {
            slots.last_steady.set(last.as_nanos());
        }
        let sent = info.source_timestamp_ns;
        // What a transient-local writer sent before we listened was not on its way all that time.
        let is_replayed = reader.reading.durability == Durability::TransientLocal
            && sent.is_some_and(|sent| sent < reader.since.as_nanos())
            && self.publishers.may_replay(gid, receipt.steady);
        if is_replayed {
            return;
        }
        if let (Some(histogram), Some(gap)) = (&slots.interval, gap) {
            histogram.observe(gap);
        }
        if let Some(sent) = sent {
            match since(receipt.wall, sent) {
                None => slots.anomalies.at(StampAnomaly::NegativeTransport).increment(),
                Some(transport) => {
                    if let Some(histogram) = &slots.transport {
                        histogram.observe(transport);
                    }
                }
            }
        }
        if let Some(stamp) = reader.stamps.as_mut().and_then(|stamps| stamps.read(bytes)) {
            let is_backwards =
                stamp != 0 && self.publishers.is_backwards(gid, stamp, receipt.steady);
            record_stamp(slots, stamp, is_backwards, receipt.wall);
        }
    }

    /// What changes without a message: the open gap, and the rate.
    pub(super) fn turn(&mut self, pool: &TopicPool, now: SteadyTime) {
        let Some(slots) = pool.at(self.place) else { return };
        self.window.turn(now);
        // A topic that nobody named, promised or publishes is not silent, it is gone.
        let is_due = self.named || self.is_published || self.deadline_s.is_some();
        let gap = self.window.longest(now).filter(|_| is_due);
        slots.gap.set(gap.map_or(f64::NAN, |gap| gap.as_secs_f64()));
        slots.rate.set(self.window.rate(now).unwrap_or(f64::NAN));
    }
}

/// Before the window has it. The newest by the steady clock: the wall clock may have been set back, and
/// what came before that would be the newest for ever.
fn tell_last(slots: &TopicSlots, window: &Window, receipt: Moment) {
    if window.is_newest(receipt.steady) {
        slots.last_message.set(receipt.wall);
    }
}

fn record_stamp(slots: &TopicSlots, stamp: i64, is_backwards: bool, receipt: WallTime) {
    if stamp == 0 {
        slots.anomalies.at(StampAnomaly::Zero).increment();
        return;
    }
    if is_backwards {
        slots.anomalies.at(StampAnomaly::Backwards).increment();
    }
    match since(receipt, stamp) {
        None => slots.anomalies.at(StampAnomaly::Future).increment(),
        Some(age) => {
            if let Some(histogram) = &slots.age {
                histogram.observe(age);
            }
        }
    }
}

/// When the middleware had the message, on both clocks: it waits for this thread, and that is not
/// its publisher's doing. Where the middleware does not say, now.
fn receipt(info: &MessageInfo, now: Moment) -> Moment {
    let received = info.received_timestamp_ns.map(WallTime::from_nanos);
    let waited = received.and_then(|received| since(now.wall, received.as_nanos()));
    match (received, waited) {
        (Some(received), Some(waited)) if waited <= LONGEST_WAIT => {
            let steady =
                now.steady.as_nanos().saturating_sub(crate::gate::units::duration_nanos(waited));
            Moment { steady: SteadyTime::from_nanos(steady), wall: received }
        }
        // Received after this turn began.
        (Some(received), None) => Moment { steady: now.steady, wall: received },
        (None, _) | (Some(_), Some(_)) => now,
    }
}

/// `None`: it is before.
fn since(now: WallTime, then: i64) -> Option<Duration> {
    let nanos = now.as_nanos().checked_sub(then)?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// Room for what comes while this thread is away.
#[expect(clippy::as_conversions, reason = "between 1 and MOST_DEPTH, or NaN, which becomes 0")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as above")]
fn depth(expected_s: Option<f64>) -> usize {
    let wanted = expected_s.map_or(0.0, |interval| (AWAY_S / interval).ceil());
    (crate::gate::units::at_most(wanted, MOST_DEPTH) as usize).max(DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_rate_is_known_expect_room_for_a_quarter_of_a_second() {
        assert_eq!(depth(None), DEPTH);
        assert_eq!(depth(Some(0.1)), DEPTH);
        assert_eq!(depth(Some(0.001)), 250);
        assert_eq!(depth(Some(1e-9)), 2000);
    }

    #[test]
    fn when_the_wall_clock_is_set_back_expect_the_newest_message_to_stay_the_newest() {
        let slots = crate::telemetry::fixture::slots();
        slots.topics.give(0, "/scan");
        let slots = slots.topics.at(0).unwrap();
        let at = |steady_s: u64, wall_s: i64| Moment {
            steady: SteadyTime::from_nanos(steady_s * 1_000_000_000),
            wall: WallTime::from_nanos(wall_s * 1_000_000_000),
        };
        let mut window = Window::new(SteadyTime::from_nanos(0));
        let mut arrived = |receipt: Moment| {
            tell_last(slots, &window, receipt);
            window.arrived(receipt.steady);
            slots.last_message.get()
        };
        assert_eq!(arrived(at(10, 7_200)), Some(at(10, 7_200).wall));
        assert_eq!(arrived(at(11, 3_601)), Some(at(11, 3_601).wall), "an hour back");
        // One that waited longer than another is not the newest.
        assert_eq!(arrived(at(10, 3_600)), Some(at(11, 3_601).wall));
    }

    #[test]
    fn when_a_message_waited_for_us_expect_the_receipt_when_it_came() {
        let now = Moment {
            steady: SteadyTime::from_nanos(50_000_000_000),
            wall: WallTime::from_nanos(1_700_000_000_000_000_000),
        };
        let info = |behind_ms: i64| MessageInfo {
            source_timestamp_ns: None,
            received_timestamp_ns: Some(now.wall.as_nanos() - behind_ms * 1_000_000),
            publication_sequence_number: None,
            reception_sequence_number: None,
            publisher_gid: [0; 16],
        };
        assert_eq!(receipt(&info(20), now).steady, SteadyTime::from_nanos(49_980_000_000));
        // After the clock was read, or before a step of it: never in the future, never far back.
        assert_eq!(receipt(&info(-5), now).steady, now.steady);
        assert_eq!(receipt(&info(3_600_000), now), now);
        let silent = MessageInfo { received_timestamp_ns: None, ..info(0) };
        assert_eq!(receipt(&silent, now), now);
    }
}
