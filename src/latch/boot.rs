//! What a record means at a start: state, cause, `seq`, and the trips to go on with. Pure.
//!
//! | the file | the start |
//! |---|---|
//! | missing | killed, `first_run` |
//! | damaged, or of a later version | killed, `latch_file`; as it was where what is left says killed or active |
//! | active | killed, `unclean_restart` |
//! | killed | killed, with the trip that latched it; still unclean where that was an unclean restart in this boot |
//! | disarmed | disarmed |
//!
//! **Invariant:** no number that somebody may have read in an earlier run is used for something else:
//! after an end that was not clean `seq` jumps by [`UNCLEAN_STEP`].

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::record::{BootId, Contents, Found, StoredTrip};
use crate::gate::cause::Cause;
use crate::gate::history::Start;
use crate::gate::machine::{Subject, Trip};
use crate::gate::state::{BootRecord, State};
use crate::gate::units::WallTime;

/// How far `seq` jumps after an end that was not clean. A trip whose write was lost has used numbers
/// that the record does not know; a request that names one of them must still be stale. More than
/// the causes that are told apart (16) and a second's edges.
pub const UNCLEAN_STEP: u64 = 32;

/// How the run that left this ended, for a start in the boot `boot`.
#[must_use]
pub fn how_it_ended(found: &Found, boot: BootId) -> BootRecord {
    match found {
        Found::Missing => BootRecord::Missing,
        Found::Newer { .. } | Found::Damaged { survivor: None } => BootRecord::Unreadable,
        Found::Valid(contents) => ended(contents, boot),
        Found::Damaged { survivor: Some(contents) } => match ended(contents, boot) {
            // What is lost may have been worse.
            BootRecord::Clean => BootRecord::Unreadable,
            worse @ (BootRecord::Killed
            | BootRecord::KilledUnclean
            | BootRecord::EndedActive
            | BootRecord::EndedActiveEarlier
            | BootRecord::Unreadable
            | BootRecord::Missing) => worse,
        },
    }
}

fn ended(contents: &Contents, boot: BootId) -> BootRecord {
    match contents.state {
        State::Disarmed => BootRecord::Clean,
        State::Killed if is_left_unclean(contents) && may_be_same(contents.boot_id, boot) => {
            BootRecord::KilledUnclean
        }
        State::Killed => BootRecord::Killed,
        State::Active if may_be_same(contents.boot_id, boot) => BootRecord::EndedActive,
        State::Active => BootRecord::EndedActiveEarlier,
    }
}

/// Not knowing the boot counts as the same: somebody may still follow what was sent last.
fn may_be_same(one: BootId, other: BootId) -> bool {
    one == other || [one, other].contains(&[0; 16])
}

/// Whether what latched it is an end in motion, which nobody has reset since.
fn is_left_unclean(contents: &Contents) -> bool {
    let first = contents.first_trip();
    first.is_some_and(|first| first.cause == Cause::UncleanRestart.label())
}

/// The boot that this run's records name until a reset: the one in which an earlier run ended in
/// motion, else `boot`. A second restart must still know whether it was this one.
#[must_use]
pub fn named_boot(found: &Found, boot: BootId) -> BootId {
    let named = contents(found).map_or(boot, |contents| contents.boot_id);
    match how_it_ended(found, boot) {
        BootRecord::EndedActiveEarlier | BootRecord::Killed => named,
        BootRecord::Clean
        | BootRecord::KilledUnclean
        | BootRecord::EndedActive
        | BootRecord::Unreadable
        | BootRecord::Missing => boot,
    }
}

/// The record as far as anybody may use it.
#[must_use]
pub const fn contents(found: &Found) -> Option<&Contents> {
    match found {
        Found::Valid(contents) | Found::Damaged { survivor: Some(contents) } => Some(contents),
        Found::Missing | Found::Newer { .. } | Found::Damaged { survivor: None } => None,
    }
}

