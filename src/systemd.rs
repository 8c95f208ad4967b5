//! What the service manager is told: READY, WATCHDOG, STATUS, STOPPING.
//!
//! A thread of its own, `notify`, because sending may wait for the service manager. It starts only
//! where `NOTIFY_SOCKET` is set. READY comes with the gate thread's first turn: endpoints exist and
//! threads run then.
//!
//! **Invariant:** WATCHDOG is told only when the gate thread has made progress since it was last told,
//! and never once the fence is up. A gate that stands still is a service that is dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::kill_switch::KillSwitch;
use crate::watchdog::{Progress, Turns};

/// Between two looks until the gate has begun.
const SOON: Duration = Duration::from_millis(20);
/// The longest between two looks: how old STATUS may be.
const LONGEST: Duration = Duration::from_secs(1);

/// What the thread looks at.
pub struct Watched {
    /// Of the gate thread.
    pub progress: Arc<Progress>,
    /// Fence and shutdown.
    pub switch: Arc<KillSwitch>,
    /// One line for people.
    pub status: Box<dyn FnMut() -> String + Send>,
}

/// Thread `notify`. Ends when dropped.
pub struct ServiceManager {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ServiceManager {
    /// Starts the thread; `None` where no service manager listens.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(watched: Watched) -> std::io::Result<Option<Self>> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(None);
        }
        let ends = Arc::new(AtomicBool::new(false));
        let of_thread = ends.clone();
        let thread = std::thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || Teller::new(watched).run(&of_thread))?;
        Ok(Some(Self { ends, thread: Some(thread) }))
    }

    /// Lets the thread look at once: after the shutdown has begun.
    pub fn look(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        // Release pairs with the Acquire in the loop; the unpark makes it look.
        self.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An Err is a panic, and the process has ended by it.
            thread.join().ok();
        }
    }
}

/// What has been told so far.
struct Teller {
    watched: Watched,
    every: Duration,
    is_ready: bool,
    is_stopping: bool,
    turns: Turns,
    status: String,
    is_deaf: bool,
}

impl Teller {
    fn new(watched: Watched) -> Self {
        // A third: two may be late, or lost to a full queue.
        let third = sd_notify::watchdog_enabled().map(|limit| limit.checked_div(3).unwrap_or(SOON));
        Self {
            watched,
            every: third.map_or(LONGEST, |third| third.min(LONGEST)),
            is_ready: false,
            is_stopping: false,
            turns: Turns::NotBegun,
            status: String::new(),
            is_deaf: false,
        }
    }

    fn run(&mut self, ends: &AtomicBool) {
        loop {
            self.look();
            if ends.load(Ordering::Acquire) {
                return;
            }
            std::thread::park_timeout(if self.is_ready { self.every } else { SOON });
        }
    }

    fn look(&mut self) {
        let turns = self.watched.progress.read();
        if turns != self.turns && !self.watched.switch.is_fenced() {
            if !self.is_ready {
                self.is_ready = true;
                self.tell(&[NotifyState::Ready]);
            }
            self.turns = turns;
            self.tell(&[NotifyState::Watchdog]);
        }
        if self.is_ready {
            let status = (self.watched.status)();
            if status != self.status {
                self.tell(&[NotifyState::Status(&status)]);
                self.status = status;
            }
        }
        if self.watched.switch.is_shutting_down() && !self.is_stopping {
            self.is_stopping = true;
            self.tell(&[NotifyState::Stopping]);
        }
    }

    fn tell(&mut self, what: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(what)
            && !self.is_deaf
        {
            // Once: the service manager will act on the silence by itself.
            self.is_deaf = true;
            tracing::warn!(%error, "the service manager cannot be told anything: {error}");
        }
    }
}
