//! The server on a real socket, with good clients and bad ones.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::fixture::{FakeNode, Rig};
use super::protocol::{Answer, LINE_BYTES};
use super::*;
use crate::telemetry::status::SelfTestPart;
use crate::verbs::{Ask, Via};

mod in_turn;

/// Longer than any wait of the server in these tests.
const PATIENCE: Duration = Duration::from_secs(60);

struct Client(BufReader<UnixStream>);

impl Client {
    fn new(rig: &Rig) -> Self {
        let stream = UnixStream::connect(&rig.path).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("send");
    }

    fn answer(&mut self) -> Answer {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, line: &str) -> Answer {
        self.send(format!("{line}\n").as_bytes());
        self.answer()
    }

    /// The server has closed: nothing more comes. One that has only gone quiet has not.
    fn is_closed(&mut self) -> bool {
        match self.0.read_to_end(&mut Vec::new()) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn code(answer: &Answer) -> &str {
    answer.error.as_deref().unwrap_or("")
}

/// A user that the node does not know.
fn stranger() -> u32 {
    rustix::process::geteuid().as_raw().wrapping_add(1)
}

fn quick() -> Bounds {
    Bounds {
        line: Duration::from_millis(200),
        reserve_line: Duration::from_millis(100),
        penalty: Duration::from_millis(20),
        ..Bounds::default()
    }
}

#[test]
fn when_an_operator_works_expect_each_verb_answered_and_told() {
    let rig = Rig::new(FakeNode::in_state("active", 40));
    let mut client = Client::new(&rig);
    let kill =
        r#"{"v":1,"id":"a","verb":"kill","reason":"arm near table","client":"interlockctl"}"#;
    let answer = client.ask(kill);
    assert!(answer.ok, "{answer:?}");
    assert_eq!((answer.seq, answer.state.as_deref()), (Some(41), Some("killed")));
    assert_eq!(answer.id, Some("a".into()));
    let uid = rustix::process::geteuid().as_raw();
    let who = rig.attribution.of(41).expect("a note");
    assert_eq!(who.operator, format!("uid {uid} (interlockctl)"));
    assert_eq!(who.reason, "arm near table");

    let status = client.ask(r#"{"v":1,"verb":"status"}"#).status.expect("a status");
    assert_eq!((status.state.as_str(), status.seq), ("killed", 41));
    let answer = client.ask(r#"{"v":1,"verb":"reset","seq":40}"#);
    assert_eq!(code(&answer), "refused");
    assert!(answer.message.contains("seq is 41 now"), "{answer:?}");
    let answer = client.ask(r#"{"v":1,"verb":"reset","seq":41,"operator":"maria"}"#);
    assert_eq!(
        (answer.ok, answer.seq, answer.state.as_deref()),
        (true, Some(42), Some("disarmed"))
    );
    let answer = client.ask(r#"{"v":1,"verb":"arm","seq":42,"profile":"careful"}"#);
    assert_eq!((answer.ok, answer.state.as_deref()), (true, Some("active")));
    assert!(client.ask(r#"{"v":1,"verb":"disarm"}"#).ok);
    assert!(client.ask(r#"{"v":1,"verb":"select_source","lane":"a","source":"b"}"#).ok);
    let wishes = rig.node.wishes.lock().clone();
    assert_eq!(wishes[1].operator, format!("uid {uid} as maria"));
    assert_eq!(wishes[2].ask, Ask::Arm { seq: 42, profile: "careful".to_owned() });
    assert!(wishes.iter().all(|wish| wish.via == Via::Socket));

    let whoami = client.ask(r#"{"v":1,"verb":"whoami"}"#).whoami.expect("an answer");
    assert_eq!((whoami.uid, whoami.may_release), (uid, true));
    assert_eq!(whoami.node_pid, std::process::id());
    // The log's thread writes the history.
    wait(|| client.ask(r#"{"v":1,"verb":"history"}"#).history.expect("one").len() == 1);
    assert_eq!(rig.history.entries()[0].text, "kill requested");
}

/// Waits, bounded, until `is`.
fn wait(mut is: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not come to be");
}

#[test]
fn when_a_stranger_asks_expect_only_what_stops() {
    let node = FakeNode::in_state("disarmed", 5);
    // Root is nobody's stranger: then the kernel cannot show a refusal here.
    if rustix::process::geteuid().is_root() {
        let accounts = rights::Accounts::default();
        assert!(!accounts.may_release(rights::Peer { uid: 5, gid: 5 }, 6, "interlock"));
    }
    let rig = Rig::with(node, quick(), stranger());
    let mut client = Client::new(&rig);
    for line in [
        r#"{"v":1,"verb":"arm","seq":5}"#,
        r#"{"v":1,"verb":"reset","seq":5}"#,
        r#"{"v":1,"verb":"select_source","lane":"base"}"#,
    ] {
        let answer = client.ask(line);
        if rustix::process::geteuid().is_root() {
            assert_ne!(code(&answer), "not_authorised", "root may: {answer:?}");
        } else {
            assert_eq!(code(&answer), "not_authorised", "{line}");
            assert!(answer.message.contains("usermod -aG interlock"), "{answer:?}");
        }
    }
    assert_ne!(code(&client.ask(r#"{"v":1,"verb":"disarm"}"#)), "not_authorised");
    // It ends where it began.
    assert!(client.ask(r#"{"v":1,"verb":"self_test"}"#).ok);
    assert!(client.ask("kill").ok);
}

#[test]
fn when_somebody_tries_and_tries_expect_a_bound_and_kills_all_the_same() {
    let rig = Rig::with(FakeNode::in_state("disarmed", 5), quick(), 0);
    let mut limited = false;
    for _ in 0..20 {
        let mut client = Client::new(&rig);
        let answer = client.ask(r#"{"v":1,"verb":"arm","seq":1}"#);
        limited |= code(&answer) == "rate_limited";
        if code(&answer) == "rate_limited" {
            assert!(client.is_closed());
        }
    }
    assert!(limited);
    let told = || rig.history.entries().iter().any(|one| one.text.contains("arm refused: rate"));
    wait(told);
    for _ in 0..100 {
        assert!(Client::new(&rig).ask("kill").ok);
    }
    assert_eq!(rig.node.kills.load(Ordering::SeqCst), 100);
}

#[test]
fn when_too_many_wait_expect_the_refusal_told_and_counted() {
    let node = FakeNode::in_state("disarmed", 5);
    node.is_busy.store(true, Ordering::SeqCst);
    let rig = Rig::with(node, quick(), rustix::process::geteuid().as_raw());
    for (line, told) in [
        (r#"{"v":1,"verb":"arm","seq":5}"#, "arm refused: busy"),
        (r#"{"v":1,"verb":"disarm"}"#, "disarm refused: busy"),
    ] {
        assert_eq!(code(&Client::new(&rig).ask(line)), "busy");
        wait(|| rig.history.entries().iter().any(|one| one.text == told));
    }
    assert!(Client::new(&rig).ask("kill").ok);
}

#[test]
fn when_a_self_test_is_asked_for_expect_its_parts_its_own_error_and_a_bound() {
    let rig = Rig::with(FakeNode::in_state("disarmed", 5), quick(), stranger());
    let mut client = Client::new(&rig);
    let ask = r#"{"v":1,"verb":"self_test","operator":"maria"}"#;
    let part = |passed| SelfTestPart { passed, ..SelfTestPart::default() };
    *rig.node.self_test.lock() = vec![part(true)];
    let answer = client.ask(ask);
    assert_eq!((answer.ok, answer.seq, answer.self_test.len()), (true, Some(7), 1));
    *rig.node.self_test.lock() = vec![part(true), part(false)];
    let answer = client.ask(ask);
    assert_eq!((code(&answer), answer.seq, answer.self_test.len()), ("failed", Some(9), 2));
    assert!(client.ask("kill").ok);
    let answer = client.ask(ask);
    assert_eq!((code(&answer), answer.self_test.len()), ("refused", 0));
    // Each attempt is told, so there is an end to them.
    wait(|| code(&Client::new(&rig).ask(ask)) == "rate_limited");
    wait(|| {
        let entries = rig.history.entries();
        entries.iter().any(|one| one.text == "self_test refused: rate_limited")
    });
}

#[test]
fn when_lines_are_broken_expect_error_lines_and_the_next_line_served() {
    let rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    assert_eq!(code(&client.ask("")), "bad_json");
    client.send(b"\xff\xfe\x00{\n");
    assert_eq!(code(&client.answer()), "bad_json");
    assert_eq!(code(&client.ask(r#"{"v":1,"verb":"resume"}"#)), "unknown_verb");
    // A line in pieces, and two lines at once.
    client.send(br#"{"v":1,"verb":"#);
    std::thread::sleep(Duration::from_millis(5));
    client.send(b"\"status\"}\n{\"v\":1,\"id\":2,\"verb\":\"status\"}\n");
    assert!(client.answer().ok);
    assert_eq!(client.answer().id, Some(2.into()));
    // The longest line that is taken, and one more byte.
    let mut line = vec![b' '; LINE_BYTES - 4];
    line.extend_from_slice(b"kill\n");
    client.send(&line);
    assert!(client.answer().ok);
    let mut client = Client::new(&rig);
    client.send(&[b'x'; LINE_BYTES + 1]);
    assert_eq!(code(&client.answer()), "line_too_long");
    assert!(client.is_closed());
}

#[test]
fn when_a_kill_has_no_end_of_a_line_expect_it_all_the_same() {
    let rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    client.send(b"kill");
    client.0.get_mut().shutdown(Shutdown::Write).expect("close our side");
    assert!(client.answer().ok);
    assert!(client.is_closed());
}

#[test]
fn when_half_a_line_comes_expect_its_end_waited_for_and_then_an_error() {
    let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
    let mut client = Client::new(&rig);
    client.send(br#"{"v":1,"verb":"ki"#);
    assert_eq!(code(&client.answer()), "too_slow");
    assert!(client.is_closed());
    let idle = Bounds { idle: Duration::from_millis(50), ..quick() };
    let rig = Rig::with(FakeNode::in_state("active", 1), idle, 0);
    let mut client = Client::new(&rig);
    assert_eq!(code(&client.answer()), "too_slow");
    assert!(client.is_closed());
}

#[test]
fn when_a_client_never_reads_expect_it_closed_and_others_served() {
    let node = FakeNode::in_state("active", 1);
    // An answer larger than any socket buffer.
    node.status.lock().hardware_id = "h".repeat(8 << 20);
    let bounds = Bounds { write: Duration::from_millis(200), ..quick() };
    let rig = Rig::with(node, bounds, 0);
    // It gets what fits into the buffers, never the end of the line: unless it reads again before the
    // server has looked at its clock, on a busy machine.
    let is_cut = (0..6).any(|attempt| {
        let mut greedy = Client::new(&rig);
        greedy.send(b"{\"v\":1,\"verb\":\"status\"}\n");
        assert!(Client::new(&rig).ask("kill").ok);
        let mut all = vec![0];
        greedy.0.read_exact(&mut all).expect("the beginning of the answer");
        std::thread::sleep(bounds.write * 2_u32.pow(1 + attempt));
        greedy.0.read_until(b'\n', &mut all).expect("what was sent");
        !all.ends_with(b"\n")
    });
    assert!(is_cut, "the whole answer, each time");
    // One that goes in the middle of its answer harms nobody either.
    let mut gone = Client::new(&rig);
    gone.send(b"{\"v\":1,\"verb\":\"status\"}\n");
    drop(gone);
    assert!(Client::new(&rig).ask("kill").ok);
}

#[test]
fn when_as_many_clients_as_may_be_expect_kills_served_and_the_rest_told() {
    // Long enough for a client on a busy machine to send its line; those that are silent are waited for.
    let bounds = Bounds { reserve_line: Duration::from_secs(2), ..quick() };
    let rig = Rig::with(FakeNode::in_state("active", 1), bounds, 0);
    let mut held: Vec<Client> = (0..16).map(|_| Client::new(&rig)).collect();
    // All sixteen are served: none of them is one too many.
    assert!(held.iter_mut().all(|one| one.ask(r#"{"v":1,"verb":"status"}"#).ok));
    let mut late = Client::new(&rig);
    assert_eq!(code(&late.ask(r#"{"v":1,"verb":"status"}"#)), "too_many_clients");
    assert!(late.is_closed());
    let mut silent = Client::new(&rig);
    assert_eq!(code(&silent.answer()), "too_many_clients");
    let mut killer = Client::new(&rig);
    assert!(killer.ask("kill").ok);
    assert!(killer.is_closed());
    assert_eq!(rig.node.status.lock().state, "killed");
    // A hundred more that say nothing, and one that kills.
    let crowd: Vec<Client> = (0..100).map(|_| Client::new(&rig)).collect();
    assert!(Client::new(&rig).ask("kill").ok);
    drop(crowd);
    // A place is free again when a client goes.
    held.pop();
    wait(|| Client::new(&rig).ask(r#"{"v":1,"verb":"status"}"#).ok);
}

#[test]
fn when_the_gate_thread_does_not_answer_expect_the_kill_raised_and_the_truth() {
    let node = FakeNode::in_state("active", 1);
    node.is_stuck.store(true, Ordering::SeqCst);
    let bounds = Bounds { kill: Duration::from_millis(50), ..quick() };
    let rig = Rig::with(node, bounds, 0);
    let answer = Client::new(&rig).ask("kill");
    assert_eq!(code(&answer), "no_answer");
    assert!(answer.message.contains("hardware emergency stop"), "{answer:?}");
    assert_eq!(rig.node.kills.load(Ordering::SeqCst), 1);
}

#[test]
fn when_the_disk_is_slow_expect_the_kill_answered_with_the_truth() {
    let node = FakeNode::in_state("active", 1);
    node.is_disk_slow.store(true, Ordering::SeqCst);
    let rig = Rig::with(node.clone(), quick(), 0);
    let answer = Client::new(&rig).ask("kill");
    assert!(answer.ok && answer.message.contains("not on disk yet"), "{answer:?}");
    node.is_disk_slow.store(false, Ordering::SeqCst);
    let answer = Client::new(&rig).ask("kill");
    assert!(answer.message.contains("Latch: on disk."), "{answer:?}");
}

#[test]
fn when_the_control_thread_is_mute_expect_a_bound_and_kills_meanwhile() {
    let node = FakeNode::in_state("active", 1);
    node.is_mute.store(true, Ordering::SeqCst);
    let bounds = Bounds { answer: Duration::from_millis(300), ..quick() };
    let rig = Rig::with(node, bounds, 0);
    let mut waits = Client::new(&rig);
    waits.send(b"{\"v\":1,\"verb\":\"disarm\"}\n");
    assert!(Client::new(&rig).ask("kill").ok);
    assert_eq!(code(&waits.answer()), "no_answer");
}

#[test]
fn hazard_42_stale_arm_accepted_over_the_socket() {
    let rig = Rig::new(FakeNode::in_state("disarmed", 7));
    let mut operator = Client::new(&rig);
    assert!(Client::new(&rig).ask("kill").ok);
    let answer = operator.ask(r#"{"v":1,"verb":"arm","seq":7}"#);
    assert_eq!(code(&answer), "refused");
    let answer = operator.ask(r#"{"v":1,"verb":"reset","seq":7}"#);
    assert_eq!(code(&answer), "refused");
    assert_eq!(rig.node.status.lock().state, "killed");
}

#[test]
fn when_the_server_stops_with_every_place_taken_expect_it_to_wait_for_no_client() {
    // Nobody in reserve is given up before the test's own patience is over.
    let bounds = Bounds { clients: 0, reserve: 1, reserve_line: PATIENCE * 2, ..quick() };
    let mut rig = Rig::with(FakeNode::in_state("active", 1), bounds, 0);
    let mut held = Client::new(&rig);
    // Not a whole line: it keeps its place, and the next one is accepted and finds none.
    held.send(b"ki");
    let _next = Client::new(&rig);
    let server = rig.server.take();
    let stopping = std::thread::spawn(move || drop(server));
    wait(|| stopping.is_finished());
    stopping.join().expect("an end");
    assert!(held.is_closed());
}

#[test]
fn when_the_server_stops_expect_clients_closed_and_the_file_gone() {
    let mut rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    assert!(client.ask(r#"{"v":1,"verb":"status"}"#).ok);
    drop(rig.server.take());
    assert!(client.is_closed());
    assert!(!rig.path.exists());
}
