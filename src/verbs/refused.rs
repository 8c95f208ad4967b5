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
    };
    match wish.ask {
        Ask::Reset { .. } => slots.node.reset_refusals.at(reset).increment(),
        Ask::Arm { .. } => slots.node.arm_refusals.at(arm).increment(),
        Ask::Disarm | Ask::SelectSource { .. } | Ask::SelfTest => {}
    }
    What::RequestRefused { verb: wish.ask.verb(), operator: ShortText::new(&wish.operator), why }
}
