//! `interlock --check-config`: what is wrong, or a short account of what would run.
//!
//! Takes either files (`--check-config FILE…`) or a launch file's very arguments
//! (`--check-config --ros-args …`). Needs no ROS.

mod divergence;
mod limits;
mod rules;
mod silences;
mod types;

use std::fmt::Write as _;

use super::args::Arguments;
use super::load;
use super::model::{
    CommandType, Config, Engage, FeedbackType, Interface, KillAction, LaneConfig, LaneMode,
    ReturnTo, SourceConfig, SourceMode,
};
use super::problem::{Place, Problem, Problems};
use super::remap::brought_together;
use crate::gate::cause::Cause;
use crate::gate::safe::SafeCommand;
use crate::gate::sensor::{Grade, Thresholds};

/// EX_CONFIG of sysexits.h: a configuration error, which systemd and people know.
pub const EXIT_CONFIG: u8 = 78;

/// Checks what the arguments name; `args` are without the program's name and `--check-config`.
///
/// Plain arguments are params files. Gives the exit code and the text to print: to standard output
/// with 0, to standard error with [`EXIT_CONFIG`].
#[must_use]
pub fn check(args: &[String]) -> (u8, String) {
    match checked(args) {
        Ok(text) => (0, text),
        Err(problems) => (EXIT_CONFIG, problems.to_string()),
    }
}

fn checked(args: &[String]) -> Result<String, Problems> {
    let mut arguments = Arguments::parse(args)?;
    let files = arguments.plain.clone();
    arguments.add_files(&files);
    let (config, map) = load::load_arguments(&arguments)?;
    // As the node does with the names that rcl gives it.
    if let Some((one, other, topic)) = brought_together(&config, |topic| arguments.resolved(topic))
    {
        return Err(Problems::from(vec![remapped(one, &other, &topic)]));
    }
    let mut text = String::new();
    let labels: Vec<&str> =
        arguments.sources.iter().map(|(_, place)| place.label.as_str()).collect();
    line(&mut text, &format!("{}: no problems", labels.join(", ")));
    line(&mut text, &format!("node {}, {} keys", arguments.full_name(), map.len()));
    text.push_str(&summary(&config));
    Ok(text)
}

/// Two uses of one topic after remapping.
fn remapped(one: String, other: &str, topic: &str) -> Problem {
    Problem {
        key: one,
        found: format!("and {other} are both {topic} after remapping"),
        allowed: "one use for each topic".to_owned(),
        because: "one message would count twice, or an output would come back as a command"
            .to_owned(),
        fix: "correct the remap rules".to_owned(),
        place: Place { label: "arguments".to_owned(), ..Place::default() },
    }
}

/// What would run, for a person.
#[must_use]
pub fn summary(config: &Config) -> String {
    let mut text = String::new();
    let tick_hz = 1.0 / config.tick.as_secs_f64();
    line(&mut text, &format!("tick {tick_hz:.0} Hz, hardware_id {}", config.hardware_id));
    if config.use_sim_time {
        let arms = if config.allow_sim_time { "arming is allowed" } else { "no arm" };
        line(&mut text, &format!("SIMULATED TIME (use_sim_time): stamps are not judged; {arms}"));
    }
    for lane in &config.lanes {
        lane_summary(&mut text, config, lane);
    }
    inputs_summary(&mut text, config);
    types::summary(&mut text, config);
    rules::summary(&mut text, config);
    let http = config.http.map_or_else(|| "off".to_owned(), |address| address.to_string());
    line(&mut text, &format!("http {http}"));
    if config.latch_persist {
        let place = config.state_dir.as_ref();
        let place = place.map_or_else(
            || "$STATE_DIRECTORY, or interlock in the user's own state folder".to_owned(),
            |path| path.display().to_string(),
        );
        line(&mut text, &format!("latch: kept in {place}"));
    } else {
        line(&mut text, "latch: NOT kept on disk (latch.persist: false): a restart forgets a kill");
    }
    let release = if config.release_over_ros { "open" } else { "closed" };
    line(&mut text, &format!("reset, arm and select_source over ROS: {release}"));
    line(&mut text, &format!("sha256 {}", config.sha256));
    text
}

