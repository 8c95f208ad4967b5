//! HTTP: what people, Prometheus and load balancers may read. Nothing can be changed through it.
//!
//! | route | answer |
//! |---|---|
//! | `/metrics` | text format 0.0.4 |
//! | `/livez` | 200 while the gate thread makes progress, else 503, with reasons |
//! | `/readyz` | 200 when what arming needs of others is there, else 503, with reasons |
//! | `/status` | the state as JSON |
//! | `/` | the status as one small page for people |
//!
//! One thread named `http` with its own current-thread runtime, so a slow client or a long scrape
//! costs the gate nothing.
//!
//! **Invariant:** GET and HEAD only. Bounded in connections, header bytes and time: one request a
//! connection, and where there are too many the oldest goes, so slow clients cannot keep others
//! out.

mod page;
mod routes;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::gate::units::SteadyTime;
use crate::telemetry::collector::Registry;
use crate::telemetry::slots::{Slots, ThreadName};
use crate::telemetry::status::{Readiness, Status};

/// Without progress for longer, the gate thread counts as stalled: the time after which the
/// watchdog fences it.
pub const STALLED_AFTER: Duration = Duration::from_millis(500);

/// What bounds a client.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once; where there is one more, the oldest is closed.
    pub connections: usize,
    /// From the connection to the last byte of its headers.
    pub header: Duration,
    /// From the connection to the last byte of the answer.
    pub whole: Duration,
    /// Bytes of the request's line and headers.
    pub header_bytes: usize,
}

impl Default for Bounds {
    /// # Source
    /// `whole` is Prometheus's default `scrape_timeout`; the smallest buffer hyper takes is 8 KiB.
    fn default() -> Self {
        Self {
            connections: 32,
            header: Duration::from_secs(5),
            whole: Duration::from_secs(10),
            header_bytes: 16 * 1024,
        }
    }
}

/// Where the answers come from. Everything is called on thread `http`.
pub struct HttpParts {
    /// For `/metrics`.
    pub registry: Registry,
    /// For `/livez`.
    pub slots: Arc<Slots>,
    /// Reads the steady clock.
    pub steady: Box<dyn Fn() -> SteadyTime + Send + Sync>,
    /// For `/status` and `/`.
    pub status: Box<dyn Fn() -> Status + Send + Sync>,
    /// For `/readyz`.
    pub readiness: Box<dyn Fn() -> Readiness + Send + Sync>,
}

impl std::fmt::Debug for HttpParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpParts").finish_non_exhaustive()
    }
}

/// Why there is no HTTP.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, not ours, or not allowed.
    #[error(
        "http.listen: cannot listen on {address}: {source}\n  to fix:  choose a free address, or set http.enabled: false"
    )]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The system gives no thread, timer or event queue.
    #[error("cannot start thread `http`: {0}")]
    Start(std::io::Error),
}

/// The running server. Stops when dropped.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Binds and starts. With port 0 the system chooses one; see [`HttpServer::address`].
///
/// # Errors
/// [`HttpError::Bind`] before anything is started; [`HttpError::Start`].
pub fn start(
    listen: SocketAddr,
    parts: HttpParts,
    bounds: Bounds,
) -> Result<HttpServer, HttpError> {
    let bind = |source| HttpError::Bind { address: listen, source };
    let listener = TcpListener::bind(listen).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(HttpError::Start)?;
    let listener = {
        let _guard = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(HttpError::Start)?
    };
    let (stop, stopped) = watch::channel(false);
    let slots = Arc::clone(&parts.slots);
    let router = routes::router(parts);
    let thread = std::thread::Builder::new()
        .name(String::from(ThreadName::Http.label()))
        .spawn(move || {
            slots.threads.at(ThreadName::Http).enter();
            runtime.block_on(serve(listener, router, bounds, stopped));
        })
        .map_err(HttpError::Start)?;
    tracing::info!(%address, "http listens on {address}");
    Ok(HttpServer { address, stop, thread: Some(thread) })
}

impl HttpServer {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets answers under way finish for up to a second, and ends the
    /// thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // An Err is a panic of the thread, which the panic hook has already told.
            thread.join().ok();
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// For answers under way when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(1);
/// Rest after a failed accept (no descriptors left), so that it does not spin.
const ACCEPT_REST: Duration = Duration::from_millis(50);

async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let stream = tokio::select! {
            // An Err means that the server was dropped, which is a stop too.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "http: accept failed: {error}");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            },
        };
        oldest_first.retain(|task| !task.is_finished());
        while oldest_first.len() >= bounds.connections {
            if let Some(task) = oldest_first.pop_front() {
                tracing::debug!("http: too many connections, the oldest is closed");
                task.abort();
            }
        }
        oldest_first.push_back(tasks.spawn(connection(stream, router.clone(), bounds)));
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_GRACE, all).await.is_err() {
        tracing::debug!("http: connections were still open at the stop");
    }
}

async fn connection(stream: tokio::net::TcpStream, router: Router, bounds: Bounds) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(bounds.header_bytes)
        // One request a connection: the limit on the whole then bounds each request, and idle
        // clients hold nothing.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(bounds.whole, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "http: {error}"),
        Err(_) => tracing::debug!("http: a client took longer than {:?}", bounds.whole),
    }
}

#[cfg(test)]
mod tests;
