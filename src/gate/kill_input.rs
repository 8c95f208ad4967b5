//! A kill input: a level for each publisher, and the silence of all of them.
//!
//! Three readers hear each input, so that every writer is heard by one; each sample counts once
//! ([`numbers`]). One of the readers also gets what was published before it was there. Such a replayed
//! sample may be hours old, so it is no sign of life and releases nothing. But one that asserts does
//! assert, until its publisher sends a newer one: a button that was pressed before the node started
//! is still pressed, and its publisher will not say it again.
//!
//! A press that comes late, after its own release, still counts as a press, for a moment.
//!
//! Who asserts and then dies says nothing any more. Where there is a heartbeat its silence ends what it
//! said; where there is none, the graph tells that it has gone ([`KillInput::look`]).
//!
//! **Invariant:** only a newer sample of the same publisher takes an assertion back, or, where there is
//! a heartbeat, that publisher's silence, or, where there is none, its absence from the graph.

mod listed;
mod numbers;
#[cfg(test)]
mod test_gone;

use std::time::Duration;

pub use self::listed::{Identifiers, Listed};
use self::numbers::{News, Numbers};
use super::publisher::{Gid, Receipt};
use super::rules::{KillAction, KillInputRules};
use super::units::SteadyTime;

/// How many publishers of one input are told apart. One more takes the place of one that does not
/// assert; if all assert, the input asserts anyway.
const TOLD_APART: usize = 8;

/// Looks at the graph in a row without a publisher after which it has gone: two, and before them the
/// first look after a sample, which may have been made before it was sent.
const GONE: u8 = 3;

#[derive(Clone, Copy, Debug)]
struct Level {
    publisher: Option<Gid>,
    asserted: bool,
    at: SteadyTime,
    /// Of the samples that were not replayed.
    numbers: Numbers,
    /// Any of those was heard.
    heard: bool,
    /// The newest replayed sample; set while the level comes from one.
    replayed: Option<Option<u64>>,
    /// The graph has listed it.
    listed: bool,
    /// Looks in a row that did not list it. Listed, it stands at the one that says nothing yet.
    missed: u8,
}

/// How long an input has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Heard within its timeout, or it has no heartbeat.
    Heard,
    /// Never heard.
    Unseen,
    /// Silent for longer than its timeout, by this much in all.
    Lost(Duration),
}

/// The state of one kill input.
#[derive(Clone, Debug)]
pub struct KillInput {
    levels: [Option<Level>; TOLD_APART],
    last_seen: Option<SteadyTime>,
    is_unread: bool,
}

impl Default for KillInput {
    fn default() -> Self {
        Self { levels: [None; TOLD_APART], last_seen: None, is_unread: false }
    }
}

/// A publisher's number of a sample, and whether it counts up by one.
fn number(receipt: &Receipt) -> (Option<u64>, bool) {
    let stamp = || receipt.source_timestamp.and_then(|stamp| u64::try_from(stamp).ok());
    // Without a publisher the numbers of several cannot be told apart.
    match (receipt.publisher, receipt.sequence) {
        (Some(_), Some(sequence)) => (Some(sequence), true),
        (Some(_), None) => (stamp(), false),
        (None, _) => (None, false),
    }
}

impl Level {
    const fn new(receipt: &Receipt) -> Self {
        Self {
            publisher: receipt.publisher,
            asserted: false,
            at: receipt.at.steady,
            numbers: Numbers::new(),
            heard: false,
            replayed: None,
            listed: false,
            missed: 0,
        }
    }

    fn asserts(&self, now: SteadyTime, rules: &KillInputRules) -> bool {
        self.asserted && rules.timeout.is_none_or(|timeout| now.since(self.at) <= timeout)
    }

    /// One look at the graph. A publisher without an identifier is never missed.
    fn look(&mut self, listed: &Listed) {
        let Some(publisher) = self.publisher else { return };
        if listed.has(publisher) {
            (self.listed, self.missed) = (true, 1);
        } else if !listed.is_whole() {
            self.missed = 0;
        } else if self.listed || listed.is_comparable() {
            self.missed = self.missed.saturating_add(1);
        }
    }

    const fn has_gone(&self) -> bool {
        self.missed >= GONE
    }

    /// Whether it is there and said that it does not assert.
    const fn holds(&self) -> bool {
        self.heard && !self.asserted && !self.has_gone()
    }

    /// A sample that may be old: asserts, and takes back only what such samples asserted.
    fn replay(&mut self, asserted: bool, receipt: &Receipt) {
        let (number, _) = number(receipt);
        if !self.numbers.is_newer(number, self.heard) {
            return;
        }
        if asserted {
            if !self.asserted || self.replayed.is_some() {
                self.replayed = Some(number);
            }
            self.asserted = true;
            self.at = receipt.at.steady;
        } else if let (Some(Some(pressed)), Some(released)) = (self.replayed, number)
            && released > pressed
        {
            self.asserted = false;
            self.replayed = None;
        }
    }

