//! The last things that mattered to an operator: stops, resets, arms, who asked and what was refused.
//!
//! Thread `events` writes it from the same events as the log; the control socket and HTTP read it.
//! Bounded: the newest are kept, of this run only; refused commands by lane, source and reason.
//!
//! **Invariant:** never touched by the gate thread.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::events::{Event, What};
use super::slots::{EventKind, Slots};
use super::status::RejectionStatus;
use crate::gate::check::Refusal;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;

/// How many are kept: a day of work at a robot that stops often.
const KEPT: usize = 128;

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the node's wall clock.
    pub stamp_unix_s: f64,
    /// The word that the log and the metrics have for it.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// `seq` after it, or the one that was named; `null`: none.
    pub seq: Option<u64>,
    /// Who, where known, else empty.
    pub operator: String,
    /// Why, where told, else empty.
    pub reason: String,
}

/// Lines about refused commands that are told: a page shows no more.
const REJECTIONS_TOLD: usize = 16;

/// The newest entries.
#[derive(Debug, Default)]
pub struct History {
    entries: Mutex<VecDeque<Entry>>,
    /// **Invariant:** bounded by lanes × sources × reasons.
    rejected: Mutex<BTreeMap<(usize, usize, Reason), Rejected>>,
}

/// Commands of one source refused for one reason.
#[derive(Debug)]
struct Rejected {
    at: WallTime,
    newest: Refusal,
    count: u64,
}

impl History {
    /// Takes in an event, if it is one of those that people ask about later.
    pub fn take(&self, event: &Event, slots: &Slots) {
        if let What::Gate(Notice::Rejected { lane, source, refusal }) = event.what {
            self.reject((lane, source, refusal.reason), refusal, event.at.wall);
            return;
        }
        let Some(entry) = entry(event, slots) else { return };
        let mut entries = self.entries.lock();
        if entries.len() == KEPT {
            // Whoever asks and asks pushes out what was asked, not the stops.
            let asked = entries.iter().filter(|one| is_asked(one)).count();
            let oldest = entries.iter().position(|one| asked <= KEPT / 2 || is_asked(one));
            entries.remove(oldest.unwrap_or(0));
        }
        entries.push_back(entry);
    }

    fn reject(&self, key: (usize, usize, Reason), refusal: Refusal, at: WallTime) {
        let mut rejected = self.rejected.lock();
        let held = rejected.entry(key).or_insert(Rejected { at, newest: refusal, count: 0 });
        held.count = held.count.saturating_add(1);
        (held.at, held.newest) = (at, refusal);
    }

    /// The latest refusals, the newest first.
    #[must_use]
    pub fn rejections(&self, slots: &Slots, now: WallTime) -> Vec<RejectionStatus> {
        let rejected = self.rejected.lock();
        let mut newest: Vec<_> = rejected.iter().collect();
        newest.sort_by_key(|(_, held)| std::cmp::Reverse(held.at.as_nanos()));
        newest.truncate(REJECTIONS_TOLD);
        let told = newest.into_iter().map(|(&(lane, source, reason), held)| {
            let lane_slots = slots.lanes.get(lane);
            let source = lane_slots.and_then(|lane| lane.sources.get(source));
            RejectionStatus {
                stamp_unix_s: unix(held.at),
                age_s: unix(now) - unix(held.at),
                lane: lane_slots.map(|lane| lane.name.clone()).unwrap_or_default(),
                source: source.map(|source| source.name.clone()).unwrap_or_default(),
                reason: reason.label().to_owned(),
                detail: super::events::refusal_text(slots, lane, &held.newest),
                count: held.count,
            }
        });
        told.collect()
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().iter().cloned().collect()
    }
}

/// Whether it tells of a request, or of its refusal: these come as often as somebody asks.
fn is_asked(entry: &Entry) -> bool {
    let kinds = [
        EventKind::Requested,
        EventKind::RequestRefused,
        EventKind::ResetRefused,
        EventKind::ArmRefused,
        EventKind::DisarmRefused,
        EventKind::SelfTestRefused,
    ];
    kinds.iter().any(|kind| kind.label() == entry.kind)
}

#[expect(clippy::as_conversions, reason = "a stamp for people")]
fn unix(at: WallTime) -> f64 {
    at.as_nanos() as f64 * 1e-9
}

fn entry(event: &Event, slots: &Slots) -> Option<Entry> {
    let plain = |seq: Option<u64>, text: String| Entry {
        stamp_unix_s: unix(event.at.wall),
        kind: event.what.kind().label().to_owned(),
        text,
        seq,
        operator: String::new(),
        reason: String::new(),
    };
    match &event.what {
        What::Started => Some(plain(None, "the node started".to_owned())),
        What::Stopping => Some(plain(None, "the node is shutting down".to_owned())),
        What::Requested { verb, seq, operator, reason } => Some(Entry {
            operator: operator.to_string(),
            reason: reason.to_string(),
            ..plain(*seq, format!("{verb} requested"))
        }),
        What::RequestRefused { verb, operator, why } => Some(Entry {
            operator: operator.to_string(),
            ..plain(None, format!("{verb} refused: {why}"))
        }),
        What::SelfTested(result) => {
            let (input, text) = super::self_test::told(result, slots);
            let passed = if result.flaw.is_none() { "passed" } else { "FAILED" };
            Some(plain(None, format!("self test of {input} {passed}: {text}")))
        }
        What::SelfTestRefused(why) => Some(plain(None, format!("self test refused: {why}"))),
        What::Gate(notice) => of_notice(notice, slots).map(|(seq, text)| plain(seq, text)),
        What::Configured
        | What::Lost { .. }
        | What::DecisionLost { .. }
        | What::Description(_)
        | What::Audits { .. }
        | What::Monitor { .. }
        | What::MiddlewareFailed { .. } => None,
    }
}

