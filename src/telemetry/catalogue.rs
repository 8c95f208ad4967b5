//! The catalogue: every metric that this program exports, once.
//!
//! Names are a contract with dashboards, alerts and people: changing one is a breaking change. The
//! collector takes name, type, labels and help from here, so a scrape cannot say anything else; a
//! test compares a whole scrape with this list, and docs/metrics.md is made from it.
//!
//! Rules: base units, plural unit suffix, `_total`, `_info`, `_timestamp_seconds`. Never "time
//! since", rates, averages or percentages. A label has one meaning everywhere: `lane` and `source`
//! together; `input` for feedback, kill inputs, temperatures and batteries. Label values are configured names and members of
//! closed lists, never anything out of a message.

use super::slots::{BucketSet, GATE, PERIOD, STOP, TRANSPORT};

/// Type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations, with these buckets.
    Histogram(&'static BucketSet),
}

impl Kind {
    /// The word in the exposition format.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Names of its labels, in order.
    pub labels: &'static [&'static str],
    /// What it means, one sentence, no full stop at the end of more than one.
    pub help: &'static str,
}

macro_rules! catalogue {
    ($( $row:ident = $kind:expr, $name:literal, [$($label:literal),*], $help:literal; )+) => {
        $(
            #[doc = $help]
            pub const $row: Row = Row { name: $name, kind: $kind, labels: &[$($label),*], help: $help };
        )+
        /// Every metric of ours, in the order of the documents.
        pub const ALL: &[Row] = &[$($row),+];
    };
}

const C: Kind = Kind::Counter;
const V: Kind = Kind::Gauge;

