//! Which signals end the process: all that would end it without a safe command otherwise.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// The signals that stop the robot and then end the process. A closed terminal is one (SIGHUP),
/// unless whoever started us had it ignored, as `nohup` does: then it ends nothing.
pub(super) fn that_end() -> impl Iterator<Item = i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let keeps = move |signal: &i32| *signal != SIGHUP || !is_ignored(&status, *signal);
    [SIGTERM, SIGINT, SIGQUIT, SIGHUP].into_iter().filter(keeps)
}

/// Whether a process with this `/proc` status ignores a signal. What cannot be read ignores none.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_started_by_nohup_expect_a_closed_terminal_to_end_nothing() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(is_ignored(status, SIGHUP));
        assert!(!is_ignored(status, SIGTERM) && !is_ignored(status, SIGQUIT));
        for other in ["", "SigIgn:\t0000000000001000\n", "SigIgn:\tnonsense\n"] {
            assert!(!is_ignored(other, SIGHUP), "{other}");
        }
    }
}
