//! Every route through a real TCP connection, and clients that misbehave.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::telemetry::collector::registry;
use crate::telemetry::fixture;

/// Generous: only a bound on waiting for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Rig {
    server: HttpServer,
    slots: Arc<Slots>,
    now: Arc<AtomicU64>,
    ready: Arc<AtomicBool>,
}

fn rig(bounds: Bounds) -> Rig {
    let slots = fixture::slots();
    let now = Arc::new(AtomicU64::new(1));
    let ready = Arc::new(AtomicBool::new(false));
    let (clock, readiness) = (Arc::clone(&now), Arc::clone(&ready));
    let parts = HttpParts {
        registry: registry(Arc::clone(&slots)).unwrap(),
        slots: Arc::clone(&slots),
        steady: Box::new(move || SteadyTime::from_nanos(clock.load(Ordering::SeqCst))),
        status: Box::new(|| Status { state: String::from("killed"), seq: 41, ..Status::default() }),
        readiness: Box::new(move || {
            let ready = readiness.load(Ordering::SeqCst);
            let reasons = if ready { vec![] } else { vec![String::from("feedback joints unseen")] };
            Readiness { ready, reasons }
        }),
    };
    let server = start((Ipv4Addr::LOCALHOST, 0).into(), parts, bounds).unwrap();
    Rig { server, slots, now, ready }
}

fn patient() -> Bounds {
    Bounds { header: PATIENCE, whole: PATIENCE, ..Bounds::default() }
}

struct Answer {
    code: u16,
    head: String,
    body: String,
}

impl Rig {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path)
    }

    fn request(&self, method: &str, path: &str) -> Answer {
        let mut stream = self.connect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        answer(stream)
    }
}

fn answer(mut stream: TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { code, head: head.to_ascii_lowercase(), body: String::from(body) }
}

