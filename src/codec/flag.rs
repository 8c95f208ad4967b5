//! One bool of a message: what a kill input says.

use std::sync::Arc;

use super::{CodecError, select};
use crate::cdr::{Found, Layout, MessageType, Primitive, read_u64};

/// Reads `data` of a `std_msgs/msg/Bool`.
#[derive(Clone, Debug)]
pub struct FlagCodec {
    layout: Layout,
    found: Found,
}

impl FlagCodec {
    /// Compiles the codec.
    ///
    /// # Errors
    /// [`CodecError`] when the type has no bool `data`.
    pub fn new(message: &Arc<MessageType>) -> Result<Self, CodecError> {
        let layout = Layout::compile(message, &[select("data", 1)?], &[])?;
        let found = layout.new_found();
        Ok(Self { layout, found })
    }

    /// The bool; `None` where the bytes are not such a message.
    #[must_use]
    pub fn read(&mut self, bytes: &[u8]) -> Option<bool> {
        self.layout.find(bytes, &mut self.found).ok()?;
        let hit = self.found.hits(0).first()?;
        read_u64(bytes, self.found.endian(), Primitive::Bool, hit.offset).map(|value| value != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::test_types::bool_type;

    #[test]
    fn when_the_bytes_are_a_bool_expect_it_and_otherwise_none() {
        let mut codec = FlagCodec::new(&bool_type()).unwrap();
        assert_eq!(codec.read(&[0, 1, 0, 0, 1]), Some(true));
        assert_eq!(codec.read(&[0, 1, 0, 0, 0, 9, 9, 9]), Some(false));
        for broken in [&[][..], &[0, 1, 0, 0], &[0, 1, 0, 0, 2], &[0, 3, 0, 0, 1]] {
            assert_eq!(codec.read(broken), None, "{broken:?}");
        }
    }
}
