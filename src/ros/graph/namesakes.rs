//! Other writers of an output whose node has this node's own name: a ghost, or another interlock.
//!
//! The last run's writer may be on the graph for a while after a crash. Nobody has to do anything about
//! it, so that is said; but only for as long as it can be true.

use crate::gate::publisher::Gid;

/// Looks at the graph for which such a writer may be a ghost: the middleware forgets who is silent for
/// 20 s, and there is a look a second, for a while a few more.
const GHOST_LOOKS: u32 = 60;

/// The writers of one output that have this node's name.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    /// Each with the looks in a row that found it.
    found: Vec<(Gid, u32)>,
}

impl Namesakes {
    /// Takes what one look at the graph found.
    pub(super) fn look(&mut self, writers: impl Iterator<Item = Gid>) {
        let found = writers.map(|gid| (gid, self.looks(gid).saturating_add(1)));
        self.found = found.collect();
    }

    fn looks(&self, gid: Gid) -> u32 {
        self.found.iter().find(|(known, _)| *known == gid).map_or(0, |(_, looks)| *looks)
    }

    /// What there is to say of one of them.
    pub(super) fn describe(&self, gid: Gid) -> &'static str {
        if self.looks(gid) <= GHOST_LOOKS {
            "a ghost of this node's last run: gone in about 20 s"
        } else {
            "no ghost, it stays: another interlock of this node's name, on another machine or with \
             another state directory"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_namesake_stays_expect_the_promise_that_it_goes_to_end() {
        let mut namesakes = Namesakes::default();
        let (ghost, other) = ([1; 16], [2; 16]);
        for look in 1..=GHOST_LOOKS {
            namesakes.look([ghost].into_iter());
            assert!(namesakes.describe(ghost).contains("gone in about 20 s"), "{look}");
        }
        namesakes.look([other, ghost].into_iter());
        assert!(namesakes.describe(ghost).contains("another interlock"));
        // Each is counted for itself, and anew when it was away.
        assert!(namesakes.describe(other).contains("gone in about 20 s"));
        namesakes.look([other].into_iter());
        namesakes.look([other, ghost].into_iter());
        assert!(namesakes.describe(ghost).contains("gone in about 20 s"));
    }
}
