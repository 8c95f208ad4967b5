//! Which samples of one publisher were seen, so that each counts once.
//!
//! A kill input has three readers, and most writers reach two or three of them. The copies come in
//! any order between readers, and what one lost another may bring late. Publishers number their
//! samples; where the middleware does not tell, the publisher's own stamp stands for it.

/// How far back single samples are told apart: more than the readers keep (32).
const BACK: u64 = 64;

/// Whether a sample is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Newer than all before.
    Newer,
    /// Not seen yet, and a newer one was.
    Late,
    /// A copy.
    Known,
}

/// The numbers seen of one publisher.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    newest: Option<u64>,
    /// The 64 numbers before the newest, nearest first; of no meaning for stamps.
    before: u64,
}

impl Numbers {
    pub(super) const fn new() -> Self {
        Self { newest: None, before: 0 }
    }

    /// Notes a sample. `dense`: numbers count up by one; else they are stamps, of which an older one
    /// may be a copy or not, so that it counts as not seen.
    pub(super) fn note(&mut self, number: Option<u64>, dense: bool) -> News {
        let Some(number) = number else { return News::Newer };
        let Some(newest) = self.newest else {
            self.newest = Some(number);
            return News::Newer;
        };
        if number > newest {
            let by = number - newest;
            let shifted = if by >= BACK { 0 } else { self.before << by };
            self.before = shifted | if by <= BACK { 1 << (by - 1) } else { 0 };
            self.newest = Some(number);
            return News::Newer;
        }
        let back = newest - number;
        match (back, dense) {
            (0, _) => News::Known,
            (_, false) => News::Late,
            (1..=BACK, true) => {
                let bit = 1 << (back - 1);
                let known = self.before & bit != 0;
                self.before |= bit;
                if known { News::Known } else { News::Late }
            }
            (_, true) => News::Known,
        }
    }

    /// Counts anew from this one.
    pub(super) const fn restart(&mut self, number: Option<u64>) {
        *self = Self { newest: number, before: 0 };
    }

    /// Whether a sample is newer than all that were noted. One without a number is, while none was.
    pub(super) fn is_newer(&self, number: Option<u64>, heard: bool) -> bool {
        match (self.newest, number) {
            (Some(newest), Some(number)) => number > newest,
            (None, _) | (_, None) => !heard,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_copies_come_in_any_order_expect_each_number_once() {
        let mut numbers = Numbers::new();
        let mut note = |number| numbers.note(Some(number), true);
        assert_eq!([5, 5, 7, 6, 6, 7, 5].map(&mut note), {
            use News::{Known, Late, Newer};
            [Newer, Known, Newer, Late, Known, Known, Known]
        });
        // 64 back is told apart, further back is too old to be anything but a copy.
        assert_eq!(note(71), News::Newer);
        assert_eq!([note(7), note(8), note(8)], [News::Known, News::Late, News::Known]);
        assert_eq!(note(6), News::Known);
        assert_eq!([note(1_000), note(71), note(936), note(935)], {
            use News::{Known, Late, Newer};
            [Newer, Known, Late, Known]
        });
    }

    #[test]
    fn when_the_gap_is_exactly_what_is_told_apart_expect_the_last_newest_remembered() {
        let mut numbers = Numbers::new();
        numbers.note(Some(1), true);
        numbers.note(Some(65), true);
        assert_eq!(numbers.note(Some(1), true), News::Known, "64 back");
        numbers.note(Some(130), true);
        assert_eq!(numbers.note(Some(65), true), News::Known, "65 back, forgotten and too old");
        assert_eq!(numbers.note(Some(66), true), News::Late, "64 back, never seen");
    }

    #[test]
    fn when_there_are_only_stamps_expect_copies_of_the_newest_known_and_older_ones_late() {
        let mut numbers = Numbers::new();
        assert_eq!(numbers.note(Some(1_000), false), News::Newer);
        assert_eq!(numbers.note(Some(2_000), false), News::Newer);
        assert_eq!(numbers.note(Some(2_000), false), News::Known);
        assert_eq!(numbers.note(Some(1_000), false), News::Late);
        assert_eq!(numbers.note(None, false), News::Newer, "nothing is known: each counts");
    }

    proptest::proptest! {
        /// Against a list of everything that was noted.
        #[test]
        fn any_order_of_numbers_is_judged_as_a_list_would(
            steps in proptest::collection::vec((0..3_u64, 0..80_u64), 1..200),
        ) {
            let (mut numbers, mut seen) = (Numbers::new(), Vec::new());
            let mut newest = 1_000;
            for (kind, step) in steps {
                // On by a little or a lot, the same again, back.
                let number = match kind {
                    0 => newest + step % 4,
                    1 => newest + step,
                    _ => newest - step,
                };
                let is_newer = seen.is_empty() || number > newest;
                proptest::prop_assert_eq!(numbers.is_newer(Some(number), !seen.is_empty()), is_newer);
                let known = seen.contains(&number) || (!is_newer && newest - number > BACK);
                let expected = match (is_newer, known) {
                    (true, _) => News::Newer,
                    (false, true) => News::Known,
                    (false, false) => News::Late,
                };
                proptest::prop_assert_eq!(numbers.note(Some(number), true), expected);
                newest = if is_newer { number } else { newest };
                seen.push(number);
            }
        }
    }
}
