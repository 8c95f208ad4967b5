//! What tests on a real ROS 2 need.
//!
//! A process has one ROS domain, so every such test runs in a process of its
//! own: [`isolated`] starts this test program again for just that test. Each
//! takes a domain that no other test on this machine uses ([`domain_lease`]),
//! and talks on the loopback interface only.
//!
//! **Invariant:** no test passes because something was not run: a child must
//! reach the end of its body and say so.
//! **Invariant:** waiting is bounded and generous, and never measures time.
#![allow(
    dead_code,
    reason = "each test program uses a part; `expect` would fail in one that uses all"
)]

pub(crate) mod interfaces;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Set in the child: the test to run there.
const TEST: &str = "INTERLOCK_ISOLATED_TEST";
/// Set in the child: the file it makes when the body has ended well.
const DONE: &str = "INTERLOCK_ISOLATED_DONE";
/// Words put in front of the child's command, for example a memory checker.
const WRAPPER: &str = "INTERLOCK_TEST_WRAPPER";
/// Seconds a child may take, instead of [`LIMIT_S`].
const LIMIT: &str = "INTERLOCK_TEST_LIMIT_S";

/// Generous: a slow shared machine must not fail a test that would pass.
const LIMIT_S: u64 = 180;
/// How long [`wait_for`] waits.
const WAIT_S: u64 = 60;
/// How often a waiting test looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOKS_PER_S: u64 = 200;

/// Domains whose ports stay below the ephemeral range.
const DOMAINS: usize = 101;

/// Numbers what one process makes.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Runs `body` in a process of its own with its own domain. `name` is the
/// test's full name, as `cargo test` prints it.
///
/// # Panics
/// With the child's output, when the body fails or takes too long.
pub(crate) fn isolated(name: &str, body: impl FnOnce()) {
    if std::env::var(TEST).is_ok_and(|test| test == name) {
        body();
        let done = std::env::var_os(DONE).expect("a child is told where to report");
        fs::write(done, name).expect("report the end");
        return;
    }
    let lease = domain_lease();
    let scratch = Scratch::new();
    let (output, done) = (scratch.path().join("output"), scratch.path().join("done"));
    let log = File::create(&output).expect("create the output file");
    let program = std::env::current_exe().expect("know our own program");
    let mut command = wrapped(&lease, &program);
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(TEST, name)
        .env(DONE, &done)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("share the output file"))
        .stderr(log);
    let mut child = Running(command.spawn().expect("start the child"));
    let status = child.wait_bounded(limit_s());
    let text = || String::from_utf8_lossy(&fs::read(&output).unwrap_or_default()).into_owned();
    let Some(status) = status else { panic!("{name} took too long\n{}", text()) };
    assert!(status.success(), "{name} ended with {status}\n{}", text());
    assert!(done.exists(), "{name} did not run: is the name right?\n{}", text());
    // rcl prints this when a failed call's text was not reset before the next.
    let overwritten = text().contains("error state is being overwritten");
    assert!(!overwritten, "{name} left an error behind\n{}", text());
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within a minute.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..WAIT_S * LOOKS_PER_S {
        if condition() {
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("waited {WAIT_S} s for: {what}");
}

/// Waits until `condition` gives a value.
///
/// # Panics
/// When it does not within a minute.
pub(crate) fn wait_for_some<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let mut found = None;
    wait_for(what, || {
        found = condition();
        found.is_some()
    });
    found.expect("the condition held")
}

/// A ROS domain that no other test on this machine uses until this is dropped.
#[derive(Debug)]
pub(crate) struct DomainLease {
    id: usize,
    logs: Scratch,
    // The lock goes with the file, also when the process dies.
    _lock: File,
}

/// Takes a free domain.
///
/// # Panics
/// When every domain is taken for a minute.
pub(crate) fn domain_lease() -> DomainLease {
    let locks = std::env::temp_dir().join("interlock-test-domains");
    fs::create_dir_all(&locks).expect("create the folder of locks");
    // Spread: a domain used a moment ago may still hear a killed peer.
    let offset = 7 * usize::try_from(std::process::id()).unwrap_or(0) + number();
    wait_for_some("a free ROS domain", || {
        (0..DOMAINS).find_map(|index| {
            let id = 1 + (offset + index) % DOMAINS;
            let path = locks.join(format!("{id}.lock"));
            let lock = File::options().create(true).append(true).open(path).ok()?;
            lock.try_lock().ok()?;
            Some(DomainLease { id, logs: Scratch::new(), _lock: lock })
        })
    })
}

impl DomainLease {
    /// The domain.
    pub(crate) fn id(&self) -> usize {
        self.id
    }

    /// Where a node on this domain has its control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.logs.path().join("control.sock")
    }

    /// Where a node started on this lease keeps its latch file.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.logs.path().join("interlock")
    }

    /// A command that talks on this domain, on the loopback interface, and logs
    /// to a folder that goes with the lease.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("ROS_DOMAIN_ID", self.id.to_string())
            .env("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
            .env("ROS_LOG_DIR", self.logs.path())
            // A node's latch file is its own, and one that is left over is nobody's.
            .env("XDG_STATE_HOME", self.logs.path())
            .env_remove("STATE_DIRECTORY")
            // The control socket of a node on this domain, and of no other.
            .env("RUNTIME_DIRECTORY", self.logs.path())
            .env_remove("ROS_LOCALHOST_ONLY")
            .env_remove("ROS_STATIC_PEERS");
        command
    }
}

/// A child process that does not outlive its owner.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// How the child ended; `None` when it did not within `seconds`, and it has
    /// been killed then.
    pub(crate) fn wait_bounded(&mut self, seconds: u64) -> Option<ExitStatus> {
        for _ in 0..seconds * LOOKS_PER_S {
            if let Some(status) = self.0.try_wait().expect("ask for the child's status") {
                return Some(status);
            }
            thread::sleep(LOOK_EVERY);
        }
        self.stop();
        None
    }

    /// Kills the child, as `kill -9` does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        // Both fail only when the child is gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An empty folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    pub(crate) fn new() -> Self {
        let name = format!("interlock-test-{}-{}", std::process::id(), number());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("create a folder");
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("write a file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is only a folder in the system's temporary folder.
        drop(fs::remove_dir_all(&self.0));
    }
}

fn wrapped(lease: &DomainLease, program: &Path) -> Command {
    let wrapper = std::env::var(WRAPPER).unwrap_or_default();
    let mut words = wrapper.split_whitespace();
    let Some(first) = words.next() else {
        return lease.command(program);
    };
    let mut command = lease.command(first);
    command.args(words).arg(program);
    command
}

fn limit_s() -> u64 {
    std::env::var(LIMIT).ok().and_then(|text| text.parse().ok()).unwrap_or(LIMIT_S)
}

fn number() -> usize {
    // Relaxed: only the number matters.
    NEXT.fetch_add(1, Ordering::Relaxed)
}
