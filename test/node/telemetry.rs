//! Telemetry in trouble: slow readers, a full disk, a journal that hangs, a flood. The gate goes on, and
//! what is lost is counted.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::commands::stands;
use crate::monitor::{series, wait_series};
use crate::rig::{BASE, BODY, Rig, STATES, TWIST, goes};
use crate::support::{DomainLease, wait_for};

/// A second source that sends nothing but refusals.
const WITH_NONSENSE: &str = "          nonsense: {topic: nonsense, priority: 5, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}\n";
/// Clients that read nothing, and as many that do not finish their question: more than the server holds.
const SLOW: usize = 48;
/// Between two scrapes: 50 Hz.
const SCRAPE_EVERY: Duration = Duration::from_millis(20);

/// The node with all of its log, through words that change its stderr.
fn rig(through: &[&str]) -> Rig {
    let words = |_: &DomainLease| {
        let all = ["env", "RUST_LOG=interlock=trace"].iter().chain(through);
        all.chain(&[env!("CARGO_BIN_EXE_interlock")]).map(|word| (*word).to_owned()).collect()
    };
    let mut rig = Rig::persisted_through(&format!("{BASE}{WITH_NONSENSE}"), &words);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.publisher("/nonsense", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.reset();
    rig.arm();
    rig
}

/// Clients that ask for everything and read nothing, or never come to the end of their question, and one
/// that scrapes without a rest.
struct Readers {
    slow: Vec<TcpStream>,
    ends: Arc<AtomicBool>,
    scraped: Arc<AtomicU64>,
    scraper: Option<JoinHandle<()>>,
}

impl Readers {
    fn start(rig: &Rig) -> Self {
        let address = ("127.0.0.1", rig.port());
        let ask = move |end: &str| {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            write!(stream, "GET /metrics HTTP/1.1\r\nHost: test\r\n{end}").expect("a request");
            stream
        };
        // An answer may find room in the buffers between, and then holds no place in the server.
        let slow = (0..SLOW).flat_map(|_| [ask("\r\n"), ask("")]).collect();
        let (ends, scraped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (until, count) = (ends.clone(), scraped.clone());
        let scraper = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let mut text = String::new();
                let read = ask("\r\n").read_to_string(&mut text);
                if read.is_ok() && text.contains("interlock_build_info") {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(SCRAPE_EVERY);
            }
        });
        Self { slow, ends, scraped, scraper: Some(scraper) }
    }

    fn scraped(&self) -> u64 {
        self.scraped.load(Ordering::Relaxed)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(scraper) = self.scraper.take() {
            drop(scraper.join());
        }
        self.slow.clear();
    }
}

