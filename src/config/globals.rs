//! The keys outside lanes and inputs: identity, tick, permit, decisions, HTTP, real-time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::keys::Keys;
use super::model::{ControlSocket, LaneConfig, Realtime, StopConfig, Urdf, UrdfFrom};
use super::range::{Range, Read};
use super::shape::is_twist;
use super::{names, stop};

/// Format of the file that this reader reads.
const SCHEMA: i64 = 1;
/// Ticks a second where nothing is written.
const DEFAULT_TICK_HZ: f64 = 100.0;
/// Where HTTP listens where nothing is written: this machine only.
const DEFAULT_LISTEN: &str = "127.0.0.1:9615";
/// Rejections and limitations a second on `~/decisions` where nothing is written: a person and a
/// recorder can keep up, and a flood of refusals cannot fill the network.
const DEFAULT_DECISIONS_HZ: f64 = 50.0;
/// Of the passed commands, where nothing is written: one or a few a second.
const DEFAULT_PASSED_ONE_IN: u32 = 100;
/// A permit must outlive lost samples.
const PERMIT_TICKS: f64 = 3.0;
/// Whose the control socket is where nothing is written: a group that only gate operators need.
const DEFAULT_SOCKET_GROUP: &str = "interlock";
/// As many as the audit tells apart (`ros::graph::facts`).
const MAX_OTHER_PATHS: usize = 64;

/// What the lanes' readers also need.
pub(super) struct Globals {
    /// Ticks a second; the default after a problem.
    pub(super) tick_hz: f64,
    /// Time between two ticks.
    pub(super) tick: Duration,
    /// Where the robot is described; `None` also after a problem.
    pub(super) urdf: Option<Urdf>,
}

/// The keys of the top level.
pub(super) struct Top {
    pub(super) hardware_id: Option<String>,
    pub(super) allow_sim_time: Option<bool>,
    pub(super) use_sim_time: Option<bool>,
    pub(super) release_over_ros: Option<bool>,
    pub(super) shutdown_stop: Option<Duration>,
    pub(super) arm_settle: Option<Duration>,
    pub(super) permit_valid_for: Option<Duration>,
    pub(super) max_message_bytes: Option<usize>,
    pub(super) http: Option<Option<SocketAddr>>,
    pub(super) control_socket: Option<ControlSocket>,
    pub(super) realtime: Option<Option<Realtime>>,
    pub(super) decisions_max_rate_hz: Option<f64>,
    pub(super) decisions_passed_one_in: Option<u32>,
    pub(super) other_paths: Option<Vec<String>>,
    pub(super) latch_persist: Option<bool>,
    pub(super) state_dir: Option<Option<PathBuf>>,
    pub(super) stop: Option<StopConfig>,
}

/// `tick_hz`, which many other keys are measured against.
pub(super) fn globals(keys: &mut Keys<'_>) -> Globals {
    let range = Range::from(20.0, " Hz", "kills, permits and watchdogs run on the tick").to(1000.0);
    let tick_hz = keys.double("tick_hz", range).or(DEFAULT_TICK_HZ).unwrap_or(DEFAULT_TICK_HZ);
    let urdf = urdf(keys);
    Globals { tick_hz, tick: Duration::from_secs_f64(1.0 / tick_hz), urdf }
}

/// Everything else.
pub(super) fn top(keys: &mut Keys<'_>, globals: &Globals) -> Top {
    schema_version(keys);
    let latch_persist = keys.boolean("latch.persist").or(true);
    Top {
        hardware_id: keys.string("hardware_id").or("none").map(str::to_owned),
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
        control_socket: control_socket(keys),
        realtime: realtime(keys),
        decisions_max_rate_hz: keys
            .double(
                "decisions.max_rate_hz",
                Range::above(0.0, " Hz", "refusals and limitations must be told; totals never lie")
                    .to(1000.0),
            )
            .or(DEFAULT_DECISIONS_HZ),
        decisions_passed_one_in: keys
            .integer("decisions.passed_one_in", 1, 1_000_000, "1 tells every passed command")
            .and_then(|value| u32::try_from(value).ok())
            .or(DEFAULT_PASSED_ONE_IN),
        other_paths: other_paths(keys),
        latch_persist,
        state_dir: state_dir(keys, latch_persist != Some(false)),
        stop: stop::stop(keys),
    }
}

/// `state_dir`: where the latch file is.
fn state_dir(keys: &mut Keys<'_>, is_used: bool) -> Option<Option<PathBuf>> {
    let key = "state_dir";
    let Some(path) = keys.string(key).optional()? else { return Some(None) };
    if !path.starts_with('/') {
        keys.refuse(
            key,
            format!("{path:?} is not an absolute path"),
            "/PATH",
            "a relative one would depend on where the node is started, and a kill would be forgotten",
            "write the whole path",
        );
        return None;
    }
    if !is_used {
        keys.refuse_effectless(key, "only with latch.persist: true", "nothing is written then")?;
    }
    Some(Some(PathBuf::from(path)))
}

fn schema_version(keys: &mut Keys<'_>) {
    let because = "a file of another format must not be read as this one";
    let read = keys.integer("schema", SCHEMA, SCHEMA, because);
    let _checked: Option<i64> = keys.needed("schema", read, "1", because);
}

