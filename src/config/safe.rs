//! `lanes.<lane>.safe`: the safe command, and whether the lane can carry it.
//!
//! **Invariant:** what comes out is inside the lane's own limits and can be built: the pose to hold is
//! measured, the gains to damp with are mapped, silence is justified.

use std::time::Duration;

use super::globals::Globals;
use super::keys::Keys;
use super::model::{CommandType, Interface};
use super::range::{Range, Read};
use super::shape::Shape;
use crate::gate::limits::DimensionLimits;
use crate::gate::safe::SafeCommand;

/// Repetitions of a trajectory's hold point: each one pre-empts the controller's motion.
const HOLD_POINT_RATE_HZ: f64 = 2.0;

/// What the rest of the lane says.
pub(super) struct Lane<'l> {
    pub(super) shape: &'l Shape,
    pub(super) is_balance: bool,
    /// `None`: unreadable, with a problem.
    pub(super) has_feedback: Option<bool>,
    /// `None`: unreadable, with a problem.
    pub(super) limits: Option<&'l [DimensionLimits]>,
}

/// A safe command that can be sent.
pub(super) struct Safe {
    pub(super) command: SafeCommand,
    /// One number a joint, for `damping` and `values`.
    pub(super) targets: Vec<f64>,
    /// Time between two of them.
    pub(super) period: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    ZeroVelocity,
    Freeze,
    HoldPoint,
    Damping,
    Values,
    Silent,
}

impl Word {
    const ALL: [(&'static str, Option<Self>); 6] = [
        ("zero_velocity", Some(Self::ZeroVelocity)),
        ("freeze", Some(Self::Freeze)),
        ("hold_point", Some(Self::HoldPoint)),
        ("damping", Some(Self::Damping)),
        ("values", Some(Self::Values)),
        ("silent", Some(Self::Silent)),
    ];

    fn text(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, word)| *word == Some(self));
        found.map_or("", |(text, _)| text)
    }

    /// Whether a lane can be stopped by it.
    fn suits(self, lane: &Lane<'_>) -> bool {
        let is_trajectory = lane.shape.command_type == CommandType::JointTrajectory;
        let (interface, is_balance) = (lane.shape.interface, lane.is_balance);
        match self {
            Self::ZeroVelocity => interface == Interface::Velocity && !is_balance,
            Self::Freeze => interface == Interface::Position && !is_trajectory && !is_balance,
            Self::HoldPoint => is_trajectory && !is_balance,
            Self::Damping => lane.shape.mapping.fields.kd.is_some(),
            Self::Values => interface == Interface::Effort,
            Self::Silent => true,
        }
    }

    fn unsuited_because(self, lane: &Lane<'_>) -> &'static str {
        match self {
            Self::ZeroVelocity | Self::Freeze | Self::HoldPoint if lane.is_balance => {
                "below a balance loop holding still is a fall"
            }
            Self::ZeroVelocity if lane.shape.interface == Interface::Position => {
                "zeros on a position lane are a pose, and the robot would move to it"
            }
            Self::ZeroVelocity => "zeros on an effort lane let the robot drop",
            Self::Freeze if lane.shape.command_type == CommandType::JointTrajectory => {
                "a trajectory controller keeps moving until another trajectory pre-empts it"
            }
            Self::Freeze => "only a position lane has a pose to hold",
            Self::HoldPoint => "it is a trajectory of one point",
            Self::Damping => "without fields.kd nothing can be damped",
            Self::Values if lane.shape.interface == Interface::Velocity => {
                "a velocity lane stands still with zeros and nothing else"
            }
            Self::Values => {
                "a stop that sends the joints to a pose moves the robot; freeze holds it"
            }
            Self::Silent => "",
        }
    }
}

/// Keys that only one of the words uses.
struct Parts {
    deceleration: Option<Option<f64>>,
    tolerance: Read<f64>,
    kd: Read<Vec<f64>>,
    values: Read<Vec<f64>>,
    because: Option<Option<String>>,
}

/// The safe command and the time between two of them.
pub(super) fn safe(
    keys: &mut Keys<'_>,
    at: &str,
    globals: &Globals,
    lane: &Lane<'_>,
) -> Option<Safe> {
    let key = format!("{at}.safe.command");
    let suited = Word::ALL.iter().filter(|(_, word)| word.is_some_and(|word| word.suits(lane)));
    let suited = suited.map(|(text, _)| *text).collect::<Vec<_>>().join(", ");
    let read = keys.word(&key, &Word::ALL);
    let word = keys.needed(
        &key,
        read,
        &suited,
        "what goes out when motion is not permitted is never guessed",
    );
    let fits = word.and_then(|word| refuse_unfit(keys, &key, word, lane, &suited));
    let parts = parts(keys, at, lane);
    let period = period(keys, at, globals, word);
    let word = word?;
    // What another word needs is told even where the word itself does not fit.
    let extra = refuse_extra(keys, at, word);
    let built = build(keys, at, word, parts, lane);
    fits?;
    extra?;
    let (command, targets) = built?;
    Some(Safe { command, targets, period: period? })
}

