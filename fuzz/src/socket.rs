//! Any bytes from a client of the control socket, through the real server on a real socket.
//!
//! - Every line gets one line of JSON, in order, with the request's `id` where it is one; over a bound
//!   comes an error and the end.
//! - Every line that means a kill kills, and no other does.
//! - The server goes on: the next input talks to the same one.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::channel::oneshot;
use interlock::attribution::Attribution;
use interlock::config::model::ControlSocket;
use interlock::gate::cause::Cause;
use interlock::gate::units::{Moment, SteadyTime};
use interlock::socket::place::Surroundings;
use interlock::socket::protocol::{self, Answer, ErrorCode, LINE_BYTES, Verb, parse};
use interlock::socket::rights::Accounts;
use interlock::socket::{Behind, Bounds, SocketParts, SocketServer, View, listener, start};
use interlock::telemetry::events::EventLog;
use interlock::telemetry::history::History;
use interlock::telemetry::slots::{BuildInfo, Slots};
use interlock::telemetry::status::Status;
use interlock::telemetry::watched::WatchedLanes;
use interlock::verbs::{NotTaken, Outcome, Wish};
use serde_json::Value;

use super::params::config;

const PARAMS: &str = "interlock: {ros__parameters: {schema: 1, lanes: {base: {type: geometry_msgs/msg/Twist, \
    output: cmd_vel, feedback: none, because: a test, limits: {linear: {x: {max_velocity: 0.5, \
    max_acceleration: 1.0}}}, safe: {command: zero_velocity}, sources: {agent: {topic: agent, \
    priority: 10, timeout_s: 0.5, max_rate_hz: 50.0}}}}}}\n";
/// Longer than two lines that are too long.
const MAX_BYTES: usize = 3 * LINE_BYTES;

/// A gate that kills at once and refuses everything else. Its clock leaps, so that nobody has tried
/// too often.
#[derive(Default)]
struct Node {
    kills: AtomicU64,
    now: AtomicU64,
}

impl Behind for Node {
    fn now(&self) -> Moment {
        let nanos = self.now.fetch_add(3_600_000_000_000, Ordering::SeqCst);
        Moment { steady: SteadyTime::from_nanos(nanos), ..Moment::default() }
    }

    fn kill(&self) {
        self.kills.fetch_add(1, Ordering::SeqCst);
    }

    fn view(&self) -> View {
        let seq = self.kills.load(Ordering::SeqCst);
        let newest = (seq > 0).then_some((seq, Cause::KillSocket));
        View { at: self.now().steady, is_killed: seq > 0, seq, newest }
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn latch(&self, _seq: u64) -> Option<String> {
        Some("on disk".to_owned())
    }

    fn ask(&self, _wish: Wish) -> Result<oneshot::Receiver<Outcome>, NotTaken> {
        let (answer, outcome) = oneshot::channel();
        let message = "refused: it is a test".to_owned();
        answer.send(Outcome { message, ..Outcome::default() }).expect("somebody waits");
        Ok(outcome)
    }
}

struct Rig {
    node: Arc<Node>,
    path: PathBuf,
    _server: SocketServer,
    _log: EventLog,
}

fn rig() -> &'static Rig {
    static RIG: OnceLock<Rig> = OnceLock::new();
    RIG.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("interlock-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = Some(folder.join("control.sock").to_str().expect("plain").to_owned());
        let socket = ControlSocket { path, group: "interlock".to_owned() };
        let bound = listener::bind(&socket, &Surroundings::default(), &Accounts::default());
        let bound = bound.expect("bound");
        let path = bound.path.clone();
        let text = |text: &str| text.to_owned();
        let build = BuildInfo {
            version: text("0"),
            commit: text("unknown"),
            rustc: text("unknown"),
            ros_distro: text("none"),
            rmw: text("none"),
        };
        let config = config(PARAMS).unwrap_or_else(|problems| panic!("{problems}"));
        let slots = Slots::new(&config, build, Arc::default());
        let history = Arc::<History>::default();
        let log = EventLog::start(Arc::clone(&slots), Arc::clone(&history), SteadyTime::default);
        let (events, log) = log.expect("a log");
        let node = Arc::<Node>::default();
        let parts = SocketParts {
            behind: Arc::<Node>::clone(&node),
            // Whoever runs this may release.
            own_uid: std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&folder).expect("it")),
            group: "interlock".to_owned(),
            accounts: Arc::new(Accounts::default),
            watched: WatchedLanes::of_config(&config),
            attribution: Arc::<Attribution>::default(),
            history,
            events,
            slots,
        };
        let bounds = Bounds { penalty: Duration::ZERO, ..Bounds::default() };
        let server = start(bound, parts, bounds).expect("a server");
        Rig { node, path, _server: server, _log: log }
    })
}

