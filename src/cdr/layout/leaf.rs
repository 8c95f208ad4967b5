//! Compiling one field without fields of its own, and the paths that are alive there.

use super::super::cursor::index;
use super::super::path::{Index, Step};
use super::super::schema::{Arity, Primitive};
use super::block::Block;
use super::program::{Check, Count, IfAbsent, Numbers, Op, Target, Texts, Width};
use super::ranges::{Ranges, complement, cover, overlap};
use super::{FiniteRule, LayoutProblem};

/// A path that is alive at some place, and what it is for.
#[derive(Clone, Copy)]
pub(super) struct Thread<'path> {
    pub(super) steps: &'path [Step],
    pub(super) purpose: Purpose,
}

#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Note where it is.
    Slot { slot: u32, finite: FiniteRule },
    /// Covered by a selection that notes another field (the nanoseconds of a stamp).
    Cover,
    /// Need not be finite.
    Allow,
}

/// A thread with its first step taken off, and the elements which that step takes.
pub(super) struct Taken<'path> {
    pub(super) index: Index,
    pub(super) rest: Thread<'path>,
}

pub(super) fn take_step<'path>(thread: Thread<'path>, name: &str) -> Option<Taken<'path>> {
    let (first, rest) = thread.steps.split_first()?;
    (first.name == name)
        .then_some(Taken { index: first.index, rest: Thread { steps: rest, ..thread } })
}

/// A path that allowed this message and everything under it.
pub(super) fn ends_in_allow(thread: &Thread<'_>) -> bool {
    match thread.purpose {
        Purpose::Allow => thread.steps.is_empty(),
        Purpose::Slot { .. } | Purpose::Cover => false,
    }
}

pub(super) fn count_of(arity: Arity) -> Result<Count, LayoutProblem> {
    match arity {
        Arity::One => Ok(Count::Fixed(1)),
        Arity::Array(count) => match u32::try_from(count) {
            Ok(0) | Err(_) => Err(LayoutProblem::BadArray(count)),
            Ok(count) => Ok(Count::Fixed(count)),
        },
        Arity::Sequence { bound } => Ok(Count::Counted { bound: bound_of(bound) }),
    }
}

/// A bound that 32 bits cannot hold bounds nothing: counts have 32 bits.
fn bound_of(bound: Option<usize>) -> u32 {
    bound.and_then(|bound| u32::try_from(bound).ok()).unwrap_or(u32::MAX)
}

/// One past the last index there can be; `u32::MAX`: no bound.
pub(super) const fn end_of(count: Count) -> u32 {
    match count {
        Count::Fixed(count) => count,
        Count::Counted { bound } => bound,
    }
}

/// First element taken and the end, excluded.
pub(super) const fn elements(index: Index) -> (u32, u32) {
    match index {
        Index::None | Index::All => (0, u32::MAX),
        Index::One(index) => (index, index.saturating_add(1)),
        Index::Range(from, to) => (from, to),
    }
}

fn targets(taken: &[Taken<'_>]) -> Box<[Target]> {
    taken
        .iter()
        .filter_map(|taken| {
            let (from, to) = elements(taken.index);
            let if_absent = match taken.index {
                Index::One(_) => IfAbsent::NoHit,
                Index::None | Index::All | Index::Range(..) => IfAbsent::EmptyHit,
            };
            match taken.rest.purpose {
                Purpose::Slot { slot, .. } => Some(Target { slot, from, to, if_absent }),
                Purpose::Cover | Purpose::Allow => None,
            }
        })
        .collect()
}

pub(super) fn texts(count: Count, bound: Option<usize>, width: Width, taken: &[Taken<'_>]) -> Op {
    Op::Texts(Texts { count, bound: bound_of(bound), width, targets: targets(taken) })
}

pub(super) fn numbers(
    primitive: Primitive,
    count: Count,
    taken: &[Taken<'_>],
    allowed: bool,
) -> Result<Op, LayoutProblem> {
    let check = match primitive {
        Primitive::Bool => Check::Bools,
        Primitive::F32 | Primitive::F64 => float_check(end_of(count), taken, allowed),
        Primitive::Octet
        | Primitive::Char
        | Primitive::WChar
        | Primitive::I8
        | Primitive::U8
        | Primitive::I16
        | Primitive::U16
        | Primitive::I32
        | Primitive::U32
        | Primitive::I64
        | Primitive::U64 => Check::Nothing,
    };
    let (size, targets) = (primitive.size(), targets(taken));
    match count {
        Count::Fixed(count) => Block::of_numbers(count, size, &check, &targets)
            .map(Op::Block)
            .ok_or(LayoutProblem::BadArray(index(count))),
        Count::Counted { bound } => Ok(Op::Numbers(Numbers { bound, size, check, targets })),
    }
}

/// Which floats the walk checks: those selected with `Check`, and those that are neither selected
/// nor allowed not to be finite.
fn float_check(end: u32, taken: &[Taken<'_>], allowed: bool) -> Check {
    let ranges = |wanted: fn(Purpose) -> bool| -> Ranges {
        taken
            .iter()
            .filter(|taken| wanted(taken.rest.purpose))
            .map(|taken| elements(taken.index))
            .collect()
    };
    let checked =
        ranges(|purpose| matches!(purpose, Purpose::Slot { finite: FiniteRule::Check, .. }));
    let mut free = ranges(|purpose| {
        matches!(purpose, Purpose::Allow | Purpose::Slot { finite: FiniteRule::Leave, .. })
    });
    if allowed {
        free.push((0, u32::MAX));
    }
    // Checked wins over free; what is neither is checked.
    let free = overlap(cover(free), complement(checked, u32::MAX));
    let stretches = complement(free, end);
    if stretches.is_empty() { Check::Nothing } else { Check::Floats(stretches.into()) }
}
