//! Slots of lanes, their sources and joints.

use super::{
    Counter, Flag, GATE, Histogram, Level, MaybeCounter, OneOf, PERIOD, SourceUse, TRANSPORT,
    Table, TimestampGauge,
};
use crate::config::model::{CommandType, LaneConfig, SourceConfig};
use crate::gate::lane_state::LaneState;
use crate::gate::verdict::{Limit, Reason, Verdict};

/// Slots of one lane. Written by the gate thread; the two of its output by whoever audits the
/// graph.
#[derive(Debug)]
pub struct LaneSlots {
    /// Of the lane.
    pub name: String,
    /// In the order of [`LaneConfig::sources`].
    pub sources: Box<[SourceSlots]>,
    /// In the order of [`LaneConfig::dimensions`].
    pub joint_limits: Box<[JointSlots]>,
    /// Take returned to publish called.
    pub residence: Histogram,
    /// Inside publish.
    pub publish: Histogram,
    /// Between two messages toward the controller.
    pub output_interval: Histogram,
    /// Matched readers, absent until measured.
    pub output_subscribers: Level,
    /// Other writers, absent until measured.
    pub output_foreign_publishers: Level,
    /// Index of the source in charge.
    pub owner: OneOf<usize>,
    /// Starts as `released`.
    pub state: OneOf<LaneState>,
    /// Measured moving although its time to stop is over; absent where nobody knows.
    pub moves_after_stop: Flag,
}

/// Which limits changed one joint or axis.
#[derive(Debug)]
pub struct JointSlots {
    /// Of the joint or axis.
    pub name: String,
    /// Commands in which the limit changed this joint.
    pub limits: Table<Limit, Counter>,
}

/// Slots of one source. Written by the gate thread.
#[derive(Debug)]
pub struct SourceSlots {
    /// Of the source.
    pub name: String,
    /// For example a checkpoint's name.
    pub revision: String,
    /// What becomes of its commands.
    pub mode: SourceUse,
    /// Commands by verdict: the five add up to what was received.
    pub verdicts: Table<Verdict, Counter>,
    /// Rejections by reason.
    pub reasons: Table<Reason, Counter>,
    /// Limits by kind; one command can count under several.
    pub limits: Table<Limit, Counter>,
    /// Gaps in the publisher's sequence; absent until `lost.add(0)` says that the middleware
    /// numbers messages.
    pub lost: MaybeCounter,
    /// Receipt − header stamp. `None`: the lane's type has no stamp.
    pub age: Option<Histogram>,
    /// Receipt − source timestamp.
    pub transport: Histogram,
    /// Between two commands.
    pub interval: Histogram,
    /// Newest command.
    pub last_received: TimestampGauge,
}

impl LaneSlots {
    pub(super) fn new(lane: &LaneConfig) -> Self {
        let has_stamp = has_stamp(lane);
        let source = |source: &SourceConfig| SourceSlots::new(lane, source, has_stamp);
        let joint = |name: &String| JointSlots { name: name.clone(), limits: Table::default() };
        let state = OneOf::default();
        state.set(Some(LaneState::Released));
        Self {
            name: lane.name.clone(),
            sources: lane.sources.iter().map(source).collect(),
            joint_limits: lane.dimensions.iter().map(joint).collect(),
            residence: Histogram::new(&GATE),
            publish: Histogram::new(&GATE),
            output_interval: Histogram::new(&PERIOD),
            output_subscribers: Level::default(),
            output_foreign_publishers: Level::default(),
            owner: OneOf::default(),
            state,
            moves_after_stop: Flag::default(),
        }
    }
}

/// Whether a command of this type carries a header stamp.
fn has_stamp(lane: &LaneConfig) -> bool {
    match lane.command_type {
        CommandType::TwistStamped | CommandType::JointState | CommandType::JointTrajectory => true,
        CommandType::Twist | CommandType::Float64MultiArray => false,
        CommandType::Mapped => lane.fields.stamp.is_some(),
    }
}

impl SourceSlots {
    pub(super) fn new(lane: &LaneConfig, source: &SourceConfig, has_stamp: bool) -> Self {
        Self {
            name: source.name.clone(),
            revision: source.revision.clone(),
            mode: SourceUse::of(lane.mode, source.mode),
            verdicts: Table::default(),
            reasons: Table::default(),
            limits: Table::default(),
            lost: MaybeCounter::default(),
            age: has_stamp.then(|| Histogram::new(&TRANSPORT)),
            transport: Histogram::new(&TRANSPORT),
            interval: Histogram::new(&PERIOD),
            last_received: TimestampGauge::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::fixture;

    #[test]
    fn when_the_type_has_no_stamp_expect_no_age() {
        let slots = fixture::slots();
        assert!(slots.lanes[0].sources.iter().all(|s| s.age.is_none()));
        assert!(slots.lanes[1].sources.iter().all(|s| s.age.is_some()));
    }
}
