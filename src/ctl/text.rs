//! The status as text for an operator: the state first, then what holds what, then the way on.

use std::fmt::Write as _;

use crate::telemetry::status::{
    ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus, SourceStatus, Status, TripStatus,
};

/// The whole text, each line ended.
pub(super) fn status(status: &Status) -> String {
    let mut out = format!("{}\n", headline(status));
    if let (Some(first), Some(last)) = (&status.first_trip, &status.last_trip)
        && first.seq != last.seq
    {
        line(&mut out, "then", &format!("seq {}   {}", last.seq, trip(last)));
    }
    for condition in &status.unmet {
        line(&mut out, "in the way", &self::condition(condition));
    }
    for lane in &status.lanes {
        line(&mut out, "lane", &self::lane(lane));
        for source in &lane.sources {
            line(&mut out, "", &self::source(source, lane.owner.as_deref()));
        }
    }
    for input in &status.kill_inputs {
        line(&mut out, "kill input", &kill_input(input));
    }
    for feedback in &status.feedback {
        line(&mut out, "feedback", &self::feedback(feedback));
    }
    if !status.ignored_causes.is_empty() {
        line(&mut out, "IGNORED", &format!("causes {}", status.ignored_causes.join(", ")));
    }
    if let Some(way) = way_on(status) {
        line(&mut out, "to go on", &way);
    }
    out
}

fn line(out: &mut String, title: &str, text: &str) {
    // Names and reasons come from clients of the node: no control characters to the terminal.
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    // Writing to a String cannot fail.
    writeln!(out, "  {title:<10}  {text}").ok();
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
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn trip(trip: &TripStatus) -> String {
    let subject =
        if trip.subject.is_empty() { String::new() } else { format!(" ({})", trip.subject) };
    let who =
        if trip.operator.is_empty() { String::new() } else { format!(" of {}", trip.operator) };
    let detail = if trip.detail.is_empty() { String::new() } else { format!(": {}", trip.detail) };
    let when = time(trip.stamp_unix_s);
    format!("by {}{who}{subject} {when}, {} ago{detail}", trip.cause, span(trip.age_s))
}

fn condition(condition: &ConditionStatus) -> String {
    let ConditionStatus { code, subject, text } = condition;
    match (text.is_empty(), subject.is_empty()) {
        (false, _) => text.clone(),
        (true, false) => format!("{code}: {subject}"),
        (true, true) => code.clone(),
    }
}

fn lane(lane: &LaneStatus) -> String {
    let mut text = format!("{}: {}", lane.name, lane.state);
    match lane.state.as_str() {
        "flowing" => {
            let owner = lane.owner.as_deref().unwrap_or("nobody");
            write!(text, ", {owner} in charge").ok();
        }
        "released" => text.push_str(", publishes nothing"),
        _ => {
            write!(text, ", {} is out", lane.safe_command).ok();
        }
    }
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

fn kill_input(input: &KillInputStatus) -> String {
    let KillInputStatus { name, asserted, lost, seen, silent_for_s, note: _, asserted_by: _ } =
        input;
    let state = match (asserted, seen, lost) {
        (true, _, _) => String::from("ASSERTED"),
        (false, false, _) => String::from("not heard yet: is it switched on?"),
        (false, true, true) => format!("SILENT for {}", span(silent_for_s.unwrap_or(0.0))),
        (false, true, false) => String::from("released"),
    };
    format!("{name}: {state}")
}

fn feedback(feedback: &FeedbackStatus) -> String {
    let state = match (feedback.fresh, feedback.silent_for_s) {
        (true, _) => String::from("fresh"),
        (false, Some(silent)) => format!("SILENT for {}", span(silent)),
        (false, None) => String::from("not heard yet"),
    };
    format!("{}: {state}", feedback.name)
}

/// The next steps. Nothing here can take them; it says which `seq` to name.
fn way_on(status: &Status) -> Option<String> {
    let seq = status.seq;
    match (status.state.as_str(), status.unmet.is_empty()) {
        ("killed", true) => {
            Some(format!("1. reset, naming seq {seq} (lets go, nothing moves)   2. arm"))
        }
        ("killed", false) => Some(String::from("clear what is in the way, then reset, then arm")),
        ("disarmed", true) => Some(format!("arm, naming seq {seq}")),
        ("disarmed", false) => Some(String::from("clear what is in the way, then arm")),
        _ => None,
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// A span as people say it. Each unit is kept up to twice the next one, so "119 s" is exact.
fn span(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 2.0 * MINUTE {
        format!("{seconds:.0} s")
    } else if seconds < 2.0 * HOUR {
        format!("{:.0} min", (seconds / MINUTE).floor())
    } else if seconds < 2.0 * DAY {
        format!("{:.0} h", (seconds / HOUR).floor())
    } else {
        format!("{:.0} d", (seconds / DAY).floor())
    }
}

/// The time of day, UTC: the robot and the person may sit in different zones.
fn time(unix_s: f64) -> String {
    let of_day = unix_s.rem_euclid(DAY);
    let hours = (of_day / HOUR).floor();
    let minutes = (of_day % HOUR / MINUTE).floor();
    let seconds = (of_day % MINUTE).floor();
    format!("{hours:02.0}:{minutes:02.0}:{seconds:02.0} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_span_is_told_expect_the_unit_people_use() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (9.96, "10.0 s"),
            (59.4, "59 s"),
            (119.0, "119 s"),
            (179.0, "2 min"),
            (7_199.0, "119 min"),
            (7_200.0, "2 h"),
            (172_800.0, "2 d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn when_a_time_is_told_expect_the_time_of_day() {
        assert_eq!(time(1_700_000_000.9), "22:13:20 UTC");
        assert_eq!(time(0.0), "00:00:00 UTC");
        assert_eq!(time(86_399.999), "23:59:59 UTC");
        assert_eq!(time(-1.0), "23:59:59 UTC");
    }
}
