//! Any bytes as a latch file.
//!
//! Input: the first byte's lowest bit says whether the rest is the file itself, or two payloads (the
//! first two bytes their lengths' split) that get frames and right checksums, as only a writer could
//! give them.
//!
//! - A record that is accepted is one that this version writes: written again, it is the same bytes.
//! - No damage makes a file better: with a byte of it changed or its end cut off, a start is never
//!   freer than from the whole one.

use crc::{CRC_64_XZ, Crc};
use interlock::gate::state::BootRecord;
use interlock::latch::boot::{how_it_ended, start};
use interlock::latch::record::{FILE_BYTES, Found, SLOT_BYTES, VERSION, encode, found, place};

const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);
const BOOT: [u8; 16] = [7; 16];

/// One input.
pub fn run(data: &[u8]) {
    let Some(([mode, split], rest)) = data.split_first_chunk::<2>() else { return };
    if mode & 1 == 0 {
        judge(rest, *split);
        return;
    }
    let at = rest.len() * usize::from(*split) / 256;
    let (first, second) = rest.split_at(at);
    let counters = (u64::from(mode >> 1 & 7), u64::from(mode >> 4));
    let mut file = slot(first, counters.0);
    file.extend(slot(second, counters.1));
    judge(&file, *split);
}

/// A slot with a right frame.
fn slot(payload: &[u8], counter: u64) -> Vec<u8> {
    let payload = &payload[..payload.len().min(SLOT_BYTES - 32)];
    let mut bytes = b"INTRLOCK".to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(u32::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend(counter.to_le_bytes());
    let mut digest = CRC.digest();
    digest.update(&bytes);
    digest.update(payload);
    bytes.extend(digest.finalize().to_le_bytes());
    bytes.extend(payload);
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

fn judge(file: &[u8], at: u8) {
    let read = found(file);
    let (counter, next) = place(file);
    assert!(next < 2);
    if let Found::Valid(contents) = &read {
        // The next write takes the other slot.
        let newest = &file[(1 - next) * SLOT_BYTES..][..SLOT_BYTES];
        let again = encode(contents);
        let length = u32::from_le_bytes(newest[12..16].try_into().expect("four"));
        let used = 32 + usize::try_from(length).expect("a length");
        assert_eq!(again[..used], newest[..used], "{contents:?}");
        assert_eq!(contents.counter, counter);
        assert!(again[used..].iter().all(|byte| *byte == 0), "it is as long");
    }
    let begins = start(&read, BOOT, &|_| None);
    assert_eq!(begins.record, how_it_ended(&read, BOOT));
    for damaged in damages(file, at) {
        let damaged = found(&damaged);
        let after = how_it_ended(&damaged, BOOT);
        // Bytes behind the payload are not the record's; then nothing has changed.
        let same = damaged == read;
        let free = after == BootRecord::Clean;
        assert!(same || !free, "{read:?} became {damaged:?}");
    }
}

/// The file with one byte changed where `at` says, with its end cut off there, and with either slot
/// gone: what a process and a disk can do to it.
fn damages(file: &[u8], at: u8) -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    // Inside a slot's frame and the beginning of its payload, where everything stands.
    for slot in [0, SLOT_BYTES] {
        let at = slot + usize::from(at);
        if let Some(byte) = file.get(at) {
            let mut one = file.to_vec();
            one[at] = byte.wrapping_add(1);
            made.push(one);
            made.push(file[..at].to_vec());
            let mut torn = file.to_vec();
            let end = torn.len().min(slot + SLOT_BYTES);
            torn[at..end].fill(0);
            if torn != file {
                made.push(torn);
            }
        }
    }
    if file.len() >= FILE_BYTES {
        for slot in [0, SLOT_BYTES] {
            let mut one = file.to_vec();
            one[slot..slot + SLOT_BYTES].fill(0xFF);
            made.push(one);
        }
    }
    made
}
