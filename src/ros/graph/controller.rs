//! Which readers of an output are its controller's, and which of them is another one than before.
//!
//! A controller that was killed leaves its reader on the graph for about 20 s, under the name that
//! its next life has too, and nothing in a list of readers tells which of the two lives. So all of
//! that name are remembered, and any that was not there before counts as another controller.
//!
//! **Invariant:** a reader that is new on the graph neither takes the place of one that was there
//! unnoticed, nor hides behind it.

use super::facts::GENERATIONS;
use crate::gate::publisher::Gid;

/// A reader of an output whose node has the controller's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    /// Full name of its node.
    pub(super) node: String,
    /// By the middleware.
    pub(super) gid: Gid,
}

/// The readers of one lane's controller.
#[derive(Debug, Default)]
pub(super) struct ControllerReaders {
    /// As of the last audit that found any: one that goes and comes back is the same one.
    known: Vec<Reader>,
    /// The one that came last: the one to ask.
    newest: Option<Gid>,
    /// Those whose node was asked and fits, each asked since it came.
    fitting: Vec<Gid>,
    generation: u8,
}

impl ControllerReaders {
    /// Takes what an audit found. Returns the reader to ask whether it is the one that is meant.
    pub(super) fn look(&mut self, found: Vec<Reader>) -> Option<Reader> {
        if found.is_empty() {
            return None;
        }
        let is_there = |gid| found.iter().any(|one| Some(one.gid) == gid);
        if let Some(fresh) = found.iter().rev().find(|one| !self.known.contains(one)) {
            self.newest = Some(fresh.gid);
            self.generation = (self.generation + 1) % GENERATIONS;
        } else if !is_there(self.newest) {
            self.newest = found.last().map(|one| one.gid);
        }
        self.known = found;
        self.known.iter().find(|one| Some(one.gid) == self.newest).cloned()
    }

    /// Notes the answer of the node that was asked for a reader. It is that node's, whichever of its
    /// readers it is: all of them were there when it was asked.
    pub(super) fn set_fits(&mut self, reader: Gid, fits: bool) {
        self.fitting.clear();
        if let Some(asked) = self.known.iter().find(|one| fits && one.gid == reader) {
            let same = self.known.iter().filter(|one| one.node == asked.node);
            self.fitting.extend(same.map(|one| one.gid));
        }
    }

    /// Whether a reader is of a node that fits.
    pub(super) fn fits(&self, reader: Gid) -> bool {
        self.fitting.contains(&reader)
    }

    /// Moves with each reader that was not there before.
    pub(super) const fn generation(&self) -> u8 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(gid: u8) -> Reader {
        Reader { node: "/arms".to_owned(), gid: [gid; 16] }
    }

    /// What one audit makes of these readers: the one to ask, whether it fits already, and whether
    /// another controller is there.
    fn audit(readers: &mut ControllerReaders, gids: &[u8]) -> (Option<u8>, bool, bool) {
        let before = readers.generation();
        let asked = readers.look(gids.iter().copied().map(reader).collect());
        let fits = asked.as_ref().is_some_and(|one| readers.fits(one.gid));
        (asked.map(|one| one.gid[0]), fits, readers.generation() != before)
    }

    /// A lane whose controller `gid` was asked and fits.
    fn fitting(gid: u8) -> ControllerReaders {
        let mut readers = ControllerReaders::default();
        assert_eq!(audit(&mut readers, &[gid]), (Some(gid), false, true));
        readers.set_fits([gid; 16], true);
        assert_eq!(audit(&mut readers, &[gid]), (Some(gid), true, false));
        readers
    }

    #[test]
    fn hazard_54_controller_restarts_beside_its_own_ghost_in_either_order() {
        for (ghost, next) in [(1, 2), (2, 1)] {
            let mut readers = fitting(ghost);
            let both = [1, 2];
            // Another one, and not yet known to be the one that is meant.
            assert_eq!(audit(&mut readers, &both), (Some(next), false, true), "{ghost}");
            assert_eq!(audit(&mut readers, &both), (Some(next), false, false), "{ghost}");
            readers.set_fits([next; 16], true);
            assert_eq!(audit(&mut readers, &both), (Some(next), true, false), "{ghost}");
            // The ghost goes: nothing has changed.
            assert_eq!(audit(&mut readers, &[next]), (Some(next), true, false), "{ghost}");
        }
    }

    #[test]
    fn when_the_ghost_was_there_at_the_start_expect_its_end_to_change_nothing() {
        for (ghost, lives) in [(1, 2), (2, 1)] {
            let mut readers = ControllerReaders::default();
            let (asked, ..) = audit(&mut readers, &[1, 2]);
            readers.set_fits([asked.unwrap(); 16], true);
            let (_, fits, is_another) = audit(&mut readers, &[lives]);
            assert!(fits && !is_another, "{ghost}");
        }
    }

    #[test]
    fn when_it_goes_and_comes_back_expect_the_same_one() {
        let mut readers = fitting(1);
        assert_eq!(audit(&mut readers, &[]), (None, false, false));
        assert_eq!(audit(&mut readers, &[1]), (Some(1), true, false));
        assert_eq!(audit(&mut readers, &[2]), (Some(2), false, true));
    }

    #[test]
    fn when_it_does_not_fit_expect_no_reader_to() {
        let mut readers = fitting(1);
        readers.set_fits([1; 16], false);
        assert_eq!(audit(&mut readers, &[1]), (Some(1), false, false));
        // An answer that comes for one that has gone says nothing of the others.
        readers.set_fits([9; 16], true);
        assert_eq!(audit(&mut readers, &[1]), (Some(1), false, false));
    }

    #[test]
    fn when_nodes_of_two_namespaces_have_the_name_expect_each_asked_for_itself() {
        let other = Reader { node: "/left/arms".to_owned(), gid: [2; 16] };
        let mut readers = fitting(1);
        let asked = readers.look(vec![reader(1), other.clone()]).unwrap();
        assert_eq!(asked, other);
        readers.set_fits(other.gid, true);
        assert!(readers.fits(other.gid) && !readers.fits([1; 16]));
    }
}
