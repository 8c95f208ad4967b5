//! The keys outside lanes and inputs: identity, tick, permit, HTTP, real-time, causes.

use std::net::SocketAddr;
use std::time::Duration;

use super::keys::Keys;
use super::model::{CauseRules, Realtime};
use super::range::{Range, Read};
use super::schema;
use crate::gate::cause::{Action, Cause};

/// Format of the file that this reader reads.
const SCHEMA: i64 = 1;
/// Ticks a second where nothing is written.
const DEFAULT_TICK_HZ: f64 = 100.0;
/// Where HTTP listens where nothing is written: this machine only.
const DEFAULT_LISTEN: &str = "127.0.0.1:9615";
/// A permit must outlive lost samples.
const PERMIT_TICKS: f64 = 3.0;

/// What the lanes' readers also need.
pub(super) struct Globals {
    /// Ticks a second; the default after a problem.
    pub(super) tick_hz: f64,
    /// Time between two ticks.
    pub(super) tick: Duration,
}

/// The keys of the top level.
pub(super) struct Top {
    pub(super) hardware_id: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) allow_sim_time: Option<bool>,
    pub(super) use_sim_time: Option<bool>,
    pub(super) release_over_ros: Option<bool>,
    pub(super) shutdown_stop: Option<Duration>,
    pub(super) arm_settle: Option<Duration>,
    pub(super) permit_valid_for: Option<Duration>,
    pub(super) max_message_bytes: Option<usize>,
    pub(super) http: Option<Option<SocketAddr>>,
    pub(super) realtime: Option<Option<Realtime>>,
    pub(super) causes: Option<[CauseRules; Cause::ALL.len()]>,
}

/// `tick_hz`, which many other keys are measured against.
pub(super) fn globals(keys: &mut Keys<'_>) -> Globals {
    let range = Range::from(20.0, " Hz", "kills, permits and watchdogs run on the tick").to(1000.0);
    let tick_hz = keys.double("tick_hz", range).or(DEFAULT_TICK_HZ).unwrap_or(DEFAULT_TICK_HZ);
    Globals { tick_hz, tick: Duration::from_secs_f64(1.0 / tick_hz) }
}

/// Everything else.
pub(super) fn top(keys: &mut Keys<'_>, globals: &Globals) -> Top {
    schema_version(keys);
    Top {
        hardware_id: keys.string("hardware_id").or("none").map(str::to_owned),
        profile: profile(keys),
        allow_sim_time: keys.boolean("allow_sim_time").or(false),
        use_sim_time: keys.boolean("use_sim_time").or(false),
        release_over_ros: keys.boolean("release_over_ros").or(false),
        shutdown_stop: keys
            .seconds(
                "shutdown_stop_s",
                Range::from(0.0, " s", "launch kills a process that takes longer to end").to(3.0),
            )
            .or(Duration::from_millis(500)),
        arm_settle: keys
            .seconds(
                "arm.settle_s",
                Range::from(0.0, " s", "all arm conditions must hold this long").to(60.0),
            )
            .or(Duration::from_millis(500)),
        permit_valid_for: permit(keys, globals),
        max_message_bytes: keys
            .integer(
                "max_message_bytes",
                64,
                16 * 1024 * 1024,
                "it bounds the buffers that are made at start",
            )
            .and_then(|value| usize::try_from(value).ok())
            .or(65_536),
        http: http(keys),
        realtime: realtime(keys),
        causes: causes(keys),
    }
}

fn schema_version(keys: &mut Keys<'_>) {
    let because = "a file of another format must not be read as this one";
    let read = keys.integer("schema", SCHEMA, SCHEMA, because);
    let _checked: Option<i64> = keys.needed("schema", read, "1", because);
}

fn profile(keys: &mut Keys<'_>) -> Option<String> {
    let profile = keys.string("profile").or("full")?;
    if profile != "full" {
        keys.refuse(
            "profile",
            format!("{profile:?} is not available yet"),
            "full",
            "this version has no other profile",
            "remove it",
        );
        return None;
    }
    Some(profile.to_owned())
}

fn permit(keys: &mut Keys<'_>, globals: &Globals) -> Option<Duration> {
    let least = PERMIT_TICKS / globals.tick_hz;
    let range = Range::from(
        least,
        " s",
        "a permit must outlive two lost samples: it is sent every tick, valid for at least three",
    )
    .to(10.0);
    let default = 0.1;
    match keys.seconds("permit.valid_s", range) {
        Read::Absent if default < least => {
            keys.missing(
                "permit.valid_s",
                &format!("{least} s <= v <= 10 s"),
                "its default of 0.1 s is less than three ticks at this tick_hz",
            );
            None
        }
        read @ (Read::Absent | Read::Bad | Read::Got(_)) => {
            read.or(Duration::from_secs_f64(default))
        }
    }
}

