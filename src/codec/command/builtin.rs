//! The built-in maps of the five standard types.

use super::Map;
use crate::cdr::Selection;
use crate::codec::joints::JointOrder;
use crate::codec::{CodecError, select};
use crate::config::model::{CommandType, LaneConfig};

/// Most points of a trajectory. 64 KiB hold 8,192 numbers.
const MAX_POINTS: usize = 4096;

const AXES: [&str; 6] = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];

const STAMPED_AXES: [&str; 6] = [
    "twist.linear.x",
    "twist.linear.y",
    "twist.linear.z",
    "twist.angular.x",
    "twist.angular.y",
    "twist.angular.z",
];

/// Selections, map and the stamp's slot of a type; `None` for one without a built-in map.
pub(super) type BuiltIn = Option<(Vec<Selection>, Map, Option<usize>)>;

/// The built-in map of the lane's type.
pub(super) fn built_in(lane: &LaneConfig) -> Result<BuiltIn, CodecError> {
    // Enough to tell a wrong count from a broken message.
    let names = lane.dimensions.len().saturating_mul(2).saturating_add(8);
    let order = || JointOrder::new(&lane.dimensions);
    Ok(Some(match lane.command_type {
        CommandType::Mapped => return Ok(None),
        CommandType::Twist => (axes(&AXES, None)?, Map::Axes { first: 0 }, None),
        CommandType::TwistStamped => {
            let selections = axes(&STAMPED_AXES, Some("header.stamp"))?;
            (selections, Map::Axes { first: 1 }, Some(0))
        }
        CommandType::Float64MultiArray => {
            let place_of = lane.joint_index.clone();
            (vec![select("data", 1)?], Map::Array { slot: 0, place_of }, None)
        }
        CommandType::JointState => {
            let selections = vec![
                select("header.stamp", 1)?,
                select("name", names)?,
                select("position", 1)?,
                select("velocity", 1)?,
                select("effort", 1)?,
            ];
            let quantities = [2, 3, 4];
            (selections, Map::Named { names: 1, quantities, order: order() }, Some(0))
        }
        CommandType::JointTrajectory => {
            let selections = vec![
                select("header.stamp", 1)?,
                select("joint_names", names)?,
                select("points[].positions", MAX_POINTS)?,
                select("points[].velocities", MAX_POINTS)?,
                select("points[].accelerations", MAX_POINTS)?,
                select("points[].effort", MAX_POINTS)?,
                select("points[].time_from_start", MAX_POINTS)?,
            ];
            let quantities = [2, 3, 4, 5];
            (selections, Map::Plan { names: 1, quantities, times: 6, order: order() }, Some(0))
        }
    }))
}

fn axes(
    axes: &[&'static str; 6],
    stamp: Option<&'static str>,
) -> Result<Vec<Selection>, CodecError> {
    stamp.iter().chain(axes).map(|path| select(path, 1)).collect()
}
