//! Who lives and has what of shared memory.
//!
//! Each participant of Fast DDS has a segment, and holds the lock on the file `_el` beside it from before
//! it opens its first port until it dies. The system's tables say who holds a lock and what a process
//! has mapped; who is hidden from them (another container's, another user's) is never taken for dead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// One file, whatever its name: the device's major and minor number, and the inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    device: (u64, u64),
    inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(of: &Metadata) -> Self {
        Self { device: device(of.dev()), inode: of.ino() }
    }
}

/// Major and minor number, as the C library packs them.
const fn device(dev: u64) -> (u64, u64) {
    (((dev >> 8) & 0xfff) | ((dev >> 32) & 0xffff_f000), (dev & 0xff) | ((dev >> 12) & 0xffff_ff00))
}

impl FileId {
    /// From a device in hex, `00:1a`, and an inode.
    fn parse(device: &str, inode: &str) -> Option<Self> {
        let (major, minor) = device.split_once(':')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Self { device: (number(major)?, number(minor)?), inode: inode.parse().ok()? })
    }
}

/// Who holds a lock on which file, as far as the system shows it to us.
#[derive(Debug)]
pub struct Locks(BTreeMap<FileId, u32>);

impl Locks {
    /// # Errors
    ///
    /// The system's, when `/proc/locks` cannot be read.
    pub fn read() -> io::Result<Self> {
        fs::read_to_string("/proc/locks").map(|text| Self::parse(&text))
    }

    /// Lines like `1: FLOCK  ADVISORY  WRITE 7300 00:1a:1234 0 EOF`; who waits has an arrow in it.
    fn parse(text: &str) -> Self {
        let locks = text.lines().filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            if fields.next()? == "->" {
                return None;
            }
            let process = fields.nth(2)?.parse().ok()?;
            let (device, inode) = fields.next()?.rsplit_once(':')?;
            Some((FileId::parse(device, inode)?, process))
        });
        Self(locks.collect())
    }

    /// Whether somebody whom the system shows us holds one on it.
    #[must_use]
    pub fn is_held(&self, file: &FileId) -> bool {
        self.0.contains_key(file)
    }
}

/// All that the living participants in `folder` have mapped. `None` when there may be one whose memory
/// nobody shows us, or that came meanwhile.
pub(super) fn mapped_by_participants(folder: &Path) -> Option<BTreeSet<FileId>> {
    let before = participants(folder).ok()?;
    let locks = Locks::read().ok()?;
    let mut mapped = BTreeSet::new();
    for name in &before {
        let lock = match File::open(folder.join(name)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => return None,
        };
        if let Some(process) = locks.0.get(&FileId::from(&lock.metadata().ok()?)) {
            mapped.extend(mapped_by(&fs::read_to_string(format!("/proc/{process}/maps")).ok()?));
        } else if lock.try_lock_shared().is_err() {
            return None;
        }
    }
    participants(folder).ok()?.is_subset(&before).then_some(mapped)
}

/// Names of the locks of segments, of the living and the dead.
fn participants(folder: &Path) -> io::Result<BTreeSet<String>> {
    let names =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: io::Result<BTreeSet<String>> = names.collect();
    let mut names = names?;
    names.retain(|name| {
        let segment = name.strip_prefix("fastrtps_").and_then(|name| name.strip_suffix("_el"));
        segment.is_some_and(|segment| !segment.starts_with("port"))
    });
    Ok(names)
}

/// Lines like `7f3c-7f3d rw-s 00000000 00:1a 1234  /dev/shm/…`.
fn mapped_by(maps: &str) -> impl Iterator<Item = FileId> {
    maps.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(3);
        FileId::parse(fields.next()?, fields.next()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_memory::fixture::Folder;

    fn id(device: (u64, u64), inode: u64) -> FileId {
        FileId { device, inode }
    }

    #[test]
    fn when_locks_are_read_expect_their_holders_and_nobody_who_waits() {
        let locks = Locks::parse(
            "1: FLOCK  ADVISORY  WRITE 7300 fe:00:10584449 0 EOF\n\
             2: POSIX  ADVISORY  READ 12 00:1a:7 128 128\n\
             2: -> POSIX  ADVISORY  WRITE 13 00:1a:8 128 128\n\
             garbage\n\
             3: FLOCK  ADVISORY  WRITE x 00:1a:9 0 EOF\n",
        );
        let all: Vec<_> = locks.0.iter().collect();
        assert_eq!(all, [(&id((0, 0x1a), 7), &12), (&id((0xfe, 0), 10_584_449), &7300)]);
        assert!(locks.is_held(&id((0, 0x1a), 7)) && !locks.is_held(&id((0, 0x1a), 8)));
        // A file of the same number on another disk is another file.
        assert!(!locks.is_held(&id((0, 0x1b), 7)));
    }

    #[test]
    fn when_a_device_is_unpacked_expect_the_numbers_of_the_locks() {
        assert_eq!(device(0x1a), (0, 0x1a));
        assert_eq!(device(0xfd01), (0xfd, 1));
        // Numbers beyond eight bits stand in the upper half.
        assert_eq!(device(0x0000_1000_0012_3402), (0x1234, 0x102));
    }

    #[test]
    fn when_maps_are_read_expect_the_files_in_them() {
        let maps = "7f00-7f01 rw-s 00000000 00:1a 1234   /dev/shm/sem.x\n\
                    7f02-7f03 rw-p 00000000 00:00 0\n\
                    garbage\n";
        let all: Vec<_> = mapped_by(maps).collect();
        assert_eq!(all, [id((0, 0x1a), 1234), id((0, 0), 0)]);
    }

    #[test]
    fn when_a_participant_lives_expect_what_it_has_mapped_and_nothing_of_the_dead() {
        let folder = Folder::new("living");
        let _port = folder.write("fastrtps_port7000_el", &[]);
        let _dead = folder.write("fastrtps_0000000000000001_el", &[]);
        assert_eq!(mapped_by_participants(&folder.0), Some(BTreeSet::new()));

        let _living = folder.held("fastrtps_0000000000000002_el");
        // This test's own program is mapped, whatever else is.
        let own = FileId::from(&fs::metadata("/proc/self/exe").unwrap());
        let mapped = mapped_by_participants(&folder.0).expect("a process of our own");
        assert!(mapped.contains(&own), "{mapped:?}");
    }

    #[test]
    fn when_nothing_can_be_read_expect_doubt() {
        assert_eq!(mapped_by_participants(Path::new("/nowhere")), None);
        let folder = Folder::new("doubt");
        // A lock that cannot be opened may be anybody's.
        std::os::unix::fs::symlink("loop_el", folder.0.join("fastrtps_loop_el")).unwrap();
        std::os::unix::fs::symlink("fastrtps_loop_el", folder.0.join("loop_el")).unwrap();
        assert_eq!(mapped_by_participants(&folder.0), None);
    }
}
