//! Alerts, their tests, runbooks, dashboard and catalogue hold together: nothing names what does not
//! exist, and nothing is missing of what belongs to an alert.
//!
//! promtool runs the rules' own tests (`./dev test observability`); `test/python/test_prometheus.py`
//! runs them in a real Prometheus that scrapes the real node.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test of documents reads the events of YAML it expects"
)]

mod kit;
mod known;
mod promql;
mod yaml;

use std::collections::BTreeSet;
use std::process::Command;

use interlock::telemetry::catalogue::ALL;
use serde_json::Value;

use kit::{Case, alert_names, alerts, cases, leads, list, recorded, stems, text, word};
use known::{PROMISED, check, matched};
use promql::{Selector, matchers, names};

/// What the metric catalogue's design lists, without the prefix. An alert may be added; none may go.
const AGREED: [&str; 31] = [
    "Down",
    "Latched",
    "KillInputLost",
    "KillInputAsserted",
    "SelfTestOverdue",
    "CommandSourceSilent",
    "CommandRejectRatioHigh",
    "LimitRatioHigh",
    "CommandAgeHigh",
    "ResidenceHigh",
    "ForeignPublisher",
    "CauseIgnored",
    "TopicSilent",
    "TopicGapLarge",
    "TopicTransportHigh",
    "StampAnomalies",
    "ClockUnsynchronized",
    "TemperatureWarning",
    "TemperatureTrip",
    "BatteryLow",
    "BatteryCritical",
    "BatterySemanticsWrong",
    "EventsDropped",
    "TopicsSuppressed",
    "ErrorLogs",
    "LatchWriteSlow",
    "MovesAfterStop",
    "SensorSilent",
    "LatchNotWritable",
    "GraphNotAudited",
    "MonitorStopped",
];

const RUNBOOKS: &str = "docs/runbooks";
const PROCEDURES: [&str; 3] = ["incident-response", "remote-debugging", "log-capture"];
/// What every page of an alert answers, in this order.
const SECTIONS: [&str; 4] = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"];
/// Verbs of `interlockctl` that the pages name and that it does not have yet. To be emptied, as
/// [`PROMISED`].
const PROMISED_VERBS: &[&str] = &[];

#[test]
fn when_a_promised_row_is_in_the_catalogue_expect_it_off_the_list() {
    let rows = |name: &str| ALL.iter().any(|row| row.name == name);
    let there: Vec<_> = PROMISED.iter().map(|(name, _)| *name).filter(|name| rows(name)).collect();
    assert!(there.is_empty(), "in the catalogue now, remove from PROMISED in known.rs: {there:#?}");
    let verbs = verbs();
    for verb in PROMISED_VERBS {
        assert!(
            !verbs.contains(*verb),
            "interlockctl has {verb} now: remove it from PROMISED_VERBS"
        );
    }
}

#[test]
fn when_an_alert_was_agreed_expect_it_in_the_rules() {
    let there = alert_names();
    for name in AGREED {
        assert!(there.contains(&format!("Interlock{name}")), "Interlock{name} is missing");
    }
}

#[test]
fn when_a_rule_names_series_and_labels_expect_them_to_exist() {
    let recorded = recorded();
    for alert in alerts() {
        let name = &alert.name;
        let mut labels = check(name, &alert.expression, &recorded);
        labels.extend(alert.rule["labels"].as_object().expect("labels").keys().cloned());
        for (key, annotation) in alert.rule["annotations"].as_object().expect("annotations") {
            let annotation = annotation.as_str().expect("a text");
            for used in annotation.split("$labels.").skip(1) {
                let end = used.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let used = &used[..end.unwrap_or(used.len())];
                assert!(labels.iter().any(|l| l == used), "{name}.{key}: no label {used}");
            }
        }
    }
}

#[test]
fn when_an_alert_is_there_expect_everything_that_an_alert_has() {
    for alert in alerts() {
        let name = &alert.name;
        assert!(name.starts_with("Interlock"), "{name}");
        let severity = word(&alert.rule["labels"], "severity");
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}: {severity}");
        let annotations = &alert.rule["annotations"];
        let (summary, description) =
            (word(annotations, "summary"), word(annotations, "description"));
        assert!(summary.contains("$labels.robot"), "{name}: the summary says which robot");
        assert!(description.ends_with('.') && description.len() > summary.len() / 2, "{name}");
        assert_eq!(word(annotations, "runbook_url"), format!("{RUNBOOKS}/{name}.md"));
    }
}