/// Floods the gate with refusals while readers misbehave, and shows that commands pass and a kill
/// acts. Returns the scrapes that were answered meanwhile.
fn goes_on(rig: &mut Rig) -> u64 {
    let readers = Readers::start(rig);
    let nonsense = json!({"linear": {"x": "$nan"}});
    // The reader may find the writer later than the writer the reader: what is sent before is nobody's.
    let mut tried = 0;
    wait_for("the first refusal", || {
        rig.peer.publish("/nonsense", nonsense.clone());
        tried += 1;
        judged_or_lost(rig) > 0
    });
    let before = judged_or_lost(rig);
    rig.peer.ask("stream", json!({"topic": "/nonsense", "msg": nonsense, "hz": 500.0}));
    rig.wait_count(0, 1, "rejected", 100);
    for step in 1..=24_u32 {
        rig.flows("/agent", f64::from(step) / 64.0);
    }
    wait_for("scrapes that are answered", || readers.scraped() >= 20);
    // Every command of the flood has its verdict, or is known to be lost.
    let sent = rig.peer.ask("stop", json!({"topic": "/nonsense"})).as_u64().expect("a count");
    let mut found = 0;
    for _ in 0..2_000 {
        found = judged_or_lost(rig) - before;
        if found >= sent {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // The last of those tried may have come after the look.
    assert!(
        (sent..=sent + tried).contains(&found),
        "{found} judged or lost of {sent}, {tried} tried"
    );
    let from = rig.peer.count("/cmd_vel");
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.wait_message("/cmd_vel", from, "the safe command", |one| goes(one, 0.0));
    readers.scraped()
}

/// Commands of the flood that have a verdict, and those that are known to be lost.
fn judged_or_lost(rig: &mut Rig) -> u64 {
    let status = rig.status();
    let source = &status["lanes"][0]["sources"][1];
    let all = ["passed", "limited", "rejected", "withheld", "not_selected", "lost"];
    all.iter().map(|what| source[what].as_u64().unwrap_or(0)).sum()
}

fn lost(rig: &mut Rig, sink: &str) -> f64 {
    let name = format!("interlock_log_messages_lost_total{{sink=\"{sink}\"}}");
    series(rig, &name).expect("a counter is there from the start")
}

/// Of all series of one scrape that begin so.
fn sum(metrics: &str, series: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(series));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Bounds of the bucket that 99 % of the commands' residences are within, for the record.
fn p99(rig: &mut Rig) -> String {
    let text = rig.http("/metrics");
    let prefix = "interlock_command_residence_seconds_bucket{lane=\"base\",le=\"";
    let buckets: Vec<(String, f64)> = text
        .lines()
        .filter_map(|line| line.strip_prefix(prefix)?.split_once("\"} "))
        .map(|(bound, count)| (bound.to_owned(), count.parse().unwrap()))
        .collect();
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    let bucket = buckets.iter().find(|(_, count)| *count >= 0.99 * all);
    bucket.map_or_else(String::new, |(bound, _)| format!("{bound} s of {all} commands"))
}

#[test]
fn hazard_30_telemetry_disturbs_gate_slow_readers_full_disk_and_a_flood() {
    let mut rig = rig(&["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"]);
    for step in 1..=24_u32 {
        rig.flows("/agent", f64::from(step) / 64.0);
    }
    let quiet = p99(&mut rig);
    let scraped = goes_on(&mut rig);
    println!(
        "residence, 99 % within: quiet {quiet}; all of it {}, {scraped} scrapes",
        p99(&mut rig)
    );
    // Not one line could be written, and each is counted; who reads /rosout has missed none.
    assert_eq!(rig.node.log(), "");
    wait_for("every line of the log counted as lost", || {
        let text = rig.http("/metrics");
        let logged = sum(&text, "interlock_log_messages_total{");
        logged > 20.0 && sum(&text, "interlock_log_messages_lost_total{sink=\"stderr\"}") == logged
    });
    assert_eq!(lost(&mut rig, "rosout"), 0.0);
    rig.node.signal(Signal::TERM);
    assert!(rig.node.ended().success(), "a log that cannot be written ends nobody");
}

/// Becomes the node with a stderr that nobody reads: a pipe of one page, both ends its own.
const HUNG: &str = "import fcntl, os, sys
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ
os.dup2(w, 2)
os.set_inheritable(r, True)
os.execvp(sys.argv[1], sys.argv[1:])
";

#[test]
fn hazard_30_telemetry_disturbs_gate_a_journal_that_hangs() {
    let mut rig = rig(&["python3", "-c", HUNG]);
    // A log flood: each client too many is a line of the http thread.
    let mut open = VecDeque::new();
    wait_for("lines that find no place in the log's queue", || {
        for _ in 0..200 {
            open.push_back(TcpStream::connect(("127.0.0.1", rig.port())).expect("it listens"));
            if open.len() > SLOW {
                open.pop_front();
            }
        }
        lost(&mut rig, "stderr") > 0.0
    });
    drop(open);
    let scraped = goes_on(&mut rig);
    println!("{scraped} scrapes while the journal hung, {} lines lost", lost(&mut rig, "stderr"));
    // What comes by ROS comes all the same: reset, arm, and the state after them.
    rig.reset();
    rig.arm();
    // The signal that stops the robot needs no journal.
    rig.node.signal(Signal::TERM);
    assert!(rig.node.ended().success());
}

#[test]
fn when_a_kill_had_nothing_to_send_expect_the_next_stop_timed_from_its_own_start() {
    let mut rig = Rig::new(&format!("    lanes:\n{BODY}{STATES}"));
    let of = |trigger: &str| format!("interlock_stop_seconds_count{{trigger=\"{trigger}\"}}");
    // No pose is measured: there is nothing to hold yet.
    assert_eq!(rig.trigger("kill")["success"], true);
    rig.wait_state("killed", |state| state["label"] == "killed");
    stands(&mut rig, &["hip", "knee"]);
    rig.wait_lane(0, "safe");
    rig.node.signal(Signal::USR1);
    wait_series(&mut rig, &of("kill_signal"), |count| count == 1.0);
    assert_eq!(series(&mut rig, &of("kill_service")), Some(0.0));
}
