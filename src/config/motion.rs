//! How a lane comes into motion and changes hands: `start_ramp_s`, `handover`, `groups`, `silence`.

use std::time::Duration;

use super::keys::Keys;
use super::model::{Handover, OnLimit, OnLimits, SilenceThen};
use super::range::Range;
use super::{balance, names};

/// Seconds in which the limits grow after an arm, where nothing is written.
const DEFAULT_START_RAMP: Duration = Duration::from_secs(1);
/// After a change of hands, where nothing is written.
const DEFAULT_HANDOVER: Handover = Handover { duration: Duration::from_secs(1), limit_scale: 0.3 };
/// Longest ramp or hand-over, s: an operator would take a slower robot for a broken one.
const LONGEST_S: f64 = 60.0;
const NOT_FOR_PLANS: &str = "not for trajectory_msgs/msg/JointTrajectory";
/// Why nothing of it is.
const PLANS_STAY: &str =
    "a plan goes through whole or is refused: slowed or scaled it would be another plan";
/// Seconds until a silence in motion escalates, where nothing is written.
const DEFAULT_SILENCE: Duration = Duration::from_secs(5);

/// Everything that alters commands over time.
pub(super) struct Motion {
    pub(super) start_ramp: Duration,
    pub(super) handover: Handover,
    pub(super) groups: Vec<Vec<usize>>,
}

/// Whether what a ramp makes smaller is refused on this lane, and not limited. A ramp begins at nothing
/// and with what is forwarded: every first command that moves would be refused, and so for ever.
pub(super) const fn rejects_speed(on_limit: &OnLimits) -> bool {
    matches!(on_limit.velocity, OnLimit::Reject)
        || matches!(on_limit.acceleration, OnLimit::Reject)
        || matches!(on_limit.jerk, OnLimit::Reject)
}

/// What of a lane's commands may be altered over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Altered {
    /// Nothing: a balance loop is above.
    Never,
    /// Nothing: a plan that is slowed is another plan.
    Plans,
    /// Whatever `rejects_speed` says is refused.
    Rejected,
    /// All of it.
    Freely,
}

/// Reads it; on a balance lane all of it is a problem, of plans what is not zero, and where what is fast is
/// rejected a ramp and a hand-over.
pub(super) fn motion(
    keys: &mut Keys<'_>,
    at: &str,
    dimensions: Option<&[String]>,
    altered: Altered,
) -> Option<Motion> {
    let none = Motion { start_ramp: Duration::ZERO, handover: Handover::NONE, groups: Vec::new() };
    if altered == Altered::Never {
        return balance::refuse_ramps(keys, at).map(|()| none);
    }
    let (default_ramp, default_handover) = match altered {
        Altered::Freely => (DEFAULT_START_RAMP, DEFAULT_HANDOVER),
        Altered::Never | Altered::Plans | Altered::Rejected => (Duration::ZERO, Handover::NONE),
    };
    let start_ramp = time(
        keys,
        &format!("{at}.start_ramp_s"),
        "the limits grow from nothing in this time",
        default_ramp,
        altered,
    );
    let duration = time(
        keys,
        &format!("{at}.handover.duration_s"),
        "tighter limits after a change of hands",
        default_handover.duration,
        altered,
    );
    let limit_scale = keys
        .double(
            &format!("{at}.handover.limit_scale"),
            Range::above(0.0, "", "limits can only be tighter after a change of hands").to(1.0),
        )
        .or(default_handover.limit_scale);
    let groups = if altered == Altered::Plans {
        let (only, because) = (NOT_FOR_PLANS, PLANS_STAY);
        keys.refuse_effectless(&format!("{at}.groups"), only, because).map(|()| Vec::new())
    } else {
        dimensions.and_then(|dimensions| groups(keys, at, dimensions))
    };
    Some(Motion {
        start_ramp: start_ramp?,
        handover: Handover { duration: duration?, limit_scale: limit_scale? },
        groups: groups?,
    })
}