catalogue! {
    COMMANDS = C, "interlock_commands_total", ["lane", "source", "verdict"],
        "Commands received, by verdict; the five verdicts add up to what was received.";
    COMMANDS_REJECTED = C, "interlock_commands_rejected_total", ["lane", "source", "reason"],
        "Commands refused, by reason.";
    LIMITS_APPLIED = C, "interlock_limits_applied_total", ["lane", "source", "limit"],
        "Commands changed by a limit; one command can count under several limits.";
    JOINT_LIMITS_APPLIED = C, "interlock_joint_limits_applied_total", ["lane", "joint", "limit"],
        "Commands in which a limit changed this joint or axis.";
    SHADOW_COMMANDS = C, "interlock_shadow_commands_total", ["lane", "source", "verdict"],
        "Commands of shadow sources and watched lanes, by verdict: judged only, never sent, and in no other count of commands.";
    COMMANDS_LOST = C, "interlock_commands_lost_total", ["lane", "source"],
        "Gaps in the publisher's sequence numbers, overwritten commands included; absent where the middleware gives no numbers.";
    RESIDENCE = Kind::Histogram(&GATE), "interlock_command_residence_seconds", ["lane"],
        "From a command taken to its publish called, steady clock.";
    PUBLISH = Kind::Histogram(&GATE), "interlock_publish_seconds", ["lane"],
        "Time inside the middleware's publish.";
    AGE = Kind::Histogram(&TRANSPORT), "interlock_command_age_seconds", ["lane", "source"],
        "Receipt minus the command's own header stamp, for types that have one.";
    TRANSPORT_TIME = Kind::Histogram(&TRANSPORT), "interlock_command_transport_seconds", ["lane", "source"],
        "Receipt minus the middleware's source timestamp.";
    INTERVAL = Kind::Histogram(&PERIOD), "interlock_command_interval_seconds", ["lane", "source"],
        "Time between two commands of a source.";
    LAST_RECEIVED = V, "interlock_command_last_received_timestamp_seconds", ["lane", "source"],
        "When the newest command of a source was received; absent before the first.";
    SOURCE = V, "interlock_source_info", ["lane", "source", "revision", "mode"],
        "Always 1; joins a source's revision and mode to its other series.";
    OUTPUT_INTERVAL = Kind::Histogram(&PERIOD), "interlock_output_interval_seconds", ["lane"],
        "Time between two messages toward the controller.";
    OUTPUT_SUBSCRIBERS = V, "interlock_output_subscribers", ["lane"],
        "Matched readers of the output; absent until counted, and while nobody looks.";
    OUTPUT_FOREIGN_PUBLISHERS = V, "interlock_output_foreign_publishers", ["lane"],
        "Other writers of the output; absent until counted, and, where none was known, while nobody looks.";
    LANE_OWNER = V, "interlock_lane_owner", ["lane", "source"],
        "1 for the source in charge of the lane, or for none; 0 for the others.";
    LANE_STATE = V, "interlock_lane_state", ["lane", "state"],
        "1 for the state of the lane, 0 for the others.";
    LANE_MOVES_AFTER_STOP = V, "interlock_lane_moves_after_stop", ["lane"],
        "1 while killed and measured moving although the time to stop is over, where this node has stopped it \
         (a lane that it sends to, or a run that ended in motion); absent where no feedback says it.";
    STATE = V, "interlock_state", ["state"],
        "1 for the state of the node, 0 for the others.";
    LATCHED = V, "interlock_latched", [],
        "1 while killed: only reset and then arm lead back to motion.";
    LATCHED_FROM_ACTIVE = V, "interlock_latched_from_active", [],
        "While killed: 1 where it was active until then, or until a cause let go of it not 3 minutes before; else 0. Absent while not killed, and where an earlier run latched it and its record does not say.";
    PERMITTED = V, "interlock_permitted", [],
        "1 while motion is permitted, the same bit as in the permit message.";
    SEQ = V, "interlock_seq", [],
        "The number that moves at every change of state and every new cause.";
    TRIPS = C, "interlock_trips_total", ["cause"],
        "Trips, by cause.";
    TRIP_CAUSE = V, "interlock_trip_cause", ["cause"],
        "1 for the first cause while killed.";
    CAUSE_PRESENT = V, "interlock_cause_present", ["cause"],
        "1 while the cause is there, whatever its action.";
    CAUSE_IGNORED = V, "interlock_cause_ignored", ["cause"],
        "1 where the profile in force says ignore; while not armed, the one that a plain arm takes.";
    CONDITION_MET = V, "interlock_condition_met", ["condition"],
        "1 while the condition does not stand in the way of arming; absent while not disarmed.";
    RESETS = C, "interlock_resets_total", [],
        "Resets that took effect.";
    RESET_REFUSALS = C, "interlock_reset_refusals_total", ["reason"],
        "Resets that were refused, by reason.";
    ARMS = C, "interlock_arms_total", [],
        "Arms that took effect.";
    ARM_REFUSALS = C, "interlock_arm_refusals_total", ["reason"],
        "Arms that were refused, by reason.";
    LAST_TRIP = V, "interlock_last_trip_timestamp_seconds", [],
        "When the newest trip was; absent before the first.";
    STOP_TIME = Kind::Histogram(&STOP), "interlock_stop_seconds", ["trigger"],
        "From the gate thread's wake-up for a stop to the first safe command handed to the middleware.";
    LATCH_WRITE = Kind::Histogram(&TRANSPORT), "interlock_latch_write_seconds", [],
        "From a record of the latch handed to the disk to the disk having it.";
    LATCH_WRITABLE = V, "interlock_latch_writable", [],
        "1 while the latch file can be written, in every state; 0 also while a record has been on its way for 2 s. Absent where nothing is kept on disk.";
    KILL_INPUT_ASSERTED = V, "interlock_kill_input_asserted", ["input", "action"],
        "1 while the kill input asserts, by what that does: `kill`, or `disarm` (a dead-man, which asserts while nobody holds it); absent until it was heard or asserts.";
    KILL_INPUT_LOST = V, "interlock_kill_input_lost", ["input"],
        "1 while the kill input has been silent for longer than allowed.";
    SELF_TEST = V, "interlock_self_test_last_success_timestamp_seconds", ["input"],
        "When the self test of a kill input last passed in this run, or of kills by verbs (`kill verbs`); absent before.";
    INPUT_LAST_RECEIVED = V, "interlock_input_last_received_timestamp_seconds", ["input"],
        "When the newest sample of a feedback, kill input, temperature or battery was received, of a feedback one that any lane could use; absent before the first.";
    PROFILE = V, "interlock_profile", ["profile"],
        "1 for the limit profile in force; all 0 while not armed.";
    DERATING = V, "interlock_derating_ratio", [],
        "Factor on velocity limits; 1 means none.";
    TOPIC_MESSAGES = C, "interlock_topic_messages_total", ["topic"],
        "Messages of a monitored topic; what is replayed to a new reader is counted once.";
    TOPIC_BYTES = C, "interlock_topic_bytes_total", ["topic"],
        "Serialized bytes of them.";
    TOPIC_LOST = C, "interlock_topic_messages_lost_total", ["topic"],
        "Gaps in the publishers' sequence numbers; absent where the middleware gives no numbers.";
    TOPIC_INTERVAL = Kind::Histogram(&PERIOD), "interlock_topic_interval_seconds", ["topic"],
        "Time between two messages of a topic.";
    TOPIC_GAP = V, "interlock_topic_interval_window_max_seconds", ["topic"],
        "Largest time between two messages in the last ten seconds, the open one included; absent before the first message.";
    TOPIC_TRANSPORT = Kind::Histogram(&TRANSPORT), "interlock_topic_transport_seconds", ["topic"],
        "Receipt minus the middleware's source timestamp.";
    TOPIC_AGE = Kind::Histogram(&TRANSPORT), "interlock_topic_age_seconds", ["topic"],
        "Receipt minus the header stamp, for topics with this histogram and types with a stamp.";
    TOPIC_ANOMALIES = C, "interlock_topic_stamp_anomalies_total", ["topic", "kind"],
        "Stamps that cannot be right.";
    TOPIC_LAST = V, "interlock_topic_last_message_timestamp_seconds", ["topic"],
        "When the newest message was received; absent before the first.";
    TOPIC_EXPECTED = V, "interlock_topic_expected_interval_seconds", ["topic"],
        "Expected time between two messages, configured or by the deadline that the publishers offer, kept when they are gone; absent where nobody said.";
    TOPIC_PUBLISHERS = V, "interlock_topic_publishers", ["topic"],
        "Publishers of a topic, those that cannot be read included; absent until counted.";
    TOPIC_INCOMPATIBLE = V, "interlock_topic_incompatible_publishers", ["topic"],
        "Publishers of a topic that cannot be read: another type or quality of service; absent until counted.";
    TOPIC = V, "interlock_topic_info", ["topic", "msg_type", "reliability", "durability"],
        "Always 1; how a topic is read; absent until it is.";
    TOPICS = V, "interlock_topics_monitored", [],
        "Topics that have a place among those monitored.";
    TOPICS_SUPPRESSED = C, "interlock_topics_suppressed_total", ["reason"],
        "Topics that are not monitored, each once, by reason.";
    TEMPERATURE = V, "interlock_temperature_celsius", ["input", "component"],
        "Newest temperature; absent while it is not measured.";
    TEMPERATURE_LIMIT = V, "interlock_temperature_limit_celsius", ["input", "component", "level"],
        "Temperature from which on it is told (warn), limits shrink (derate), motion ends (trip); absent where not configured.";
    TEMPERATURE_INVALID = C, "interlock_temperature_invalid_total", ["input", "reason"],
        "Readings that cannot be believed, by reason; they change neither derating nor a trip.";
    BATTERY_CHARGE = V, "interlock_battery_charge_ratio", ["input"],
        "Charge, 0 to 1; absent while it is not measured.";
    BATTERY_VOLTAGE = V, "interlock_battery_voltage_volts", ["input"],
        "Voltage; absent while it is not measured.";
    BATTERY_CURRENT = V, "interlock_battery_current_amperes", ["input"],
        "Current, negative while discharging; absent while it is not measured.";
    BATTERY_DISCHARGED = C, "interlock_battery_discharged_joules_total", ["input"],
        "Energy that the battery gave, voltage times current over time; gaps longer than its timeout count nothing.";
    BATTERY_CHARGED = C, "interlock_battery_charged_joules_total", ["input"],
        "Energy that the battery took, in the same way.";
    BATTERY_STATUS = V, "interlock_battery_status", ["input", "status"],
        "1 for the status that the battery tells, 0 for the others; absent while it tells none.";
    BATTERY_HEALTH = V, "interlock_battery_health", ["input", "health"],
        "1 for the health that the battery tells, 0 for the others; absent while it tells none.";
    BATTERY_SEMANTICS = C, "interlock_battery_semantics_violations_total", ["input", "rule"],
        "Messages in which the driver breaks a rule of BatteryState, by rule.";
    LAST_AUDIT = V, "interlock_graph_audit_timestamp_seconds", [],
        "When the readers and writers of the outputs were last looked at, once a second; absent before the first time. One that fails for a lane is none. After 5 s without, outputs count as read by nobody, but below a balance loop while active.";
    MONITOR_RUNNING = V, "interlock_monitor_running", [],
        "1 while thread monitor looks at temperatures, batteries and topics; 0 after 5 s without a look. Absent before the first.";
    CLOCK_SYNCHRONIZED = V, "interlock_clock_synchronized", [],
        "1 while a time service keeps the wall clock; absent where the kernel does not tell.";
    CLOCK_STEPS = C, "interlock_clock_steps_total", [],
        "Steps of the wall clock of more than a tenth of a second.";
    CLOCK_SIMULATED = V, "interlock_clock_simulated", [],
        "1 where use_sim_time is on.";
    TICK_INTERVAL = Kind::Histogram(&PERIOD), "interlock_tick_interval_seconds", [],
        "Time between two ticks of the gate thread.";
    TICKS_MISSED = C, "interlock_ticks_missed_total", [],
        "Ticks of the gate thread that did not take place in time.";
    THREAD_CPU = C, "interlock_thread_cpu_seconds_total", ["thread"],
        "CPU time of a thread of the node; absent until it runs.";
    EVENTS = C, "interlock_events_total", ["kind"],
        "Events, by kind, those not logged included.";
    EVENTS_DROPPED = C, "interlock_events_dropped_total", [],
        "Events that did not fit into the queue to the log.";
    LOG_MESSAGES = C, "interlock_log_messages_total", ["level"],
        "Log messages, by level, those lost on the way included.";
    LOG_LOST = C, "interlock_log_messages_lost_total", ["sink"],
        "Log messages that did not arrive: stderr could not be written, or /rosout did not keep up.";
    CONFIG = V, "interlock_config_info", ["sha256"],
        "Always 1; digest of the effective configuration.";
    BUILD = V, "interlock_build_info", ["version", "commit", "rustc", "ros_distro", "rmw"],
        "Always 1; what this program was built from and runs on.";
    ROBOT = V, "interlock_robot_info", ["hardware_id"],
        "Always 1; which robot this is.";
}

