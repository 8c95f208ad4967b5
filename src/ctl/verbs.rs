//! The verbs: kill, reset, arm, disarm, select-source.

use serde_json::{Value, json};

use super::arguments::Because;
use super::client::{Asked, Client, Found, NoAnswer, Place};
use super::{Console, GOOD, REFUSED, UNREACHABLE, USAGE, text};
use crate::socket::protocol::{Answer, ErrorCode, TEXT_BYTES};
use crate::telemetry::status::Status;
use crate::telemetry::watched::WatchedLanes;

pub(super) fn fields(because: &Because, mut own: Value) -> Value {
    if let Some(own) = own.as_object_mut() {
        own.insert("reason".to_owned(), json!(because.reason.as_deref().map(shortened)));
        own.insert("operator".to_owned(), json!(because.operator.as_deref().map(shortened)));
    }
    own
}

/// No more than the node keeps of it: a log for a reason must not make the line too long to be read.
fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or(text)
}

/// Stops every node that is there: who stops a robot does not think of which. What goes wrong is said
/// with the other ways to stop.
pub(super) fn kill(client: &Client, because: &Because, console: &mut Console<'_>) -> u8 {
    let places = client.reach();
    if places.is_empty() {
        let error = NoAnswer::NotRunning(client.places());
        console.complain(&format!("NOT KILLED: {error}\n{OTHER_WAYS}"));
        // Only after what is to be done now: this may take a while.
        if let NoAnswer::Elsewhere { url, how, .. } = client.absent() {
            console.complain(&format!(
                "  or:   interlockctl kill {how}   (a node answers at {url})\n"
            ));
        }
        return UNREACHABLE;
    }
    kill_at(places, because, console)
}

/// Kills at each of the places: all are asked before the first answer is waited for.
fn kill_at(places: Vec<Place>, because: &Because, console: &mut Console<'_>) -> u8 {
    let is_alone = places.len() == 1;
    let asked: Vec<(String, Result<Asked, NoAnswer>)> = places
        .into_iter()
        .map(|Place { path, found }| match found {
            Found::Open(stream) => {
                let own = fields(because, json!({}));
                (path.clone(), Ok(Asked::send(stream, path, "kill", own)))
            }
            Found::Closed | Found::Full => (path.clone(), Err(found.without_answer(path))),
        })
        .collect();
    let mut codes = Vec::new();
    let mut stopped_nothing = false;
    for (path, asked) in asked {
        let at = if is_alone { String::new() } else { format!("{path}: ") };
        let answered = asked.and_then(Asked::answer);
        codes.push(match answered {
            Ok((answer, _)) if answer.ok => {
                console.say(&format!("{at}{}\n", text::plain(&answer.message)));
                GOOD
            }
            Ok((answer, _)) if answer.error.as_deref() == Some(ErrorCode::NotGated.label()) => {
                // It is latched, and no other way to kill stops more: the message has what does.
                console.complain(&format!("{at}{}\n", text::plain(&answer.message)));
                stopped_nothing = true;
                continue;
            }
            Ok((answer, _)) => {
                let message = text::plain(&answer.message);
                console.complain(&format!("{at}NOT CONFIRMED: {message}\n"));
                REFUSED
            }
            Err(error @ NoAnswer::NoPermission(_)) => {
                console.complain(&format!("{at}NOT KILLED: {error}\n"));
                REFUSED
            }
            Err(
                error @ (NoAnswer::NotRunning(_)
                | NoAnswer::Elsewhere { .. }
                | NoAnswer::Several(_)
                | NoAnswer::Full(_)
                | NoAnswer::Unreachable { .. }
                | NoAnswer::NotInterlock { .. }),
            ) => {
                console.complain(&format!("{at}NOT KILLED: {error}\n"));
                UNREACHABLE
            }
            Err(error @ NoAnswer::Silent { .. }) => {
                console.complain(&format!("{at}NOT CONFIRMED: {error}\n"));
                UNREACHABLE
            }
        });
    }
    let is = |wanted: u8| codes.iter().all(|code| *code == wanted);
    if is(GOOD) {
        return if stopped_nothing { REFUSED } else { GOOD };
    }
    console.complain(OTHER_WAYS);
    // Some of it was done, or refused.
    if is(UNREACHABLE) { UNREACHABLE } else { REFUSED }
}

/// Other ways to stop.
const OTHER_WAYS: &str = "  now:  the hardware emergency stop, or a kill button\n  \
     or:   kill -USR1 $(pidof interlock)\n";