fn parts(keys: &mut Keys<'_>, at: &str, lane: &Lane<'_>) -> Parts {
    let count = lane.shape.dimensions.len();
    Parts {
        deceleration: keys
            .double(
                &format!("{at}.safe.deceleration"),
                Range::above(0.0, "", "per s²; leave it out to go to zero at once"),
            )
            .optional(),
        tolerance: keys.double(
            &format!("{at}.safe.tolerance"),
            Range::from(
                0.0,
                "",
                "how far the last sent pose may be from the measured one, rad or m",
            ),
        ),
        kd: keys.doubles(
            &format!("{at}.safe.kd"),
            count,
            Range::above(0.0, "", "a joint without damping falls freely"),
        ),
        values: keys.doubles(
            &format!("{at}.safe.values"),
            count,
            Range::any("", "the values go out as they are"),
        ),
        because: keys
            .string(&format!("{at}.safe.because"))
            .optional()
            .map(|text| text.map(str::to_owned)),
    }
}

fn build(
    keys: &mut Keys<'_>,
    at: &str,
    word: Word,
    parts: Parts,
    lane: &Lane<'_>,
) -> Option<(SafeCommand, Vec<f64>)> {
    match word {
        Word::ZeroVelocity => {
            Some((SafeCommand::ZeroVelocity { deceleration: parts.deceleration? }, Vec::new()))
        }
        Word::Freeze | Word::HoldPoint => {
            let tolerance = keys.needed(
                &format!("{at}.safe.tolerance"),
                parts.tolerance,
                "v >= 0, rad or m",
                "beyond it the measured pose is held instead of the last sent one",
            )?;
            let command = if word == Word::Freeze {
                SafeCommand::Freeze { tolerance }
            } else {
                SafeCommand::HoldPoint { tolerance }
            };
            Some((command, Vec::new()))
        }
        Word::Damping => {
            let key = format!("{at}.safe.kd");
            let because = "how hard each joint is damped is never guessed";
            let kd = keys.needed(&key, parts.kd, "one gain, or one a joint", because)?;
            inside(keys, &key, &kd, lane, |one| one.kd.map(|max| (0.0, max)))?;
            Some((SafeCommand::Damping, kd))
        }
        Word::Values => {
            let key = format!("{at}.safe.values");
            let because = "what each joint is sent is never guessed";
            let values = keys.needed(&key, parts.values, "one value a joint", because)?;
            inside(keys, &key, &values, lane, |one| one.effort.map(|max| (-max, max)))?;
            Some((SafeCommand::Values, values))
        }
        Word::Silent => {
            let key = format!("{at}.safe.because");
            let why = "a controller that hears nothing decides for itself what the robot does";
            let reason = parts.because?;
            if reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
                keys.missing(&key, "one sentence", why);
                return None;
            }
            Some((SafeCommand::Silent, Vec::new()))
        }
    }
}

/// The gate must not send what it would refuse.
fn inside(
    keys: &mut Keys<'_>,
    key: &str,
    values: &[f64],
    lane: &Lane<'_>,
    bounds: impl Fn(&DimensionLimits) -> Option<(f64, f64)>,
) -> Option<()> {
    let joints = lane.shape.dimensions.iter();
    for ((value, limits), joint) in values.iter().zip(lane.limits?).zip(joints) {
        if let Some((low, high)) = bounds(limits)
            && !(*value >= low && *value <= high)
        {
            keys.refuse(
                key,
                format!("{value:?} for {joint} is not allowed"),
                format!("{low:?} <= v <= {high:?}, the lane's own limit"),
                "the gate must not send what it would refuse",
                "correct the value or the limit",
            );
            return None;
        }
    }
    Some(())
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

/// Keys of another word than the one chosen.
fn refuse_extra(keys: &mut Keys<'_>, at: &str, word: Word) -> Option<()> {
    use Word::{Damping, Freeze, HoldPoint, Silent, Values, ZeroVelocity};
    let sent = [ZeroVelocity, Freeze, HoldPoint, Damping, Values];
    let all: [(&str, &[Word], &str); 6] = [
        ("deceleration", &[ZeroVelocity], "only with zero_velocity"),
        ("tolerance", &[Freeze, HoldPoint], "only with freeze and hold_point"),
        ("kd", &[Damping], "only with damping"),
        ("values", &[Values], "only with values"),
        ("because", &[Silent], "only with silent"),
        ("rate_hz", &sent, "only where something is sent"),
    ];
    let mut is_good = Some(());
    for (name, users, only) in all {
        if users.contains(&word) {
            continue;
        }
        let key = format!("{at}.safe.{name}");
        if keys.refuse_effectless(&key, only, "the safe command chosen does not use it").is_none() {
            is_good = None;
        }
    }
    is_good
}

fn refuse_unfit(
    keys: &mut Keys<'_>,
    key: &str,
    word: Word,
    lane: &Lane<'_>,
    suited: &str,
) -> Option<()> {
    if !word.suits(lane) {
        let found = format!("{} is not allowed on this lane", word.text());
        let because = word.unsuited_because(lane);
        keys.refuse(key, found, suited, because, "choose one of the allowed");
        return None;
    }
    let is_plan = lane.shape.command_type == CommandType::JointTrajectory && !lane.is_balance;
    if word == Word::Silent && is_plan && lane.has_feedback == Some(true) {
        keys.refuse(
            key,
            "silent is not allowed for plans with feedback",
            "hold_point with its `tolerance`, or no feedback",
            "nothing would say how far from the measured pose a plan may begin, and every one would be refused",
            "write hold_point",
        );
        return None;
    }
    let needs_pose = matches!(word, Word::Freeze | Word::HoldPoint);
    if needs_pose && lane.has_feedback == Some(false) {
        keys.refuse(
            key,
            "needs the lane's feedback",
            "a feedback that measures positions",
            "the pose to hold is chosen between the last sent and the measured one",
            "describe the joint states under `feedback` and name them here",
        );
        return None;
    }
    Some(())
}
