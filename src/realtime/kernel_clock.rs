//! Whether somebody keeps the wall clock: adjtimex, which every time service (chrony, ntpd,
//! systemd-timesyncd, ptp4l with phc2sys) tells what it knows.

use std::time::Duration;

use crate::clock::WallClock;

/// Asks the kernel, changing nothing.
///
/// # Errors
/// The system's, for example where a container may not ask.
pub fn wall_clock() -> std::io::Result<WallClock> {
    // SAFETY: timex is plain data of integers, for which all bits zero is a valid value; `modes: 0`
    // among them asks and sets nothing.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `timex` is a valid timex that outlives the call, and nobody else has it.
    let code = unsafe { libc::adjtimex(&raw mut timex) };
    if code < 0 {
        return Err(std::io::Error::last_os_error());
    }
    let micros = u64::try_from(timex.maxerror).unwrap_or(u64::MAX);
    Ok(WallClock {
        synchronized: timex.status & libc::STA_UNSYNC == 0,
        max_error: Duration::from_micros(micros),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_kernel_is_asked_expect_what_python_hears_and_nothing_changed() {
        // A container without the right says so, which is an answer too.
        let Ok(clock) = wall_clock() else {
            println!("skipped: adjtimex is not permitted here");
            return;
        };
        // Another way to the same call: libc's ntp_adjtime through Python's ctypes, status at its
        // place in `struct timex` (modes, offset, freq, maxerror, esterror, status).
        let script = "import ctypes\n\
            class T(ctypes.Structure):\n\
            \x20   _fields_ = [('modes', ctypes.c_uint), ('offset', ctypes.c_long), ('freq', ctypes.c_long),\n\
            \x20       ('maxerror', ctypes.c_long), ('esterror', ctypes.c_long), ('status', ctypes.c_int),\n\
            \x20       ('rest', ctypes.c_char * 512)]\n\
            t = T()\n\
            assert ctypes.CDLL(None).ntp_adjtime(ctypes.byref(t)) >= 0\n\
            print(t.status & 64, t.maxerror)";
        let Ok(said) = std::process::Command::new("python3").args(["-c", script]).output() else {
            println!("skipped: no python3");
            return;
        };
        let said = String::from_utf8(said.stdout).unwrap();
        let (unsynchronized, max_error) = said.trim().split_once(' ').unwrap();
        assert_eq!(clock.synchronized, unsynchronized == "0");
        let max_error: u64 = max_error.parse().unwrap();
        // It grows by 500 ppm between the two; a correction in between may only make it less.
        let later = wall_clock().unwrap();
        assert_eq!(later.synchronized, clock.synchronized);
        let ours = u64::try_from(clock.max_error.as_micros()).unwrap();
        assert!(max_error <= ours + 10_000_000, "{max_error} {ours}");
    }
}
