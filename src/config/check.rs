//! `interlock --check-config`: what is wrong, or a short account of what would run.
//!
//! Takes either files (`--check-config FILE…`) or a launch file's very arguments
//! (`--check-config --ros-args …`). Needs no ROS.

use std::fmt::Write as _;

use super::args::Arguments;
use super::load;
use super::model::{CommandType, Config, Interface, LaneConfig, ReturnTo, SilenceThen};
use super::problem::Problems;
use crate::gate::safe::SafeCommand;

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
    let mut text = String::new();
    let labels: Vec<&str> =
        arguments.sources.iter().map(|(_, place)| place.label.as_str()).collect();
    line(&mut text, &format!("{}: no problems", labels.join(", ")));
    line(&mut text, &format!("node {}, {} keys", arguments.full_name(), map.len()));
    text.push_str(&summary(&config));
    Ok(text)
}

/// What would run, for a person.
#[must_use]
pub fn summary(config: &Config) -> String {
    let mut text = String::new();
    let tick_hz = 1.0 / config.tick.as_secs_f64();
    line(&mut text, &format!("tick {tick_hz:.0} Hz, hardware_id {}", config.hardware_id));
    for lane in &config.lanes {
        lane_summary(&mut text, config, lane);
    }
    for one in &config.feedback {
        let name = &one.name;
        line(&mut text, &format!("feedback {name}: {}, stale after {:?}", one.topic, one.timeout));
    }
    for one in &config.kill_inputs {
        let silence = one.timeout.map_or_else(
            || "no heartbeat".to_owned(),
            |timeout| format!("silent: hold after {timeout:?}, kill {:?} later", one.kill_after),
        );
        let name = &one.name;
        let when = one.asserted_when;
        line(&mut text, &format!("kill input {name}: {}, kills on {when}; {silence}", one.topic));
    }
    if config.kill_inputs.is_empty() {
        line(&mut text, "kill inputs: none (the kill service and SIGUSR1 remain)");
    }
    for (cause, action) in config.written_actions() {
        let usual = cause.default_action();
        line(&mut text, &format!("cause {cause}: {action} instead of {usual}"));
    }
    let http = config.http.map_or_else(|| "off".to_owned(), |address| address.to_string());
    line(&mut text, &format!("http {http}"));
    let release = if config.release_over_ros { "open" } else { "closed" };
    line(&mut text, &format!("reset, arm and select_source over ROS: {release}"));
    line(&mut text, &format!("sha256 {}", config.sha256));
    text
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
        format!("{} joints", lane.dimensions.len())
    };
    let (name, output) = (&lane.name, &lane.output);
    let ros_name = lane.command_type.ros_name();
    line(text, &format!("lane {name} -> {output} ({ros_name}, {interface}: {what})"));
    for source in &lane.sources {
        let silence = source
            .timeout
            .map_or_else(|| "no timeout".to_owned(), |timeout| format!("silent after {timeout:?}"));
        line(
            text,
            &format!(
                "  source {} priority {}: {}, at most {} Hz, {silence}, limits x {}",
                source.name, source.priority, source.topic, source.max_rate_hz, source.limit_scale
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
            format!("{} {:?}", lane.safe.label(), lane.safe_targets)
        }
        SafeCommand::Silent => "silent".to_owned(),
    };
    line(text, &format!("  safe command {safe}, every {:?}", lane.safe_period));
    let silence = match lane.silence {
        SilenceThen::Hold => "hold".to_owned(),
        SilenceThen::Disarm(after) => format!("hold, disarm after {after:?}"),
        SilenceThen::Kill(after) => format!("hold, kill after {after:?}"),
    };
    let back = match lane.return_to {
        ReturnTo::Manual => "an operator",
        ReturnTo::Auto => "itself",
    };
    line(text, &format!("  silence in motion: {silence}; down to a lower source: by {back}"));
    let feedback = lane.feedback.and_then(|index| config.feedback.get(index));
    let feedback = feedback.map_or("none", |one| one.name.as_str());
    let controller = lane.controller.as_deref().unwrap_or("any reader");
    line(text, &format!("  feedback {feedback}, controller {controller}; limits: params file"));
    let unlimited = lane.limits.iter().zip(&lane.dimensions).filter(|(limits, _)| {
        !limits.locked && (limits.velocity.is_none() || limits.acceleration.is_none())
            || lane.interface == Interface::Position && limits.position.is_none()
    });
    let unlimited: Vec<&str> = unlimited.map(|(_, name)| name.as_str()).collect();
    if !unlimited.is_empty() {
        line(text, &format!("  left free in part by `unlimited`: {}", unlimited.join(", ")));
    }
}

fn line(text: &mut String, content: &str) {
    // Writing to a String cannot fail.
    let _always_ok = writeln!(text, "{content}");
}
