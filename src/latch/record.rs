//! The format of the latch file: two slots of fixed size, each a whole record with a checksum.
//!
//! ```text
//! slot:    "INTRLOCK" · version u32 · length u32 · counter u64 · CRC-64/XZ u64 · payload of `length` bytes
//! payload: state u8 · clean u8 · boot id [u8; 16] · seq u64 · first u64 · count u8 · trips
//! trip:    seq u64 · stamp i64 · found f64 · bound f64 · cause, subject, detail, operator, reason
//! text:    length u8 · UTF-8
//! ```
//!
//! All little endian. The frame (the first 32 bytes) is the same in every version, so that a later one
//! is known as such and not taken for damage. A write goes to the slot that is not the newest; the
//! slot with the higher counter is the newest; two with the same were not written by us, and neither is believed.
//!
//! **Invariant:** both slots are written when the file is made, so one that is not valid is damage,
//! never a blank; and damage is never better than killed. **Invariant:** reading never panics and
//! never trusts a length.

use crc::{CRC_64_XZ, Crc};

use crate::gate::history::KEPT_TRIPS;
use crate::gate::state::State;

/// The format that this version writes.
pub const VERSION: u32 = 1;
/// Bytes of a slot: more than a record with the longest texts has.
pub const SLOT_BYTES: usize = 16 * 1024;
/// Bytes of the file.
pub const FILE_BYTES: usize = 2 * SLOT_BYTES;
/// The longest text that is kept; what is longer is cut.
pub const TEXT_BYTES: usize = 160;

const MAGIC: &[u8; 8] = b"INTRLOCK";
const FRAME_BYTES: usize = 32;
/// What the checksum does not cover: itself.
const CRC_AT: usize = 24;
const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);

/// Which boot of the machine it was; all zero: not known.
pub type BootId = [u8; 16];

/// One trip, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTrip {
    /// `seq` after it.
    pub seq: u64,
    /// Nanoseconds since the Unix epoch, by the wall clock.
    pub stamp_unix_ns: i64,
    /// The value found; NaN where there is none.
    pub found: f64,
    /// The value allowed; NaN where there is none.
    pub bound: f64,
    /// Closed list.
    pub cause: String,
    /// Lane, source, kill input or sensor; empty: the node.
    pub subject: String,
    /// One sentence with the value and the limit.
    pub detail: String,
    /// Who, where known.
    pub operator: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// A whole record.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The format it was written in.
    pub version: u32,
    /// Grows with each write.
    pub counter: u64,
    /// The state.
    pub state: State,
    /// The run ended by itself, after its last change was on disk.
    pub clean: bool,
    /// Which boot of the machine wrote it; of a killed one that an unclean restart latched, in which
    /// boot it was in motion.
    pub boot_id: BootId,
    /// The number that reset and arm must name.
    pub seq: u64,
    /// `seq` of the trip that latched; 0: not killed, or not known.
    pub first: u64,
    /// The newest trips, oldest first; the one that latched is kept among them.
    pub trips: Vec<StoredTrip>,
}

impl Contents {
    /// Of a run that has not ended, without trips.
    #[cfg(test)]
    pub(crate) const fn plain(state: State, seq: u64) -> Self {
        let (version, boot_id) = (VERSION, [1; 16]);
        Self { version, counter: 0, state, clean: false, boot_id, seq, first: 0, trips: Vec::new() }
    }

    /// The trip that latched.
    #[must_use]
    pub fn first_trip(&self) -> Option<&StoredTrip> {
        self.trips.iter().find(|trip| self.first != 0 && trip.seq == self.first)
    }

    /// The newest trip.
    #[must_use]
    pub fn last_trip(&self) -> Option<&StoredTrip> {
        self.trips.last()
    }
}

/// What the bytes of a latch file say.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// There are none.
    Missing,
    /// Both slots are valid; the newer one.
    Valid(Contents),
    /// A slot is not what was written; what the other says, where it says anything.
    Damaged {
        /// The valid slot.
        survivor: Option<Contents>,
    },
    /// The newest record is of a later version.
    Newer {
        /// Which.
        version: u32,
    },
}

/// One slot.
enum Slot {
    Valid(Contents),
    Newer { version: u32, counter: u64 },
    Damaged,
}

/// What a file of these bytes says.
#[must_use]
pub fn found(bytes: &[u8]) -> Found {
    let first = bytes.get(..SLOT_BYTES).map_or(Slot::Damaged, slot);
    let second = bytes.get(SLOT_BYTES..FILE_BYTES).map_or(Slot::Damaged, slot);
    match (first, second) {
        // Never written by us: nobody knows which of the two is the truth.
        (Slot::Valid(a), Slot::Valid(b)) if a.counter == b.counter => {
            Found::Damaged { survivor: None }
        }
        (Slot::Valid(a), Slot::Valid(b)) => Found::Valid(if b.counter > a.counter { b } else { a }),
        (Slot::Valid(survivor), Slot::Damaged) | (Slot::Damaged, Slot::Valid(survivor)) => {
            Found::Damaged { survivor: Some(survivor) }
        }
        (Slot::Valid(ours), Slot::Newer { version, counter })
        | (Slot::Newer { version, counter }, Slot::Valid(ours)) => {
            if ours.counter > counter {
                Found::Valid(ours)
            } else {
                Found::Newer { version }
            }
        }
        (Slot::Newer { version, .. }, Slot::Newer { version: other, .. }) => {
            Found::Newer { version: if other > version { other } else { version } }
        }
        (Slot::Newer { version, .. }, Slot::Damaged)
        | (Slot::Damaged, Slot::Newer { version, .. }) => Found::Newer { version },
        (Slot::Damaged, Slot::Damaged) => Found::Damaged { survivor: None },
    }
}

