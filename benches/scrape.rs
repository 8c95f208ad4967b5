//! One scrape: from the slots to the text, without the network. The target is 0.6 µs a line, and that
//! it stays so however many joints and topics there are.
//!
//! Besides the time, a table of lines and instructions a line, which no load of the machine changes:
//! the binary runs itself under callgrind with `--count <joints> <topics> <scrapes>`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "criterion's macros; set-up that cannot fail"
)]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use interlock::config::load;
use interlock::telemetry::collector::{Registry, registry, scrape};
use interlock::telemetry::slots::{BuildInfo, Slots};

/// Joints and monitored topics: a humanoid, one with hands, more than anybody has.
const SIZES: [(usize, usize); 4] = [(29, 0), (29, 100), (256, 0), (256, 500)];

/// Scrapes of one count of instructions.
const COUNTED: u64 = 20;

fn filled(joints: usize, topics: usize) -> Registry {
    let names: Vec<String> = (0..joints).map(|joint| format!("joint_{joint}")).collect();
    let params = format!(
        "interlock: {{ros__parameters: {{schema: 1, lanes: {{arms: {{\
         type: std_msgs/msg/Float64MultiArray, output: out, interface: position, \
         feedback: joints, joints: [{}], required: false, \
         limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 2.0}}, \
         safe: {{command: freeze, tolerance: 0.1}}, \
         sources: {{vla: {{topic: in, priority: 10, timeout_s: 0.5, max_rate_hz: 500.0}}}}}}}}, \
         feedback: {{joints: {{type: sensor_msgs/msg/JointState, topic: js, timeout_s: 0.5}}}}}}}}\n",
        names.join(", ")
    );
    let folder = std::env::temp_dir().join(format!("interlock-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("scrape.yaml");
    std::fs::write(&file, params).unwrap();
    let args = ["--ros-args", "--params-file", file.to_str().unwrap()].map(str::to_owned);
    let (mut config, _) = load(&args).map_err(|problems| problems.to_string()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    config.monitor.patterns = vec![String::from("/**")];
    (config.monitor.max_topics, config.monitor.max_series) = (topics, usize::MAX);
    let slots = Slots::new(&config, BuildInfo::default(), Arc::default());
    for place in 0..topics {
        slots.topics.give(place, &format!("/sensors/number_{place}/points"));
    }
    fill(&slots);
    registry(slots).unwrap()
}

/// Numbers as after some days.
fn fill(slots: &Slots) {
    let mut nanos = 1_u64;
    let mut next = || {
        nanos = nanos.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        nanos >> 38
    };
    for lane in &slots.lanes {
        for source in &lane.sources {
            source.verdicts.iter().for_each(|(_, counter)| counter.add(next()));
            source.limits.iter().for_each(|(_, counter)| counter.add(next()));
            source.interval.observe(Duration::from_nanos(next()));
            source.transport.observe(Duration::from_nanos(next()));
        }
        for joint in &lane.joint_limits {
            joint.limits.iter().for_each(|(_, counter)| counter.add(next()));
        }
        lane.residence.observe(Duration::from_nanos(next()));
    }
    for (_, topic) in slots.topics.given() {
        topic.messages.add(next());
        topic.bytes.add(next());
        topic.gap.set(0.012_345);
    }
}

fn lines(registry: &Registry) -> u64 {
    scrape(registry).unwrap().lines().count() as u64
}

fn scrapes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scrape");
    for (joints, topics) in SIZES {
        let registry = filled(joints, topics);
        // A line is an element.
        group.throughput(Throughput::Elements(lines(&registry)));
        let id = BenchmarkId::from_parameter(format!("{joints} joints, {topics} topics"));
        group.bench_function(id, |bencher| bencher.iter(|| scrape(&registry).unwrap()));
    }
}

#[inline(never)]
fn counted(registry: &Registry) -> String {
    scrape(registry).unwrap()
}

fn count(mut args: impl Iterator<Item = String>) -> Option<()> {
    let registry = filled(args.next()?.parse().ok()?, args.next()?.parse().ok()?);
    for _ in 0..args.next()?.parse().ok()? {
        std::hint::black_box(counted(&registry));
    }
    Some(())
}

/// Instructions of one scrape, as callgrind counts them; `None`: it cannot be run.
fn instructions(joints: usize, topics: usize) -> Option<u64> {
    let output = std::process::Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=scrape::counted")
        .arg(std::env::current_exe().ok()?)
        .args(["--count", &joints.to_string(), &topics.to_string(), &COUNTED.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    let (_, collected) = text.split_once("Collected : ")?;
    let total: u64 = collected.split_whitespace().next()?.parse().ok()?;
    Some(total / COUNTED)
}

fn table() {
    for (joints, topics) in SIZES {
        let lines = lines(&filled(joints, topics));
        let each = instructions(joints, topics).map_or_else(
            || String::from("skipped: valgrind cannot be run (./dev setup --ci)"),
            |count| format!("{} instructions a line", count / lines.max(1)),
        );
        println!("{joints} joints, {topics} topics: {lines} lines, {each}");
    }
}

criterion_group!(benches, scrapes);

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--count") {
        count(args).expect("--count <joints> <topics> <scrapes>");
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    table();
}