    /// A sample sent while we listened.
    fn live(&mut self, asserted: bool, receipt: &Receipt) -> News {
        let (number, dense) = number(receipt);
        let news = self.numbers.note(number, dense);
        self.heard = true;
        if news == News::Newer {
            self.asserted = asserted;
            self.at = receipt.at.steady;
            self.replayed = None;
        } else if news == News::Late && asserted && !dense {
            // Messages of one publisher come in their order, so an older stamp is a clock that was set
            // back: pressed until it is released, by that clock.
            self.asserted = true;
            self.at = receipt.at.steady;
            self.numbers.restart(number);
        }
        news
    }
}

impl KillInput {
    /// Notes whether the newest message could be read: one that could not asserts.
    pub const fn note_read(&mut self, is_read: bool) {
        self.is_unread = !is_read;
    }

    /// Whether the newest message could not be read.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// Notes one sample. Returns whether the input asserts now, and whether it did not before; a
    /// press that comes after its own release asserts for this once.
    pub fn sample(
        &mut self,
        asserted: bool,
        receipt: &Receipt,
        rules: &KillInputRules,
    ) -> (bool, bool) {
        let now = receipt.at.steady;
        let mut late = false;
        let was_asserted = self.is_asserted(now, rules);
        let mut spare = Level::new(receipt);
        let level = self.place(receipt, rules).unwrap_or(&mut spare);
        level.missed = 0;
        if receipt.replayed {
            level.replay(asserted, receipt);
        } else {
            match level.live(asserted, receipt) {
                News::Newer => self.last_seen = Some(now),
                News::Late => {
                    late = asserted;
                    if receipt.sequence.is_none() {
                        self.last_seen = Some(now);
                    }
                }
                News::Known => {}
            }
        }
        let level = self.is_asserted(now, rules);
        let rising = level && !was_asserted;
        (level || late, rising || late)
    }

    /// The record of a publisher; a new one in a free place or that of one that does not assert, or
    /// no longer. `None`: it is unknown and all others assert.
    fn place(&mut self, receipt: &Receipt, rules: &KillInputRules) -> Option<&mut Level> {
        let now = receipt.at.steady;
        let rank = |slot: &Option<Level>| match slot {
            Some(level) if level.publisher == receipt.publisher => (0, SteadyTime::default()),
            None => (1, SteadyTime::default()),
            Some(level) if !level.asserts(now, rules) => (2, level.at),
            Some(level) => (3, level.at),
        };
        let slot = self.levels.iter_mut().min_by_key(|slot| rank(slot))?;
        match slot {
            Some(level) if level.publisher == receipt.publisher => {}
            Some(level) if level.asserts(now, rules) => return None,
            Some(_) | None => *slot = Some(Level::new(receipt)),
        }
        slot.as_mut()
    }

    /// Takes who is on the topic, by one look at the graph: where there is no heartbeat, who asserts
    /// and has gone is forgotten. A dead-man that was let go stays so until somebody else holds it.
    pub fn look(&mut self, listed: &Listed, rules: &KillInputRules) {
        for level in self.levels.iter_mut().flatten() {
            level.look(listed);
        }
        let is_held = match rules.action {
            KillAction::Kill => true,
            KillAction::Disarm => self.levels.iter().flatten().any(Level::holds),
        };
        if rules.timeout.is_some() || !is_held {
            return;
        }
        for slot in &mut self.levels {
            if slot.is_some_and(|level| level.asserted && level.has_gone()) {
                *slot = None;
            }
        }
    }

    /// A publisher that asserts, where the middleware names it.
    #[must_use]
    pub fn asserted_by(&self, now: SteadyTime, rules: &KillInputRules) -> Option<Gid> {
        self.asserting(now, rules).find_map(|level| level.publisher)
    }

    /// Whether this publisher asserts.
    #[must_use]
    pub fn asserts(&self, publisher: Gid, now: SteadyTime, rules: &KillInputRules) -> bool {
        self.asserting(now, rules).any(|level| level.publisher == Some(publisher))
    }

    fn asserting<'a>(
        &'a self,
        now: SteadyTime,
        rules: &'a KillInputRules,
    ) -> impl Iterator<Item = &'a Level> {
        self.levels.iter().flatten().filter(move |level| level.asserts(now, rules))
    }

    /// Whether any live publisher asserts.
    #[must_use]
    pub fn is_asserted(&self, now: SteadyTime, rules: &KillInputRules) -> bool {
        self.asserting(now, rules).next().is_some()
    }

    /// How long it has been silent.
    #[must_use]
    pub fn silence(&self, now: SteadyTime, rules: &KillInputRules) -> Silence {
        match (rules.timeout, self.last_seen) {
            (None, _) => Silence::Heard,
            (Some(_), None) => Silence::Unseen,
            (Some(timeout), Some(seen)) if now.since(seen) > timeout => {
                Silence::Lost(now.since(seen))
            }
            (Some(_), Some(_)) => Silence::Heard,
        }
    }

    /// When the newest sample came.
    #[must_use]
    pub const fn last_seen(&self) -> Option<SteadyTime> {
        self.last_seen
    }
}

#[cfg(test)]
mod tests;
