//! The real node with a peer, on a domain of their own.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

pub(crate) use crate::params::{BASE, BODY, STATES, TWIST, goes, head, twist};
use crate::params::{persisted_head, plain_head};
use crate::peer::{Peer, Received};
use crate::support::{DomainLease, Running, Scratch, domain_lease, wait_for, wait_for_some};

/// Longer than any shutdown.
const END_S: u64 = 60;
/// How often, and in all, a test looks for a message.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(10);
const MESSAGE_LOOKS: usize = 4_000;
/// Looks until a command is sent again.
const PATIENCE_LOOKS: usize = 300;
/// First of the ports for HTTP.
const PORTS: u16 = 19_600;

/// A running `interlock`.
pub(crate) struct Node {
    pub(crate) process: Running,
    log: PathBuf,
}

impl Node {
    /// Starts the node with these arguments.
    pub(crate) fn start(lease: &DomainLease, scratch: &Scratch, args: &[&str]) -> Self {
        let mut command = lease.command(env!("CARGO_BIN_EXE_interlock"));
        command.args(args);
        Self::run(scratch, command)
    }

    /// Starts the node by a command that becomes it.
    pub(crate) fn run(scratch: &Scratch, mut command: Command) -> Self {
        let log = scratch.path().join("interlock.log");
        let file = File::options().create(true).append(true).open(&log).expect("the node's log");
        let child = command
            .stdout(file.try_clone().expect("share the log"))
            .stderr(file)
            .spawn()
            .expect("start interlock");
        Self { process: Running(child), log }
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let status = self.process.wait_bounded(END_S);
        status.unwrap_or_else(|| panic!("the node did not end\n{}", self.log()))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        let Running(child) = &self.process;
        Pid::from_child(child)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the node lives");
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        let Running(child): &mut Running = &mut self.process;
        Child::try_wait(child).expect("ask for the node's status").is_none()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Running(child): &mut Running = &mut self.process;
            let ended = child.try_wait().ok().flatten();
            let ended = ended.map_or("lives".to_owned(), |status| format!("ended: {status}"));
            eprintln!("--- interlock {ended}, and said:\n{}", self.log());
        }
    }
}

/// Node and peer. Dropped in this order: processes, files, domain.
pub(crate) struct Rig {
    pub(crate) node: Node,
    pub(crate) peer: Peer,
    pub(crate) scratch: Scratch,
    pub(crate) lease: DomainLease,
    name: String,
    port: u16,
}

impl Rig {
    /// The node with the head of a params file and this rest, and a peer that reads `~/state`.
    pub(crate) fn new(params: &str) -> Self {
        Self::with(params, &[], "/interlock")
    }

    /// The same, where the rest says itself what each cause does.
    pub(crate) fn plain(params: &str) -> Self {
        Self::begin(plain_head, params, &[], "/interlock")
    }

    /// The same as [`Self::new`] with more ROS arguments; `name` is what the node will be called.
    pub(crate) fn with(params: &str, args: &[&str], name: &str) -> Self {
        Self::begin(head, params, args, name)
    }

    /// The same as [`Self::new`] with the latch on disk: a first run, so it comes up killed.
    pub(crate) fn persisted(params: &str) -> Self {
        Self::begin(persisted_head, params, &[], "/interlock")
    }

    /// The same, where the node is started through these words, which end in its own program.
    pub(crate) fn persisted_through(
        params: &str,
        words: &dyn Fn(&DomainLease) -> Vec<String>,
    ) -> Self {
        Self::begin_through(persisted_head, params, (&[], "/interlock"), words)
    }

    /// Another run with the same files, under another name: what is left of the one before on the
    /// graph cannot answer for it.
    pub(crate) fn run_again(&mut self, name: &str) -> Value {
        self.run_again_and(name, &|_, _| ())
    }