pub(super) fn disarm(client: &Client, because: &Because, console: &mut Console<'_>) -> u8 {
    finish(client.ask("disarm", fields(because, json!({}))), console)
}

pub(super) fn select(
    client: &Client,
    (lane, source): (String, Option<String>),
    because: &Because,
    console: &mut Console<'_>,
) -> u8 {
    let own = json!({"lane": lane, "source": source});
    finish(client.ask("select_source", fields(because, own)), console)
}

pub(super) fn reset(
    client: &Client,
    yes: bool,
    because: &Because,
    console: &mut Console<'_>,
) -> u8 {
    let status = match client.status() {
        Ok(status) => status,
        Err(error) => return console.unreachable(&error),
    };
    if status.state != "killed" {
        console.complain(&format!("{}not killed: nothing to reset\n", text::head(&status)));
        return REFUSED;
    }
    console.complain(&text::head(&status));
    let seq = status.seq;
    let question = if status.lanes.iter().all(|lane| lane.motion.is_empty()) {
        let watched = WatchedLanes::of_status(&status);
        format!("reset lets go of seq {seq}: {}.", watched.until_arm())
    } else {
        // What moves it is not ours, and no reset ends it.
        format!("reset lets go of seq {seq}: IT MAY STILL MOVE. No command passes until arm.")
    };
    if let Some(code) = ask(&question, "Reset?", yes, console) {
        return code;
    }
    finish(client.ask("reset", fields(because, json!({"seq": status.seq}))), console)
}

pub(super) fn arm(
    client: &Client,
    (profile, yes): (Option<String>, bool),
    because: &Because,
    console: &mut Console<'_>,
) -> u8 {
    let status = match client.status() {
        Ok(status) => status,
        Err(error) => return console.unreachable(&error),
    };
    console.complain(&text::head(&status));
    match status.state.as_str() {
        "disarmed" => {}
        "killed" => {
            console.complain("killed: first interlockctl reset, then arm\n");
            return REFUSED;
        }
        _ => {
            console.complain("already active\n");
            return REFUSED;
        }
    }
    console.complain(&text::would_move(&status));
    let named = profile.as_deref().map_or(String::new(), |name| format!(" with profile {name}"));
    let question = format!(
        "arm of seq {}{named} lets these commands through: THE ROBOT CAN MOVE.",
        status.seq
    );
    if let Some(code) = ask(&question, "Arm?", yes, console) {
        return code;
    }
    let own = json!({"seq": status.seq, "profile": profile});
    finish(client.ask("arm", fields(because, own)), console)
}

/// `None`: go on.
fn ask(what: &str, question: &str, yes: bool, console: &mut Console<'_>) -> Option<u8> {
    console.complain(&format!("{what}\n"));
    if yes {
        return None;
    }
    if !console.can_ask {
        console.complain("nobody can answer here: use --yes if this is meant\n");
        return Some(USAGE);
    }
    console.complain(&format!("{question} [y/N] "));
    let mut said = String::new();
    // What cannot be read is no yes.
    console.input.read_line(&mut said).ok();
    if matches!(said.trim(), "y" | "Y" | "yes") {
        return None;
    }
    console.complain("not done\n");
    Some(REFUSED)
}

/// How the node begins when conditions are what it refuses for; they follow in `unmet`.
const UNMET: &str = "refused: conditions are unmet";

fn finish(answer: Result<Answer, NoAnswer>, console: &mut Console<'_>) -> u8 {
    match answer {
        Ok(answer) => tell(&answer, console),
        Err(error) => console.unreachable(&error),
    }
}

pub(super) fn tell(answer: &Answer, console: &mut Console<'_>) -> u8 {
    if answer.ok {
        console.say(&format!("{}\n", text::plain(&answer.message)));
        return GOOD;
    }
    // What is missing for an arm is no answer to a disarm, nor to a seq that has moved.
    let is_unmet = answer.message.starts_with(UNMET);
    if answer.error.as_deref() == Some(ErrorCode::Refused.label()) && is_unmet {
        let status = Status {
            state: answer.state.clone().unwrap_or_default(),
            seq: answer.seq.unwrap_or_default(),
            unmet: answer.unmet.clone(),
            ..Status::default()
        };
        console.complain(&text::in_the_way(&status));
    } else {
        console.complain(&format!("{}\n", text::plain(&answer.message)));
    }
    REFUSED
}

#[cfg(test)]
mod tests;
