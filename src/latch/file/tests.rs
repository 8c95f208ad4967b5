//! The file in a real directory.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("interlock-latch-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn state(&self) -> PathBuf {
        self.0.join("deep/state")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn told(directory: &Path) -> (State, u64, u64) {
    let found = found_in(directory).unwrap();
    let Found::Valid(contents) = found else { panic!("{found:?}") };
    (contents.state, contents.seq, contents.counter)
}

#[test]
fn when_written_expect_it_found_by_the_next_run_and_only_the_older_slot_touched() {
    let folder = Folder::new();
    let (mut store, found) = Store::open(&folder.state()).unwrap();
    assert_eq!(found, Found::Missing);
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&folder.state()), mode(&store.path())), (0o700, 0o600));
    let mut before = fs::read(store.path()).unwrap();
    for seq in 2..7 {
        store.write(Contents::plain(State::Disarmed, seq)).unwrap();
        let after = fs::read(store.path()).unwrap();
        assert_eq!(after.len(), FILE_BYTES, "never grows, never shrinks");
        let changed: Vec<bool> = before
            .chunks(SLOT_BYTES)
            .zip(after.chunks(SLOT_BYTES))
            .map(|(before, after)| before != after)
            .collect();
        assert_eq!(changed, [seq % 2 == 1, seq % 2 == 0], "in turn");
        before = after;
    }
    drop(store);
    let (mut store, found) = Store::open(&folder.state()).unwrap();
    assert!(matches!(found, Found::Valid(_)));
    store.write(Contents::plain(State::Active, 7)).unwrap();
    let (state, seq, counter) = told(&folder.state());
    assert_eq!((state, seq), (State::Active, 7));
    assert!(counter > 6, "{counter} goes on");
}

#[test]
fn when_the_path_is_in_a_bad_way_expect_a_kill_written_where_it_still_can_be_and_nothing_else() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Disarmed, 1)).unwrap();
    // Not gone: nobody can say what is there.
    let away = folder.0.join("away");
    fs::rename(folder.0.join("deep"), &away).unwrap();
    fs::write(folder.0.join("deep"), "no directory").unwrap();
    for state in [State::Disarmed, State::Active] {
        store.write(Contents::plain(state, 2)).unwrap_err();
    }
    store.write(Contents::plain(State::Killed, 3)).unwrap_err();
    fs::remove_file(folder.0.join("deep")).unwrap();
    fs::rename(&away, folder.0.join("deep")).unwrap();
    let (state, seq, _) = told(&folder.state());
    assert_eq!((state, seq), (State::Killed, 3));
    store.write(Contents::plain(State::Disarmed, 4)).unwrap();
}

#[test]
fn when_another_instance_has_the_directory_expect_a_refusal_that_names_it() {
    let folder = Folder::new();
    let (first, _) = Store::open(&folder.state()).unwrap();
    let refused = Store::open(&folder.state()).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains(folder.state().to_str().unwrap()), "{refused}");
    assert!(refused.contains("another interlock") && refused.contains("state_dir"), "{refused}");
    drop(first);
    Store::open(&folder.state()).unwrap();
}

#[test]
fn when_the_directory_is_removed_expect_a_failure_and_a_new_file_once_it_is_there_again() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    store.check().unwrap();
    fs::remove_dir_all(folder.state()).unwrap();
    let text = store.check().unwrap_err().to_string();
    assert!(text.contains("mkdir -m 700 -p") && text.contains("latch"), "{text}");
    store.write(Contents::plain(State::Disarmed, 2)).unwrap_err();
    assert!(!folder.state().exists(), "nobody else makes it again");
    fs::create_dir(folder.state()).unwrap();
    store.write(Contents::plain(State::Disarmed, 2)).unwrap();
    assert_eq!(told(&folder.state()).0, State::Disarmed);
    // And it is locked.
    Store::open(&folder.state()).map(|_| ()).unwrap_err();
}

#[test]
fn when_another_took_the_directory_that_was_made_again_expect_no_write_into_it() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    fs::remove_dir_all(folder.state()).unwrap();
    let (mut other, _) = Store::open(&folder.state()).unwrap();
    other.write(Contents::plain(State::Killed, 40)).unwrap();
    store.write(Contents::plain(State::Disarmed, 2)).unwrap_err();
    let text = store.write(Contents::plain(State::Disarmed, 2)).unwrap_err().to_string();
    assert!(text.contains("another interlock"), "{text}");
    assert_eq!(told(&folder.state()).1, 40);
}

#[test]
fn when_only_the_file_is_removed_expect_it_made_again_by_the_next_write() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    fs::remove_file(store.path()).unwrap();
    store.write(Contents::plain(State::Killed, 2)).unwrap_err();
    store.write(Contents::plain(State::Killed, 2)).unwrap();
    assert_eq!(told(&folder.state()).1, 2);
}

#[test]
fn when_the_file_is_damaged_expect_the_survivor_and_a_good_file_after_two_writes() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    store.write(Contents::plain(State::Disarmed, 2)).unwrap();
    let path = store.path();
    drop(store);
    for cut in [0, 10, SLOT_BYTES, FILE_BYTES - 1] {
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..cut]).unwrap();
        let (mut store, found) = Store::open(&folder.state()).unwrap();
        assert!(matches!(found, Found::Damaged { .. }), "{cut}: {found:?}");
        store.write(Contents::plain(State::Killed, 3)).unwrap();
        store.write(Contents::plain(State::Killed, 4)).unwrap();
        assert_eq!(told(&folder.state()).1, 4, "{cut}");
    }
}

#[test]
fn when_a_later_version_wrote_it_expect_it_kept_until_a_reset() {
    let folder = Folder::new();
    let (mut store, _) = Store::open(&folder.state()).unwrap();
    store.write(Contents::plain(State::Killed, 1)).unwrap();
    let path = store.path();
    drop(store);
    fs::write(&path, [super::super::record::later(7), super::super::record::later(8)].concat())
        .unwrap();
    let before = fs::read(&path).unwrap();
    let (mut store, found) = Store::open(&folder.state()).unwrap();
    assert!(matches!(found, Found::Newer { .. }), "{found:?}");
    store.write(Contents::plain(State::Killed, 2)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "killed is what it says already");
    store.write(Contents::plain(State::Disarmed, 3)).unwrap();
    assert_eq!(told(&folder.state()), (State::Disarmed, 3, 9));
    store.write(Contents::plain(State::Killed, 4)).unwrap();
    assert_eq!(told(&folder.state()).0, State::Killed);
}
