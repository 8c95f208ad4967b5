//! The format: what is written is read, and no damage is ever read as better than it was.

use super::*;
use crate::gate::state::BootRecord;
use crate::latch::boot::how_it_ended;

const BOOT: BootId = [7; 16];

fn trip(seq: u64) -> StoredTrip {
    StoredTrip {
        seq,
        stamp_unix_ns: -5,
        found: 0.5,
        bound: f64::INFINITY,
        cause: "tilt".to_owned(),
        subject: "body".to_owned(),
        detail: "tilt 'body': 0.500 rad, allowed 0.250 rad".to_owned(),
        operator: "märia".to_owned(),
        reason: String::new(),
    }
}

fn contents(state: State, counter: u64, trips: u64) -> Contents {
    Contents {
        version: VERSION,
        counter,
        state,
        clean: false,
        boot_id: BOOT,
        seq: 40 + counter,
        first: if state == State::Killed { trips } else { 0 },
        trips: (1..=trips).map(trip).collect(),
    }
}

/// The file after one more write: the record before in the first slot.
fn file(before: &Contents, newest: &Contents) -> Vec<u8> {
    let mut bytes = encode(before);
    bytes.extend(encode(newest));
    bytes
}

#[test]
fn when_written_expect_the_newest_slot_read_wherever_it_is() {
    let (old, new) = (contents(State::Active, 8, 2), contents(State::Killed, 9, 3));
    assert_eq!(found(&file(&old, &new)), Found::Valid(new.clone()));
    assert_eq!(found(&file(&new, &old)), Found::Valid(new.clone()));
    assert_eq!(place(&file(&old, &new)), (9, 0));
    assert_eq!(place(&file(&new, &old)), (9, 1));
    assert_eq!(new.first_trip().map(|trip| trip.seq), Some(3));
}

