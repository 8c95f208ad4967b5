//! The test's side of `peer.py`: a ROS 2 node that is not ours, in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{DomainLease, Running, Scratch, wait_for};

/// Generous: longer than any answer of the peer takes by its own limits.
const ANSWER: Duration = Duration::from_secs(90);

/// The peer's process.
pub(crate) struct Peer {
    lines: Receiver<String>,
    stdin: ChildStdin,
    log: PathBuf,
    _child: Running,
}

impl Peer {
    /// Starts a peer on the lease's domain. `name` is its log's; its node is `/peer`.
    pub(crate) fn start(lease: &DomainLease, scratch: &Scratch, name: &str) -> Self {
        Self::start_as(lease, scratch, name, "peer")
    }

    /// The same with another name of its node.
    pub(crate) fn start_as(lease: &DomainLease, scratch: &Scratch, name: &str, node: &str) -> Self {
        Self::start_with(lease, scratch, name, node, &[])
    }

    /// The same with more variables in its environment.
    pub(crate) fn start_with(
        lease: &DomainLease,
        scratch: &Scratch,
        name: &str,
        node: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::start_by(lease, scratch, name, &[node], environment)
    }

    /// The same with a remap rule.
    pub(crate) fn start_remapped(
        lease: &DomainLease,
        scratch: &Scratch,
        (name, rule): (&str, &str),
    ) -> Self {
        Self::start_by(lease, scratch, name, &[name, "--ros-args", "-r", rule], &[])
    }

    fn start_by(
        lease: &DomainLease,
        scratch: &Scratch,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let log = scratch.path().join(format!("{name}.log"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/peer.py");
        let mut child = lease
            .command("python3")
            .args(["-u", script])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("create the peer's log"))
            .spawn()
            .expect("start python3");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, stdin, log, _child: Running(child) }
    }

    /// One operation, with its answer or the peer's own error.
    pub(crate) fn try_ask(&mut self, op: &str, mut arguments: Value) -> Result<Value, String> {
        arguments["op"] = json!(op);
        writeln!(self.stdin, "{arguments}").expect("the peer lives");
        self.stdin.flush().expect("the peer lives");
        let line = self.lines.recv_timeout(ANSWER).unwrap_or_else(|_| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("no answer of the peer to {arguments}\n{log}");
        });
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// One operation that must work.
    pub(crate) fn ask(&mut self, op: &str, arguments: Value) -> Value {
        let told = arguments.to_string();
        self.try_ask(op, arguments).unwrap_or_else(|error| panic!("{op} {told}: {error}"))
    }

    /// Makes a publisher and waits until the node reads it.
    pub(crate) fn publisher(&mut self, topic: &str, kind: &str) {
        self.publisher_for(topic, kind, 1);
    }

    /// The same where others read it too: `readers` counts them and the node.
    pub(crate) fn publisher_for(&mut self, topic: &str, kind: &str, readers: u64) {
        self.ask("publisher", json!({"topic": topic, "type": kind}));
        wait_for(&format!("{readers} readers of {topic}"), || {
            self.ask("readers", json!({"topic": topic})).as_u64() >= Some(readers)
        });
    }

    /// Publishes a message.
    pub(crate) fn publish(&mut self, topic: &str, message: Value) {
        self.ask("publish", json!({"topic": topic, "msg": message}));
    }

    /// Publishes bytes.
    pub(crate) fn publish_bytes(&mut self, topic: &str, bytes: &[u8]) {
        self.ask("publish", json!({"topic": topic, "hex": hex(bytes)}));
    }

    /// The bytes of a message, as the real serializer writes them.
    pub(crate) fn serialize(&mut self, kind: &str, message: Value) -> Vec<u8> {
        let answer = self.ask("serialize", json!({"type": kind, "msg": message}));
        unhex(answer["hex"].as_str().expect("hex"))
    }

    /// The same with garbage in the padding and behind the end, and how many padding bytes it has.
    pub(crate) fn serialize_with_garbage(&mut self, kind: &str, message: Value) -> (Vec<u8>, u64) {
        let answer = self.ask("serialize", json!({"type": kind, "msg": message, "garbage": true}));
        let bytes = unhex(answer["hex"].as_str().expect("hex"));
        (bytes, answer["padding"].as_u64().expect("a count"))
    }

    /// Subscribes reliably and volatile, without waiting for a writer.
    pub(crate) fn subscribe(&mut self, topic: &str, kind: &str) {
        self.ask("subscribe", json!({"topic": topic, "type": kind}));
    }

    /// Waits until a subscription is matched with a writer.
    pub(crate) fn wait_for_writer(&mut self, topic: &str) {
        wait_for(&format!("a writer of {topic}"), || {
            self.ask("writers", json!({"topic": topic})).as_u64() >= Some(1)
        });
    }

    /// How many messages a subscription has received.
    pub(crate) fn count(&mut self, topic: &str) -> usize {
        let count = self.ask("list", json!({"topic": topic, "count_only": true}));
        usize::try_from(count.as_u64().expect("a count")).expect("a small one")
    }

    /// Messages received from index `from` on.
    pub(crate) fn received(&mut self, topic: &str, from: usize) -> Vec<Received> {
        let list = self.ask("list", json!({"topic": topic, "from": from}));
        list.as_array().expect("a list").iter().map(Received::of).collect()
    }

    /// The newest message received.
    pub(crate) fn newest(&mut self, topic: &str) -> Option<Received> {
        let list = self.ask("list", json!({"topic": topic, "newest_only": true}));
        list.as_array().expect("a list").last().map(Received::of)
    }

    /// Calls a service and returns its response.
    pub(crate) fn call(&mut self, service: &str, kind: &str, request: Value) -> Value {
        let call = json!({"service": service, "type": kind, "request": request});
        self.ask("call", call)["response"].take()
    }
}

/// One message as the peer received it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) message: Value,
}

impl Received {
    fn of(value: &Value) -> Self {
        let bytes = unhex(value["hex"].as_str().expect("hex"));
        Self { bytes, message: value["msg"].clone() }
    }
}

/// Bytes to text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}
