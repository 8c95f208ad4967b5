//! The verbs: kill, reset, arm, disarm, select-source.

use serde_json::{Value, json};

use super::arguments::Because;
use super::client::{Client, NoAnswer};
use super::{Console, GOOD, REFUSED, USAGE, text};
use crate::socket::protocol::{Answer, ErrorCode};
use crate::telemetry::status::Status;

pub(super) fn fields(because: &Because, mut own: Value) -> Value {
    if let Some(own) = own.as_object_mut() {
        own.insert("reason".to_owned(), json!(because.reason));
        own.insert("operator".to_owned(), json!(because.operator));
    }
    own
}

/// Stops. What goes wrong is said with the other ways to stop.
pub(super) fn kill(client: &Client, because: &Because, console: &mut Console<'_>) -> u8 {
    match client.ask("kill", fields(because, json!({}))) {
        Ok(answer) if answer.ok => tell(&answer, console),
        Ok(answer) => {
            console.complain(&format!(
                "NOT CONFIRMED: {}\n{OTHER_WAYS}",
                text::plain(&answer.message)
            ));
            REFUSED
        }
        Err(error) => {
            console.complain(&format!("NOT KILLED: {error}\n{OTHER_WAYS}"));
            super::UNREACHABLE
        }
    }
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
        format!("reset lets go of seq {seq}. Nothing moves until arm.")
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
