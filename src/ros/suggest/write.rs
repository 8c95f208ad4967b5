//! From what was seen to a params file: pure text.
//!
//! **Invariant:** every lane is `mode: watch`; every number that nobody stated says `guessed` or
//! `seen`.

use std::fmt::Write as _;

use super::limits::{axis_limits, joint_limits};
use super::{CommandTopic, FeedbackTopic, Observed, Range, Writer};
use crate::config::model::CommandType;

/// The axes of a twist, in the order of their values.
pub(super) const AXES: [&str; 6] =
    ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];

/// Names that the params file keeps for itself.
const RESERVED: [&str; 3] = ["none", "all", "self"];
/// Last parts of a topic's name that say nothing about the lane.
const PLAIN: [&str; 6] =
    ["commands", "command", "cmd", "joint_trajectory", "reference", "joint_commands"];
/// Longest name of a lane or source.
const MAX_NAME: usize = 32;
/// A source that was not heard gets this rate.
const RATE_HZ: f64 = 50.0;
/// Periods without a message that are a silence.
const SILENT_PERIODS: f64 = 5.0;
/// The least silence that is one.
const LEAST_TIMEOUT_S: f64 = 0.1;
/// The longest that a params file may say.
const MOST_TIMEOUT_S: f64 = 60.0;
/// Plans that come less often are a planner's, each followed by itself; a policy's stream comes faster.
const LEAST_STREAM_HZ: f64 = 1.0;
/// Room above the rate that was measured.
const RATE_ROOM: f64 = 1.5;

/// The whole file.
pub(super) fn params_file(observed: &Observed) -> String {
    let mut out = Lines::default();
    out.line(0, &format!(
        "# Suggested by `interlock --suggest` from what was on the graph for {:.0} s. Every lane only",
        observed.seconds
    ));
    out.line(
        0,
        "# watches: starting with this file moves nothing. Look at the lines marked `guessed` and",
    );
    out.line(0, "# `seen`, run `interlock --check-config` on it, watch what would be limited, and only then gate:");
    out.line(0, "# move each source to a topic of its own and write `mode: gate`.");
    out.line(0, "interlock:");
    out.line(1, "ros__parameters:");
    out.line(2, "schema: 1");
    out.line(
        2,
        "# kill_inputs: a topic that can kill belongs here; none can be told from the graph",
    );
    out.line(2, "lanes:");
    let mut names = Vec::new();
    let feedback_names = feedback_names(observed);
    for command in &observed.commands {
        let name = unique(&lane_name(&command.topic), &mut names);
        lane(&mut out, observed, command, &name, &feedback_names);
    }
    if !observed.feedback.is_empty() {
        out.line(2, "feedback:");
        for (feedback, name) in observed.feedback.iter().zip(&feedback_names) {
            self::feedback(&mut out, feedback, name);
        }
    }
    out.0
}

/// Lines with two spaces a level.
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn line(&mut self, level: usize, text: &str) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{:indent$}{text}", "", indent = level.saturating_mul(2)).ok();
    }
}

/// The lane's joints, and what there is to say about where they come from.
pub(super) struct Joints {
    pub(super) names: Vec<String>,
    note: Option<String>,
}

fn joints(observed: &Observed, command: &CommandTopic) -> Joints {
    if !command.joints.is_empty() {
        return Joints { names: command.joints.clone(), note: None };
    }
    let states = observed.feedback.iter().filter(|feedback| !feedback.joints.is_empty());
    let fits =
        |feedback: &&FeedbackTopic| command.count == 0 || feedback.joints.len() == command.count;
    if let Some(feedback) = states.clone().find(fits) {
        let note = format!(
            "guessed: names and order of {}; they must be the controller's own",
            feedback.topic
        );
        return Joints { names: feedback.joints.clone(), note: Some(note) };
    }
    let names = (0..command.count.max(1)).map(|index| format!("joint_{index}")).collect();
    let note = "guessed: write the controller's joints in its order".to_owned();
    Joints { names, note: Some(note) }
}

fn is_twist(kind: CommandType) -> bool {
    matches!(kind, CommandType::Twist | CommandType::TwistStamped)
}

/// Of a JointState, by what its messages carry.
fn carried(command: &CommandTopic) -> &'static str {
    let any = |ranges: &[Option<Range>]| ranges.iter().any(Option::is_some);
    if any(&command.velocity) && !any(&command.position) { "velocity" } else { "position" }
}

