//! `/status`: the node's state as JSON, in the words of `~/state`.
//!
//! Plain data, filled from the gate's snapshot by whoever has it, and read back by `interlockctl`.
//! Times are seconds since the epoch by the node's wall clock, next to ages by its steady clock, so
//! a reader needs no clock of its own. What is not known is `null`.

use serde::{Deserialize, Serialize};

pub use super::clock_status::ClockStatus;
pub use super::self_test::SelfTestPart;
pub use super::sensors::{BatteryStatus, TemperatureStatus};
pub use super::topics::TopicStatus;

/// The whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// `disarmed`, `active`, `killed`; `unknown` before the gate runs.
    pub state: String,
    /// Motion is permitted, the bit of `~/permit`.
    pub permitted: bool,
    /// Moves at every change of state and new cause; reset and arm name it.
    pub seq: u64,
    /// When this status was made.
    pub stamp_unix_s: f64,
    /// When the state was entered.
    pub since_unix_s: f64,
    /// How long ago that is.
    pub since_age_s: f64,
    /// Why it is killed; `null` while it is not.
    pub first_trip: Option<TripStatus>,
    /// The newest trip, of an earlier run where this one has none.
    pub last_trip: Option<TripStatus>,
    /// What stands in the way of the next step: reset while killed, arm while disarmed.
    pub unmet: Vec<ConditionStatus>,
    /// Limit profile in force; `null` while not armed.
    pub profile: Option<String>,
    /// Factor on velocity limits, 1: none.
    pub derating: f64,
    /// The lanes.
    pub lanes: Vec<LaneStatus>,
    /// The kill inputs.
    pub kill_inputs: Vec<KillInputStatus>,
    /// The feedback topics.
    pub feedback: Vec<FeedbackStatus>,
    /// Temperatures, input after input.
    #[serde(default)]
    pub temperatures: Vec<TemperatureStatus>,
    /// Batteries.
    #[serde(default)]
    pub batteries: Vec<BatteryStatus>,
    /// Topics watched for telemetry.
    #[serde(default)]
    pub topics: Vec<TopicStatus>,
    /// The wall clock and the machine's sleep.
    #[serde(default)]
    pub clock: ClockStatus,
    /// The latest refusals, one for each lane, source and reason, the newest first; empty for a
    /// reader that has no log.
    #[serde(default)]
    pub rejections: Vec<RejectionStatus>,
    /// Causes whose action is `ignore` in the profile in force; while not armed, in the one that a
    /// plain arm takes.
    pub ignored_causes: Vec<String>,
    /// The causes that are there now, whatever they do.
    #[serde(default)]
    pub causes: Vec<CauseStatus>,
    /// `use_sim_time` is on.
    #[serde(default)]
    pub simulated_time: bool,
    /// Limits are still to come with a robot description; nothing arms before.
    #[serde(default)]
    pub awaits_description: bool,
    /// What there is to say about the robot description; empty: nothing.
    #[serde(default)]
    pub description: String,
    /// What the latch does not survive, or why its file cannot be written; empty: it is kept on disk.
    #[serde(default)]
    pub latch: String,
    /// Steps of the real-time set-up that failed, each with its reason and the way out.
    #[serde(default)]
    pub realtime: Vec<String>,
    /// Path of the control socket: who looks over HTTP may not find it. Empty: not told.
    #[serde(default)]
    pub control_socket: String,
    /// Which robot.
    pub hardware_id: String,
    /// Of the program.
    pub version: String,
    /// Digest of the effective configuration.
    pub config_sha256: String,
    /// Name of the node with its namespace, for the texts that tell what to call.
    pub node: String,
}

/// One event that latched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TripStatus {
    /// `seq` after it.
    pub seq: u64,
    /// When.
    pub stamp_unix_s: f64,
    /// How long ago.
    pub age_s: f64,
    /// Closed list.
    pub cause: String,
    /// Lane, source, kill input or sensor; empty: the node.
    pub subject: String,
    /// One sentence with the value and the limit, may be empty.
    pub detail: String,
    /// Who, where known, else empty.
    pub operator: String,
    /// Why, in the operator's words, where told.
    #[serde(default)]
    pub reason: String,
}

