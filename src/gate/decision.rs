//! What the gate says of one command, for who forwards, counts and explains it.

use super::check::Refusal;
use super::limit::LimitSet;
use super::units::SteadyTime;
use super::verdict::Verdict;

/// What the gate says of one command. Nothing is counted or remembered until it is concluded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was rejected.
    pub refusal: Option<Refusal>,
    /// Which limits changed it.
    pub limits: LimitSet,
    /// Commands of the same publisher that were overwritten before this one was taken.
    pub lost: u64,
    /// Judged only, never meant for the output: a shadow source, or a watch lane.
    pub shadow: bool,
    /// Number of this command among all that were received from its source, from 1.
    pub sequence: u64,
    /// Withheld while held: whether it would have been forwarded; `None`: not known.
    pub(super) fits: Option<bool>,
    /// Whether the command asks for motion.
    pub(super) moves: bool,
    /// Until when a plan moves; the command's own receipt for a target.
    pub(super) moves_until: SteadyTime,
}

impl Decision {
    pub(super) const fn new(verdict: Verdict, sequence: u64, lost: u64) -> Self {
        Self {
            verdict,
            refusal: None,
            limits: LimitSet::EMPTY,
            lost,
            shadow: false,
            sequence,
            fits: None,
            moves: false,
            moves_until: SteadyTime::from_nanos(0),
        }
    }

    pub(super) const fn rejected(self, refusal: Refusal) -> Self {
        Self { verdict: Verdict::Rejected, refusal: Some(refusal), ..self }
    }

    pub(super) const fn with(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    /// Whether the command is to be published.
    #[must_use]
    pub const fn forwards(&self) -> bool {
        !self.shadow && matches!(self.verdict, Verdict::Passed | Verdict::Limited)
    }

    /// The decision when a kill arrived after it was made.
    #[must_use]
    pub const fn withheld(self) -> Self {
        let Self { sequence, lost, shadow, .. } = self;
        Self { shadow, ..Self::new(Verdict::Withheld, sequence, lost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_decision_is_withheld_expect_whose_it_was_kept_and_nothing_forwarded() {
        for shadow in [false, true] {
            let passed = Decision { shadow, ..Decision::new(Verdict::Passed, 7, 3) };
            assert_eq!(passed.forwards(), !shadow);
            let withheld = passed.withheld();
            assert!(!withheld.forwards());
            assert_eq!((withheld.shadow, withheld.verdict), (shadow, Verdict::Withheld));
            assert_eq!((withheld.sequence, withheld.lost), (7, 3));
        }
    }
}