#[test]
fn when_an_alert_is_there_expect_its_four_cases_to_mean_what_they_say() {
    let cases = cases();
    for name in alert_names() {
        let case = |kind: &str| {
            let full = format!("{name}: {kind}");
            let found: Vec<_> = cases.iter().filter(|case| case.name == full).collect();
            assert_eq!(found.len(), 1, "{full}");
            assert!(found[0].moments.iter().all(|(alert, _)| *alert == name), "{full}");
            found[0]
        };
        let most =
            |case: &Case| case.moments.iter().map(|(_, e)| e.len()).max().unwrap_or_default();
        assert!(most(case("fires")) > 0, "{name}: never fires");
        assert!(!case("does not fire").series.is_empty(), "{name}");
        assert_eq!(most(case("does not fire")), 0, "{name}");
        let robots = |expected: &Vec<Value>| -> BTreeSet<String> {
            expected.iter().map(|labels| word(labels, "robot")).collect()
        };
        let two = case("two robots");
        assert!(two.moments.iter().any(|(_, e)| robots(e).len() == 2), "{name}: two at one moment");

        // Nothing about what it looks at; only for Down that is itself the fault.
        let absent = case("series absent");
        let fires = usize::from(name == "InterlockDown");
        assert_eq!(most(absent), fires, "{name}");
        let given = |case: &Case| -> BTreeSet<String> { case.series.iter().cloned().collect() };
        if fires == 0 {
            let gone = given(case("fires")).difference(&given(absent)).count();
            assert!(gone > 0, "{name}: nothing is absent");
        }
    }
}

#[test]
fn when_a_test_of_rules_gives_series_expect_exactly_those_of_a_scrape() {
    let recorded = recorded();
    let names = alert_names();
    for case in cases() {
        let alert = case.name.split(':').next().unwrap_or_default();
        assert!(names.contains(alert), "{}: there is no such alert", case.name);
        for series in &case.series {
            let (name, list) = series.split_once('{').expect("labels");
            let selector = Selector {
                name: name.to_owned(),
                matchers: matchers(list.strip_suffix('}').expect("labels that end")),
            };
            let known = known::series(name, &recorded)
                .unwrap_or_else(|| panic!("{}: there is no {name}", case.name));
            matched(&case.name, &selector, &known);
            let given = selector.matchers.iter().map(|(label, ..)| label.clone());
            let mut wanted: BTreeSet<String> = known.labels.iter().cloned().collect();
            wanted.extend(["job", "instance", "robot"].map(str::to_owned));
            assert_eq!(given.collect::<BTreeSet<_>>(), wanted, "{}: labels of {name}", case.name);
        }
    }
}

#[test]
fn when_the_dashboard_asks_expect_series_and_labels_that_exist() {
    let dashboard: Value =
        serde_json::from_str(&text("observability/grafana/interlock.json")).expect("JSON");
    let recorded = recorded();
    let (mut asked, mut logs, mut ids) = (BTreeSet::new(), 0, BTreeSet::new());
    for panel in list(&dashboard, "panels") {
        let title = word(panel, "title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is taken");
        if panel["type"] == "row" {
            continue;
        }
        for target in list(panel, "targets") {
            if target["datasource"]["type"] == "loki" {
                logs += 1;
                continue;
            }
            let expression = word(target, "expr");
            let labels = check(&title, &expression, &recorded);
            for shown in word(target, "legendFormat").split("{{").skip(1) {
                let shown = shown.split("}}").next().unwrap_or_default();
                assert!(labels.iter().any(|l| l == shown), "{title}: no label {shown}");
            }
            let selectors = names(&expression).selectors;
            for selector in selectors.iter().filter(|s| s.name != "ALERTS") {
                let robot = selector.matchers.iter().any(|(label, ..)| label == "robot");
                assert!(robot, "{title}: {} of every robot, whichever is chosen", selector.name);
            }
            asked.extend(selectors.into_iter().map(|s| s.name));
        }
    }
    assert_eq!(logs, 1, "one panel of logs");
    for annotation in list(&dashboard["annotations"], "list") {
        check("annotations", &word(annotation, "expr"), &recorded);
    }
    // What nobody can see on it is a choice, and stands here.
    let unseen = [
        "interlock_events_total",
        "interlock_topic_info",
        "interlock_topics_monitored",
        "interlock_topics_suppressed_total",
        "interlock_seq",
        "interlock_cause_ignored",
        "interlock_last_trip_timestamp_seconds",
        "interlock_graph_audit_timestamp_seconds",
        "interlock_clock_simulated",
    ];
    let rows = ALL.iter().map(|row| row.name).chain(PROMISED.iter().map(|(name, _)| *name));
    for name in rows.filter(|name| !unseen.contains(name)) {
        let bucket = format!("{name}_bucket");
        assert!(asked.contains(name) || asked.contains(&bucket), "no panel shows {name}");
    }
}

