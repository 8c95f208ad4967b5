//! `interlockctl`: the node's state at a terminal, without ROS.
//!
//! Arguments in, text and an exit code out; `src/bin/interlockctl.rs` only connects it to the
//! process. It reads `/status` and changes nothing.
//!
//! **Invariant:** links no ROS library, and says clearly when it could not look: "cannot tell" is
//! never shown as "good".

mod text;

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::telemetry::status::Status;

/// The node answered, and is not killed.
pub const GOOD: u8 = 0;
/// The node answered, and is killed.
pub const KILLED: u8 = 1;
/// Nobody answered, or something that is not Interlock.
pub const UNREACHABLE: u8 = 2;
/// The command line is wrong (`EX_USAGE`).
pub const USAGE: u8 = 64;

/// Where a node listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:9615";
/// A node answers in milliseconds; over a slow link this is still patient.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Looks at a running Interlock node.
#[derive(Debug, Parser)]
#[command(
    name = "interlockctl",
    version,
    after_help = "Exit codes:\n  0   the node answered and is disarmed or active\n  1   the node answered and is killed\n  2   the node could not be reached\n  64  the command line is wrong"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows state, lanes, sources and what stands in the way
    Status {
        /// The node's own JSON, as it is
        #[arg(long)]
        json: bool,
        /// Where the node listens (`http.listen`)
        #[arg(long, default_value = DEFAULT_URL)]
        url: String,
    },
}

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
enum NoStatus {
    /// Nobody answers.
    #[error(
        "cannot reach a node at {url}: {reason}\n  is it running?  is http.listen another address? (--url)"
    )]
    Unreachable { url: String, reason: ureq::Error },
    /// Somebody answers who is not Interlock.
    #[error("what answers at {url} is not Interlock: {reason}")]
    NotInterlock { url: String, reason: String },
}

/// Runs the tool. Returns the exit code.
pub fn run<I, T>(arguments: I, out: &mut dyn Write, err: &mut dyn Write) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, out, err),
    };
    match arguments.verb {
        Verb::Status { json, url } => status(json, &url, out, err),
    }
}

fn usage(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked_for {
        say(out, &error.to_string());
        GOOD
    } else {
        say(err, &error.to_string());
        USAGE
    }
}

fn status(json: bool, url: &str, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let (status, raw) = match fetch(url) {
        Ok(found) => found,
        Err(error) => {
            say(err, &format!("{error}\n"));
            return UNREACHABLE;
        }
    };
    say(out, &if json { raw } else { text::status(&status) });
    if status.state == "killed" { KILLED } else { GOOD }
}

/// A reader that has gone (`| head`) is no fault of ours, and the exit code tells the rest.
fn say(to: &mut dyn Write, text: &str) {
    to.write_all(text.as_bytes()).and_then(|()| to.flush()).ok();
}

fn fetch(url: &str) -> Result<(Status, String), NoStatus> {
    let url = format!("{}/status", url.trim_end_matches('/'));
    let unreachable = |reason| NoStatus::Unreachable { url: url.clone(), reason };
    let stranger = |reason| NoStatus::NotInterlock { url: url.clone(), reason };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        // A proxy of the environment is for the web, not for the robot.
        .proxy(None)
        .max_redirects(0)
        .build()
        .into();
    let mut response = agent.get(&url).call().map_err(unreachable)?;
    if response.status().as_u16() != 200 {
        return Err(stranger(format!("it says {}", response.status())));
    }
    let raw = response.body_mut().read_to_string().map_err(unreachable)?;
    match serde_json::from_str(&raw) {
        Ok(status) => Ok((status, raw)),
        Err(error) => Err(stranger(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
