//! Running a layout over a message.
//!
//! The hot path: one pass, no allocation. The recursion is as deep as the type is nested, which the
//! compiler bounded.

use super::super::cursor::{Cursor, Malformed, index};
use super::block::{Block, What};
use super::finite::{first_not_finite, has_nul};
use super::program::{Check, Count, IfAbsent, Numbers, Op, Repeat, Target, Texts, Width};
use super::{Found, Hit};

/// Walks the operations from the cursor's position.
pub(super) fn walk(
    program: &[Op],
    cursor: &mut Cursor<'_>,
    found: &mut Found,
) -> Result<(), Malformed> {
    for op in program {
        match op {
            Op::Block(block) => walk_blocks(block, 1, cursor, found)?,
            Op::Numbers(numbers) => walk_numbers(numbers, cursor, found)?,
            Op::Texts(texts) => walk_texts(texts, cursor, found)?,
            Op::Repeat(repeat) => walk_repeat(repeat, cursor, found)?,
        }
    }
    Ok(())
}

/// Places that repeat at a constant distance after the first one.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) first: u32,
    /// The second, and from there `more` in all, `stride` apart.
    pub(super) second: u32,
    pub(super) stride: u32,
    pub(super) more: u32,
}

/// `count` blocks in a row. Only the first can start at any alignment: it ends right after its last
/// field of the largest alignment and whatever is always behind that, so all others start alike and
/// have the same length.
fn walk_blocks(
    block: &Block,
    count: u32,
    cursor: &mut Cursor<'_>,
    found: &mut Found,
) -> Result<(), Malformed> {
    let Some(more) = count.checked_sub(1) else {
        return Ok(());
    };
    let start = cursor.position();
    let offset = cursor.offset();
    let first_length = block.length.from(start);
    let second_start = start.wrapping_add(first_length);
    let stride = block.length.from(second_start);
    let rest = u64::from(more).saturating_mul(u64::from(stride));
    let bytes = cursor.take(u64::from(first_length).saturating_add(rest))?;
    // From here every place is inside `bytes`, so additions of places do not overflow.
    for item in &block.items {
        let first = item.at.from(start);
        let second = first_length.wrapping_add(item.at.from(second_start));
        let places = Places { first, second, stride, more };
        match item.what {
            What::Hit { slot, len } => found.push_all(slot, offset, places, len)?,
            What::Floats { size, count } => {
                let endian = cursor.endian();
                places
                    .check(bytes, size.wrapping_mul(count), |floats| {
                        first_not_finite(floats, size, endian)
                    })
                    .map_err(|at| Malformed::NotFinite { at: at.saturating_add(offset) })?;
            }
            What::Bools { count } => places
                .check(bytes, count, first_bad_bool)
                .map_err(|at| Malformed::BadBool { at: at.saturating_add(offset) })?,
        }
    }
    Ok(())
}

impl Places {
    /// Looks at `length` bytes at each place. The error is the place of the first bad one.
    fn check(
        self,
        bytes: &[u8],
        length: u32,
        first_bad: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<(), u32> {
        let look = |place: u32| {
            let elements = bytes.get(index(place)..index(place.saturating_add(length)));
            match elements.map(&first_bad) {
                Some(None) => Ok(()),
                Some(Some(bad)) => Err(place.saturating_add(u32::try_from(bad).unwrap_or(0))),
                // Cannot happen, see `walk_blocks`; a block that is not all there is not right.
                None => Err(place),
            }
        };
        look(self.first)?;
        let mut place = self.second;
        for _ in 0..self.more {
            look(place)?;
            place = place.wrapping_add(self.stride);
        }
        Ok(())
    }
}

fn first_bad_bool(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte > 1)
}

fn walk_numbers(
    numbers: &Numbers,
    cursor: &mut Cursor<'_>,
    found: &mut Found,
) -> Result<(), Malformed> {
    let size = numbers.size;
    let count = cursor.take_count(numbers.bound, u64::from(size))?;
    if count > 0 {
        // Alignment only before an element that exists.
        cursor.align(size);
    }
    let offset = cursor.offset();
    let bytes = cursor.take(u64::from(count).saturating_mul(u64::from(size)))?;
    let at = |bad: usize| offset.saturating_add(u32::try_from(bad).unwrap_or(u32::MAX));
    match &numbers.check {
        Check::Nothing => {}
        Check::Bools => {
            if let Some(bad) = first_bad_bool(bytes) {
                return Err(Malformed::BadBool { at: at(bad) });
            }
        }
        Check::Floats(stretches) => {
            for (from, to) in stretches {
                let from = index(from.saturating_mul(size)).min(bytes.len());
                let to = index(to.saturating_mul(size)).min(bytes.len());
                let floats = bytes.get(from..to).unwrap_or(bytes);
                if let Some(bad) = first_not_finite(floats, size, cursor.endian()) {
                    return Err(Malformed::NotFinite { at: at(bad.saturating_add(from)) });
                }
            }
        }
    }
    for target in &numbers.targets {
        note_numbers(*target, count, size, offset, found)?;
    }
    Ok(())
}

fn note_numbers(
    target: Target,
    count: u32,
    size: u32,
    offset: u32,
    found: &mut Found,
) -> Result<(), Malformed> {
    let from = target.from.min(count);
    let len = target.to.min(count).saturating_sub(from);
    match target.if_absent {
        IfAbsent::NoHit if len == 0 => Ok(()),
        IfAbsent::NoHit | IfAbsent::EmptyHit => {
            // No overflow: the elements lie inside bytes that 32 bits can reach.
            let offset = offset.saturating_add(from.saturating_mul(size));
            found.push(target.slot, Hit { offset, len })
        }
    }
}

fn count_of(count: Count, least: u64, cursor: &mut Cursor<'_>) -> Result<u32, Malformed> {
    match count {
        Count::Fixed(count) => Ok(count),
        Count::Counted { bound } => cursor.take_count(bound, least),
    }
}

fn walk_texts(texts: &Texts, cursor: &mut Cursor<'_>, found: &mut Found) -> Result<(), Malformed> {
    let count = count_of(texts.count, 4, cursor)?;
    for number in 0..count {
        cursor.align(4);
        let start = cursor.offset();
        let (text, len) = match texts.width {
            Width::Wide => (None, cursor.take_wide_text(texts.bound)?.0),
            Width::Narrow => {
                let text = cursor.take_text(texts.bound)?;
                (Some(text), u32::try_from(text.len()).unwrap_or(u32::MAX))
            }
        };
        for target in &texts.targets {
            if (target.from..target.to).contains(&number) {
                // C readers would see a shorter text than C++ readers.
                if text.is_some_and(has_nul) {
                    return Err(Malformed::BadString { at: start });
                }
                // The text starts after its length.
                found.push(target.slot, Hit { offset: start.saturating_add(4), len })?;
            }
        }
    }
    Ok(())
}

fn walk_repeat(
    repeat: &Repeat,
    cursor: &mut Cursor<'_>,
    found: &mut Found,
) -> Result<(), Malformed> {
    let count = count_of(repeat.count, repeat.least, cursor)?;
    let mut next = 0;
    for stretch in &repeat.stretches {
        let to = stretch.to.min(count);
        let elements = to.saturating_sub(next);
        match &*stretch.program {
            [Op::Block(block)] => walk_blocks(block, elements, cursor, found)?,
            program => {
                for _ in 0..elements {
                    walk(program, cursor, found)?;
                }
            }
        }
        next = next.max(to);
    }
    Ok(())
}
