//! Requests that are refused before the gate is asked: counted and told alike, whichever way they came.

use super::{Ask, Wish};
use crate::telemetry::events::{RequestRefusal, ShortText, Verb, What};
use crate::telemetry::slots::{ArmRefusal, ResetRefusal, Slots};

impl Ask {
    /// As events name it.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Reset { .. } => Verb::Reset,
            Self::Arm { .. } => Verb::Arm,
            Self::Disarm => Verb::Disarm,
            Self::SelectSource { .. } => Verb::SelectSource,
            Self::SelfTest => Verb::SelfTest,
        }
    }
}

/// Counts the refusal of a reset or an arm. Returns what there is to tell.
#[must_use]
pub fn count_refused(slots: &Slots, wish: &Wish, why: RequestRefusal) -> What {
    let (reset, arm) = match why {
        RequestRefusal::NotAuthorised => (ResetRefusal::NotAuthorised, ArmRefusal::NotAuthorised),
        RequestRefusal::RateLimited => (ResetRefusal::RateLimited, ArmRefusal::RateLimited),
        RequestRefusal::Busy => (ResetRefusal::Busy, ArmRefusal::Busy),
        RequestRefusal::Withdrawn => (ResetRefusal::Withdrawn, ArmRefusal::Withdrawn),
        RequestRefusal::Ended => (ResetRefusal::Ended, ArmRefusal::Ended),
    };
    match wish.ask {
        Ask::Reset { .. } => slots.node.reset_refusals.at(reset).increment(),
        Ask::Arm { .. } => slots.node.arm_refusals.at(arm).increment(),
        Ask::Disarm | Ask::SelectSource { .. } | Ask::SelfTest => {}
    }
    told_refused(wish, why)
}

/// What there is to tell of a request that the gate never saw, or that nobody waited for.
#[must_use]
pub fn told_refused(wish: &Wish, why: RequestRefusal) -> What {
    What::RequestRefused { verb: wish.ask.verb(), operator: ShortText::new(&wish.operator), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fixture;
    use crate::verbs::Via;

    #[test]
    fn when_a_request_never_reaches_the_gate_expect_it_counted_and_told_in_one_line() {
        let slots = fixture::slots();
        for why in RequestRefusal::ALL {
            for ask in [Ask::Reset { seq: 1 }, Ask::Arm { seq: 1, profile: String::new() }] {
                let wish = Wish {
                    ask,
                    operator: "uid 5 as a\0b\nc".to_owned(),
                    reason: String::new(),
                    via: Via::Socket,
                };
                let What::RequestRefused { verb, operator, why: told } =
                    count_refused(&slots, &wish, *why)
                else {
                    panic!("a refusal");
                };
                assert_eq!((verb, told), (wish.ask.verb(), *why));
                assert_eq!(operator.as_str(), "uid 5 as a?b?c", "one line, and no NUL");
            }
        }
        let node = &slots.node;
        let resets: u64 =
            ResetRefusal::ALL.iter().map(|why| node.reset_refusals.at(*why).get()).sum();
        let arms: u64 = ArmRefusal::ALL.iter().map(|why| node.arm_refusals.at(*why).get()).sum();
        let all = RequestRefusal::ALL.len();
        assert_eq!((usize::try_from(resets), usize::try_from(arms)), (Ok(all), Ok(all)));
    }
}
