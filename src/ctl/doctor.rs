//! `doctor`: is everything around the node as it should be, and if not, what to do.
//!
//! Each check says ok, BAD or cannot tell. What the node knows comes from its status; the rest from
//! the system's files, for the node's process.
//!
//! **Invariant:** what could not be looked at is never called ok.

mod state_directory;
mod system;

use serde_json::Value;

use super::client::{Client, NoAnswer};
use super::{Console, GOOD, REFUSED, UNREACHABLE, latch, text};
use crate::socket::protocol::Whoami;
use crate::telemetry::status::{LaneStatus, Status, UNREAD};
use crate::telemetry::texts::NOT_PERSISTED;
use crate::telemetry::watched::WatchedLanes;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Bad,
    /// Could not be looked at.
    CannotTell,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: &'static str,
    /// What was found.
    pub(super) found: Found,
    /// The value.
    pub(super) text: String,
    /// What to do; empty where nothing is to be done.
    pub(super) fix: String,
}

impl Check {
    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, found: Found::Ok, text: text.into(), fix: String::new() }
    }

    fn bad(name: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, found: Found::Bad, text: text.into(), fix: fix.into() }
    }

    fn cannot_tell(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, found: Found::CannotTell, text: text.into(), fix: String::new() }
    }
}

pub(super) fn doctor(client: &Client, console: &mut Console<'_>) -> u8 {
    let whoami = client.ask("whoami", Value::Null);
    let is_running = !matches!(whoami, Err(NoAnswer::NotRunning(_)));
    let (socket, whoami) = socket(client, whoami.map(|answer| answer.whoami));
    let mut checks = vec![socket];
    if let Some(whoami) = &whoami {
        checks.push(rights(whoami));
    }
    match client.look(None) {
        Ok(looked) => checks.extend(of_status(&looked.status)),
        Err(_) => checks.push(Check::cannot_tell("node", "no status: see the first line")),
    }
    if !is_running {
        // Else the node itself looks, twice a second.
        let places = latch::places(console.state_directory.as_deref());
        checks.extend(state_directory::checks(&places));
    }
    checks.push(system::clock());
    match &whoami {
        Some(whoami) => checks.extend(system::process(whoami.node_pid)),
        None => checks.push(Check::cannot_tell("real-time", "the node's process is not known")),
    }
    checks.extend(system::shared_memory_files(whoami.map(|whoami| whoami.node_uid)));
    console.say(&table(&checks, console.colour));
    verdict(&checks)
}

/// The worst of all.
fn verdict(checks: &[Check]) -> u8 {
    let has = |found: Found| checks.iter().any(|check| check.found == found);
    match (has(Found::Bad), has(Found::CannotTell)) {
        (true, _) => REFUSED,
        (false, true) => UNREACHABLE,
        (false, false) => GOOD,
    }
}

fn socket(client: &Client, asked: Result<Option<Whoami>, NoAnswer>) -> (Check, Option<Whoami>) {
    let name = "socket";
    match asked {
        Ok(Some(whoami)) => {
            let at = client.connect().map_or_else(|_| client.places(), |(_, at)| at);
            (Check::ok(name, at), Some(whoami))
        }
        Ok(None) => {
            (Check::bad(name, "does not say who we are", "an older node? restart it"), None)
        }
        Err(error @ NoAnswer::NoPermission(_)) => {
            let fix = "as root: usermod -aG interlock NAME, then log in again";
            (Check::bad(name, error.to_string(), fix), None)
        }
        Err(error @ NoAnswer::NotRunning(_)) => (Check::cannot_tell(name, error.to_string()), None),
        Err(NoAnswer::Elsewhere { places, url, how }) => {
            let text = format!("no node answers at {places}, but one does at {url}");
            (Check::bad(name, text, format!("interlockctl doctor {how}")), None)
        }
        Err(error @ NoAnswer::Several(_)) => {
            (Check::bad(name, error.to_string(), "interlockctl doctor --socket PATH"), None)
        }
        Err(error @ NoAnswer::Silent { .. }) => {
            let fix =
                "hardware emergency stop; then see what holds its process up (systemctl status)";
            (Check::bad(name, error.to_string(), fix), None)
        }
        Err(
            error @ (NoAnswer::Unreachable { .. }
            | NoAnswer::NotInterlock { .. }
            | NoAnswer::Full(_)),
        ) => (Check::bad(name, error.to_string(), "end what listens there"), None),
    }
}

fn rights(whoami: &Whoami) -> Check {
    let Whoami { uid, may_release, group, .. } = whoami;
    if *may_release {
        Check::ok("rights", format!("uid {uid} may reset and arm"))
    } else {
        let fix = format!("as root: usermod -aG {group} NAME, then log in again");
        Check::bad("rights", format!("uid {uid} may kill, not reset and arm"), fix)
    }
}

