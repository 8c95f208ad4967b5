//! One source of a lane while the node runs: its publisher, its rate, its silence, its counts.

use super::check::Refusal;
use super::publisher::{Publishers, Receipt, Standing};
use super::rate::TokenBucket;
use super::rules::SourceRules;
use super::units::SteadyTime;
use super::verdict::{Reason, Verdict};

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 5]);

impl Counts {
    /// Counts one verdict.
    pub fn add(&mut self, verdict: Verdict) {
        if let Some(count) = self.0.get_mut(verdict.index()) {
            *count = count.saturating_add(1);
        }
    }

    /// How often `verdict` was given.
    #[must_use]
    pub fn get(&self, verdict: Verdict) -> u64 {
        self.0.get(verdict.index()).copied().unwrap_or(0)
    }

    /// Everything received.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A source.
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) rules: SourceRules,
    publishers: Publishers,
    bucket: TokenBucket,
    last_valid: Option<SteadyTime>,
    /// Has moved the lane since it took charge.
    pub(super) engaged: bool,
    pub(super) counts: Counts,
    pub(super) last_reason: Option<Reason>,
    pub(super) lost: u64,
}

impl Source {
    pub(super) fn new(rules: SourceRules, now: SteadyTime) -> Self {
        let bucket = TokenBucket::new(rules.max_rate_hz, rules.burst, now);
        // Without a timeout a publisher keeps its source for as long as it lives.
        let silence = rules.timeout.unwrap_or(std::time::Duration::MAX);
        Self {
            rules,
            publishers: Publishers::new(silence),
            bucket,
            last_valid: None,
            engaged: false,
            counts: Counts::default(),
            last_reason: None,
            lost: 0,
        }
    }

    /// Nominal time between two commands, s.
    pub(super) fn period_s(&self) -> f64 {
        1.0 / self.rules.max_rate_hz
    }

    /// Whether its next command may be taken from the queue.
    pub(super) fn may_take(&mut self, now: SteadyTime) -> bool {
        self.bucket.has_token(now)
    }

    /// When its next command may be taken.
    pub(super) fn next_take(&self) -> SteadyTime {
        self.bucket.next_token_at()
    }

    /// Publisher, fence and rate. Returns how many commands were overwritten before this one.
    pub(super) fn admit(&mut self, receipt: &Receipt, permitted: bool) -> (u64, Option<Refusal>) {
        let observed = self.publishers.observe(receipt, permitted);
        self.lost = self.lost.saturating_add(observed.lost);
        let within = self.bucket.charge(observed.lost, receipt.at.steady);
        let reason = match observed.standing {
            Standing::Fenced => Some(Reason::Fenced),
            Standing::OutOfOrder => Some(Reason::OutOfOrder),
            Standing::OtherPublisher => Some(Reason::OtherPublisher),
            Standing::InCharge if !within => Some(Reason::RateExceeded),
            Standing::InCharge => None,
        };
        (observed.lost, reason.map(Refusal::whole))
    }

    pub(super) fn note_valid(&mut self, now: SteadyTime) {
        self.last_valid = Some(now);
    }

    /// When the last valid command came.
    #[must_use]
    pub const fn last_valid(&self) -> Option<SteadyTime> {
        self.last_valid
    }

    /// Whether a valid command came within the timeout.
    #[must_use]
    pub fn is_alive(&self, now: SteadyTime) -> bool {
        match (self.last_valid, self.rules.timeout) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(last), Some(timeout)) => now.since(last) <= timeout,
        }
    }

    /// How often each verdict was given.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Reason of the newest rejection.
    #[must_use]
    pub const fn last_reason(&self) -> Option<Reason> {
        self.last_reason
    }
}
