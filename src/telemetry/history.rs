//! The last things that mattered to an operator: stops, resets, arms, who asked and what was refused.
//!
//! Thread `events` writes it from the same events as the log; the control socket reads it. Bounded:
//! the newest are kept, of this run only.
//!
//! **Invariant:** never touched by the gate thread.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::events::{Event, What};
use super::slots::Slots;
use crate::gate::machine::Subject;
use crate::gate::notice::Notice;

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

/// The newest entries.
#[derive(Debug, Default)]
pub struct History {
    entries: Mutex<VecDeque<Entry>>,
}

impl History {
    /// Takes in an event, if it is one of those that people ask about later.
    pub fn take(&self, event: &Event, slots: &Slots) {
        let Some(entry) = entry(event, slots) else { return };
        let mut entries = self.entries.lock();
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().iter().cloned().collect()
    }
}

#[expect(clippy::as_conversions, reason = "a stamp for people")]
fn entry(event: &Event, slots: &Slots) -> Option<Entry> {
    let plain = |seq: Option<u64>, text: String| Entry {
        stamp_unix_s: event.at.wall.as_nanos() as f64 * 1e-9,
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
        What::Lost { .. }
        | What::DecisionLost { .. }
        | What::Description(_)
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
}
