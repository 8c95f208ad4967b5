//! Our own `interlock/msg/Permit`: made once, then a few numbers written for every tick.

use std::sync::Arc;
use std::time::Duration;

use super::{CodecError, select};
use crate::cdr::{
    Endian, Found, Layout, MessageType, Primitive, Stamp, Value, encode, write_stamp, write_u64,
};
use crate::gate::units::WallTime;

const STAMP: usize = 0;
const SEQUENCE_NUMBER: usize = 1;
const SEQ: usize = 2;
const PERMITTED: usize = 3;

/// The message, ready to publish.
#[derive(Clone, Debug)]
pub struct PermitCodec {
    bytes: Vec<u8>,
    withdrawal: Vec<u8>,
    found: Found,
    sequence_number: u64,
}

impl PermitCodec {
    /// Makes the message with its constant fields.
    ///
    /// # Errors
    /// [`CodecError`] when the installed type is not ours.
    pub fn new(message: &Arc<MessageType>, valid_for: Duration) -> Result<Self, CodecError> {
        let selections = [
            select("stamp", 1)?,
            select("sequence_number", 1)?,
            select("seq", 1)?,
            select("permitted", 1)?,
            select("valid_for", 1)?,
        ];
        let layout = Layout::compile(message, &selections, &[])?;
        let value = Value::default_of(message);
        let safe = |error: &dyn std::fmt::Display| CodecError::Safe(error.to_string());
        let mut bytes = encode(message, &value, Endian::Little).map_err(|error| safe(&error))?;
        let mut found = layout.new_found();
        layout.find(&bytes, &mut found).map_err(|error| safe(&error))?;
        let valid_for = Stamp {
            sec: i32::try_from(valid_for.as_secs()).unwrap_or(i32::MAX),
            nanosec: valid_for.subsec_nanos(),
        };
        let written = found
            .hits(4)
            .first()
            .and_then(|hit| write_stamp(&mut bytes, Endian::Little, hit.offset, valid_for));
        written.ok_or_else(|| CodecError::Safe("valid_for has no place".to_owned()))?;
        Ok(Self { withdrawal: bytes.clone(), bytes, found, sequence_number: 0 })
    }

    /// The next permit. Counts up from 1.
    pub fn next(&mut self, permitted: bool, seq: u64, wall: WallTime) -> &[u8] {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let (sec, nanosec) = wall.to_sec_nanosec();
        let offset = |slot| self.found.hits(slot).first().map_or(0, |hit| hit.offset);
        let bytes = &mut self.bytes;
        let little = Endian::Little;
        let written = [
            write_stamp(bytes, little, offset(STAMP), Stamp { sec, nanosec }),
            write_u64(bytes, little, Primitive::U64, offset(SEQUENCE_NUMBER), self.sequence_number),
            write_u64(bytes, little, Primitive::U64, offset(SEQ), seq),
            write_u64(bytes, little, Primitive::Bool, offset(PERMITTED), u64::from(permitted)),
        ];
        debug_assert!(written.iter().all(Option::is_some), "every offset was found at start-up");
        &self.bytes
    }

    /// What would follow the last one if somebody else had to end the permit: it says no.
    pub fn withdrawal(&mut self) -> &[u8] {
        self.withdrawal.clone_from(&self.bytes);
        let offset = |slot| self.found.hits(slot).first().map_or(0, |hit| hit.offset);
        let bytes = &mut self.withdrawal;
        let number = self.sequence_number.wrapping_add(1);
        let little = Endian::Little;
        let written = [
            write_u64(bytes, little, Primitive::U64, offset(SEQUENCE_NUMBER), number),
            write_u64(bytes, little, Primitive::Bool, offset(PERMITTED), 0),
        ];
        debug_assert!(written.iter().all(Option::is_some), "every offset was found at start-up");
        &self.withdrawal
    }
}
