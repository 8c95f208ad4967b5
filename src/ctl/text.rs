//! The status as text for an operator: the state first, then what holds what, then the way on.
//!
//! Lines of at most 79 columns, nothing that moves or colours the terminal but for the state's word.

mod inputs;
mod lanes;
mod still;
mod trip;

use std::fmt::Write as _;

pub(super) use self::trip::seconds;
use self::trip::trip;
use crate::telemetry::history::Entry;
use crate::telemetry::people::{span, time, way_on, when};
use crate::telemetry::status::{CauseStatus, ConditionStatus, SelfTestPart, Status};
use crate::telemetry::watched::WatchedLanes;

/// Columns of the text: a terminal of 80 that is not filled to its edge.
const COLUMNS: usize = 79;
/// Columns of the titles.
const TITLE: usize = 11;

/// The whole text, each line ended.
pub(super) fn status(status: &Status) -> String {
    let mut out = top(status);
    if let (Some(first), Some(last)) = (&status.first_trip, &status.last_trip)
        && first.seq != last.seq
    {
        line(&mut out, "then", &format!("seq {}   {}", last.seq, trip(last)));
    }
    if status.state == "disarmed" {
        // A cause may have disarmed it, which nobody asked for.
        last_stop(&mut out, status);
    }
    for condition in &status.unmet {
        line(&mut out, "in the way", &self::condition(condition));
    }
    for cause in status.causes.iter().filter(|cause| !is_unmet(cause, status)) {
        line(&mut out, "cause", &self::cause(cause));
    }
    for lane in &status.lanes {
        line(&mut out, "lane", &lanes::lane(lane, status));
        for source in &lane.sources {
            line(&mut out, "", &lanes::source(source, lane));
            if !source.note.is_empty() {
                line(&mut out, "", &format!("! incompatible publisher: {}", source.note));
            }
        }
        for note in &lane.notes {
            line(&mut out, "", &format!("! {note}"));
        }
    }
    for input in &status.kill_inputs {
        line(&mut out, "kill input", &inputs::kill_input(input));
    }
    for feedback in &status.feedback {
        line(&mut out, "feedback", &inputs::feedback(feedback));
        if !feedback.note.is_empty() {
            line(&mut out, "", &format!("! incompatible publisher: {}", feedback.note));
        }
    }
    for parts in status.temperatures.chunk_by(|one, other| one.name == other.name) {
        line(&mut out, "heat", &inputs::temperature(parts));
    }
    for battery in &status.batteries {
        line(&mut out, "battery", &format!("{}: {}", battery.name, plain(&battery.text)));
    }
    // Where it is in the way, it is told there.
    if !status.latch.is_empty() && status.unmet.iter().all(|one| one.text != status.latch) {
        line(&mut out, "latch", &status.latch);
    }
    if !status.ignored_causes.is_empty() {
        line(&mut out, "IGNORED", &format!("causes {}", status.ignored_causes.join(", ")));
    }
    if let Some(way) = way_on(status) {
        line(&mut out, "to go on", way);
    }
    out
}

/// The headline, the reason of a kill, and loudly what no kill stops and what moves nevertheless.
fn top(status: &Status) -> String {
    let mut out = first_lines(status);
    if let Some(loud) = WatchedLanes::of_status(status).loud() {
        line(&mut out, "NOT GATED", &loud);
    }
    for moving in still::not_still(status) {
        line(&mut out, "NOT STILL", &moving);
    }
    let who = who(status);
    if !who.is_empty() {
        line(&mut out, "robot", &who);
    }
    out
}

/// What a cause that is there does, or will once it has lasted.
fn cause(cause: &CauseStatus) -> String {
    let when = if cause.acts { "" } else { " soon" };
    format!("{}{when}: {}", cause.action, cause.text)
}

/// Whether a cause is told already, as what stands in the way.
fn is_unmet(cause: &CauseStatus, status: &Status) -> bool {
    status.unmet.iter().any(|unmet| unmet.text == cause.text)
}

