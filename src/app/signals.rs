//! What each signal does: none that can be caught ends or freezes the process in motion without a safe
//! command.
//!
//! Left as they are: SIGKILL and SIGSTOP, which nobody catches; faults of the program (SIGSEGV, SIGABRT
//! and their like), after which nothing of it can be relied on; SIGPIPE, which the runtime has ignored;
//! what ends nothing by itself; and SIGTTIN and SIGTTOU, because a write that is caught there is tried
//! again for ever.

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};

/// signal(7), of Linux on every machine but Alpha, MIPS, PA-RISC and SPARC.
const SIGSTKFLT: i32 = 16;
const SIGPWR: i32 = 30;
/// Without the two that the C library keeps for itself.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// A kill; the process goes on.
    Kill,
    /// Nothing but a line in the log: the write that was too long fails, and whoever writes says so.
    Nothing,
    /// The stop of a shutdown, then the end.
    End,
}

/// The signals that end nothing, from the first line of the process on. SIGTSTP is Ctrl-Z: it would
/// freeze the process in motion.
pub(super) const EARLY: [i32; 4] = [SIGUSR1, SIGUSR2, SIGTSTP, SIGXFSZ];

/// What a signal of ours does.
pub(super) fn does(signal: i32) -> Does {
    match signal {
        SIGUSR1 | SIGUSR2 | SIGTSTP => Does::Kill,
        SIGXFSZ => Does::Nothing,
        _ => Does::End,
    }
}

/// Whether somebody ends the process by it in the usual way: without it nothing starts.
pub(super) fn is_usual(signal: i32) -> bool {
    [SIGTERM, SIGINT, SIGQUIT, SIGHUP].contains(&signal)
}

/// The signals that stop the robot and then end the process. A closed terminal is one (SIGHUP),
/// unless whoever started us had it ignored, as `nohup` does: then it ends nothing. The rest is what
/// somebody sends by a wrong number, a limit of the system, or a battery behind the machine; of those a
/// tool in this process may have taken one for itself before us, as profilers do, and keeps it.
pub(super) fn that_end() -> impl Iterator<Item = i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let keeps = move |signal: &i32| match *signal {
        SIGHUP => !is_in(&status, "SigIgn:", SIGHUP),
        other => is_usual(other) || !is_in(&status, "SigCgt:", other),
    };
    let asked = [SIGTERM, SIGINT, SIGQUIT, SIGHUP];
    let others = [SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGXCPU, SIGSTKFLT];
    let all = asked.into_iter().chain(others).chain(REAL_TIME);
    all.filter(keeps)
}

/// Whether a signal is in this mask of a `/proc` status. What cannot be read has none.
fn is_in(status: &str, mask: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix(mask));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As signal(7) has them: the numbers of which nothing is to be done here.
    const LEFT: [i32; 17] = [
        4, 5, 6, 7, 8, 9, 11, 13, 17, 18, 19, 21, 22, 23, 28, 31, // and the C library's own:
        32,
    ];

    #[test]
    fn when_any_number_is_sent_expect_a_kill_an_end_or_a_reason_why_not() {
        let ends: Vec<i32> = that_end().collect();
        for number in 1..=*REAL_TIME.end() {
            let is_early = EARLY.contains(&number);
            let is_left = LEFT.contains(&number) || number == 33;
            // Under `nohup` the first one is nobody's.
            let is_ours = number == SIGHUP || ends.contains(&number);
            assert_eq!(
                [is_early, is_left, is_ours].iter().filter(|one| **one).count(),
                1,
                "signal {number}"
            );
            if !is_left {
                assert_eq!(does(number) == Does::End, !is_early, "signal {number}");
            }
        }
        assert_eq!([SIGUSR1, SIGUSR2, SIGTSTP].map(does), [Does::Kill; 3]);
        assert_eq!(does(SIGXFSZ), Does::Nothing);
    }

    #[test]
    fn when_started_by_nohup_expect_a_closed_terminal_to_end_nothing() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        let is_ignored = |status: &str, signal: i32| is_in(status, "SigIgn:", signal);
        assert!(is_ignored(status, SIGHUP));
        assert!(!is_ignored(status, SIGTERM) && !is_ignored(status, SIGQUIT));
        for other in ["", "SigIgn:\t0000000000001000\n", "SigIgn:\tnonsense\n"] {
            assert!(!is_ignored(other, SIGHUP), "{other}");
        }
        assert!(is_in("SigCgt:\t0000000004000000\n", "SigCgt:", SIGPROF), "a profiler's");
    }
}
