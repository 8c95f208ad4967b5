//! Who asked for what, and why: the operator and the reason that belong to a `seq`.
//!
//! A stop needs no name, so none passes through the gate. Whoever serves a verb for a person notes the
//! name here once the verb has moved `seq`; the status, the log and the latch file look it up by that
//! `seq`. Bounded: the newest entries are kept.
//!
//! **Invariant:** never touched by the gate thread; a missing entry is no error.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// How many entries are kept: more than the trips that the latch file keeps.
const KEPT: usize = 64;

/// The longest operator or reason that is kept, in bytes; what is longer is cut.
pub const TEXT_BYTES: usize = 160;

/// The name and the words behind one `seq`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// For example `maria` or `uid 1000 (interlockctl)`; empty: not told.
    pub operator: String,
    /// In the operator's words; empty: none given.
    pub reason: String,
}

/// The newest entries.
#[derive(Debug, Default)]
pub struct Attribution {
    entries: Mutex<VecDeque<(u64, Who)>>,
}

impl Attribution {
    /// Notes who moved `seq`. The first note for a `seq` is kept.
    pub fn note(&self, seq: u64, operator: &str, reason: &str) {
        let who = Who { operator: cut(operator), reason: cut(reason) };
        let mut entries = self.entries.lock();
        if entries.iter().any(|(known, _)| *known == seq) {
            return;
        }
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back((seq, who));
    }

    /// Who moved `seq`, where somebody said so.
    #[must_use]
    pub fn of(&self, seq: u64) -> Option<Who> {
        let entries = self.entries.lock();
        entries.iter().find(|(known, _)| *known == seq).map(|(_, who)| who.clone())
    }
}

/// At most [`TEXT_BYTES`], on one line: what a client sends must not break a log.
fn cut(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        if kept.len().saturating_add(letter.len_utf8()) > TEXT_BYTES {
            break;
        }
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_noted_expect_the_first_note_of_each_seq_and_the_newest_entries() {
        let who = Attribution::default();
        who.note(3, "maria", "arm near\ntable");
        who.note(3, "somebody", "else");
        let found = who.of(3).unwrap();
        assert_eq!((found.operator.as_str(), found.reason.as_str()), ("maria", "arm near table"));
        for seq in 4..100 {
            who.note(seq, "x", "");
        }
        assert_eq!(who.of(3), None);
        assert!(who.of(99).is_some());
    }

    #[test]
    fn when_a_text_is_long_expect_it_cut_at_a_letter() {
        let who = Attribution::default();
        who.note(1, &"ä".repeat(500), "");
        assert_eq!(who.of(1).unwrap().operator.len(), TEXT_BYTES);
    }
}
