//! The parts of the page, in the order in which an operator asks for them.

use serde_json::Value;

use super::html::{Class, Html};
use super::table::{Cell, Table, any, class};
use crate::telemetry::people::{span, time, way_on};
use crate::telemetry::status::{
    HEARTBEAT, KillInputStatus, LET_GO, LaneStatus, SourceStatus, Status, TopicStatus, TripStatus,
    UNREADABLE,
};
use crate::telemetry::watched::WatchedLanes;

/// The state in one word.
pub(super) fn word(status: &Status, stalled: Option<&str>) -> &'static str {
    if stalled.is_some() {
        return "NO PROGRESS";
    }
    match status.state.as_str() {
        "killed" => "KILLED",
        "active" if status.permitted => "ACTIVE",
        "active" => "ACTIVE, HELD",
        "disarmed" => "DISARMED",
        _ => "STARTING",
    }
}

/// The state, why, what is in the way and what to type.
pub(super) fn head(status: &Status, stalled: Option<&str>, html: &mut Html) {
    html.raw(match (stalled, status.state.as_str()) {
        (Some(_), _) | (None, "killed") => "<header class=killed><h1>✖ ",
        (None, "active") if status.permitted => "<header class=active><h1>▶ ",
        (None, "active") => "<header class=unknown><h1>⏸ ",
        (None, "disarmed") => "<header class=disarmed><h1>■ ",
        (None, _) => "<header class=unknown><h1>… ",
    });
    html.text(word(status, stalled)).raw("</h1>\n");
    if let Some(why) = stalled {
        html.raw("<p>").mark(Class::Bad, why);
        html.raw(": what follows may be old.</p>\n");
    }
    html.raw("<p>").text(&summary(status)).raw("</p>\n");
    let watched = WatchedLanes::of_status(status);
    if let Some(loud) = watched.loud() {
        let class = if watched.is_all() { Class::Bad } else { Class::Warn };
        html.raw("<p>").mark(class, &format!("NOT GATED: {loud}")).raw("</p>\n");
    }
    if let Some(first) = &status.first_trip {
        html.raw("<p>").mark(Class::Bad, &trip("stopped", first)).raw("</p>\n");
    }
    if let Some(last) = newest_other(status) {
        html.raw("<p>").text(&trip("last stop", last)).raw("</p>\n");
    }
    if !status.unmet.is_empty() {
        html.raw("<p>In the way:</p><ul>");
        for one in &status.unmet {
            html.raw("<li>").text(if one.text.is_empty() { &one.code } else { &one.text });
        }
        html.raw("</ul>\n");
    }
    for cause in &status.causes {
        let when = if cause.acts { "" } else { " soon" };
        let text = format!("{}{when}: {}", cause.action, cause.text);
        html.raw("<p>Cause: ").mark(Class::Warn, &text).raw("</p>\n");
    }
    if let Some(way) = way_on(status) {
        html.raw("<p>Next: <code>").text(way).raw("</code></p>\n");
    }
    if watched.is_all() {
        html.raw("<p>To stop: the hardware emergency stop</p>\n");
    } else if status.state != "killed" {
        html.raw("<p>To stop: <code>interlockctl kill</code></p>\n");
    }
    html.raw("</header>\n");
}

/// `seq`, since when, and under which limits.
fn summary(status: &Status) -> String {
    let mut text = format!(
        "seq {}, since {}, {} ago",
        status.seq,
        time(status.since_unix_s),
        span(status.since_age_s)
    );
    if let Some(profile) = &status.profile {
        text.push_str(&format!(", profile {profile}"));
    }
    if status.derating < 1.0 {
        text.push_str(&format!(", velocity derated to {:.0} %", 100.0 * status.derating));
    }
    text
}

/// The newest trip, where it is not the one that is shown already.
fn newest_other(status: &Status) -> Option<&TripStatus> {
    let first = status.first_trip.as_ref().map(|trip| trip.seq);
    status.last_trip.as_ref().filter(|last| last.seq > 0 && first != Some(last.seq))
}

fn trip(what: &str, trip: &TripStatus) -> String {
    let mut text = format!("{what} by {}", trip.cause);
    for (word, value) in [(" of ", &trip.operator), (", ", &trip.subject)] {
        if !value.is_empty() {
            text.push_str(word);
            text.push_str(value);
        }
    }
    text.push_str(&format!(", {}, {} ago", time(trip.stamp_unix_s), span(trip.age_s)));
    if !trip.detail.is_empty() && trip.detail != trip.cause {
        text.push_str(&format!(": {}", trip.detail));
    }
    if !trip.reason.is_empty() {
        text.push_str(&format!(" (\"{}\")", trip.reason));
    }
    text
}