/// Which robot and node answered: a shell may be on another machine, and a machine has several.
fn who(status: &Status) -> String {
    match (status.hardware_id.as_str(), status.node.as_str()) {
        ("", "") => String::new(),
        ("", node) => format!("node {node}"),
        (robot, "") => robot.to_owned(),
        (robot, node) => format!("{robot}, node {node}"),
    }
}

fn first_lines(status: &Status) -> String {
    let headline = headline(status);
    let reason = match (status.state.as_str(), &status.first_trip) {
        ("killed", Some(first)) => plain(&first.reason),
        _ => String::new(),
    };
    let joined = format!("{headline}: \"{reason}\"\n");
    if !reason.is_empty() && joined.chars().count() <= COLUMNS {
        return joined;
    }
    let mut out = wrapped(&headline, COLUMNS).join("\n");
    out.push('\n');
    if reason.is_empty() {
        return out;
    }
    line(&mut out, "because", &format!("\"{reason}\""));
    out
}

/// The headline and what stands in the way: what a verb is about to change.
pub(super) fn head(status: &Status) -> String {
    let mut out = top(status);
    for condition in &status.unmet {
        line(&mut out, "in the way", &self::condition(condition));
    }
    out
}

/// Why verbs do not reach the node that was looked at, below what its status says to type.
pub(super) fn unreached(why: &str) -> String {
    let mut out = String::new();
    line(&mut out, "NO VERBS", why);
    out
}

/// A self test, part by part.
pub(super) fn self_test(parts: &[SelfTestPart]) -> String {
    let mut out = String::new();
    for part in parts {
        let result = if part.passed { "passed" } else { "FAILED" };
        line(&mut out, result, &format!("{}: {}", part.input, plain(&part.text)));
    }
    out
}

/// What a refused verb met.
pub(super) fn in_the_way(status: &Status) -> String {
    let missing = match status.unmet.len() {
        1 => String::from("1 thing"),
        n => format!("{n} things"),
    };
    let what = if status.state == "killed" { "NOT RESET" } else { "NOT ARMED" };
    let mut out = format!("{what}  seq {}   {missing} in the way\n", status.seq);
    for condition in &status.unmet {
        line(&mut out, "in the way", &self::condition(condition));
    }
    out
}

/// Who would move the robot after an arm.
pub(super) fn would_move(status: &Status) -> String {
    let mut out = String::new();
    for lane in status.lanes.iter().filter(|lane| lane.mode != "watch") {
        let live = lane.sources.iter().filter(|source| source.alive && source.mode != "shadow");
        let names: Vec<&str> = live.map(|source| source.name.as_str()).collect();
        let who = if names.is_empty() {
            String::from("no source sends now")
        } else {
            format!("{} SENDS NOW", names.join(", "))
        };
        line(&mut out, "lane", &format!("{}: {who}", lane.name));
    }
    last_stop(&mut out, status);
    out
}

/// What stopped it last, where anything did.
fn last_stop(out: &mut String, status: &Status) {
    if let Some(cause) = status.last_trip.as_ref().filter(|trip| trip.seq > 0) {
        line(out, "last stop", &format!("seq {}   {}", cause.seq, trip(cause)));
    }
}

/// What makes a new line where `--watch` writes a log: no ages, no counts.
pub(super) fn what_counts(status: &Status) -> String {
    let codes = status.unmet.iter().map(|one| (&one.code, &one.subject));
    let lanes = status.lanes.iter().map(|lane| {
        let moves = !lane.motion.is_empty();
        (&lane.name, &lane.state, &lane.owner, moves)
    });
    format!(
        "{} {} {} {:?} {:?}",
        status.state,
        status.permitted,
        status.seq,
        codes.collect::<Vec<_>>(),
        lanes.collect::<Vec<_>>()
    )
}

/// What happened, the oldest first; of another day than now with its date.
pub(super) fn history(entries: &[Entry], now_unix_s: f64) -> String {
    let mut out = String::new();
    for entry in entries {
        let seq = entry.seq.map_or(String::new(), |seq| format!("seq {seq}"));
        let who = if entry.operator.is_empty() {
            String::new()
        } else {
            format!("  by {}", plain(&entry.operator))
        };
        let why = if entry.reason.is_empty() {
            String::new()
        } else {
            format!(": \"{}\"", plain(&entry.reason))
        };
        let when = when(entry.stamp_unix_s, now_unix_s);
        // Writing to a String cannot fail.
        writeln!(out, "{when}  {seq:<7}  {}{who}{why}", plain(&entry.text)).ok();
    }
    out
}

