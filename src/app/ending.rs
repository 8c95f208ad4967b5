//! The end of the process, once the robot is stopped: not later than [`LATEST`], whatever hangs.
//!
//! A thread of ours that does not end, a middleware that does not let go, a disk: none of them may keep
//! the socket, the state directory and the node's name from the next run.

use std::sync::Arc;
use std::time::Duration;

use crate::watchdog::{Progress, Turns};

/// From the gate thread's end to the process's. Together with the longest `shutdown_stop_s` (3 s) and the
/// longest ramp (5 s) shorter than `TimeoutStopSec` of our unit. All that is to be done then takes
/// milliseconds; a busy machine and a slow disk get the rest.
const LATEST: Duration = Duration::from_secs(3);
/// Between two looks at the gate thread.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Begun once.
#[derive(Default)]
pub(super) struct Ending {
    has_begun: bool,
}

impl Ending {
    /// The process is to end: from the gate thread's end on there is a limit. `code`: with which it ends
    /// then, as it would without.
    pub(super) fn begin(&mut self, gate: &Arc<Progress>, code: i32) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        let gate = gate.clone();
        let ending = std::thread::Builder::new().name("ending".to_owned());
        if let Err(error) = ending.spawn(move || end(&gate, code)) {
            tracing::warn!(%error, "nothing bounds the end of this process: {error}");
        }
    }
}

/// Goes with the process, or ends it.
fn end(gate: &Progress, code: i32) {
    while gate.read() != Turns::Ended {
        std::thread::sleep(LOOK_EVERY);
    }
    std::thread::sleep(LATEST);
    let after = LATEST.as_secs();
    tracing::error!(
        kind = "end_forced",
        "the robot is stopped, and a thread or the middleware has not ended {after} s later: the \
         process ends without it"
    );
    // At once: what is run at an orderly exit may be what hangs.
    signal_hook::low_level::exit(code);
}
