//! The stop burst: what a panic, or a watchdog, sends in the gate thread's place.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use interlock::ros::rcl::{Context, Node, NodeOptions, Qos, SerializedBuffer, Subscription};
use interlock::ros::typesupport::load_message;
use interlock::watchdog::LastStop;

use crate::calls::{Call, Then, watch};
use crate::gate::{Count, Gate};
use crate::lanes::{LANES, command};
use crate::support::{isolated, wait_for};

const SIGABRT: i32 = 6;

#[test]
fn hazard_60_burst_then_command() {
    isolated("burst::hazard_60_burst_then_command", || {
        let mut gate = Gate::armed();
        for lane in 0..LANES.len() {
            let bytes = gate.wires[lane].command(0.25);
            gate.wires[lane].high.publish_serialized(&bytes).expect("a publish");
            gate.wait_out(lane, &bytes);
        }
        // The tick leaves the bytes; the last one ran after the last command was forwarded.
        let twist = LANES.len() - 1;
        wait_for("a tick after the last command", || gate.count(twist, 0, Count::Passed) == 1);
        for _ in 0..10 {
            gate.burst.frame();
        }
        // Commands after it are not forwarded, and counted as withheld.
        for _ in 0..3 {
            let before = gate.count(twist, 0, Count::Withheld);
            let bytes = gate.wires[twist].command(0.375);
            gate.wires[twist].high.publish_serialized(&bytes).expect("a publish");
            wait_for("a withheld command", || gate.count(twist, 0, Count::Withheld) > before);
        }
        let zero = gate.wires[twist].command(0.0);
        let mut stops = 0;
        wait_for("the burst", || {
            while let Some(bytes) = gate.take(twist) {
                assert_eq!(bytes, zero, "after the fence");
                stops += 1;
            }
            stops == 10
        });
        // A pose is held where it is: the last sent, which the measured one is near to.
        let array = gate.wires[0].command(0.25);
        let mut held = 0;
        wait_for("the pose held", || {
            while let Some(bytes) = gate.take(0) {
                assert_eq!(bytes, array);
                held += 1;
            }
            held == 10
        });
    });
}

/// What comes out of the twist lane from here on, once there are so many.
fn next_out(gate: &mut Gate, count: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    wait_for("what is on the wire", || {
        while let Some(bytes) = gate.take(LANES.len() - 1) {
            out.push(bytes);
        }
        out.len() >= count
    });
    out
}

/// The gate thread has looked at the fence and stands still before its publish, until five frames are
/// out.
#[test]
fn hazard_60_burst_then_command_that_was_past_the_fence() {
    isolated("burst::hazard_60_burst_then_command_that_was_past_the_fence", || {
        static MOVING: OnceLock<Vec<u8>> = OnceLock::new();
        static HELD: AtomicBool = AtomicBool::new(false);
        static IS_OUT: AtomicBool = AtomicBool::new(false);
        static FRAMES: AtomicUsize = AtomicUsize::new(0);
        watch(|seen| {
            let is_held = |bytes| seen.is_gate_thread && MOVING.get().is_some_and(|m| m == bytes);
            match seen.call {
                Call::Publish(bytes) if is_held(bytes) => {
                    HELD.store(true, Ordering::SeqCst);
                    wait_for("five frames", || FRAMES.load(Ordering::SeqCst) == 5);
                }
                Call::Published(bytes) if is_held(bytes) => IS_OUT.store(true, Ordering::SeqCst),
                Call::Published(_) if !seen.is_gate_thread && seen.topic == "/twist_out" => {
                    if FRAMES.fetch_add(1, Ordering::SeqCst) + 1 == 5 {
                        wait_for("the command that was held", || IS_OUT.load(Ordering::SeqCst));
                    }
                }
                Call::Publish(_) | Call::Published(_) | Call::Take => {}
            }
            Then::GoOn
        });
        let mut gate = Gate::armed();
        let twist = LANES.len() - 1;
        let (zero, before) = (gate.wires[twist].command(0.0), gate.wires[twist].command(0.25));
        gate.wires[twist].high.publish_serialized(&before).expect("a publish");
        gate.wait_out(twist, &before);
        wait_for("a tick after the command", || gate.count(twist, 0, Count::Passed) == 1);
        let moving = gate.wires[twist].command(0.375);
        MOVING.set(moving.clone()).expect("once");
        gate.wires[twist].high.publish_serialized(&moving).expect("a publish");
        wait_for("the gate thread between its look and its publish", || {
            HELD.load(Ordering::SeqCst)
        });
        for _ in 0..10 {
            gate.burst.frame();
        }
        // The one command, and safe bytes before and after it.
        let out = next_out(&mut gate, 11);
        let at = out.iter().position(|bytes| *bytes == moving);
        assert_eq!((at, out.len()), (Some(5), 11));
        assert!(out.iter().enumerate().all(|(place, bytes)| place == 5 || *bytes == zero));
        // No other: the next look sees the fence.
        let withheld = gate.count(twist, 0, Count::Withheld);
        gate.wires[twist].high.publish_serialized(&moving).expect("a publish");
        wait_for("a withheld command", || gate.count(twist, 0, Count::Withheld) > withheld);
        assert_eq!(gate.take(twist), None);
    });
}

