//! The end of a process whose gate stands still or that panics, seen from outside.
//!
//! Each test starts this program again for itself alone: what is tested ends the process.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use interlock::kill_switch::KillSwitch;
use interlock::watchdog::{LastStop, Progress, watch};

/// Set in the child: where it writes what happened.
const RECORD: &str = "INTERLOCK_LAST_STOP_RECORD";
const SIGABRT: i32 = 6;
/// What a pipe holds on Linux before a writer waits.
const PIPE_BYTES: usize = 65_536;

/// In the child: runs `body`, which must end the process by itself.
fn doomed(body: impl FnOnce(PathBuf)) -> bool {
    let Some(record) = std::env::var_os(RECORD) else { return false };
    let record = PathBuf::from(record);
    let log = fs::File::create(log_of(&record)).expect("a log");
    tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log)).init();
    body(record);
    // The one that must end us has one minute.
    thread::sleep(Duration::from_secs(60));
    unreachable!("nobody ended the process");
}

/// What the child logged.
fn log_of(record: &Path) -> PathBuf {
    record.with_extension("log")
}

/// In the parent: starts the child for one test, waits for its end, and returns how it ended and what
/// it wrote. Nobody reads its standard error.
fn end_of(test: &str) -> (ExitStatus, String) {
    let (status, said, _) = end_and_log_of(test);
    (status, said)
}

/// The same, and what it logged.
fn end_and_log_of(test: &str) -> (ExitStatus, String, String) {
    let record = std::env::temp_dir().join(format!("interlock-{}-{test}", std::process::id()));
    let program = std::env::current_exe().expect("know our own program");
    let mut child: Child = Command::new(program)
        .args(["--exact", &format!("last_stop::{test}"), "--nocapture", "--test-threads=1"])
        .env(RECORD, &record)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the child");
    let status = child.wait().expect("the child ends");
    let [said, log] = [record.clone(), log_of(&record)].map(|file| {
        let said = fs::read_to_string(&file).unwrap_or_default();
        drop(fs::remove_file(&file));
        said
    });
    (status, said, log)
}

/// A last stop whose first frame writes whether the fence is up; each does `then`. Watched with
/// `progress`.
fn armed(record: &Path, progress: &Arc<Progress>, then: fn()) -> Arc<LastStop> {
    let switch = Arc::new(KillSwitch::default());
    let (of_burst, mut record) = (switch.clone(), Some(record.to_owned()));
    let frame = move || {
        if let Some(record) = record.take() {
            fs::write(record, format!("fenced: {}", of_burst.is_fenced())).expect("write");
        }
        then();
    };
    let stop = LastStop::start(switch, || (), frame).expect("two threads");
    watch(progress.clone(), stop.clone(), || ()).expect("a thread");
    stop
}

fn nothing() {}

fn hang() {
    loop {
        thread::park();
    }
}

#[test]
fn when_the_gate_stands_still_expect_fence_burst_and_the_end() {
    let is_child = doomed(|record| {
        let progress = Arc::new(Progress::default());
        progress.step();
        armed(&record, &progress, nothing);
    });
    assert!(!is_child);
    let (status, said, log) =
        end_and_log_of("when_the_gate_stands_still_expect_fence_burst_and_the_end");
    assert_eq!((status.signal(), said.as_str()), (Some(SIGABRT), "fenced: true"));
    assert!(log.contains("fenced, safe commands go out, the process ends"), "{log}");
}

#[test]
fn when_the_burst_hangs_expect_the_end_all_the_same() {
    let is_child = doomed(|record| {
        let progress = Arc::new(Progress::default());
        progress.step();
        armed(&record, &progress, hang);
    });
    assert!(!is_child);
    let (status, said, log) = end_and_log_of("when_the_burst_hangs_expect_the_end_all_the_same");
    assert_eq!((status.signal(), said.as_str()), (Some(SIGABRT), "fenced: true"));
    // Whoever reads it must not believe that the robot was told.
    assert!(log.contains("fenced, NO safe command gets through the middleware"), "{log}");
}

#[test]
fn when_nobody_watches_expect_the_burst_to_end_the_process_behind_its_own_last_frame() {
    let is_child = doomed(|record| {
        let frame = move || {
            let record = fs::File::options().create(true).append(true).open(&record);
            record.expect("open").write_all(b".").expect("write");
        };
        let stop = LastStop::start(Arc::default(), || (), frame).expect("two threads");
        stop.fire();
    });
    assert!(!is_child);
    let (status, said) =
        end_of("when_nobody_watches_expect_the_burst_to_end_the_process_behind_its_own_last_frame");
    assert_eq!(status.signal(), Some(SIGABRT));
    assert!(said.len() >= 10, "{said}");
}

#[test]
fn when_a_thread_panics_expect_fence_burst_and_the_end() {
    let is_child = doomed(|record| {
        let stop = armed(&record, &Arc::new(Progress::default()), nothing);
        stop.on_panic();
        thread::spawn(|| panic!("as a bug would"));
    });
    assert!(!is_child);
    let (status, said) = end_of("when_a_thread_panics_expect_fence_burst_and_the_end");
    assert_eq!((status.signal(), said.as_str()), (Some(SIGABRT), "fenced: true"));
}

#[test]
fn when_nobody_reads_the_panic_s_message_expect_the_end_all_the_same() {
    let is_child = doomed(|record| {
        let stop = armed(&record, &Arc::new(Progress::default()), nothing);
        stop.on_panic();
        // From here on a word to standard error waits for ever.
        std::io::stderr().write_all(&[b'.'; PIPE_BYTES]).expect("the pipe takes as much");
        thread::spawn(|| panic!("as a bug would"));
    });
    assert!(!is_child);
    let (status, said) =
        end_of("when_nobody_reads_the_panic_s_message_expect_the_end_all_the_same");
    assert_eq!((status.signal(), said.as_str()), (Some(SIGABRT), "fenced: true"));
}

#[test]
fn when_the_gate_moves_and_ends_expect_no_end_of_the_process() {
    let progress = Arc::new(Progress::default());
    let switch = Arc::new(KillSwitch::default());
    let stop = LastStop::start(switch.clone(), || (), || ()).expect("a thread");
    let watched = watch(progress.clone(), stop.clone(), || ()).expect("a thread");
    // Longer than a stall, with turns in between.
    for _ in 0..40 {
        progress.step();
        thread::sleep(Duration::from_millis(20));
    }
    progress.end();
    watched.join().expect("it ends with the gate");
    assert!(!stop.is_fired() && !switch.is_fenced());
}
