//! Who is sending: one publisher at a time for each source, and the fence of each publisher.

use std::time::Duration;

use super::units::{Moment, SteadyTime};

/// A middleware's identifier of a publisher.
pub type Gid = [u8; 16];

/// What came with a message, besides its bytes. What the middleware does not give is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// When it was taken.
    pub at: Moment,
    /// The publisher's own clock at publish, nanoseconds. Never compared with our clock for a
    /// decision.
    pub source_timestamp: Option<i64>,
    /// Counts up by one for each message of a publisher.
    pub sequence: Option<u64>,
    /// Who published it.
    pub publisher: Option<Gid>,
    /// From a reader that also gets what was published before it was there, so that it may be old.
    /// Only kill inputs have one.
    pub replayed: bool,
}

/// How many publishers of one source are remembered. One more forgets the one silent longest.
const REMEMBERED: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Seen {
    publisher: Option<Gid>,
    at: SteadyTime,
    /// Of the last message seen before the arm.
    fence: Mark,
    /// Of the last message.
    newest: Mark,
}

/// What says which of two messages of a publisher is older: its number, or else the publisher's clock,
/// which may be set back.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    sequence: Option<u64>,
    stamp: Option<i64>,
}

impl Mark {
    /// What the middleware did not give stays as it was.
    fn of(receipt: &Receipt, before: Self) -> Self {
        Self {
            sequence: receipt.sequence.or(before.sequence),
            stamp: receipt.source_timestamp.or(before.stamp),
        }
    }

    /// Whether a message is this one, or older.
    fn is_at_or_after(self, receipt: &Receipt) -> bool {
        match (self.sequence, receipt.sequence) {
            (Some(fence), Some(sequence)) => sequence <= fence,
            (None, _) | (_, None) => match (self.stamp, receipt.source_timestamp) {
                (Some(fence), Some(stamp)) => stamp <= fence,
                (None, _) | (_, None) => false,
            },
        }
    }
}

/// Whether a message may count, as far as its publisher and time go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// From the publisher in charge, and new.
    InCharge,
    /// Another publisher is in charge of this source and has not been silent long enough.
    OtherPublisher,
    /// Not newer than what this publisher had sent before the arm.
    Fenced,
    /// Sent before a message already taken from this publisher.
    OutOfOrder,
}

/// The publishers of one source.
#[derive(Clone, Debug)]
pub struct Publishers {
    seen: [Option<Seen>; REMEMBERED],
    in_charge: Option<(Option<Gid>, SteadyTime)>,
    /// How long the one in charge must be silent before another may follow.
    silence: Duration,
}

/// What [`Publishers::observe`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Whether the message may count.
    pub standing: Standing,
    /// Messages of this publisher that were overwritten since the last one taken.
    pub lost: u64,
}

impl Publishers {
    /// Nobody seen yet.
    #[must_use]
    pub const fn new(silence: Duration) -> Self {
        Self { seen: [None; REMEMBERED], in_charge: None, silence }
    }

    /// Notes a message. While `permitted` is false every message moves the fence of its publisher;
    /// while it is true a message at or behind the fence is [`Standing::Fenced`].
    pub fn observe(&mut self, receipt: &Receipt, permitted: bool) -> Observed {
        let now = receipt.at.steady;
        let mut entry = self.recall(receipt.publisher, now);
        entry.at = now;
        let (lost, in_order) = match (entry.newest.sequence, receipt.sequence) {
            (Some(last), Some(new)) if new > last => (new - last - 1, true),
            (Some(_), Some(_)) => (0, false),
            (None, _) | (_, None) => (0, true),
        };
        let fenced = permitted && entry.fence.is_at_or_after(receipt);
        if in_order && !fenced {
            entry.newest = Mark::of(receipt, entry.newest);
        }
        if !permitted {
            entry.fence = entry.newest;
        }
        self.remember(entry);
        let follows = match self.in_charge {
            Some((publisher, last)) => {
                publisher == receipt.publisher || now.since(last) > self.silence
            }
            None => true,
        };
        let standing = if fenced {
            Standing::Fenced
        } else if !in_order {
            Standing::OutOfOrder
        } else if !follows {
            Standing::OtherPublisher
        } else {
            self.in_charge = Some((receipt.publisher, now));
            Standing::InCharge
        };
        Observed { standing, lost }
    }

    /// An arm: everything seen until now is from before it.
    pub fn fence(&mut self) {
        for seen in self.seen.iter_mut().flatten() {
            seen.fence = seen.newest;
        }
    }

    fn recall(&self, publisher: Option<Gid>, now: SteadyTime) -> Seen {
        let known = self.seen.iter().flatten().find(|seen| seen.publisher == publisher);
        known.copied().unwrap_or(Seen {
            publisher,
            at: now,
            fence: Mark::default(),
            newest: Mark::default(),
        })
    }

