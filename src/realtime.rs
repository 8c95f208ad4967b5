//! Real-time set-up: timer slack always; scheduling, memory and affinity where configured.
//!
//! Nothing here is needed for correctness, so a failure is told with its reason and the way out, and
//! the node runs on.

#![expect(unsafe_code, reason = "sched_setscheduler and adjtimex, which no safe crate wraps")]

mod kernel_clock;

pub use kernel_clock::wall_clock;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};

use crate::config::model::Realtime;

/// The highest priority of SCHED_FIFO on Linux.
const HIGHEST: u8 = 99;

/// Sets the calling thread up. Returns one sentence for each step that failed.
#[must_use]
pub fn set_up_thread(realtime: Option<&Realtime>) -> Vec<String> {
    let mut failed = Vec::new();
    // The default slack is 50 µs, on every deadline.
    if let Err(error) = set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        failed.push(slack_stays(&error));
    }
    let Some(realtime) = realtime else { return failed };
    if let Err(error) = fifo(realtime.priority) {
        failed.push(format!(
            "SCHED_FIFO {}: {error}; allow it with LimitRTPRIO= in the unit, or an rtprio line in \
             limits.conf",
            realtime.priority
        ));
    }
    let mut cpus = CpuSet::new();
    for cpu in &realtime.cpus {
        match usize::try_from(*cpu) {
            Ok(cpu) if cpu < CpuSet::MAX_CPU => cpus.set(cpu),
            Ok(_) | Err(_) => failed.push(format!(
                "cpu {cpu} of realtime.cpus is more than the system knows: no CPU has it; write \
                 those that `lscpu --online --extended` lists"
            )),
        }
    }
    // No CPU at all is no affinity, and for one that is not known there is a line already.
    if cpus.count() > 0
        && let Err(error) = sched_setaffinity(None, &cpus)
    {
        failed.push(format!(
            "affinity {:?}: {error}; write CPUs in realtime.cpus that are online (`lscpu --online`) \
             and allowed to the process (CPUAffinity= and AllowedCPUs= in the unit, the container's \
             --cpuset-cpus)",
            realtime.cpus
        ));
    }
    failed
}

fn slack_stays(error: &rustix::io::Errno) -> String {
    format!(
        "timer slack stays at the system's default, so that each wake-up may come 50 µs later: \
         {error}; allow prctl in SystemCallFilter= of the unit, or in the container's seccomp profile"
    )
}

/// Sets the calling thread up as one that watches the gate thread: one priority above it, or a gate
/// that never sleeps would keep it from running. On any CPU, for the same reason.
#[must_use]
pub fn set_up_watcher(realtime: Option<&Realtime>) -> Vec<String> {
    let above = realtime.map(|realtime| Realtime {
        priority: realtime.priority.saturating_add(1).min(HIGHEST),
        cpus: Vec::new(),
    });
    set_up_thread(above.as_ref())
}

/// Locks the process's memory as it is touched; all of it at once would be 220 MB.
#[must_use]
pub fn lock_memory(realtime: Option<&Realtime>) -> Option<String> {
    realtime?;
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(flags).err().map(|error| {
        format!(
            "memory is not locked: {error}; allow it with LimitMEMLOCK=infinity in the unit, or a \
             memlock line in limits.conf"
        )
    })
}

fn fifo(priority: u8) -> std::io::Result<()> {
    let parameter = libc::sched_param { sched_priority: libc::c_int::from(priority) };
    // SAFETY: `parameter` is a valid sched_param that outlives the call; 0 is the calling thread.
    let code = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameter) };
    if code == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_real_time_is_off_expect_no_complaint() {
        assert_eq!(set_up_thread(None), Vec::<String>::new());
        assert_eq!(lock_memory(None), None);
    }

    #[test]
    fn when_a_step_fails_expect_its_reason_and_the_others_done() {
        std::thread::spawn(|| {
            let realtime = Realtime { priority: 200, cpus: vec![100_000] };
            let failed = set_up_thread(Some(&realtime));
            assert!(failed.iter().any(|line| line.starts_with("SCHED_FIFO 200")), "{failed:?}");
            assert!(failed.iter().any(|line| line.contains("100000")), "{failed:?}");
            assert_eq!(failed.len(), 2, "one line a failure: {failed:?}");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn when_a_step_fails_expect_what_to_do_in_its_line() {
        std::thread::spawn(|| {
            // The last number that a set of CPUs has: no machine has that many.
            let last = u32::try_from(CpuSet::MAX_CPU - 1).unwrap();
            let too_many = Realtime { priority: 200, cpus: vec![100_000] };
            let offline = Realtime { priority: 200, cpus: vec![last] };
            let mut failed = set_up_thread(Some(&too_many));
            failed.extend(set_up_thread(Some(&offline)));
            failed.push(slack_stays(&rustix::io::Errno::PERM));
            for (start, fix) in [
                ("SCHED_FIFO 200: ", "LimitRTPRIO= in the unit"),
                ("cpu 100000 of realtime.cpus ", "`lscpu --online --extended`"),
                (&*format!("affinity [{last}]: "), "AllowedCPUs= in the unit"),
                ("timer slack ", "SystemCallFilter= of the unit"),
            ] {
                let line = failed.iter().find(|line| line.starts_with(start));
                let (_, told) = line.and_then(|line| line.split_once("; ")).expect(start);
                assert!(told.contains(fix), "{told}");
            }
        })
        .join()
        .unwrap();
    }
}
