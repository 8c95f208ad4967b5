//! One source of a lane while the node runs: its publisher, its rate, its silence, its counts.

use std::time::Duration;

use super::aside::Aside;
use super::cause::Cause;
use super::check::Refusal;
use super::decision::Decision;
use super::limit::LimitSet;
use super::publisher::{Publishers, Receipt, Standing};
use super::rate::TokenBucket;
use super::rules::{Engage, GateRules, SourceRules};
use super::share::Share;
use super::units::{SteadyTime, WallTime};
use super::verdict::{Limit, Reason, Verdict};

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
    /// Commanded values of the newest valid command, before any limit, where an engage rule asks for
    /// them; NaN where it names no value.
    newest: Vec<f64>,
    /// Where its commands are judged when they are never forwarded.
    pub(super) aside: Option<Aside>,
    /// Shares since it is in charge.
    pub(super) shares: Shares,
}

/// What the share causes of one source are taken from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    /// Refused for what the command is, of all.
    pub(super) refused: Share,
    /// Changed by a limit, of all that were forwarded.
    pub(super) limited: Share,
    /// Sent, whether it was taken or overwritten.
    pub(super) sent: Share,
    /// Refusals hold its lane.
    pub(super) refusing: bool,
}

impl Shares {
    pub(super) fn new(rules: &GateRules) -> Self {
        Self {
            refused: Share::new(rules.window(Cause::RefusalsSustained)),
            limited: Share::new(rules.window(Cause::LimitedRatio)),
            sent: Share::new(rules.window(Cause::RateExceeded)),
            refusing: false,
        }
    }

    /// Notes a decision about a command of the source in charge.
    fn note(&mut self, decision: &Decision, now: SteadyTime) {
        self.sent.note(0, decision.lost.saturating_add(1), now);
        match (decision.verdict, decision.refusal.map(|refusal| refusal.reason)) {
            (Verdict::Rejected, Some(reason)) if !is_about_the_command(reason) => {}
            (Verdict::Rejected, _) => self.refused.note(1, 1, now),
            (Verdict::Passed, _) => {
                self.refused.note(0, 1, now);
                self.limited.note(0, 1, now);
            }
            (Verdict::Limited, _) => {
                self.refused.note(0, 1, now);
                self.limited.note(u64::from(!is_led_in(decision.limits)), 1, now);
            }
            // Refused against what is held, it goes on with a hold for that, and begins none.
            (Verdict::Withheld, _) => match decision.fits {
                Some(true) => self.refused.note(0, 1, now),
                Some(false) if self.refusing => self.refused.note(1, 1, now),
                Some(false) | None => {}
            },
            (Verdict::NotSelected, _) => {}
        }
    }

    fn clear(&mut self) {
        self.refused.clear();
        self.limited.clear();
        self.sent.clear();
    }
}

/// Whether the gate itself was leading the lane in. A source that streams its targets is limited then
/// whatever it sends: counted, a hold on `limited_ratio` would begin at every arm, and end in a
/// hand-over that begins the next one.
const fn is_led_in(limits: LimitSet) -> bool {
    limits.contains(Limit::Ramp) || limits.contains(Limit::Handover)
}

/// Who sent it, when and how often is not the command's fault: a stranger on the topic must not be
/// able to hold the lane, and a flood is a cause of its own.
const fn is_about_the_command(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Fenced
            | Reason::OutOfOrder
            | Reason::OtherPublisher
            | Reason::PublisherNotAllowed
            | Reason::RateExceeded
    )
}

/// A header stamp may be this far ahead of our wall clock: what clock synchronisation by NTP leaves
/// between two computers on one robot, with room.
pub const FUTURE_SKEW: Duration = Duration::from_millis(100);

/// How long the publisher of a source without a timeout must be quiet before another may follow it: a
/// producer that restarts has a new one, and would be refused for ever. Two that stream stay apart.
const FOLLOWS_AFTER: Duration = Duration::from_secs(1);

