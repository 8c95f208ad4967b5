//! How the node ends, by itself and otherwise, and what a controller gets then.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdout, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::peer::Received;
use crate::rig::{BASE, Rig, TWIST, goes, twist};
use crate::support::{Running, wait_for};

const PERMIT: &str = "/interlock/permit";
/// How long a permit counts, s. The params file's own is not written here: its default is used.
const VALID_FOR_S: f64 = 0.1;

/// A node whose latch is on disk, in motion, and a peer that reads its permits as a guard does.
fn in_motion() -> Rig {
    let mut rig = Rig::persisted(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    let permit =
        json!({"topic": PERMIT, "type": "interlock/msg/Permit", "reliability": "BEST_EFFORT"});
    rig.peer.ask("subscribe", permit);
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.25);
    let from = rig.peer.count(PERMIT);
    rig.wait_message(PERMIT, from, "a permit", is_permitted);
    rig
}

fn is_permitted(received: &Received) -> bool {
    received.message["permitted"] == true
}

/// Waits until the newest permit is older than it may be, on the clock of who received it. Returns
/// how many came.
fn wait_for_its_end(rig: &mut Rig) -> usize {
    wait_for("the newest permit to be too old", || {
        let age = rig.peer.ask("age", json!({"topic": PERMIT}));
        age.as_f64().expect("an age") > VALID_FOR_S
    });
    rig.peer.count(PERMIT)
}

/// Sends commands and waits until they are out, so that whatever the node would do is done.
fn send_more(rig: &mut Rig) {
    let stream = json!({"topic": "/agent", "msg": twist(0.375), "hz": 100.0});
    rig.peer.ask("stream", stream);
    wait_for("a hundred commands", || {
        rig.peer.ask("sent", json!({"topic": "/agent"})).as_u64() >= Some(100)
    });
    rig.peer.ask("stop", json!({"topic": "/agent"}));
}

/// Whether every thread of the node stands.
fn is_stopped(rig: &Rig) -> bool {
    let tasks = format!("/proc/{}/task", rig.node.pid().as_raw_nonzero());
    let mut tasks = std::fs::read_dir(tasks).expect("the node lives");
    tasks.all(|task| {
        let stat = std::fs::read_to_string(task.expect("a thread").path().join("stat"));
        stat.is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" T")))
    })
}

#[test]
fn hazard_13_gate_hangs_or_dies_a_stopped_process_permits_nothing() {
    let mut rig = in_motion();
    rig.node.signal(Signal::STOP);
    wait_for("every thread to stand", || is_stopped(&rig));
    let permits = wait_for_its_end(&mut rig);
    let commands = rig.peer.count("/cmd_vel");
    send_more(&mut rig);
    assert_eq!(rig.peer.count(PERMIT), permits, "no permit while it stands");
    assert_eq!(rig.peer.count("/cmd_vel"), commands, "and nothing else");
    // Let go on, it is the same run: nothing that it sent before comes again.
    rig.node.signal(Signal::CONT);
    rig.wait_message(PERMIT, permits, "a permit of the same run", |one| {
        one.message["sequence_number"].as_u64() > Some(1)
    });
    assert!(rig.node.lives(), "{}", rig.node.log());
}

/// Ends the node by this signal, in motion. What it leaves is a permit that gets old, and a latch.
fn dies_by(signal: Signal) {
    let mut rig = in_motion();
    rig.node.signal(signal);
    let ended = rig.node.ended();
    assert_eq!(ended.signal(), Some(signal.as_raw()), "{}", rig.node.log());
    let permits = wait_for_its_end(&mut rig);
    // Nobody was left to withdraw it: only its age tells.
    assert!(is_permitted(&rig.peer.newest(PERMIT).expect("a permit")));
    let commands = rig.peer.count("/cmd_vel");
    send_more(&mut rig);
    assert_eq!(rig.peer.count(PERMIT), permits);
    assert_eq!(rig.peer.count("/cmd_vel"), commands);
    // The next run permits nothing until somebody resets and arms.
    let state = rig.run_again("second");
    assert_eq!((&state["label"], &state["permitted"]), (&json!("killed"), &json!(false)));
    assert_eq!(state["first_trip"]["cause"], "unclean_restart");
}

#[test]
fn hazard_13_gate_hangs_or_dies_killed_by_9() {
    dies_by(Signal::KILL);
}

#[test]
fn hazard_13_gate_hangs_or_dies_aborted() {
    dies_by(Signal::ABORT);
}

/// A thread, held as a debugger holds it; the rest of the process goes on.
pub(crate) struct Held {
    process: Running,
    said: BufReader<ChildStdout>,
}

