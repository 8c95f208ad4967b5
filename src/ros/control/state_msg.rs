//! `~/state` from the status: the same words, in ROS's types.

use r2r::builtin_interfaces::msg::Time;
use r2r::diagnostic_msgs::msg::KeyValue;
use r2r::interlock::msg;

use crate::gate::lane_state::LaneState;
use crate::gate::state::State;
use crate::gate::units::WallTime;
use crate::telemetry::status::{
    CauseStatus, ConditionStatus, KillInputStatus, LaneStatus, SourceStatus, Status, TripStatus,
};

/// The whole message.
pub(super) fn state(status: &Status, wall: WallTime) -> msg::State {
    let trip = |trip: &Option<TripStatus>| trip.as_ref().map(self::trip).unwrap_or_default();
    msg::State {
        stamp: time(wall),
        state: match State::from_label(&status.state) {
            Some(State::Disarmed) => 1,
            Some(State::Active) => 2,
            Some(State::Killed) => 3,
            None => 0,
        },
        label: status.state.clone(),
        since: seconds(status.since_unix_s),
        permitted: status.permitted,
        seq: status.seq,
        first_trip: trip(&status.first_trip),
        last_trip: trip(&status.last_trip),
        unmet: status.unmet.iter().map(condition).collect(),
        profile: status.profile.clone().unwrap_or_default(),
        derating: status.derating,
        lanes: status.lanes.iter().map(lane).collect(),
        kill_inputs: status.kill_inputs.iter().map(|i| kill_input(i, wall)).collect(),
        ignored_causes: status.ignored_causes.clone(),
        hardware_id: status.hardware_id.clone(),
        version: status.version.clone(),
        config_sha256: status.config_sha256.clone(),
        extra: status
            .causes
            .iter()
            .map(cause)
            .chain(latch(status))
            .chain(motions(status))
            .collect(),
    }
}

/// `latch`, where it is not kept on disk.
fn latch(status: &Status) -> Option<KeyValue> {
    let value = status.latch.clone();
    (!value.is_empty()).then(|| KeyValue { key: "latch".to_owned(), value })
}

/// A cause that is there: `cause feedback_stale arms` = `hold: …`.
fn cause(cause: &CauseStatus) -> KeyValue {
    let CauseStatus { cause, subject, action, acts, text } = cause;
    let when = if *acts { "" } else { " soon" };
    KeyValue {
        key: format!("cause {cause} {subject}").trim_end().to_owned(),
        value: format!("{action}{when}: {text}"),
    }
}

/// A lane that does not stand still after a stop: `not still arms` = `left_elbow moves …`.
fn motions(status: &Status) -> impl Iterator<Item = KeyValue> + '_ {
    let moving = status.lanes.iter().filter(|lane| !lane.motion.is_empty());
    moving.map(|lane| KeyValue {
        key: format!("not still {}", lane.name),
        value: lane.motion.clone(),
    })
}

/// One unmet condition.
pub(super) fn condition(condition: &ConditionStatus) -> msg::Condition {
    msg::Condition {
        code: condition.code.clone(),
        subject: condition.subject.clone(),
        text: condition.text.clone(),
    }
}

fn lane(lane: &LaneStatus) -> msg::LaneState {
    let count = |count: Option<u64>| u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX);
    msg::LaneState {
        name: lane.name.clone(),
        mode: lane.mode.clone(),
        state: match LaneState::from_label(&lane.state) {
            Some(LaneState::Released) => 1,
            Some(LaneState::Waiting) => 2,
            Some(LaneState::Flowing) => 3,
            Some(LaneState::Holding) => 4,
            Some(LaneState::Safe) => 5,
            None => 0,
        },
        label: lane.state.clone(),
        owner: lane.owner.clone().unwrap_or_default(),
        selected: lane.selected.clone().unwrap_or_default(),
        safe_command: lane.safe_command.clone(),
        subscribers: count(lane.subscribers),
        foreign_publishers: count(lane.foreign_publishers),
        sources: lane.sources.iter().map(source).collect(),
    }
}

fn source(source: &SourceStatus) -> msg::SourceState {
    msg::SourceState {
        name: source.name.clone(),
        mode: source.mode.clone(),
        revision: source.revision.clone(),
        priority: i32::from(source.priority),
        alive: source.alive,
        silent_for_s: source.silent_for_s.unwrap_or(f64::NAN),
        passed: source.passed,
        limited: source.limited,
        rejected: source.rejected,
        withheld: source.withheld,
        not_selected: source.not_selected,
        last_reason: source.last_reason.clone().unwrap_or_default(),
    }
}

fn kill_input(input: &KillInputStatus, wall: WallTime) -> msg::KillInputState {
    let seen = input.silent_for_s.and_then(|ago| std::time::Duration::try_from_secs_f64(ago).ok());
    let seen = seen.and_then(|ago| {
        let ago = i64::try_from(ago.as_nanos()).ok()?;
        wall.as_nanos().checked_sub(ago).map(WallTime::from_nanos)
    });
    msg::KillInputState {
        name: input.name.clone(),
        asserted: input.asserted,
        lost: input.lost,
        seen: input.seen,
        incompatible: !input.note.is_empty(),
        last_seen: seen.map(time).unwrap_or_default(),
        asserted_by: input.asserted_by.clone(),
    }
}

fn trip(trip: &TripStatus) -> msg::Trip {
    let TripStatus { detail, reason, .. } = trip;
    msg::Trip {
        seq: trip.seq,
        stamp: seconds(trip.stamp_unix_s),
        cause: trip.cause.clone(),
        subject: trip.subject.clone(),
        detail: if reason.is_empty() { detail.clone() } else { format!("{detail}: {reason:?}") },
        operator_name: trip.operator.clone(),
    }
}

/// A stamp in ROS's type.
pub(super) fn time(wall: WallTime) -> Time {
    let (sec, nanosec) = wall.to_sec_nanosec();
    Time { sec, nanosec }
}

#[expect(clippy::as_conversions, reason = "seconds of a stamp for people; saturates")]
fn seconds(unix_s: f64) -> Time {
    time(WallTime::from_nanos((unix_s * 1e9) as i64))
}
