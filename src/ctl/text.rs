//! The status as text for an operator: the state first, then what holds what, then the way on.
//!
//! Lines of at most 79 columns, nothing that moves or colours the terminal but for the state's word.

mod still;
mod trip;

use std::fmt::Write as _;

pub(super) use self::trip::stamp;
use self::trip::trip;
use crate::telemetry::history::Entry;
use crate::telemetry::people::{heard_on, span, time, way_on};
use crate::telemetry::status::{
    ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus, SelfTestPart, SourceStatus,
    Status, TemperatureStatus,
};

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
    for condition in &status.unmet {
        line(&mut out, "in the way", &self::condition(condition));
    }
    for lane in &status.lanes {
        line(&mut out, "lane", &self::lane(lane, status));
        for source in &lane.sources {
            line(&mut out, "", &self::source(source, lane.owner.as_deref()));
        }
        for note in &lane.notes {
            line(&mut out, "", &format!("! {note}"));
        }
    }
    for input in &status.kill_inputs {
        line(&mut out, "kill input", &kill_input(input));
    }
    for feedback in &status.feedback {
        line(&mut out, "feedback", &self::feedback(feedback));
    }
    for parts in status.temperatures.chunk_by(|one, other| one.name == other.name) {
        line(&mut out, "heat", &temperature(parts));
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

/// The headline, the reason of a kill, and loudly what moves nevertheless.
fn top(status: &Status) -> String {
    let mut out = first_lines(status);
    for moving in still::not_still(status) {
        line(&mut out, "NOT STILL", &moving);
    }
    let who = who(status);
    if !who.is_empty() {
        line(&mut out, "robot", &who);
    }
    out
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
    if let Some(cause) = status.last_trip.as_ref().filter(|trip| trip.seq > 0) {
        line(&mut out, "last stop", &format!("seq {}   {}", cause.seq, trip(cause)));
    }
    out
}

/// What makes a new line where `--watch` writes a log: no ages, no counts.
pub(super) fn what_counts(status: &Status) -> String {
    let codes = status.unmet.iter().map(|one| (&one.code, &one.subject));
    let lanes = status.lanes.iter().map(|lane| {
        let moves = !lane.motion.is_empty();
        (&lane.name, &lane.state, &lane.owner, moves)
    });
    format!(
        "{} {} {:?} {:?}",
        status.state,
        status.seq,
        codes.collect::<Vec<_>>(),
        lanes.collect::<Vec<_>>()
    )
}

/// What happened, the oldest first.
pub(super) fn history(entries: &[Entry]) -> String {
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
        let when = time(entry.stamp_unix_s);
        // Writing to a String cannot fail.
        writeln!(out, "{when}  {seq:<7}  {}{who}{why}", plain(&entry.text)).ok();
    }
    out
}

/// The states in the colours that people expect.
const COLOURS: [(&str, &str); 4] = [
    ("KILLED", "\x1b[1;31m"),
    ("NO ANSWER", "\x1b[1;31m"),
    ("NOT ARMED", "\x1b[1;33m"),
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
            format!("ACTIVE  seq {seq}   {since}, profile {profile}{derating}")
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

fn lane(lane: &LaneStatus, status: &Status) -> String {
    let mut text = format!("{}: {}", lane.name, lane.state);
    match lane.state.as_str() {
        "flowing" => {
            let owner = lane.owner.as_deref().unwrap_or("nobody");
            write!(text, ", {owner} in charge").ok();
        }
        "released" => text.push_str(", publishes nothing"),
        _ => {
            let safe = &lane.safe_command;
            match lane.safe_rate_hz {
                Some(rate) => write!(text, ", {safe} at {rate} Hz"),
                None if safe == "silent" => write!(text, ", publishes nothing (silent)"),
                None => write!(text, ", {safe} is out"),
            }
            .ok();
        }
    }
    text.push_str(&still::still(lane, status));
    if let Some(selected) = &lane.selected {
        write!(text, ", {selected} selected").ok();
    }
    match lane.subscribers {
        Some(0) => text.push_str(", NOBODY READS IT"),
        Some(1) => text.push_str(", 1 reader"),
        Some(n) => {
            write!(text, ", {n} readers").ok();
        }
        None => {}
    }
    match lane.foreign_publishers {
        Some(n) if n > 0 => {
            write!(text, ", {n} FOREIGN PUBLISHERS").ok();
        }
        Some(_) | None => {}
    }
    text
}

fn source(source: &SourceStatus, owner: Option<&str>) -> String {
    let mark = if owner == Some(source.name.as_str()) { '*' } else { ' ' };
    let heard = match (source.alive, source.silent_for_s) {
        (true, _) => String::from("alive"),
        (false, Some(silent)) => format!("silent for {}", span(silent)),
        (false, None) => String::from("not heard yet"),
    };
    let mut text = format!("{mark} {}: {heard}", source.name);
    for (count, word) in [
        (source.passed, "passed"),
        (source.limited, "limited"),
        (source.rejected, "rejected"),
        (source.withheld, "withheld"),
        (source.not_selected, "not selected"),
        (source.lost.unwrap_or(0), "lost"),
    ] {
        if count > 0 {
            write!(text, ", {count} {word}").ok();
        }
    }
    if let Some(reason) = &source.last_reason {
        write!(text, ", last refused: {reason}").ok();
    }
    text
}

/// Of one input, every component that has something to say; the hottest where none has.
fn temperature(parts: &[TemperatureStatus]) -> String {
    let name = parts.first().map_or("", |part| &part.name);
    let point = |part: &TemperatureStatus| {
        let text = plain(&part.text);
        if part.component == part.name { text } else { format!("{}, {text}", part.component) }
    };
    let loud = parts.iter().filter(|part| part.level != "ok");
    let mut told: Vec<String> = loud.map(point).collect();
    if told.is_empty() {
        let by_heat = |one: &&TemperatureStatus, other: &&TemperatureStatus| {
            let celsius = |part: &TemperatureStatus| part.celsius.unwrap_or(f64::NEG_INFINITY);
            celsius(one).total_cmp(&celsius(other))
        };
        told.extend(parts.iter().max_by(by_heat).map(point));
    }
    format!("{name}: {}", told.join("; "))
}

fn kill_input(input: &KillInputStatus) -> String {
    let KillInputStatus { name, asserted, lost, seen, silent_for_s, note, asserted_by, .. } = input;
    let on = match input.topic.as_str() {
        "" => String::new(),
        topic => format!(" ({})", heard_on(topic, input.publishers)),
    };
    let state = match (asserted, seen, lost) {
        (true, _, _) if asserted_by.is_empty() => String::from("ASSERTED"),
        (true, _, _) => format!("ASSERTED by {asserted_by}"),
        (false, false, _) => format!("not heard yet: is it switched on?{on}"),
        (false, true, true) => format!("SILENT for {}{on}", span(silent_for_s.unwrap_or(0.0))),
        (false, true, false) => String::from("released"),
    };
    if note.is_empty() { format!("{name}: {state}") } else { format!("{name}: {state}; {note}") }
}

fn feedback(feedback: &FeedbackStatus) -> String {
    let state = match (feedback.fresh, feedback.silent_for_s) {
        (true, _) => String::from("fresh"),
        (false, Some(silent)) => format!("SILENT for {}", span(silent)),
        (false, None) => String::from("not heard yet"),
    };
    format!("{}: {state}", feedback.name)
}
