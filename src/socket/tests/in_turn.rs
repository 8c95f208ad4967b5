//! Lines behind lines: what stops motion does not wait for its turn.

use super::*;

const STATUS: &str = r#"{"v":1,"verb":"status"}"#;
const DISARM: &str = r#"{"v":1,"verb":"disarm"}"#;

/// No bound of the server ends a wait in these tests.
fn patient() -> Bounds {
    let answer = PATIENCE.saturating_mul(2);
    Bounds { answer, write: answer, line: answer, ..Bounds::default() }
}

fn kills(rig: &Rig) -> u64 {
    rig.node.kills.load(Ordering::SeqCst)
}

/// A node whose thread `control` answers nothing until it is let.
fn mute(state: &str) -> Rig {
    let node = FakeNode::in_state(state, 1);
    node.is_mute.store(true, Ordering::SeqCst);
    Rig::with(node, patient(), rustix::process::geteuid().as_raw())
}

#[test]
fn when_a_kill_comes_behind_a_wish_that_waits_expect_it_raised_at_once_and_answered_in_turn() {
    for (state, wish) in [("active", DISARM), ("disarmed", r#"{"v":1,"verb":"arm","seq":1}"#)] {
        let rig = mute(state);
        let mut client = Client::new(&rig);
        client.send(format!("{wish}\n{STATUS}\n").as_bytes());
        wait(|| rig.node.kept.lock().len() == 1);
        client.send(b"{\"v\":1,\"id\":9,\"verb\":\"kill\",\"reason\":\"arm near table\"}\n");
        wait(|| kills(&rig) == 1);
        // Who it was is known before it is answered, too.
        wait(|| rig.attribution.of(2).is_some_and(|who| who.reason == "arm near table"));
        rig.node.kept.lock().clear();
        assert_eq!(code(&client.answer()), "ended", "the wish, whose answer was dropped");
        assert_eq!(client.answer().status.expect("a status").state, "killed");
        let answer = client.answer();
        assert_eq!((answer.ok, answer.id, answer.seq), (true, Some(9.into()), Some(2)));
        assert_eq!(kills(&rig), 1, "once");
    }
}

#[test]
fn when_kills_come_in_one_go_expect_each_answered_and_every_one_raised() {
    let rig = mute("active");
    let mut client = Client::new(&rig);
    client.send(format!("{DISARM}\nkill\nkill\n{STATUS}\nkill").as_bytes());
    client.0.get_mut().shutdown(Shutdown::Write).expect("close our side");
    wait(|| kills(&rig) == 3);
    rig.node.kept.lock().clear();
    assert_eq!(code(&client.answer()), "ended");
    assert!(client.answer().ok && client.answer().ok);
    assert!(client.answer().status.is_some());
    assert!(client.answer().ok);
    assert!(client.is_closed());
}

#[test]
fn when_a_kill_comes_behind_too_many_attempts_expect_it_raised_before_the_connection_ends() {
    let rig = Rig::with(FakeNode::in_state("active", 5), quick(), 0);
    let mut client = Client::new(&rig);
    let arm = "{\"v\":1,\"verb\":\"arm\",\"seq\":1}\n";
    client.send(format!("{}kill\n", arm.repeat(7)).as_bytes());
    while code(&client.answer()) != "rate_limited" {}
    assert!(client.is_closed());
    assert_eq!(kills(&rig), 1);
}

#[test]
fn when_a_client_asks_and_goes_expect_what_stops_done() {
    let node = FakeNode::in_state("active", 1);
    // An answer larger than any socket buffer: it cannot be sent.
    node.status.lock().hardware_id = "h".repeat(8 << 20);
    let rig = Rig::with(node, quick(), 0);
    let mut gone = Client::new(&rig);
    gone.send(format!("{STATUS}\n{DISARM}\nkill\n").as_bytes());
    drop(gone);
    wait(|| kills(&rig) == 1);
    wait(|| rig.node.wishes.lock().iter().any(|wish| wish.ask == Ask::Disarm));
}

#[test]
fn when_a_client_goes_while_it_waits_expect_its_wish_withdrawn_and_not_where_it_still_reads() {
    let arm = r#"{"v":1,"verb":"arm","seq":1}"#;
    let is_withdrawn = |rig: &Rig| rig.node.kept.lock().iter().all(oneshot::Sender::is_canceled);
    for is_half_closed_before in [false, true] {
        let rig = mute("disarmed");
        let mut client = Client::new(&rig);
        client.send(format!("{arm}\n").as_bytes());
        wait(|| rig.node.kept.lock().len() == 1);
        if is_half_closed_before {
            client.0.get_mut().shutdown(Shutdown::Write).expect("close our side");
            // Whoever sends no more may wait all the same, and has its answer.
            assert!(Client::new(&rig).ask("kill").ok);
            assert!(!is_withdrawn(&rig));
        }
        drop(client);
        wait(|| is_withdrawn(&rig));
    }
    let rig = mute("disarmed");
    let mut client = Client::new(&rig);
    client.send(format!("{arm}\n").as_bytes());
    client.0.get_mut().shutdown(Shutdown::Write).expect("close our side");
    wait(|| rig.node.kept.lock().len() == 1);
    rig.node.kept.lock().clear();
    assert_eq!(code(&client.answer()), "ended", "the answer comes");
}

#[test]
fn when_a_kill_comes_behind_a_line_that_ends_the_connection_expect_it_raised() {
    // Too long, with and without an end; no end of a line in time; nothing read of the answers.
    let long = "x".repeat(3 * LINE_BYTES);
    for lines in [format!("{long}\nkill\n"), format!("{}\nkill", "x".repeat(LINE_BYTES + 1))] {
        let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
        let mut client = Client::new(&rig);
        client.send(lines.as_bytes());
        wait(|| kills(&rig) == 1);
        assert_eq!(code(&client.answer()), "line_too_long");
    }
    let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
    let mut client = Client::new(&rig);
    client.send(b"kill");
    assert_eq!(code(&client.answer()), "too_slow");
    wait(|| kills(&rig) == 1);
    // A line that is too long for what explains it, in one piece and in several, its verb first or last.
    let log = "x".repeat(2 * LINE_BYTES);
    for line in [
        format!(r#"{{"v":1,"reason":"{log}","verb":"kill"}}"#),
        format!(r#"{{"verb" : "kill","reason":"{log}"#),
        format!(r#"{{"reason":"{}","verb":"kill"}}"#, "x".repeat(LINE_BYTES - 20)),
    ] {
        let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
        let mut client = Client::new(&rig);
        client.send(format!("{line}\n").as_bytes());
        wait(|| kills(&rig) == 1);
        assert_eq!(code(&client.answer()), "line_too_long");
    }
    // In pieces that come one after the other, as through a pipe.
    let rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    client.send(format!(r#"{{"reason":"{log}"#).as_bytes());
    std::thread::sleep(Duration::from_millis(20));
    client.send(b"\",\"verb\":\"ki");
    std::thread::sleep(Duration::from_millis(20));
    client.send(b"ll\"}\n");
    wait(|| kills(&rig) == 1);
    assert_eq!(code(&client.answer()), "line_too_long");
    // The rest of a line that was too long is none, and what its texts quote is no verb.
    let quoted = format!(r#"{{"verb":"arm","reason":"{log} \"verb\":\"kill\""}}"#);
    let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
    let mut client = Client::new(&rig);
    client.send(format!("{quoted}\n").as_bytes());
    assert_eq!(code(&client.answer()), "line_too_long");
    assert!(client.is_closed());
    assert_eq!(kills(&rig), 0);
    let rig = Rig::with(FakeNode::in_state("active", 1), quick(), 0);
    let mut client = Client::new(&rig);
    client.send(format!("{long} \nkilling\n").as_bytes());
    assert_eq!(code(&client.answer()), "line_too_long");
    assert!(client.is_closed());
    assert_eq!(kills(&rig), 0);
}

#[test]
fn when_more_waits_than_is_kept_expect_kills_raised_and_the_connection_ended_after_the_answers() {
    let rig = mute("active");
    let mut client = Client::new(&rig);
    let padded = format!("{STATUS}{}\n", " ".repeat(4000));
    let many = 2 * inbox::WAITING_BYTES / padded.len();
    client.send(format!("{DISARM}\n{}kill\n", padded.repeat(many)).as_bytes());
    wait(|| kills(&rig) == 1);
    rig.node.kept.lock().clear();
    assert_eq!(code(&client.answer()), "ended");
    let mut answers = 0;
    let last = loop {
        let answer = client.answer();
        if answer.status.is_none() {
            break answer;
        }
        answers += 1;
    };
    assert!(answers > 60 && answers < many, "{answers} of {many}");
    assert_eq!(code(&last), "busy");
    assert!(client.is_closed());
}

/// A number that is none, half a surrogate pair, a quote that is not escaped, an end that was cut off.
#[test]
fn when_a_kill_is_no_json_expect_it_raised_and_told_so() {
    let broken = [
        r#"{"v":1,"verb":"kill","measured":NaN}"#,
        r#"{"v":1,"verb":"kill","reason":"\ud83d"}"#,
        r#"{"reason":"it said "no"","verb":"kill"}"#,
        r#"[{"verb":"kill"}]"#,
    ];
    for line in broken {
        let rig = Rig::new(FakeNode::in_state("active", 1));
        let mut client = Client::new(&rig);
        let answer = client.ask(line);
        assert_eq!((code(&answer), kills(&rig)), ("bad_json", 1), "{line}");
    }
    let rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    client.send(br#"{"v":1,"verb":"kill","reason":"arm ne"#);
    client.0.get_mut().shutdown(Shutdown::Write).expect("close our side");
    wait(|| kills(&rig) == 1);
    assert_eq!(code(&client.answer()), "bad_json");
    // JSON that is read means what it says.
    let rig = Rig::new(FakeNode::in_state("active", 1));
    let mut client = Client::new(&rig);
    let answer = client.ask(r#"{"v":1,"verb":"status","x":{"verb":"kill"}}"#);
    assert_eq!((code(&answer), kills(&rig)), ("bad_field", 0));
}

#[test]
fn when_many_requests_come_in_one_go_expect_each_answered() {
    let rig = Rig::with(FakeNode::in_state("active", 1), patient(), 0);
    let mut client = Client::new(&rig);
    let mut sender = client.0.get_ref().try_clone().expect("a second handle");
    let lines = "\n".repeat(3 * LINE_BYTES);
    let sends = std::thread::spawn(move || sender.write_all(lines.as_bytes()).expect("send"));
    for _ in 0..3 * LINE_BYTES {
        assert_eq!(code(&client.answer()), "bad_json");
    }
    sends.join().expect("sent");
    assert!(client.ask("kill").ok);
}

/// Sends until it is told to stop, or nobody takes more, and never reads.
fn flood(rig: &Rig, first: &[u8], again: &'static [u8], stop: &Arc<AtomicBool>) -> JoinHandle<()> {
    let mut stream = UnixStream::connect(&rig.path).expect("connect");
    stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a time limit");
    stream.write_all(first).expect("send");
    let (stop, chunk) = (stop.clone(), again.repeat(2_000));
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            match stream.write(&chunk) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
}

#[test]
fn hazard_61_hostile_service_client_that_sends_without_end_and_never_reads_keeps_no_kill_away() {
    let long = [b'x'; 3 * LINE_BYTES];
    let floods: [(&[u8], &[u8]); 4] =
        [(b"", b"\n"), (&long, b"\n"), (b"", b"status\n"), (b"disarm\n", b"kill\n")];
    for (first, again) in floods {
        let rig = Rig::with(FakeNode::in_state("active", 1), Bounds::default(), 0);
        let stop = Arc::new(AtomicBool::new(false));
        let hostile = flood(&rig, first, again, &stop);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20));
            let mut other = Client::new(&rig);
            assert!(other.ask("kill").ok);
        }
        stop.store(true, Ordering::SeqCst);
        hostile.join().expect("the hostile client");
    }
}
