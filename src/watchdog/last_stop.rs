//! What a process does that cannot go on: fence, safe burst, end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use crate::clock;
use crate::gate::units::{SteadyTime, duration_nanos};
use crate::kill_switch::KillSwitch;

/// The longest a dying process waits for its own burst and its last words: a publish may hang on a
/// lock of the middleware that a stalled or panicking thread holds.
pub const BURST_LIMIT: Duration = Duration::from_millis(100);

/// The least frames of a burst: one may be lost, a controller may sample.
const FRAMES: u32 = 10;
/// Time between two frames.
const BETWEEN: Duration = Duration::from_millis(5);
/// The burst waits for the last words no longer than this, so that it ends behind its own last frame
/// before whoever watches ends it wherever it is.
const WORDS_LIMIT: Duration = Duration::from_millis(80);
/// The last words wait for the first frame no longer than this, to say whether it went out.
const FRAME_LIMIT: Duration = Duration::from_millis(40);

/// The last stop of this process. Its burst and its last words wait on threads of their own, started
/// long before they are needed: a process in trouble may not get a thread.
#[derive(Debug)]
pub struct LastStop {
    shared: Arc<Shared>,
    helpers: [Thread; 2],
    watchdog: OnceLock<Thread>,
}

#[derive(Debug)]
struct Shared {
    switch: Arc<KillSwitch>,
    /// Steady time of the first firing; 0: not fired.
    fired: AtomicU64,
    /// How long the gate had stood; 0: it is not about the gate.
    stalled: AtomicU64,
    /// The middleware has taken a frame.
    out: AtomicBool,
    /// What there is to say has been said.
    told: AtomicBool,
}

impl LastStop {
    /// Starts threads `burst` and `last_words`, which wait. `set_up` runs on `burst` first, for its
    /// scheduling; `frame` sends one frame.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(
        switch: Arc<KillSwitch>,
        set_up: impl FnOnce() + Send + 'static,
        frame: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Arc<Self>> {
        let shared = Arc::new(Shared {
            switch,
            fired: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            out: AtomicBool::new(false),
            told: AtomicBool::new(false),
        });
        let (of_burst, of_words) = (shared.clone(), shared.clone());
        let burst = std::thread::Builder::new().name("burst".to_owned()).spawn(move || {
            set_up();
            of_burst.wait();
            of_burst.burst(frame);
        })?;
        let words = std::thread::Builder::new().name("last_words".to_owned()).spawn(move || {
            of_words.wait();
            of_words.tell();
        })?;
        let helpers = [burst.thread().clone(), words.thread().clone()];
        Ok(Arc::new(Self { shared, helpers, watchdog: OnceLock::new() }))
    }

    /// Raises the fence and lets the burst out. Waits for nothing; again: nothing more.
    pub fn fire(&self) {
        self.shared.switch.fence();
        let now = clock::steady().as_nanos().max(1);
        // Only the first counts. Release: the fence and `stalled` come before.
        self.shared.fired.compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed).ok();
        self.helpers.iter().for_each(Thread::unpark);
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

    /// Ends the process by SIGABRT [`BURST_LIMIT`] after the firing, where the burst has not ended it
    /// before.
    pub fn abort_at_the_limit(&self) -> ! {
        loop {
            let left = BURST_LIMIT.saturating_sub(self.shared.since_fired());
            if left.is_zero() {
                std::process::abort();
            }
            std::thread::sleep(left);
        }
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
            stop.shared.has_told();
            stop.abort_at_the_limit();
        }));
    }
}

impl Shared {
    /// Acquire: pairs with the Release in [`LastStop::fire`].
    fn is_fired(&self) -> bool {
        self.fired.load(Ordering::Acquire) != 0
    }

    fn wait(&self) {
        while !self.is_fired() {
            std::thread::park();
        }
    }

    fn since_fired(&self) -> Duration {
        clock::steady().since(SteadyTime::from_nanos(self.fired.load(Ordering::Acquire)))
    }

    /// Sends frames until there are enough and all is told, or the time is up, and ends the process
    /// by SIGABRT. Directly after a frame: a publish of the gate's that slipped through the fence has
    /// a frame after it.
    fn burst(&self, mut frame: impl FnMut()) -> ! {
        let mut sent = 0_u32;
        loop {
            frame();
            // Only the flag itself matters.
            self.out.store(true, Ordering::Relaxed);
            sent = sent.saturating_add(1);
            // Acquire: pairs with `has_told`; only the flag itself matters.
            let is_told = self.told.load(Ordering::Acquire);
            let is_over = self.since_fired() >= WORDS_LIMIT;
            if sent >= FRAMES && (is_told || is_over) {
                std::process::abort();
            }
            std::thread::sleep(BETWEEN);
        }
    }

    /// On a thread of its own: whoever reads the log may have stopped reading. A panic is told by its
    /// hook.
    fn tell(&self) {
        let stalled = self.stalled.load(Ordering::Relaxed);
        if stalled != 0 {
            let stood = Duration::from_nanos(stalled).as_secs_f64();
            let stop = if self.goes_out() {
                "safe commands go out"
            } else {
                "NO safe command gets through the middleware"
            };
            tracing::error!(
                stood_s = stood,
                "the gate thread made no progress for {stood:.2} s: fenced, {stop}, the process ends"
            );
            self.has_told();
        }
    }

    /// Whether the middleware takes frames; waits for the first of them.
    fn goes_out(&self) -> bool {
        while !self.out.load(Ordering::Relaxed) && self.since_fired() < FRAME_LIMIT {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.out.load(Ordering::Relaxed)
    }

    fn has_told(&self) {
        self.told.store(true, Ordering::Release);
    }
}
