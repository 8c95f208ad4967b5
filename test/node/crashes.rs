//! What crashes leave behind on the machine, and what becomes of those who start later.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::rig::{BASE, Rig, TWIST, head};
use crate::skewed::skewed_threads;
use crate::support::{Scratch, domain_lease};

/// Crashes. Each leaves over a MiB, so that a small /dev/shm is full half way.
const CRASHES: usize = 20;
const SMALL: &str = "8m";
const PORTS: u16 = 19_600;
/// Longer than any of the steps takes by its own limits.
const LIMIT_S: u64 = 600;
/// Segments that a node has by itself, and one crash leaves at most.
const OF_A_NODE: u64 = 4;

/// Whether a /dev/shm of its own can be had.
fn may_mount() -> bool {
    let probe = ["-m", "sh", "-c", "mount -t tmpfs tmpfs /dev/shm"];
    Command::new("unshare").args(probe).output().is_ok_and(|may| may.status.success())
}

/// The line of the manual that cleans: what it says is what is tried.
fn cleaning() -> String {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
    let manual = std::fs::read_to_string(manual).expect("the manual");
    let line = manual.lines().find(|line| line.contains("flock -n")).expect("how to clean");
    line.trim().to_owned()
}

/// Segments and KiB after one step.
fn left(of: &Value) -> (u64, u64) {
    (of[0].as_u64().expect("a count"), of[1].as_u64().expect("KiB"))
}

/// Runs the script in a /dev/shm of its own of this size, or without one in the machine's; the steps it
/// told.
fn steps(small: Option<&str>, count: usize, mode: &str) -> Vec<Value> {
    let (lease, scratch) = (domain_lease(), Scratch::new());
    let port = PORTS + u16::try_from(lease.id()).expect("a small domain");
    scratch.write("params.yaml", &(head(port) + BASE));
    scratch.write("clean.sh", &cleaning());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/shared_memory.py");
    let (folder, port, count) = (scratch.path(), port.to_string(), count.to_string());
    let mut command = if let Some(size) = small {
        let mount = format!("mount -t tmpfs -o size={size} tmpfs /dev/shm && exec \"$@\"");
        let mut command = lease.command("unshare");
        command.args(["-m", "sh", "-c", &mount, "sh", "python3"]);
        command
    } else {
        lease.command("python3")
    };
    command.arg("-u").arg(script).arg(folder).arg(port).arg(count).arg(mode);
    let (out, err) = (folder.join("out"), folder.join("err"));
    command.stdin(Stdio::null());
    command.stdout(std::fs::File::create(&out).expect("a file"));
    command.stderr(std::fs::File::create(&err).expect("a file"));
    let mut running = crate::support::Running(command.spawn().expect("start python3"));
    let status = running.wait_bounded(LIMIT_S);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (told, log) = (read(out), read(err));
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{told}\n{log}");
    // Fast DDS prints its complaints to standard output, too.
    told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn hazard_63_a_port_left_half_made_keeps_nobody_from_starting() {
    if !may_mount() {
        println!("skipped: no /dev/shm of its own is permitted here");
        return;
    }
    let steps = steps(Some(SMALL), 0, "half-made");
    let step = |name: &str| steps.iter().find(|one| one["step"] == name).expect("the step");
    let (doctor, start) = (step("doctor"), step("start"));
    let text = doctor["doctor"].as_str().expect("a text");
    assert_eq!(doctor["code"], 1, "{doctor}");
    assert!(text.contains("/dev/shm/fastrtps_port7003") && text.contains("rm /dev/shm"), "{text}");
    // It came up, and said why it could.
    assert_eq!(start["filled"], true, "{start}");
    let log = start["log"].as_str().expect("a log");
    for port in 7000..7004 {
        assert!(log.contains(&format!("/dev/shm/fastrtps_port{port} removed")), "{log}");
    }
    assert_eq!(start["state"], "killed", "by the peer's own call");
}

#[test]
fn hazard_63_the_lock_of_a_killed_process_delays_no_start_and_a_living_ones_is_kept() {
    if !may_mount() {
        println!("skipped: no /dev/shm of its own is permitted here");
        return;
    }
    let steps = steps(Some(SMALL), 0, "held");
    let step = |name: &str| steps.iter().find(|one| one["step"] == name).expect("the step");
    let removed = |log: &Value, port| {
        let line = format!("/dev/shm/sem.fastrtps_port{port}_mutex removed");
        log["log"].as_str().expect("a log").contains(&line)
    };
    for port in 7000..7004 {
        assert!(!removed(step("living"), port), "{}", step("living"));
        assert!(removed(step("dead"), port), "{}", step("dead"));
    }
    assert_eq!(step("dead")["state"], "killed", "by the peer's own call");
}

/// Who knew the killed run has its port mapped, and looks now and then whether somebody still reads it. This
/// peer never finds out: the thread that looks has a clock that is behind.
#[test]
fn hazard_63_whoever_knew_the_killed_run_is_heard_by_the_next() {
    let mut rig = Rig::persisted(BASE);
    rig.peer = skewed_threads(&rig, "old", "dds.shm.wdog", -3_600.0);
    rig.watch_state();
    rig.peer.publisher("/agent", TWIST);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.25);

    // The peer's node, its publisher and its clients are those of before.
    // A start at the same moment, of another test's node, has a hand on the port itself; not three times.
    let left_alone = ["second", "third", "fourth"].into_iter().any(|name| {
        assert_eq!(rig.run_again(name)["label"], "killed");
        rig.node.log().contains(" left alone: its reader was killed")
    });
    assert!(left_alone, "{}", rig.node.log());
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.5);
    assert_eq!(rig.trigger("kill")["success"], true);
}

#[test]
fn hazard_63_shared_memory_fills() {
    let is_own = may_mount();
    if !is_own {
        println!("in part: no /dev/shm of its own is permitted here, so it does not get full");
    }
    let mode = if is_own { "own" } else { "shared" };
    let steps = steps(is_own.then_some(SMALL), CRASHES, mode);
    let step = |name: &str| steps.iter().find(|one| one["step"] == name).expect("the step");

    // Every life came up, or the script had ended; and so did those who started last of all.
    let lives = step("lives")["left"].as_array().expect("a list").clone();
    assert_eq!(lives.len(), CRASHES);
    assert_eq!(step("full")["state"], "killed", "by the peer's own call");
    if !is_own {
        return;
    }
    // The crashes filled it: growth came to its end, and the end was no failure.
    let ((first, _), (last, used)) = (left(&lives[0]), left(&lives[CRASHES - 1]));
    assert!(first > 0 && last < first * u64::try_from(CRASHES).expect("small"), "{lives:?}");
    assert!(used > 7 * 1024, "it was full: {lives:?}");
    // The doctor sees it and says what to do; that is what frees it, and harms nobody who lives.
    let doctor = step("doctor");
    let text = doctor["doctor"].as_str().expect("a text");
    assert_eq!(doctor["code"], 1, "{doctor}");
    assert!(
        text.contains("segments of dead nodes") && text.contains("fastdds shm clean"),
        "{text}"
    );
    let clean = step("clean");
    let (before, _) = left(&clean["before"]);
    let (after, free) = left(&clean["left"]);
    assert!(before >= last && after <= OF_A_NODE && free < 7 * 1024, "{clean}");
    assert!(left(&clean["with_life"]).0 > after, "a new node has segments again: {clean}");
    assert_eq!(left(&clean["again"]).0, left(&clean["with_life"]).0, "and keeps them: {clean}");
    let text = clean["doctor"].as_str().expect("a text");
    assert!(text.contains("nothing left by dead nodes"), "{clean}");
}
