//! Values as they appear in a scrape: buckets, times, escapes, and that they never fall.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::{Scrape, drive};
use crate::gate::verdict::{Limit, Verdict};
use crate::telemetry::collector::{registry, scrape};
use crate::telemetry::fixture;
use crate::telemetry::slots::Slots;

#[test]
fn when_a_histogram_is_written_expect_cumulative_buckets_that_end_in_the_count() {
    let slots = fixture::slots();
    let residence = &slots.lanes[0].residence;
    for nanos in [999, 1_000, 1_001, 60_000, 20_000_000] {
        residence.observe(Duration::from_nanos(nanos));
    }
    let scrape = Scrape::of(&slots);
    let bucket = |le: &str| {
        scrape.value(&format!(
            "interlock_command_residence_seconds_bucket{{lane=\"base\",le=\"{le}\"}}"
        ))
    };
    assert_eq!(bucket("0.000001"), 2.0);
    assert_eq!(bucket("0.0000025"), 3.0);
    assert_eq!(bucket("0.0001"), 4.0);
    assert_eq!(bucket("0.01"), 4.0);
    assert_eq!(bucket("+Inf"), 5.0);
    let part = |p: &str| {
        scrape.value(&format!("interlock_command_residence_seconds_{p}{{lane=\"base\"}}"))
    };
    assert_eq!(part("count"), 5.0);
    assert_eq!(part("sum"), 0.020_063);
}

#[test]
fn when_buckets_are_exposed_expect_the_documents_numbers() {
    let slots = fixture::slots();
    let scrape = Scrape::of(&slots);
    let edges = |series: &str| -> Vec<String> {
        let mut edges: Vec<String> = scrape
            .family(series)
            .filter_map(|(s, _)| Some(s.split_once("le=\"")?.1.trim_end_matches("\"}").to_owned()))
            .filter(|le| le != "+Inf")
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        edges.sort_by(|a, b| a.parse::<f64>().unwrap().total_cmp(&b.parse::<f64>().unwrap()));
        edges
    };
    let numbers = |text: &str| -> Vec<String> {
        text.split(' ').map(|n| n.parse::<f64>().unwrap().to_string()).collect()
    };
    assert_eq!(
        edges("interlock_publish_seconds"),
        numbers("1e-6 2.5e-6 5e-6 1e-5 2.5e-5 5e-5 1e-4 2.5e-4 5e-4 1e-3 2.5e-3 1e-2")
    );
    assert_eq!(
        edges("interlock_command_transport_seconds"),
        numbers("1e-4 2.5e-4 5e-4 1e-3 2.5e-3 5e-3 1e-2 2.5e-2 5e-2 0.1 0.25 0.5 1 2.5")
    );
    assert_eq!(
        edges("interlock_tick_interval_seconds"),
        numbers("7e-4 1.5e-3 3e-3 6e-3 1.2e-2 1.6e-2 2.5e-2 4e-2 7e-2 0.15 0.3 0.6 1.5 5")
    );
    assert_eq!(
        edges("interlock_stop_seconds"),
        numbers("5e-5 1e-4 2.5e-4 5e-4 1e-3 2e-3 5e-3 1e-2 2e-2 5e-2 0.1 0.5")
    );
}

#[test]
fn when_times_are_set_expect_seconds_since_the_epoch() {
    let slots = fixture::slots();
    drive(&slots);
    let scrape = Scrape::of(&slots);
    for series in [
        "interlock_last_trip_timestamp_seconds",
        "interlock_graph_audit_timestamp_seconds",
        "interlock_input_last_received_timestamp_seconds{input=\"pendant\"}",
        "interlock_input_last_received_timestamp_seconds{input=\"joints\"}",
        "interlock_command_last_received_timestamp_seconds{lane=\"arms\",source=\"vla\"}",
    ] {
        assert_eq!(scrape.value(series), 1_700_000_000.25);
    }
    assert_eq!(scrape.value("interlock_seq"), 41.0);
    assert!(scrape.value("interlock_thread_cpu_seconds_total{thread=\"gate\"}") > 0.0);
}

/// One writer, many scrapes: no counter is ever seen to fall, and in the end nothing is missing.
#[test]
fn hazard_30_telemetry_disturbs_gate_counters_are_monotone_under_scrapes() {
    const WRITES: u64 = 300_000;
    let slots = fixture::slots();
    let registry = registry(Arc::clone(&slots)).unwrap();
    let writer = {
        let slots = Arc::clone(&slots);
        std::thread::spawn(move || {
            let source = &slots.lanes[0].sources[0];
            for i in 0..WRITES {
                source.verdicts.at(Verdict::Passed).increment();
                source.interval.observe(Duration::from_nanos(i * 1_000));
            }
        })
    };
    let passed = "interlock_commands_total{lane=\"base\",source=\"teleop\",verdict=\"passed\"}";
    let count = "interlock_command_interval_seconds_count{lane=\"base\",source=\"teleop\"}";
    let all =
        "interlock_command_interval_seconds_bucket{lane=\"base\",source=\"teleop\",le=\"+Inf\"}";
    let mut before = (0.0, 0.0);
    loop {
        let finished = writer.is_finished();
        let scrape = Scrape::parse(&scrape(&registry).unwrap());
        let now = (scrape.value(passed), scrape.value(count));
        assert!(now.0 >= before.0 && now.1 >= before.1);
        assert_eq!(now.1, scrape.value(all));
        before = now;
        if finished {
            break;
        }
    }
    writer.join().unwrap();
    assert_eq!(before, (300_000.0, 300_000.0));
}

#[test]
fn when_a_name_needs_escaping_expect_one_line_a_series() {
    let mut config = fixture::config();
    config.lanes[1].dimensions[0] = String::from("left \"elbow\"\n\\");
    let slots = Slots::new(&config, fixture::build(), Arc::default());
    let text = scrape(&registry(slots).unwrap()).unwrap();
    assert!(text.contains(r#"joint="left \"elbow\"\n\\",limit="velocity"} 0"#));
    Scrape::parse(&text);
}

/// The format's own checker, where it is installed.
#[test]
fn when_promtool_is_installed_expect_it_to_find_nothing() {
    use std::io::Write as _;
    let slots = fixture::slots();
    drive(&slots);
    let text = scrape(&registry(slots).unwrap()).unwrap();
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: promtool is not installed");
        return;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn when_a_robot_has_29_joints_expect_series_in_proportion_and_far_below_the_cap() {
    let slots = Slots::new(&fixture::humanoid(), fixture::build(), Arc::default());
    drive(&slots);
    let scrape = Scrape::of(&slots);
    let joints = scrape.family("interlock_joint_limits_applied_total").count();
    assert_eq!(joints, 29 * Limit::ALL.len());
    assert!(scrape.samples.len() < 2_000, "{}", scrape.samples.len());
}
