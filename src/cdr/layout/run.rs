//! Making a program short: neighbouring steps that can be one step become one.

use super::super::schema::{Arity, Field, Kind, MessageType};
use super::program::{Check, Count, Numbers, Op, Repeat};

/// Longest array of messages that is folded into one step at compile time.
const MAX_FOLD: u32 = 1 << 16;

/// Appends a step, merged into the one before where that changes nothing but speed.
pub(super) fn push(program: &mut Vec<Op>, op: Op) {
    let op = simplify(op);
    let merged = program.last().and_then(|last| merge(last, &op));
    match (program.last_mut(), merged) {
        (Some(last), Some(merged)) => *last = merged,
        (Some(_) | None, None | Some(_)) => program.push(op),
    }
}

/// A loop, or the one step that it amounts to.
pub(super) fn repeat(repeat: Repeat) -> Vec<Op> {
    if let (Count::Fixed(count @ 1..=MAX_FOLD), [stretch]) = (repeat.count, &*repeat.stretches)
        && let [inner] = &*stretch.program
        && let Some(folded) = (1..count).try_fold(inner.clone(), |op, _| merge(&op, inner))
    {
        return vec![folded];
    }
    vec![Op::Repeat(repeat)]
}

fn simplify(op: Op) -> Op {
    let Op::Numbers(numbers) = &op else { return op };
    let (Count::Fixed(count), Check::Nothing) = (numbers.count, &numbers.check) else {
        return op;
    };
    match &*numbers.targets {
        [] => skip(count, numbers.size).unwrap_or(op),
        [target] if count == 1 => Op::Scalar { size: numbers.size, slot: target.slot },
        _ => op,
    }
}

/// Passing over `count` numbers of `size` bytes; `None` if that is more than 32 bits can say.
fn skip(count: u32, size: u32) -> Option<Op> {
    let bytes = count.checked_mul(size)?;
    let mut lengths = [0; 8];
    for (position, length) in (0_u32..).zip(&mut lengths) {
        let padding = position.next_multiple_of(size).checked_sub(position)?;
        *length = bytes.checked_add(padding)?;
    }
    Some(Op::Skip(lengths))
}

fn merge(first: &Op, second: &Op) -> Option<Op> {
    match (first, second) {
        (Op::Skip(first), Op::Skip(second)) => {
            let mut lengths = [0; 8];
            for (position, (length, first)) in (0_u32..).zip(lengths.iter_mut().zip(first)) {
                let then = usize::try_from(position.checked_add(*first)? % 8).ok()?;
                *length = first.checked_add(*second.get(then)?)?;
            }
            Some(Op::Skip(lengths))
        }
        (Op::Numbers(first), Op::Numbers(second)) => merge_numbers(first, second),
        (
            Op::Skip(_) | Op::Scalar { .. } | Op::Numbers(_) | Op::Texts(_) | Op::Repeat(_),
            Op::Skip(_) | Op::Scalar { .. } | Op::Numbers(_) | Op::Texts(_) | Op::Repeat(_),
        ) => None,
    }
}

/// Numbers of one size follow each other without padding, whatever messages they are in.
fn merge_numbers(first: &Numbers, second: &Numbers) -> Option<Op> {
    let (Count::Fixed(one), Count::Fixed(other)) = (first.count, second.count) else {
        return None;
    };
    let check = match (&first.check, &second.check) {
        (Check::Bools, Check::Bools) => Check::Bools,
        (Check::Floats, Check::Floats) => Check::Floats,
        (
            Check::Nothing | Check::Bools | Check::Floats | Check::SomeFloats(_),
            Check::Nothing | Check::Bools | Check::Floats | Check::SomeFloats(_),
        ) => return None,
    };
    if first.size != second.size || !first.targets.is_empty() || !second.targets.is_empty() {
        return None;
    }
    let count = Count::Fixed(one.checked_add(other)?);
    Some(Op::Numbers(Numbers { count, size: first.size, check, targets: Box::default() }))
}

/// Fewest bytes that a message can take, padding not counted.
pub(in crate::cdr) fn least_size(message: &MessageType) -> u64 {
    message.fields.iter().map(least_field_size).fold(0, u64::saturating_add)
}

fn least_field_size(field: &Field) -> u64 {
    let element = match &field.kind {
        Kind::Primitive(primitive) => u64::from(primitive.size()),
        Kind::String { .. } | Kind::WString { .. } => 4,
        Kind::Message(message) => least_size(message),
    };
    match field.arity {
        Arity::One => element,
        Arity::Array(count) => u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(element),
        Arity::Sequence { .. } => 4,
    }
}
