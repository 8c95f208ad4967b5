//! `interlockctl`: stop, look, reset and arm at a terminal, without ROS.
//!
//! Arguments in, text and an exit code out; `src/bin/interlockctl.rs` only connects it to the
//! process. It works over the control socket; looking also works over HTTP.
//!
//! **Invariant:** links no ROS library. A kill asks nothing and reads nothing first. "Cannot tell" is
//! never shown as "good".

mod arguments;
mod client;
mod doctor;
mod latch;
mod look;
mod screen;
mod self_test;
mod suggest;
mod text;
mod verbs;

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use self::arguments::{Arguments, Verb};
use self::client::{Client, NoAnswer};
use crate::socket::place::Surroundings;

/// Done; the node answered, and is not killed.
pub const GOOD: u8 = 0;
/// The node answered, and is killed.
pub const KILLED: u8 = 1;
/// Refused, not confirmed, not in time, bad, or a self test that failed.
pub const REFUSED: u8 = 1;
/// Nobody answered, or something that is not Interlock; something could not be checked.
pub const UNREACHABLE: u8 = 2;
/// The command line is wrong (`EX_USAGE`).
pub const USAGE: u8 = 64;

/// The process around the tool.
pub struct Console<'a> {
    /// For what was asked for.
    pub out: &'a mut dyn Write,
    /// For what went wrong, and questions.
    pub err: &'a mut dyn Write,
    /// For answers to questions.
    pub input: &'a mut dyn BufRead,
    /// Whether somebody can answer.
    pub can_ask: bool,
    /// Rows and columns, now, of the terminal that `out` is; `None`: it is none.
    pub screen: Option<&'a dyn Fn() -> (usize, usize)>,
    /// Colours are wanted: a terminal, and no `NO_COLOR`.
    pub colour: bool,
    /// The environment and user.
    pub surroundings: Surroundings,
    /// Where a node that this user starts has its latch file.
    pub state_directory: Option<PathBuf>,
}

impl std::fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console<'_> {
    /// A reader that has gone (`| head`) is no fault of ours, and the exit code tells the rest.
    fn say(&mut self, text: &str) {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).ok();
    }

    fn complain(&mut self, text: &str) {
        self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush()).ok();
    }

    /// What to say when nobody answers.
    fn unreachable(&mut self, error: &NoAnswer) -> u8 {
        self.complain(&format!("{error}\n"));
        if matches!(error, NoAnswer::NotRunning(_)) {
            let places = latch::places(self.state_directory.as_deref());
            let told = latch::told(&places, now_unix_s());
            self.complain(&told);
        }
        UNREACHABLE
    }
}

/// This machine's wall clock.
fn now_unix_s() -> f64 {
    text::seconds(crate::clock::now().wall.as_nanos())
}

/// Runs the tool. Returns the exit code.
pub fn run<I, T>(arguments: I, console: &mut Console<'_>) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, console),
    };
    let client = Client::new(arguments.socket, &console.surroundings);
    match arguments.verb {
        Verb::Kill { because } => verbs::kill(&client, &because, console),
        Verb::Status { json: true, url, .. } => look::json(&client, url.as_deref(), console),
        Verb::Status { watch: true, url, .. } => look::watch(&client, url.as_deref(), console),
        Verb::Status { url, .. } => look::status(&client, url.as_deref(), console),
        Verb::Reset { yes, because } => verbs::reset(&client, yes, &because, console),
        Verb::Arm { profile, yes, because } => {
            verbs::arm(&client, (profile, yes), &because, console)
        }
        Verb::Disarm { because } => verbs::disarm(&client, &because, console),
        Verb::SelectSource { lane, source, because } => {
            verbs::select(&client, (lane, source), &because, console)
        }
        Verb::SelfTest { json, because } => self_test::self_test(&client, json, &because, console),
        Verb::History { json } => look::history(&client, json, console),
        Verb::Wait { state, timeout } => look::wait(&client, &state, timeout, console),
        Verb::Suggest { lane } => suggest::suggest(&client, lane.as_deref(), console),
        Verb::Doctor => doctor::doctor(&client, console),
        Verb::Completions { shell } => {
            let mut text = Vec::new();
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "interlockctl", &mut text);
            console.say(&String::from_utf8_lossy(&text));
            GOOD
        }
        Verb::Man => {
            let mut text = Vec::new();
            // Writing to a vector does not fail.
            clap_mangen::Man::new(Arguments::command()).render(&mut text).ok();
            console.say(&String::from_utf8_lossy(&text));
            GOOD
        }
    }
}

fn usage(error: &clap::Error, console: &mut Console<'_>) -> u8 {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked_for {
        console.say(&error.to_string());
        GOOD
    } else {
        console.complain(&error.to_string());
        USAGE
    }
}

#[cfg(test)]
mod tests;
