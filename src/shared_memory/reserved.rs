//! Numbers of ports whose reader was killed, kept from whoever starts next.
//!
//! A participant that starts takes the first number that is free, which is the one of the life before it.
//! But whoever knew that life has its port mapped, and writes on into it although the name belongs to
//! another file now: for two seconds, and without end where the reader was killed between waiting and
//! reading, or the wall clock was set back since. Commands and calls, a kill among them, go nowhere then.
//!
//! A port is taken for somebody's while its lock is held. So a start holds the locks of the dead ports
//! that somebody who lives still has mapped, until its own participants have numbers that nobody wrote to.
//! Each such crash uses up some of the hundred numbers that a participant tries, as long as those who knew
//! that life live; without one it does without shared memory, and is heard over UDP.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::living::{FileId, mapped_by_participants};
use super::{files, is_port};

/// Kept from everybody as long as this lives; what the files hold is not touched.
#[must_use = "they are free again when it is dropped"]
#[derive(Debug, Default)]
pub struct Reserved(Vec<(PathBuf, File)>);

impl Reserved {
    /// The ports.
    pub fn ports(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(port, _)| port.as_path())
    }
}

/// Reserves the ports in `folder` that a killed process read and a living participant has mapped. None, in
/// doubt about who lives. Takes no time when nobody was killed.
pub fn reserve(folder: &Path) -> Reserved {
    let mut dead = nobody_reads(folder);
    if dead.is_empty() {
        return Reserved::default();
    }
    let Some(mapped) = mapped_by_participants(folder) else { return Reserved::default() };
    dead.retain(|(port, _)| {
        fs::metadata(port).is_ok_and(|port| mapped.contains(&FileId::from(&port)))
    });
    Reserved(dead)
}

/// Ports with one reader whose lock nobody holds; its lock, held.
fn nobody_reads(folder: &Path) -> Vec<(PathBuf, File)> {
    let locks = files(folder, is_lock).filter_map(|path| {
        let lock = File::open(&path).ok()?;
        lock.try_lock().ok()?;
        Some((path.with_file_name(path.file_name()?.to_str()?.strip_suffix("_el")?), lock))
    });
    locks.collect()
}

fn is_lock(name: &str) -> bool {
    name.strip_suffix("_el").is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::shared_memory::fixture::Folder;

    /// A port that this test's own program has mapped, whatever else is.
    fn mapped(folder: &Folder, number: u32) -> PathBuf {
        folder.write(&format!("fastrtps_port{number}_el"), &[]);
        let port = folder.0.join(format!("fastrtps_port{number}"));
        symlink(fs::read_link("/proc/self/exe").unwrap(), &port).unwrap();
        port
    }

    fn is_free(port: &Path) -> bool {
        File::open(format!("{}_el", port.display())).unwrap().try_lock().is_ok()
    }

    #[test]
    fn when_somebody_who_lives_may_write_into_a_dead_port_expect_it_taken_until_dropped() {
        let folder = Folder::new("reserved");
        let dead = mapped(&folder, 7411);
        let living = mapped(&folder, 7413);
        let _reader = folder.held("fastrtps_port7413_el");
        let unmapped = folder.write("fastrtps_port7415", &[0; 8]);
        folder.write("fastrtps_port7415_el", &[]);
        // Read by many, and not a port.
        folder.write("fastrtps_port7400_sl", &[]);
        folder.write("fastrtps_portal_el", &[]);

        let _participant = folder.held("fastrtps_0000000000000001_el");
        let reserved = reserve(&folder.0);
        assert_eq!(reserved.ports().collect::<Vec<_>>(), [&dead]);
        assert!(!is_free(&dead) && !is_free(&living) && is_free(&unmapped));
        drop(reserved);
        assert!(is_free(&dead));
    }

    #[test]
    fn when_nobody_lives_or_it_is_in_doubt_expect_none() {
        let folder = Folder::new("unreserved");
        let dead = mapped(&folder, 7411);
        assert_eq!(reserve(&folder.0).ports().count(), 0);
        let participant = folder.held("fastrtps_0000000000000001_el");
        assert_eq!(reserve(&folder.0).ports().count(), 1);
        symlink("fastrtps_2_el", folder.0.join("fastrtps_2_el")).unwrap();
        assert_eq!(reserve(&folder.0).ports().count(), 0);
        assert!(is_free(&dead));
        drop(participant);
        assert_eq!(reserve(Path::new("/nowhere")).ports().count(), 0);
    }
}
