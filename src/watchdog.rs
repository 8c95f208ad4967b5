//! The gate thread's progress, watched by another thread; and the last stop of a process that cannot
//! go on.
//!
//! ```text
//! gate thread ── a step each turn ──► Progress ──► Judge (every 50 ms) ── stalled ──► LastStop
//! panic on any thread ── hook ────────────────────────────────────────────────────►  fence, burst, abort
//! ```
//!
//! A gate that stands still sends nothing: no command, no safe command, no permit. A controller keeps
//! the last command it got, so somebody else must put the safe command out, and the process must end
//! so that its supervisor starts a new one, which comes up killed.
//!
//! **Invariant:** the fence is up before the first frame of the burst. Of the gate's, nothing comes
//! after that frame but permits that say no, and at most the one publish that had looked at the fence
//! before: frames follow it.
//! **Invariant:** where no publish hangs, the process ends directly after a frame: nothing is waited for
//! or told in between.
//! **Invariant:** once fired, the process ends within [`BURST_LIMIT`], whether the burst, the
//! middleware or the log hangs: the watching thread waits for none of them longer.
//! **Invariant:** nothing but a steady clock and two atomics decides; no lock is taken.

mod judge;
mod last_stop;
mod progress;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use judge::{Finding, Judge, LATE, STALLED_AFTER};
pub use last_stop::{BURST_LIMIT, LastStop};
pub use progress::{Progress, Turns};

use crate::clock;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Starts thread `watchdog`. `set_up` runs on it first, for its scheduling. It ends when the gate
/// thread has ended as it should.
///
/// # Errors
/// The system's, when there is no thread to be had.
pub fn watch(
    progress: Arc<Progress>,
    stop: Arc<LastStop>,
    set_up: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        set_up();
        stop.watched_by(std::thread::current());
        let mut judge = Judge::new(clock::steady());
        loop {
            if stop.is_fired() {
                // A panic somewhere: its own thread may hang while it tells.
                stop.abort_at_the_limit();
            }
            match judge.look(progress.read(), clock::steady()) {
                Finding::Ended => return,
                Finding::Stalled(for_) => {
                    stop.fire_for_stall(for_);
                    stop.abort_at_the_limit();
                }
                Finding::NotBegun | Finding::Moves | Finding::Waits => {
                    std::thread::park_timeout(LOOK_EVERY);
                }
            }
        }
    })
}