/// Set in the process that panics.
const PANICS: &str = "INTERLOCK_TEST_PANICS";

/// A gate in motion whose process panics on some thread, as `main` sets it up. It commands until a line
/// comes: the other process may hear it later than it hears the other process.
fn panic_in_motion() {
    let mut gate = Gate::armed();
    let heard = Arc::new(AtomicBool::new(false));
    let of_reader = heard.clone();
    std::thread::spawn(move || {
        std::io::stdin().read_line(&mut String::new()).expect("a reader is there");
        of_reader.store(true, Ordering::Release);
    });
    let twist = LANES.len() - 1;
    let bytes = gate.wires[twist].command(0.25);
    while !heard.load(Ordering::Acquire) {
        gate.wires[twist].high.publish_serialized(&bytes).expect("a publish");
        gate.wait_out(twist, &bytes);
        std::thread::sleep(Duration::from_millis(20));
    }
    wait_for("a tick after a command", || gate.count(twist, 0, Count::Passed) >= 1);
    let switch = gate.switch.clone();
    let fire = move || {
        let gate = &mut gate;
        gate.burst.frame();
    };
    let stop = LastStop::start(switch, || (), fire).expect("a thread");
    stop.on_panic();
    let panicking = std::thread::spawn(|| panic!("what nobody thought of"));
    panicking.join().ok();
    unreachable!("the process goes on after a panic");
}

#[test]
fn hazard_13_gate_hangs_or_dies_a_panic() {
    let name = "burst::hazard_13_gate_hangs_or_dies_a_panic";
    isolated(name, || {
        if std::env::var_os(PANICS).is_some() {
            return panic_in_motion();
        }
        // The controller: in another process, as it is on a robot.
        let context = Context::new(&["program".to_owned()]).expect("a context");
        let options = NodeOptions { use_global_arguments: false, enable_rosout: false };
        let node = Node::new(&context, "controller", "/", options).expect("a node");
        let (lane, kind) = LANES[LANES.len() - 1];
        let loaded = load_message(kind).expect("an installed type");
        let qos = Qos { depth: 100, ..Qos::OUTPUT };
        let topic = format!("/{lane}_out");
        let out = Subscription::new(&node, loaded.support(), &topic, qos);
        let mut out = out.expect("a subscription");
        let mut child = Command::new(std::env::current_exe().expect("know our own program"))
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env(PANICS, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("start this program again");
        let moving = command(lane, loaded.message(), 0.25);
        let zero = command(lane, loaded.message(), 0.0);
        let mut buffer = SerializedBuffer::with_capacity(65_536).expect("a buffer");
        wait_for("the robot to move", || {
            out.take(&mut buffer).expect("a working take").is_some() && buffer.bytes() == moving
        });
        let mut go = child.stdin.take().expect("piped");
        writeln!(go).expect("the child lives");
        let status = child.wait().expect("the child ends");
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");

        let mut stops = 0;
        wait_for("the burst behind the last command", || {
            while let Some(_info) = out.take(&mut buffer).expect("a working take") {
                if buffer.bytes() == moving {
                    stops = 0;
                } else {
                    assert_eq!(buffer.bytes(), zero, "nothing else");
                    stops += 1;
                }
            }
            stops >= 10
        });
    });
}
