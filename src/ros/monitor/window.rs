//! Largest gap and rate over the last ten seconds, without keeping every message.
//!
//! Ten seconds are ten pieces that rotate, so the window is between nine and ten seconds long. A gap
//! counts in the piece in which it ended.

use std::time::Duration;

use crate::gate::units::SteadyTime;

const PIECES: usize = 10;
const PIECE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    longest: Duration,
    count: u64,
}

/// The last ten seconds of one topic.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pieces: [Piece; PIECES],
    /// The piece that fills.
    at: usize,
    /// When it began.
    began: SteadyTime,
    /// When the first message ever came.
    first: Option<SteadyTime>,
    last: Option<SteadyTime>,
}

impl Window {
    pub(super) fn new(now: SteadyTime) -> Self {
        Self { pieces: [Piece::default(); PIECES], at: 0, began: now, first: None, last: None }
    }

    /// A message came; returns the time since the one before.
    pub(super) fn arrived(&mut self, at: SteadyTime) -> Option<Duration> {
        self.turn(at);
        let gap = self.last.map(|last| at.since(last));
        if self.last.is_none_or(|last| at > last) {
            self.last = Some(at);
        }
        self.first.get_or_insert(at);
        if let Some(piece) = self.pieces.get_mut(self.at) {
            piece.count = piece.count.saturating_add(1);
            piece.longest = piece.longest.max(gap.unwrap_or_default());
        }
        gap
    }

    /// Whether what came at this moment is the newest so far.
    pub(super) fn is_newest(&self, at: SteadyTime) -> bool {
        self.last.is_none_or(|last| at >= last)
    }

    /// Forgets the pieces that are over.
    pub(super) fn turn(&mut self, now: SteadyTime) {
        for _ in 0..PIECES {
            if now.since(self.began) < PIECE {
                return;
            }
            self.began = self.began.after(PIECE);
            self.at = (self.at + 1) % PIECES;
            if let Some(piece) = self.pieces.get_mut(self.at) {
                *piece = Piece::default();
            }
        }
        // Everything is over: no matter how long ago.
        self.began = now;
    }

    /// The newest message.
    pub(super) const fn last(&self) -> Option<SteadyTime> {
        self.last
    }

    /// The largest gap, the open one included; `None` before the first message.
    pub(super) fn longest(&self, now: SteadyTime) -> Option<Duration> {
        let open = now.since(self.last?);
        let longest = self.pieces.iter().map(|piece| piece.longest).max().unwrap_or_default();
        Some(longest.max(open))
    }

    /// Messages a second; `None` before the first message.
    pub(super) fn rate(&self, now: SteadyTime) -> Option<f64> {
        let whole = PIECE.saturating_mul(9).saturating_add(now.since(self.began));
        // A topic that is younger than the window is not slower for that.
        let span = now.since(self.first?).max(PIECE).min(whole);
        let count: u64 = self.pieces.iter().map(|piece| piece.count).sum();
        Some(f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(1_000_000_000 + ms * 1_000_000)
    }

    #[test]
    fn when_nothing_came_expect_nothing() {
        let mut window = Window::new(at(0));
        window.turn(at(60_000));
        assert_eq!((window.longest(at(60_000)), window.rate(at(60_000))), (None, None));
    }

    #[test]
    fn when_messages_come_expect_the_largest_gap_until_it_is_ten_seconds_old() {
        let mut window = Window::new(at(0));
        assert_eq!(window.arrived(at(0)), None);
        assert_eq!(window.arrived(at(100)), Some(Duration::from_millis(100)));
        assert_eq!(window.arrived(at(700)), Some(Duration::from_millis(600)));
        for ms in (800..9_900).step_by(100) {
            window.arrived(at(ms));
        }
        assert_eq!(window.longest(at(9_900)), Some(Duration::from_millis(600)));
        for ms in (9_900..11_000).step_by(100) {
            window.arrived(at(ms));
        }
        assert_eq!(window.longest(at(10_900)), Some(Duration::from_millis(100)));
        let rate = window.rate(at(11_000)).unwrap();
        assert!((9.0..=11.1).contains(&rate), "{rate}");
    }

    #[test]
    fn when_a_topic_falls_silent_expect_the_open_gap_and_a_rate_of_zero() {
        let mut window = Window::new(at(0));
        window.arrived(at(0));
        window.arrived(at(10));
        window.turn(at(65_010));
        assert_eq!(window.longest(at(65_010)), Some(Duration::from_secs(65)));
        assert_eq!(window.rate(at(65_010)), Some(0.0));
        // The gap has ended: it is the largest of the window for ten seconds.
        assert_eq!(window.arrived(at(65_010)), Some(Duration::from_secs(65)));
        window.arrived(at(65_020));
        assert_eq!(window.longest(at(65_020)), Some(Duration::from_secs(65)));
    }

    #[test]
    fn when_a_message_is_older_than_the_newest_expect_no_gap() {
        let mut window = Window::new(at(0));
        window.arrived(at(50));
        assert_eq!(window.arrived(at(40)), Some(Duration::ZERO));
        assert_eq!(window.last(), Some(at(50)));
    }
}
