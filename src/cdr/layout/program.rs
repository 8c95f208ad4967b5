//! The instructions of a layout.
//!
//! A program is a list of operations in wire order. Fields of fixed size that follow each other,
//! whatever messages they are in, are one [`Op::Block`]: its length and the places in it are known
//! for each way it can be aligned, so that what nobody looks at costs nothing. Arrays of messages
//! are loops with one inner program for each stretch of elements that is selected differently.

use super::block::Block;

/// One step of the walk.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Fields of fixed size.
    Block(Block),
    /// A sequence of numbers.
    Numbers(Numbers),
    /// One or more texts.
    Texts(Texts),
    /// An array or sequence of messages.
    Repeat(Repeat),
}

/// How many elements follow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    /// Known from the type.
    Fixed(u32),
    /// Counted in the message, at most `bound`.
    Counted {
        /// `u32::MAX`: no bound.
        bound: u32,
    },
}

/// A sequence of numbers of one primitive type.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// Most elements allowed; `u32::MAX`: no bound.
    pub(super) bound: u32,
    pub(super) size: u32,
    pub(super) check: Check,
    pub(super) targets: Box<[Target]>,
}

/// What the values must satisfy.
#[derive(Clone, Debug)]
pub(super) enum Check {
    /// Anything.
    Nothing,
    /// 0 or 1.
    Bools,
    /// Finite in these stretches (first, end excluded).
    Floats(Box<[(u32, u32)]>),
}

/// Texts.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    pub(super) count: Count,
    /// Characters allowed in each; `u32::MAX`: no bound.
    pub(super) bound: u32,
    pub(super) width: Width,
    pub(super) targets: Box<[Target]>,
}

/// Bytes or 16-bit units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    Narrow,
    Wide,
}

/// A selection that takes elements of this array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) slot: u32,
    /// First element taken.
    pub(super) from: u32,
    /// End, excluded; `u32::MAX`: all.
    pub(super) to: u32,
    pub(super) if_absent: IfAbsent,
}

/// What a selection of numbers gives when the message has none of the elements it names.
#[derive(Clone, Copy, Debug)]
pub(super) enum IfAbsent {
    /// A hit of length 0: the array itself was found.
    EmptyHit,
    /// No hit: the one element was not found.
    NoHit,
}

/// A loop over an array of messages.
#[derive(Clone, Debug)]
pub(super) struct Repeat {
    pub(super) count: Count,
    /// Fewest bytes that an element can take, at least 1.
    pub(super) least: u64,
    /// Covers every index, in order.
    pub(super) stretches: Box<[Stretch]>,
}

/// Neighbouring elements with the same inner program.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Last element, excluded; `u32::MAX`: to the end.
    pub(super) to: u32,
    pub(super) program: Box<[Op]>,
}
