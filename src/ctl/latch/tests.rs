//! What a file on disk says while no node runs, to the last letter.

use std::fs;

use super::*;
use crate::gate::state::State;
use crate::latch::record::{FILE_BYTES, SLOT_BYTES, VERSION, later};
use crate::latch::{Store, StoredTrip};
use crate::socket::fixture::Folder;

/// A minute after the stops: 2023-11-14 22:14:20 UTC.
const NOW: f64 = 1_700_000_060.0;

fn trip(seq: u64, operator: &str, reason: &str) -> StoredTrip {
    StoredTrip {
        seq,
        // 2023-11-14 22:13:20 UTC.
        stamp_unix_ns: 1_700_000_000_000_000_000,
        found: f64::NAN,
        bound: f64::NAN,
        cause: "kill_input_asserted".to_owned(),
        subject: "button".to_owned(),
        detail: "kill_input_asserted 'button'".to_owned(),
        operator: operator.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A state directory with a file that the node's own code has written.
struct Kept(Folder);

impl Kept {
    fn new(contents: Contents) -> Self {
        let kept = Self(Folder::new());
        let (mut store, _) = Store::open(kept.0.path()).expect("nobody else has it");
        store.write(contents).expect("written");
        kept
    }

    /// What is told of it; `DIR` stands for the directory.
    fn told(&self) -> String {
        let directory = self.0.path();
        super::told(&[directory.to_path_buf()], NOW)
            .replace(&directory.display().to_string(), "DIR")
    }

    fn damage(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.0.path().join("latch");
        let mut bytes = fs::read(&path).expect("the file");
        change(&mut bytes);
        fs::write(&path, bytes).expect("written");
    }
}

#[test]
fn when_it_holds_a_kill_expect_who_when_and_why() {
    let mut killed = Contents::plain(State::Killed, 41);
    killed.trips =
        vec![trip(40, "uid 1000 (interlockctl)", "arm near\u{1b} table"), trip(41, "", "")];
    killed.first = 40;
    let expected = "  latch file  in DIR: killed, seq 41; the next start comes up KILLED
  last stop   seq 40   by uid 1000 (interlockctl) 22:13:20 UTC: \"arm near? table\"
";
    assert_eq!(Kept::new(killed.clone()).told(), expected);
    // Nobody's name is known: its cause.
    killed.first = 41;
    let expected = "  latch file  in DIR: killed, seq 41; the next start comes up KILLED
  last stop   seq 41   by kill_input_asserted 22:13:20 UTC
";
    assert_eq!(Kept::new(killed).told(), expected);
}

#[test]
fn when_the_stop_was_another_day_expect_its_date() {
    let mut killed = Contents::plain(State::Killed, 41);
    killed.trips = vec![trip(41, "", "")];
    killed.first = 41;
    let kept = Kept::new(killed);
    let told = told(&[kept.0.path().to_path_buf()], NOW + 86_400.0);
    let expected = "  last stop   seq 41   by kill_input_asserted 2023-11-14 22:13:20 UTC\n";
    assert!(told.ends_with(expected), "{told}");
}

#[test]
fn when_it_was_not_killed_expect_how_it_ended() {
    let active =
        "  latch file  in DIR: active, seq 2; ended while active: the next start comes up KILLED
";
    assert_eq!(Kept::new(Contents::plain(State::Active, 2)).told(), active);
    let mut disarmed = Contents::plain(State::Disarmed, 4);
    let crashed = "  latch file  in DIR: disarmed, seq 4; was not ended cleanly: the next start comes up disarmed
";
    assert_eq!(Kept::new(disarmed.clone()).told(), crashed);
    disarmed.clean = true;
    disarmed.trips = vec![trip(3, "", "")];
    let clean = "  latch file  in DIR: disarmed, seq 4; the next start comes up disarmed
  last stop   seq 3   by kill_input_asserted 22:13:20 UTC
";
    assert_eq!(Kept::new(disarmed).told(), clean);
}

#[test]
fn when_one_record_is_damaged_expect_killed_whatever_the_other_says() {
    let kept = Kept::new(Contents { clean: true, ..Contents::plain(State::Disarmed, 4) });
    kept.damage(|bytes| bytes[SLOT_BYTES + 40] ^= 1);
    let expected = "  latch file  in DIR: disarmed, seq 4; the other record of its two is damaged: \
                    the next start comes up KILLED\n";
    assert_eq!(kept.told(), expected);
    let kept = Kept::new(Contents::plain(State::Killed, 4));
    kept.damage(|bytes| bytes.truncate(FILE_BYTES - 1));
    let expected = "  latch file  in DIR: killed, seq 4; the next start comes up KILLED\n";
    assert_eq!(kept.told(), expected);
}

#[test]
fn when_nothing_in_it_can_be_read_expect_that_and_killed() {
    let kept = Kept::new(Contents::plain(State::Disarmed, 4));
    kept.damage(|bytes| bytes.fill(0));
    let expected = "  latch file  the latch file DIR/latch is damaged: the next start comes up \
                    killed (latch_file)\n";
    assert_eq!(kept.told(), expected);
    kept.damage(|bytes| *bytes = [later(7), later(8)].concat());
    let expected = format!(
        "  latch file  the latch file DIR/latch has format {}, of a later version of interlock: the \
         next start comes up killed (latch_file)\n",
        VERSION + 3
    );
    assert_eq!(kept.told(), expected);
    let path = kept.0.path().join("latch");
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    let told = kept.told();
    assert!(told.starts_with("  latch file  the latch file DIR/latch cannot be read: "), "{told}");
}

#[test]
fn when_there_is_none_expect_where_it_was_looked_for_and_else_each_that_is_there() {
    let (empty, kept) = (Folder::new(), Kept::new(Contents::plain(State::Killed, 9)));
    let none = [empty.path().to_path_buf(), "/nonexistent".into()];
    let expected =
        format!("  latch file  none in {} or /nonexistent (state_dir)\n", empty.path().display());
    assert_eq!(told(&none, NOW), expected);
    let one = [empty.path().to_path_buf(), kept.0.path().to_path_buf()];
    assert_eq!(told(&one, NOW), told(&one[1..], NOW));
    let two = [kept.0.path().to_path_buf(), kept.0.path().to_path_buf()];
    assert_eq!(told(&two, NOW).lines().count(), 2);
}

#[test]
fn when_places_are_named_expect_the_users_and_the_systems_each_once() {
    let system = PathBuf::from(OF_SYSTEM);
    assert_eq!(places(None), std::slice::from_ref(&system));
    assert_eq!(places(Some(&system)), std::slice::from_ref(&system));
    assert_eq!(places(Some(Path::new("/home/me"))), [PathBuf::from("/home/me"), system]);
}
