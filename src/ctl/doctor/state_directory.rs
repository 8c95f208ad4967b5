//! The state directory while no node runs: would the next one find its latch file, and could it write it?
//!
//! Looks and writes nothing. Whose node it will be nobody knows here, so the directory's owner is taken
//! for it: of another user only that user and root can tell.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use rustix::process::geteuid;

use super::Check;
use crate::latch::file::path_in;
use crate::latch::record::FILE_BYTES;

/// As the params file calls it.
const NAME: &str = "state_dir";
/// Write and search, of the owner: what making and renaming a file needs.
const OWNER_WRITES: u32 = 0o300;
/// Write, of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;
/// Read and write, of the owner.
const OWNER_READS_AND_WRITES: u32 = 0o600;

/// The latch file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    Missing,
    Is { owner: u32, mode: u32 },
    Hidden,
}

/// Whether the kernel would let the directory's owner write, as far as it can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Allowed,
    Refused,
    /// It answers for the user who asks only.
    NotOurs,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    place: String,
    owner: u32,
    mode: u32,
    is_read_only: bool,
    free_bytes: u64,
    file: File,
    writing: Writing,
}

/// One check for each of the places that is there.
pub(super) fn checks(places: &[PathBuf]) -> Vec<Check> {
    let there: Vec<Check> = places.iter().filter_map(|place| look(place)).collect();
    if !there.is_empty() {
        return there;
    }
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    let text = format!(
        "there is no {}: a first start makes one and comes up KILLED; a node may have another one",
        places.join(" and no ")
    );
    vec![Check::cannot_tell(NAME, text)]
}

/// `None`: it is not there.
fn look(place: &Path) -> Option<Check> {
    let name = place.display();
    let unknown = |error: std::io::Error| Check::cannot_tell(NAME, format!("{name}: {error}"));
    let there = match fs::metadata(place) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(unknown(error)),
    };
    if !there.is_dir() {
        let fix = "remove it, or write another state_dir";
        return Some(Check::bad(NAME, format!("{name} is no directory"), fix));
    }
    let disk = match statvfs(place) {
        Ok(disk) => disk,
        Err(error) => return Some(unknown(error.into())),
    };
    let file = match fs::metadata(path_in(place)) {
        Ok(file) => File::Is { owner: file.uid(), mode: file.mode() & 0o7777 },
        Err(error) if error.kind() == ErrorKind::NotFound => File::Missing,
        Err(_) => File::Hidden,
    };
    let user = geteuid().as_raw();
    let writing = match access(place, Access::WRITE_OK | Access::EXEC_OK) {
        _ if user != 0 && user != there.uid() => Writing::NotOurs,
        Ok(()) => Writing::Allowed,
        Err(_) => Writing::Refused,
    };
    Some(judge(&Seen {
        place: name.to_string(),
        owner: there.uid(),
        mode: there.mode() & 0o7777,
        is_read_only: disk.f_flag.contains(StatVfsMountFlags::RDONLY),
        free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
        file,
        writing,
    }))
}

fn judge(seen: &Seen) -> Check {
    let Seen { place, owner, mode, .. } = seen;
    let bad = |what: String, fix: String| Check::bad(NAME, format!("{place} {what}"), fix);
    if seen.is_read_only {
        let fix = "mount the disk writable, or write another state_dir";
        return bad("is on a disk that is mounted read-only".to_owned(), fix.to_owned());
    }
    // Root needs no permission.
    if *owner != 0 && mode & OWNER_WRITES != OWNER_WRITES {
        let what = format!("may not be written by its owner, uid {owner} (mode {mode:04o})");
        return bad(what, format!("chmod 700 {place}"));
    }
    if mode & OTHERS_WRITE != 0 {
        let what =
            format!("may be written by others (mode {mode:04o}), who could replace the latch file");
        return bad(what, format!("chmod go-w {place}"));
    }
    match seen.file {
        File::Is { owner: other, .. } if *owner != 0 && other != *owner => {
            let what = format!("is of uid {owner}, and the latch file in it of uid {other}");
            return bad(what, format!("run the node as one user; chown {owner} {place}/latch"));
        }
        File::Is { mode, .. } if *owner != 0 && mode & OWNER_READS_AND_WRITES != 0o600 => {
            let what = format!("has a latch file that its owner may not write (mode {mode:04o})");
            return bad(what, format!("chmod 600 {place}/latch"));
        }
        File::Missing if seen.free_bytes < FILE_SPACE => {
            let what = format!("has no latch file, and its disk is full ({})", free(seen));
            return bad(what, "make space on that disk".to_owned());
        }
        File::Is { .. } | File::Missing | File::Hidden => {}
    }
    let is = format!("{place} is of uid {owner}, mode {mode:04o}, {}", free(seen));
    match (seen.writing, seen.file) {
        (Writing::Refused, _) => {
            let what = "cannot be written, although its mode allows it".to_owned();
            bad(what, "look for an access control list or a security module".to_owned())
        }
        (Writing::NotOurs, _) | (Writing::Allowed, File::Hidden) => {
            let text = format!("{is}; only that user or root can tell whether it can be written");
            Check::cannot_tell(NAME, text)
        }
        (Writing::Allowed, File::Missing) => {
            Check::ok(NAME, format!("{is}; no latch file: a first start comes up KILLED"))
        }
        (Writing::Allowed, File::Is { .. }) => Check::ok(NAME, is),
    }
}