/// The time in which a lane is led in.
fn time(
    keys: &mut Keys<'_>,
    key: &str,
    because: &'static str,
    default: Duration,
    altered: Altered,
) -> Option<Duration> {
    let range = Range::from(0.0, " s", because).to(LONGEST_S);
    let time = keys.seconds(key, range).or(default)?;
    match altered {
        Altered::Rejected if !time.is_zero() => keys.refuse(
            key,
            "is not allowed beside this `on_limit`",
            "0, or `limit` for velocity, acceleration and jerk",
            "a command is led in by limiting it; where that is refused, whoever moves would be refused for ever",
            "remove it, or limit",
        ),
        Altered::Plans if !time.is_zero() => {
            keys.refuse(key, "has no effect here", NOT_FOR_PLANS, PLANS_STAY, "remove it");
        }
        Altered::Never | Altered::Freely | Altered::Rejected | Altered::Plans => return Some(time),
    }
    None
}

/// `groups.<name>`: joints, or axes of a twist, by index.
fn groups(keys: &mut Keys<'_>, at: &str, dimensions: &[String]) -> Option<Vec<Vec<usize>>> {
    let place = format!("{at}.groups");
    let written = keys.map.names_under(&place).len();
    let all = names::names(keys, &place);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for name in all {
        let key = format!("{place}.{name}");
        let Some(members) = keys.strings(&key).optional()?.map(|members| {
            let index = |member: &String| dimensions.iter().position(|one| one == member);
            members.iter().map(|member| index(member).ok_or(member)).collect::<Vec<_>>()
        }) else {
            continue;
        };
        let mut group = Vec::new();
        for member in members {
            group.push(
                member.map_err(|unknown| unknown_member(keys, &key, unknown, dimensions)).ok()?,
            );
        }
        let mut sorted = group.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let is_shared = groups.iter().flatten().any(|other| group.contains(other));
        if sorted.len() < 2 || sorted.len() != group.len() || is_shared {
            keys.refuse(
                &key,
                if is_shared { "shares a joint with another group" } else { "is no group" },
                "two joints or more, each in one group and there once",
                "joints of a group are scaled by one factor, and a joint can have only one",
                "correct the list",
            );
            return None;
        }
        groups.push(group);
    }
    (groups.len() == written).then_some(groups)
}

fn unknown_member(keys: &mut Keys<'_>, key: &str, unknown: &str, dimensions: &[String]) {
    let words: Vec<&str> = dimensions.iter().map(String::as_str).collect();
    let fix = super::schema::nearest_word(unknown, &words)
        .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near:?}?"));
    keys.refuse(
        key,
        format!("{unknown:?} is not a joint of this lane"),
        "the names in `joints`; of a twist linear.x … angular.z",
        "a group with a mistyped joint would bend the motion",
        fix,
    );
}

/// `silence.{then, after_s}`. Below a balance loop there is no hold to stay in: silence kills.
pub(super) fn silence(keys: &mut Keys<'_>, at: &str, is_balance: bool) -> Option<SilenceThen> {
    #[derive(Clone, Copy, PartialEq)]
    enum Then {
        Hold,
        Disarm,
        Kill,
    }
    let word = keys.word(
        &format!("{at}.silence.then"),
        &[("hold", Some(Then::Hold)), ("disarm", Some(Then::Disarm)), ("kill", Some(Then::Kill))],
    );
    let key = format!("{at}.silence.after_s");
    let after = keys.seconds(&key, Range::above(0.0, " s", "the lane holds first"));
    if is_balance {
        let because = "below a balance loop a silence in motion kills at once: nothing can be held";
        let only = "only on lanes without `balance`";
        let then = keys.refuse_effectless(&format!("{at}.silence.then"), only, because);
        let after = keys.refuse_effectless(&key, only, because);
        then?;
        after?;
        return Some(SilenceThen::Kill(Duration::ZERO));
    }
    let then = word.or(Then::Hold);
    if then == Some(Then::Hold) && !after.is_absent() {
        keys.refuse(
            &key,
            "has no effect here",
            "only beside `then: disarm` or `then: kill`",
            "a silence that stays a hold never becomes anything else",
            "remove it, or say what the silence becomes",
        );
        return None;
    }
    let after = after.or(DEFAULT_SILENCE)?;
    Some(match then? {
        Then::Hold => SilenceThen::Hold,
        Then::Disarm => SilenceThen::Disarm(after),
        Then::Kill => SilenceThen::Kill(after),
    })
}