impl Source {
    pub(super) fn new(
        rules: SourceRules,
        dimensions: usize,
        aside: Option<Aside>,
        shares: Shares,
        now: SteadyTime,
    ) -> Self {
        let bucket = TokenBucket::new(rules.max_rate_hz, rules.burst, now);
        let silence = rules.timeout.unwrap_or(FOLLOWS_AFTER);
        Self {
            rules,
            publishers: Publishers::new(silence),
            bucket,
            last_valid: None,
            engaged: false,
            counts: Counts::default(),
            last_reason: None,
            lost: 0,
            newest: vec![f64::NAN; dimensions],
            aside,
            shares,
        }
    }

    /// Counts a decision. `in_charge`: of its lane, while commands may pass.
    pub(super) fn count(&mut self, decision: &Decision, in_charge: bool, now: SteadyTime) {
        self.counts.add(decision.verdict);
        let reason = decision.refusal.map(|refusal| refusal.reason);
        self.last_reason = reason.or(self.last_reason);
        if in_charge {
            self.shares.note(decision, now);
        }
    }

    /// In charge from now on: what it did before says nothing.
    pub(super) fn forget_shares(&mut self) {
        self.shares.clear();
    }

    /// Refuses a command whose header stamp is too old or in the future, where the params file asks.
    /// A stamp never makes a command fresh: that is the time of its receipt (hazard 11).
    pub(super) fn check_stamp(&self, stamp: Option<WallTime>, now: WallTime) -> Option<Refusal> {
        let max_age = self.rules.max_age?;
        let refused =
            |reason, found, bound| Some(Refusal { found, bound, ..Refusal::whole(reason) });
        let max_age_s = max_age.as_secs_f64();
        // A stamp of zero is how ROS says "none".
        let Some(stamp) = stamp.filter(|stamp| stamp.as_nanos() != 0) else {
            return refused(Reason::StaleStamp, f64::NAN, max_age_s);
        };
        let age_s = seconds(now.as_nanos().saturating_sub(stamp.as_nanos()));
        let skew_s = FUTURE_SKEW.as_secs_f64();
        if age_s > max_age_s {
            refused(Reason::StaleStamp, age_s, max_age_s)
        } else if age_s < -skew_s {
            refused(Reason::FutureStamp, -age_s, skew_s)
        } else {
            None
        }
    }

    /// Keeps what a valid command asks for, for the engage rules: also while commands pass, for what
    /// is sent last before a disarm is what the next arm would meet. `blend` asks nothing.
    pub(super) fn keep(&mut self, values: &[f64], given: &[bool]) {
        if self.rules.engage == Engage::Blend {
            return;
        }
        self.newest.fill(f64::NAN);
        for (place, (value, given)) in self.newest.iter_mut().zip(values.iter().zip(given)) {
            if *given {
                *place = *value;
            }
        }
    }

    /// What [`Self::keep`] kept last.
    pub(super) fn newest(&self) -> &[f64] {
        &self.newest
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

    pub(super) fn fence(&mut self) {
        self.publishers.fence();
    }

    /// Publisher, fence and rate. Returns how many commands were overwritten before this one.
    ///
    /// A flood on a `balance` lane is told and not refused: the newest command at the source's own
    /// rate is what the loop needs, and refusing it would be the fall.
    pub(super) fn admit(
        &mut self,
        receipt: &Receipt,
        permitted: bool,
        balance: bool,
    ) -> (u64, Option<Refusal>) {
        let observed = self.publishers.observe(receipt, permitted);
        self.lost = self.lost.saturating_add(observed.lost);
        let charged = if balance { 0 } else { observed.lost };
        let within = self.bucket.charge(charged, receipt.at.steady) || balance;
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

#[expect(clippy::as_conversions, reason = "nanoseconds for people and a bound in seconds")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 * 1e-9
}
