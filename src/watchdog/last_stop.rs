//! What a process does that cannot go on: fence, safe burst, end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use crate::clock;
use crate::gate::units::{SteadyTime, duration_nanos};
use crate::kill_switch::KillSwitch;

/// The longest a dying process waits for its own burst: a publish may hang on a lock of the
/// middleware that a stalled or panicking thread holds.
pub const BURST_LIMIT: Duration = Duration::from_millis(100);

/// Between two looks at whether the burst is out.
const STEP: Duration = Duration::from_millis(1);

/// The last stop of this process. Its burst waits on a thread of its own, started long before it is
/// needed: a process in trouble may not get a thread.
#[derive(Debug)]
pub struct LastStop {
    shared: Arc<Shared>,
    helper: Thread,
    watchdog: OnceLock<Thread>,
}

#[derive(Debug)]
struct Shared {
    switch: Arc<KillSwitch>,
    /// Steady time of the first firing; 0: not fired.
    fired: AtomicU64,
    /// How long the gate had stood; 0: it is not about the gate.
    stalled: AtomicU64,
    /// The burst is out, and told.
    done: AtomicBool,
}

impl LastStop {
    /// Starts thread `burst`, which waits. `set_up` runs on it first, for its scheduling.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(
        switch: Arc<KillSwitch>,
        set_up: impl FnOnce() + Send + 'static,
        mut burst: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Arc<Self>> {
        let shared = Arc::new(Shared {
            switch,
            fired: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            done: AtomicBool::new(false),
        });
        let of_helper = shared.clone();
        let helper = std::thread::Builder::new().name("burst".to_owned()).spawn(move || {
            set_up();
            while !of_helper.is_fired() {
                std::thread::park();
            }
            burst();
            of_helper.tell();
            of_helper.done.store(true, Ordering::Release);
        })?;
        let helper = helper.thread().clone();
        Ok(Arc::new(Self { shared, helper, watchdog: OnceLock::new() }))
    }

    /// Raises the fence and lets the burst out. Waits for nothing; again: nothing more.
    pub fn fire(&self) {
        self.shared.switch.fence();
        let now = clock::steady().as_nanos().max(1);
        // Only the first counts. Release: the fence and `stalled` come before.
        self.shared.fired.compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed).ok();
        self.helper.unpark();
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.unpark();
        }
    }

    /// The same, because the gate thread has made no progress for so long.
    pub(super) fn fire_for_stall(&self, stood: Duration) {
        self.shared.stalled.store(duration_nanos(stood), Ordering::Relaxed);
        self.fire();
    }

    /// Whether it has been fired.
    #[must_use]
    pub fn is_fired(&self) -> bool {
        self.shared.is_fired()
    }

    /// The thread that ends the process when whoever fired cannot.
    pub(super) fn watched_by(&self, watchdog: Thread) {
        self.watchdog.set(watchdog).ok();
    }

    /// Ends the process by SIGABRT: when the burst is out, at the latest [`BURST_LIMIT`] after the
    /// firing.
    pub fn abort_when_done(&self) -> ! {
        let fired = SteadyTime::from_nanos(self.shared.fired.load(Ordering::Acquire));
        while !self.shared.done.load(Ordering::Acquire)
            && clock::steady().since(fired) < BURST_LIMIT
        {
            std::thread::sleep(STEP);
        }
        std::process::abort();
    }

    /// From now on a panic on any thread fires, and ends the process. For programs, never for a
    /// library: `main` installs it.
    pub fn on_panic(self: &Arc<Self>) {
        let stop = self.clone();
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            stop.fire();
            // May hang, on whoever reads standard error: the watchdog does not wait for it.
            told(panic);
            stop.abort_when_done();
        }));
    }
}

impl Shared {
    /// Acquire: pairs with the Release in [`LastStop::fire`].
    fn is_fired(&self) -> bool {
        self.fired.load(Ordering::Acquire) != 0
    }

    /// After the burst, and on its thread: whoever reads the log may have stopped reading.
    fn tell(&self) {
        let stalled = self.stalled.load(Ordering::Relaxed);
        if stalled != 0 {
            let stood = Duration::from_nanos(stalled).as_secs_f64();
            tracing::error!(
                stood_s = stood,
                "the gate thread made no progress for {stood:.2} s: fenced, safe commands sent, \
                 the process ends"
            );
        }
    }
}