fn of_notice(notice: &Notice, slots: &Slots) -> Option<(Option<u64>, String)> {
    match notice {
        Notice::State { from, to, seq } => Some((Some(*seq), format!("{from} -> {to}"))),
        Notice::Trip(trip) => {
            let about = super::events::subject_text(slots, trip.subject);
            Some((Some(trip.seq), format!("tripped: {}, {about}", trip.cause)))
        }
        Notice::ResetRefused(why) => Some((None, format!("reset refused: {}", why.label()))),
        Notice::ArmRefused(why) => Some((None, format!("arm refused: {}", why.label()))),
        Notice::DisarmRefused(why) => Some((None, format!("disarm refused: {}", why.label()))),
        Notice::Stalled { late } => {
            Some((None, format!("the gate's tick was {:.3} s late", late.as_secs_f64())))
        }
        Notice::Motion { lane, found } => {
            let about = super::events::subject_text(slots, Subject::Lane(*lane));
            let motion = if found.is_some() { "does not stand still" } else { "stands still" };
            Some((None, format!("{about} {motion} after the stop")))
        }
        Notice::Lane { .. }
        | Notice::Owner { .. }
        | Notice::Rejected { .. }
        | Notice::Cause { .. }
        | Notice::NoSafeCommand { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::state::State;
    use crate::gate::units::{Moment, SteadyTime, WallTime};
    use crate::telemetry::events::{ShortText, Verb};
    use crate::telemetry::fixture;

    #[test]
    fn when_events_come_expect_the_newest_of_those_that_people_ask_about() {
        let slots = fixture::slots();
        let history = History::default();
        let at = Moment {
            steady: SteadyTime::from_nanos(1),
            wall: WallTime::from_nanos(1_700_000_000_500_000_000),
        };
        for seq in 0..200 {
            let notice = Notice::State { from: State::Killed, to: State::Disarmed, seq };
            history.take(&Event { at, what: What::Gate(notice) }, &slots);
            history.take(&Event { at, what: What::Lost { lane: 0, source: 0, count: 1 } }, &slots);
        }
        let what = What::Requested {
            verb: Verb::Reset,
            seq: Some(200),
            operator: ShortText::new("uid 1000 (interlockctl)"),
            reason: ShortText::new("area clear"),
        };
        history.take(&Event { at, what }, &slots);
        let entries = history.entries();
        assert_eq!(entries.len(), KEPT);
        assert_eq!(entries[0].seq, Some(73));
        assert_eq!(entries[0].text, "killed -> disarmed");
        let last = &entries[KEPT - 1];
        assert_eq!(last.stamp_unix_s, 1_700_000_000.5);
        assert_eq!((last.kind.as_str(), last.text.as_str()), ("requested", "reset requested"));
        assert_eq!(
            (last.operator.as_str(), last.reason.as_str()),
            ("uid 1000 (interlockctl)", "area clear")
        );
    }

    #[test]
    fn when_somebody_asks_and_asks_expect_the_stops_kept_and_the_newest_requests() {
        let slots = fixture::slots();
        let history = History::default();
        let at = Moment::default();
        let ask = |seq| {
            let (operator, reason) = (ShortText::new("agent"), ShortText::new(""));
            let what = What::Requested { verb: Verb::Reset, seq: Some(seq), operator, reason };
            history.take(&Event { at, what }, &slots);
        };
        (0..10).for_each(ask);
        for seq in 0..10 {
            let notice = Notice::State { from: State::Active, to: State::Killed, seq };
            history.take(&Event { at, what: What::Gate(notice) }, &slots);
        }
        (10..1000).for_each(ask);
        let entries = history.entries();
        assert_eq!(entries.len(), KEPT);
        assert_eq!(entries.iter().filter(|one| one.text == "active -> killed").count(), 10);
        assert_eq!(entries[KEPT - 1].seq, Some(999));
        let asked = entries.iter().filter(|one| is_asked(one)).map(|one| one.seq);
        assert!(asked.is_sorted(), "the oldest give way");
    }

    #[test]
    fn when_commands_are_refused_expect_the_newest_of_each_reason_first_with_its_count() {
        let slots = fixture::slots();
        let history = History::default();
        let at = |second: i64| Moment {
            steady: SteadyTime::from_nanos(1),
            wall: WallTime::from_nanos(second * 1_000_000_000),
        };
        let rejected = |second, source, refusal| {
            let notice = Notice::Rejected { lane: 1, source, refusal };
            history.take(&Event { at: at(second), what: What::Gate(notice) }, &slots);
        };
        let fast = Refusal {
            reason: Reason::Velocity,
            dimension: Some(0),
            point: 0,
            found: 25.0,
            bound: 20.0,
        };
        for second in 10..15 {
            rejected(second, 1, fast);
        }
        rejected(20, 0, Refusal::whole(Reason::NotFinite));
        rejected(12, 1, Refusal::whole(Reason::Fenced));
        assert!(history.entries().is_empty(), "they push nothing else out");
        let told = history.rejections(&slots, at(30).wall);
        let short: Vec<_> = told
            .iter()
            .map(|r| {
                (r.source.as_str(), r.reason.as_str(), r.detail.as_str(), r.count, r.age_s.round())
            })
            .collect();
        assert_eq!(
            short,
            [
                ("teleop", "not_finite", "", 1, 10.0),
                ("vla", "velocity", "left_elbow, 25 (allowed 20)", 5, 16.0),
                ("vla", "fenced", "", 1, 18.0),
            ]
        );
        assert!(told.iter().all(|r| r.lane == "arms"));
    }
}
