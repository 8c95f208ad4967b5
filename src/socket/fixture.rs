//! A node behind a real socket, for tests of the socket and of the tool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use futures::channel::oneshot;
use parking_lot::Mutex;

use super::place::Surroundings;
use super::rights::Accounts;
use super::{Behind, Bound, Bounds, SocketParts, SocketServer, View, listener, start};
use crate::attribution::Attribution;
use crate::config::model::ControlSocket;
use crate::gate::cause::Cause;
use crate::gate::units::Moment;
use crate::telemetry::events::EventLog;
use crate::telemetry::fixture;
use crate::telemetry::history::History;
use crate::telemetry::status::{SelfTestPart, Status};
use crate::telemetry::watched::WatchedLanes;
use crate::verbs::{Ask, NotTaken, Outcome, Wish};

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("interlock-s-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A node that does what it is asked, with the rules of the real one about `seq`.
#[derive(Default)]
pub(crate) struct FakeNode {
    /// The gate thread does not look any more.
    pub(crate) is_stuck: AtomicBool,
    /// The latch file is not written in time.
    pub(crate) is_disk_slow: AtomicBool,
    /// Thread `control` takes wishes and never answers.
    pub(crate) is_mute: AtomicBool,
    /// Kills raised.
    pub(crate) kills: AtomicU64,
    pub(crate) status: Mutex<Status>,
    pub(crate) wishes: Mutex<Vec<Wish>>,
    /// As many wishes wait as may.
    pub(crate) is_busy: AtomicBool,
    /// What a self test finds.
    pub(crate) self_test: Mutex<Vec<SelfTestPart>>,
    /// Where the outcomes that a mute thread owes would go.
    pub(crate) kept: Mutex<Vec<oneshot::Sender<Outcome>>>,
}

impl FakeNode {
    pub(crate) fn in_state(state: &str, seq: u64) -> Arc<Self> {
        let status = Status { state: state.to_owned(), seq, ..Status::default() };
        Arc::new(Self { status: Mutex::new(status), ..Self::default() })
    }

    fn move_to(status: &mut Status, state: &str) -> (bool, String) {
        state.clone_into(&mut status.state);
        status.seq += 1;
        (true, format!("{state}, seq {}", status.seq))
    }
}

impl Behind for FakeNode {
    fn now(&self) -> Moment {
        crate::clock::now()
    }

    fn kill(&self) {
        self.kills.fetch_add(1, Ordering::SeqCst);
        let mut status = self.status.lock();
        if !self.is_stuck.load(Ordering::SeqCst) && status.state != "killed" {
            Self::move_to(&mut status, "killed");
        }
    }

    fn view(&self) -> View {
        let status = self.status.lock();
        let is_killed = status.state == "killed";
        let newest = is_killed.then_some((status.seq, Cause::KillSocket));
        View { at: crate::clock::steady(), is_killed, seq: status.seq, newest }
    }

    fn status(&self) -> Status {
        self.status.lock().clone()
    }

    fn latch(&self, _seq: u64) -> Option<String> {
        (!self.is_disk_slow.load(Ordering::SeqCst)).then(|| "on disk".to_owned())
    }

    fn ask(&self, wish: Wish) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        if self.is_busy.load(Ordering::SeqCst) {
            return Err(NotTaken::Busy);
        }
        let (answer, outcome) = oneshot::channel();
        self.wishes.lock().push(wish.clone());
        if self.is_mute.load(Ordering::SeqCst) {
            self.kept.lock().push(answer);
            return Ok(outcome);
        }
        let mut status = self.status.lock();
        let mut self_test = Vec::new();
        let (done, message) = match (&wish.ask, status.state.as_str()) {
            (Ask::Reset { seq } | Ask::Arm { seq, .. }, _) if *seq != status.seq => {
                (false, format!("refused: seq is {} now, not the one you named", status.seq))
            }
            (Ask::Reset { .. }, "killed") => Self::move_to(&mut status, "disarmed"),
            (Ask::Arm { .. }, "disarmed") => Self::move_to(&mut status, "active"),
            (Ask::Disarm, "active") => Self::move_to(&mut status, "disarmed"),
            (Ask::SelfTest, "disarmed") => {
                self_test.clone_from(&self.self_test.lock());
                status.seq += 2;
                let done = self_test.iter().all(|part| part.passed);
                let result = if done { "passed" } else { "FAILED" };
                (done, format!("disarmed, seq {}: self test {result}. The parts", status.seq))
            }
            (Ask::SelectSource { source, .. }, _) => (true, format!("{source} is in charge")),
            (_, state) => (false, format!("refused: it is {state}")),
        };
        let (state, seq) = (status.state.clone(), status.seq);
        let outcome_is = Outcome { done, message, state, seq, self_test, ..Outcome::default() };
        answer.send(outcome_is).expect("somebody waits");
        Ok(outcome)
    }
}

/// A socket with its node.
pub(crate) struct Rig {
    pub(crate) node: Arc<FakeNode>,
    pub(crate) attribution: Arc<Attribution>,
    pub(crate) history: Arc<History>,
    pub(crate) path: PathBuf,
    pub(crate) server: Option<SocketServer>,
    _log: EventLog,
    _folder: Folder,
}

impl Rig {
    /// This process's user may release.
    pub(crate) fn new(node: Arc<FakeNode>) -> Self {
        Self::with(node, Bounds::default(), rustix::process::geteuid().as_raw())
    }

    /// `own_uid`: whom the node takes for its own user.
    pub(crate) fn with(node: Arc<FakeNode>, bounds: Bounds, own_uid: u32) -> Self {
        let folder = Folder::new();
        let file = folder.path().join("control.sock");
        let config = ControlSocket {
            path: Some(file.to_str().expect("a plain path").to_owned()),
            group: "interlock".to_owned(),
        };
        let bound: Bound =
            listener::bind(&config, &Surroundings::default(), &Accounts::default()).expect("bound");
        let path = bound.path.clone();
        let (slots, history, attribution) =
            (fixture::slots(), Arc::<History>::default(), Arc::<Attribution>::default());
        let (events, log) =
            EventLog::start(slots.clone(), history.clone(), crate::clock::steady).expect("a log");
        let parts = SocketParts {
            behind: node.clone(),
            own_uid,
            group: "interlock".to_owned(),
            accounts: Arc::new(Accounts::default),
            watched: WatchedLanes::of_status(&node.status.lock()),
            attribution: attribution.clone(),
            history: history.clone(),
            events,
            slots,
        };
        let server = Some(start(bound, parts, bounds).expect("a server"));
        Self { node, attribution, history, path, server, _log: log, _folder: folder }
    }
}
