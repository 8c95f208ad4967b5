//! `~/decisions`: records of the gate thread as messages.

use r2r::interlock::msg;
use r2r::{Node, Publisher, QosProfile};

use super::plain;
use super::state_msg::time;
use crate::config::model::Config;
use crate::gate::envelope::Change;
use crate::gate::units::WallTime;
use crate::gate::verdict::Verdict;
use crate::telemetry::decisions::{DecisionFeed, Numbers, Record, Totals, sentence};

/// Messages a slow reader may miss none of.
const DEPTH: usize = 10;
/// Messages in one turn: the rest waits for the next, after the services.
const AT_ONCE: usize = 256;

/// The publisher.
pub(super) struct Decisions(Publisher<msg::Decision>);

impl Decisions {
    pub(super) fn new(node: &mut Node) -> Result<Self, r2r::Error> {
        let qos = QosProfile::default().reliable().volatile().keep_last(DEPTH);
        Ok(Self(node.create_publisher("~/decisions", qos)?))
    }

    /// Publishes what waits.
    pub(super) fn publish(&self, feed: &DecisionFeed, config: &Config) {
        for _ in 0..AT_ONCE {
            let Some(record) = feed.take() else { return };
            let published = plain::publish(&self.0, message(&record, config));
            feed.give_back(record);
            if let Err(error) = published {
                tracing::warn!(%error, "~/decisions cannot be published");
            }
        }
    }
}

fn message(record: &Record, config: &Config) -> msg::Decision {
    let lane = config.lanes.get(record.lane);
    let source = lane.and_then(|lane| lane.sources.get(record.source));
    let names = lane.map(|lane| lane.dimensions.as_slice()).unwrap_or_default();
    let receipt = &record.receipt;
    let count = |verdict: Verdict| count(&record.counts, verdict);
    msg::Decision {
        stamp: time(receipt.at.wall),
        command_stamp: record.stamp.map(time).unwrap_or_default(),
        sequence_number: record.counts.iter().sum(),
        seq: record.seq,
        lane: lane.map(|lane| lane.name.clone()).unwrap_or_default(),
        source: source.map(|source| source.name.clone()).unwrap_or_default(),
        revision: source.map(|source| source.revision.clone()).unwrap_or_default(),
        shadow: record.shadow,
        verdict: number(record.verdict),
        reason: record.refusal.map(|why| why.reason.label().to_owned()).unwrap_or_default(),
        text: sentence(record, names),
        age_s: record.stamp.map_or(f64::NAN, |stamp| seconds(receipt.at.wall, stamp.as_nanos())),
        transport_s: receipt.source_timestamp.map_or(f64::NAN, |at| seconds(receipt.at.wall, at)),
        residence_s: record.residence.map_or(f64::NAN, |residence| residence.as_secs_f64()),
        name: names.to_vec(),
        requested: values(&record.requested),
        sent: values(&record.sent),
        changes: record.changes.iter().map(|one| change(one, names)).collect(),
        passed: count(Verdict::Passed),
        limited: count(Verdict::Limited),
        rejected: count(Verdict::Rejected),
        withheld: count(Verdict::Withheld),
        not_selected: count(Verdict::NotSelected),
        extra: Vec::new(),
    }
}

fn count(totals: &Totals, verdict: Verdict) -> u64 {
    totals.get(verdict.index()).copied().unwrap_or(0)
}

/// `Decision.msg`'s numbers.
const fn number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 1,
        Verdict::Limited => 2,
        Verdict::Rejected => 3,
        Verdict::Withheld => 4,
        Verdict::NotSelected => 5,
    }
}

fn values(numbers: &Numbers) -> msg::Values {
    let [position, velocity, acceleration, effort, kp, kd] = numbers.values.clone();
    let point = u32::try_from(numbers.point).unwrap_or(u32::MAX);
    msg::Values { point, position, velocity, acceleration, effort, kp, kd }
}

fn change(change: &Change, names: &[String]) -> msg::Change {
    msg::Change {
        name: names.get(change.place.dimension).cloned().unwrap_or_default(),
        quantity: change.quantity.label().to_owned(),
        limit: change.limit.label().to_owned(),
        point: u32::try_from(change.place.point).unwrap_or(u32::MAX),
        requested: change.requested,
        sent: change.sent,
        bound: change.bound,
    }
}

/// Seconds from one wall-clock reading to another; negative when it runs backwards.
#[expect(clippy::as_conversions, reason = "nanoseconds to seconds for people")]
fn seconds(now: WallTime, then: i64) -> f64 {
    now.as_nanos().saturating_sub(then) as f64 / 1e9
}
