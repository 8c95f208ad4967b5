//! Fields of fixed size that follow each other.
//!
//! CDR pads before a field, not around a message, so such fields form one run whatever messages
//! they are in. Where each lies depends only on where the run starts modulo 8, the largest
//! alignment; so all eight cases are worked out once, at compile time.
//!
//! **Invariant:** no slot occurs twice in a block. A path names each leaf of a message once, and
//! blocks of repeated messages are joined only if they have no hits. The walk relies on it: it
//! notes the hits of an array of blocks slot by slot.

use super::super::cursor::index;
use super::program::{Check, Target};

/// A run of fields of fixed size.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) length: ByStart,
    pub(super) items: Vec<Item>,
}

/// Something to do in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Where, counted from the start of the block.
    pub(super) at: ByStart,
    pub(super) what: What,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Note `len` elements for a selection.
    Hit { slot: u32, len: u32 },
    /// `count` floats of `size` bytes must be finite.
    Floats { size: u32, count: u32 },
    /// `count` bytes must be 0 or 1.
    Bools { count: u32 },
}

/// A number of bytes for each position modulo 8 at which a block can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByStart([u32; 8]);

impl ByStart {
    fn try_new(bytes: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        let mut all = [0; 8];
        for (start, place) in (0..).zip(&mut all) {
            *place = bytes(start)?;
        }
        Some(Self(all))
    }

    /// The bytes for a block that starts at `position`.
    pub(super) fn from(&self, position: u32) -> u32 {
        self.0.get(index(position % 8)).copied().unwrap_or(0)
    }

    fn plus(&self, bytes: u32) -> Option<Self> {
        Self::try_new(|start| self.from(start).checked_add(bytes))
    }
}

impl Block {
    /// `count` numbers of `size` bytes. `None` if they take more than 32 bits can say.
    pub(super) fn of_numbers(
        count: u32,
        size: u32,
        check: &Check,
        targets: &[Target],
    ) -> Option<Self> {
        let bytes = count.checked_mul(size)?;
        let padding = ByStart::try_new(|start| start.next_multiple_of(size).checked_sub(start))?;
        let mut items = Vec::new();
        let mut item = |from: u32, what: What| -> Option<()> {
            items.push(Item { at: padding.plus(from.checked_mul(size)?)?, what });
            Some(())
        };
        for target in targets {
            let len = target.to.min(count).saturating_sub(target.from);
            item(target.from, What::Hit { slot: target.slot, len })?;
        }
        match check {
            Check::Nothing => {}
            Check::Bools => item(0, What::Bools { count })?,
            Check::Floats(stretches) => {
                for (from, to) in stretches {
                    let count = to.min(&count).saturating_sub(*from);
                    item(*from, What::Floats { size, count })?;
                }
            }
        }
        Some(Self { length: padding.plus(bytes)?, items })
    }

    /// This block and then the other, as one. `None` if that takes more than 32 bits can say.
    pub(super) fn then(&self, next: &Self) -> Option<Self> {
        let after = |places: &ByStart| {
            ByStart::try_new(|start| {
                let before = self.length.from(start);
                before.checked_add(places.from(start.checked_add(before)?))
            })
        };
        let mut joined = Self { length: after(&next.length)?, items: self.items.clone() };
        for item in &next.items {
            joined.add(Item { at: after(&item.at)?, what: item.what })?;
        }
        Some(joined)
    }

    /// Adds an item; floats that follow floats are checked with them.
    fn add(&mut self, new: Item) -> Option<()> {
        if let What::Floats { size, count } = new.what {
            for item in &mut self.items {
                if let What::Floats { size: same, count: before } = &mut item.what
                    && *same == size
                    && item.at.plus(before.checked_mul(size)?)? == new.at
                {
                    *before = before.checked_add(count)?;
                    return Some(());
                }
            }
        }
        self.items.push(new);
        Some(())
    }

    /// Whether a selection takes something in it.
    pub(super) fn has_hits(&self) -> bool {
        self.items.iter().any(|item| matches!(item.what, What::Hit { .. }))
    }
}