impl Held {
    fn says(&mut self) -> Option<String> {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the holder's output");
        (!line.is_empty()).then(|| line.trim().to_owned())
    }
}

/// [`hold`] for the gate thread.
pub(crate) fn hold_gate(rig: &Rig) -> Option<Held> {
    hold(rig, "gate")
}

/// `None`: this machine lets nobody hold a thread; said aloud.
pub(crate) fn hold(rig: &Rig, thread: &str) -> Option<Held> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/hold_thread.py");
    let pid = rig.node.pid().as_raw_nonzero().to_string();
    let mut command = rig.lease.command("python3");
    command.args(["-u", script, &pid, thread]).stdout(Stdio::piped());
    let mut process = Running(command.spawn().expect("start python3"));
    let said = BufReader::new(process.0.stdout.take().expect("piped"));
    let mut held = Held { process, said };
    let first = held.says();
    if first.as_deref() == Some("not permitted") {
        println!("skipped: no thread of another process may be held here (ptrace)");
        return None;
    }
    assert_eq!(first.as_deref(), Some("held"));
    assert!(held.process.0.try_wait().expect("a status").is_none(), "it must hold on");
    Some(held)
}

#[test]
fn hazard_13_gate_hangs_or_dies_a_gate_thread_that_stands_still() {
    let mut rig = in_motion();
    let (permits, commands) = (rig.peer.count(PERMIT), rig.peer.count("/cmd_vel"));
    let Some(mut held) = hold_gate(&rig) else { return };
    // Another thread notices, sends the safe command and a permit that says no, and ends the process.
    let ended = rig.node.ended();
    assert_eq!(ended.signal(), Some(Signal::ABORT.as_raw()), "{}", rig.node.log());
    assert_eq!(held.says().as_deref(), Some("ended"));
    rig.wait_message(PERMIT, permits, "the withdrawal", |one| !is_permitted(one));
    // Of the frames that a burst has at least one: what a busy peer has not read goes with its writer.
    rig.wait_message("/cmd_vel", commands, "the burst", |one| goes(one, 0.0));
    let log = rig.node.log();
    assert!(log.contains("the gate thread made no progress for"), "{log}");
    assert!(log.contains("fenced, safe commands go out, the process ends"), "{log}");
    let last = rig.peer.newest(PERMIT).expect("a permit");
    assert!(!is_permitted(&last), "the last word is no: {last:?}");
    let state = rig.run_again("second");
    assert_eq!(state["label"], "killed");
}

/// Stops at a rate that takes a while, and long enough for that.
fn slowing() -> String {
    BASE.replace("{command: zero_velocity}", "{command: zero_velocity, deceleration: 0.25}")
        .replace("    lanes:", "    shutdown_stop_s: 3.0\n    stop: {deadline_s: 5.0}\n    lanes:")
}

/// Flows with [`slowing`], and how much of it came.
fn before_a_ramp() -> (Rig, usize) {
    let mut rig = Rig::new(&slowing());
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.375);
    let from = rig.peer.count("/cmd_vel");
    (rig, from)
}

fn speed(received: &Received) -> f64 {
    received.message["linear"]["x"].as_f64().expect("a number")
}

#[test]
fn hazard_28_shutdown_drops_robot() {
    let (mut rig, from) = before_a_ramp();
    rig.node.signal(Signal::TERM);
    let exit = rig.node.ended();
    assert_eq!(exit.code(), Some(0), "{}", rig.node.log());
    // A controlled stop: slower and slower, at the rate of the safe command, to standstill.
    rig.wait_message("/cmd_vel", from, "standstill", |one| goes(one, 0.0));
    let stop = rig.peer.received("/cmd_vel", from);
    let speeds: Vec<f64> = stop.iter().map(speed).collect();
    assert!(speeds.windows(2).all(|pair| pair[1] <= pair[0]), "never faster: {speeds:?}");
    assert!(speeds.iter().any(|speed| *speed > 0.0 && *speed < 0.375), "no jump: {speeds:?}");
    // And stays there until the end.
    assert!(speeds.iter().filter(|speed| **speed == 0.0).count() > 1, "{speeds:?}");
    assert!(speeds.last().is_some_and(|speed| *speed == 0.0), "{speeds:?}");
    assert!(!rig.node.log().contains("below a balance loop"), "this lane is not");
}

