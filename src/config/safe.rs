//! `lanes.<lane>.safe`: the safe command, and whether the lane's type can carry it.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::model::{CommandType, FeedbackType, Interface};
use super::range::Range;
use crate::gate::safe::SafeCommand;

/// Repetitions of a trajectory's hold point: each one pre-empts the controller's motion.
const HOLD_POINT_RATE_HZ: f64 = 2.0;

/// What the rest of the lane says.
pub(super) struct Lane {
    pub(super) command_type: CommandType,
    pub(super) interface: Interface,
    /// `None`: unreadable, with a problem; `Some(None)`: none, on purpose.
    pub(super) feedback: Option<Option<FeedbackType>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    ZeroVelocity,
    Freeze,
    HoldPoint,
}

/// The safe command and the time between two of them.
pub(super) fn safe(
    keys: &mut Keys<'_>,
    at: &str,
    globals: &Globals,
    lane: &Lane,
) -> Option<(SafeCommand, Duration)> {
    let key = format!("{at}.safe.command");
    let read = keys.word(
        &key,
        &[
            ("zero_velocity", Some(Word::ZeroVelocity)),
            ("freeze", Some(Word::Freeze)),
            ("hold_point", Some(Word::HoldPoint)),
            ("damping", None),
            ("values", None),
            ("silent", None),
        ],
    );
    let word = keys.needed(
        &key,
        read,
        "zero_velocity, freeze, hold_point",
        "what goes out when motion is not permitted is never guessed",
    );
    let fits = word.and_then(|word| refuse_unfit(keys, &key, word, lane));
    let deceleration_key = format!("{at}.safe.deceleration");
    let deceleration = keys.double(
        &deceleration_key,
        Range::above(0.0, "", "per s²; leave it out to go to zero at once"),
    );
    let tolerance_key = format!("{at}.safe.tolerance");
    let tolerance = keys.double(
        &tolerance_key,
        Range::from(0.0, "", "how far the last sent pose may be from the measured one, rad or m"),
    );
    let period = period(keys, at, globals, word);
    let command = match word? {
        Word::ZeroVelocity => {
            refuse_extra(keys, &tolerance_key, "freeze and hold_point")?;
            SafeCommand::ZeroVelocity { deceleration: deceleration.optional()? }
        }
        held @ (Word::Freeze | Word::HoldPoint) => {
            refuse_extra(keys, &deceleration_key, "zero_velocity")?;
            let tolerance = keys.needed(
                &tolerance_key,
                tolerance,
                "v >= 0, rad or m",
                "beyond it the measured pose is held instead of the last sent one",
            )?;
            if held == Word::Freeze {
                SafeCommand::Freeze { tolerance }
            } else {
                SafeCommand::HoldPoint { tolerance }
            }
        }
    };
    fits?;
    Some((command, period?))
}

fn period(
    keys: &mut Keys<'_>,
    at: &str,
    globals: &Globals,
    word: Option<Word>,
) -> Option<Duration> {
    let key = format!("{at}.safe.rate_hz");
    let tick_hz = globals.tick_hz;
    let range = Range::above(0.0, " Hz", "safe commands go out on the tick").to(tick_hz);
    let default = if word == Some(Word::HoldPoint) { HOLD_POINT_RATE_HZ } else { tick_hz };
    let rate = keys.double(&key, range).or(default)?;
    match Duration::try_from_secs_f64(1.0 / rate) {
        Ok(period) if rate < tick_hz => Some(period),
        Ok(_) => Some(globals.tick),
        Err(_) => {
            keys.refuse(
                &key,
                format!("{rate:?} Hz is not allowed"),
                "a rate of more than one in a century",
                "the time between two safe commands does not fit into a clock",
                "correct the value",
            );
            None
        }
    }
}

fn refuse_extra(keys: &mut Keys<'_>, key: &str, only: &str) -> Option<()> {
    if keys.map.get(key).is_none() {
        return Some(());
    }
    keys.refuse(
        key,
        "has no effect here",
        format!("only with {only}"),
        "the safe command chosen does not use it",
        "remove it",
    );
    None
}

fn refuse_unfit(keys: &mut Keys<'_>, key: &str, word: Word, lane: &Lane) -> Option<()> {
    let is_trajectory = lane.command_type == CommandType::JointTrajectory;
    let is_velocity = lane.interface == Interface::Velocity;
    let (fits, found, allowed, because) = match word {
        Word::ZeroVelocity => (
            is_velocity,
            "zero_velocity is not allowed on a position lane",
            if is_trajectory { "hold_point" } else { "freeze" },
            "zeros on a position lane are a pose, and the robot would move to it",
        ),
        Word::Freeze => (
            !is_velocity && !is_trajectory,
            "freeze is not allowed on this lane",
            if is_trajectory { "hold_point" } else { "zero_velocity" },
            if is_trajectory {
                "a trajectory controller keeps moving until another trajectory pre-empts it"
            } else {
                "a velocity lane has no pose to hold"
            },
        ),
        Word::HoldPoint => (
            is_trajectory,
            "hold_point is not allowed on this lane",
            if is_velocity { "zero_velocity" } else { "freeze" },
            "it is a trajectory of one point",
        ),
    };
    if !fits {
        keys.refuse(key, found, allowed, because, format!("write {allowed}"));
        return None;
    }
    let needs_pose = word != Word::ZeroVelocity;
    if needs_pose && lane.feedback == Some(None) {
        keys.refuse(
            key,
            "needs the lane's feedback",
            "a feedback of type sensor_msgs/msg/JointState",
            "the pose to hold is chosen between the last sent and the measured one",
            "describe the joint states under `feedback` and name them here",
        );
        return None;
    }
    Some(())
}
