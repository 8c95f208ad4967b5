//! What a node that does not run will come up as: what its latch file holds.

use std::path::{Path, PathBuf};

use super::text;
use crate::gate::state::BootRecord;
use crate::latch::{self, Contents, ReadError};
use crate::telemetry::people::when;

/// Where systemd gives a node of the system its state.
const OF_SYSTEM: &str = "/var/lib/interlock";

/// The usual places of a latch file: where a node that this user starts has it, and the system's.
pub(super) fn places(own: Option<&Path>) -> Vec<PathBuf> {
    let system = Path::new(OF_SYSTEM);
    let own = own.filter(|own| *own != system);
    own.into_iter().chain([system]).map(Path::to_path_buf).collect()
}

/// The latch files of these places that are there. Only reads; takes no lock.
pub(super) fn told(places: &[PathBuf], now_unix_s: f64) -> String {
    let mut out = String::new();
    let mut missing = Vec::new();
    for directory in places {
        match latch::read(directory) {
            Ok((contents, record)) => {
                out.push_str(&file(directory, (&contents, record), now_unix_s))
            }
            Err(ReadError::Missing(_)) => missing.push(directory.display().to_string()),
            Err(
                error @ (ReadError::Io { .. } | ReadError::Damaged(_) | ReadError::Newer { .. }),
            ) => out.push_str(&format!("  latch file  {error}\n")),
        }
    }
    if out.is_empty() {
        out = format!("  latch file  none in {} (state_dir)\n", missing.join(" or "));
    }
    out
}

/// One file. A stop of another day than now has its date.
fn file(directory: &Path, (contents, record): (&Contents, BootRecord), now_unix_s: f64) -> String {
    let Contents { state, clean, seq, .. } = contents;
    let next = match (record, clean) {
        (BootRecord::Killed | BootRecord::KilledUnclean | BootRecord::Missing, _) => {
            "the next start comes up KILLED"
        }
        (BootRecord::EndedActive | BootRecord::EndedActiveEarlier, _) => {
            "ended while active: the next start comes up KILLED"
        }
        // What is lost may have been newer, and worse.
        (BootRecord::Unreadable, _) => {
            "the other record of its two is damaged: the next start comes up KILLED"
        }
        (BootRecord::Clean, true) => "the next start comes up disarmed",
        (BootRecord::Clean, false) => "was not ended cleanly: the next start comes up disarmed",
    };
    let directory = directory.display();
    let mut out = format!("  latch file  in {directory}: {state}, seq {seq}; {next}\n");
    if let Some(trip) = contents.first_trip().or(contents.last_trip()) {
        let who = if trip.operator.is_empty() { &trip.cause } else { &trip.operator };
        let why = if trip.reason.is_empty() {
            String::new()
        } else {
            format!(": \"{}\"", text::plain(&trip.reason))
        };
        let when = when(text::seconds(trip.stamp_unix_ns), now_unix_s);
        out.push_str(&format!(
            "  last stop   seq {}   by {} {when}{why}\n",
            trip.seq,
            text::plain(who)
        ));
    }
    out
}

#[cfg(test)]
mod tests;