/// The latch file with as much again for the directory and the disk's blocks.
#[expect(clippy::as_conversions, reason = "a small constant")]
const FILE_SPACE: u64 = 2 * FILE_BYTES as u64;

fn free(seen: &Seen) -> String {
    const MIB: u64 = 1024 * 1024;
    match seen.free_bytes {
        bytes if bytes < MIB => format!("{} KiB free", bytes / 1024),
        bytes => format!("{} MiB free", bytes / MIB),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ctl::doctor::Found;
    use crate::socket::fixture::Folder;

    fn good() -> Seen {
        Seen {
            place: "/state".to_owned(),
            owner: 7,
            mode: 0o700,
            is_read_only: false,
            free_bytes: 5 << 20,
            file: File::Is { owner: 7, mode: 0o600 },
            writing: Writing::Allowed,
        }
    }

    #[test]
    fn when_all_is_well_expect_what_was_seen() {
        let check = judge(&good());
        let text = "/state is of uid 7, mode 0700, 5 MiB free";
        assert_eq!((check.found, check.text.as_str()), (Found::Ok, text));
        // What is there is written in place, so it needs no space.
        assert_eq!(judge(&Seen { free_bytes: 0, ..good() }).found, Found::Ok);
        // Root needs no permission.
        let of_root = Seen { owner: 0, mode: 0o500, ..good() };
        assert_eq!(judge(&of_root).found, Found::Ok);
        let check = judge(&Seen { file: File::Missing, ..good() });
        assert!(check.found == Found::Ok && check.text.ends_with("comes up KILLED"), "{check:?}");
    }

    #[test]
    fn when_the_latch_could_not_be_written_expect_why_and_the_fix() {
        for (seen, text, fix) in [
            (Seen { is_read_only: true, ..good() }, "mounted read-only", "mount the disk"),
            (Seen { mode: 0o500, ..good() }, "by its owner, uid 7 (mode 0500)", "chmod 700 /state"),
            (Seen { mode: 0o770, ..good() }, "by others (mode 0770)", "chmod go-w /state"),
            (Seen { mode: 0o1777, ..good() }, "by others (mode 1777)", "chmod go-w /state"),
            (
                Seen { file: File::Is { owner: 0, mode: 0o600 }, ..good() },
                "of uid 7, and the latch file in it of uid 0",
                "chown 7 /state/latch",
            ),
            (
                Seen { file: File::Is { owner: 7, mode: 0o400 }, ..good() },
                "(mode 0400)",
                "chmod 600 /state/latch",
            ),
            (
                Seen { file: File::Missing, free_bytes: 8 << 10, ..good() },
                "full (8 KiB free)",
                "make space",
            ),
            (Seen { writing: Writing::Refused, ..good() }, "cannot be written", "access control"),
        ] {
            let check = judge(&seen);
            assert_eq!(check.found, Found::Bad, "{check:?}");
            assert!(check.text.contains(text) && check.fix.contains(fix), "{check:?}");
        }
    }

    #[test]
    fn when_it_cannot_be_looked_at_expect_never_ok() {
        for seen in [
            Seen { writing: Writing::NotOurs, ..good() },
            Seen { writing: Writing::NotOurs, file: File::Hidden, ..good() },
            Seen { file: File::Hidden, ..good() },
        ] {
            assert_eq!(judge(&seen).found, Found::CannotTell, "{seen:?}");
        }
        let check = checks(&["/nonexistent/state".into(), "/nonexistent/other".into()]);
        let [Check { found: Found::CannotTell, text, .. }] = &check[..] else {
            panic!("{check:?}")
        };
        assert!(text.contains("no /nonexistent/state and no /nonexistent/other"), "{text}");
    }

    #[test]
    fn when_real_directories_are_looked_at_expect_those_that_are_there() {
        let folder = Folder::new();
        let set = |mode| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let mut found = checks(&["/nonexistent/state".into(), folder.path().to_path_buf()]);
            assert_eq!(found.len(), 1);
            found.remove(0)
        };
        let check = set(0o700);
        let is = format!("is of uid {}, mode 0700", geteuid().as_raw());
        assert!(check.found == Found::Ok && check.text.contains(&is), "{check:?}");
        assert_eq!(set(0o777).found, Found::Bad);
        fs::write(path_in(folder.path()), [0; 8]).unwrap();
        let check = set(0o700);
        assert!(check.found == Found::Ok && !check.text.contains("no latch file"), "{check:?}");
        let check = checks(&[path_in(folder.path())]).remove(0);
        assert!(check.found == Found::Bad && check.text.contains("is no directory"), "{check:?}");
    }
}
