//! Parameter values as rcl knows them, and the flat map of dotted keys that both loaders make.
//!
//! The file loader and the reader of rcl's own overrides produce the same [`FlatMap`]; everything
//! after that (the readers, the digest, the comparison) sees only this map.
//!
//! **Invariant:** an array is never empty and never mixed: rcl has no such value.

use std::collections::BTreeMap;
use std::fmt;

use super::problem::Place;

/// One parameter value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true`, and rcl's `yes`, `on`, `y`.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double. May be NaN or infinite here: the readers refuse those.
    Double(f64),
    /// Text.
    String(String),
    /// Booleans.
    BoolArray(Vec<bool>),
    /// Integers.
    IntArray(Vec<i64>),
    /// Doubles.
    DoubleArray(Vec<f64>),
    /// Texts.
    StringArray(Vec<String>),
}

impl Value {
    /// What a person calls the type.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Double(_) => "a number",
            Self::String(_) => "a string",
            Self::BoolArray(_) => "a list of booleans",
            Self::IntArray(_) => "a list of integers",
            Self::DoubleArray(_) => "a list of numbers",
            Self::StringArray(_) => "a list of strings",
        }
    }

    /// Whether both are the same type and the same value to the last bit; any NaN is any NaN.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Double(a), Self::Double(b)) => same_double(*a, *b),
            (Self::DoubleArray(a), Self::DoubleArray(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_double(*a, *b))
            }
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::BoolArray(a), Self::BoolArray(b)) => a == b,
            (Self::IntArray(a), Self::IntArray(b)) => a == b,
            (Self::StringArray(a), Self::StringArray(b)) => a == b,
            (
                Self::Bool(_)
                | Self::Int(_)
                | Self::Double(_)
                | Self::String(_)
                | Self::BoolArray(_)
                | Self::IntArray(_)
                | Self::DoubleArray(_)
                | Self::StringArray(_),
                _,
            ) => false,
        }
    }
}

fn same_double(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(v) => write!(f, "{v}"),
            Self::Int(v) => write!(f, "{v}"),
            Self::Double(v) => write!(f, "{v:?}"),
            Self::String(v) => write!(f, "{v:?}"),
            Self::BoolArray(v) => write!(f, "{v:?}"),
            Self::IntArray(v) => write!(f, "{v:?}"),
            Self::DoubleArray(v) => write!(f, "{v:?}"),
            Self::StringArray(v) => write!(f, "{v:?}"),
        }
    }
}

/// A way of writing that rcl reads, but not as a person does. Refused in our own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A leading zero: `010` is 8 to rcl, `08` is 8.0.
    LeadingZero(String),
    /// `~` or `null`: text to rcl.
    Null(String),
    /// `|` or `>`: rcl reads numbers and booleans inside.
    BlockScalar,
    /// A tag other than `!!str`: rcl ignores it.
    Tag(String),
    /// Text over several lines.
    SeveralLines,
    /// A number beyond the range of a double: text to rcl.
    TooLarge(String),
}

/// A value, where it was written, and what may be wrong with how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The value as rcl reads it.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// Set where a person would read it differently.
    pub doubt: Option<Doubt>,
    /// Plain text that became a boolean, for example `no`.
    pub bool_word: Option<String>,
}

/// Dotted key → value. Sorted by key; order of writing is in each [`Place`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlatMap {
    entries: BTreeMap<String, Entry>,
}

impl FlatMap {
    /// The map of what rcl gave the node.
    #[must_use]
    pub fn from_rcl(parameters: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut map = Self::default();
        for (key, value) in parameters {
            map.insert(key, Entry { value, place: Place::rcl(), doubt: None, bool_word: None });
        }
        map
    }

    /// Adds or replaces.
    pub fn insert(&mut self, key: String, entry: Entry) {
        self.entries.insert(key, entry);
    }

    /// The entry of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// All entries, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// Entries whose key starts with `prefix` and a dot.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.iter().filter(move |(key, _)| {
            key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// The names right under `prefix`, sorted, each once.
    #[must_use]
    pub fn names_under(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (key, _) in self.under(prefix) {
            let rest = key.get(prefix.len() + 1..).unwrap_or_default();
            let name = rest.split('.').next().unwrap_or_default();
            if names.last().is_none_or(|last| last != name) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
