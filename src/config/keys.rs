//! Typed access to the flat map that collects problems: what every subject's reader is built on.
//!
//! A getter gives the value, or says that the key is absent, or has pushed a problem and says so.
//! Absent and wrong are kept apart, so that one mistake gives one problem.
//!
//! **Invariant:** every `None` of a `needed` value has a problem behind it.

mod values;

use std::collections::BTreeSet;

use super::problem::{Place, Problem, Problems};
use super::range::Read;
use super::schema;
use super::value::{Entry, FlatMap};

/// The map and the problems found in it so far.
pub(super) struct Keys<'m> {
    pub(super) map: &'m FlatMap,
    pub(super) problems: Problems,
    /// Keys that already have a problem: the getters call them bad and say nothing more.
    pub(super) bad: BTreeSet<String>,
    /// Every key that a reader asked for.
    #[cfg(test)]
    pub(super) asked: BTreeSet<String>,
}

impl<'m> Keys<'m> {
    pub(super) fn new(map: &'m FlatMap) -> Self {
        Self {
            map,
            problems: Problems::default(),
            bad: BTreeSet::new(),
            #[cfg(test)]
            asked: BTreeSet::new(),
        }
    }

    /// Refuses a key that is there and would do nothing; `None` if it did.
    pub(super) fn refuse_effectless(&mut self, key: &str, only: &str, because: &str) -> Option<()> {
        if self.map.get(key).is_none() && self.map.under(key).next().is_none() {
            return Some(());
        }
        self.refuse(key, "has no effect here", only, because, "remove it");
        None
    }

    /// A problem at a key that is there, or where it would stand.
    pub(super) fn refuse(
        &mut self,
        key: &str,
        found: impl Into<String>,
        allowed: impl Into<String>,
        because: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.problems.push(Problem {
            key: key.to_owned(),
            found: found.into(),
            allowed: allowed.into(),
            because: because.into(),
            fix: fix.into(),
            place: self.place(key),
        });
    }

    /// A problem of a name that is not among those known.
    pub(super) fn refuse_word(
        &mut self,
        key: &str,
        found: impl Into<String>,
        known: &[&str],
        because: &str,
    ) {
        let near = known.first().and_then(|first| {
            let word = key.rsplit('.').next().unwrap_or(first);
            schema::nearest_word(word, known)
        });
        let fix =
            near.map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near:?}?"));
        self.refuse(key, found, known.join(", "), because, fix);
    }

    /// Where the key stands, or the first line of the nearest group around it.
    pub(super) fn place(&self, key: &str) -> Place {
        if let Some(entry) = self.map.get(key) {
            return entry.place.clone();
        }
        let mut around = Some(key);
        while let Some(group) = around {
            if let Some(place) = self.map.under(group).map(|(_, entry)| &entry.place).min() {
                return place.clone();
            }
            around = group.rsplit_once('.').map(|(outer, _)| outer);
        }
        self.map.iter().map(|(_, entry)| &entry.place).min().cloned().unwrap_or_default()
    }

    /// A needed key that is not there.
    pub(super) fn missing(&mut self, key: &str, allowed: &str, because: &str) {
        let name = key.rsplit('.').next().unwrap_or(key);
        let fix = format!("add `{name}`");
        self.refuse(key, "is missing", allowed, because, fix);
    }

    /// The value of a needed key.
    pub(super) fn needed<T>(
        &mut self,
        key: &str,
        read: Read<T>,
        allowed: &str,
        because: &str,
    ) -> Option<T> {
        if read.is_absent() {
            self.missing(key, allowed, because);
        }
        read.optional().flatten()
    }

    fn entry(&mut self, key: &str) -> Read<&'m Entry> {
        #[cfg(test)]
        self.asked.insert(key.to_owned());
        if self.bad.contains(key) {
            return Read::Bad;
        }
        self.map.get(key).map_or(Read::Absent, Read::Got)
    }

    fn wrong_type<T>(&mut self, key: &str, entry: &Entry, expected: &str) -> Read<T> {
        let is_text = expected.contains("string");
        match &entry.bool_word {
            Some(word) if is_text => self.refuse(
                key,
                format!("{word} is a boolean, not a string"),
                expected,
                "rcl reads on, off, yes, no, y and n without quotes as booleans",
                format!("write \"{word}\" in quotes"),
            ),
            Some(_) | None => self.refuse(
                key,
                format!("{} is {}", entry.value, entry.value.type_name()),
                expected,
                "a value of another type is never converted",
                if is_text {
                    format!("write {expected}, in quotes if it looks like a number")
                } else {
                    format!("write {expected}")
                },
            ),
        }
        Read::Bad
    }
}