    /// The same, and `then` as soon as it has been started.
    pub(crate) fn run_again_and(
        &mut self,
        name: &str,
        then: &dyn Fn(&mut Node, &DomainLease),
    ) -> Value {
        self.node.process.stop();
        let file = self.scratch.path().join("params.yaml");
        let rule = format!("__node:={name}");
        let args = ["--ros-args", "--params-file", file.to_str().expect("plain"), "-r", &rule];
        self.node = Node::start(&self.lease, &self.scratch, &args);
        then(&mut self.node, &self.lease);
        self.name = format!("/{name}");
        self.watch_state();
        self.state()
    }

    fn begin(head: fn(u16) -> String, params: &str, args: &[&str], name: &str) -> Self {
        let plain = |_: &DomainLease| vec![env!("CARGO_BIN_EXE_interlock").to_owned()];
        Self::begin_through(head, params, (args, name), &plain)
    }

    fn begin_through(
        head: fn(u16) -> String,
        params: &str,
        (args, name): (&[&str], &str),
        words: &dyn Fn(&DomainLease) -> Vec<String>,
    ) -> Self {
        let (lease, scratch) = (domain_lease(), Scratch::new());
        // As nobody else has the domain, nobody else has the port.
        let port = PORTS + u16::try_from(lease.id()).expect("a small domain");
        let file = scratch.write("params.yaml", &(head(port) + params));
        let file = file.to_str().expect("a plain path");
        let mut all = vec!["--ros-args", "--params-file", file];
        all.extend(args);
        let words = words(&lease);
        let mut command = lease.command(&words[0]);
        command.args(&words[1..]).args(&all);
        let node = Node::run(&scratch, command);
        let peer = Peer::start(&lease, &scratch, "peer");
        let mut rig = Self { node, peer, scratch, lease, name: name.to_owned(), port };
        rig.watch_state();
        rig
    }

    /// Subscribes to `~/state` as people do, and waits for the first.
    pub(crate) fn watch_state(&mut self) {
        let topic = self.own("state");
        self.peer.ask(
            "subscribe",
            json!({"topic": topic, "type": "interlock/msg/State",
                   "durability": "TRANSIENT_LOCAL", "depth": 1000}),
        );
        self.wait_state("the first state", |_| true);
    }

    /// The absolute name of something of the node's own.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    /// The newest `~/state`.
    pub(crate) fn state(&mut self) -> Value {
        let topic = self.own("state");
        wait_for_some("a state", || self.peer.newest(&topic)).message
    }

