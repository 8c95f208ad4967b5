//! One bool of a message: what a kill input says.

use std::sync::Arc;

use super::{CodecError, select};
use crate::cdr::{Found, Layout, MessageType, Primitive, read_u64};

/// Reads `data` of a `std_msgs/msg/Bool`: whether it asserts.
#[derive(Clone, Debug)]
pub struct FlagCodec {
    layout: Layout,
    found: Found,
    asserted_when: bool,
}

impl FlagCodec {
    /// Compiles the codec. `asserted_when`: the value that asserts; a wired button that opens its
    /// contact reads false when it is pressed.
    ///
    /// # Errors
    /// [`CodecError`] when the type has no bool `data`.
    pub fn new(message: &Arc<MessageType>, asserted_when: bool) -> Result<Self, CodecError> {
        let layout = Layout::compile(message, &[select("data", 1)?], &[])?;
        let found = layout.new_found();
        Ok(Self { layout, found, asserted_when })
    }

    /// Whether the message asserts; `None` where the bytes are not such a message.
    #[must_use]
    pub fn read(&mut self, bytes: &[u8]) -> Option<bool> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let hit = self.found.hits(0).first()?;
        let value = read_u64(bytes, self.found.endian(), Primitive::Bool, hit.offset)?;
        Some((value != 0) == self.asserted_when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::test_types::bool_type;

    #[test]
    fn when_the_bytes_are_a_bool_expect_it_and_otherwise_none() {
        let mut codec = FlagCodec::new(&bool_type(), true).unwrap();
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(true));
        assert_eq!(codec.read(&[0, 1, 0, 0, 0, 9, 9, 9]), Some(false));
        for broken in [&[][..], &[0, 1, 0, 0], &[0, 1, 0, 0, 2], &[0, 3, 0, 0, 1]] {
            assert_eq!(codec.read(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn when_a_button_opens_its_contact_expect_false_to_assert() {
        let mut codec = FlagCodec::new(&bool_type(), false).unwrap();
        assert_eq!(codec.read(&[0, 1, 0, 0, 0]), Some(true));
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(false));
        assert_eq!(codec.read(&[0, 1, 0, 0, 2]), None, "what cannot be read asserts elsewhere");
    }
}
