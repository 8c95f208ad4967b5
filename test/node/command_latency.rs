//! Latency truth of commands: header age, transport and residence each move with their own cause alone.
//!
//! Residence is the time in which the gate has a command in hand: from the take to the call of its
//! publish. What waits in a queue, for a slow network or a late gate, is not in hand: that is transport,
//! and age. So what moves residence is work on the command itself, as a large one needs.
//!
//! What is compared is the bucket of the median, over the commands of one stream.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::commands::stands;
use crate::monitor::wait_series;
use crate::monitor_latency::{is_at, is_small};
use crate::peer::Peer;
use crate::rig::Rig;
use crate::skewed::skewed;

const STAMPED: &str = "geometry_msgs/msg/TwistStamped";
const PLAN: &str = "trajectory_msgs/msg/JointTrajectory";
const SOURCE: &str = "allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100";
/// Of the messages of one stream.
const FEW: u32 = 2;
const MANY: u32 = 1_000;
/// The bucket of residence that ends at a millisecond, in set G.
const A_MILLISECOND: usize = 9;
/// Commands that are looked at, at least.
const COMMANDS: f64 = 60.0;

fn params() -> String {
    format!(
        "    release_over_ros: true
    feedback: {{states: {{type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}}}
    lanes:
      base:
        type: {STAMPED}
        output: base_out
        feedback: none
        because: a test has no robot
        independent: true
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        safe: {{command: zero_velocity}}
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1000000.0}}}}}}
        sources:
          late: {{topic: late, priority: 20, {SOURCE}}}
          agent: {{topic: agent, priority: 10, {SOURCE}}}
      plan:
        type: {PLAN}
        output: plan_out
        balance: false
        feedback: states
        joints: [hip, knee]
        independent: true
        start_ramp_s: 0.0
        safe: {{command: hold_point, tolerance: 5.0}}
        limits: {{min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, max_acceleration: 1000000000.0}}
        sources: {{planner: {{topic: planner, priority: 10, {SOURCE}}}}}
"
    )
}

fn armed() -> Rig {
    let mut rig = Rig::new(&params());
    for (topic, kind) in [("/base_out", STAMPED), ("/plan_out", PLAN)] {
        rig.peer.subscribe(topic, kind);
        rig.peer.wait_for_writer(topic);
    }
    stands(&mut rig, &["hip", "knee"]);
    rig.arm();
    rig
}

/// The bucket of each histogram's median.
#[derive(Debug)]
struct Medians {
    age: usize,
    transport: usize,
    residence: usize,
}

/// All buckets of the three histograms, cumulated, by family and place.
type Buckets = BTreeMap<(&'static str, usize), f64>;

fn buckets(rig: &mut Rig, lane: &str, source: &str) -> Buckets {
    let text = rig.http("/metrics");
    let labels = format!("lane=\"{lane}\",source=\"{source}\"");
    let lane = format!("lane=\"{lane}\"");
    let mut found = Buckets::new();
    for (family, labels) in [("age", &labels), ("transport", &labels), ("residence", &lane)] {
        let prefix = format!("interlock_command_{family}_seconds_bucket{{{labels},le=\"");
        let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix));
        for (place, line) in lines.enumerate() {
            let (_, count) = line.rsplit_once(' ').expect("a value");
            found.insert((family, place), count.parse().expect("a number"));
        }
    }
    found
}

fn medians(before: &Buckets, after: &Buckets) -> Medians {
    let median = |family: &str| {
        let of = after.iter().filter(|((name, _), _)| *name == family);
        let grown: Vec<f64> = of.map(|(key, count)| count - before[key]).collect();
        let all = *grown.last().expect("buckets");
        assert!(all >= COMMANDS, "{family} of {all} commands");
        grown.iter().position(|count| count * 2.0 >= all).expect("the last has all")
    };
    Medians { age: median("age"), transport: median("transport"), residence: median("residence") }
}

