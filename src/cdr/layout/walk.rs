//! Running a layout over a message.
//!
//! The hot path: one pass, no allocation. The recursion is as deep as the type is nested, which the
//! compiler bounded.

use super::super::cursor::{Cursor, Endian, Malformed};
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
            Op::Skip(lengths) => {
                let [l0, l1, l2, l3, l4, l5, l6, l7] = *lengths;
                let length = match cursor.position() % 8 {
                    0 => l0,
                    1 => l1,
                    2 => l2,
                    3 => l3,
                    4 => l4,
                    5 => l5,
                    6 => l6,
                    _ => l7,
                };
                cursor.take(u64::from(length))?;
            }
            Op::Scalar { size, slot } => {
                cursor.align(*size);
                let offset = cursor.offset();
                cursor.take(u64::from(*size))?;
                found.push(*slot, Hit { offset, len: 1 })?;
            }
            Op::Numbers(numbers) => walk_numbers(numbers, cursor, found)?,
            Op::Texts(texts) => walk_texts(texts, cursor, found)?,
            Op::Repeat(repeat) => walk_repeat(repeat, cursor, found)?,
        }
    }
    Ok(())
}

fn count_of(count: Count, least: u64, cursor: &mut Cursor<'_>) -> Result<u32, Malformed> {
    match count {
        Count::Fixed(count) => Ok(count),
        Count::Counted { bound } => cursor.take_count(bound, least),
    }
}

fn walk_numbers(
    numbers: &Numbers,
    cursor: &mut Cursor<'_>,
    found: &mut Found,
) -> Result<(), Malformed> {
    let size = numbers.size;
    let count = count_of(numbers.count, u64::from(size), cursor)?;
    if count > 0 {
        // Alignment only before an element that exists.
        cursor.align(size);
    }
    let offset = cursor.offset();
    let bytes = cursor.take(u64::from(count).saturating_mul(u64::from(size)))?;
    let bad = match &numbers.check {
        Check::Nothing => None,
        Check::Bools => bytes.iter().position(|byte| *byte > 1),
        Check::Floats => first_not_finite(bytes, size, cursor.endian()),
        Check::SomeFloats(stretches) => stretches.iter().find_map(|(from, to)| {
            let from = super::super::cursor::index(from.saturating_mul(size)).min(bytes.len());
            let to = super::super::cursor::index(to.saturating_mul(size)).min(bytes.len());
            let bad = first_not_finite(bytes.get(from..to)?, size, cursor.endian())?;
            Some(from.saturating_add(bad))
        }),
    };
    if let Some(bad) = bad {
        let at = u32::try_from(bad).unwrap_or(u32::MAX).saturating_add(offset);
        return Err(match numbers.check {
            Check::Bools => Malformed::BadBool { at },
            Check::Nothing | Check::Floats | Check::SomeFloats(_) => Malformed::NotFinite { at },
        });
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

/// Where in `bytes` the first float that is not finite starts. A float is not finite exactly if all
/// bits of its exponent are set.
fn first_not_finite(bytes: &[u8], size: u32, endian: Endian) -> Option<usize> {
    // Compared in memory order, so the mask is turned instead of every number.
    if size == 8 {
        let mask = in_memory_order_64(0x7FF0_0000_0000_0000, endian);
        let is_bad = |element: &[u8; 8]| u64::from_ne_bytes(*element) & mask == mask;
        first_bad(bytes, is_bad)
    } else {
        let mask = in_memory_order_32(0x7F80_0000, endian);
        let is_bad = |element: &[u8; 4]| u32::from_ne_bytes(*element) & mask == mask;
        first_bad(bytes, is_bad)
    }
}

/// All elements first without a branch, which the compiler turns into vector instructions; only a
/// bad message pays for the search.
fn first_bad<const N: usize>(bytes: &[u8], is_bad: impl Fn(&[u8; N]) -> bool) -> Option<usize> {
    let (elements, _) = bytes.as_chunks::<N>();
    let any = elements.iter().fold(false, |any, element| any | is_bad(element));
    if any { elements.iter().position(is_bad).map(|number| number.saturating_mul(N)) } else { None }
}

const fn in_memory_order_64(mask: u64, endian: Endian) -> u64 {
    match endian {
        Endian::Big => u64::from_ne_bytes(mask.to_be_bytes()),
        Endian::Little => u64::from_ne_bytes(mask.to_le_bytes()),
    }
}

const fn in_memory_order_32(mask: u32, endian: Endian) -> u32 {
    match endian {
        Endian::Big => u32::from_ne_bytes(mask.to_be_bytes()),
        Endian::Little => u32::from_ne_bytes(mask.to_le_bytes()),
    }
}

fn walk_texts(texts: &Texts, cursor: &mut Cursor<'_>, found: &mut Found) -> Result<(), Malformed> {
    let count = count_of(texts.count, 4, cursor)?;
    for number in 0..count {
        cursor.align(4);
        let start = cursor.offset();
        // The text starts after its length.
        let offset = start.saturating_add(4);
        let selected = || {
            texts.targets.iter().filter(move |target| (target.from..target.to).contains(&number))
        };
        let len = match texts.width {
            Width::Wide => cursor.take_wide_text(texts.bound)?.0,
            Width::Narrow => {
                let text = cursor.take_text(texts.bound)?;
                // C readers would see a shorter text than C++ readers.
                if selected().next().is_some() && text.contains(&0) {
                    return Err(Malformed::BadString { at: start });
                }
                u32::try_from(text.len()).unwrap_or(u32::MAX)
            }
        };
        for target in selected() {
            found.push(target.slot, Hit { offset, len })?;
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
        while next < to {
            walk(&stretch.program, cursor, found)?;
            next += 1;
        }
    }
    Ok(())
}
