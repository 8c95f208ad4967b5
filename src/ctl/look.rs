//! Looking: status once and for ever, history, wait.

use std::time::Duration;

use serde_json::Value;

use super::client::{Client, Looked, NoAnswer};
use super::screen::Screen;
use super::{Console, GOOD, KILLED, REFUSED, USAGE, text};
use crate::clock;
use crate::telemetry::status::Status;

/// Between two looks of `--watch`.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Between two looks of `wait`.
const WAIT_EVERY: Duration = Duration::from_millis(100);

fn code(status: &Status) -> u8 {
    if status.state == "killed" { KILLED } else { GOOD }
}

/// The whole, and whether what it says to type reaches the node.
fn told(looked: &Looked) -> String {
    let mut out = text::status(&looked.status);
    if let Some(why) = &looked.unreached {
        out.push_str(&text::unreached(why));
    }
    out
}

pub(super) fn status(client: &Client, url: Option<&str>, console: &mut Console<'_>) -> u8 {
    match client.look(url) {
        Ok(looked) => {
            let painted = text::painted(&told(&looked), console.colour);
            console.say(&painted);
            code(&looked.status)
        }
        Err(error) => console.unreachable(&error),
    }
}

pub(super) fn json(client: &Client, url: Option<&str>, console: &mut Console<'_>) -> u8 {
    match client.look(url) {
        Ok(looked) => {
            console.say(&format!("{}\n", looked.raw.trim_end()));
            if let Some(why) = &looked.unreached {
                console.complain(&text::unreached(why));
            }
            code(&looked.status)
        }
        Err(error) => console.unreachable(&error),
    }
}

/// Until the terminal or the reader goes.
pub(super) fn watch(client: &Client, url: Option<&str>, console: &mut Console<'_>) -> u8 {
    let mut screen = Screen::default();
    let mut told = None;
    loop {
        let looked = client.look(url);
        let text = match console.screen {
            Some(size) => {
                let text = match &looked {
                    Ok(looked) => self::told(looked),
                    Err(error) => format!("NO ANSWER\n  {error}\n"),
                };
                let drawn = screen.draw(&text, size());
                // The headline is the first line of the screen.
                text::painted_on_screen(&drawn, console.colour)
            }
            None => changed(&looked, &mut told),
        };
        let sent = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
        if sent.is_err() {
            return GOOD;
        }
        std::thread::sleep(WATCH_EVERY);
    }
}

/// Not a terminal: the headline again for each change, as in a log.
fn changed(looked: &Result<Looked, NoAnswer>, told: &mut Option<String>) -> String {
    let (key, text) = match looked {
        Ok(looked) => (text::what_counts(&looked.status), text::head(&looked.status)),
        Err(error) => ("no answer".to_owned(), format!("NO ANSWER  {error}\n")),
    };
    if told.as_ref() == Some(&key) {
        return String::new();
    }
    *told = Some(key);
    text
}

pub(super) fn history(client: &Client, json: bool, console: &mut Console<'_>) -> u8 {
    let answer = match client.ask("history", Value::Null) {
        Ok(answer) => answer,
        Err(error) => return console.unreachable(&error),
    };
    let Some(entries) = answer.history else {
        console.complain(&format!("{}\n", text::plain(&answer.message)));
        return REFUSED;
    };
    if json {
        console.say(&format!("{}\n", serde_json::to_string(&entries).unwrap_or_default()));
    } else {
        console.say(&text::history(&entries, super::now_unix_s()));
    }
    GOOD
}

pub(super) fn wait(client: &Client, state: &str, timeout: f64, console: &mut Console<'_>) -> u8 {
    let Ok(timeout) = Duration::try_from_secs_f64(timeout) else {
        console.complain("--timeout needs a number of seconds from 0 on\n");
        return USAGE;
    };
    let began = clock::steady();
    loop {
        let looked = client.status();
        if let Err(error @ NoAnswer::Several(_)) = &looked {
            return console.unreachable(error);
        }
        if let Ok(status) = &looked
            && is_in(status, state)
        {
            console.say(&text::head(status));
            return GOOD;
        }
        if clock::steady().since(began) >= timeout {
            return match looked {
                Ok(status) => {
                    console.complain(&format!(
                        "not {state} within {} s\n{}",
                        timeout.as_secs_f64(),
                        text::head(&status)
                    ));
                    REFUSED
                }
                Err(error) => console.unreachable(&error),
            };
        }
        std::thread::sleep(WAIT_EVERY);
    }
}

fn is_in(status: &Status, state: &str) -> bool {
    match state {
        "ready" => status.state == "disarmed" && status.unmet.is_empty(),
        state => status.state == state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::status::ConditionStatus;

    fn looked(state: &str, seq: u64) -> Result<Looked, NoAnswer> {
        let permitted = state == "active";
        let status = Status { state: state.to_owned(), permitted, seq, ..Status::default() };
        Ok(Looked { status, raw: String::new(), unreached: None })
    }

    #[test]
    fn when_nothing_changes_expect_nothing_said_to_a_file() {
        let mut told = None;
        assert!(changed(&looked("disarmed", 1), &mut told).starts_with("NOT ARMED  seq 1"));
        assert_eq!(changed(&looked("disarmed", 1), &mut told), "");
        assert!(changed(&looked("active", 2), &mut told).starts_with("ACTIVE  seq 2"));
        let gone = Err(NoAnswer::NotRunning("here".to_owned()));
        assert!(changed(&gone, &mut told).starts_with("NO ANSWER"));
        assert_eq!(changed(&gone, &mut told), "");
    }

    #[test]
    fn when_a_state_is_waited_for_expect_ready_to_need_nothing() {
        let mut status = Status { state: "disarmed".to_owned(), ..Status::default() };
        assert!(is_in(&status, "disarmed") && is_in(&status, "ready"));
        assert!(!is_in(&status, "active"));
        status.unmet.push(ConditionStatus::default());
        assert!(is_in(&status, "disarmed") && !is_in(&status, "ready"));
    }
}