/// Active, and a cause holds every lane.
const HELD: &str = "ACTIVE, HELD";

/// The states in the colours that people expect.
const COLOURS: [(&str, &str); 5] = [
    ("KILLED", "\x1b[1;31m"),
    ("NO ANSWER", "\x1b[1;31m"),
    ("NOT ARMED", "\x1b[1;33m"),
    (HELD, "\x1b[1;33m"),
    ("ACTIVE", "\x1b[1;32m"),
];

/// The text with its first word in colour, where colours are wanted.
pub(super) fn painted(text: &str, colour: bool) -> String {
    for (word, code) in COLOURS {
        if colour && let Some(rest) = text.strip_prefix(word) {
            return format!("{code}{word}\x1b[0m{rest}");
        }
    }
    text.to_owned()
}

/// The same of a screen's bytes, where the first word follows the move to the first row.
pub(super) fn painted_on_screen(drawn: &str, colour: bool) -> String {
    const FIRST_ROW: &str = "\x1b[1;1H";
    match drawn.split_once(FIRST_ROW) {
        Some((before, rest)) => format!("{before}{FIRST_ROW}{}", painted(rest, colour)),
        None => drawn.to_owned(),
    }
}

/// Names and reasons come from clients of the node: no control characters to the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A title and its text, in as many lines as it takes.
fn line(out: &mut String, title: &str, text: &str) {
    let mut title = title;
    for part in wrapped(&plain(text), COLUMNS.saturating_sub(TITLE + 3)) {
        // Writing to a String cannot fail.
        writeln!(out, "  {title:<TITLE$} {part}").ok();
        title = "";
    }
}

/// Lines of at most `width` letters, broken at spaces; a longer word stays whole.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|letter| *letter == ' ').collect();
    let mut lines = Vec::new();
    let mut now = indent;
    let mut is_empty = true;
    for word in text.trim_start().split(' ') {
        let grown = now.chars().count().saturating_add(1).saturating_add(word.chars().count());
        if !is_empty && grown > width {
            lines.push(std::mem::replace(&mut now, String::from("  ")));
            is_empty = true;
        }
        if !is_empty {
            now.push(' ');
        }
        now.push_str(word);
        is_empty = false;
    }
    lines.push(now);
    lines
}

fn headline(status: &Status) -> String {
    let since = format!("since {}, {} ago", time(status.since_unix_s), span(status.since_age_s));
    let seq = status.seq;
    let text = match (status.state.as_str(), &status.first_trip) {
        ("killed", Some(first)) => format!("KILLED  seq {seq}   {}", trip(first)),
        ("killed", None) => format!("KILLED  seq {seq}   {since}"),
        ("disarmed", _) => {
            let missing = match status.unmet.len() {
                0 => String::from("ready to arm"),
                1 => String::from("1 thing missing"),
                n => format!("{n} things missing"),
            };
            format!("NOT ARMED  seq {seq}   {since}, {missing}")
        }
        ("active", _) => {
            let profile = status.profile.as_deref().unwrap_or("?");
            let derating = if status.derating < 1.0 {
                format!(", velocity derated to {:.0} %", 100.0 * status.derating)
            } else {
                String::new()
            };
            let word = if status.permitted { "ACTIVE" } else { HELD };
            format!("{word}  seq {seq}   {since}, profile {profile}{derating}")
        }
        (other, _) => format!("{}  seq {seq}", other.to_uppercase()),
    };
    plain(&text)
}

fn condition(condition: &ConditionStatus) -> String {
    let ConditionStatus { code, subject, text } = condition;
    match (text.is_empty(), subject.is_empty()) {
        (false, _) => text.clone(),
        (true, false) => format!("{code}: {subject}"),
        (true, true) => code.clone(),
    }
}