/// The highest counter of any frame that is valid, and the number of the slot to write next.
#[must_use]
pub fn place(bytes: &[u8]) -> (u64, usize) {
    let counter = |at: usize| {
        let bytes = bytes.get(at..at.saturating_add(SLOT_BYTES));
        match bytes.map_or(Slot::Damaged, slot) {
            Slot::Valid(contents) => Some(contents.counter),
            Slot::Newer { counter, .. } => Some(counter),
            Slot::Damaged => None,
        }
    };
    match (counter(0), counter(SLOT_BYTES)) {
        // Never the newest: a torn write must leave it.
        (Some(first), Some(second)) if first > second => (first, 1),
        (Some(_) | None, Some(second)) => (second, 0),
        (Some(first), None) => (first, 1),
        (None, None) => (0, 0),
    }
}

/// A slot's bytes, padded to [`SLOT_BYTES`].
#[must_use]
pub fn encode(contents: &Contents) -> Vec<u8> {
    let mut payload = Vec::with_capacity(SLOT_BYTES);
    payload.push(match contents.state {
        State::Disarmed => 1,
        State::Active => 2,
        State::Killed => 3,
    });
    payload.push(u8::from(contents.clean));
    payload.extend(contents.boot_id);
    payload.extend(contents.seq.to_le_bytes());
    payload.extend(contents.first.to_le_bytes());
    let trips = kept(contents);
    payload.push(u8::try_from(trips.len()).unwrap_or(u8::MAX));
    for trip in trips {
        payload.extend(trip.seq.to_le_bytes());
        payload.extend(trip.stamp_unix_ns.to_le_bytes());
        payload.extend(trip.found.to_bits().to_le_bytes());
        payload.extend(trip.bound.to_bits().to_le_bytes());
        for text in [&trip.cause, &trip.subject, &trip.detail, &trip.operator, &trip.reason] {
            let text = cut(text).as_bytes();
            payload.push(u8::try_from(text.len()).unwrap_or(0));
            payload.extend(text);
        }
    }
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(contents.counter.to_le_bytes());
    let checksum = checksum(&bytes, &payload);
    bytes.extend(checksum.to_le_bytes());
    bytes.extend(payload);
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

/// The newest trips that fit, oldest first, and always the one that latched.
fn kept(contents: &Contents) -> Vec<&StoredTrip> {
    let mut trips: Vec<&StoredTrip> = contents.trips.iter().collect();
    while trips.len() > KEPT_TRIPS {
        let oldest = trips.iter().position(|trip| trip.seq != contents.first).unwrap_or(0);
        trips.remove(oldest);
    }
    trips
}

/// At most [`TEXT_BYTES`], cut at a letter.
fn cut(text: &str) -> &str {
    let mut end = text.len();
    if end > TEXT_BYTES {
        end = TEXT_BYTES;
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
    }
    text.get(..end).unwrap_or_default()
}

fn checksum(frame: &[u8], payload: &[u8]) -> u64 {
    let mut digest = CRC.digest();
    digest.update(frame);
    digest.update(payload);
    digest.finalize()
}

fn slot(bytes: &[u8]) -> Slot {
    read_slot(bytes).unwrap_or(Slot::Damaged)
}

fn read_slot(bytes: &[u8]) -> Option<Slot> {
    let mut frame = Bytes(bytes);
    if frame.take::<8>()? != *MAGIC {
        return None;
    }
    let version = u32::from_le_bytes(frame.take()?);
    let length = usize::try_from(u32::from_le_bytes(frame.take()?)).ok()?;
    let counter = frame.u64()?;
    let stored = frame.u64()?;
    let payload = bytes.get(FRAME_BYTES..FRAME_BYTES.checked_add(length)?)?;
    if checksum(bytes.get(..CRC_AT)?, payload) != stored {
        return None;
    }
    if version != VERSION {
        // There is no version before the first.
        return (version > VERSION).then_some(Slot::Newer { version, counter });
    }
    read_payload(payload, counter).map(Slot::Valid)
}

fn read_payload(payload: &[u8], counter: u64) -> Option<Contents> {
    let mut bytes = Bytes(payload);
    let state = match bytes.u8()? {
        1 => State::Disarmed,
        2 => State::Active,
        3 => State::Killed,
        _ => return None,
    };
    let clean = match bytes.u8()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let (boot_id, seq, first) = (bytes.take()?, bytes.u64()?, bytes.u64()?);
    let count = bytes.u8()?;
    // More trips or longer texts than are ever written are no record of ours, whatever their checksum.
    if usize::from(count) > KEPT_TRIPS {
        return None;
    }
    let mut trips = Vec::new();
    for _ in 0..count {
        trips.push(StoredTrip {
            seq: bytes.u64()?,
            stamp_unix_ns: i64::from_le_bytes(bytes.take()?),
            found: f64::from_bits(bytes.u64()?),
            bound: f64::from_bits(bytes.u64()?),
            cause: bytes.text()?,
            subject: bytes.text()?,
            detail: bytes.text()?,
            operator: bytes.text()?,
            reason: bytes.text()?,
        });
    }
    let version = VERSION;
    let contents = Contents { version, counter, state, clean, boot_id, seq, first, trips };
    bytes.0.is_empty().then_some(contents)
}

/// Bytes that are left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u8()?);
        if length > TEXT_BYTES {
            return None;
        }
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(taken).ok().map(str::to_owned)
    }
}

#[cfg(test)]
pub(crate) use tests::later;
#[cfg(test)]
mod tests;
