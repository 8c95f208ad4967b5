//! The time a command may use for its change: a credit that grows with the steady clock.
//!
//! It is capped, so that a gap gives no catch-up, and what a command does not use is left for the
//! next, so that jitter does not distort a smooth stream. Sending faster grants nothing: in the time
//! W after a command a stream moves at most `velocity · (W + RESERVE_PERIODS · period)`, because what
//! it spends in W is what that command left and what has grown since. The command's own step may be
//! as long as the cap.
//!
//! A command that needs no more takes the *pace*: the mean time between two commands, a little less
//! of it while the reserve refills, and never so little that more than the reserve would be left. So
//! the rates taken from positions neither jitter with the arrivals nor drift from the clock.

use super::limit::Allowance;
use super::units::{SteadyTime, at_least, at_most};

/// A gap grants no more time than this many nominal periods of the source.
pub const CREDIT_PERIODS: f64 = 1.5;

/// What may be left of it after a command, in periods: the jitter that a stream may have.
const RESERVE_PERIODS: f64 = CREDIT_PERIODS - 1.0;

/// Weight of the newest interval in the mean: ten commands smooth a jitter, and follow a change of
/// rate within half a second at 50 Hz.
const NEWEST: f64 = 0.1;

/// Share of the mean interval that a command takes while the reserve is not full, so that it fills
/// within ten commands.
const REFILL: f64 = 0.95;

/// The time credit of one lane.
#[derive(Clone, Copy, Debug)]
pub struct TimeCredit {
    at: SteadyTime,
    left_s: f64,
    /// Mean time between two commands; `None` before the first, whose distance from the start tells
    /// nothing of the source's rate.
    mean_s: Option<f64>,
}

impl TimeCredit {
    /// No credit yet.
    #[must_use]
    pub const fn new(now: SteadyTime) -> Self {
        Self { at: now, left_s: 0.0, mean_s: None }
    }

    /// Seconds that a command may use now, for a source whose nominal period is `period_s`.
    #[must_use]
    pub fn available(&self, now: SteadyTime, period_s: f64) -> f64 {
        at_most(self.left_s + now.since(self.at).as_secs_f64(), CREDIT_PERIODS * period_s)
    }

    /// The lane's own limits with the credit and the pace of a command now.
    #[must_use]
    pub fn allowance(&self, now: SteadyTime, period_s: f64) -> Allowance {
        let credit_s = self.available(now, period_s);
        let mean_s = self.mean_s.unwrap_or(period_s);
        // A stream that is slower than its nominal rate has less room for a reserve under the cap.
        let reserve_s = at_most(RESERVE_PERIODS * period_s, CREDIT_PERIODS * period_s - mean_s);
        let pace_s = at_least(REFILL * mean_s, credit_s - reserve_s);
        Allowance { pace_s: at_most(pace_s, credit_s), ..Allowance::of(credit_s) }
    }

    /// A command was sent that used `used_s` of what was available.
    pub fn spend(&mut self, used_s: f64, now: SteadyTime, period_s: f64) {
        let interval = at_most(now.since(self.at).as_secs_f64(), CREDIT_PERIODS * period_s);
        self.mean_s = Some(self.mean_s.map_or(period_s, |mean| mean + NEWEST * (interval - mean)));
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

#[cfg(test)]
mod tests;