    /// Waits for a state.
    pub(crate) fn wait_state(&mut self, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
        let topic = self.own("state");
        let mut last = Value::Null;
        for _ in 0..6_000 {
            assert!(self.node.lives(), "the node ended: {}", self.node.log());
            if let Some(state) = self.peer.newest(&topic) {
                last = state.message;
                if is(&last) {
                    return last;
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("waited for {what}; the last state is {last:#}");
    }

    /// Waits for a lane's state.
    pub(crate) fn wait_lane(&mut self, lane: usize, label: &str) -> Value {
        self.wait_state(&format!("lane {lane} {label}"), |s| s["lanes"][lane]["label"] == label)
    }

    /// Calls a verb that names a seq: `reset` or `arm`. Where that is one attempt too many it waits, as
    /// a person would.
    pub(crate) fn verb(&mut self, verb: &str, seq: u64) -> Value {
        let kind = if verb == "arm" { "interlock/srv/Arm" } else { "interlock/srv/Reset" };
        let request = json!({"seq": seq, "operator_name": "tester", "reason": "a test"});
        self.call_within_limit(verb, kind, &request)
    }

    fn call_within_limit(&mut self, verb: &str, kind: &str, request: &Value) -> Value {
        let service = self.own(verb);
        wait_for_some("an attempt that is allowed", || {
            let answer = self.peer.call(&service, kind, request.clone());
            let text = answer["message"].as_str().unwrap_or_default();
            (!text.contains("too many attempts over ROS")).then_some(answer)
        })
    }

    /// Calls a verb without arguments: `kill` or `disarm`.
    pub(crate) fn trigger(&mut self, verb: &str) -> Value {
        self.call_within_limit(verb, "std_srvs/srv/Trigger", &json!({}))
    }

    /// Arms; as an operator would, again while the conditions settle. Returns the answer.
    pub(crate) fn arm(&mut self) -> Value {
        let mut answer = Value::Null;
        wait_for("an arm that is accepted", || {
            let state = self.state();
            // What is refused counts against a limit.
            if state["unmet"].as_array().is_some_and(|unmet| !unmet.is_empty()) {
                return false;
            }
            answer = self.verb("arm", state["seq"].as_u64().expect("a seq"));
            answer["success"] == true
        });
        self.wait_state("active", |state| state["label"] == "active");
        answer
    }

    /// Resets with the seq in force.
    pub(crate) fn reset(&mut self) -> Value {
        let seq = self.wait_state("killed", |s| s["label"] == "killed")["seq"].as_u64();
        let answer = self.verb("reset", seq.expect("a seq"));
        assert_eq!(answer["success"], true, "{answer}");
        self.wait_state("disarmed", |state| state["label"] == "disarmed");
        answer
    }

    /// Waits for a message on a topic, from index `from` on, and returns it.
    pub(crate) fn wait_message(
        &mut self,
        topic: &str,
        from: usize,
        what: &str,
        mut is: impl FnMut(&Received) -> bool,
    ) -> Received {
        let mut next = from;
        let mut newest = Value::Null;
        for _ in 0..MESSAGE_LOOKS {
            // Each message is looked at once: thousands come while a test waits.
            for one in self.peer.received(topic, next) {
                if is(&one) {
                    return one;
                }
                next += 1;
                newest = one.message;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("waited on {topic} for {what}; the newest that came is {newest:#}");
    }

    /// Where it answers over HTTP.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// What HTTP answers on a path, without its head.
    pub(crate) fn http(&mut self, path: &str) -> String {
        self.answer(path).1
    }

    /// The code with which HTTP answers on a path, and the reasons in the answer.
    pub(crate) fn probe(&mut self, path: &str) -> (u16, Vec<String>) {
        let (head, body) = self.answer(path);
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let reasons = body["reasons"].as_array().expect("reasons").iter();
        (code, reasons.map(|one| one.as_str().expect("a text").to_owned()).collect())
    }

    /// What `/status` says.
    pub(crate) fn status(&mut self) -> Value {
        serde_json::from_str(&self.http("/status")).expect("JSON")
    }

    fn answer(&mut self, path: &str) -> (String, String) {
        let mut answer = String::new();
        wait_for("an answer over HTTP", || {
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
            let asked = write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            );
            answer.clear();
            asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && !answer.is_empty()
        });
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }

    /// One source's counts in `/status`, once `verdict` has reached `count`.
    pub(crate) fn wait_count(
        &mut self,
        lane: usize,
        source: usize,
        verdict: &str,
        count: u64,
    ) -> Value {
        wait_for_some(&format!("{count} {verdict} of lane {lane}, source {source}"), || {
            let status: Value = serde_json::from_str(&self.http("/status")).ok()?;
            let found = status["lanes"][lane]["sources"][source].clone();
            (found[verdict].as_u64() >= Some(count)).then_some(found)
        })
    }

    /// Publishes a twist until the output carries it: a gate that stalls refuses what waited.
    pub(crate) fn flows(&mut self, topic: &str, x: f64) {
        let from = self.peer.count("/cmd_vel");
        wait_for(&format!("{x} on the output"), || {
            self.peer.publish(topic, twist(x));
            (0..PATIENCE_LOOKS).any(|_| {
                std::thread::sleep(LOOK_EVERY);
                self.peer.received("/cmd_vel", from).iter().any(|one| goes(one, x))
            })
        });
    }
}