fn inputs_summary(text: &mut String, config: &Config) {
    for one in &config.feedback {
        let mut told =
            format!("feedback {}: {}, stale after {:?}", one.name, one.topic, one.timeout);
        if matches!(one.feedback_type, FeedbackType::Imu | FeedbackType::Mapped) {
            write_to(&mut told, format_args!(" ({})", one.type_name));
        }
        if let Some(tilt) = one.max_tilt {
            let action = config.action_of_node(Cause::Tilt);
            let lasting = rules::lasting(config, Cause::Tilt);
            write_to(&mut told, format_args!(", over a tilt of {tilt} rad: {action} {lasting}"));
        }
        if let Some(turn) = one.max_angular_velocity {
            let action = config.action_of_node(Cause::AngularVelocity);
            let lasting = rules::lasting(config, Cause::AngularVelocity);
            write_to(&mut told, format_args!(", over {turn} rad/s: {action} {lasting}"));
        }
        line(text, &told);
    }
    for one in &config.kill_inputs {
        let does = match one.action {
            KillAction::Kill => "kills",
            KillAction::Disarm => "disarms",
        };
        let silence = silences::of_kill_input(config, one);
        let on = one.asserts.as_ref().map_or_else(
            || "a heartbeat".to_owned(),
            |asserts| format!("{does} on {} = {}", asserts.field, asserts.when),
        );
        line(text, &format!("kill input {}: {}, {on}; {silence}", one.name, one.topic));
    }
    sensors_summary(text, config);
    if config.kill_inputs.is_empty() {
        line(text, "kill inputs: none (the kill service and SIGUSR1 remain)");
    }
}

/// What is told of heat and charge, and what they do.
fn sensors_summary(text: &mut String, config: &Config) {
    let told = |thresholds: &Thresholds, unit: &str| {
        let grades = [Grade::Warn, Grade::Derate, Grade::Trip].into_iter();
        let all =
            grades.filter_map(|grade| Some(format!("{grade} {}{unit}", thresholds.of(grade)?)));
        let all: Vec<String> = all.collect();
        if all.is_empty() { "told only".to_owned() } else { all.join(", ") }
    };
    for one in &config.temperatures {
        let (name, topic, timeout) = (&one.name, &one.topic, one.timeout);
        let (count, does) = (one.components.len(), told(&one.thresholds, " °C"));
        line(
            text,
            &format!(
                "temperature {name}: {topic}, {count} of {}, {does}; silent after {timeout:?}",
                one.field
            ),
        );
    }
    for one in &config.batteries {
        let (name, topic, timeout) = (&one.name, &one.topic, one.timeout);
        let does = told(&one.thresholds, "");
        line(text, &format!("battery {name}: {topic}, {does}; silent after {timeout:?}"));
    }
}

/// What a lane has beyond the plain case; nothing for the plain one.
fn extras(text: &mut String, lane: &LaneConfig) {
    if lane.command_type == CommandType::Mapped {
        let mapped = lane.fields.mapped().map(|(name, path)| format!("{name} {path}"));
        let mut told = format!("  fields: {}", mapped.collect::<Vec<_>>().join(", "));
        if !lane.keep.is_empty() {
            let keep: Vec<String> = lane.keep.iter().map(ToString::to_string).collect();
            write_to(&mut told, format_args!("; keep {}", keep.join(", ")));
        }
        if !lane.fixed.is_empty() {
            let fixed: Vec<&str> = lane.fixed.iter().map(|one| one.name.as_str()).collect();
            write_to(&mut told, format_args!("; fixed {}", fixed.join(", ")));
        }
        if let Some(checksum) = &lane.checksum {
            write_to(&mut told, format_args!("; checksum {}", checksum.field));
        }
        line(text, &told);
    }
    if lane.balance {
        line(text, "  balance: verified only, never altered");
    } else {
        let (ramp, handover) = (lane.start_ramp, lane.handover);
        let groups = match lane.groups.len() {
            0 => String::new(),
            count => format!("; groups: {count}"),
        };
        let led_in = if ramp.is_zero() && handover.duration.is_zero() {
            "no start ramp, no hand-over".to_owned()
        } else {
            let (duration, scale) = (handover.duration, handover.limit_scale);
            format!("start ramp {ramp:?}; hand-over {duration:?} at limits x {scale}")
        };
        line(text, &format!("  {led_in}{groups}"));
    }
    if lane.other_publishers > 0 {
        line(text, &format!("  other publishers expected: {}", lane.other_publishers));
    }
}

/// What a source has beyond the plain case.
fn source_extras(config: &Config, source: &SourceConfig) -> String {
    let mut told = String::new();
    if source.mode == SourceMode::Shadow {
        told.push_str(", shadow");
    }
    if let Engage::Window(window) = source.engage {
        write_to(&mut told, format_args!(", engages within {window}"));
    }
    if let Some(age) = source.max_age {
        write_to(&mut told, format_args!(", not older than {age:?}"));
        if config.use_sim_time {
            told.push_str(" (not judged: use_sim_time)");
        }
    }
    if !source.allowed_nodes.is_empty() {
        write_to(&mut told, format_args!(", only from {}", source.allowed_nodes.join(", ")));
    }
    told
}

