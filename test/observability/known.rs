//! Which series exist, and with which labels and values: the catalogue, the rows that are still to
//! come, what the rules record, and what Prometheus itself adds.

use std::collections::BTreeMap;

use interlock::gate::cause::Cause;
use interlock::gate::condition::ConditionCode;
use interlock::gate::lane_state::LaneState;
use interlock::gate::state::State;
use interlock::gate::verdict::{Limit, Reason, Verdict};
use interlock::telemetry::catalogue::{ALL, Kind, PROCESS};
use interlock::telemetry::slots::{LogLevel, StampAnomaly, Suppressed};

use crate::promql::{Names, Selector, names};

/// Rows that rules and dashboard use already and that the catalogue does not have yet. **To be
/// emptied**: a row that is in the catalogue may not stand here, and a test says so.
pub(crate) const PROMISED: &[(&str, &[&str])] = &[];

/// What a scrape adds to every series.
const SCRAPE: [&str; 3] = ["job", "instance", "robot"];

/// Labels of a series that exists.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Vec<String>,
    /// Values of `le`, where it is a bucket.
    bounds: Option<Vec<String>>,
}

impl Series {
    /// One that is no bucket.
    pub(crate) fn of(labels: Vec<String>) -> Self {
        Self { labels, bounds: None }
    }
}

/// The series of a name of the catalogue; a histogram has three.
pub(crate) fn exported(name: &str) -> Option<Series> {
    let plain = |labels: &[&str]| Series { labels: owned(labels), bounds: None };
    for row in ALL {
        match row.kind {
            Kind::Counter | Kind::Gauge if row.name == name => return Some(plain(row.labels)),
            Kind::Histogram(set) if name.starts_with(row.name) => {
                match name.strip_prefix(row.name) {
                    Some("_count" | "_sum") => return Some(plain(row.labels)),
                    Some("_bucket") => {
                        let mut labels = owned(row.labels);
                        labels.push("le".to_owned());
                        let mut bounds: Vec<_> = set.bounds.iter().map(|b| seconds(*b)).collect();
                        bounds.push("+Inf".to_owned());
                        return Some(Series { labels, bounds: Some(bounds) });
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    PROMISED.iter().find(|(promised, _)| *promised == name).map(|(_, labels)| plain(labels))
}

/// A bucket's bound as the exposition writes it.
fn seconds(nanos: u64) -> String {
    let micros = u32::try_from(nanos / 1_000).expect("at most an hour");
    format!("{}", f64::from(micros) / 1e6)
}

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

/// What rules record, by name.
pub(crate) type Recorded = BTreeMap<String, Series>;

/// Labels of anything an expression may select.
pub(crate) fn series(name: &str, recorded: &Recorded) -> Option<Series> {
    if let Some(known) = exported(name).or_else(|| recorded.get(name).cloned()) {
        return Some(known);
    }
    let labels: &[&str] = match name {
        "up" => &[],
        "ALERTS" => &["alertname", "alertstate", "severity"],
        _ if PROCESS.contains(&name) => &[],
        _ => return None,
    };
    Some(Series { labels: owned(labels), bounds: None })
}

/// Checks an expression, and gives the labels that its result can have.
pub(crate) fn check(place: &str, expression: &str, recorded: &Recorded) -> Vec<String> {
    let found = names(expression);
    assert!(!found.selectors.is_empty(), "{place}: no series in {expression}");
    let mut labels = owned(&SCRAPE);
    for selector in &found.selectors {
        let known = series(&selector.name, recorded).unwrap_or_else(|| {
            panic!("{place}: {} is not in the catalogue, and nothing records it", selector.name)
        });
        matched(place, selector, &known);
        labels.extend(known.labels);
    }
    let Names { labels: joined, dropped, .. } = &found;
    for label in joined.iter().chain(dropped) {
        assert!(labels.contains(label), "{place}: no series here has label {label}");
    }
    labels.retain(|label| !dropped.contains(label));
    labels.sort();
    labels.dedup();
    labels
}

/// Checks the matchers of a selector, or the labels of a test's series.
pub(crate) fn matched(place: &str, selector: &Selector, known: &Series) {
    for (label, operator, value) in &selector.matchers {
        let name = &selector.name;
        if SCRAPE.contains(&label.as_str()) {
            continue;
        }
        assert!(known.labels.contains(label), "{place}: {name} has no label {label}");
        let values: Vec<&str> = match operator.as_str() {
            "=~" | "!~" => value.split('|').collect(),
            _ => vec![value],
        };
        if label == "le" {
            let bounds = known.bounds.as_ref().expect("le is a bucket's");
            assert!(bounds.contains(value), "{place}: {name} has no bucket {value}: {bounds:?}");
        } else if let Some(list) = closed(name, label) {
            for value in values {
                assert!(list.contains(&value), "{place}: {name} never has {label}={value:?}");
            }
        }
    }
}

/// The closed list behind a label; `None`: configured names, or Prometheus's own.
fn closed(name: &str, label: &str) -> Option<Vec<&'static str>> {
    macro_rules! all {
        ($list:ident) => {
            Some($list::ALL.iter().map(|member| member.label()).collect())
        };
    }
    match (label, name) {
        ("state", "interlock_state") => all!(State),
        ("state", "interlock_lane_state") => all!(LaneState),
        ("verdict", _) => all!(Verdict),
        ("cause", _) => all!(Cause),
        ("condition", _) => all!(ConditionCode),
        ("reason", "interlock_commands_rejected_total") => all!(Reason),
        ("reason", "interlock_topics_suppressed_total") => all!(Suppressed),
        ("limit", _) => all!(Limit),
        ("kind", "interlock_topic_stamp_anomalies_total") => all!(StampAnomaly),
        ("level", "interlock_log_messages_total") => all!(LogLevel),
        ("level", "interlock_temperature_limit_celsius") => Some(vec!["warn", "derate", "trip"]),
        _ => None,
    }
}
