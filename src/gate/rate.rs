//! How often a source may command: a token bucket in commands.

use std::time::Duration;

use super::units::{SteadyTime, at_least, at_most};

/// A token bucket. Tokens are commands; it starts full.
///
/// A source without a token is left in the middleware's queue until the next one. What it sent
/// meanwhile and was overwritten there is charged when the next command is taken, so the bucket sees
/// what was sent, not what was taken.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    tokens: f64,
    per_second: f64,
    burst: f64,
    refilled: SteadyTime,
}

impl TokenBucket {
    /// A full bucket.
    ///
    /// # Shape
    /// `per_second` is finite and over 0 and `burst` at least 1: the configuration's rule.
    #[must_use]
    pub fn new(per_second: f64, burst: u32, now: SteadyTime) -> Self {
        let burst = f64::from(burst);
        Self { tokens: burst, per_second, burst, refilled: now }
    }

    /// Whether the next command may be taken.
    pub fn has_token(&mut self, now: SteadyTime) -> bool {
        self.refill(now);
        self.tokens >= 1.0
    }

    /// When the next command may be taken; `now` or earlier when it may already.
    #[must_use]
    pub fn next_token_at(&self) -> SteadyTime {
        let missing = 1.0 - self.tokens;
        if missing > 0.0 {
            let wait = Duration::try_from_secs_f64(missing / self.per_second);
            // One nanosecond more: rounding down would wake the caller just too early.
            let wait = wait.unwrap_or(Duration::MAX).saturating_add(Duration::from_nanos(1));
            self.refilled.after(wait)
        } else {
            self.refilled
        }
    }

    /// Takes one command, and `lost` ones that were overwritten before it. Returns whether they all
    /// fit in the bucket; the debt is at most one burst, so a source that slows down is heard again
    /// within `2 · burst / per_second`.
    pub fn charge(&mut self, lost: u64, now: SteadyTime) -> bool {
        self.refill(now);
        // More than a burst is the same as a burst: the debt is bounded anyway.
        let lost = u32::try_from(lost).map_or(self.burst * 2.0, f64::from);
        self.tokens -= 1.0 + lost;
        let fits = self.tokens >= 0.0;
        self.tokens = at_least(self.tokens, -self.burst);
        fits
    }

    fn refill(&mut self, now: SteadyTime) {
        let grown = now.since(self.refilled).as_secs_f64() * self.per_second;
        self.tokens = at_most(self.tokens + grown, self.burst);
        if now > self.refilled {
            self.refilled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SteadyTime = SteadyTime::from_nanos(1_000_000_000);

    fn later(seconds: f64) -> SteadyTime {
        START.after(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn when_a_burst_is_spent_expect_the_next_token_after_one_period() {
        let mut bucket = TokenBucket::new(50.0, 3, START);
        for _ in 0..3 {
            assert!(bucket.has_token(START));
            assert!(bucket.charge(0, START));
        }
        assert!(!bucket.has_token(START));
        let next = bucket.next_token_at();
        assert!(!bucket.has_token(later(0.019)));
        assert!(next > later(0.019) && next <= later(0.021));
        assert!(bucket.has_token(next.max(later(0.02))));
    }

    #[test]
    fn when_half_a_token_is_there_expect_the_next_after_half_a_period() {
        let mut bucket = TokenBucket::new(50.0, 1, START);
        assert!(bucket.charge(0, START));
        assert!(!bucket.has_token(later(0.01)));
        let next = bucket.next_token_at();
        assert!(next > later(0.019) && next <= later(0.021));
    }

    #[test]
    fn when_commands_were_overwritten_expect_them_charged() {
        let mut bucket = TokenBucket::new(50.0, 5, START);
        assert!(bucket.charge(4, START));
        assert!(!bucket.charge(1, later(0.02)));
    }

    #[test]
    fn when_flooded_expect_a_bounded_debt() {
        let mut bucket = TokenBucket::new(10.0, 5, START);
        assert!(!bucket.charge(u64::MAX, START));
        assert!(!bucket.has_token(later(0.5)));
        assert!(bucket.has_token(later(0.61)));
    }

    #[test]
    fn when_time_stands_still_or_goes_back_expect_no_new_tokens() {
        let mut bucket = TokenBucket::new(10.0, 1, later(1.0));
        assert!(bucket.charge(0, later(1.0)));
        assert!(!bucket.has_token(START));
        assert!(!bucket.has_token(later(1.0)));
    }

    #[test]
    fn over_any_time_expect_no_more_than_rate_times_time_plus_burst() {
        let mut bucket = TokenBucket::new(50.0, 5, START);
        let mut taken = 0;
        for millisecond in 0..2_000 {
            let now = later(f64::from(millisecond) / 1000.0);
            if bucket.has_token(now) && bucket.charge(0, now) {
                taken += 1;
            }
        }
        assert!((100..=105).contains(&taken), "{taken}");
    }
}