fn lane_summary(text: &mut String, config: &Config, lane: &LaneConfig) {
    let interface = match lane.interface {
        Interface::Position => "position",
        Interface::Velocity => "velocity",
        Interface::Effort => "effort",
    };
    let is_twist = matches!(lane.command_type, CommandType::Twist | CommandType::TwistStamped);
    let what = if is_twist {
        let free = lane.dimensions.iter().zip(&lane.limits).filter(|(_, limits)| !limits.locked);
        free.map(|(axis, _)| axis.as_str()).collect::<Vec<_>>().join(", ")
    } else {
        let count = lane.dimensions.len();
        format!("{count} {}", if count == 1 { "joint" } else { "joints" })
    };
    let (name, output) = (&lane.name, &lane.output);
    let type_name = &lane.type_name;
    let watches = match lane.mode {
        LaneMode::Gate => "",
        LaneMode::Watch => ", watches only",
    };
    line(text, &format!("lane {name} -> {output} ({type_name}, {interface}: {what}){watches}"));
    for source in &lane.sources {
        let silence = source
            .timeout
            .map_or_else(|| "no timeout".to_owned(), |timeout| format!("silent after {timeout:?}"));
        line(
            text,
            &format!(
                "  source {} priority {}: {}, at most {} Hz, {silence}, limits x {}{}",
                source.name,
                source.priority,
                source.topic,
                source.max_rate_hz,
                source.limit_scale,
                source_extras(config, source)
            ),
        );
    }
    let safe = match lane.safe {
        SafeCommand::ZeroVelocity { deceleration: None } => "zero_velocity at once".to_owned(),
        SafeCommand::ZeroVelocity { deceleration: Some(value) } => {
            format!("zero_velocity with {value}/s²")
        }
        SafeCommand::Freeze { tolerance } => format!("freeze within {tolerance}"),
        SafeCommand::HoldPoint { tolerance } => format!("hold_point within {tolerance}"),
        SafeCommand::Damping | SafeCommand::Values => {
            format!("{} {}", lane.safe.label(), targets(&lane.safe_targets))
        }
        SafeCommand::Silent => "silent".to_owned(),
    };
    let every = match lane.safe {
        SafeCommand::Silent => String::new(),
        SafeCommand::ZeroVelocity { .. }
        | SafeCommand::Freeze { .. }
        | SafeCommand::HoldPoint { .. }
        | SafeCommand::Damping
        | SafeCommand::Values => format!(", every {:?}", lane.safe_period),
    };
    line(text, &format!("  safe command {safe}{every}"));
    extras(text, lane);
    let silence = silences::of_lane(config, lane);
    let back = match lane.return_to {
        ReturnTo::Manual => "an operator",
        ReturnTo::Auto => "itself",
    };
    line(text, &format!("  silence in motion: {silence}; down to a lower source: by {back}"));
    let feedback = lane.feedback.and_then(|index| config.feedback.get(index));
    let feedback = feedback.map_or("none", |one| one.name.as_str());
    let controller = lane.controller.as_deref().unwrap_or("any reader");
    let is_twist = matches!(lane.command_type, CommandType::Twist | CommandType::TwistStamped);
    let limits = match (&config.urdf, &config.description) {
        (Some(_), Some(_)) if !is_twist => "params file and URDF",
        (Some(_), None) if !is_twist => "params file, then the URDF",
        (Some(_) | None, _) => "params file",
    };
    line(text, &format!("  feedback {feedback}, controller {controller}; limits: {limits}"));
    if let Some(told) = divergence::of_lane(config, lane) {
        line(text, &format!("  {told}"));
    }
    if lane.command_type == CommandType::Float64MultiArray && lane.controller.is_none() {
        line(text, "  joint order is compared with nobody: name the controller");
    }
    if !lane.required {
        line(text, "  not required: a missing controller does not prevent arming");
    }
    if lane.independent {
        line(text, "  independent: its silence holds no other lane");
    }
    limits::summary(text, lane);
    free(text, lane);
}

/// One number where all are the same.
fn targets(values: &[f64]) -> String {
    match values {
        [first, rest @ ..] if rest.iter().all(|one| one.total_cmp(first).is_eq()) => {
            format!("{first:?}")
        }
        _ => format!("{values:?}"),
    }
}

/// What `unlimited` leaves free.
fn free(text: &mut String, lane: &LaneConfig) {
    let is_rated = lane.interface != Interface::Effort && !lane.balance;
    let unlimited = lane.limits.iter().zip(&lane.dimensions).filter(|(limits, _)| {
        !limits.locked
            && (is_rated && (limits.velocity.is_none() || limits.acceleration.is_none())
                || lane.interface == Interface::Position && limits.position.is_none()
                || limits.effort_unlimited
                || limits.gains_unlimited)
    });
    let unlimited: Vec<&str> = unlimited.map(|(_, name)| name.as_str()).collect();
    if !unlimited.is_empty() {
        line(text, &format!("  left free in part by `unlimited`: {}", unlimited.join(", ")));
    }
}

fn write_to(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _always_ok = text.write_fmt(content);
}

fn line(text: &mut String, content: &str) {
    // Writing to a String cannot fail.
    let _always_ok = writeln!(text, "{content}");
}