fn json(answer: &Answer) -> serde_json::Value {
    assert!(answer.head.contains("content-type: application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

/// Reads until the other side has closed. An answer before it is fine.
fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    bytes
}

#[test]
fn when_metrics_are_read_expect_the_text_format() {
    let rig = rig(patient());
    let answer = rig.get("/metrics");
    assert_eq!(answer.code, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    assert!(answer.head.contains("cache-control: no-store"));
    assert!(answer.body.contains("\ninterlock_permitted 0\n"));
    assert!(answer.body.contains("\nprocess_open_fds "));
    assert!(answer.body.contains("interlock_thread_cpu_seconds_total{thread=\"http\"}"));
}

#[test]
fn when_the_gate_stops_ticking_expect_livez_to_say_so() {
    let rig = rig(patient());
    let stalled = u64::try_from(STALLED_AFTER.as_nanos()).unwrap();
    let answer = rig.get("/livez");
    assert_eq!(answer.code, 503);
    assert_eq!(json(&answer)["reasons"][0], "the gate thread has not ticked yet");
    rig.slots.node.ticked(SteadyTime::from_nanos(1_000));
    rig.now.store(1_000 + stalled, Ordering::SeqCst);
    let answer = rig.get("/livez");
    assert_eq!((answer.code, json(&answer)["live"].as_bool()), (200, Some(true)));
    rig.now.store(1_000 + 4 * stalled, Ordering::SeqCst);
    let answer = rig.get("/livez");
    assert_eq!(answer.code, 503);
    let body = json(&answer);
    assert_eq!(body["reasons"][0], "the gate thread ticked 2.0 s ago, needs < 0.5 s");
    rig.slots.node.ticked(SteadyTime::from_nanos(1_000 + 4 * stalled));
    assert_eq!(rig.get("/livez").code, 200);
}

#[test]
fn when_something_is_missing_expect_readyz_to_name_it() {
    let rig = rig(patient());
    let answer = rig.get("/readyz");
    assert_eq!(answer.code, 503);
    assert_eq!(json(&answer)["reasons"][0], "feedback joints unseen");
    rig.ready.store(true, Ordering::SeqCst);
    let answer = rig.get("/readyz");
    assert_eq!((answer.code, json(&answer)["ready"].as_bool()), (200, Some(true)));
}

#[test]
fn when_status_is_read_expect_what_was_filled_in() {
    let rig = rig(patient());
    let answer = rig.get("/status?ignored=1");
    assert_eq!(answer.code, 200);
    let status: Status = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((status.state.as_str(), status.seq), ("killed", 41));
    assert_eq!(json(&answer)["first_trip"], serde_json::Value::Null);
}

#[test]
fn when_the_page_or_nothing_is_asked_for_expect_the_way() {
    let rig = rig(patient());
    let index = rig.get("/");
    assert_eq!(index.code, 200);
    assert!(index.head.contains("content-type: text/html; charset=utf-8"), "{}", index.head);
    assert!(index.head.contains("content-security-policy: default-src 'none'; "), "{}", index.head);
    assert!(index.head.contains("x-content-type-options: nosniff"), "{}", index.head);
    // The gate of this rig does not tick: the page says so before anything else.
    assert!(index.body.contains("<h1>✖ NO PROGRESS</h1>"), "{}", index.body);
    rig.slots.node.ticked(SteadyTime::from_nanos(1));
    let index = rig.get("/");
    assert!(index.body.contains("<h1>✖ KILLED</h1>"), "{}", index.body);
    for route in ["/status", "/metrics", "/livez", "/readyz"] {
        assert!(index.body.contains(route));
    }
    assert_eq!(rig.get("/reset").code, 404);
}

#[test]
fn when_a_method_could_change_something_expect_405() {
    let rig = rig(patient());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in ["/", "/metrics", "/status", "/livez", "/readyz"] {
            let answer = rig.request(method, path);
            assert_eq!(answer.code, 405, "{method} {path}");
            assert!(answer.head.contains("allow: get,head"), "{}", answer.head);
        }
    }
    let head = rig.request("HEAD", "/status");
    assert_eq!((head.code, head.body.as_str()), (200, ""));
}

#[test]
fn when_the_header_is_too_large_expect_431_and_the_next_client_served() {
    let rig = rig(patient());
    let mut stream = rig.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\nX-Long: ").unwrap();
    // The server may answer and close before it has all of it.
    stream.write_all(&vec![b'a'; 64 * 1024]).ok();
    let said = until_closed(&mut stream);
    let said = String::from_utf8_lossy(&said);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    assert_eq!(rig.get("/").code, 200);
}

#[test]
fn when_the_request_is_garbage_expect_it_closed_and_the_next_client_served() {
    let rig = rig(patient());
    let mut stream = rig.connect();
    stream.write_all(b"\x00\xff\x16\x03\x01 no http\r\n\r\n").unwrap();
    until_closed(&mut stream);
    assert_eq!(rig.get("/").code, 200);
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_slow_request_is_closed() {
    let rig = rig(Bounds { header: Duration::from_millis(100), ..patient() });
    let mut stream = rig.connect();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: te").unwrap();
    until_closed(&mut stream);
    assert_eq!(rig.get("/").code, 200);
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_client_that_does_not_read_is_closed() {
    // A status larger than the socket buffers, to a client that reads nothing.
    let slots = fixture::slots();
    let parts = HttpParts {
        registry: registry(Arc::clone(&slots)).unwrap(),
        slots,
        steady: Box::new(|| SteadyTime::from_nanos(1)),
        status: Box::new(|| Status { node: "n".repeat(24 << 20), ..Status::default() }),
        readiness: Box::new(Readiness::default),
    };
    let bounds = Bounds { whole: Duration::from_millis(500), ..patient() };
    let server = start((Ipv4Addr::LOCALHOST, 0).into(), parts, bounds).unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    // Nothing is read until the server has given up: its end of the connection is gone when the
    // kernel no longer lists it as established.
    let port = stream.local_addr().unwrap().port();
    wait_for(|| !is_established(server.address().port(), port));
    let read = until_closed(&mut stream).len();
    assert!(read < 24 << 20, "{read} bytes: the answer came whole");
}

/// Whether the server's end of a connection is established, from the kernel's list.
fn is_established(server_port: u16, client_port: u16) -> bool {
    let list = std::fs::read_to_string("/proc/net/tcp").unwrap();
    list.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        fields[1].ends_with(&format!(":{server_port:04X}"))
            && fields[2].ends_with(&format!(":{client_port:04X}"))
            && fields[3] == "01"
    })
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let start = crate::clock::steady();
    while !condition() {
        assert!(crate::clock::steady().since(start) < PATIENCE, "still not");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn hazard_30_telemetry_disturbs_gate_slow_clients_cannot_keep_others_out() {
    let rig = rig(Bounds { connections: 4, ..patient() });
    let mut slow: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = rig.connect();
            stream.write_all(b"GET /metr").unwrap();
            stream
        })
        .collect();
    assert_eq!(rig.get("/livez").code, 503);
    assert_eq!(rig.get("/status").code, 200);
    // The oldest were closed to make room.
    for stream in slow.iter_mut().take(8) {
        assert!(until_closed(stream).is_empty());
    }
}

#[test]
fn when_the_address_is_taken_expect_an_error_that_names_it() {
    let rig = rig(patient());
    let slots = fixture::slots();
    let parts = HttpParts {
        registry: Registry::new(),
        slots,
        steady: Box::new(SteadyTime::default),
        status: Box::new(Status::default),
        readiness: Box::new(Readiness::default),
    };
    let address = rig.server.address();
    let error = start(address, parts, Bounds::default()).unwrap_err();
    let text = error.to_string();
    let expected = format!("http.listen: cannot listen on {address}: Address already in use");
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("to fix:"), "{text}");
}

#[test]
fn when_the_server_stops_expect_its_thread_gone() {
    let rig = rig(patient());
    let _idle = rig.connect();
    assert_eq!(rig.get("/").code, 200);
    let id = rig.slots.threads.at(ThreadName::Http).id().unwrap();
    rig.server.stop();
    // A joined thread may stay in the kernel's list for a moment.
    wait_for(|| !std::path::Path::new(&format!("/proc/self/task/{id}")).exists());
}