/// `urdf.{topic, file, use}`.
fn urdf(keys: &mut Keys<'_>) -> Option<Urdf> {
    let kinds = ["position", "velocity", "effort"];
    let file = keys.string("urdf.file").optional();
    let has_topic = keys.map.get("urdf.topic").is_some();
    let from_topic = has_topic.then(|| names::topic(keys, "urdf.topic")).flatten();
    let used = keys.strings("urdf.use").optional();
    // Nothing is written of it.
    keys.map.under("urdf").next()?;
    let mut taken = kinds.to_vec();
    if let Some(words) = used? {
        if let Some(wrong) = words.iter().find(|word| !kinds.contains(&word.as_str())) {
            let found = format!("{wrong:?} is not allowed");
            let because = "these are the limits that a URDF has";
            keys.refuse("urdf.use", found, kinds.join(", "), because, "correct the word");
            return None;
        }
        taken = kinds.into_iter().filter(|kind| words.iter().any(|word| word == kind)).collect();
    }
    let from = match (has_topic, file?) {
        (true, None) => UrdfFrom::Topic(from_topic?),
        (false, Some(file)) if file.starts_with('/') => UrdfFrom::File(file.to_owned()),
        (false, Some(file)) => {
            keys.refuse(
                "urdf.file",
                format!("{file:?} is not an absolute path"),
                "/PATH/robot.urdf",
                "a relative one would depend on where the node is started",
                "write the whole path",
            );
            return None;
        }
        (true, Some(_)) => {
            keys.refuse(
                "urdf.file",
                "contradicts urdf.topic",
                "one of `topic` and `file`",
                "two descriptions could differ, and none is the right one",
                "remove one",
            );
            return None;
        }
        (false, None) => {
            keys.missing("urdf.topic", "`topic` or `file`", "without it there is nothing to use");
            return None;
        }
    };
    let has = |kind: &str| taken.contains(&kind);
    Some(Urdf {
        from,
        use_position: has("position"),
        use_velocity: has("velocity"),
        use_effort: has("effort"),
    })
}

/// A description that limits nothing would look like a protection.
pub(super) fn refuse_unused_urdf(keys: &mut Keys<'_>, globals: &Globals, lanes: &[LaneConfig]) {
    if globals.urdf.is_some() && lanes.iter().all(|lane| is_twist(lane.command_type)) {
        keys.refuse(
            "urdf",
            "has no effect here",
            "only with a lane of joints",
            "a robot's description has no limits of its base's velocity",
            "remove it",
        );
    }
}

/// `other_paths`: names of topics, actions and services.
fn other_paths(keys: &mut Keys<'_>) -> Option<Vec<String>> {
    let key = "other_paths";
    let paths = keys.strings(key).optional()?.unwrap_or_default();
    let mut is_good = true;
    if paths.len() > MAX_OTHER_PATHS {
        keys.refuse(
            key,
            format!("{} names", paths.len()),
            format!("at most {MAX_OTHER_PATHS}"),
            "more are not watched, and nobody would know which",
            "leave out what cannot move the robot",
        );
        is_good = false;
    }
    for (at, path) in paths.iter().enumerate() {
        let is_twice = paths.iter().take(at).any(|other| other == path);
        if !names::is_topic(path) || is_twice {
            keys.refuse(
                key,
                format!("{path:?} is {}", if is_twice { "there twice" } else { "not allowed" }),
                "each name once: name, ns/name, /ns/name or ~/name, of letters, digits and _",
                "a mistyped name would watch nothing",
                "correct the name",
            );
            is_good = false;
        }
    }
    is_good.then(|| paths.to_vec())
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

/// `control_socket.{path, group}`.
fn control_socket(keys: &mut Keys<'_>) -> Option<ControlSocket> {
    let path = keys.string("control_socket.path").optional()?.map(str::to_owned);
    let group = keys.string("control_socket.group").or(DEFAULT_SOCKET_GROUP)?.to_owned();
    let mut is_good = true;
    if let Some(path) = &path
        && (!path.starts_with('/') || path.ends_with('/') || path.contains('\0'))
    {
        keys.refuse(
            "control_socket.path",
            format!("{path:?} is not an absolute path of a file"),
            "/PATH/control.sock",
            "a relative one would depend on where the node is started",
            "write the whole path",
        );
        is_good = false;
    }
    if let Some(path) = path.as_ref().filter(|path| path.len() > ControlSocket::PATH_BYTES) {
        keys.refuse(
            "control_socket.path",
            format!("has {} bytes", path.len()),
            format!("at most {} bytes", ControlSocket::PATH_BYTES),
            "the system takes no longer name for a socket",
            "choose a shorter folder",
        );
        is_good = false;
    }
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if group.is_empty() || !group.chars().all(letter) {
        keys.refuse(
            "control_socket.group",
            format!("{group:?} is not the name of a group"),
            "letters, digits, `_`, `-` and `.`",
            "it is looked up in /etc/group",
            "write the group's name",
        );
        is_good = false;
    }
    is_good.then_some(ControlSocket { path, group })
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
