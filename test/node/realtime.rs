//! Real-time scheduling and locked memory, seen from outside; and what is said where they are refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::rig::{BASE, Rig, TWIST};
use crate::support::{DomainLease, wait_for};

/// Of sched.h.
const SCHED_FIFO: u64 = 1;
/// A CPU that no machine here has.
const NO_CPU: &str = "900";

/// One thread as the kernel tells it.
#[derive(Debug)]
struct Thread {
    priority: u64,
    policy: u64,
    cpus: String,
    slack_ns: Option<u64>,
}

fn read(path: &Path, name: &str) -> String {
    std::fs::read_to_string(path.join(name)).unwrap_or_default()
}

/// The value of a line of `status`.
fn line(status: &str, name: &str) -> String {
    let found = status.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default().trim().to_owned()
}

/// The node's threads by name.
fn threads(rig: &Rig) -> BTreeMap<String, Thread> {
    let tasks = format!("/proc/{}/task", rig.node.pid().as_raw_nonzero());
    let tasks = std::fs::read_dir(tasks).expect("the node lives");
    let all = tasks.filter_map(|task| {
        let path = task.ok()?.path();
        let stat = read(&path, "stat");
        // Behind the name, which may hold anything: the state is the third field.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let id = path.file_name()?.to_str()?;
        let slack = std::fs::read_to_string(format!("/proc/{id}/timerslack_ns"));
        let thread = Thread {
            priority: fields.get(37)?.parse().ok()?,
            policy: fields.get(38)?.parse().ok()?,
            cpus: line(&read(&path, "status"), "Cpus_allowed_list:"),
            slack_ns: slack.ok().and_then(|slack| slack.trim().parse().ok()),
        };
        Some((read(&path, "comm").trim().to_owned(), thread))
    });
    all.collect()
}

fn locked_kb(rig: &Rig) -> u64 {
    let status = read(Path::new(&format!("/proc/{}", rig.node.pid().as_raw_nonzero())), "status");
    line(&status, "VmLck:").trim_end_matches(" kB").parse().expect("a size")
}

/// The first CPU that this process may use.
fn own_cpu() -> String {
    let cpus = line(&read(Path::new("/proc/self"), "status"), "Cpus_allowed_list:");
    cpus.split([',', '-']).next().expect("a CPU").to_owned()
}

fn with(keys: &str) -> String {
    format!("    realtime: {{enabled: true, priority: 40{keys}}}\n{BASE}")
}

/// Waits until these threads are as they should be; they set themselves up after they have started.
fn wait_threads(rig: &Rig, what: &str, are: impl Fn(&BTreeMap<String, Thread>) -> bool) {
    let mut last = BTreeMap::new();
    let mut holds = false;
    for _ in 0..2_000 {
        last = threads(rig);
        holds = are(&last);
        if holds {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(holds, "waited for {what}: {last:#?}\n{}", rig.node.log());
}

#[test]
fn where_real_time_is_permitted_the_gate_has_it_and_its_watchers_stand_above_it() {
    if !Command::new("chrt").args(["-f", "41", "true"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: SCHED_FIFO 41 is not permitted here (chrt)");
        return;
    }
    let cpu = own_cpu();
    let rig = Rig::new(&with(&format!(", cpus: [{cpu}]")));
    wait_threads(&rig, "the gate at 40, its watchers at 41", |threads| {
        [("gate", 40), ("watchdog", 41), ("burst", 41)].iter().all(|(name, priority)| {
            let thread = threads.get(*name);
            thread.is_some_and(|one| (one.policy, one.priority) == (SCHED_FIFO, *priority))
        })
    });
    let all = threads(&rig);
    assert_eq!(all["gate"].cpus, cpu, "pinned");
    // A gate that never sleeps would keep a watcher on its CPU from running.
    let free = line(&read(Path::new("/proc/self"), "status"), "Cpus_allowed_list:");
    assert_eq!(all["watchdog"].cpus, free);
    assert!(all["gate"].slack_ns.is_none_or(|slack| slack <= 1), "{:?}", all["gate"]);
    // Nobody else may take the processor from the gate.
    for (name, thread) in &all {
        let is_elevated = ["gate", "watchdog", "burst"].contains(&name.as_str());
        assert_eq!(thread.policy == SCHED_FIFO, is_elevated, "{name}: {thread:?}");
    }
    assert!(locked_kb(&rig) > 0, "locked as it is touched");
    let log = rig.node.log();
    assert!(!log.contains("SCHED_FIFO") && !log.contains("memory is not locked"), "{log}");
}

#[test]
fn where_real_time_is_off_nothing_is_elevated_and_nothing_complains() {
    let rig = Rig::new(BASE);
    wait_threads(&rig, "the gate thread", |threads| threads.contains_key("gate"));
    assert!(threads(&rig).values().all(|thread| thread.policy != SCHED_FIFO));
    assert_eq!(locked_kb(&rig), 0);
    assert!(!rig.node.log().contains("SCHED_FIFO"), "{}", rig.node.log());
}

/// The node without the right to any of it.
fn refused(_: &DomainLease) -> Vec<String> {
    let limits = "prlimit --rtprio=0:0 --memlock=65536:65536";
    // Root has the capabilities that stand above the limits.
    let drop = if rustix::process::geteuid().is_root() {
        "setpriv --bounding-set -sys_nice,-ipc_lock,-sys_resource --inh-caps -sys_nice,-ipc_lock,-sys_resource"
    } else {
        ""
    };
    let words = limits.split(' ').chain(drop.split_whitespace());
    words.chain([env!("CARGO_BIN_EXE_interlock")]).map(str::to_owned).collect()
}

#[test]
fn where_real_time_is_refused_each_step_says_why_and_what_to_do_and_the_node_runs_on() {
    for tool in ["prlimit", "setpriv"] {
        if !Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success()) {
            println!("skipped: {tool} (util-linux) is not installed");
            return;
        }
    }
    let mut rig = Rig::persisted_through(&with(&format!(", cpus: [{NO_CPU}]")), &refused);
    let expected = [
        ["SCHED_FIFO 40", "Operation not permitted", "LimitRTPRIO="],
        ["SCHED_FIFO 41", "Operation not permitted", "LimitRTPRIO="],
        ["memory is not locked", "Cannot allocate memory", "LimitMEMLOCK=infinity"],
        ["affinity [900]", "Invalid argument", "write CPUs in realtime.cpus that are online"],
    ];
    let is_told = |text: &str| {
        expected
            .iter()
            .all(|parts| text.lines().any(|line| parts.iter().all(|part| line.contains(part))))
    };
    wait_for("each refusal with its reason and the way out, in the log", || {
        is_told(&rig.node.log())
    });
    // And for whoever asks later.
    wait_for("the same in the status", || {
        let status: Value = serde_json::from_str(&rig.http("/status")).unwrap_or_default();
        let told = status["realtime"].as_array().cloned().unwrap_or_default();
        let told: Vec<&str> = told.iter().filter_map(Value::as_str).collect();
        is_told(&told.join("\n"))
    });
    let mut doctor = rig.lease.command(env!("CARGO_BIN_EXE_interlockctl"));
    let said = doctor.arg("doctor").output().expect("run interlockctl");
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("not real-time") && said.contains("LimitRTPRIO"), "{said}");
    assert!(said.contains("at most 65536 bytes") && said.contains("LimitMEMLOCK"), "{said}");
    // It is a gate all the same.
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.25);
    assert!(threads(&rig).values().all(|thread| thread.policy != SCHED_FIFO));
    assert_eq!(locked_kb(&rig), 0);
}
