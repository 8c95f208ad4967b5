//! One family of the catalogue being filled: name, type, help and label names out of its row, values
//! by the caller.

use crate::gate::units::WallTime;
use crate::telemetry::catalogue::Row;
use crate::telemetry::slots::{Histogram, Labelled, OneOf, Reading, Table};

const NANOS_PER_SECOND: f64 = 1e9;

/// The value of one series.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// A whole number.
    Count(u64),
    /// Any number.
    Number(f64),
    /// Buckets, sum and count.
    Histogram(&'a Reading),
}

/// Where families are written to.
pub(super) trait Sink {
    /// The series that follow are of this family. Each family comes once.
    fn family(&mut self, row: &'static Row);
    /// One series. `labels` are the values of `row.labels`, in that order.
    fn series(&mut self, labels: &[&str], value: Value<'_>);
}

/// A family being filled.
pub(super) struct Family<'a> {
    row: &'static Row,
    sink: &'a mut dyn Sink,
}

impl<'a> Family<'a> {
    /// An empty family of the catalogue.
    pub(super) fn new(row: &'static Row, sink: &'a mut dyn Sink) -> Self {
        sink.family(row);
        Self { row, sink }
    }

    /// A counter.
    pub(super) fn counter(&mut self, labels: &[&str], value: u64) {
        self.put(labels, Value::Count(value));
    }

    /// A counter that is not a whole number.
    pub(super) fn counter_f64(&mut self, labels: &[&str], value: f64) {
        self.put(labels, Value::Number(value));
    }

    /// A gauge, or nothing where it is not known.
    pub(super) fn gauge(&mut self, labels: &[&str], value: impl Into<Option<f64>>) {
        if let Some(value) = value.into() {
            self.put(labels, Value::Number(value));
        }
    }

    /// 0 or 1, or nothing where it is not known.
    pub(super) fn flag(&mut self, labels: &[&str], value: impl Into<Option<bool>>) {
        self.level(labels, value.into().map(u64::from));
    }

    /// A whole number, or nothing where it is not known.
    pub(super) fn level(&mut self, labels: &[&str], value: Option<u64>) {
        if let Some(value) = value {
            self.put(labels, Value::Count(value));
        }
    }

    /// A time as seconds since the epoch, or nothing before the first.
    pub(super) fn timestamp(&mut self, labels: &[&str], at: Option<WallTime>) {
        self.gauge(labels, at.map(unix_seconds));
    }

    /// A histogram; its count is the sum of its buckets.
    pub(super) fn histogram(&mut self, labels: &[&str], histogram: &Histogram) {
        self.put(labels, Value::Histogram(&histogram.read()));
    }

    /// One 0 or 1 for each member, 1 for the one chosen.
    pub(super) fn one_of<E: Labelled + PartialEq>(&mut self, first: &[&str], chosen: &OneOf<E>) {
        let chosen = chosen.get();
        let mut labels = first.to_vec();
        for member in E::MEMBERS {
            labels.truncate(first.len());
            labels.push(member.word());
            self.flag(&labels, chosen == Some(*member));
        }
    }

    /// One series for each member of a table.
    pub(super) fn each<E: Labelled, T>(
        &mut self,
        first: &[&str],
        table: &Table<E, T>,
        mut put: impl FnMut(&mut Self, &[&str], &T),
    ) {
        let mut labels = first.to_vec();
        for (member, cell) in table.iter() {
            labels.truncate(first.len());
            labels.push(member.word());
            put(self, &labels, cell);
        }
    }

    fn put(&mut self, labels: &[&str], value: Value<'_>) {
        debug_assert_eq!(labels.len(), self.row.labels.len(), "{}", self.row.name);
        self.sink.series(labels, value);
    }
}

/// Seconds since the epoch, to about 0.2 µs.
fn unix_seconds(at: WallTime) -> f64 {
    // Whole seconds and the rest apart: nanoseconds since 1970 do not fit into an f64 exactly.
    let (seconds, nanos) = at.to_sec_nanosec();
    f64::from(seconds) + f64::from(nanos) / NANOS_PER_SECOND
}