/// Every table, empty ones included.
pub(super) fn tables(status: &Status, lists: &Value) -> Vec<Table> {
    let list = |name: &str| lists.get(name).unwrap_or(&Value::Null);
    vec![
        lanes(status),
        sources(status),
        inputs(status),
        rejections(status),
        any("Temperatures", list("temperatures")),
        any("Batteries", list("batteries")),
        machine(status),
        topics(status),
    ]
}

fn lanes(status: &Status) -> Table {
    let mut table = Table::new("Lanes", &["lane", "state", "in charge", "sends", "readers", ""]);
    table.rows = status.lanes.iter().map(lane).collect();
    table
}

fn lane(lane: &LaneStatus) -> Vec<Cell> {
    let owner = lane.owner.as_deref().unwrap_or("nobody");
    let (class, sends) = match lane.state.as_str() {
        "flowing" => (Class::Ok, "commands"),
        "released" => (Class::Plain, "nothing"),
        "waiting" => (Class::Plain, lane.safe_command.as_str()),
        _ => (Class::Warn, lane.safe_command.as_str()),
    };
    let sends = if lane.mode == "watch" { "nothing: watched only" } else { sends };
    let readers = match lane.subscribers {
        _ if lane.mode == "watch" => Cell::new(Class::Dim, "–"),
        None => Cell::new(Class::Dim, "not counted"),
        Some(0) => Cell::new(Class::Bad, "NONE"),
        Some(count) => Cell::plain(count.to_string()),
    };
    let mut notes = lane.notes.join("; ");
    if let Some(selected) = &lane.selected {
        notes = format!("{selected} selected; {notes}");
    }
    if !lane.motion.is_empty() {
        notes = format!("NOT STILL: {}; {notes}", lane.motion);
    }
    vec![
        Cell::plain(lane.name.as_str()),
        Cell::new(class, lane.state.as_str()),
        Cell::plain(owner),
        Cell::plain(sends),
        readers,
        Cell::new(Class::Warn, notes.trim_end_matches("; ")),
    ]
}

fn sources(status: &Status) -> Table {
    let mut table = Table::new("Sources", &["source", "heard", "commands", "last refused", ""]);
    for lane in &status.lanes {
        table.rows.extend(lane.sources.iter().map(|one| source(lane, one)));
    }
    table
}

fn source(lane: &LaneStatus, source: &SourceStatus) -> Vec<Cell> {
    let heard = match (source.alive, source.silent_for_s) {
        (true, _) => Cell::new(Class::Ok, "alive"),
        (false, Some(silent)) => Cell::plain(format!("silent for {}", span(silent))),
        (false, None) => Cell::new(Class::Dim, "not yet"),
    };
    let counts: Vec<String> =
        source.counts().map(|(count, word)| format!("{count} {word}")).collect();
    let in_charge = lane.owner.as_deref() == Some(source.name.as_str());
    let mut notes = Vec::new();
    if in_charge {
        notes.push(String::from("in charge"));
    }
    if source.mode != "live" {
        notes.push(source.mode.clone());
    }
    if !source.note.is_empty() {
        notes.push(format!("incompatible publisher: {}", source.note));
    }
    vec![
        Cell::plain(format!("{}/{}", lane.name, source.name)),
        heard,
        Cell::plain(match (counts.is_empty(), source.mode.as_str()) {
            (true, _) => String::from("none"),
            (false, "shadow") => format!("judged, never sent: {}", counts.join(", ")),
            (false, _) => counts.join(", "),
        }),
        Cell::new(Class::Warn, source.last_reason.as_deref().unwrap_or_default()),
        Cell::plain(notes.join(", ")),
    ]
}

/// Kill inputs and feedback.
fn inputs(status: &Status) -> Table {
    let mut table = Table::new("Inputs", &["input", "is", "says", "heard", ""]);
    table.rows.extend(status.kill_inputs.iter().map(kill_input));
    table.rows.extend(status.feedback.iter().map(|feedback| {
        let says = match (feedback.fresh, feedback.silent_for_s) {
            (true, _) => Cell::new(Class::Ok, "fresh"),
            (false, _) if feedback.partial => Cell::new(Class::Bad, feedback.partial_text()),
            (false, Some(_)) => Cell::new(Class::Bad, "SILENT"),
            (false, None) => Cell::new(Class::Warn, "not heard yet"),
        };
        vec![
            Cell::plain(feedback.name.as_str()),
            Cell::plain("feedback"),
            says,
            ago(feedback.silent_for_s),
            Cell::new(Class::Warn, feedback.note.as_str()),
        ]
    }));
    table
}

