//! What the system's files say: clock, real-time limits of the node's process, shared memory that dead
//! nodes left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Check;
use crate::shared_memory::{self, FileId, Locks};

/// Where systemd-timesyncd says that it is done.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";
/// Where Fast DDS keeps its segments and their locks.
const SHM: &str = shared_memory::FOLDER;
/// `SCHED_FIFO` and `SCHED_RR` of sched.h, as /proc writes them.
const REAL_TIME: [&str; 2] = ["1", "2"];

/// Whether the wall clock follows another one: stamps of two computers are compared by it.
pub(super) fn clock() -> Check {
    let name = "clock";
    if fs::metadata(TIMESYNC).is_ok() {
        return Check::ok(name, "synchronised (systemd-timesyncd)");
    }
    // It reads the kernel's own flag, whoever sets it.
    let asked =
        Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    let said = asked.ok().filter(|output| output.status.success());
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    synchronised(said.as_deref())
}

fn synchronised(said: Option<&str>) -> Check {
    match said {
        Some("yes") => Check::ok("clock", "synchronised"),
        Some("no") => Check::bad(
            "clock",
            "not synchronised",
            "start chrony or systemd-timesyncd (timedatectl set-ntp true)",
        ),
        Some(_) | None => {
            Check::cannot_tell("clock", "timedatectl does not say whether it is synchronised")
        }
    }
}

/// Real-time scheduling and locked memory of the node.
pub(super) fn process(pid: u32) -> Vec<Check> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok();
    vec![
        real_time(gate_thread(pid).as_deref(), limits.as_deref()),
        locked_memory(status.as_deref(), limits.as_deref()),
    ]
}

/// `stat` of the node's thread `gate`.
fn gate_thread(pid: u32) -> Option<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    tasks.filter_map(Result::ok).find_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        (name.trim() == "gate").then(|| fs::read_to_string(task.path().join("stat")).ok()).flatten()
    })
}

/// The soft value of a limit. The names have spaces, so the line is cut behind the name.
fn limit<'t>(limits: &'t str, name: &str) -> Option<&'t str> {
    limits.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
}

fn real_time(stat: Option<&str>, limits: Option<&str>) -> Check {
    let name = "real-time";
    let Some(stat) = stat else {
        return Check::cannot_tell(name, "the gate thread cannot be seen");
    };
    // The name in brackets may hold anything; the fields count from behind it: state is the third.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let (priority, policy) = (fields.get(37).copied(), fields.get(38).copied());
    if let (Some(priority), Some(policy)) = (priority, policy)
        && REAL_TIME.contains(&policy)
    {
        return Check::ok(name, format!("the gate thread runs real-time, priority {priority}"));
    }
    match limits.and_then(|limits| limit(limits, "Max realtime priority")) {
        None => {
            Check::cannot_tell(name, "the gate thread is not real-time; its limit cannot be read")
        }
        Some("0") => Check::bad(
            name,
            "the gate thread is not real-time, and may not be (rtprio 0)",
            "LimitRTPRIO=50 in its unit, or rtprio in /etc/security/limits.d; then \
             realtime.enabled: true",
        ),
        Some(most) => Check::bad(
            name,
            format!("the gate thread is not real-time (it may be, up to {most})"),
            "realtime.enabled: true in the params file",
        ),
    }
}

fn locked_memory(status: Option<&str>, limits: Option<&str>) -> Check {
    let name = "locked memory";
    let locked = status.and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    match (locked, limits.and_then(|limits| limit(limits, "Max locked memory"))) {
        (Some(kb), _) if kb > 0 => Check::ok(name, format!("{} MiB", kb / 1024)),
        (Some(_), Some("unlimited")) => {
            Check::bad(name, "none, and it may", "realtime.enabled: true in the params file")
        }
        (Some(_), Some(most)) => Check::bad(
            name,
            format!("none, and at most {most} bytes may be"),
            "LimitMEMLOCK=infinity in its unit, or memlock in /etc/security/limits.d; then \
             realtime.enabled: true",
        ),
        (_, None) | (None, Some(_)) => {
            Check::cannot_tell(name, "the node's process cannot be seen")
        }
    }
}

