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
        failed.push(format!("timer slack stays at the system's default: {error}"));
    }
    let Some(realtime) = realtime else { return failed };
    if let Err(error) = fifo(realtime.priority) {
        failed.push(format!(
            "SCHED_FIFO {}: {error}; allow it with LimitRTPRIO= in the unit, or an rtprio line in \
             limits.conf",
            realtime.priority
        ));
    }
    if !realtime.cpus.is_empty() {
        let mut cpus = CpuSet::new();
        for cpu in &realtime.cpus {
            match usize::try_from(*cpu) {
                Ok(cpu) if cpu < CpuSet::MAX_CPU => cpus.set(cpu),
                Ok(_) | Err(_) => failed.push(format!("cpu {cpu} is more than the system knows")),
            }
        }
        if let Err(error) = sched_setaffinity(None, &cpus) {
            failed.push(format!("affinity {:?}: {error}; are these CPUs online?", realtime.cpus));
        }
    }
    failed
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
        })
        .join()
        .unwrap();
    }
}