/// What the gate begins with. `subject` finds what a name in the record is now; a name that the
/// configuration no longer has is the node itself.
#[must_use]
pub fn start(found: &Found, boot: BootId, subject: &dyn Fn(&str) -> Option<Subject>) -> Start {
    let record = how_it_ended(found, boot);
    let restore = |trip: &StoredTrip| Trip {
        seq: trip.seq,
        stamp: WallTime::from_nanos(trip.stamp_unix_ns),
        cause: Cause::from_label(&trip.cause).unwrap_or(Cause::Persisted),
        subject: subject(&trip.subject).unwrap_or(Subject::Node),
        found: trip.found,
        bound: trip.bound,
    };
    let contents = contents(found);
    let seq = match (found, contents) {
        (Found::Valid(contents), _) if contents.clean => contents.seq,
        (_, Some(contents)) => contents.seq.saturating_add(UNCLEAN_STEP),
        (Found::Missing, None) => 1,
        (_, None) => UNCLEAN_STEP,
    };
    let killed = matches!(record, BootRecord::Killed | BootRecord::KilledUnclean);
    Start {
        record,
        seq,
        first: contents.filter(|_| killed).and_then(Contents::first_trip).map(restore),
        last: contents.and_then(Contents::last_trip).map(restore),
    }
}

/// The boot's number as the kernel writes it; all zero where it cannot be understood.
#[must_use]
pub fn boot_id(text: &str) -> BootId {
    let digits: Vec<u8> = text
        .trim()
        .chars()
        .filter(|letter| *letter != '-')
        .filter_map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let mut id = [0; 16];
    if digits.len() == 32 {
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            if let [high, low] = pair {
                *byte = high << 4 | low;
            }
        }
    }
    id
}

/// The state directory: as configured, else the service manager's, else the user's own. `None`: the
/// environment names none.
#[must_use]
pub fn directory(
    configured: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    configured
        .map(Path::to_path_buf)
        .or_else(|| {
            // systemd separates several by colons.
            let all = set("STATE_DIRECTORY")?;
            let mut each = all.as_os_str().as_bytes().split(|byte| *byte == b':');
            each.find(|path| !path.is_empty()).map(|path| PathBuf::from(OsStr::from_bytes(path)))
        })
        .or_else(|| {
            set("XDG_STATE_HOME")
                .filter(|path| path.is_absolute())
                .map(|path| path.join("interlock"))
        })
        .or_else(|| set("HOME").map(|home| home.join(".local/state/interlock")))
}

#[cfg(test)]
mod tests {
    use super::super::record::VERSION;
    use super::*;

    const HERE: BootId = [1; 16];

    fn record(state: State, clean: bool, boot_id: BootId) -> Contents {
        let trip = |seq, cause: &str| StoredTrip {
            seq,
            stamp_unix_ns: 1_000,
            found: f64::NAN,
            bound: f64::NAN,
            cause: cause.to_owned(),
            subject: "pendant".to_owned(),
            detail: String::new(),
            operator: String::new(),
            reason: String::new(),
        };
        let trips = vec![trip(40, "kill_input_asserted"), trip(41, "kill_service")];
        let (version, counter, seq) = (VERSION, 9, 41);
        let first = if state == State::Killed { 40 } else { 0 };
        Contents { version, counter, state, clean, boot_id, seq, first, trips }
    }

    fn begins(found: &Found) -> Start {
        start(found, HERE, &|name| (name == "pendant").then_some(Subject::KillInput(0)))
    }

    #[test]
    fn when_the_last_run_was_killed_expect_its_trips_and_its_seq() {
        let found = Found::Valid(record(State::Killed, true, HERE));
        let begun = begins(&found);
        assert_eq!((begun.record, begun.seq), (BootRecord::Killed, 41));
        let first = begun.first.unwrap();
        assert_eq!((first.seq, first.cause), (40, Cause::KillInputAsserted));
        assert_eq!(first.subject, Subject::KillInput(0));
        assert_eq!(begun.last.unwrap().seq, 41);
    }

