//! Params files that many tests begin with, and the messages of their lanes.

use serde_json::{Value, json};

use crate::peer::Received;

/// What every params file here begins with. A shared machine stalls for more than 50 ms now and
/// then; these tests are not about that.
/// `/**`: the node has another name in some tests.
pub(crate) fn head(port: u16) -> String {
    format!("{}    causes: {{gate_stalled: {{action: warn}}}}\n", plain_head(port))
}

/// With the latch on disk, in the lease's own state directory.
pub(crate) fn persisted_head(port: u16) -> String {
    head(port).replace("    latch: {persist: false}\n", "")
}

/// The same without a word about causes.
pub(crate) fn plain_head(port: u16) -> String {
    format!(
        "/**:
  ros__parameters:
    schema: 1
    arm: {{settle_s: 0.05}}
    latch: {{persist: false}}
    http: {{listen: '127.0.0.1:{port}'}}
"
    )
}

/// One velocity lane with one source: what most tests need.
pub(crate) const BASE: &str = "    release_over_ros: true
    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: cmd_vel
        feedback: none
        because: a test has no robot
        limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1000000.0}}}
        safe: {command: zero_velocity}
        start_ramp_s: 0.0
        handover: {duration_s: 0.0}
        release_s: 0.3
        sources:
          agent: {topic: agent, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}
";

/// A position lane beside it. Its feedback is [`STATES`], which ends the params.
pub(crate) const BODY: &str = "      body:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: body_out
        joints: [hip, knee]
        feedback: states
        independent: true
        start_ramp_s: 0.0
        limits: {min_position: -3.0, max_position: 3.0, max_velocity: 1000000.0, max_acceleration: 1000000000.0}
        safe: {command: freeze, tolerance: 5.0}
        sources: {agent: {topic: body_in, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, burst: 100}}
";

/// Where the joints are.
pub(crate) const STATES: &str = "    feedback: {states: {type: sensor_msgs/msg/JointState, topic: states, timeout_s: 60.0, reliability: reliable}}\n";

/// Types that many tests name.
pub(crate) const TWIST: &str = "geometry_msgs/msg/Twist";

/// A twist along x.
pub(crate) fn twist(x: f64) -> Value {
    json!({"linear": {"x": x}})
}

/// Whether a received twist goes along x at exactly this speed.
pub(crate) fn goes(received: &Received, x: f64) -> bool {
    received.message["linear"]["x"].as_f64() == Some(x)
}
