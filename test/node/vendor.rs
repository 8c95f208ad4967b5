//! A vendor-like low-level command, gated without a line of Rust that knows it, judged by a robot
//! that was written independently (`vendor_robot.py`).
//!
//! The messages are built here, so the test runs again in a process that finds them.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::support::interfaces::with_interfaces;
use crate::support::{Running, wait_for};

/// The package of the vendor's messages.
const MESSAGES: &str = "vendor_msgs";
const JOINTS: usize = 29;
/// Generous: the robot answers within milliseconds.
const ANSWER: Duration = Duration::from_secs(60);

/// The lane of the vendor's robot. `balance` is off, so that limits change commands.
fn params() -> String {
    let joints: Vec<String> = (0..JOINTS).map(|joint| format!("joint_{joint}")).collect();
    format!(
        "    release_over_ros: true
    lanes:
      body:
        type: interlock_test_vendor_msgs/msg/LowCmd
        interface: position
        output: lowcmd
        joints: [{joints}]
        feedback: low_state
        balance: false
        fields: {{position: 'motor_cmd[].q', velocity: 'motor_cmd[].dq', effort: 'motor_cmd[].tau',
                 kp: 'motor_cmd[].kp', kd: 'motor_cmd[].kd'}}
        fixed:
          motors: {{field: 'motor_cmd[].reserve', safe: 0}}
          reserved: {{field: 'reserve[]', safe: 0}}
          mode_pr: {{field: mode_pr, allowed: [0], safe: 0}}
          machine: {{field: mode_machine, mirror: low_state.mode_machine}}
          enabled: {{field: 'motor_cmd[0..29].mode', allowed: [1], safe: 1}}
          unused: {{field: 'motor_cmd[29..35].mode', allowed: [0], safe: 0}}
        checksum: {{field: crc, kind: unitree_crc32}}
        limits: {{min_position: -0.5, max_position: 0.5, max_velocity: 1000000.0,
                 max_acceleration: 1000000000000.0, max_effort: 10.0, max_kp: 100.0, max_kd: 20.0}}
        unlimited: [total_effort]
        safe: {{command: damping, kd: 3.0}}
        start_ramp_s: 0.0
        release_s: 0.3
        sources:
          agent: {{topic: policy_lowcmd, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
    feedback:
      low_state:
        type: interlock_test_vendor_msgs/msg/LowState
        topic: lowstate
        timeout_s: 60.0
        fields: {{position: 'motor_state[].q', velocity: 'motor_state[].dq'}}
        checksum: {{field: crc, kind: unitree_crc32}}
",
        joints = joints.join(", ")
    )
}

/// The same below the balance loop: verified, never altered.
fn balanced() -> String {
    let altering = [
        ("        start_ramp_s: 0.0\n", ""),
        ("balance: false", "balance: true"),
        (
            ", max_velocity: 1000000.0,\n                 max_acceleration: 1000000000000.0",
            ", max_velocity: 50.0",
        ),
        ("allow_no_timeout: true", "timeout_s: 10.0"),
    ];
    let mut params = params();
    for (from, to) in altering {
        assert!(params.contains(from), "{from} in\n{params}");
        params = params.replace(from, to);
    }
    params
}

/// The robot's process.
struct Robot {
    lines: Receiver<String>,
    stdin: ChildStdin,
    log: PathBuf,
    _child: Running,
}

impl Robot {
    fn start(rig: &Rig) -> Self {
        let log = rig.scratch.path().join("robot.log");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/test/node/vendor_robot.py");
        let mut child = rig
            .lease
            .command("python3")
            .args(["-u", script, "lowcmd", "policy_lowcmd", "lowstate"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("create the robot's log"))
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
        let mut robot = Self { lines, stdin, log, _child: Running(child) };
        robot.wait("ready", |line| line["ready"] == true);
        wait_for("a reader of the commands", || {
            robot.tell(json!({"readers": true}));
            robot.wait("readers", |line| line["readers"].is_number())["readers"] != 0
        });
        robot
    }

    fn tell(&mut self, order: Value) {
        writeln!(self.stdin, "{order}").expect("the robot lives");
        self.stdin.flush().expect("the robot lives");
    }

    /// One command with every joint there.
    fn send(&mut self, q: f64, mut order: Value) {
        order["q"] = json!(vec![q; JOINTS]);
        self.tell(json!({"send": order}));
    }

    /// The next line that is this. No frame may have been dropped until then.
    fn wait(&mut self, what: &str, is: impl FnMut(&Value) -> bool) -> Value {
        self.wait_past("nothing", what, is)
    }

    /// The same, past frames that were dropped for this reason.
    fn wait_past(&mut self, reason: &str, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(ANSWER).unwrap_or_else(|_| {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("waited for the robot's {what}\n{log}");
            });
            let line: Value = serde_json::from_str(&line).expect("JSON");
            let dropped = &line["dropped"];
            assert!(dropped.is_null() || dropped == reason, "the robot dropped a frame: {line}");
            if is(&line) {
                return line;
            }
        }
    }

    /// A frame that the robot accepted.
    fn accepted(&mut self, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
        let line = self.wait(what, |line| !line["accepted"].is_null() && is(&line["accepted"]));
        line["accepted"].clone()
    }
}

fn all(frame: &Value, field: &str, joints: f64) -> bool {
    let values = frame[field].as_array().expect("35 numbers");
    values.iter().enumerate().all(|(motor, value)| {
        let expected = if motor < JOINTS { joints } else { 0.0 };
        value.as_f64().is_some_and(|value| (value - expected).abs() < 1e-6)
    })
}

#[test]
fn hazard_36_and_37_a_vendors_robot_takes_every_frame_that_comes_out() {
    let name = "vendor::hazard_36_and_37_a_vendors_robot_takes_every_frame_that_comes_out";
    with_interfaces(MESSAGES, name, takes_every_frame);
}

fn takes_every_frame() {
    let mut rig = Rig::new(&params());
    let mut robot = Robot::start(&rig);
    rig.arm();

    // Inside the limits: bit for bit. Outside: limited, with a checksum that the robot takes.
    robot.send(0.25, json!({}));
    let passed = robot.accepted("a passed command", |frame| all(frame, "q", 0.25));
    assert!(all(&passed, "kp", 40.0) && all(&passed, "kd", 1.5), "{passed}");
    robot.send(0.75, json!({}));
    let limited = robot.accepted("a limited command", |frame| all(frame, "q", 0.5));
    let positions = limited["q"].as_array().expect("35 numbers");
    assert!(positions.iter().all(|q| q.as_f64().is_some_and(|q| q <= 0.5)), "{limited}");
    assert_eq!(limited["reserve"], passed["reserve"], "kept");

    // Refused before the robot sees it: a wrong checksum, a mode that is not the robot's.
    robot.send(0.25, json!({"spoil": true}));
    assert_eq!(rig.wait_count(0, 0, "rejected", 1)["last_reason"], "checksum");
    robot.send(0.25, json!({"machine": 9}));
    assert_eq!(rig.wait_count(0, 0, "rejected", 2)["last_reason"], "fixed_value");

    // A kill: damping frames that the robot takes, in its mode, with the words it knows.
    rig.trigger("kill");
    let damped = robot.accepted("a damping frame", |frame| all(frame, "kd", 3.0));
    assert!(all(&damped, "kp", 0.0) && all(&damped, "dq", 0.0) && all(&damped, "tau", 0.0));
    assert_eq!(damped["reserve"], passed["reserve"], "as last sent");
    robot.send(0.1, json!({}));
    rig.wait_count(0, 0, "withheld", 1);
    // The robot changes its mode: the safe frames follow. Those under way are dropped by right.
    robot.tell(json!({"machine": 6}));
    robot.tell(json!({"readers": true}));
    robot.wait_past("mode_machine", "the change", |line| line["readers"].is_number());
    // The first may have been judged just before the change; not all three.
    for _ in 0..3 {
        let taken = |line: &Value| !line["accepted"].is_null();
        let damped = robot.wait_past("mode_machine", "a frame in the new mode", taken);
        assert!(all(&damped["accepted"], "kd", 3.0), "{damped}");
    }
}

#[test]
fn hazard_40_gate_distorts_balance_on_the_wire() {
    let name = "vendor::hazard_40_gate_distorts_balance_on_the_wire";
    with_interfaces(MESSAGES, name, balance_is_never_distorted);
}

fn balance_is_never_distorted() {
    let mut rig = Rig::new(&balanced());
    let mut robot = Robot::start(&rig);
    rig.arm();
    // Whatever is within the wide envelope passes, in one step from end to end.
    for q in [0.125, 0.4375, -0.4375] {
        robot.send(q, json!({}));
        let passed = robot.accepted("a passed command", |frame| all(frame, "q", q));
        assert!(all(&passed, "kp", 40.0), "{passed}");
    }
    // What is not is refused whole, and nothing else comes out for it: the next frames are those sent.
    robot.send(0.75, json!({}));
    let counts = rig.wait_count(0, 0, "rejected", 1);
    assert_eq!(counts["last_reason"], "position");
    robot.send(0.25, json!({"kp": 101.0}));
    assert_eq!(rig.wait_count(0, 0, "rejected", 2)["last_reason"], "gain");
    robot.send(0.25, json!({}));
    // Between two commands a balance lane says nothing of its own.
    robot.wait("the next command", |line| {
        let frame = &line["accepted"];
        assert!(frame.is_null() || all(frame, "q", 0.25), "altered or made: {frame}");
        !frame.is_null()
    });
    assert_eq!(rig.wait_count(0, 0, "rejected", 2)["limited"], 0);
    // Its silence is no hold, it is a fall: killed, and damped.
    let state = rig.wait_state("killed", |state| state["label"] == "killed");
    assert_eq!(state["first_trip"]["cause"], "source_silent");
    let damped = robot.accepted("a damping frame", |frame| all(frame, "kd", 3.0));
    assert!(all(&damped, "kp", 0.0) && all(&damped, "tau", 0.0), "{damped}");
}

#[test]
fn hazard_28_shutdown_drops_robot_below_a_balance_loop() {
    let name = "vendor::hazard_28_shutdown_drops_robot_below_a_balance_loop";
    with_interfaces(MESSAGES, name, ends_below_a_balance_loop);
}

fn ends_below_a_balance_loop() {
    let mut rig = Rig::new(&balanced());
    // Said at the start, while there is time to do something about it.
    wait_for("what the end means, in the log", || {
        let log = rig.node.log();
        let told = log.lines().find(|line| line.contains("below a balance loop"));
        told.is_some_and(|line| {
            ["WARN", "'body'", "a stop is a fall", "damping for 0.5 s", "Hold the robot"]
                .iter()
                .all(|part| line.contains(part))
        })
    });
    let mut robot = Robot::start(&rig);
    rig.arm();
    // A stream: on a busy machine one command may be fenced by a late tick.
    for _ in 0..20 {
        robot.send(0.125, json!({}));
        std::thread::sleep(Duration::from_millis(20));
    }
    robot.accepted("a passed command", |frame| all(frame, "q", 0.125));
    rig.node.signal(Signal::TERM);
    // As it said: damping that the robot takes, again and again, then the end.
    for _ in 0..3 {
        let damped = robot.accepted("a damping frame", |frame| all(frame, "kd", 3.0));
        assert!(all(&damped, "kp", 0.0) && all(&damped, "tau", 0.0), "{damped}");
    }
    assert_eq!(rig.node.ended().code(), Some(0), "{}", rig.node.log());
}