/// For an array, by its topic's name; the others say it themselves.
fn interface(command: &CommandTopic) -> &'static str {
    let topic = command.topic.to_lowercase();
    if topic.contains("velocity") {
        "velocity"
    } else if topic.contains("effort") || topic.contains("torque") {
        "effort"
    } else {
        "position"
    }
}

fn lane(
    out: &mut Lines,
    observed: &Observed,
    command: &CommandTopic,
    name: &str,
    feedback_names: &[String],
) {
    out.line(3, &format!("{name}:"));
    out.line(4, &format!("type: {}", command.kind.ros_name()));
    let joints = if is_twist(command.kind) { None } else { Some(joints(observed, command)) };
    let interface = match command.kind {
        CommandType::Float64MultiArray => {
            let word = interface(command);
            out.line(4, &format!("interface: {word}  # guessed from the topic's name"));
            word
        }
        CommandType::Twist | CommandType::TwistStamped => "velocity",
        CommandType::JointState => {
            let word = carried(command);
            out.line(
                4,
                &format!("interface: {word}  # guessed: the one of its fields that is the target"),
            );
            word
        }
        CommandType::JointTrajectory | CommandType::Mapped => "position",
    };
    out.line(4, &format!("output: {}", command.topic));
    if !command.readers_are_reliable && !command.readers.is_empty() {
        out.line(4, "reliability: best_effort");
    }
    if let Some(joints) = &joints {
        let list: Vec<String> = joints.names.iter().map(|name| quoted(name)).collect();
        let note = joints.note.as_ref().map_or(String::new(), |note| format!("  # {note}"));
        out.line(4, &format!("joints: [{}]{note}", list.join(", ")));
    }
    match command.readers.as_slice() {
        [one] => out.line(4, &format!("controller: {one}")),
        [] => out.line(4, "# controller: nobody reads the topic now"),
        more => out.line(4, &format!("# controller: one of {}", more.join(", "))),
    }
    let names = joints.as_ref().map(|joints| joints.names.as_slice());
    let feedback = matching_feedback(observed, names);
    match feedback.and_then(|index| feedback_names.get(index)) {
        Some(name) => out.line(4, &format!("feedback: {name}")),
        None => {
            out.line(4, "feedback: none");
            out.line(4, &format!("because: {}", without_feedback(observed, names)));
        }
    }
    if matches!(command.kind, CommandType::JointState | CommandType::JointTrajectory)
        || interface == "effort"
    {
        out.line(4, "balance: false  # guessed: true for joints below a balance loop");
    }
    let measured = feedback.and_then(|index| observed.feedback.get(index));
    match &joints {
        None => axis_limits(out, command),
        Some(joints) => joint_limits(out, observed, command, joints, (interface, measured)),
    }
    out.line(4, &format!("safe: {}", safe(command.kind, interface, feedback.is_some())));
    out.line(4, "sources:");
    sources(out, command);
    out.line(4, "mode: watch");
}

fn safe(kind: CommandType, interface: &str, has_feedback: bool) -> &'static str {
    match (kind, interface, has_feedback) {
        (_, "velocity", _) => "{command: zero_velocity}",
        (CommandType::JointTrajectory, _, true) => {
            "{command: hold_point, tolerance: 0.1}  # tolerance guessed"
        }
        (_, "position", true) => "{command: freeze, tolerance: 0.1}  # tolerance guessed",
        (_, _, _) => "{command: silent, because: 'guessed: nothing is known to hold'}",
    }
}

/// Odometry for a base; for joints, the topic that has them all in one message.
fn matching_feedback(observed: &Observed, joints: Option<&[String]>) -> Option<usize> {
    observed.feedback.iter().position(|feedback| match joints {
        None => feedback.is_odometry,
        Some(joints) => feedback.together.iter().any(|set| has_all(set, joints)),
    })
}

fn has_all(set: &[String], joints: &[String]) -> bool {
    joints.iter().all(|joint| set.contains(joint))
}

fn without_feedback(observed: &Observed, joints: Option<&[String]>) -> String {
    let scattered = observed
        .feedback
        .iter()
        .find(|feedback| joints.is_some_and(|joints| has_all(&feedback.joints, joints)));
    match scattered {
        Some(feedback) => format!(
            "{} has these joints in several messages, and a lane needs them in one",
            feedback.topic
        ),
        None => "no feedback of these joints or this base was seen".to_owned(),
    }
}

