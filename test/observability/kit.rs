//! The files of the kit, read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::known::{self, Recorded, Series};
use crate::promql::names;
use crate::yaml;

/// One alert rule.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) rule: Value,
}

/// One case of `promtool test rules`.
#[derive(Debug)]
pub(crate) struct Case {
    /// "Alert: kind".
    pub(crate) name: String,
    /// Series as written.
    pub(crate) series: Vec<String>,
    /// Alert asked for, and the labels of each that is expected, for each moment.
    pub(crate) moments: Vec<(String, Vec<Value>)>,
}

/// A file of the repository. Tests run in its top folder.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of files in a folder that end like this, without the end.
pub(crate) fn stems(folder: &str, end: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names =
        names.map(|entry| entry.expect("an entry").file_name().into_string().expect("plain"));
    names.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect()
}

/// Every rule of a file.
fn rules(path: &str) -> Vec<Value> {
    let file = yaml::parse(&text(path));
    let groups = list(&file, "groups");
    groups.iter().flat_map(|group| list(group, "rules").clone()).collect()
}

/// The list under a key.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("no list {key} in {value}"))
}

/// The text under a key.
pub(crate) fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}")).to_owned()
}

/// The alerts.
pub(crate) fn alerts() -> Vec<Alert> {
    let all = rules("observability/rules/alerts.yml").into_iter();
    all.map(|rule| Alert { name: word(&rule, "alert"), expression: word(&rule, "expr"), rule })
        .collect()
}

/// The names of the alerts.
pub(crate) fn alert_names() -> BTreeSet<String> {
    alerts().into_iter().map(|alert| alert.name).collect()
}

/// What is recorded, each expression checked. A rule may use itself and those above it.
pub(crate) fn recorded() -> Recorded {
    let mut recorded = Recorded::new();
    for rule in rules("observability/rules/recording.yml") {
        let (name, expression) = (word(&rule, "record"), word(&rule, "expr"));
        let used = names(&expression).selectors;
        let own = used
            .iter()
            .filter(|s| s.name != name)
            .filter_map(|s| known::series(&s.name, &recorded));
        let mut labels: Vec<String> = own.flat_map(|series| series.labels).collect();
        // For the rule's look at itself.
        recorded.insert(name.clone(), Series::of(labels.clone()));
        let result = known::check(&name, &expression, &recorded);
        labels.retain(|label| result.contains(label));
        if expression.contains("histogram_quantile") {
            labels.retain(|label| label != "le");
        }
        recorded.insert(name, Series::of(labels));
    }
    recorded
}

/// Every case of every test file.
pub(crate) fn cases() -> Vec<Case> {
    let folder = "observability/rules/tests";
    let mut cases = Vec::new();
    for stem in stems(folder, ".yml") {
        let file = yaml::parse(&text(&format!("{folder}/{stem}.yml")));
        for case in list(&file, "tests") {
            let moments = list(case, "alert_rule_test").iter().map(|moment| {
                let expected = list(moment, "exp_alerts").iter().map(|e| e["exp_labels"].clone());
                (word(moment, "alertname"), expected.collect())
            });
            cases.push(Case {
                name: word(case, "name"),
                series: list(case, "input_series").iter().map(|s| word(s, "series")).collect(),
                moments: moments.collect(),
            });
        }
    }
    cases
}

/// Whether a relative link of a document leads somewhere.
pub(crate) fn leads(from: &str, link: &str) -> bool {
    let file = link.split('#').next().unwrap_or_default();
    file.is_empty() || Path::new(from).parent().is_some_and(|folder| folder.join(file).exists())
}