/// A slot whose payload somebody has changed, with a frame that is right again.
fn reframed(slot: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let length = usize::try_from(u32::from_le_bytes(slot[12..16].try_into().unwrap())).unwrap();
    let mut payload = slot[FRAME_BYTES..FRAME_BYTES + length].to_vec();
    change(&mut payload);
    let mut bytes = slot[..CRC_AT].to_vec();
    bytes[12..16].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    let checksum = checksum(&bytes, &payload);
    bytes.extend(checksum.to_le_bytes());
    bytes.extend(payload);
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

#[test]
fn when_two_slots_have_the_same_counter_expect_neither_believed() {
    let disarmed = contents(State::Disarmed, 9, 1);
    for other in [State::Disarmed, State::Active, State::Killed] {
        let same = found(&file(&disarmed, &contents(other, 9, 1)));
        assert_eq!(same, Found::Damaged { survivor: None });
    }
}

#[test]
fn when_a_record_is_none_that_we_write_expect_damage_whatever_its_checksum() {
    let whole = encode(&contents(State::Disarmed, 9, 1));
    // Both slots as changed, the second newer: a valid neighbour would survive.
    let read = |slot: Vec<u8>| {
        let mut newer = slot.clone(); // its counter follows magic, version and length
        newer[16] = newer[16].wrapping_add(1);
        let newer = reframed(&newer, |_| ());
        found(&[slot, newer].concat())
    };
    assert!(matches!(read(reframed(&whole, |_| ())), Found::Valid(_)));
    let damaged = Found::Damaged { survivor: None };
    // The first trip's cause, a letter longer than any text.
    let length_at = 35 + 32;
    let long = reframed(&whole, |payload| {
        let old = usize::from(payload[length_at]);
        let text = vec![b'a'; TEXT_BYTES + 1];
        payload.splice(length_at + 1..length_at + 1 + old, text);
        payload[length_at] = u8::try_from(TEXT_BYTES + 1).unwrap();
    });
    assert_eq!(read(long), damaged);
    let many = encode(&contents(State::Disarmed, 9, u64::try_from(KEPT_TRIPS).unwrap()));
    let many = reframed(&many, |payload| {
        let last = payload[35..].to_vec();
        payload[34] += 1;
        payload.extend(&last[..last.len() / KEPT_TRIPS]);
    });
    assert_eq!(read(many), damaged);
}

#[test]
fn when_texts_are_long_expect_them_cut_at_a_letter_and_the_slot_to_hold_them() {
    let mut full = contents(State::Killed, 1, 0);
    let long = "ä".repeat(400);
    full.first = 2;
    full.trips = (1..=30)
        .map(|seq| StoredTrip {
            cause: long.clone(),
            subject: long.clone(),
            detail: long.clone(),
            operator: long.clone(),
            reason: long.clone(),
            ..trip(seq)
        })
        .collect();
    let bytes = encode(&full);
    assert_eq!(bytes.len(), SLOT_BYTES, "it fits");
    let Found::Valid(read) = found(&file(&contents(State::Active, 0, 0), &full)) else {
        panic!("not valid")
    };
    assert_eq!(read.trips.len(), KEPT_TRIPS);
    let kept: Vec<u64> = read.trips.iter().map(|trip| trip.seq).collect();
    assert_eq!((kept[0], kept[1], kept[15]), (2, 16, 30), "the first, and the newest");
    assert_eq!(read.trips[0].reason, "ä".repeat(TEXT_BYTES / 2));
}

/// How severe a start is; damage must never lower it.
fn severity(found: &Found) -> u8 {
    match how_it_ended(found, BOOT) {
        BootRecord::Clean => 0,
        BootRecord::Killed
        | BootRecord::KilledUnclean
        | BootRecord::EndedActive
        | BootRecord::EndedActiveEarlier
        | BootRecord::Unreadable
        | BootRecord::Missing => 1,
    }
}

fn all_files() -> Vec<Vec<u8>> {
    let states = [State::Disarmed, State::Active, State::Killed];
    let mut files = Vec::new();
    for before in states {
        for newest in states {
            let (before, newest) = (contents(before, 4, 1), contents(newest, 5, 2));
            files.push(file(&before, &newest));
            files.push(file(&newest, &before));
        }
    }
    files
}

#[test]
fn when_cut_at_any_byte_expect_killed() {
    let mut seen = 0;
    for bytes in all_files() {
        for length in 0..bytes.len() {
            // Inside the padding nothing changes but the end; a step of 61 still meets every field.
            let in_padding = length % SLOT_BYTES > 1024 && length % 61 != 0;
            if in_padding {
                continue;
            }
            let found = found(&bytes[..length]);
            assert_eq!(severity(&found), 1, "{length} bytes: {found:?}");
            seen += 1;
        }
    }
    println!("{seen} prefixes of {} files: every one comes up killed", all_files().len());
    assert!(seen > 30_000, "{seen}");
}

#[test]
fn when_any_byte_is_flipped_expect_the_same_record_or_killed() {
    let (mut seen, mut harmless) = (0, 0);
    for whole in all_files() {
        let truth = found(&whole);
        let mut bytes = whole.clone();
        for at in 0..bytes.len() {
            // One byte of each kibibyte of the long padding is enough.
            if at % SLOT_BYTES > 1024 && at % 1024 != 0 {
                continue;
            }
            for flip in [0x01_u8, 0x80, 0xff] {
                bytes[at] ^= flip;
                let damaged = found(&bytes);
                bytes[at] ^= flip;
                seen += 1;
                if damaged == truth {
                    // Behind the end of what was written there is nothing to damage.
                    harmless += 1;
                    assert!(at % SLOT_BYTES > FRAME_BYTES, "byte {at}");
                    continue;
                }
                let Found::Damaged { survivor } = &damaged else {
                    panic!("byte {at} ^ {flip:#x}: {damaged:?}")
                };
                assert!(survivor.as_ref().is_none_or(|one| one.seq <= 45), "older or equal");
                assert_eq!(severity(&damaged), 1, "byte {at} ^ {flip:#x}: {damaged:?}");
            }
        }
    }
    println!("{seen} flipped bytes, {harmless} of them in the padding: the rest comes up killed");
}

/// As many trips as are kept, with texts of the usual length and longer: most of a slot.
fn full(state: State, counter: u64) -> Contents {
    let mut full = contents(state, counter, u64::try_from(KEPT_TRIPS).unwrap());
    for trip in &mut full.trips {
        trip.detail = "d".repeat(TEXT_BYTES);
        trip.operator = "uid 1000 (interlockctl) as maria".repeat(5);
        trip.reason = "ä".repeat(TEXT_BYTES / 2);
        trip.subject = "a lane/of a long name".repeat(7);
        trip.cause = "kill_input_asserted ".repeat(8);
    }
    full
}

/// What is on disk of a slot; behind it is padding.
fn written(slot: &[u8]) -> usize {
    FRAME_BYTES + usize::try_from(u32::from_le_bytes(slot[12..16].try_into().unwrap())).unwrap()
}

#[test]
fn when_a_full_file_is_cut_anywhere_or_any_byte_is_flipped_expect_killed() {
    // The newest says disarmed, which is what damage must never bring about.
    let (older, newest) = (full(State::Killed, 4), full(State::Disarmed, 5));
    let bytes = file(&older, &newest);
    let truth = found(&bytes);
    assert_eq!((severity(&truth), &truth), (0, &Found::Valid(newest.clone())));
    let ends = [written(&bytes[..SLOT_BYTES]), written(&bytes[SLOT_BYTES..])];
    assert!(ends.iter().all(|end| *end > 12 * 1024), "{ends:?}: as long as they get");
    let mut shorter = bytes.clone();
    while shorter.pop().is_some() {
        let found = found(&shorter);
        assert!(found != truth && severity(&found) == 1, "{} bytes: {found:?}", shorter.len());
    }
    let mut flipped = bytes.clone();
    for at in 0..bytes.len() {
        flipped[at] ^= 1 << (at % 8);
        let found = found(&flipped);
        flipped[at] = bytes[at];
        if at % SLOT_BYTES >= ends[at / SLOT_BYTES] {
            // Behind what was written there is nothing to damage.
            assert_eq!(found, truth, "byte {at}");
            continue;
        }
        let Found::Damaged { survivor: Some(survivor) } = &found else {
            panic!("byte {at}: {found:?}")
        };
        let other = if at < SLOT_BYTES { &newest } else { &older };
        assert_eq!(survivor, other, "byte {at}: the slot that was not touched");
        assert_eq!(severity(&found), 1, "byte {at}: {found:?}");
    }
}

#[test]
fn when_both_slots_are_damaged_or_zero_expect_killed_and_nothing_known() {
    for bytes in [vec![0; FILE_BYTES], vec![0xff; FILE_BYTES], Vec::new(), vec![0; 7]] {
        assert_eq!(found(&bytes), Found::Damaged { survivor: None });
        assert_eq!(place(&bytes), (0, 0));
    }
}

#[test]
fn when_the_newest_record_is_of_a_later_version_expect_it_known_as_such_and_killed() {
    let version = VERSION + 3;
    let ours = |counter| encode(&contents(State::Disarmed, counter, 0));
    for bytes in [
        [later(5), later(6)].concat(),
        [later(9), ours(8)].concat(),
        [ours(8), later(9)].concat(),
        [later(5), vec![0; SLOT_BYTES]].concat(),
    ] {
        assert_eq!(found(&bytes), Found::Newer { version });
        assert_eq!(severity(&found(&bytes)), 1);
    }
    // After a reset by a person ours is the newest.
    let reset = [later(5), ours(6)].concat();
    assert!(matches!(found(&reset), Found::Valid(_)));
    assert_eq!(place(&reset), (6, 0));
    // A broken frame is damage, whatever version it claims.
    let mut broken = later(6);
    broken[40] ^= 1;
    assert_eq!(severity(&found(&[ours(5), broken].concat())), 1);
}

proptest::proptest! {
    #[test]
    fn when_bytes_are_arbitrary_expect_no_panic_and_no_record(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)
    ) {
        let mut file = bytes;
        file.resize(FILE_BYTES, 0);
        proptest::prop_assert_eq!(found(&file), Found::Damaged { survivor: None });
    }
}

/// A slot as a later version might write it: the same frame around what we do not know.
pub(crate) fn later(counter: u64) -> Vec<u8> {
    let payload = b"\x09another world entirely";
    let mut bytes = MAGIC.to_vec();
    bytes.extend((VERSION + 3).to_le_bytes());
    bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    bytes.extend(counter.to_le_bytes());
    let checksum = checksum(&bytes, payload);
    bytes.extend(checksum.to_le_bytes());
    bytes.extend(payload);
    bytes.resize(SLOT_BYTES, 0);
    bytes
}
