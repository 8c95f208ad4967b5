//! A bounded cursor over CDR bytes, and what can be wrong with them.
//!
//! It knows the encapsulation header, alignment and counts, and nothing about types. Positions are
//! counted in the body, the bytes after the four-byte header, because that is where CDR counts
//! alignment from.
//!
//! **Invariant:** every read is inside the bytes; a position never passes the end.
//! **Invariant:** padding is skipped, never looked at: real senders leave garbage in it.
//! **Invariant:** no allocation.

use thiserror::Error;

/// Bytes of the encapsulation header: representation (two bytes), options (two bytes).
pub(super) const HEADER_BYTES: u32 = 4;

/// Byte order of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// Most significant byte first; encapsulation 0x0000.
    Big,
    /// Least significant byte first; encapsulation 0x0001.
    Little,
}

/// What is wrong with a message's bytes. `at` counts from the first byte of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A field lies past the end.
    #[error("ends too early: the field at byte {at} does not fit")]
    Truncated {
        /// Where the field would start.
        at: u32,
    },
    /// More bytes than 32-bit offsets can reach.
    #[error("is larger than 4 GiB")]
    TooLarge,
    /// The first two bytes are neither 0x0000 nor 0x0001.
    #[error("has encapsulation {found:#06x}; only 0x0000 and 0x0001 (plain CDR) are understood")]
    BadEncapsulation {
        /// The two bytes, most significant first.
        found: u16,
    },
    /// So many elements cannot fit in the bytes left.
    #[error("announces {count} elements at byte {at}, more than its bytes can hold")]
    CountTooLarge {
        /// Where the count is.
        at: u32,
        /// The count.
        count: u32,
    },
    /// More elements or a longer text than the type allows.
    #[error("has {count} elements or characters at byte {at}, over the type's bound")]
    OverBound {
        /// Where the count is.
        at: u32,
        /// The count.
        count: u32,
    },
    /// A bool that is neither 0 nor 1.
    #[error("has a bool that is neither 0 nor 1 at byte {at}")]
    BadBool {
        /// Where the bool is.
        at: u32,
    },
    /// A text without its terminating NUL, with a NUL inside where it was selected, or a wide
    /// character above 0xFFFF: readers would disagree about what it says.
    #[error("has a text that readers would not agree on at byte {at}")]
    BadString {
        /// Where the text's length is.
        at: u32,
    },
    /// A NaN or an infinity where only finite numbers may be.
    #[error("has a number that is not finite at byte {at}")]
    NotFinite {
        /// Where the number is.
        at: u32,
    },
    /// A selection found more than it was given room for.
    #[error("has more elements for selection {slot} than it may have, at byte {at}")]
    TooManyHits {
        /// Number of the selection, from 0.
        slot: u32,
        /// Where the first element without room is.
        at: u32,
    },
}

/// A position in a message.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'bytes> {
    body: &'bytes [u8],
    /// `body`'s length; both fit in 32 bits, checked once in [`Cursor::open`].
    end: u32,
    position: u32,
    endian: Endian,
}

