//! Families as text, format 0.0.4, straight from the slots.
//!
//! The client library's own way makes an object of every label of every series first and then text
//! of it, at three times the cost. What comes out is the same to the last byte, which a test
//! compares: families by name, series by their labels' values, numbers as Rust writes an `f64`.

use std::fmt::Write as _;
use std::ops::Range;

use super::family::{Sink, Value};
use crate::telemetry::catalogue::Row;
use crate::telemetry::slots::Reading;

/// A scrape of 29 joints and three sources is 73 kB; a longer one only grows its buffers.
const TYPICAL_BYTES: usize = 128 * 1024;
const TYPICAL_SERIES: usize = 2048;

/// Above this, two whole numbers share an `f64`, and the format's numbers are those.
const EXACT: u64 = 1 << 53;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Below this many nanoseconds, seconds have at most 15 digits, and the decimal fraction is the
/// shortest one of its `f64`.
const EXACT_NANOS: u64 = 1_000_000_000_000_000;

/// Text in the order it was filled, and where each series of it stands.
#[derive(Debug)]
pub(super) struct Text {
    lines: String,
    /// The labels' values of each series, each ended by NUL, so that they sort as values do.
    keys: String,
    series: Vec<Series>,
    families: Vec<(&'static Row, Range<usize>)>,
    /// The labels of the series being written, without braces.
    labels: String,
}

#[derive(Debug)]
struct Series {
    key: Range<usize>,
    lines: Range<usize>,
}

impl Text {
    pub(super) fn new() -> Self {
        Self {
            lines: String::with_capacity(TYPICAL_BYTES),
            keys: String::with_capacity(TYPICAL_BYTES / 4),
            series: Vec::with_capacity(TYPICAL_SERIES),
            families: Vec::new(),
            labels: String::new(),
        }
    }

    /// The whole text, in its order.
    pub(super) fn finish(mut self) -> String {
        self.families.sort_by_key(|(row, _)| row.name);
        let mut out = String::with_capacity(TYPICAL_BYTES.max(self.lines.len() * 3 / 2));
        for (row, series) in self.families {
            let series = self.series.get_mut(series).unwrap_or_default();
            // A family without series is not there at all.
            if series.is_empty() {
                continue;
            }
            let keys = &self.keys;
            series.sort_by_key(|series| keys.get(series.key.clone()));
            out.push_str("# HELP ");
            out.push_str(row.name);
            out.push(' ');
            escape(&mut out, row.help, &['\\', '\n']);
            out.push_str("\n# TYPE ");
            out.push_str(row.name);
            out.push(' ');
            out.push_str(row.kind.word());
            out.push('\n');
            for series in series {
                out.push_str(self.lines.get(series.lines.clone()).unwrap_or_default());
            }
        }
        out
    }

    /// One line: `name` and `part`, the labels with `edge` behind them, the number by `value`.
    fn line(
        &mut self,
        (name, part): (&str, &str),
        edge: Option<Edge>,
        value: impl FnOnce(&mut String),
    ) {
        let Self { lines, labels, .. } = self;
        lines.push_str(name);
        lines.push_str(part);
        if !labels.is_empty() || edge.is_some() {
            lines.push('{');
            lines.push_str(labels);
            if let Some(edge) = edge {
                lines.push_str(if labels.is_empty() { "le=\"" } else { ",le=\"" });
                match edge {
                    Edge::Nanos(nanos) => seconds(lines, nanos),
                    Edge::Infinite => lines.push_str("+Inf"),
                }
                lines.push('"');
            }
            lines.push('}');
        }
        lines.push(' ');
        value(lines);
        lines.push('\n');
    }

    fn histogram(&mut self, name: &str, reading: &Reading) {
        for (bound, count) in &reading.cumulative {
            let edge = Some(Edge::Nanos(*bound));
            self.line((name, "_bucket"), edge, |out| whole(out, *count));
        }
        let count = |out: &mut String| whole(out, reading.count);
        self.line((name, "_bucket"), Some(Edge::Infinite), count);
        self.line((name, "_sum"), None, |out| seconds(out, reading.sum_nanos));
        self.line((name, "_count"), None, count);
    }
}

/// The upper edge of a bucket.
#[derive(Clone, Copy, Debug)]
enum Edge {
    Nanos(u64),
    Infinite,
}

impl Sink for Text {
    fn family(&mut self, row: &'static Row) {
        self.families.push((row, self.series.len()..self.series.len()));
    }

    fn series(&mut self, labels: &[&str], value: Value<'_>) {
        let Some((row, _)) = self.families.last() else { return };
        let (row, key, lines) = (*row, self.keys.len(), self.lines.len());
        self.labels.clear();
        for (name, value) in row.labels.iter().zip(labels) {
            if !self.labels.is_empty() {
                self.labels.push(',');
            }
            self.labels.push_str(name);
            self.labels.push_str("=\"");
            escape(&mut self.labels, value, &['\\', '\n', '"']);
            self.labels.push('"');
            self.keys.push_str(value);
            self.keys.push('\0');
        }
        match value {
            Value::Count(count) => self.line((row.name, ""), None, |out| whole(out, count)),
            Value::Number(number) => self.line((row.name, ""), None, |out| any(out, number)),
            Value::Histogram(reading) => self.histogram(row.name, reading),
        }
        self.series.push(Series { key: key..self.keys.len(), lines: lines..self.lines.len() });
        if let Some((_, series)) = self.families.last_mut() {
            series.end = self.series.len();
        }
    }
}

/// `text` with a backslash before the format's special characters.
fn escape(out: &mut String, text: &str, special: &[char]) {
    let mut rest = text;
    while let Some((before, after)) = rest.find(special).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('\n') => out.push_str("\\n"),
            Some(special) => out.extend(['\\', special]),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

fn any(out: &mut String, number: f64) {
    // Writing into a String cannot fail.
    write!(out, "{number}").ok();
}

fn whole(out: &mut String, count: u64) {
    if count <= EXACT {
        write!(out, "{count}").ok();
    } else {
        any(out, to_f64(count));
    }
}

/// Nanoseconds as seconds.
fn seconds(out: &mut String, nanos: u64) {
    if nanos >= EXACT_NANOS {
        return any(out, to_f64(nanos) / to_f64(NANOS_PER_SECOND));
    }
    let (whole, mut rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    write!(out, "{whole}").ok();
    if rest == 0 {
        return;
    }
    let mut digits = 9_usize;
    while rest.is_multiple_of(10) {
        rest /= 10;
        digits = digits.saturating_sub(1);
    }
    write!(out, ".{rest:0digits$}").ok();
}

#[expect(clippy::as_conversions, reason = "the format's numbers are f64, rounded above 2^53")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_numbers_are_whole_or_seconds_expect_what_an_f64_writes() {
        let text = |write: fn(&mut String, u64), number| {
            let mut out = String::new();
            write(&mut out, number);
            out
        };
        let edges = [EXACT, EXACT_NANOS, NANOS_PER_SECOND, 1, 10, 999, 1_000_000_001, u64::MAX];
        let around = edges.into_iter().flat_map(|n| [n - 1, n, n.saturating_add(1)]);
        // A walk over all magnitudes.
        let walk = std::iter::successors(Some(7_u64), |n| n.checked_mul(3)).map(|n| n ^ 0x55);
        for number in around.chain(walk) {
            assert_eq!(text(whole, number), (number as f64).to_string());
            assert_eq!(text(seconds, number), (number as f64 / 1e9).to_string());
        }
    }
}