/// Streams a command until enough have been forwarded. `other`: who sends, if not the rig's peer. Each
/// source has one publisher: another's commands would be refused.
fn stream(
    rig: &mut Rig,
    mut other: Option<&mut Peer>,
    (lane, source): (&str, &str),
    message: Value,
    stamp_offset_s: f64,
) -> Medians {
    let topic = format!("/{source}");
    let before = buckets(rig, lane, source);
    let forwarded = format!("interlock_command_residence_seconds_count{{lane=\"{lane}\"}}");
    let received =
        format!("interlock_command_transport_seconds_count{{lane=\"{lane}\",source=\"{source}\"}}");
    let wanted: Vec<(String, f64)> = [forwarded, received]
        .into_iter()
        .map(|name| {
            let now = wait_series(rig, &name, |_| true);
            (name, now + COMMANDS)
        })
        .collect();
    let peer = other.as_deref_mut().unwrap_or(&mut rig.peer);
    let run =
        json!({"topic": topic, "msg": message, "hz": 100.0, "stamp_offset_s": stamp_offset_s});
    peer.ask("stream", run);
    for (name, count) in wanted {
        wait_series(rig, &name, |n| n >= count);
    }
    other.unwrap_or(&mut rig.peer).ask("stop", json!({"topic": topic}));
    let medians = medians(&before, &buckets(rig, lane, source));
    println!("{source}: {medians:?}");
    medians
}

fn moving() -> Value {
    json!({"twist": {"linear": {"x": 0.25}}})
}

/// Points where the robot stands, a hundredth of a second apart.
fn plan(points: u32) -> Value {
    let point = |number: u32| {
        let nanos = u64::from(number) * 10_000_000;
        json!({"positions": [0.0, 0.0],
               "time_from_start": {"sec": 1 + nanos / 1_000_000_000, "nanosec": nanos % 1_000_000_000}})
    };
    let points: Vec<Value> = (0..points).map(point).collect();
    json!({"joint_names": ["hip", "knee"], "points": points})
}

/// What was injected, in seconds, is what was found, and nothing else moved.
fn is_alone(found: Medians, age_s: f64, transport_s: f64) {
    for (found, injected_s, what) in
        [(found.age, age_s, "age"), (found.transport, transport_s, "transport")]
    {
        if injected_s > 0.0 {
            is_at(found, injected_s, what);
        } else {
            is_small(found, what);
        }
    }
    assert!(found.residence <= A_MILLISECOND, "residence: {found:?}");
}

#[test]
fn when_a_command_s_stamp_is_old_expect_its_age_alone_to_move() {
    let mut rig = armed();
    rig.peer.publisher("/agent", STAMPED);
    for offset in [0.0, -0.4, -1.7] {
        is_alone(stream(&mut rig, None, ("base", "agent"), moving(), offset), -offset, 0.0);
    }
}

#[test]
fn when_the_sender_s_clock_is_behind_expect_a_command_s_transport_alone_to_move() {
    let mut rig = armed();
    for (name, skew) in [("agent", 0.0), ("late", -0.4)] {
        let mut peer = skewed(&rig, name, skew);
        peer.publisher(&format!("/{name}"), STAMPED);
        // Its stamps are put right, so that only the middleware's own are wrong.
        let found = stream(&mut rig, Some(&mut peer), ("base", name), moving(), -skew);
        is_alone(found, 0.0, -skew);
    }
}

#[test]
fn when_a_command_needs_work_expect_its_residence_alone_to_move() {
    let mut rig = armed();
    let planner = ("plan", "planner");
    rig.peer.publisher("/planner", PLAN);
    let short = stream(&mut rig, None, planner, plan(FEW), 0.0);
    let long = stream(&mut rig, None, planner, plan(MANY), 0.0);
    assert!(
        long.residence >= short.residence + 3,
        "{MANY} points for {FEW}: {short:?}, then {long:?}"
    );
    for found in [short, long] {
        is_small(found.age, "age");
        is_small(found.transport, "transport");
    }
}
