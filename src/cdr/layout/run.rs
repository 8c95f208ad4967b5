//! Making a program short: neighbouring steps that can be one step become one.

use super::super::schema::{Arity, Field, Kind, MessageType};
use super::program::{Count, Op, Repeat};

/// Longest array of messages that is folded into one step at compile time.
const MAX_FOLD: u32 = 1 << 12;

/// Most places to look at in one step; more of them are a loop.
const MAX_ITEMS: usize = 64;

/// Appends a step, merged into the one before where that changes nothing but speed.
pub(super) fn push(program: &mut Vec<Op>, op: Op) {
    if let (Some(Op::Block(last)), Op::Block(next)) = (program.last_mut(), &op)
        && let Some(joined) = last.then(next)
    {
        *last = joined;
    } else {
        program.push(op);
    }
}

/// A loop, or the one block that it amounts to: an array of fixed size in which nothing is
/// selected.
pub(super) fn repeat(repeat: Repeat) -> Op {
    if let (Count::Fixed(count @ 1..=MAX_FOLD), [stretch]) = (repeat.count, &*repeat.stretches)
        && let [Op::Block(inner)] = &*stretch.program
        && !inner.has_hits()
    {
        let folded = (1..count).try_fold(inner.clone(), |block, _| {
            block.then(inner).filter(|block| block.items.len() <= MAX_ITEMS)
        });
        if let Some(folded) = folded {
            return Op::Block(folded);
        }
    }
    Op::Repeat(repeat)
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