#[test]
fn when_an_alert_is_there_expect_its_page_and_no_other() {
    let mut wanted = alert_names();
    wanted.extend(PROCEDURES.map(str::to_owned));
    wanted.insert("README".to_owned());
    assert_eq!(stems(RUNBOOKS, ".md"), wanted);
    let index = text(&format!("{RUNBOOKS}/README.md"));
    for name in alert_names() {
        let page = text(&format!("{RUNBOOKS}/{name}.md"));
        assert!(page.starts_with(&format!("# {name}\n")), "{name}: its heading");
        let found: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(found, SECTIONS, "{name}: its sections");
        let (_, diagnosis) = page.split_once(SECTIONS[2]).expect("checked");
        let (diagnosis, mitigation) = diagnosis.split_once(SECTIONS[3]).expect("checked");
        assert!(diagnosis.contains("\n    "), "{name}: a command or query to diagnose with");
        assert!(mitigation.trim().len() > 40, "{name}: what to do");
        assert!(index.contains(&format!("({name}.md)")), "{name} is not in the index");
    }
}

#[test]
fn when_a_page_names_metrics_verbs_and_files_expect_them_to_exist() {
    let recorded = recorded();
    let verbs = verbs();
    let mut pages: Vec<String> =
        stems(RUNBOOKS, ".md").iter().map(|stem| format!("{RUNBOOKS}/{stem}.md")).collect();
    pages.push("observability/README.md".to_owned());
    for page in pages {
        let text = text(&page);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        for word in text.split(|c| !is_word(c)).filter(|w| w.contains("interlock_")) {
            let word = word.trim_end_matches(':');
            let known = known::series(word, &recorded).is_some()
                || ALL.iter().any(|row| row.name == word)
                || word.ends_with('_');
            assert!(known, "{page}: there is no {word}");
        }
        for after in text.split("interlockctl ").skip(1) {
            let verb = after.split(|c: char| !c.is_ascii_lowercase() && c != '-').next();
            let verb = verb.unwrap_or_default();
            let known = verb.is_empty() || verbs.contains(verb) || PROMISED_VERBS.contains(&verb);
            assert!(known, "{page}: interlockctl has no {verb}");
        }
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            assert!(
                link.starts_with("https://") || leads(&page, link),
                "{page}: {link} leads nowhere"
            );
        }
    }
}

#[test]
fn when_the_examples_are_read_expect_the_agreed_targets_and_inhibitions() {
    let one = yaml::parse(&text("observability/prometheus.yml"));
    for (name, target) in [("node", "127.0.0.1:9100"), ("interlock", "127.0.0.1:9615")] {
        let jobs = list(&one, "scrape_configs");
        let found = jobs.iter().find(|job| job["job_name"] == name).expect("the job");
        assert_eq!(list(found, "static_configs")[0]["targets"][0], target);
    }
    let manager = yaml::parse(&text("observability/alertmanager.yml"));
    let rules = list(&manager, "inhibit_rules");
    let down = |rule: &&Value| rule["source_matchers"][0] == "alertname=\"InterlockDown\"";
    let down = rules.iter().find(down).expect("Down inhibits");
    assert_eq!(down["target_matchers"][0], "alertname=~\"Interlock.+\"");
    let names = alert_names();
    for rule in rules {
        let robots = list(rule, "equal");
        assert!(robots.contains(&"robot".into()) && robots.contains(&"instance".into()), "{rule}");
        for named in rule.to_string().split("Interlock").skip(1) {
            let named =
                named.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            let known = named.is_empty() || names.contains(&format!("Interlock{named}"));
            assert!(known, "alertmanager.yml: there is no Interlock{named}");
        }
    }
}

/// The verbs that `interlockctl --help` lists.
fn verbs() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_interlockctl")).arg("--help").output();
    let help = String::from_utf8(output.expect("run interlockctl").stdout).expect("text");
    let (_, listed) = help.split_once("Commands:\n").expect("a list of verbs");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    listed.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}