/// One segment or port of Fast DDS.
struct Segment {
    bytes: u64,
    uid: u32,
    is_held: bool,
}

/// What dead nodes left in shared memory, and whose the living ones are; `node_uid` is the node's user.
pub(super) fn shared_memory_files(node_uid: Option<u32>) -> Vec<Check> {
    let (Ok(entries), Ok(locks)) = (fs::read_dir(SHM), Locks::read()) else {
        let text = format!("{SHM} or /proc/locks cannot be read");
        return vec![
            Check::cannot_tell("shared memory", text.clone()),
            Check::cannot_tell("users", text),
        ];
    };
    let names = entries.filter_map(Result::ok).filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = name.strip_prefix("fastrtps_")?;
        Some(name.strip_suffix("_el").unwrap_or(name).to_owned())
    });
    let names: BTreeSet<String> = names.collect();
    let segments = names.iter().filter_map(|name| {
        let segment = fs::metadata(format!("{SHM}/fastrtps_{name}")).ok();
        // One that was made when there was no room for it has no lock, and nobody.
        let lock = fs::metadata(format!("{SHM}/fastrtps_{name}_el")).ok();
        let uid = lock.as_ref().or(segment.as_ref())?.uid();
        // Looked up without touching it, which could harm who starts just now.
        let is_held = lock.is_some_and(|lock| locks.is_held(&FileId::from(&lock)));
        Some(Segment { bytes: segment.map_or(0, |found| found.len()), uid, is_held })
    });
    let segments: Vec<Segment> = segments.collect();
    let half_made = shared_memory::half_made_ports(Path::new(SHM));
    vec![half_made_ports(&half_made).unwrap_or_else(|| left(&segments)), users(&segments, node_uid)]
}

/// Worse than anything else that was left.
fn half_made_ports(ports: &[PathBuf]) -> Option<Check> {
    let names: Vec<String> = ports.iter().map(|port| port.display().to_string()).collect();
    (!names.is_empty()).then(|| {
        Check::bad(
            "shared memory",
            format!(
                "a process was killed while it made {}: every ROS process that starts waits for it \
                 without end",
                names.join(" ")
            ),
            format!(
                "rm {}; then restart what hangs. Interlock's own start does it, too",
                names.join(" ")
            ),
        )
    })
}

/// Each crash leaves half a megabyte a participant.
fn left(segments: &[Segment]) -> Check {
    let name = "shared memory";
    let left = segments.iter().filter(|segment| !segment.is_held);
    let (count, bytes) = left
        .fold((0_u64, 0_u64), |(n, sum), one| (n.saturating_add(1), sum.saturating_add(one.bytes)));
    if count == 0 {
        return Check::ok(name, "nothing left by dead nodes");
    }
    Check::bad(
        name,
        format!("{count} segments of dead nodes, {} KiB", bytes / 1024),
        "fastdds shm clean (where no container shares /dev/shm)",
    )
}