/// What the node itself knows.
fn of_status(status: &Status) -> Vec<Check> {
    let mut checks = vec![Check::ok("node", format!("{}, seq {}", status.state, status.seq))];
    checks.push(kept(status));
    checks.extend(set_up(status));
    let watched = WatchedLanes::of_status(status);
    checks.push(lanes(&watched));
    if !watched.is_all() {
        checks.push(controllers(status));
        checks.push(publishers(status));
    }
    checks.push(if status.simulated_time {
        let fix = "turn use_sim_time off, unless this is a simulation";
        Check::bad("time", "simulated (use_sim_time)", fix)
    } else {
        Check::ok("time", "not simulated")
    });
    checks.push(if status.ignored_causes.is_empty() {
        Check::ok("causes", "none is ignored")
    } else {
        let text = format!("ignored: {}", status.ignored_causes.join(", "));
        Check::bad("causes", text, "remove action: ignore from the params file")
    });
    checks
}

/// Whether a stop reaches anything.
fn lanes(watched: &WatchedLanes) -> Check {
    let name = "lanes";
    match watched.loud() {
        Some(text) if watched.is_all() => {
            let fix =
                "until a lane has mode: gate, only the hardware emergency stop stops the robot";
            Check::bad(name, format!("no lane is gated: {text}"), fix)
        }
        Some(text) => Check::ok(name, text),
        None => Check::ok(name, "every lane is gated"),
    }
}

/// Whether somebody else writes an output.
fn publishers(status: &Status) -> Check {
    let gating = || status.lanes.iter().filter(|lane| lane.mode != "watch");
    let counted = gating().all(|lane| lane.foreign_publishers.is_some());
    let foreign = gating().filter(|lane| lane.foreign_publishers.is_some_and(|count| count > 0));
    let foreign = names(foreign);
    match (counted, foreign.is_empty()) {
        (false, _) => Check::cannot_tell("publishers", "writers are not counted"),
        (true, true) => Check::ok("publishers", "nobody else writes an output"),
        (true, false) => Check::bad(
            "publishers",
            format!("somebody else writes the output of {foreign}"),
            "stop it: interlockctl status names it",
        ),
    }
}

/// What the node itself says of its real-time set-up: each sentence has its reason and the way out.
fn set_up(status: &Status) -> impl Iterator<Item = Check> + '_ {
    status.realtime.iter().map(|failed| Check::bad("set-up", failed.clone(), ""))
}

/// Whether the latch is kept on disk, as the node found half a second ago at most.
fn kept(status: &Status) -> Check {
    let fix = "remove latch.persist: false, unless this is a simulation";
    match status.latch.as_str() {
        "" => Check::ok("latch", "is kept on disk"),
        NOT_PERSISTED => Check::bad("latch", NOT_PERSISTED, fix),
        // The text has the file, the reason and the way out.
        trouble => Check::bad("latch", trouble, ""),
    }
}

/// Whether each output is read by who is meant to read it.
fn controllers(status: &Status) -> Check {
    let name = "controllers";
    let fix = "start the controller; compare topic, type and reliability";
    let gating = || status.lanes.iter().filter(|lane| lane.mode != "watch");
    if !gating().all(|lane| lane.subscribers.is_some()) {
        return Check::cannot_tell(name, "readers are not counted");
    }
    let unread = names(gating().filter(|lane| lane.subscribers == Some(0)));
    if !unread.is_empty() {
        return Check::bad(name, format!("nobody reads {unread}"), fix);
    }
    // Read by a recorder, say, or by a controller with other joints.
    let wrong = gating().filter(|lane| !lane.controller.is_empty());
    let wrong: Vec<String> =
        wrong.map(|lane| format!("of {}: {}", lane.name, lane.controller)).collect();
    if !wrong.is_empty() {
        let fix = "start it, or correct the lane's controller, joints and interface";
        return Check::bad(name, wrong.join("; "), fix);
    }
    let notes = gating().flat_map(|lane| lane.notes.iter().map(move |note| (&lane.name, note)));
    let deaf: Vec<String> = notes
        .filter(|(_, note)| note.starts_with(UNREAD))
        .map(|(lane, note)| format!("of {lane}: {note}"))
        .collect();
    if !deaf.is_empty() {
        return Check::bad(name, deaf.join("; "), fix);
    }
    Check::ok(name, "every gated lane has a reader, and each named controller reads its own")
}

fn names<'a>(lanes: impl Iterator<Item = &'a LaneStatus>) -> String {
    lanes.map(|lane| lane.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Columns of the names and of the texts.
const NAME: usize = 14;
const TEXT: usize = 50;

fn table(checks: &[Check], colour: bool) -> String {
    let mut out = String::new();
    for Check { name, found, text, fix } in checks {
        let (word, code) = match found {
            Found::Ok => ("ok", "\x1b[32m"),
            Found::Bad => ("BAD", "\x1b[1;31m"),
            Found::CannotTell => ("cannot tell", "\x1b[33m"),
        };
        let (start, end) = if colour { (code, "\x1b[0m") } else { ("", "") };
        let mut lines = text::wrapped(&text::plain(text), TEXT);
        if !fix.is_empty() {
            lines.extend(text::wrapped(&format!("fix: {fix}"), TEXT));
        }
        for (at, line) in lines.iter().enumerate() {
            if at == 0 {
                out.push_str(&format!("{start}{word:<11}{end}  {name:<NAME$}  {line}\n"));
            } else {
                out.push_str(&format!("{:<11}  {:<NAME$}  {line}\n", "", ""));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
