//! Whose target stands still on the wire because nothing came for it in a while: more than four usual
//! intervals, of which the newest counts for an eighth.

/// Of one joint.
#[derive(Clone, Copy, Default)]
pub(super) struct Standing {
    at: u64,
    usual: u64,
}

impl Standing {
    /// A value that is sent now. Whether the joint stood still before it; `period` is the nominal one.
    pub(super) fn hears(&mut self, now: u64, period: f64) -> bool {
        let usual = self.usual.max((period * 1e9) as u64);
        let gap = now - self.at;
        let interval = gap.min(4 * usual);
        *self = Self { at: now, usual: usual - usual / 8 + interval / 8 };
        gap > 4 * usual
    }
}
