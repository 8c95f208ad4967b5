//! What the service manager is told, by a socket that is none of systemd's.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;

use crate::endings::hold_gate;
use crate::rig::{BASE, Rig, TWIST};
use crate::support::{DomainLease, wait_for};

/// The node tells of its progress every third of it.
const WATCHDOG_USEC: &str = "600000";

/// The service manager's side.
struct Manager {
    socket: UnixDatagram,
    told: Vec<String>,
}

impl Manager {
    /// Everything told so far, in order; a datagram may have several lines.
    fn told(&mut self) -> &[String] {
        let mut bytes = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]);
            self.told.extend(text.lines().map(str::to_owned));
        }
        &self.told
    }

    fn wait(&mut self, what: &str) {
        wait_for(&format!("{what:?} to the service manager"), || {
            self.told().iter().any(|line| line.starts_with(what))
        });
    }

    fn count(&mut self, what: &str) -> usize {
        self.told().iter().filter(|line| *line == what).count()
    }
}

/// A node under a service manager.
fn supervised() -> (Rig, Manager) {
    let mut bound = None;
    let bind = std::cell::RefCell::new(&mut bound);
    let words = |lease: &DomainLease| {
        std::fs::create_dir_all(lease.state_dir()).expect("the lease's folder");
        let path = lease.state_dir().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bind");
        socket.set_nonblocking(true).expect("a socket");
        **bind.borrow_mut() = Some(socket);
        let notify = format!("NOTIFY_SOCKET={}", path.display());
        let watchdog = format!("WATCHDOG_USEC={WATCHDOG_USEC}");
        ["env", &notify, &watchdog, env!("CARGO_BIN_EXE_interlock")].map(str::to_owned).into()
    };
    let rig = Rig::persisted_through(BASE, &words);
    (rig, Manager { socket: bound.expect("bound"), told: Vec::new() })
}

#[test]
fn the_service_manager_is_told_ready_progress_state_and_the_end() {
    let (mut rig, mut manager) = supervised();
    rig.peer.subscribe("/cmd_vel", TWIST);
    manager.wait("READY=1");
    manager.wait("STATUS=killed, seq 1");
    let first = manager.told().first().cloned();
    assert_eq!(first.as_deref(), Some("READY=1"), "before anything else: {:?}", manager.told());
    rig.reset();
    manager.wait("STATUS=disarmed, seq 2");
    rig.arm();
    manager.wait("STATUS=active, seq 3");
    let progress = manager.count("WATCHDOG=1");
    wait_for("the gate's progress, again and again", || {
        manager.count("WATCHDOG=1") >= progress + 3
    });
    assert_eq!(manager.count("STOPPING=1"), 0);

    rig.node.signal(Signal::TERM);
    manager.wait("STOPPING=1");
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
    for once in ["READY=1", "STOPPING=1"] {
        assert_eq!(manager.count(once), 1, "{:?}", manager.told());
    }
}

#[test]
fn no_progress_is_told_of_a_gate_that_stands_still_whatever_the_other_threads_do() {
    let (mut rig, mut manager) = supervised();
    manager.wait("WATCHDOG=1");
    let Some(_held) = hold_gate(&rig) else { return };
    let before = manager.count("WATCHDOG=1");
    // The process ends itself half a second later. By then it would have told of progress twice.
    assert!(!rig.node.ended().success());
    let told = manager.count("WATCHDOG=1") - before;
    // What the gate did before it was held may be told after that, once.
    assert!(told <= 1, "{told} times");
    assert_eq!(manager.count("STOPPING=1"), 0, "that was no stop that anybody asked for");
}
