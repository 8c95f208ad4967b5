//! Who is on a kill input's topic, as one look at the graph lists them.
//!
//! **Invariant:** a list speaks against a publisher only where it is whole: where in doubt, it is
//! there.

use crate::gate::publisher::Gid;

/// How many publishers of one input are listed. More are a mistake, and then nobody is missed.
const LISTED: usize = 16;

/// The publishers of one kill input's topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    gids: [Option<Gid>; LISTED],
    whole: bool,
    comparable: bool,
}

/// Whether the graph names publishers by the identifiers that come with their messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifiers {
    /// It does.
    Same,
    /// Nobody knows: the identifier of one that was listed once is the same.
    Unknown,
}

impl Listed {
    /// All of these and nobody else.
    pub fn of(publishers: impl IntoIterator<Item = Gid>, identifiers: Identifiers) -> Self {
        let mut publishers = publishers.into_iter();
        let mut gids = [None; LISTED];
        for (place, gid) in gids.iter_mut().zip(&mut publishers) {
            *place = Some(gid);
        }
        Self {
            gids,
            whole: publishers.next().is_none(),
            comparable: identifiers == Identifiers::Same,
        }
    }

    /// Whether a publisher is on the list.
    pub(super) fn has(&self, publisher: Gid) -> bool {
        self.gids.contains(&Some(publisher))
    }

    /// Whether nobody is missing on the list.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether even one that was never listed would be, if it were there.
    pub(super) const fn is_comparable(&self) -> bool {
        self.comparable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_more_publish_than_are_listed_expect_the_list_not_whole() {
        let of = |count: u8| Listed::of((0..count).map(|gid| [gid; 16]), Identifiers::Same);
        assert!(of(0).is_whole() && of(16).is_whole() && !of(17).is_whole());
        assert!(of(16).has([15; 16]) && !of(16).has([16; 16]));
        // What was never written says nothing.
        assert!(!Listed::default().is_whole());
    }
}
