//! What is remembered of each publisher of a topic: its count, for losses and replays, and its last
//! stamp.
//!
//! **Invariant:** bounded: of more publishers than [`MOST`] the one silent for longest is forgotten,
//! and its next message starts anew, without a loss.

use std::time::Duration;

use crate::gate::units::SteadyTime;

/// More publishers on one topic are remembered no longer.
const MOST: usize = 64;
/// A transient-local writer replays within this time of the first message.
const REPLAY: Duration = Duration::from_secs(2);

/// A publisher's identifier.
type Gid = [u8; 16];

#[derive(Clone, Debug)]
struct Remembered {
    gid: Gid,
    number: Option<u64>,
    stamp: Option<i64>,
    /// Since when, on this subscription.
    since: SteadyTime,
    heard: SteadyTime,
    /// The next number begins a new count: we did not listen in between.
    is_gap_ours: bool,
}

/// What a message is, by its publisher's own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The next one, after this many that did not come; `None`: not numbered.
    New {
        /// Messages between this one and the one before.
        lost: Option<u64>,
    },
    /// Was counted before: replayed to a new subscription.
    Again,
}

/// The publishers of one topic.
#[derive(Clone, Debug, Default)]
pub(super) struct Publishers(Vec<Remembered>);

impl Publishers {
    /// A new subscription: what was sent in between was not lost, and some comes again.
    pub(super) fn listen_anew(&mut self) {
        for one in &mut self.0 {
            one.is_gap_ours = true;
        }
    }

    /// A message with this number, if it is numbered.
    pub(super) fn count(&mut self, gid: Gid, number: Option<u64>, at: SteadyTime) -> Counted {
        let one = self.of(gid, at);
        if one.is_gap_ours {
            one.since = at;
        }
        let (Some(number), before) = (number, one.number) else {
            one.is_gap_ours = false;
            return Counted::New { lost: None };
        };
        let Some(before) = before else {
            one.number = Some(number);
            one.is_gap_ours = false;
            return Counted::New { lost: Some(0) };
        };
        if number <= before {
            return Counted::Again;
        }
        let lost =
            if one.is_gap_ours { 0 } else { number.saturating_sub(before.saturating_add(1)) };
        one.number = Some(number);
        one.is_gap_ours = false;
        Counted::New { lost: Some(lost) }
    }

    /// Whether a transient-local writer may still be sending what it sent before we listened.
    pub(super) fn may_replay(&self, gid: Gid, at: SteadyTime) -> bool {
        let one = self.0.iter().find(|one| one.gid == gid);
        one.is_none_or(|one| at.since(one.since) < REPLAY)
    }

    /// Notes a stamp; returns whether it is before that of the same publisher's last message.
    pub(super) fn is_backwards(&mut self, gid: Gid, stamp: i64, at: SteadyTime) -> bool {
        let before = self.of(gid, at).stamp.replace(stamp);
        before.is_some_and(|before| stamp < before)
    }

    fn of(&mut self, gid: Gid, at: SteadyTime) -> &mut Remembered {
        let known = self.0.iter().position(|one| one.gid == gid);
        let place = known.unwrap_or_else(|| {
            if self.0.len() >= MOST {
                let oldest = self.0.iter().enumerate().min_by_key(|(_, one)| one.heard);
                let place = oldest.map_or(0, |(place, _)| place);
                self.0.swap_remove(place);
            }
            self.0.push(Remembered {
                gid,
                number: None,
                stamp: None,
                since: at,
                heard: at,
                is_gap_ours: false,
            });
            self.0.len().saturating_sub(1)
        });
        #[expect(clippy::indexing_slicing, reason = "found, or pushed above")]
        let one = &mut self.0[place];
        one.heard = at;
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Gid = [1; 16];
    const B: Gid = [2; 16];

    fn at(s: u64) -> SteadyTime {
        SteadyTime::from_nanos(s * 1_000_000_000)
    }

    fn new(lost: u64) -> Counted {
        Counted::New { lost: Some(lost) }
    }

    #[test]
    fn when_numbers_have_gaps_expect_them_lost_for_each_publisher_alone() {
        let mut all = Publishers::default();
        // Joined in the middle of a stream: nothing before was ours to lose.
        assert_eq!(all.count(A, Some(40), at(1)), new(0));
        assert_eq!(all.count(B, Some(1), at(1)), new(0));
        assert_eq!(all.count(A, Some(41), at(1)), new(0));
        assert_eq!(all.count(A, Some(45), at(1)), new(3));
        assert_eq!(all.count(B, Some(2), at(1)), new(0));
    }

    #[test]
    fn when_the_middleware_gives_no_numbers_expect_no_loss_at_all() {
        let mut all = Publishers::default();
        assert_eq!(all.count(A, None, at(1)), Counted::New { lost: None });
        assert_eq!(all.count(A, None, at(1)), Counted::New { lost: None });
    }

    #[test]
    fn when_subscribed_anew_expect_replays_not_counted_and_the_pause_not_lost() {
        let mut all = Publishers::default();
        assert_eq!(all.count(A, Some(5), at(1)), new(0));
        all.listen_anew();
        assert_eq!(all.count(A, Some(4), at(2)), Counted::Again);
        assert_eq!(all.count(A, Some(5), at(2)), Counted::Again);
        assert_eq!(all.count(A, Some(9), at(2)), new(0), "sent while nobody listened");
        assert_eq!(all.count(A, Some(12), at(2)), new(2));
    }

    #[test]
    fn when_a_publisher_was_just_met_expect_that_it_may_replay() {
        let mut all = Publishers::default();
        assert!(all.may_replay(A, at(1)));
        all.count(A, Some(1), at(1));
        assert!(all.may_replay(A, at(2)));
        assert!(!all.may_replay(A, at(3)));
        all.listen_anew();
        all.count(A, Some(1), at(10));
        assert!(all.may_replay(A, at(11)));
    }

    #[test]
    fn when_a_stamp_goes_back_expect_it_for_its_own_publisher_only() {
        let mut all = Publishers::default();
        assert!(!all.is_backwards(A, 100, at(1)));
        assert!(!all.is_backwards(B, 50, at(1)));
        assert!(!all.is_backwards(A, 100, at(1)));
        assert!(all.is_backwards(A, 99, at(1)));
    }

    #[test]
    fn when_there_are_too_many_publishers_expect_the_silent_one_forgotten() {
        let mut all = Publishers::default();
        for gid in 0..=64_u8 {
            all.count([gid; 16], Some(1), at(u64::from(gid)));
        }
        assert_eq!(all.0.len(), MOST);
        assert_eq!(all.count([0; 16], Some(9), at(99)), new(0), "met anew, nothing lost");
        assert_eq!(all.count([64; 16], Some(3), at(99)), new(1), "still known");
    }
}
