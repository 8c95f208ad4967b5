//! Where the selected fields of a message are.
//!
//! A [`Layout`] is compiled at start-up from a type and the paths that the configuration names. It
//! is a small program that walks a message's bytes once, front to back: it skips what nobody asked
//! for (runs of fixed size in one step), notes where each selected field is, and checks on its way
//! everything that must hold for the message to be passed on: bounds, counts, bools, texts, and
//! that floats are finite.
//!
//! **Invariant:** [`Layout::find`] never allocates, never panics and never looks outside the bytes.
//! **Invariant:** after an `Ok`, every hit lies inside the bytes and every float that was neither
//! selected with [`FiniteRule::Leave`] nor allowed otherwise is finite.
//! **Invariant:** padding, and bytes after the last field, are not looked at.

mod block;
mod compile;
mod error;
mod finite;
mod leaf;
mod program;
mod ranges;
mod read;
mod resolve;
mod run;
mod walk;

use std::sync::Arc;

pub use error::{LayoutError, LayoutProblem};

use super::cursor::{Cursor, Endian, Malformed, index};
use super::path::Path;
use super::schema::{Arity, Kind, MessageType, Primitive};
use program::Op;
pub(super) use read::{read_number, wide_units};
pub(super) use run::least_size;
use walk::Places;

/// One path to find, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Which fields. Ends at a number, an array of numbers, a text, an array of texts, or a
    /// `builtin_interfaces` `Time` or `Duration`; arrays of messages on the way need `[]`, `[i]` or
    /// a range.
    pub path: Path,
    /// Most hits there may be; a message with more is refused.
    pub max_hits: usize,
    /// Who checks that the floats found are finite. No meaning for other kinds.
    pub finite: FiniteRule,
}

/// Who checks that a selected float is finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiniteRule {
    /// The walk; a message with a NaN or an infinity there is refused.
    Check,
    /// The caller.
    Leave,
    /// As if nobody had selected it: for selections that only count elements.
    AsUnselected,
}

/// Where a selected field is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Offset of the first element from the first byte of the message.
    pub offset: u32,
    /// How many elements follow each other there. A scalar has 1; an array or a range of one as
    /// many as the message has, possibly 0; a text its bytes without NUL; a wide text its units.
    pub len: u32,
}

impl Hit {
    /// Offset of element `number` (from 0), if there is one.
    #[must_use]
    pub fn element(self, number: u32, primitive: Primitive) -> Option<u32> {
        if number < self.len {
            self.offset.checked_add(number.checked_mul(primitive.size())?)
        } else {
            None
        }
    }

    /// The bytes of a text, without NUL.
    #[must_use]
    pub fn text(self, bytes: &[u8]) -> Option<&[u8]> {
        let start = index(self.offset);
        bytes.get(start..start.checked_add(index(self.len))?)
    }
}

/// What a selection finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Numbers, bools or characters.
    Number(Primitive),
    /// A text in bytes.
    Text,
    /// A text in 16-bit units, four bytes each.
    WideText,
    /// `int32` seconds and `uint32` nanoseconds; read with [`read_stamp`](super::read_stamp).
    Stamp,
}

/// A field without fields of its own, or the rest of an array of such.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Path for people: as in [`Path`], but an open range prints as `[7..]`.
    pub path: String,
    /// What one element is; never a message.
    pub kind: Kind,
    /// The field's own arity, whatever part of it is meant.
    pub arity: Arity,
}

/// A compiled program for one type and one list of selections.
#[derive(Clone, Debug)]
pub struct Layout {
    message: Arc<MessageType>,
    program: Box<[Op]>,
    kinds: Box<[SlotKind]>,
    max_hits: Box<[u32]>,
    uncovered: Box<[Leaf]>,
}

/// What [`Layout::find`] found. Made once by [`Layout::new_found`] and used again for each message.
#[derive(Clone, Debug)]
pub struct Found {
    endian: Endian,
    hits: Box<[Hit]>,
    slots: Box<[Slot]>,
}

/// Which part of `Found::hits` belongs to a selection.
#[derive(Clone, Copy, Debug)]
struct Slot {
    start: u32,
    room: u32,
    used: u32,
}

/// Whether a path fits a type, wherever it ends.
pub(super) fn check_path(message: &MessageType, path: &Path) -> Result<(), LayoutProblem> {
    resolve::resolve(message, path).map(|_| ())
}