/// The families of the `prometheus` crate's process collector, which stand in a scrape beside ours.
pub const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// The catalogue as the rows of a Markdown table: metric, type, labels, meaning.
#[must_use]
pub fn markdown() -> String {
    use std::fmt::Write as _;
    let mut out = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for row in ALL {
        let kind = match row.kind {
            Kind::Counter | Kind::Gauge => String::from(row.kind.word()),
            Kind::Histogram(set) => format!("histogram {}", set.name),
        };
        let labels =
            if row.labels.is_empty() { String::from("–") } else { row.labels.join(", ") };
        // Writing to a String cannot fail.
        writeln!(
            out,
            "| `{}` | {kind} | {labels} | {} |",
            row.name,
            row.help.trim_end_matches('.')
        )
        .ok();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_metric_is_declared_expect_a_name_by_the_rules() {
        let mut names = Vec::new();
        for row in ALL {
            assert!(row.name.starts_with("interlock_"), "{}", row.name);
            assert!(!names.contains(&row.name), "{} twice", row.name);
            names.push(row.name);
            let total = row.name.ends_with("_total");
            match row.kind {
                Kind::Counter => assert!(total, "{}", row.name),
                Kind::Gauge => assert!(!total, "{}", row.name),
                Kind::Histogram(_) => assert!(row.name.ends_with("_seconds"), "{}", row.name),
            }
            assert!(row.help.ends_with('.'), "{}", row.name);
            assert!(!row.help.contains('|') && !row.help.contains('\n'));
        }
    }

    #[test]
    fn when_a_table_is_made_expect_one_row_a_metric() {
        let table = markdown();
        assert_eq!(table.lines().count(), ALL.len() + 2);
        assert!(table.contains("| `interlock_stop_seconds` | histogram S | trigger |"));
        assert!(table.contains("| `interlock_seq` | gauge | – |"));
    }
    #[test]
    fn when_the_documents_list_metrics_expect_this_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        let document = std::fs::read_to_string(path).unwrap();
        let (_, rest) = document.split_once("<!-- metrics -->\n").unwrap();
        let (table, _) = rest.split_once("<!-- /metrics -->").unwrap();
        assert!(
            table == markdown(),
            "the table between <!-- metrics --> and <!-- /metrics --> must be:\n{}",
            markdown()
        );
    }
}
