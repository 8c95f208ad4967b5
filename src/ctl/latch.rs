//! What a node that does not run will come up as: what its latch file holds.

use std::path::Path;

use super::text;
use crate::gate::state::State;
use crate::latch::{self, Contents, ReadError};

/// Where systemd gives a node of the system its state.
const OF_SYSTEM: &str = "/var/lib/interlock";

/// The latch files of the usual places that are there. Only reads; takes no lock.
pub(super) fn told(own: Option<&Path>) -> String {
    let mut out = String::new();
    let mut missing = Vec::new();
    let system = Path::new(OF_SYSTEM);
    for directory in own.into_iter().chain((own != Some(system)).then_some(system)) {
        match latch::read(directory) {
            Ok(contents) => out.push_str(&file(directory, &contents)),
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

/// One file.
fn file(directory: &Path, contents: &Contents) -> String {
    let Contents { state, clean, seq, .. } = contents;
    let next = match (state, clean) {
        (State::Killed, _) => "the next start comes up KILLED",
        (State::Active, _) => "ended while active: the next start comes up KILLED",
        (State::Disarmed, true) => "the next start comes up disarmed",
        (State::Disarmed, false) => "was not ended cleanly: the next start comes up disarmed",
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
        let when = text::stamp(trip.stamp_unix_ns);
        out.push_str(&format!(
            "  last stop   seq {}   by {} {when}{why}\n",
            trip.seq,
            text::plain(who)
        ));
    }
    out
}