    /// Writes a record back: to its own place, a free one, or that of the one silent longest.
    fn remember(&mut self, record: Seen) {
        let rank = |slot: &Option<Seen>| match slot {
            Some(seen) if seen.publisher == record.publisher => (0, SteadyTime::default()),
            None => (1, SteadyTime::default()),
            Some(seen) => (2, seen.at),
        };
        if let Some(slot) = self.seen.iter_mut().min_by_key(|slot| rank(slot)) {
            *slot = Some(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_millis(500);

    fn receipt(publisher: u8, sequence: u64, stamp: i64, at_ms: u64) -> Receipt {
        let steady = SteadyTime::from_nanos(at_ms * 1_000_000);
        Receipt {
            at: Moment { steady, ..Moment::default() },
            source_timestamp: Some(stamp),
            sequence: Some(sequence),
            publisher: Some([publisher; 16]),
            replayed: false,
        }
    }

    fn unnumbered(stamp: i64, at_ms: u64) -> Receipt {
        Receipt { sequence: None, ..receipt(1, 0, stamp, at_ms) }
    }

    #[test]
    fn when_sequence_numbers_skip_expect_the_gap_as_lost() {
        let mut publishers = Publishers::new(SILENCE);
        assert_eq!(publishers.observe(&receipt(1, 10, 0, 0), true).lost, 0);
        assert_eq!(publishers.observe(&receipt(1, 14, 1, 1), true).lost, 3);
    }

    #[test]
    fn when_a_second_publisher_sends_expect_it_refused_until_the_first_is_silent() {
        let mut publishers = Publishers::new(SILENCE);
        let mut standing =
            |publisher, n, ms| publishers.observe(&receipt(publisher, n, 0, ms), true).standing;
        assert_eq!(standing(1, 1, 0), Standing::InCharge);
        assert_eq!(standing(2, 1, 1), Standing::OtherPublisher);
        assert_eq!(standing(1, 2, 400), Standing::InCharge);
        assert_eq!(standing(2, 2, 900), Standing::OtherPublisher);
        assert_eq!(standing(2, 3, 901), Standing::InCharge);
        assert_eq!(standing(1, 3, 902), Standing::OtherPublisher);
    }

    #[test]
    fn when_sent_before_the_arm_expect_fenced_by_the_publishers_own_clock() {
        let mut publishers = Publishers::new(SILENCE);
        publishers.observe(&unnumbered(5_000, 0), false);
        assert_eq!(publishers.observe(&unnumbered(5_000, 1), true).standing, Standing::Fenced);
        assert_eq!(publishers.observe(&unnumbered(5_001, 2), true).standing, Standing::InCharge);
        // Another publisher's clock is an hour behind: its commands are fresh all the same.
        let mut publishers = Publishers::new(SILENCE);
        publishers.observe(&receipt(1, 1, 5_000, 0), false);
        assert_eq!(
            publishers.observe(&receipt(2, 1, -3_600, 600), true).standing,
            Standing::InCharge
        );
    }

    #[test]
    fn when_armed_again_expect_what_was_sent_while_active_fenced_too() {
        let mut publishers = Publishers::new(SILENCE);
        let mut standing = |receipt: &Receipt, fence: bool| {
            if fence {
                publishers.fence();
            }
            publishers.observe(receipt, true).standing
        };
        assert_eq!(standing(&unnumbered(5_000, 0), false), Standing::InCharge);
        assert_eq!(standing(&unnumbered(5_000, 1), true), Standing::Fenced);
        assert_eq!(standing(&unnumbered(5_001, 2), false), Standing::InCharge);
    }

    /// The publisher's clock was an hour ahead and was set right.
    #[test]
    fn when_the_publishers_clock_is_set_back_expect_what_came_after_to_count() {
        let mut numbered = Publishers::new(SILENCE);
        numbered.observe(&receipt(1, 7, 9_000, 0), false);
        numbered.fence();
        for (sequence, standing) in
            [(6, Standing::Fenced), (7, Standing::Fenced), (8, Standing::InCharge)]
        {
            let observed = numbered.observe(&receipt(1, sequence, 100, 1), true);
            assert_eq!(observed.standing, standing, "{sequence}");
        }
        let mut publishers = Publishers::new(SILENCE);
        publishers.observe(&unnumbered(9_000, 0), false);
        // Seen while disarmed, after the step: the fence goes with the clock.
        publishers.observe(&unnumbered(100, 1), false);
        publishers.fence();
        for (stamp, standing) in
            [(99, Standing::Fenced), (100, Standing::Fenced), (101, Standing::InCharge)]
        {
            assert_eq!(
                publishers.observe(&unnumbered(stamp, 2), true).standing,
                standing,
                "{stamp}"
            );
        }
    }

    #[test]
    fn when_nothing_is_known_of_a_message_expect_it_to_count() {
        let mut publishers = Publishers::new(SILENCE);
        for _ in 0..3 {
            let observed = publishers.observe(&Receipt::default(), true);
            assert_eq!(observed, Observed { standing: Standing::InCharge, lost: 0 });
        }
    }

    #[test]
    fn when_more_publishers_come_than_are_remembered_expect_the_oldest_forgotten() {
        let mut publishers = Publishers::new(SILENCE);
        for publisher in 0..20 {
            publishers.observe(&receipt(publisher, 1, 100, u64::from(publisher)), false);
        }
        for publisher in [19, 18] {
            let observed = publishers.observe(&receipt(publisher, 1, 100, 600), true);
            assert_eq!(observed.standing, Standing::Fenced, "{publisher} is remembered");
        }
    }

    #[test]
    fn when_an_older_message_comes_late_expect_out_of_order() {
        let mut publishers = Publishers::new(SILENCE);
        publishers.observe(&receipt(1, 5, 1, 0), true);
        // The same once more is no news either, and nothing was lost before it.
        for sequence in [4, 5] {
            let observed = publishers.observe(&receipt(1, sequence, 2, 1), true);
            assert_eq!(observed, Observed { standing: Standing::OutOfOrder, lost: 0 });
        }
    }
}