impl<'bytes> Cursor<'bytes> {
    /// Reads the header and stands at the first byte of the body.
    #[inline]
    pub(super) fn open(bytes: &'bytes [u8]) -> Result<Self, Malformed> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(Malformed::TooLarge);
        }
        let Some(([kind_high, kind_low, _, _], body)) = bytes.split_first_chunk::<4>() else {
            return Err(Malformed::Truncated { at: 0 });
        };
        let endian = match (kind_high, kind_low) {
            (0, 0) => Endian::Big,
            (0, 1) => Endian::Little,
            _ => {
                let found = u16::from_be_bytes([*kind_high, *kind_low]);
                return Err(Malformed::BadEncapsulation { found });
            }
        };
        let end = u32::try_from(body.len()).map_err(|_| Malformed::TooLarge)?;
        Ok(Self { body, end, position: 0, endian })
    }

    pub(super) const fn endian(&self) -> Endian {
        self.endian
    }

    /// Position in the body.
    pub(super) const fn position(&self) -> u32 {
        self.position
    }

    /// Position in the whole message, header included.
    pub(super) const fn offset(&self) -> u32 {
        // The whole message fits in 32 bits, so this does not saturate.
        self.position.saturating_add(HEADER_BYTES)
    }

    /// Moves to the next multiple of `alignment` (a power of two); may stand at the end or would
    /// stand past it, in which case the next [`Cursor::take`] fails.
    #[inline]
    pub(super) const fn align(&mut self, alignment: u32) {
        let mask = alignment.wrapping_sub(1);
        self.position = self.position.saturating_add(mask) & !mask;
    }

    /// Passes over `count` bytes and gives them.
    #[inline]
    pub(super) fn take(&mut self, count: u64) -> Result<&'bytes [u8], Malformed> {
        let start = self.position;
        let stop = u64::from(start).saturating_add(count);
        if stop > u64::from(self.end) {
            return Err(Malformed::Truncated { at: self.offset() });
        }
        let stop = u32::try_from(stop).map_err(|_| Malformed::TooLarge)?;
        let taken = self.body.get(index(start)..index(stop));
        self.position = stop;
        taken.ok_or(Malformed::Truncated { at: self.offset() })
    }

    /// Reads an aligned `uint32`.
    #[inline]
    pub(super) fn take_u32(&mut self) -> Result<u32, Malformed> {
        self.align(4);
        let bytes = self.take(4)?;
        let bytes =
            <[u8; 4]>::try_from(bytes).map_err(|_| Malformed::Truncated { at: self.offset() })?;
        Ok(match self.endian {
            Endian::Big => u32::from_be_bytes(bytes),
            Endian::Little => u32::from_le_bytes(bytes),
        })
    }

    /// Reads the count of a sequence whose elements take at least `least` bytes each.
    #[inline]
    pub(super) fn take_count(&mut self, bound: u32, least: u64) -> Result<u32, Malformed> {
        let count = self.take_u32()?;
        let at = self.offset().saturating_sub(4);
        if count > bound {
            return Err(Malformed::OverBound { at, count });
        }
        let left = u64::from(self.end.saturating_sub(self.position));
        if u64::from(count).saturating_mul(least) > left {
            return Err(Malformed::CountTooLarge { at, count });
        }
        Ok(count)
    }

    /// Reads a string and gives its text without NUL. Length 0 is an empty text, as Fast CDR reads
    /// it; a text without terminating NUL is refused, although Fast CDR reads it, because other
    /// middlewares refuse the message or lose the last character.
    #[inline]
    pub(super) fn take_text(&mut self, bound: u32) -> Result<&'bytes [u8], Malformed> {
        let length = self.take_u32()?;
        let at = self.offset().saturating_sub(4);
        if u64::from(length) > u64::from(self.end.saturating_sub(self.position)) {
            return Err(Malformed::CountTooLarge { at, count: length });
        }
        let bytes = self.take(u64::from(length))?;
        let text = match bytes.split_last() {
            None => bytes,
            Some((0, text)) => text,
            Some(_) => return Err(Malformed::BadString { at }),
        };
        if length.saturating_sub(1) > bound {
            return Err(Malformed::OverBound { at, count: length.saturating_sub(1) });
        }
        Ok(text)
    }

    /// Reads a wide string: gives how many units it has and their bytes, four each.
    pub(super) fn take_wide_text(&mut self, bound: u32) -> Result<(u32, &'bytes [u8]), Malformed> {
        let units = self.take_count(bound, 4)?;
        let at = self.offset().saturating_sub(4);
        let bytes = self.take(u64::from(units).saturating_mul(4))?;
        for unit in bytes.chunks_exact(4) {
            let high = match self.endian {
                Endian::Big => unit.first_chunk::<2>(),
                Endian::Little => unit.last_chunk::<2>(),
            };
            if high != Some(&[0, 0]) {
                return Err(Malformed::BadString { at });
            }
        }
        Ok((units, bytes))
    }
}

/// A 32-bit offset as an index.
#[expect(clippy::as_conversions, reason = "usize has at least 32 bits wherever rcl runs")]
pub(super) const fn index(offset: u32) -> usize {
    offset as usize
}