/// Nobody is left to bring it to zero step by step.
#[test]
fn hazard_13_gate_hangs_or_dies_in_a_ramp_to_zero() {
    let (mut rig, from) = before_a_ramp();
    rig.node.signal(Signal::USR1);
    rig.wait_message("/cmd_vel", from, "the ramp", |one| (0.01..0.375).contains(&speed(one)));
    let Some(_held) = hold_gate(&rig) else { return };
    let ended = rig.node.ended();
    assert_eq!(ended.signal(), Some(Signal::ABORT.as_raw()), "{}", rig.node.log());
    rig.wait_message("/cmd_vel", from, "standstill", |one| goes(one, 0.0));
    let newest = rig.peer.newest("/cmd_vel").expect("the burst");
    assert!(goes(&newest, 0.0), "{newest:?}");
}

/// Whether this process and those that it starts ignore SIGHUP, as under `nohup`.
fn is_under_nohup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("a number") & 1 == 1
}

#[test]
fn hazard_28_shutdown_drops_robot_by_a_closed_terminal_or_a_key() {
    for signal in [Signal::HUP, Signal::QUIT, Signal::ALARM, Signal::POWER] {
        if signal == Signal::HUP && is_under_nohup() {
            eprintln!("skipped: SIGHUP is ignored in this session, and so by the node");
            continue;
        }
        let mut rig = in_motion();
        let from = rig.peer.count("/cmd_vel");
        rig.node.signal(signal);
        // Nobody asks for an end by the last two: whoever supervises starts it again.
        let asked = [Signal::HUP, Signal::QUIT].contains(&signal);
        let code = if asked { 0 } else { 70 };
        assert_eq!(rig.node.ended().code(), Some(code), "{signal:?}: {}", rig.node.log());
        rig.wait_message("/cmd_vel", from, "standstill", |one| goes(one, 0.0));
        let last = rig.peer.newest("/cmd_vel").expect("a command");
        assert!(goes(&last, 0.0), "{signal:?}: {last:?}");
        // It ended by itself: the next run comes up disarmed.
        assert_eq!(rig.run_again("second")["label"], "disarmed", "{signal:?}");
    }
}

#[test]
fn hazard_28_shutdown_drops_robot_a_killed_one_stays_held_until_the_end() {
    let mut rig = Rig::new(BASE);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.25);
    rig.trigger("kill");
    rig.wait_lane(0, "safe");
    let from = rig.peer.count("/cmd_vel");
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
    wait_for("safe commands", || rig.peer.count("/cmd_vel") > from + 1);
    let after = rig.peer.received("/cmd_vel", from);
    assert!(after.iter().all(|one| goes(one, 0.0)), "{after:?}");
}

#[test]
fn ctrl_z_and_sigusr2_kill_and_the_process_goes_on() {
    let mut rig = in_motion();
    for signal in [Signal::TSTP, Signal::USR2] {
        let from = rig.peer.count("/cmd_vel");
        rig.node.signal(signal);
        let state = rig.wait_state("killed", |state| state["label"] == "killed");
        assert_eq!(state["first_trip"]["cause"], "kill_signal", "{signal:?}");
        rig.wait_message("/cmd_vel", from, "standstill", |one| goes(one, 0.0));
        rig.reset();
        rig.arm();
        rig.flows("/agent", 0.25);
    }
    assert!(rig.node.lives(), "{}", rig.node.log());
}

#[test]
fn a_thread_that_hangs_keeps_nobody_from_the_next_run() {
    let mut rig = in_motion();
    let Some(control) = hold(&rig, "control") else { return };
    rig.node.signal(Signal::TERM);
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
    drop(control);
    assert!(rig.node.log().contains("the process ends without it"), "{}", rig.node.log());
    // It was stopped, and the disk knows it.
    assert_eq!(rig.run_again("second")["label"], "disarmed");
}

#[test]
fn hazard_38_start_drops_robot_killed_in_the_ramp_of_a_disarm() {
    let slowly = slowing().replace("deceleration: 0.25", "deceleration: 0.1");
    let mut rig = Rig::persisted(&slowly);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.reset();
    rig.arm();
    rig.flows("/agent", 0.375);
    let from = rig.peer.count("/cmd_vel");
    assert_eq!(rig.trigger("disarm")["success"], true);
    // Disarmed, and still on its way to zero.
    rig.wait_message("/cmd_vel", from, "the ramp", |one| speed(one) < 0.35);
    rig.node.signal(Signal::KILL);
    rig.node.ended();
    let last = rig.peer.newest("/cmd_vel").expect("a command");
    assert!(speed(&last) > 0.0, "too late to show anything: {last:?}");
    let state = rig.run_again("second");
    assert_eq!(state["label"], "killed");
    assert_eq!(state["first_trip"]["cause"], "unclean_restart");
}