impl Layout {
    /// Compiles the walk for `message`. The number of a selection in `selections` is the slot under
    /// which its hits are found. `allow_non_finite` names fields, or messages and all that is under
    /// them, in which unselected floats need not be finite.
    ///
    /// # Errors
    /// [`LayoutError`] for a path that does not fit the type, and for a type that cannot be walked.
    pub fn compile(
        message: &Arc<MessageType>,
        selections: &[Selection],
        allow_non_finite: &[Path],
    ) -> Result<Self, LayoutError> {
        compile::compile(message, selections, allow_non_finite)
    }

    /// The type that this layout is of.
    #[must_use]
    pub fn message(&self) -> &Arc<MessageType> {
        &self.message
    }

    /// What a selection finds; `None` if there is no such selection.
    #[must_use]
    pub fn kind(&self, slot: usize) -> Option<SlotKind> {
        self.kinds.get(slot).copied()
    }

    /// The primitive that a selection finds; `None` if it finds texts or stamps.
    #[must_use]
    pub fn primitive(&self, slot: usize) -> Option<Primitive> {
        match self.kind(slot)? {
            SlotKind::Number(primitive) => Some(primitive),
            SlotKind::Text | SlotKind::WideText | SlotKind::Stamp => None,
        }
    }

    /// The fields that no selection covers, in wire order. A field of which a selection takes only
    /// some elements appears with the rest.
    #[must_use]
    pub fn uncovered(&self) -> &[Leaf] {
        &self.uncovered
    }

    /// Room for the hits of this layout; the only allocation, at start-up.
    #[must_use]
    pub fn new_found(&self) -> Found {
        let mut total = 0_u32;
        let slots = self
            .max_hits
            .iter()
            .map(|room| {
                let start = total;
                total = total.saturating_add(*room);
                Slot { start, room: *room, used: 0 }
            })
            .collect();
        let hits = vec![Hit::default(); index(total)].into_boxed_slice();
        Found { endian: Endian::Little, hits, slots }
    }

    /// Walks `bytes` and fills `found`. After an error `found` holds what was found until then and
    /// means nothing.
    ///
    /// # Errors
    /// [`Malformed`] with the byte at which the message stops being one of this type, or breaks a
    /// rule of the layout.
    #[inline]
    pub fn find(&self, bytes: &[u8], found: &mut Found) -> Result<(), Malformed> {
        for slot in &mut found.slots {
            slot.used = 0;
        }
        let mut cursor = Cursor::open(bytes)?;
        found.endian = cursor.endian();
        walk::walk(&self.program, &mut cursor, found)
    }
}

impl Found {
    /// Byte order of the message walked last.
    #[must_use]
    pub const fn endian(&self) -> Endian {
        self.endian
    }

    /// Where the fields of a selection are, in wire order. Empty for a number without selection.
    #[must_use]
    pub fn hits(&self, slot: usize) -> &[Hit] {
        let Some(slot) = self.slots.get(slot) else {
            return &[];
        };
        let start = index(slot.start);
        self.hits.get(start..start.saturating_add(index(slot.used))).unwrap_or(&[])
    }

    fn push(&mut self, number: u32, hit: Hit) -> Result<(), Malformed> {
        let Hit { offset, len } = hit;
        self.push_all(number, offset, Places { first: 0, second: 0, stride: 0, more: 0 }, len)
    }

    /// Notes a hit of `len` elements at each of the places, counted from `offset`.
    #[inline]
    fn push_all(
        &mut self,
        number: u32,
        offset: u32,
        places: Places,
        len: u32,
    ) -> Result<(), Malformed> {
        let first = offset.wrapping_add(places.first);
        let no_room = Malformed::TooManyHits { slot: number, at: first };
        let slot = self.slots.get_mut(index(number)).ok_or(no_room)?;
        let room = slot.room.wrapping_sub(slot.used);
        if places.more >= room {
            // Where the first hit without room is: number `room` of these, from 0.
            let beyond = room.checked_sub(1).map_or(first, |beyond| {
                let second = offset.wrapping_add(places.second);
                second.wrapping_add(beyond.wrapping_mul(places.stride))
            });
            return Err(Malformed::TooManyHits { slot: number, at: beyond });
        }
        // No overflow: start and used stay below the number of hits, which was counted in 32 bits.
        let start = index(slot.start.wrapping_add(slot.used));
        let after = index(places.more).saturating_add(1);
        let hits = self.hits.get_mut(start..start.saturating_add(after)).ok_or(no_room)?;
        let (one, more) = hits.split_first_mut().ok_or(no_room)?;
        *one = Hit { offset: first, len };
        let mut place = offset.wrapping_add(places.second);
        for hit in more {
            *hit = Hit { offset: place, len };
            place = place.wrapping_add(places.stride);
        }
        slot.used = slot.used.wrapping_add(places.more).wrapping_add(1);
        Ok(())
    }
}
