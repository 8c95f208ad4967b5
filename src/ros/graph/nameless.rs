//! Readers that are on the graph before their node's name is.
//!
//! A reader is found as soon as it matches, and its node's name comes by another way, a moment later.
//! Until then nobody can tell whether it is the controller, which is fed meanwhile. So the graph is
//! looked at again soon, but not for ever: what is no ROS node never has a name.

/// Looks in a row for which a name is waited for: about two seconds.
const PATIENCE: u8 = 20;

/// Waits for names.
#[derive(Debug, Default)]
pub(super) struct Nameless {
    looks: u8,
}

impl Nameless {
    /// After a look at the graph that found so many readers without a name.
    pub(super) const fn looked(&mut self, found: usize) {
        self.looks = if found > 0 { self.looks.saturating_add(1) } else { 0 };
    }

    /// Somebody came or went: there may be a new one.
    pub(super) const fn moved(&mut self) {
        self.looks = 0;
    }

    /// Whether to look again soon.
    pub(super) const fn is_awaited(&self) -> bool {
        0 < self.looks && self.looks <= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_reader_has_no_name_expect_it_awaited_for_a_while_only() {
        let mut nameless = Nameless::default();
        assert!(!nameless.is_awaited());
        for _ in 0..PATIENCE {
            nameless.looked(1);
            assert!(nameless.is_awaited());
        }
        for _ in 0..300 {
            nameless.looked(1);
            assert!(!nameless.is_awaited());
        }
        // The next one that comes is waited for again, and the name ends it.
        nameless.moved();
        nameless.looked(1);
        assert!(nameless.is_awaited());
        nameless.looked(0);
        assert!(!nameless.is_awaited());
    }
}
