//! Commands that do not go through, each with its reason.

use serde_json::{Value, json};

use crate::commands::stands;
use crate::rig::{BASE, Rig, TWIST, goes, twist};

const SOURCE: &str = "priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100";
const ARRAY: &str = "std_msgs/msg/Float64MultiArray";
const STATES: &str = "sensor_msgs/msg/JointState";
const PLAN: &str = "trajectory_msgs/msg/JointTrajectory";

/// One velocity lane of each type that has names or counts.
fn lanes() -> String {
    let rest = |lane: &str| {
        format!(
            "output: {lane}_out
        independent: true
        start_ramp_s: 0.0
        joints: [hip, knee, foot]
        sources: {{agent: {{topic: {lane}_in, {SOURCE}}}}}"
        )
    };
    let position = "feedback: states\n        \
         limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, \
         max_acceleration: 1000000000.0}";
    format!(
        "    release_over_ros: true
    max_message_bytes: 2048
    feedback: {{states: {{type: {STATES}, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    lanes:
      array:
        type: {ARRAY}
        interface: velocity
        feedback: none
        because: a test has no robot
        limits: {{max_velocity: 9.0, max_acceleration: 1000000.0}}
        safe: {{command: zero_velocity}}
        {array}
      joints:
        type: {STATES}
        interface: position
        balance: false
        safe: {{command: freeze, tolerance: 5.0}}
        {position}
        {joints}
      plan:
        type: {PLAN}
        balance: false
        safe: {{command: hold_point, tolerance: 5.0}}
        {position}
        {plan}
",
        array = rest("array"),
        joints = rest("joints"),
        plan = rest("plan"),
    )
}

/// A lane in flow: every message on its output from here on is one that came in.
struct Flow {
    rig: Rig,
    lanes: Vec<Lane>,
}

struct Lane {
    name: &'static str,
    kind: &'static str,
    good: Value,
    rejected: u64,
    seen: usize,
}

impl Flow {
    fn new(params: &str, lanes: &[(&'static str, &'static str, Value)]) -> Self {
        let mut rig = Rig::new(params);
        for (name, kind, _) in lanes {
            rig.peer.subscribe(&format!("/{name}_out"), kind);
            rig.peer.publisher(&format!("/{name}_in"), kind);
            rig.peer.wait_for_writer(&format!("/{name}_out"));
        }
        if params.contains("states") {
            stands(&mut rig, &["hip", "knee", "foot"]);
        }
        rig.arm();
        let lanes = lanes.iter().cloned();
        let lanes = lanes.map(|(name, kind, good)| Lane { name, kind, good, rejected: 0, seen: 0 });
        let mut flow = Self { rig, lanes: lanes.collect() };
        for lane in 0..flow.lanes.len() {
            flow.goes_on(lane, false);
        }
        flow
    }

    /// The lane's good command comes out; `next`: as the next message of all.
    fn goes_on(&mut self, lane: usize, next: bool) {
        let Self { rig, lanes } = self;
        let Lane { name, kind, good, seen, .. } = &mut lanes[lane];
        let out = format!("/{name}_out");
        let bytes = rig.peer.serialize(kind, good.clone());
        rig.peer.publish_bytes(&format!("/{name}_in"), &bytes);
        let what = format!("a good {name} command");
        rig.wait_message(&out, *seen, &what, |one| one.bytes == bytes);
        let received = rig.peer.received(&out, *seen);
        assert!(!next || received.len() == 1, "{name}: something else came out: {received:#?}");
        *seen += received.len();
    }

    /// These bytes are refused for this reason, and do not come out.
    fn refused(&mut self, lane: usize, bytes: &[u8], reason: &str) {
        let Self { rig, lanes } = self;
        let one = &mut lanes[lane];
        one.rejected += 1;
        rig.peer.publish_bytes(&format!("/{}_in", one.name), bytes);
        let counts = rig.wait_count(lane, 0, "rejected", one.rejected);
        let sent: String = bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(counts["last_reason"], reason, "{} {sent}", one.name);
        assert_eq!(counts["rejected"], one.rejected, "{} {sent}", one.name);
        self.goes_on(lane, true);
    }

    fn refused_message(&mut self, lane: usize, message: Value, reason: &str) {
        let kind = self.lanes[lane].kind;
        let bytes = self.rig.peer.serialize(kind, message);
        self.refused(lane, &bytes, reason);
    }
}

fn joints(names: &[&str], positions: &[f64]) -> Value {
    json!({"name": names, "position": positions})
}

fn plan(names: &[&str], points: Value) -> Value {
    json!({"joint_names": names, "points": points})
}

fn flow() -> Flow {
    let all = ["hip", "knee", "foot"];
    let point = json!([{"positions": [0.1, 0.2, 0.3], "time_from_start": {"sec": 1}}]);
    Flow::new(
        &lanes(),
        &[
            ("array", ARRAY, json!({"data": [0.5, 0.25, 0.125]})),
            ("joints", STATES, joints(&all, &[0.1, 0.2, 0.3])),
            ("plan", PLAN, plan(&all, point)),
        ],
    )
}

#[test]
fn what_cannot_be_judged_is_refused_whole_with_its_reason() {
    let mut flow = flow();
    let all = ["hip", "knee", "foot"];
    for number in ["$nan", "$inf", "$-inf"] {
        flow.refused_message(0, json!({"data": [0.1, number, 0.1]}), "not_finite");
    }
    flow.refused_message(0, json!({"data": [0.1, 0.1]}), "wrong_count");
    flow.refused_message(0, json!({"data": []}), "wrong_count");
    flow.refused_message(0, json!({"data": vec![0.1; 1000]}), "too_large");
    flow.refused_message(1, joints(&all, &[0.1, 0.2]), "wrong_count");
    flow.refused_message(1, joints(&all, &[]), "wrong_count");
    flow.refused_message(1, joints(&["hip", "knee", "nose"], &[0.1, 0.2, 0.3]), "unknown_joint");
    flow.refused_message(1, joints(&["hip", "knee", "hip"], &[0.1, 0.2, 0.3]), "duplicate_joint");
    let nan = json!({"name": all, "position": [0.1, 0.2, "$nan"]});
    flow.refused_message(1, nan, "not_finite");
    // A quantity beside the commanded one that nobody limited.
    let pushes = json!({"name": all, "position": [0.1, 0.2, 0.3], "effort": [0.0, 1.0, 0.0]});
    flow.refused_message(1, pushes, "locked_axis");
    let point =
        |positions: Value, at: i32| json!({"positions": positions, "time_from_start": {"sec": at}});
    let good = json!([0.1, 0.2, 0.3]);
    let nan = json!([point(good.clone(), 1), point(json!([0.1, 0.2, "$nan"]), 2)]);
    flow.refused_message(2, plan(&all, nan), "not_finite");
    let short = json!([point(good.clone(), 1), point(json!([0.1, 0.2]), 2)]);
    flow.refused_message(2, plan(&all, short), "wrong_count");
    let back = json!([point(good.clone(), 2), point(good.clone(), 1)]);
    flow.refused_message(2, plan(&all, back), "times_not_increasing");
    let stranger = plan(&["hip", "knee", "nose"], json!([point(good, 1)]));
    flow.refused_message(2, stranger, "unknown_joint");
}

#[test]
fn hazard_20_partial_or_reordered_joints_on_the_wire() {
    let mut flow = flow();
    // Some of the joints is not a complete command here.
    flow.refused_message(1, joints(&["hip", "knee"], &[0.1, 0.2]), "wrong_count");
    flow.refused_message(1, joints(&["foot"], &[0.1]), "wrong_count");
    flow.refused_message(1, joints(&[], &[0.1, 0.2, 0.3]), "wrong_count");
    // In another order each value is still that joint's: a NaN by name, a bound by name.
    let reordered = joints(&["foot", "hip", "knee"], &[9.0, 0.2, 0.1]);
    let sent = flow.rig.peer.serialize(STATES, reordered);
    flow.rig.peer.publish_bytes("/joints_in", &sent);
    let seen = flow.lanes[1].seen;
    let out = flow.rig.wait_message("/joints_out", seen, "the reordered command", |_| true);
    let message = &out.message;
    assert_eq!(message["name"], json!(["foot", "hip", "knee"]));
    assert_eq!(message["position"][1], 0.2);
    assert_eq!(message["position"][2], 0.1);
    let foot = message["position"][0].as_f64().expect("a number");
    assert!(foot > 2.9 && foot <= 3.0, "the foot's own bound: {foot}");
}

#[test]
fn hazard_21_unlisted_axis_on_the_wire() {
    let base = BASE
        .replace("output: cmd_vel", "output: base_out")
        .replace("topic: agent", "topic: base_in");
    let mut flow = Flow::new(&base, &[("base", TWIST, twist(0.25))]);
    for axis in ["y", "z"] {
        flow.refused_message(0, json!({"linear": {"x": 0.1, axis: 0.01}}), "locked_axis");
    }
    for axis in ["x", "y", "z"] {
        let message = json!({"linear": {"x": 0.1}, "angular": {axis: -0.01}});
        flow.refused_message(0, message, "locked_axis");
    }
    flow.refused_message(0, json!({"linear": {"y": "$nan"}}), "not_finite");
    // Noise is no motion, and goes through as it is.
    flow.lanes[0].good = json!({"linear": {"x": 0.25, "y": 1e-7, "z": -0.0}});
    flow.goes_on(0, true);
}

#[test]
fn over_a_limit_that_rejects_nothing_comes_out() {
    let base = BASE
        .replace("output: cmd_vel", "output: base_out")
        .replace("topic: agent", "topic: base_in")
        .replace("        safe:", "        on_limit: {velocity: reject}\n        safe:");
    let mut flow = Flow::new(&base, &[("base", TWIST, twist(0.25))]);
    flow.refused_message(0, twist(0.51), "velocity");
    flow.refused_message(0, twist(-3.0), "velocity");
    flow.lanes[0].good = twist(0.5);
    flow.goes_on(0, true);
}

/// A generator with a fixed seed: the same garbage in every run.
struct Garbage(u64);

impl Garbage {
    fn next(&mut self) -> u8 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0.to_be_bytes()[0]
    }
}

#[test]
fn hazard_31_malformed_bytes_on_the_wire() {
    let mut flow = flow();
    let mut garbage = Garbage(31);
    for lane in 0..3 {
        let (kind, good) = (flow.lanes[lane].kind, flow.lanes[lane].good.clone());
        let good = flow.rig.peer.serialize(kind, good);
        // Fast DDS carries whole words.
        let half = good.len() / 8 * 4;
        let mut unknown = good.clone();
        unknown[1] = 7;
        let mut count = good.clone();
        count[12..16].fill(0xFF);
        let mut noise: Vec<u8> = (0..64).map(|_| garbage.next() | 0x80).collect();
        noise[..4].copy_from_slice(&[0, 1, 0, 0]);
        let cases: [&[u8]; 5] = [&[0, 1, 0, 0], &good[..half], &unknown, &count, &noise];
        for case in cases {
            flow.refused(lane, case, "malformed");
        }
        // The two bytes after the encapsulation are the sender's own: nothing is wrong with them.
        let mut marked = good.clone();
        marked[2..4].copy_from_slice(&[0xAB, 0xCD]);
        flow.rig.peer.publish_bytes(&format!("/{}_in", flow.lanes[lane].name), &marked);
        let rejected = flow.lanes[lane].rejected;
        let counts = flow.rig.wait_count(lane, 0, "passed", 2);
        assert_eq!(counts["rejected"], rejected);
        flow.lanes[lane].seen = flow.rig.peer.count(&format!("/{}_out", flow.lanes[lane].name));
    }
    let metrics = flow.rig.http("/metrics");
    let counted = metrics
        .lines()
        .filter(|line| line.contains("reason=\"malformed\"") && line.ends_with(" 5"));
    assert_eq!(counted.count(), 3, "five of each lane:\n{metrics}");
    // The verbs are served as before.
    assert_eq!(flow.rig.trigger("kill")["success"], true);
    assert!(flow.rig.node.lives());
    let state = flow.rig.wait_lane(0, "safe");
    assert_eq!(state["label"], "killed");
}

#[test]
fn a_burst_over_the_rate_is_refused_and_the_source_is_heard_again() {
    let base = BASE.replace("max_rate_hz: 1000.0, burst: 100", "max_rate_hz: 5.0, burst: 2");
    let mut rig = Rig::new(&base);
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.peer.wait_for_writer("/cmd_vel");
    rig.arm();
    rig.flows("/agent", 0.1);
    let burst = rig.peer.serialize(TWIST, twist(0.2));
    let burst: Vec<String> = (0..40).map(|_| crate::peer::hex(&burst)).collect();
    rig.peer.ask("publish_all", json!({"topic": "/agent", "hex": burst, "pause_s": 0.0}));
    let counts = rig.wait_count(0, 0, "rejected", 1);
    assert_eq!(counts["last_reason"], "rate_exceeded");
    let from = rig.peer.count("/cmd_vel");
    // Slowly again: within the debt's end it is heard.
    crate::support::wait_for("a command after the burst", || {
        rig.peer.publish("/agent", twist(0.3));
        std::thread::sleep(std::time::Duration::from_millis(300));
        rig.peer.received("/cmd_vel", from).iter().any(|one| goes(one, 0.3))
    });
}
