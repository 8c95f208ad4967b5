//! Params files: YAML events to a tree of names and values, as rcl's parser takes them.
//!
//! rcl's parser is not YAML: it toggles between key and value over libyaml's events and keeps a
//! string of the current namespace. This loader accepts the part of the language in which that
//! gives what a person reads, and refuses the rest by name: aliases, lists of maps, mixed and
//! empty lists, empty maps, keys that shift their neighbours, keys given twice.
//!
//! **Invariant:** a tree returned here holds the same keys and values that rcl reads, for every
//! node's section, not only ours.

use super::problem::{Place, Problems};
use super::value::Entry;
use super::yaml_reader::Reader;

/// One key of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// As written.
    pub key: String,
    /// Line of the key.
    pub line: usize,
    /// What stands under it.
    pub node: Node,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A value.
    Leaf(Entry),
    /// Further keys, in order of writing.
    Map(Vec<Item>),
}

/// The tree of a whole file.
///
/// # Errors
/// Every construct that rcl refuses or misreads.
pub fn parse(text: &str, rank: usize, label: &str) -> Result<Vec<Item>, Problems> {
    Reader::new(text, rank, label).file()
}

/// The value of a `-p name:=value` argument.
///
/// # Errors
/// As for [`parse`].
pub fn parse_value(text: &str, key: &str, place: &Place) -> Result<Entry, Problems> {
    Reader::new(text, place.rank, &place.label).argument(key)
}
