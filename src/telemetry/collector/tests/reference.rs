//! Our text against the client library's, from the same values.

use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter as ProtoCounter, Gauge, Histogram as ProtoHistogram, LabelPair, Metric,
    MetricFamily, MetricType,
};

use super::*;
use crate::telemetry::collector::family::Value;

/// Writes every family twice: as text of ours, and as the library's objects.
struct Both {
    text: Text,
    families: Vec<(&'static Row, Vec<Metric>)>,
}

impl Sink for Both {
    fn family(&mut self, row: &'static Row) {
        self.text.family(row);
        self.families.push((row, Vec::new()));
    }

    fn series(&mut self, labels: &[&str], value: Value<'_>) {
        self.text.series(labels, value);
        let (row, metrics) = self.families.last_mut().unwrap();
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name(String::from(*name));
            pair.set_value(String::from(*value));
            pair
        };
        let mut metric = Metric::from_label(row.labels.iter().zip(labels).map(pair).collect());
        match (row.kind, value) {
            (Kind::Histogram(_), Value::Histogram(reading)) => {
                let bucket = |&(bound, count): &(u64, u64)| {
                    let mut bucket = Bucket::default();
                    bucket.set_upper_bound(bound as f64 / 1e9);
                    bucket.set_cumulative_count(count);
                    bucket
                };
                let mut out = ProtoHistogram::default();
                out.set_bucket(reading.cumulative.iter().map(bucket).collect());
                out.set_sample_count(reading.count);
                out.set_sample_sum(reading.sum_nanos as f64 / 1e9);
                metric.set_histogram(out);
            }
            (Kind::Counter, Value::Count(_) | Value::Number(_)) => {
                let mut counter = ProtoCounter::default();
                counter.set_value(number(value));
                metric.set_counter(counter);
            }
            (Kind::Gauge, Value::Count(_) | Value::Number(_)) => {
                let mut gauge = Gauge::default();
                gauge.set_value(number(value));
                metric.set_gauge(gauge);
            }
            (kind, value) => panic!("{}: {kind:?} has {value:?}", row.name),
        }
        metrics.push(metric);
    }
}

fn number(value: Value<'_>) -> f64 {
    match value {
        Value::Count(count) => count as f64,
        Value::Number(number) => number,
        Value::Histogram(_) => panic!("no number"),
    }
}

/// The library's families as a collector, for its registry's own checks and order.
struct Library(Vec<Desc>, Vec<MetricFamily>);

impl Library {
    fn new(families: Vec<(&'static Row, Vec<Metric>)>) -> Self {
        let desc = |row: &Row| {
            let labels = row.labels.iter().map(|l| String::from(*l)).collect();
            Desc::new(row.name.into(), row.help.into(), labels, Default::default()).unwrap()
        };
        let descs = families.iter().map(|(row, _)| desc(row)).collect();
        let family = |(row, metrics): (&'static Row, Vec<Metric>)| {
            let mut family = MetricFamily::default();
            family.set_name(row.name.into());
            family.set_help(row.help.into());
            family.set_field_type(match row.kind {
                Kind::Counter => MetricType::COUNTER,
                Kind::Gauge => MetricType::GAUGE,
                Kind::Histogram(_) => MetricType::HISTOGRAM,
            });
            family.set_metric(metrics);
            family
        };
        Self(descs, families.into_iter().map(family).collect())
    }
}

impl Collector for Library {
    fn desc(&self) -> Vec<&Desc> {
        self.0.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.1.clone()
    }
}

/// Ours, and what the library makes of the same.
fn both(slots: &Slots) -> (String, String) {
    let mut sink = Both { text: Text::new(), families: Vec::new() };
    collect(slots, &mut sink);
    let registry = prometheus::Registry::new();
    registry.register(Box::new(Library::new(sink.families))).unwrap();
    let library = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    (sink.text.finish(), library)
}

/// Some value in every slot, also such as no robot has.
fn fill(slots: &Slots) {
    let mut nanos = 3_u64;
    for lane in &slots.lanes {
        for histogram in [&lane.residence, &lane.publish, &lane.output_interval] {
            for _ in 0..40 {
                nanos = nanos.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                histogram.observe(Duration::from_nanos(nanos >> (nanos % 60)));
            }
        }
        for source in &lane.sources {
            source.verdicts.at(Verdict::Limited).add(u64::MAX / 3);
            source.transport.observe(Duration::from_nanos(1_234_567));
        }
    }
}

#[test]
fn when_a_scrape_is_written_expect_the_client_librarys_text_to_the_last_byte() {
    let mut config = fixture::humanoid();
    config.lanes[0].dimensions[3] = String::from("left \"elbow\"\n\\");
    config.lanes[0].dimensions[4] = String::from("left");
    config.lanes[0].dimensions[5] = String::from("left!");
    config.hardware_id = String::from("Größe \u{1F916}");
    for slots in [
        fixture::slots(),
        Slots::new(&fixture::config(), fixture::build(), Arc::default()),
        Slots::new(&config, fixture::build(), Arc::default()),
    ] {
        let (ours, library) = both(&slots);
        assert_eq!(ours, library, "nothing written yet");
        drive(&slots);
        fill(&slots);
        slots.node.derating.set(f64::MIN_POSITIVE);
        let (ours, library) = both(&slots);
        for (ours, library) in ours.lines().zip(library.lines()) {
            assert_eq!(ours, library);
        }
        assert_eq!(ours.len(), library.len());
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300] {
            slots.node.derating.set(odd);
            let (ours, library) = both(&slots);
            assert_eq!(ours, library, "{odd}");
        }
    }
}

/// What the library's registry would refuse, and an order of which ours makes use.
#[test]
fn when_families_are_named_expect_those_of_the_process_last() {
    assert!(ALL.iter().all(|row| PROCESS.iter().all(|process| row.name < *process)));
}
