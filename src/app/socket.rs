//! The control socket's way into the node: kills to the kill switch, wishes to thread `control`, looks
//! at a snapshot.

use std::sync::Arc;

use futures::channel::oneshot;
use parking_lot::Mutex;

use crate::attribution::Attribution;
use crate::clock;
use crate::config::model::Config;
use crate::gate::cause::Cause;
use crate::gate::snapshot::Snapshot;
use crate::gate::state::State;
use crate::gate::units::Moment;
use crate::kill_switch::KillSwitch;
use crate::latch::Progress;
use crate::ros::rcl::Waker;
use crate::socket::rights::Accounts;
use crate::socket::{
    self, Behind, Bound, Bounds, SocketError, SocketParts, SocketServer, View, listener, place,
};
use crate::telemetry::events::EventSender;
use crate::telemetry::history::History;
use crate::telemetry::notes::Notes;
use crate::telemetry::report;
use crate::telemetry::slots::Slots;
use crate::telemetry::status::Status;
use crate::telemetry::texts::{NOT_PERSISTED, Texts};
use crate::telemetry::watched::WatchedLanes;
use crate::verbs::{NotTaken, Outcome, VerbQueue, Wish};

/// What the socket is given of the node.
pub(super) struct Operators {
    pub(super) config: Arc<Config>,
    pub(super) node: String,
    pub(super) notes: Arc<Notes>,
    pub(super) snapshot: triple_buffer::Output<Snapshot>,
    pub(super) latch: Option<Arc<Progress>>,
    pub(super) switch: Arc<KillSwitch>,
    pub(super) waker: Waker,
    pub(super) queue: VerbQueue,
    pub(super) attribution: Arc<Attribution>,
    pub(super) history: Arc<History>,
    pub(super) events: EventSender,
    pub(super) slots: Arc<Slots>,
}

/// Makes the socket. Before anything else is started: a second node ends here.
pub(super) fn bind(config: &Config) -> Result<Bound, SocketError> {
    let read = |name: &str| std::env::var(name).ok();
    let surroundings = place::Surroundings::read(read, own_uid());
    listener::bind(&config.control_socket, &surroundings, &accounts())
}

/// Starts the thread.
pub(super) fn start(bound: Bound, operators: Operators) -> Result<SocketServer, SocketError> {
    let at = bound.path.display().to_string();
    operators.notes.write(|notes| notes.control_socket = at);
    let parts = SocketParts {
        own_uid: own_uid(),
        group: operators.config.control_socket.group.clone(),
        accounts: Arc::new(accounts),
        watched: WatchedLanes::of_config(&operators.config),
        attribution: operators.attribution.clone(),
        history: operators.history.clone(),
        events: operators.events,
        slots: operators.slots.clone(),
        behind: Arc::new(TheNode {
            config: operators.config,
            node: operators.node,
            notes: operators.notes,
            snapshot: Mutex::new(operators.snapshot),
            latch: operators.latch,
            switch: operators.switch,
            waker: operators.waker,
            queue: operators.queue,
            attribution: operators.attribution,
            history: operators.history,
            slots: operators.slots,
        }),
    };
    socket::start(bound, parts, Bounds::default())
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A file that cannot be read names nobody.
fn accounts() -> Accounts {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    Accounts { groups: read("/etc/group"), users: read("/etc/passwd") }
}

/// The node as the socket's thread reaches it.
struct TheNode {
    config: Arc<Config>,
    node: String,
    notes: Arc<Notes>,
    /// Read by this one thread only.
    snapshot: Mutex<triple_buffer::Output<Snapshot>>,
    /// `None`: the latch is not kept on disk.
    latch: Option<Arc<Progress>>,
    switch: Arc<KillSwitch>,
    waker: Waker,
    queue: VerbQueue,
    attribution: Arc<Attribution>,
    history: Arc<History>,
    slots: Arc<Slots>,
}

impl Behind for TheNode {
    fn now(&self) -> Moment {
        clock::now()
    }

    fn kill(&self) {
        self.switch.raise(Cause::KillSocket);
        self.waker.wake();
    }

    fn view(&self) -> View {
        let mut snapshot = self.snapshot.lock();
        let snapshot = snapshot.read();
        View {
            at: snapshot.at.steady,
            is_killed: snapshot.state == State::Killed,
            seq: snapshot.seq,
            newest: snapshot.last_trip.as_ref().map(|trip| (trip.seq, trip.cause)),
        }
    }

    fn status(&self) -> Status {
        let texts = Texts {
            config: &self.config,
            node: &self.node,
            notes: &self.notes,
            attribution: &self.attribution,
        };
        let now = clock::now();
        let mut status = report::status(self.snapshot.lock().read(), texts, &self.slots, now);
        status.rejections = self.history.rejections(&self.slots, now.wall);
        status
    }

    fn latch(&self, seq: u64) -> Option<String> {
        let Some(progress) = &self.latch else { return Some(NOT_PERSISTED.to_owned()) };
        if progress.is_kill_durable(seq) {
            return Some("on disk: a restart comes up killed".to_owned());
        }
        let why = self.notes.latch();
        let is_failed = !progress.is_writable() && !why.is_empty();
        is_failed.then(|| format!("NOT on disk, so a restart may forget it: {why}"))
    }

    fn ask(&self, wish: Wish) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        self.queue.ask(wish)
    }
}
