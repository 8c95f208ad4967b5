//! `balance`: whether a lane is below a balance loop, where every change of a command is a fall.
//!
//! **Invariant:** on a lane with `balance: true` nothing that alters a command can be configured:
//! what would is a problem, never ignored.

use super::keys::Keys;
use super::range::Read;
use super::shape::Shape;

/// Why altering is refused.
const BECAUSE: &str = "below a balance loop changing a command is a fall: the lane verifies and refuses, nothing else";

/// `balance`; required where the lane's commands carry effort or gains.
pub(super) fn balance(keys: &mut Keys<'_>, at: &str, shape: Option<&Shape>) -> Option<bool> {
    let key = format!("{at}.balance");
    let read = keys.boolean(&key);
    if shape.is_some_and(Shape::carries_effort) && read.is_absent() {
        keys.missing(
            &key,
            "false, or true below a balance loop",
            "the commands carry effort or gains: below a balance loop every stop is a fall, so somebody must \
             have thought about it",
        );
        return None;
    }
    match read {
        Read::Bad => None,
        Read::Absent => Some(false),
        Read::Got(value) => Some(value),
    }
}

/// Refuses one key that alters.
pub(super) fn refuse_altering(keys: &mut Keys<'_>, key: &str, allowed: &str) {
    keys.refuse(key, "is not allowed on a balance lane", allowed, BECAUSE, "remove it");
}

/// Refuses what alters, whatever value it has: ramps, hand-over, groups.
pub(super) fn refuse_ramps(keys: &mut Keys<'_>, at: &str) -> Option<()> {
    let mut is_good = Some(());
    for name in ["start_ramp_s", "handover.duration_s", "handover.limit_scale", "groups"] {
        let key = format!("{at}.{name}");
        if keys.map.get(&key).is_some() || keys.map.under(&key).next().is_some() {
            refuse_altering(keys, &key, "nothing: commands go through as they are, or not at all");
            is_good = None;
        }
    }
    is_good
}