/// One cause that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseStatus {
    /// Closed list.
    pub cause: String,
    /// Lane, source, kill input or sensor; empty: the node.
    pub subject: String,
    /// What it does: `ignore`, `warn`, `hold`, `disarm`, `kill`.
    pub action: String,
    /// Whether it does it already, or its debounce still runs.
    pub acts: bool,
    /// One sentence with the value and the limit.
    pub text: String,
}

/// Commands of one source refused for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RejectionStatus {
    /// When the newest was received.
    pub stamp_unix_s: f64,
    /// How long ago that is.
    pub age_s: f64,
    /// The lane.
    pub lane: String,
    /// The source.
    pub source: String,
    /// Closed list.
    pub reason: String,
    /// Of the newest: the joint or axis, the value found and the value allowed; empty: none of them.
    pub detail: String,
    /// How many in this run.
    pub count: u64,
}

/// What a watched lane saw of one joint or axis, before any limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeenStatus {
    /// Joint or axis.
    pub name: String,
    /// Lowest position; `null`: none yet.
    pub min_position: Option<f64>,
    /// Highest position.
    pub max_position: Option<f64>,
    /// Largest magnitude of velocity.
    pub max_velocity: Option<f64>,
    /// Largest magnitude of acceleration.
    pub max_acceleration: Option<f64>,
    /// The limits that the params file gives it.
    #[serde(default)]
    pub limits: SeenLimits,
    /// Commands that a limit would have changed here.
    pub limited: u64,
    /// Commands judged.
    pub judged: u64,
}

/// Limits beside what was seen; `null`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeenLimits {
    /// Lowest position.
    pub min_position: Option<f64>,
    /// Highest position.
    pub max_position: Option<f64>,
    /// Largest magnitude of velocity, the wider of the two directions.
    pub max_velocity: Option<f64>,
    /// Speeding up.
    pub max_acceleration: Option<f64>,
}

/// The note of a lane whose output nobody looks at any more.
pub const UNSEEN: &str = "nobody has looked at its readers and writers for 5 s: thread control hangs (then \
    only a kill works), or the middleware refuses: restart interlock at a standstill";

/// How [`LaneStatus::notes`] begin that tell of readers who get nothing.
pub const UNREAD: &str = "reads the output but gets nothing";

/// One thing that stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionStatus {
    /// Closed list.
    pub code: String,
    /// What it is about; empty: the node.
    pub subject: String,
    /// For an operator: the value found, the value needed, the next command.
    pub text: String,
}

/// One lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// Of the lane.
    pub name: String,
    /// `gate`.
    pub mode: String,
    /// `released`, `waiting`, `flowing`, `holding`, `safe`.
    pub state: String,
    /// Source in charge; `null`: none.
    pub owner: Option<String>,
    /// Source pinned by `select_source`; `null`: by priority.
    pub selected: Option<String>,
    /// For example `zero_velocity`.
    pub safe_command: String,
    /// How often it is sent, Hz; `null`: never (`silent`), or not told.
    #[serde(default)]
    pub safe_rate_hz: Option<f64>,
    /// Matched readers of the output; `null` before they were counted.
    pub subscribers: Option<u64>,
    /// Other writers of the output; `null` before they were counted.
    pub foreign_publishers: Option<u64>,
    /// What there is to say against the output: silence after an end in motion, foreign writers, readers
    /// that get nothing, a controller that does not fit. Empty: nothing.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why its named controller is not the one that is meant; empty: it is, or none is named.
    #[serde(default)]
    pub controller: String,
    /// Why it is not known to stand still although its time to stop is over; empty: it is, or was
    /// not stopped.
    #[serde(default)]
    pub motion: String,
    /// With `motion`: this node has stopped the lane. `false`: it sends nothing there since its start, and
    /// somebody else may hold it.
    #[serde(default)]
    pub motion_after_stop: bool,
    /// How long it is measured standing still, from its time to stop on; `null`: it was not stopped, it
    /// moves, or nobody measures it.
    #[serde(default)]
    pub still_for_s: Option<f64>,
    /// What was seen of each joint or axis; empty for a lane that gates.
    #[serde(default)]
    pub seen: Vec<SeenStatus>,
    /// The sources, highest priority first.
    pub sources: Vec<SourceStatus>,
}

