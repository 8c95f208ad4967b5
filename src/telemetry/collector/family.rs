//! Building metric families: name, type, help and label names out of the catalogue, values by the
//! caller.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as ProtoHistogram, LabelPair, Metric, MetricFamily,
    MetricType,
};

use crate::gate::units::WallTime;
use crate::telemetry::catalogue::{Kind, Row};
use crate::telemetry::slots::{Histogram, Labelled, OneOf, Table};

const NANOS_PER_SECOND: f64 = 1e9;

/// A family being filled.
pub(super) struct Family {
    row: &'static Row,
    metrics: Vec<Metric>,
}

impl Family {
    /// An empty family of the catalogue.
    pub(super) const fn new(row: &'static Row) -> Self {
        Self { row, metrics: Vec::new() }
    }

    /// A counter.
    pub(super) fn counter(&mut self, labels: &[&str], value: u64) {
        self.counter_f64(labels, count_to_f64(value));
    }

    /// A counter that is not a whole number.
    pub(super) fn counter_f64(&mut self, labels: &[&str], value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = self.metric(labels);
        metric.set_counter(counter);
        self.metrics.push(metric);
    }

    /// A gauge, or nothing where it is not known.
    pub(super) fn gauge(&mut self, labels: &[&str], value: impl Into<Option<f64>>) {
        let Some(value) = value.into() else {
            return;
        };
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = self.metric(labels);
        metric.set_gauge(gauge);
        self.metrics.push(metric);
    }

    /// 0 or 1, or nothing where it is not known.
    pub(super) fn flag(&mut self, labels: &[&str], value: impl Into<Option<bool>>) {
        self.gauge(labels, value.into().map(|yes| if yes { 1.0 } else { 0.0 }));
    }

    /// A whole number, or nothing where it is not known.
    pub(super) fn level(&mut self, labels: &[&str], value: Option<u64>) {
        self.gauge(labels, value.map(count_to_f64));
    }

    /// A time as seconds since the epoch, or nothing before the first.
    pub(super) fn timestamp(&mut self, labels: &[&str], at: Option<WallTime>) {
        self.gauge(labels, at.map(unix_seconds));
    }

    /// A histogram; its count is the sum of its buckets.
    pub(super) fn histogram(&mut self, labels: &[&str], histogram: &Histogram) {
        let reading = histogram.read();
        let bucket = |&(bound, count): &(u64, u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(count_to_f64(bound) / NANOS_PER_SECOND);
            bucket.set_cumulative_count(count);
            bucket
        };
        let mut out = ProtoHistogram::default();
        out.set_bucket(reading.cumulative.iter().map(bucket).collect());
        out.set_sample_count(reading.count);
        out.set_sample_sum(count_to_f64(reading.sum_nanos) / NANOS_PER_SECOND);
        let mut metric = self.metric(labels);
        metric.set_histogram(out);
        self.metrics.push(metric);
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
        self.metrics.reserve(E::MEMBERS.len());
        for (member, cell) in table.iter() {
            labels.truncate(first.len());
            labels.push(member.word());
            put(self, &labels, cell);
        }
    }

    fn metric(&self, labels: &[&str]) -> Metric {
        debug_assert_eq!(labels.len(), self.row.labels.len(), "{}", self.row.name);
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name(String::from(*name));
            pair.set_value(String::from(*value));
            pair
        };
        Metric::from_label(self.row.labels.iter().zip(labels).map(pair).collect())
    }

    /// The finished family.
    pub(super) fn finish(self) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(String::from(self.row.name));
        family.set_help(String::from(self.row.help));
        family.set_field_type(match self.row.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram(_) => MetricType::HISTOGRAM,
        });
        family.set_metric(self.metrics);
        family
    }
}

/// Exact up to 2^53, which a counter reaches after 28 years at 10 MHz.
#[expect(
    clippy::as_conversions,
    reason = "u64 to f64 has no other form; rounding above 2^53 is that of the exposition format"
)]
const fn count_to_f64(count: u64) -> f64 {
    count as f64
}

/// Seconds since the epoch, to about 0.2 µs.
fn unix_seconds(at: WallTime) -> f64 {
    // Whole seconds and the rest apart: nanoseconds since 1970 do not fit into an f64 exactly.
    let (seconds, nanos) = at.to_sec_nanosec();
    f64::from(seconds) + f64::from(nanos) / NANOS_PER_SECOND
}
