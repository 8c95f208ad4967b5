//! Ports whose maker was killed, so that nobody can start any more.
//!
//! The maker of a port fills its file microseconds after it is there; whoever opens it before that waits
//! for it, in the middle of its start or of a publish, and without end. So one process that is killed in
//! these microseconds keeps every later ROS process of the machine from starting (seen in a campaign of
//! kills).
//!
//! **Never** among them: a file that was filled, whoever made it.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::living::FileId;
use super::{first_numbers, is_port};

/// How long a file must stay as it is to be given up: a living maker needs microseconds, and a busy
/// machine may take its CPU away meanwhile.
const FILLED_WITHIN: Duration = Duration::from_millis(250);

/// The first number of a file that is filled; less before that (Boost.Interprocess).
const FILLED: u32 = 2;

/// Ports in `folder` that nobody fills any more. Takes a quarter of a second if there is any, else no
/// time.
#[must_use]
pub fn half_made_ports(folder: &Path) -> Vec<PathBuf> {
    let first = look(folder);
    if first.is_empty() {
        return Vec::new();
    }
    thread::sleep(FILLED_WITHIN);
    let second = look(folder).into_iter().filter(|found| first.contains(found));
    second.map(|(path, _)| path).collect()
}

/// Ports that are not filled now; to some not even a length was given yet.
fn look(folder: &Path) -> Vec<(PathBuf, FileId)> {
    let ports = first_numbers(folder, is_port).into_iter();
    let unfilled = ports.filter(|(.., state)| state.is_none_or(|state| state < FILLED));
    unfilled.map(|(path, id, _)| (path, id)).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use super::*;
    use crate::shared_memory::fixture::Folder;
    use crate::shared_memory::remove;

    fn state(state: u32) -> Vec<u8> {
        [&state.to_ne_bytes()[..], &[0; 60]].concat()
    }

    #[test]
    fn when_ports_are_half_made_expect_each_found_and_removed_with_its_mutex() {
        let folder = Folder::new("half");
        let mut half = vec![
            folder.write("fastrtps_port7000", &[]),
            folder.write("fastrtps_port7001", &state(0)),
            folder.write("fastrtps_port7002", &state(1)),
        ];
        let mutex = folder.write("sem.fastrtps_port7001_mutex", &[0; 32]);
        let kept = [
            folder.write("fastrtps_port7003", &state(2)),
            folder.write("fastrtps_port7003_el", &[]),
            folder.write("fastrtps_port7003_sl", &[]),
            folder.write("sem.fastrtps_port7003_mutex", &[0; 32]),
            folder.write("fastrtps_0123456789abcdef", &[]),
            folder.write("fastrtps_port", &[]),
            folder.write("other_port7000", &[]),
        ];
        let mut found = half_made_ports(&folder.0);
        found.sort();
        assert_eq!(found, half);
        let mut removed = remove(found);
        removed.sort_by(|(one, _), (other, _)| one.cmp(other));
        assert!(removed.iter().all(|(_, removed)| removed.is_ok()), "{removed:?}");
        half.push(mutex);
        assert!(half.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()));
        assert_eq!(half_made_ports(&folder.0), Vec::<PathBuf>::new());
    }

    #[test]
    fn when_its_maker_lives_and_fills_it_or_makes_another_expect_it_left_alone() {
        let folder = Folder::new("alive");
        let filled = folder.write("fastrtps_port7000", &state(0));
        let renewed = folder.write("fastrtps_port7001", &state(0));
        let other = folder.write("other", &state(0));
        let found = thread::scope(|scope| {
            let found = scope.spawn(|| half_made_ports(&folder.0));
            thread::sleep(FILLED_WITHIN / 3);
            fs::write(&filled, state(2)).unwrap();
            fs::rename(&other, &renewed).unwrap();
            found.join().unwrap()
        });
        assert_eq!(found, Vec::<PathBuf>::new());
    }

    #[test]
    fn when_there_is_no_such_folder_or_file_expect_nothing_and_the_systems_word() {
        assert_eq!(half_made_ports(Path::new("/nowhere")), Vec::<PathBuf>::new());
        let removed = remove(vec![PathBuf::from("/nowhere/fastrtps_port7000")]);
        assert_eq!(removed[0].1.as_ref().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
