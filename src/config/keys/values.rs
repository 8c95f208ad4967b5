//! The values of keys, each of its type and inside its range, or a problem.

use std::time::Duration;

use super::Keys;
use crate::config::model::FlagValue;
use crate::config::range::{Range, Read};
use crate::config::schema;
use crate::config::value::Value;

impl<'m> Keys<'m> {
    /// The value that `pick` finds in what is written there, or a problem of its type.
    fn typed<T>(
        &mut self,
        key: &str,
        expected: &str,
        pick: impl FnOnce(&'m Value) -> Option<T>,
    ) -> Read<T> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => match pick(&entry.value) {
                Some(value) => Read::Got(value),
                None => self.wrong_type(key, entry, expected),
            },
        }
    }

    pub(in crate::config) fn string(&mut self, key: &str) -> Read<&'m str> {
        self.typed(key, "a string", |value| {
            if let Value::String(value) = value { Some(value.as_str()) } else { None }
        })
    }

    pub(in crate::config) fn boolean(&mut self, key: &str) -> Read<bool> {
        self.typed(key, "true or false", |value| {
            if let Value::Bool(value) = value { Some(*value) } else { None }
        })
    }

    /// A bool or a whole number, whichever is written.
    pub(in crate::config) fn flag(&mut self, key: &str) -> Read<FlagValue> {
        self.typed(key, "true, false or a whole number", |value| match value {
            Value::Bool(value) => Some(FlagValue::Bool(*value)),
            Value::Int(value) => Some(FlagValue::Int(*value)),
            Value::Double(_)
            | Value::String(_)
            | Value::BoolArray(_)
            | Value::IntArray(_)
            | Value::DoubleArray(_)
            | Value::StringArray(_) => None,
        })
    }

    pub(in crate::config) fn strings(&mut self, key: &str) -> Read<&'m [String]> {
        self.typed(key, "a list of strings", |value| {
            if let Value::StringArray(value) = value { Some(value.as_slice()) } else { None }
        })
    }

    /// A list of integers in a range.
    pub(in crate::config) fn integers(
        &mut self,
        key: &str,
        low: i64,
        high: i64,
    ) -> Read<&'m [i64]> {
        let read = self.typed(key, "a list of integers", |value| {
            if let Value::IntArray(value) = value { Some(value.as_slice()) } else { None }
        });
        read.and_then(|values| {
            let Some(wrong) = values.iter().find(|one| !(low..=high).contains(*one)) else {
                return Some(values);
            };
            self.refuse(
                key,
                format!("{wrong} is not allowed"),
                span(low, high),
                "it is out of range",
                "correct it",
            );
            None
        })
    }

    /// A number for each of `count` joints, in order; one number alone stands for all of them.
    pub(in crate::config) fn doubles(
        &mut self,
        key: &str,
        count: usize,
        range: Range,
    ) -> Read<Vec<f64>> {
        let read = self.typed(key, "a list of numbers", |value| match number(value) {
            Some(value) => Some(vec![value; count]),
            None => list(value),
        });
        read.and_then(|values| {
            if values.len() == count {
                return (!self.refuse_outside(key, &values, range)).then_some(values);
            }
            self.refuse(
                key,
                format!("{} values", values.len()),
                format!("{count}, in the order of `joints`"),
                "each value must belong to exactly one joint",
                "correct the list",
            );
            None
        })
    }

    /// Two numbers in a range.
    pub(in crate::config) fn pair(&mut self, key: &str, range: Range) -> Read<(f64, f64)> {
        let read = self.typed(key, "a list of two numbers", |value| match *list(value)? {
            [low, high] => Some((low, high)),
            _ => None,
        });
        read.and_then(|(low, high)| {
            (!self.refuse_outside(key, &[low, high], range)).then_some((low, high))
        })
    }

    /// Refuses the first value that is not in the range; whether there is one.
    fn refuse_outside(&mut self, key: &str, values: &[f64], range: Range) -> bool {
        let Some(value) = values.iter().find(|value| !range.contains(**value)) else {
            return false;
        };
        self.refuse(
            key,
            format!("{value:?}{} is not allowed", range.unit),
            range.text(),
            range.because,
            "correct the value",
        );
        true
    }

    pub(in crate::config) fn integer(
        &mut self,
        key: &str,
        low: i64,
        high: i64,
        because: &str,
    ) -> Read<i64> {
        let read = self.typed(key, "an integer", |value| {
            if let Value::Int(value) = value { Some(*value) } else { None }
        });
        read.and_then(|value| {
            if (low..=high).contains(&value) {
                return Some(value);
            }
            let found = format!("{value} is not allowed");
            self.refuse(key, found, span(low, high), because, "correct the value");
            None
        })
    }

    /// A number in a range; integers are accepted.
    pub(in crate::config) fn double(&mut self, key: &str, range: Range) -> Read<f64> {
        self.typed(key, "a number", number).and_then(|value| {
            if range.contains(value) {
                return Some(value);
            }
            let because =
                if value.is_finite() { range.because } else { "only finite numbers are limits" };
            let found = format!("{value:?}{} is not allowed", range.unit);
            self.refuse(key, found, range.text(), because, "correct the value");
            None
        })
    }

    /// A time in seconds.
    pub(in crate::config) fn seconds(&mut self, key: &str, range: Range) -> Read<Duration> {
        self.double(key, range).and_then(|value| {
            let duration = Duration::try_from_secs_f64(value).ok();
            if duration.is_none() {
                self.refuse(
                    key,
                    format!("{value:?} s is not allowed"),
                    range.text(),
                    "it does not fit into a clock",
                    "correct the value",
                );
            }
            duration
        })
    }

    /// One of a list of words; `None` in the list: documented, not available yet.
    pub(in crate::config) fn word<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, Option<T>)],
    ) -> Read<T> {
        self.string(key).and_then(|word| {
            let allowed: Vec<&str> =
                words.iter().filter(|(_, value)| value.is_some()).map(|(word, _)| *word).collect();
            let list = allowed.join(", ");
            match words.iter().find(|(known, _)| *known == word) {
                Some((_, Some(value))) => return Some(*value),
                Some((_, None)) => self.refuse(
                    key,
                    format!("{word:?} is not available yet"),
                    list,
                    "this version does not have it, and nothing else is taken for it",
                    "use one of the allowed words",
                ),
                None => {
                    let fix = schema::nearest_word(word, &allowed).map_or_else(
                        || "use one of the allowed words".to_owned(),
                        |near| format!("did you mean {near:?}?"),
                    );
                    self.refuse(
                        key,
                        format!("{word:?} is not allowed"),
                        list,
                        "an unknown word never means \"off\" or a default",
                        fix,
                    );
                }
            }
            None
        })
    }
}

fn span(low: i64, high: i64) -> String {
    if low == high { low.to_string() } else { format!("{low} <= v <= {high}") }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        #[expect(
            clippy::as_conversions,
            reason = "integers are accepted for doubles; rounding \
            above 2^53 is no different from writing that number with a dot"
        )]
        Value::Int(value) => Some(*value as f64),
        Value::Bool(_)
        | Value::String(_)
        | Value::BoolArray(_)
        | Value::IntArray(_)
        | Value::DoubleArray(_)
        | Value::StringArray(_) => None,
    }
}

/// The numbers of a list; integers are accepted.
fn list(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::DoubleArray(values) => Some(values.clone()),
        Value::IntArray(values) => values.iter().map(|one| number(&Value::Int(*one))).collect(),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Double(_)
        | Value::String(_)
        | Value::BoolArray(_)
        | Value::StringArray(_) => None,
    }
}