    #[test]
    fn when_the_end_was_not_clean_expect_numbers_nobody_has_read() {
        for state in [State::Disarmed, State::Active, State::Killed] {
            let begun = begins(&Found::Valid(record(state, false, HERE)));
            assert_eq!(begun.seq, 41 + UNCLEAN_STEP, "{state}");
        }
        assert_eq!(begins(&Found::Missing).seq, 1);
        assert!(begins(&Found::Damaged { survivor: None }).seq > 1);
    }

    #[test]
    fn when_it_ended_active_expect_killed_and_whether_it_was_this_boot() {
        let ended = |boot| begins(&Found::Valid(record(State::Active, false, boot))).record;
        assert_eq!(ended(HERE), BootRecord::EndedActive);
        assert_eq!(ended([2; 16]), BootRecord::EndedActiveEarlier);
        assert_eq!(ended([0; 16]), BootRecord::EndedActive, "not known: the careful one");
    }

    #[test]
    fn when_nobody_has_reset_an_unclean_end_expect_it_remembered_in_this_boot() {
        let left = |boot| {
            let mut contents = record(State::Killed, true, boot);
            "unclean_restart".clone_into(&mut contents.trips[0].cause);
            Found::Valid(contents)
        };
        let begun = begins(&left(HERE));
        assert_eq!((begun.record, begun.seq), (BootRecord::KilledUnclean, 41));
        assert_eq!(begun.first.unwrap().cause, Cause::UncleanRestart);
        assert_eq!(begins(&left([0; 16])).record, BootRecord::KilledUnclean, "not known");
        assert_eq!(begins(&left([2; 16])).record, BootRecord::Killed, "booted since");
        // What the records of a run name, so that the next one finds the same.
        let earlier = Found::Valid(record(State::Active, false, [2; 16]));
        assert_eq!(named_boot(&earlier, HERE), [2; 16]);
        assert_eq!(named_boot(&left([2; 16]), HERE), [2; 16]);
        assert_eq!(named_boot(&left([0; 16]), HERE), HERE);
        assert_eq!(named_boot(&Found::Valid(record(State::Active, false, HERE)), HERE), HERE);
        assert_eq!(named_boot(&Found::Missing, HERE), HERE);
    }

    #[test]
    fn when_damaged_expect_never_better_than_killed() {
        for (state, expected) in [
            (State::Disarmed, BootRecord::Unreadable),
            (State::Active, BootRecord::EndedActive),
            (State::Killed, BootRecord::Killed),
        ] {
            let survivor = Some(record(state, true, HERE));
            let begun = begins(&Found::Damaged { survivor });
            assert_eq!(begun.record, expected);
            assert_eq!(begun.seq, 41 + UNCLEAN_STEP);
        }
        assert_eq!(begins(&Found::Newer { version: 9 }).record, BootRecord::Unreadable);
    }

    #[test]
    fn when_a_boot_id_is_read_expect_its_bytes_or_zero() {
        let id = boot_id("076b028e-ee67-4b58-9c96-fc47d74974f7\n");
        assert_eq!((id[0], id[1], id[15]), (0x07, 0x6b, 0xf7));
        for bad in ["", "076b", "zz6b028e-ee67-4b58-9c96-fc47d74974f7"] {
            assert_eq!(boot_id(bad), [0; 16]);
        }
    }

    #[test]
    fn when_the_directory_is_looked_for_expect_the_first_that_is_named() {
        let names = |set: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            }
        };
        let all: &[_] = &[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"), ("HOME", "/home/m")];
        let configured = Path::new("/data/latch");
        assert_eq!(directory(Some(configured), &names(all)).unwrap(), configured);
        assert_eq!(directory(None, &names(all)).unwrap(), Path::new("/var/lib/a"));
        let xdg: &[_] = &[("XDG_STATE_HOME", "/x"), ("HOME", "/home/m"), ("STATE_DIRECTORY", "")];
        assert_eq!(directory(None, &names(xdg)).unwrap(), Path::new("/x/interlock"));
        let home: &[_] = &[("HOME", "/home/m"), ("XDG_STATE_HOME", "relative")];
        let own = Path::new("/home/m/.local/state/interlock");
        assert_eq!(directory(None, &names(home)).unwrap(), own);
        assert_eq!(directory(None, &names(&[])), None);
    }
}
