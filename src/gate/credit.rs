//! The time a command may use for its change: a credit that grows with the steady clock.
//!
//! It is capped, so that a gap gives no catch-up, and what a command does not use is left for the
//! next, so that jitter does not distort a smooth stream. Sending faster grants nothing: over any
//! time W a stream moves at most `velocity · (W + CREDIT_PERIODS · period)`.

use super::units::{SteadyTime, at_least, at_most};

/// A gap grants no more time than this many nominal periods of the source.
pub const CREDIT_PERIODS: f64 = 1.5;

/// The time credit of one lane.
#[derive(Clone, Copy, Debug)]
pub struct TimeCredit {
    at: SteadyTime,
    left_s: f64,
}

impl TimeCredit {
    /// No credit yet.
    #[must_use]
    pub const fn new(now: SteadyTime) -> Self {
        Self { at: now, left_s: 0.0 }
    }

    /// Seconds that a command may use now, for a source whose nominal period is `period_s`.
    #[must_use]
    pub fn available(&self, now: SteadyTime, period_s: f64) -> f64 {
        at_most(self.left_s + now.since(self.at).as_secs_f64(), CREDIT_PERIODS * period_s)
    }

    /// A command was sent that used `used_s` of what was available.
    pub fn spend(&mut self, used_s: f64, now: SteadyTime, period_s: f64) {
        self.left_s = at_least(self.available(now, period_s) - used_s, 0.0);
        self.at = now;
    }

    /// Starts anew: nothing is left from before.
    pub const fn forfeit(&mut self, now: SteadyTime) {
        self.left_s = 0.0;
        self.at = now;
    }

    /// When it was last spent from or forfeited.
    #[must_use]
    pub const fn since(&self) -> SteadyTime {
        self.at
    }
}