fn sources(out: &mut Lines, command: &CommandTopic) {
    let mut names = Vec::new();
    if command.writers.is_empty() {
        out.line(5, "# nobody publishes on the topic now");
        let nobody = Writer { node: String::new(), rate_hz: None, is_reliable: true };
        source(out, command, &nobody, "agent", (10, false));
    }
    let many = command.writers.len() > 1;
    for (index, writer) in command.writers.iter().enumerate() {
        let last = writer.node.rsplit('/').next().unwrap_or_default();
        let name = unique(&sanitized(last), &mut names);
        let above = command.writers.len().saturating_sub(index).saturating_mul(10);
        source(out, command, writer, &name, (above.min(255), many));
    }
}

fn source(
    out: &mut Lines,
    command: &CommandTopic,
    writer: &Writer,
    name: &str,
    (priority, many): (usize, bool),
) {
    out.line(5, &format!("{name}:"));
    out.line(6, &format!("topic: {}", command.topic));
    if many {
        // One topic, several publishers: each source listens to its own.
        out.line(6, &format!("allowed_nodes: [{}]", writer.node));
    }
    out.line(6, &format!("priority: {priority}  # guessed: higher wins"));
    let measured = writer.rate_hz;
    let rate = measured.unwrap_or(RATE_HZ);
    let how = measured.map_or("guessed: nothing was heard".to_owned(), |rate| {
        format!("seen: {} Hz", number(rate))
    });
    let is_plan = command.kind == CommandType::JointTrajectory;
    if is_plan && measured.is_none_or(|rate| rate < LEAST_STREAM_HZ) {
        out.line(6, "allow_no_timeout: true  # plans that are sent once");
    } else {
        out.line(6, &format!("timeout_s: {}", number(timeout_s(measured))));
    }
    out.line(6, &format!("max_rate_hz: {}  # {how}", number((rate * RATE_ROOM).ceil())));
    if !writer.is_reliable {
        out.line(6, "reliability: best_effort");
    }
}

fn timeout_s(rate_hz: Option<f64>) -> f64 {
    let timeout = SILENT_PERIODS / rate_hz.unwrap_or(10.0);
    let timeout = if timeout > LEAST_TIMEOUT_S { timeout } else { LEAST_TIMEOUT_S };
    if timeout > MOST_TIMEOUT_S { MOST_TIMEOUT_S } else { (timeout * 100.0).ceil() / 100.0 }
}

fn feedback(out: &mut Lines, feedback: &FeedbackTopic, name: &str) {
    let kind =
        if feedback.is_odometry { "nav_msgs/msg/Odometry" } else { "sensor_msgs/msg/JointState" };
    let (topic, timeout) = (&feedback.topic, number(timeout_s(feedback.rate_hz)));
    let how = feedback.rate_hz.map_or("guessed: nothing was heard".to_owned(), |rate| {
        format!("seen: {} Hz", number(rate))
    });
    out.line(
        3,
        &format!("{name}: {{type: {kind}, topic: {topic}, timeout_s: {timeout}}}  # {how}"),
    );
}

fn feedback_names(observed: &Observed) -> Vec<String> {
    let mut names = Vec::new();
    let last = |topic: &str| sanitized(topic.rsplit('/').next().unwrap_or_default());
    observed.feedback.iter().map(|one| unique(&last(&one.topic), &mut names)).collect()
}

fn lane_name(topic: &str) -> String {
    let mut parts = topic.rsplit('/').filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or("lane");
    let name = if PLAIN.contains(&last) { parts.next().unwrap_or(last) } else { last };
    sanitized(name)
}

/// A name as the params file allows: `[a-z][a-z0-9_]{0,31}`.
fn sanitized(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = |letter: char| {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() { letter } else { '_' }
    };
    let mut name: String = lower.chars().map(plain).collect();
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        name.insert_str(0, "n_");
    }
    name.truncate(MAX_NAME);
    if RESERVED.contains(&name.as_str()) || is_word_of_yaml(&name) {
        name.push('_');
    }
    name
}

/// The name, or the name with a number where it is taken.
fn unique(name: &str, taken: &mut Vec<String>) -> String {
    let numbered = |number: usize| {
        let tail = format!("_{number}");
        let mut name: String = name.chars().take(MAX_NAME.saturating_sub(tail.len())).collect();
        name.push_str(&tail);
        name
    };
    let mut free = name.to_owned();
    let mut number = 2_usize;
    while taken.contains(&free) {
        free = numbered(number);
        number = number.saturating_add(1);
    }
    taken.push(free.clone());
    free
}

/// Words that a YAML reader takes for something else than text.
fn is_word_of_yaml(name: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"];
    words.contains(&name.to_lowercase().as_str())
}

/// A joint's name as YAML text.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !is_word_of_yaml(name);
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "''")) }
}

/// A number that every reader takes for a double.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
