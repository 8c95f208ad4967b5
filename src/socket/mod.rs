//! The control socket: stop, look, reset, arm and choose a source on the robot itself, without ROS.
//!
//! One line of JSON in, one line out ([`protocol`]); docs/control-socket.md is its reference. One
//! thread named `socket` with its own current-thread runtime, so a slow client costs the gate nothing.
//!
//! Whoever can open the socket may kill, disarm and look. What lets motion begin is for root, the
//! node's own user and the operators' group ([`rights`]), and every attempt is an event.
//!
//! **Invariant:** a kill goes straight to the kill switch: nothing is asked, looked up, queued or
//! counted before it, and no request before it on its connection holds it up. It works when as many
//! clients are connected as may be.
//! **Invariant:** bounded in clients, line length and every wait; over a bound comes an error line and
//! the end of the connection.

mod client;
mod inbox;
pub mod listener;
pub mod place;
pub mod protocol;
pub mod rights;
mod service;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::channel::oneshot;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use self::listener::{Bound, SocketError};
use self::service::Service;
use crate::attribution::Attribution;
use crate::gate::cause::Cause;
use crate::gate::units::{Moment, SteadyTime};
use crate::telemetry::events::EventSender;
use crate::telemetry::history::History;
use crate::telemetry::slots::{Slots, ThreadName};
use crate::telemetry::status::Status;
use crate::telemetry::watched::WatchedLanes;
use crate::verbs::{NotTaken, Outcome, Wish};

/// What bounds clients.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once that are served in full.
    pub clients: usize,
    /// Connections beyond, which may only kill.
    pub reserve: usize,
    /// For one line, from its first byte to its end.
    pub line: Duration,
    /// Without a request.
    pub idle: Duration,
    /// In reserve, from the connection to the end of the line.
    pub reserve_line: Duration,
    /// Until the snapshot shows a kill.
    pub kill: Duration,
    /// After that, for the kill's record to be on disk.
    pub latch: Duration,
    /// For the answer of another thread.
    pub answer: Duration,
    /// For a client to take its answer.
    pub write: Duration,
    /// Before an attempt over the limit is answered, so that a flood of them fills no log.
    pub penalty: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            clients: 16,
            reserve: 64,
            line: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            reserve_line: Duration::from_millis(200),
            kill: Duration::from_secs(1),
            latch: Duration::from_millis(200),
            answer: Duration::from_secs(5),
            write: Duration::from_secs(2),
            penalty: Duration::from_secs(1),
        }
    }
}

/// What a kill is waited for in: a look at the gate's newest snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// When the snapshot was made.
    pub at: SteadyTime,
    /// Latched.
    pub is_killed: bool,
    /// In force.
    pub seq: u64,
    /// The newest trip: its `seq` and cause.
    pub newest: Option<(u64, Cause)>,
}

/// The node behind the socket. Everything is called on thread `socket`.
pub trait Behind: Send + Sync + 'static {
    /// Reads the clocks.
    fn now(&self) -> Moment;
    /// Raises a kill and wakes the gate thread: wait-free.
    fn kill(&self);
    /// The newest snapshot in short.
    fn view(&self) -> View;
    /// The newest snapshot in words.
    fn status(&self) -> Status;
    /// Whether the kill of this `seq` is on disk, in words; `None`: to be waited for.
    fn latch(&self, seq: u64) -> Option<String>;
    /// Leaves a wish for thread `control`.
    ///
    /// # Errors
    /// [`NotTaken`].
    fn ask(&self, wish: Wish) -> Result<oneshot::Receiver<Outcome>, NotTaken>;
}

/// What the thread needs.
pub struct SocketParts {
    /// The node.
    pub behind: Arc<dyn Behind>,
    /// Its effective user.
    pub own_uid: u32,
    /// The operators' group.
    pub group: String,
    /// The system's accounts, read anew for each wish: an operator may have been added meanwhile.
    pub accounts: Arc<dyn Fn() -> rights::Accounts + Send + Sync>,
    /// The lanes that no kill reaches.
    pub watched: WatchedLanes,
    /// Who asked for what.
    pub attribution: Arc<Attribution>,
    /// For `history`.
    pub history: Arc<History>,
    /// The log.
    pub events: EventSender,
    /// Telemetry.
    pub slots: Arc<Slots>,
}

impl std::fmt::Debug for SocketParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketParts").finish_non_exhaustive()
    }
}

/// The running server. Stops when dropped.
#[derive(Debug)]
pub struct SocketServer {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread on a socket that has been made.
///
/// # Errors
/// [`SocketError::Start`].
pub fn start(
    bound: Bound,
    parts: SocketParts,
    bounds: Bounds,
) -> Result<SocketServer, SocketError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // For reading the accounts; a disk that hangs must not hold up a kill.
        .max_blocking_threads(2)
        .build()
        .map_err(SocketError::Start)?;
    let listener = {
        let _guard = runtime.enter();
        let listener = bound.listener.try_clone().map_err(SocketError::Start)?;
        UnixListener::from_std(listener).map_err(SocketError::Start)?
    };
    let path = bound.path.display().to_string();
    match &bound.without_group {
        None => tracing::info!(path, group = parts.group, "control socket {path}"),
        Some(why) => tracing::warn!(path, "control socket {path}: {why}"),
    }
    let (stop, stopped) = watch::channel(false);
    let slots = parts.slots.clone();
    let thread = std::thread::Builder::new()
        .name(String::from(ThreadName::Socket.label()))
        .spawn(move || {
            slots.threads.at(ThreadName::Socket).enter();
            runtime.block_on(serve(listener, Arc::new(Service::new(parts, bounds)), stopped));
            // A look at the accounts that hangs must not hold up the end.
            runtime.shutdown_background();
            drop(bound);
        })
        .map_err(SocketError::Start)?;
    Ok(SocketServer { stop, thread: Some(thread) })
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

/// For answers under way when the server stops.
const STOP_GRACE: Duration = Duration::from_millis(200);
/// Rest after a failed accept (no descriptors left), so that it does not spin.
const ACCEPT_REST: Duration = Duration::from_millis(50);

async fn serve(listener: UnixListener, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    let full = Arc::new(Semaphore::new(service.bounds.clients));
    let reserve = Arc::new(Semaphore::new(service.bounds.reserve));
    loop {
        let stream = tokio::select! {
            // An Err means that the server was dropped, which is a stop too.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "socket: accept failed: {error}");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            },
        };
        let service = service.clone();
        if let Ok(place) = full.clone().try_acquire_owned() {
            tasks.spawn(async move {
                client::serve(stream, &service).await;
                drop(place);
            });
            continue;
        }
        // Those that find no place in reserve either wait in the kernel's queue for the next one.
        let place = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            place = reserve.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        tasks.spawn(async move {
            client::serve_kill_only(stream, &service).await;
            drop(place);
        });
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_GRACE, all).await.is_err() {
        tracing::debug!("socket: clients were still connected at the stop");
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