/// One source. The five counts add up to what was received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Of the source.
    pub name: String,
    /// `live`.
    pub mode: String,
    /// For example a checkpoint's name.
    pub revision: String,
    /// Higher wins.
    pub priority: u8,
    /// A valid command within its timeout.
    pub alive: bool,
    /// Since the last valid command; `null`: none yet.
    pub silent_for_s: Option<f64>,
    /// Forwarded bit for bit.
    pub passed: u64,
    /// Forwarded with at least one value changed.
    pub limited: u64,
    /// Refused.
    pub rejected: u64,
    /// The state did not permit motion.
    pub withheld: u64,
    /// Another source owns the lane.
    pub not_selected: u64,
    /// Overwritten before they were taken; `null` where the middleware does not tell.
    pub lost: Option<u64>,
    /// Who offers on its topic what we cannot take; empty: nobody.
    #[serde(default)]
    pub note: String,
    /// Of the newest rejection; `null`: none.
    pub last_reason: Option<String>,
}

impl SourceStatus {
    /// What became of its commands, in the order in which people ask; what never happened is left out.
    pub fn counts(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let all = [
            (self.passed, "passed"),
            (self.limited, "limited"),
            (self.rejected, "rejected"),
            (self.withheld, "withheld"),
            (self.not_selected, "not selected"),
            (self.lost.unwrap_or(0), "lost"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0)
    }
}

/// One kill input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KillInputStatus {
    /// Of the kill input.
    pub name: String,
    /// A live publisher asserts.
    pub asserted: bool,
    /// It asserts while nobody holds it, and then disarms.
    #[serde(default)]
    pub dead_man: bool,
    /// Its newest message could not be read, which counts as asserted.
    #[serde(default)]
    pub unread: bool,
    /// A bare heartbeat: no message of it can assert, only its silence acts.
    #[serde(default)]
    pub heartbeat_only: bool,
    /// Its node; empty: nobody asserts, or the middleware does not tell who.
    #[serde(default)]
    pub asserted_by: String,
    /// Who offers on its topic what we cannot take; empty: nobody.
    #[serde(default)]
    pub note: String,
    /// Its topic.
    #[serde(default)]
    pub topic: String,
    /// Who publishes there, whatever they offer; `null` before they were counted.
    #[serde(default)]
    pub publishers: Option<u64>,
    /// Silent for longer than allowed.
    pub lost: bool,
    /// Heard at least once.
    pub seen: bool,
    /// Since the newest sample; `null`: none yet.
    pub silent_for_s: Option<f64>,
}

impl KillInputStatus {
    /// Whether it asserts because nobody holds it.
    #[must_use]
    pub const fn is_let_go(&self) -> bool {
        self.asserted && self.dead_man && !self.unread
    }
}

/// What is said of a dead-man that nobody holds.
pub const LET_GO: &str = "let go of: hold it to arm";

/// What is said of a dead-man that asserts because nobody knows whether somebody holds it.
pub const UNREADABLE: &str = "ASSERTED: it cannot be read";

/// What is said of a bare heartbeat that is heard: there is no button that could be released.
pub const HEARTBEAT: &str = "heartbeat heard (no button)";

/// One feedback topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedbackStatus {
    /// Of the feedback.
    pub name: String,
    /// Who offers on its topic what we cannot take; empty: nobody.
    #[serde(default)]
    pub note: String,
    /// Within its timeout, with what every gated lane that uses it needs.
    pub fresh: bool,
    /// Messages come within the timeout, but not with what every such lane needs.
    #[serde(default)]
    pub partial: bool,
    /// Which joint of which lane is missing, where that is known; empty: nothing is, or nothing comes.
    #[serde(default)]
    pub lacks: String,
    /// Since the newest sample that any lane could use; `null`: none yet.
    pub silent_for_s: Option<f64>,
}

/// What is said of a feedback that is [`partial`](FeedbackStatus::partial).
pub const PARTIAL: &str = "comes, but without what every lane needs";

impl FeedbackStatus {
    /// The same with what is missing.
    #[must_use]
    pub fn partial_text(&self) -> String {
        if self.lacks.is_empty() {
            PARTIAL.to_owned()
        } else {
            format!("{PARTIAL}: {}", self.lacks)
        }
    }
}

/// `/readyz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Everything the node needs to do its work is there.
    pub ready: bool,
    /// What is missing, for people. Invariant: empty when ready.
    pub reasons: Vec<String>,
}

/// `/livez`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    /// The gate thread makes progress.
    pub live: bool,
    /// Why not, for people. Invariant: empty when live.
    pub reasons: Vec<String>,
}
