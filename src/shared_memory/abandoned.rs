//! Locks of ports whose holder was killed.
//!
//! Whoever opens or makes a port holds its mutex meanwhile: a semaphore in a file, which nobody gives back
//! when its holder is killed. The next to open the port waits two seconds, and then takes the file away
//! itself, whether its holder lives or not. Here it goes at once, but only when no process that lives has
//! it mapped: who holds it, and who waits for it, has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::living::{FileId, mapped_by_participants};
use super::{first_numbers, is_port};

/// A mutex that somebody holds, or held when it was killed.
type Held = (PathBuf, FileId);

/// Mutexes of ports in `folder` that are held by nobody who lives. Takes no time when none is held.
#[must_use]
pub fn abandoned_mutexes(folder: &Path) -> Vec<PathBuf> {
    let before = held(folder);
    if before.is_empty() {
        return Vec::new();
    }
    let Some(mapped) = mapped_by_participants(folder) else { return Vec::new() };
    // Those who live hold one for microseconds: it may have been given back since, and taken again.
    held_by_nobody(before, &mapped, &held(folder))
}

fn held_by_nobody(before: Vec<Held>, mapped: &BTreeSet<FileId>, after: &[Held]) -> Vec<PathBuf> {
    let by_nobody =
        before.into_iter().filter(|one| after.contains(one) && !mapped.contains(&one.1));
    by_nobody.map(|(path, _)| path).collect()
}

/// The C library's semaphore: its value comes first, and is zero as long as somebody holds it.
fn held(folder: &Path) -> Vec<Held> {
    let mutexes = first_numbers(folder, is_mutex).into_iter();
    mutexes.filter(|(.., value)| *value == Some(0)).map(|(path, id, _)| (path, id)).collect()
}

fn is_mutex(name: &str) -> bool {
    let port = name.strip_prefix("sem.").and_then(|name| name.strip_suffix("_mutex"));
    port.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::shared_memory::fixture::Folder;
    use crate::shared_memory::remove;

    fn semaphore(value: u32) -> Vec<u8> {
        [&value.to_ne_bytes()[..], &[0; 28]].concat()
    }

    #[test]
    fn when_nobody_lives_expect_held_mutexes_of_ports_found_and_removed() {
        let folder = Folder::new("abandoned");
        let mut abandoned = vec![
            folder.write("sem.fastrtps_port7400_mutex", &semaphore(0)),
            folder.write("sem.fastrtps_port7411_mutex", &semaphore(0)),
        ];
        let kept = [
            folder.write("sem.fastrtps_port7412_mutex", &semaphore(1)),
            folder.write("sem.fastrtps_port7413_mutex", &[]),
            folder.write("sem.other_mutex", &semaphore(0)),
            folder.write("sem.fastrtps_port7414_mutex_more", &semaphore(0)),
            folder.write("fastrtps_port7400", &semaphore(0)),
            // Of one who was killed: nobody holds its lock.
            folder.write("fastrtps_0000000000000001_el", &[]),
        ];
        let mut found = abandoned_mutexes(&folder.0);
        found.sort();
        abandoned.sort();
        assert_eq!(found, abandoned);
        assert!(remove(found).iter().all(|(_, removed)| removed.is_ok()));
        assert!(abandoned.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()));
        assert_eq!(abandoned_mutexes(&folder.0), Vec::<PathBuf>::new());
    }

    #[test]
    fn when_it_is_mapped_or_changed_expect_it_left_alone() {
        let folder = Folder::new("mapped");
        folder.write("sem.fastrtps_port7400_mutex", &semaphore(0));
        folder.write("sem.fastrtps_port7411_mutex", &semaphore(0));
        let both = held(&folder.0);
        let ids = |of: &[Held]| of.iter().map(|(_, id)| *id).collect::<BTreeSet<_>>();
        assert_eq!(held_by_nobody(both.clone(), &BTreeSet::new(), &both).len(), 2);
        assert_eq!(held_by_nobody(both.clone(), &ids(&both[..1]), &both), [both[1].0.clone()]);
        assert_eq!(held_by_nobody(both.clone(), &BTreeSet::new(), &both[..1]), [both[0].0.clone()]);
        // Given back, or another one of this name.
        let path = folder.write("other", &semaphore(0));
        fs::rename(path, &both[0].0).unwrap();
        fs::write(&both[1].0, semaphore(1)).unwrap();
        assert!(held_by_nobody(both, &BTreeSet::new(), &held(&folder.0)).is_empty());
    }

    #[test]
    fn when_there_may_be_one_who_lives_unseen_expect_nothing() {
        let folder = Folder::new("unseen");
        folder.write("sem.fastrtps_port7400_mutex", &semaphore(0));
        assert_eq!(abandoned_mutexes(&folder.0).len(), 1);
        std::os::unix::fs::symlink("fastrtps_1_el", folder.0.join("fastrtps_1_el")).unwrap();
        assert_eq!(abandoned_mutexes(&folder.0), Vec::<PathBuf>::new());
        assert_eq!(abandoned_mutexes(Path::new("/nowhere")), Vec::<PathBuf>::new());
    }
}