/// What a line should get.
struct Expected {
    kills: bool,
    id: Option<Value>,
    error: Option<String>,
}

fn expected(line: &[u8]) -> Expected {
    let text = String::from_utf8_lossy(line);
    let value: Value = serde_json::from_str(text.trim()).unwrap_or(Value::Null);
    let is_kill = text.trim() == "kill" || value["verb"] == "kill";
    match parse(line) {
        Ok(request) => {
            assert_eq!(request.verb == Verb::Kill, is_kill, "{text}");
            Expected { kills: is_kill, id: request.id, error: None }
        }
        Err(answer) => {
            assert!(!is_kill, "{text}");
            let kills = !value.is_object() && protocol::kills(line);
            let error = answer.error.clone().expect("an error");
            assert!(ErrorCode::ALL.iter().any(|code| code.label() == error), "{error}");
            assert!(!answer.message.is_empty());
            Expected { kills, id: answer.id, error: Some(error) }
        }
    }
}

/// One input.
pub fn run(data: &[u8]) {
    if data.len() > MAX_BYTES {
        return;
    }
    let rig = rig();
    let mut lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    // What follows the last end is a line only if there is something.
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let long = lines.iter().position(|line| line.len() > LINE_BYTES);
    let served = lines.iter().take(long.unwrap_or(lines.len()));
    let served: Vec<Expected> = served.map(|line| expected(line)).collect();
    let kills = served.iter().filter(|line| line.kills).count();
    // What stops motion is looked for behind the line that ends the connection, too.
    let is_kill = |line: &&&[u8]| match line.len() {
        0..=LINE_BYTES => expected(line).kills,
        _ => protocol::kills(line),
    };
    let behind = lines.iter().filter(is_kill).count();
    let before = rig.node.kills.load(Ordering::SeqCst);

    let mut stream = UnixStream::connect(&rig.path).expect("the server goes on");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    // It may have ended already, over a bound.
    let sent = stream.write_all(data).and_then(|()| stream.shutdown(Shutdown::Write));
    assert!(sent.is_ok() || long.is_some(), "{sent:?}");
    let mut text = Vec::new();
    // A client that goes on sending after the end loses what was sent to it.
    if stream.read_to_end(&mut text).is_err() {
        assert!(long.is_some(), "no end");
        return;
    }
    let answers: Vec<Answer> = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).expect("one line of JSON"))
        .collect();
    if long.is_none() || answers.len() == served.len() + 1 {
        assert_eq!(answers.len(), served.len() + usize::from(long.is_some()));
    }
    for (answer, line) in answers.iter().zip(&served) {
        assert_eq!((answer.v, answer.ok), (1, answer.error.is_none()), "{answer:?}");
        assert_eq!(answer.id, line.id);
        if line.kills && line.error.is_none() {
            assert!(answer.ok && answer.message.contains("on disk"), "{answer:?}");
        }
        if line.error.is_some() {
            assert_eq!(answer.error, line.error);
        }
    }
    if long.is_some()
        && let Some(last) = answers.get(served.len())
    {
        assert_eq!(last.error.as_deref(), Some(ErrorCode::LineTooLong.label()));
    }
    let after = rig.node.kills.load(Ordering::SeqCst);
    let raised = usize::try_from(after - before).expect("a count");
    assert!((kills..=behind).contains(&raised), "{raised} of {kills} to {behind}");
    assert!(raised == behind || sent.is_err(), "{raised} of {behind}, and all was sent");
}
