//! The values of keys, each of its type and inside its range, or a problem.

use std::time::Duration;

use super::Keys;
use crate::config::model::FlagValue;
use crate::config::range::{Range, Read};
use crate::config::schema;
use crate::config::value::Value;

impl<'m> Keys<'m> {
    pub(in crate::config) fn string(&mut self, key: &str) -> Read<&'m str> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                if let Value::String(value) = &entry.value {
                    Read::Got(value)
                } else {
                    self.wrong_type(key, entry, "a string")
                }
            }
        }
    }

    pub(in crate::config) fn boolean(&mut self, key: &str) -> Read<bool> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                if let Value::Bool(value) = &entry.value {
                    Read::Got(*value)
                } else {
                    self.wrong_type(key, entry, "true or false")
                }
            }
        }
    }

    /// A bool or a finite number, whichever is written.
    pub(in crate::config) fn flag(&mut self, key: &str) -> Read<FlagValue> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => match &entry.value {
                Value::Bool(value) => Read::Got(FlagValue::Bool(*value)),
                Value::Int(value) => Read::Got(FlagValue::Int(*value)),
                Value::Double(value) if value.is_finite() => Read::Got(FlagValue::Double(*value)),
                Value::Double(_)
                | Value::String(_)
                | Value::BoolArray(_)
                | Value::IntArray(_)
                | Value::DoubleArray(_)
                | Value::StringArray(_) => {
                    self.wrong_type(key, entry, "true, false or a finite number")
                }
            },
        }
    }

    pub(in crate::config) fn strings(&mut self, key: &str) -> Read<&'m [String]> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                if let Value::StringArray(value) = &entry.value {
                    Read::Got(value)
                } else {
                    self.wrong_type(key, entry, "a list of strings")
                }
            }
        }
    }

    /// A list of integers in a range.
    pub(in crate::config) fn integers(
        &mut self,
        key: &str,
        low: i64,
        high: i64,
    ) -> Read<&'m [i64]> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                let Value::IntArray(value) = &entry.value else {
                    return self.wrong_type(key, entry, "a list of integers");
                };
                match value.iter().find(|one| !(low..=high).contains(*one)) {
                    None => Read::Got(value),
                    Some(one) => {
                        self.refuse(
                            key,
                            format!("{one} is not allowed"),
                            span(low, high),
                            "it is out of range",
                            "correct it",
                        );
                        Read::Bad
                    }
                }
            }
        }
    }

    /// A number for each of `count` joints, in order; one number alone stands for all of them.
    pub(in crate::config) fn doubles(
        &mut self,
        key: &str,
        count: usize,
        range: Range,
    ) -> Read<Vec<f64>> {
        let entry = match self.entry(key) {
            Read::Absent => return Read::Absent,
            Read::Bad => return Read::Bad,
            Read::Got(entry) => entry,
        };
        let values = match (&entry.value, number(&entry.value)) {
            (_, Some(value)) => vec![value; count],
            (Value::DoubleArray(values), None) => values.clone(),
            (Value::IntArray(values), None) => {
                values.iter().filter_map(|value| number(&Value::Int(*value))).collect()
            }
            (
                Value::Bool(_)
                | Value::Int(_)
                | Value::Double(_)
                | Value::String(_)
                | Value::BoolArray(_)
                | Value::StringArray(_),
                None,
            ) => return self.wrong_type(key, entry, "a list of numbers"),
        };
        if values.len() != count {
            self.refuse(
                key,
                format!("{} values", values.len()),
                format!("{count}, in the order of `joints`"),
                "each value must belong to exactly one joint",
                "correct the list",
            );
            return Read::Bad;
        }
        if self.refuse_outside(key, &values, range) { Read::Bad } else { Read::Got(values) }
    }

    /// Two numbers in a range.
    pub(in crate::config) fn pair(&mut self, key: &str, range: Range) -> Read<(f64, f64)> {
        let entry = match self.entry(key) {
            Read::Absent => return Read::Absent,
            Read::Bad => return Read::Bad,
            Read::Got(entry) => entry,
        };
        let pair = match &entry.value {
            Value::DoubleArray(values) => match values.as_slice() {
                [low, high] => Some((*low, *high)),
                _ => None,
            },
            Value::IntArray(values) => match values.as_slice() {
                [low, high] => number(&Value::Int(*low)).zip(number(&Value::Int(*high))),
                _ => None,
            },
            Value::Bool(_)
            | Value::Int(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::BoolArray(_)
            | Value::StringArray(_) => None,
        };
        let Some(pair) = pair else {
            return self.wrong_type(key, entry, "a list of two numbers");
        };
        if self.refuse_outside(key, &[pair.0, pair.1], range) { Read::Bad } else { Read::Got(pair) }
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
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                let Value::Int(value) = &entry.value else {
                    return self.wrong_type(key, entry, "an integer");
                };
                if (low..=high).contains(value) {
                    return Read::Got(*value);
                }
                self.refuse(
                    key,
                    format!("{value} is not allowed"),
                    span(low, high),
                    because,
                    "correct the value",
                );
                Read::Bad
            }
        }
    }

    /// A number in a range; integers are accepted.
    pub(in crate::config) fn double(&mut self, key: &str, range: Range) -> Read<f64> {
        match self.entry(key) {
            Read::Absent => Read::Absent,
            Read::Bad => Read::Bad,
            Read::Got(entry) => {
                let Some(value) = number(&entry.value) else {
                    return self.wrong_type(key, entry, "a number");
                };
                if range.contains(value) {
                    return Read::Got(value);
                }
                let because = if value.is_finite() {
                    range.because
                } else {
                    "only finite numbers are limits"
                };
                self.refuse(
                    key,
                    format!("{value:?}{} is not allowed", range.unit),
                    range.text(),
                    because,
                    "correct the value",
                );
                Read::Bad
            }
        }
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
