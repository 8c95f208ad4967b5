//! The facts of each output in one atomic word, the publishers a source may have, and those a kill input
//! has.
//!
//! **Invariant:** the gate thread reads them without waiting; a word or a table is always whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::gate::kill_input::Listed;
use crate::gate::publisher::Gid;

/// The facts of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// Matched readers of the output.
    pub subscribers: u32,
    /// Writers of the output that are neither ours nor expected, as of the last audit.
    pub foreign_publishers: u32,
    /// Readers with another type or quality of service, which get nothing.
    pub incompatible: u32,
    /// The named controller is among the readers and is the one that is meant; true where none is
    /// named and somebody reads.
    pub controller_reads: bool,
    /// Moves whenever a reader of the named controller is there that was not before.
    pub controller: u8,
    /// Moves with each audit, so that two of them can be told apart. 0 before the first look.
    pub audit: u8,
}

/// [`LaneFacts::controller`] counts this far: seven bits. A controller that restarts 128 times between
/// two ticks does not exist.
pub(super) const GENERATIONS: u8 = 128;

/// The facts of every lane.
#[derive(Debug, Default)]
pub struct GraphFacts {
    lanes: Box<[AtomicU64]>,
    paths: AtomicU64,
}

const COUNT_BITS: u32 = 16;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
const CONTROLLER: u64 = 1 << 48;
const GENERATION_AT: u32 = 49;
const GENERATION: u64 = 0x7f;
const AUDIT_AT: u32 = 56;

fn pack(facts: LaneFacts) -> u64 {
    let count = |count: u32| u64::from(count).min(COUNT);
    let reads = if facts.controller_reads { CONTROLLER } else { 0 };
    count(facts.subscribers)
        | count(facts.foreign_publishers) << COUNT_BITS
        | count(facts.incompatible) << (2 * COUNT_BITS)
        | reads
        | (u64::from(facts.controller) & GENERATION) << GENERATION_AT
        | u64::from(facts.audit) << AUDIT_AT
}

fn unpack(word: u64) -> LaneFacts {
    let count = |at: u32| u32::try_from((word >> (at * COUNT_BITS)) & COUNT).unwrap_or(u32::MAX);
    LaneFacts {
        subscribers: count(0),
        foreign_publishers: count(1),
        incompatible: count(2),
        controller_reads: word & CONTROLLER != 0,
        controller: u8::try_from((word >> GENERATION_AT) & GENERATION).unwrap_or(0),
        audit: u8::try_from(word >> AUDIT_AT).unwrap_or(u8::MAX),
    }
}

impl GraphFacts {
    /// Nobody reads anything yet.
    #[must_use]
    pub fn new(lanes: usize) -> Arc<Self> {
        let lanes = (0..lanes).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { lanes, paths: AtomicU64::new(0) })
    }

    /// The lanes' facts in order; `None` before the first look.
    ///
    /// # Ordering
    /// Relaxed, like the store: one word a lane, nothing else depends on it.
    pub fn lanes(&self) -> impl Iterator<Item = Option<LaneFacts>> + '_ {
        self.lanes.iter().map(|word| {
            let facts = unpack(word.load(Ordering::Relaxed));
            (facts.audit != 0).then_some(facts)
        })
    }

    /// Which of the other paths are in use, one bit each.
    ///
    /// # Ordering
    /// Relaxed, as for the lanes.
    #[must_use]
    pub fn paths(&self) -> u64 {
        self.paths.load(Ordering::Relaxed)
    }

    pub(super) fn set_paths(&self, paths: u64) {
        self.paths.store(paths, Ordering::Relaxed);
    }

    pub(super) fn set(&self, lane: usize, facts: LaneFacts) {
        if let Some(word) = self.lanes.get(lane) {
            word.store(pack(facts), Ordering::Relaxed);
        }
    }
}

/// Publishers of one source that are remembered as allowed: more nodes on one command topic are a
/// mistake, and the rest of them is refused.
const ALLOWED: usize = 16;

/// The publishers of one source whose nodes may publish there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    gids: [Option<Gid>; ALLOWED],
}

impl Allowed {
    /// Only these.
    pub fn of(gids: impl IntoIterator<Item = Gid>) -> Self {
        let mut allowed = Self::default();
        for (place, gid) in allowed.gids.iter_mut().zip(gids) {
            *place = Some(gid);
        }
        allowed
    }

    /// Whether a publisher is among them. One that the middleware does not name is not.
    #[must_use]
    pub fn contains(&self, publisher: Option<Gid>) -> bool {
        publisher.is_some_and(|gid| self.gids.contains(&Some(gid)))
    }
}

/// The audit's side of one source's table.
pub type AllowedInput = triple_buffer::Input<Allowed>;
/// The gate thread's side.
pub type AllowedOutput = triple_buffer::Output<Allowed>;

/// A table that nobody is in.
#[must_use]
pub fn allowed_table() -> (AllowedInput, AllowedOutput) {
    triple_buffer::TripleBuffer::new(&Allowed::default()).split()
}

/// The audit's side of one kill input's list.
pub type ListedInput = triple_buffer::Input<Listed>;
/// The gate thread's side.
pub type ListedOutput = triple_buffer::Output<Listed>;

/// A list of nobody, which says nothing.
#[must_use]
pub fn listed_table() -> (ListedInput, ListedOutput) {
    triple_buffer::TripleBuffer::new(&Listed::default()).split()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_facts_are_set_expect_them_read_back() {
        let facts = GraphFacts::new(2);
        let some = LaneFacts {
            subscribers: 3,
            foreign_publishers: 2,
            incompatible: 1,
            controller_reads: true,
            controller: 5,
            audit: 7,
        };
        facts.set(1, some);
        facts.set(9, some);
        assert_eq!(facts.lanes().collect::<Vec<_>>(), [None, Some(some)]);
        let many = LaneFacts { foreign_publishers: u32::MAX, ..some };
        assert_eq!(unpack(pack(many)).foreign_publishers, 65_535);
        assert_eq!(unpack(pack(many)).subscribers, 3);
    }

    #[test]
    fn when_nobody_was_allowed_yet_expect_nobody_allowed() {
        let allowed = Allowed::of([[1; 16], [2; 16]]);
        assert!(allowed.contains(Some([2; 16])));
        assert!(!allowed.contains(Some([3; 16])));
        assert!(!allowed.contains(None));
        assert!(!Allowed::default().contains(Some([0; 16])));
    }
}