fn http(keys: &mut Keys<'_>) -> Option<Option<SocketAddr>> {
    let enabled = keys.boolean("http.enabled").or(true);
    let listen = keys.string("http.listen").or(DEFAULT_LISTEN)?;
    let Ok(address) = listen.parse::<SocketAddr>() else {
        keys.refuse(
            "http.listen",
            format!("{listen:?} is not an address"),
            "ADDRESS:PORT, for example 127.0.0.1:9615 or [::1]:9615",
            "names are not resolved at start",
            "write the address in numbers",
        );
        return None;
    };
    Some(enabled?.then_some(address))
}

fn realtime(keys: &mut Keys<'_>) -> Option<Option<Realtime>> {
    let enabled = keys.boolean("realtime.enabled").or(false);
    let priority = keys
        .integer("realtime.priority", 1, 99, "SCHED_FIFO has these priorities")
        .and_then(|value| u8::try_from(value).ok())
        .or(40);
    let cpus = keys
        .integers("realtime.cpus", 0, 4095)
        .and_then(|cpus| {
            cpus.iter().map(|cpu| u32::try_from(*cpu).ok()).collect::<Option<Vec<u32>>>()
        })
        .or(Vec::new());
    let realtime = Realtime { priority: priority?, cpus: cpus? };
    Some(enabled?.then_some(realtime))
}

/// Causes whose action is part of what the node is, and no setting.
const fn is_fixed(cause: Cause) -> bool {
    match cause {
        Cause::KillService
        | Cause::KillSocket
        | Cause::KillSignal
        | Cause::KillInputAsserted
        | Cause::Persisted
        | Cause::LatchFile
        | Cause::FirstRun
        | Cause::UncleanRestart
        | Cause::Shutdown => true,
        Cause::KillInputSilent
        | Cause::SourceSilent
        | Cause::RefusalsSustained
        | Cause::RateExceeded
        | Cause::LimitedRatio
        | Cause::Divergence
        | Cause::FeedbackStale
        | Cause::ForeignPublisher
        | Cause::OtherPath
        | Cause::Tilt
        | Cause::AngularVelocity
        | Cause::ControllerGone
        | Cause::ControllerChanged
        | Cause::TemperatureTrip
        | Cause::BatteryTrip
        | Cause::GateStalled
        | Cause::Suspended
        | Cause::ClockStep => false,
    }
}

/// Causes whose action this version looks up. A silent source follows `silence.then`.
const fn is_reported(cause: Cause) -> bool {
    matches!(cause, Cause::FeedbackStale | Cause::GateStalled | Cause::KillInputSilent)
}

fn causes(keys: &mut Keys<'_>) -> Option<[CauseRules; Cause::ALL.len()]> {
    let labels: Vec<&str> = Cause::ALL.iter().map(|cause| cause.label()).collect();
    let words: Vec<(&str, Option<Action>)> =
        Action::ALL.iter().map(|action| (action.label(), Some(*action))).collect();
    let mut causes = [CauseRules::default(); Cause::ALL.len()];
    let mut is_good = true;
    for name in keys.map.names_under("causes") {
        let at = format!("causes.{name}");
        let Some(cause) = Cause::ALL.iter().copied().find(|cause| cause.label() == name) else {
            let fix = schema::nearest_word(&name, &labels)
                .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near:?}?"));
            keys.refuse(&at, "is not a cause", labels.join(", "), "the list is closed", fix);
            is_good = false;
            continue;
        };
        let key = format!("{at}.action");
        match keys.word(&key, &words) {
            Read::Absent => {}
            Read::Bad => is_good = false,
            Read::Got(_) if !is_fixed(cause) && !is_reported(cause) => {
                keys.refuse(
                    &key,
                    "is not available yet",
                    "feedback_stale, gate_stalled, kill_input_silent",
                    "nothing in this version reports this cause",
                    "remove it",
                );
                is_good = false;
            }
            Read::Got(action) if action == cause.default_action() => {}
            Read::Got(action) if is_fixed(cause) => {
                keys.refuse(
                    &key,
                    format!("{:?} is not allowed", action.label()),
                    cause.default_action().label(),
                    "what a person's stop, a restart and a shutdown do is not a setting",
                    "remove it",
                );
                is_good = false;
            }
            Read::Got(action) => {
                if let Some(rules) = causes.get_mut(cause.index()) {
                    rules.action = Some(action);
                }
            }
        }
    }
    is_good.then_some(causes)
}
