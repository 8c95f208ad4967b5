//! `engage`, `engage_window`: what a source that already streams must look like for an arm.

use super::balance;
use super::keys::Keys;
use super::model::{CommandType, Engage, Interface, SourceMode};
use super::range::Range;
use super::source::Lane;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Neutral,
    Blend,
    Window,
}

/// The rule of one source. Where nothing is written: `neutral` for velocities and efforts, `blend`
/// for positions; a balance lane, which has no ramp to blend with, asks nothing.
pub(super) fn engage(
    keys: &mut Keys<'_>,
    at: &str,
    lane: &Lane<'_>,
    mode: Option<SourceMode>,
) -> Option<Engage> {
    let key = format!("{at}.engage");
    let window_key = format!("{at}.engage_window");
    let read = keys.word(
        &key,
        &[
            ("neutral", Some(Word::Neutral)),
            ("blend", Some(Word::Blend)),
            ("window", Some(Word::Window)),
        ],
    );
    let window = keys.double(
        &window_key,
        Range::above(0.0, "", "how near the newest command must be to the measured pose, rad or m"),
    );
    if mode == Some(SourceMode::Shadow) {
        let because = "a shadow is never selected, so an arm asks nothing of it";
        let word = keys.refuse_effectless(&key, "only with `mode: live`", because);
        let window = keys.refuse_effectless(&window_key, "only with `mode: live`", because);
        word?;
        window?;
        return Some(Engage::Blend);
    }
    let interface = lane.interface()?;
    let is_position = interface == Interface::Position;
    let default = if is_position { Word::Blend } else { Word::Neutral };
    let is_written = !read.is_absent();
    if lane.is_balance && !is_written {
        let because = "it is the window of `engage: window`";
        keys.refuse_effectless(&window_key, "only beside `engage: window`", because)?;
        return Some(Engage::Blend);
    }
    let word = read.or(default)?;
    if lane.is_balance && word == Word::Blend {
        balance::refuse_altering(keys, &key, "window, or leave it out");
        return None;
    }
    let is_trajectory =
        lane.shape.is_some_and(|shape| shape.command_type == CommandType::JointTrajectory);
    let (is_allowed, allowed, because) = match word {
        Word::Neutral => {
            (!is_position, "blend, window", "zero is a pose on a position lane, not standing still")
        }
        Word::Blend => (is_position, "neutral", "only a pose can be blended from the pose held"),
        Word::Window => (
            is_position && !is_trajectory,
            if is_position { "blend" } else { "neutral" },
            "only a position can be compared with the measured pose",
        ),
    };
    if !is_allowed {
        let found = "is not allowed on this lane";
        keys.refuse(&key, found, allowed, because, format!("write {allowed}, or remove it"));
        return None;
    }
    if word == Word::Window {
        let because = "how near is near enough differs between robots";
        return keys.needed(&window_key, window, "v > 0, rad or m", because).map(Engage::Window);
    }
    let because = "it is the window of `engage: window`";
    keys.refuse_effectless(&window_key, "only beside `engage: window`", because)?;
    Some(if word == Word::Blend { Engage::Blend } else { Engage::Neutral })
}