/// Fast DDS's files are writable for their owner only, so nodes of two users hear nothing of each other,
/// though each may see the other in the graph.
fn users(segments: &[Segment], node_uid: Option<u32>) -> Check {
    let name = "users";
    let Some(node_uid) = node_uid else {
        return Check::cannot_tell(name, "the node's user is not known");
    };
    let held = segments.iter().filter(|segment| segment.is_held);
    let others: BTreeSet<u32> = held.map(|one| one.uid).filter(|uid| *uid != node_uid).collect();
    if others.is_empty() {
        return Check::ok(name, format!("all on shared memory are uid {node_uid}"));
    }
    let others: Vec<String> = others.iter().map(u32::to_string).collect();
    Check::bad(
        name,
        format!(
            "nodes of uid {} use shared memory: they and this node (uid {node_uid}) hear nothing of each other",
            others.join(", ")
        ),
        "run the robot's nodes as one user, or all with FASTDDS_BUILTIN_TRANSPORTS=UDPv4",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::doctor::Found;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         8388608              8388608              bytes
Max realtime priority     0                    0
";

    fn stat(priority: u32, policy: u32) -> String {
        let before = "0 ".repeat(36);
        format!("77 (ga te) ) S {before}{priority} {policy} 0 0")
    }

    #[test]
    fn when_the_gate_thread_is_seen_expect_its_policy_or_what_it_lacks() {
        let check = real_time(Some(&stat(40, 1)), Some(LIMITS));
        assert_eq!(
            (check.found, check.text.as_str()),
            (Found::Ok, "the gate thread runs real-time, priority 40")
        );
        let check = real_time(Some(&stat(0, 0)), Some(LIMITS));
        assert!(check.found == Found::Bad && check.fix.contains("LimitRTPRIO"), "{check:?}");
        let may = LIMITS.replace("priority     0 ", "priority     98");
        let check = real_time(Some(&stat(0, 0)), Some(&may));
        assert!(check.found == Found::Bad && check.text.contains("up to 98"), "{check:?}");
        assert_eq!(real_time(None, Some(LIMITS)).found, Found::CannotTell);
        assert_eq!(real_time(Some(&stat(0, 0)), None).found, Found::CannotTell);
        assert_eq!(real_time(Some("garbage"), None).found, Found::CannotTell);
    }

    #[test]
    fn when_memory_is_locked_expect_how_much() {
        let check = locked_memory(Some("VmLck:\t  20480 kB\n"), Some(LIMITS));
        assert_eq!((check.found, check.text.as_str()), (Found::Ok, "20 MiB"));
        let check = locked_memory(Some("VmLck:\t 0 kB\n"), Some(LIMITS));
        assert!(check.found == Found::Bad && check.text.contains("8388608"), "{check:?}");
        assert_eq!(locked_memory(None, Some(LIMITS)).found, Found::CannotTell);
        assert_eq!(locked_memory(Some(""), Some(LIMITS)).found, Found::CannotTell);
    }

    #[test]
    fn when_the_clock_is_asked_expect_its_word_and_never_a_guess() {
        assert_eq!(synchronised(Some("yes")).found, Found::Ok);
        assert_eq!(synchronised(Some("no")).found, Found::Bad);
        assert_eq!(synchronised(Some("")).found, Found::CannotTell);
        assert_eq!(synchronised(None).found, Found::CannotTell);
    }

    #[test]
    fn when_dead_nodes_left_segments_expect_how_much() {
        let of = |is_held| Segment { bytes: 512 * 1024, uid: 7, is_held };
        assert_eq!(left(&[of(true)]).found, Found::Ok);
        let check = left(&[of(false), of(true), of(false)]);
        assert!(check.found == Found::Bad && check.text == "2 segments of dead nodes, 1024 KiB");
        assert!(check.fix.contains("shm clean"), "{check:?}");
    }

    #[test]
    fn when_a_port_was_left_half_made_expect_its_name_and_how_to_remove_it() {
        assert!(half_made_ports(&[]).is_none());
        let check = half_made_ports(&[PathBuf::from("/dev/shm/fastrtps_port7001")]).unwrap();
        assert!(check.found == Found::Bad && check.text.contains("without end"), "{check:?}");
        assert!(check.fix.starts_with("rm /dev/shm/fastrtps_port7001;"), "{check:?}");
    }

    #[test]
    fn when_another_user_has_nodes_expect_that_they_hear_nothing_of_each_other() {
        let of = |uid, is_held| Segment { bytes: 1, uid, is_held };
        assert_eq!(users(&[of(7, true)], Some(7)).found, Found::Ok);
        // A dead one's are no node.
        assert_eq!(users(&[of(7, true), of(8, false)], Some(7)).found, Found::Ok);
        let check = users(&[of(7, true), of(0, true), of(8, true), of(8, true)], Some(7));
        assert!(check.found == Found::Bad && check.text.contains("uid 0, 8"), "{check:?}");
        assert!(check.fix.contains("one user") && check.fix.contains("UDPv4"), "{check:?}");
        assert_eq!(users(&[], None).found, Found::CannotTell);
    }
}