fn kill_input(input: &KillInputStatus) -> Vec<Cell> {
    let says = match (input.asserted, input.seen, input.lost) {
        (true, _, _) if input.is_let_go() => Cell::plain(LET_GO),
        (true, _, _) if input.dead_man => Cell::new(Class::Bad, UNREADABLE),
        (true, _, _) if input.asserted_by.is_empty() => Cell::new(Class::Bad, "ASSERTED"),
        (true, _, _) => Cell::new(Class::Bad, format!("ASSERTED by {}", input.asserted_by)),
        (false, false, _) => Cell::new(Class::Warn, "not heard yet"),
        (false, true, true) => Cell::new(Class::Bad, "SILENT"),
        (false, true, false) if input.heartbeat_only => Cell::new(Class::Ok, HEARTBEAT),
        (false, true, false) => Cell::new(Class::Ok, "released"),
    };
    vec![
        Cell::plain(input.name.as_str()),
        Cell::plain("kill input"),
        says,
        ago(input.silent_for_s),
        Cell::new(Class::Warn, input.note.as_str()),
    ]
}

fn ago(silent_for_s: Option<f64>) -> Cell {
    silent_for_s.map_or_else(
        || Cell::new(Class::Dim, "never"),
        |silent| Cell::plain(format!("{} ago", span(silent))),
    )
}

fn rejections(status: &Status) -> Table {
    let columns = ["source", "reason", "found", "times", "newest"];
    let mut table = Table::new("Latest rejections", &columns);
    let rows = status.rejections.iter().map(|one| {
        vec![
            Cell::plain(format!("{}/{}", one.lane, one.source)),
            Cell::new(Class::Warn, one.reason.as_str()),
            Cell::plain(one.detail.as_str()),
            Cell::plain(one.count.to_string()),
            Cell::plain(format!("{} ago", span(one.age_s))),
        ]
    });
    table.rows = rows.collect();
    table
}

/// The clock, and what was asked for and could not be had.
fn machine(status: &Status) -> Table {
    let mut table = Table::new("Machine", &["what", "is", ""]);
    let clock = &status.clock;
    table.rows.push(vec![
        Cell::plain("wall clock"),
        Cell::new(class(&clock.level), clock.level.as_str()),
        Cell::plain(clock.text.as_str()),
    ]);
    let warn = |what: &str, text: &str| {
        vec![Cell::plain(what), Cell::new(Class::Warn, "warn"), Cell::plain(text)]
    };
    if !status.latch.is_empty() {
        table.rows.push(warn("latch", &status.latch));
    }
    if !status.description.is_empty() {
        table.rows.push(warn("robot description", &status.description));
    }
    table.rows.extend(status.realtime.iter().map(|text| warn("real-time", text)));
    if !status.ignored_causes.is_empty() {
        table.rows.push(warn("ignored causes", &status.ignored_causes.join(", ")));
    }
    table
}

fn topics(status: &Status) -> Table {
    let columns = ["topic", "is", "rate", "largest gap", "newest", "lost"];
    let mut table = Table::new("Topics", &columns);
    let mut topics: Vec<&TopicStatus> = status.topics.iter().collect();
    // The worst first, and stable: a row stays where it is.
    topics.sort_by_key(|topic| match topic.level.as_str() {
        "error" => 0,
        "warn" => 1,
        _ => 2,
    });
    table.rows = topics.into_iter().map(topic).collect();
    table
}

fn topic(topic: &TopicStatus) -> Vec<Cell> {
    let rate = match (topic.rate_hz, topic.expected_hz) {
        (Some(rate), Some(expected)) => format!("{rate:.1} of {expected:.1} Hz"),
        (Some(rate), None) => format!("{rate:.1} Hz"),
        (None, _) => String::from("–"),
    };
    let gap = topic.gap_s.map_or(String::from("–"), |gap| format!("{gap:.3} s"));
    let is = if topic.level == "ok" {
        topic.level.clone()
    } else {
        format!("{}: {}", topic.level, topic.text)
    };
    vec![
        Cell::plain(topic.topic.as_str()),
        Cell::new(class(&topic.level), is),
        Cell::plain(rate),
        Cell::plain(gap),
        ago(topic.silent_for_s),
        Cell::plain(topic.lost.map_or(String::from("–"), |lost| lost.to_string())),
    ]
}

/// Who says all this, and where there is more.
pub(super) fn foot(status: &Status, html: &mut Html) {
    let digest: String = status.config_sha256.chars().take(12).collect();
    html.raw("<footer><p>As of ").text(&time(status.stamp_unix_s));
    html.raw(", every 2 s. Read only: nothing here stops or releases anything.</p>\n<p>");
    html.text(&format!("{} on {}", status.node, status.hardware_id));
    html.text(&format!(", version {}, configuration {digest}", status.version));
    html.raw("</p>\n<p><a href=/status>/status</a> <a href=/metrics>/metrics</a> ");
    html.raw("<a href=/livez>/livez</a> <a href=/readyz>/readyz</a></p></footer>\n");
}
