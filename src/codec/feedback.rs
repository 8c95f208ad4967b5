//! Feedback: what a robot says of the joints or axes of one lane.

use std::sync::Arc;

use super::{CodecError, select};
use crate::cdr::{Found, Hit, Layout, MessageType, Path, read_f64};
use crate::config::model::FeedbackType;

/// Most joints a feedback message may name.
const MAX_JOINTS: usize = 1024;

#[derive(Clone, Debug)]
enum Map {
    /// `name`, `position`, `velocity` of a JointState; the lane's joints may be a part of them.
    Named { joints: Vec<Box<[u8]>>, places: Vec<usize> },
    /// Six axes of an Odometry's twist.
    Axes,
}

/// Reads one feedback topic for one lane.
#[derive(Clone, Debug)]
pub struct FeedbackCodec {
    layout: Layout,
    found: Found,
    map: Map,
    position: Vec<f64>,
    velocity: Vec<f64>,
}

/// What a message says of a lane. An empty slice: the message does not carry that quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Positions in the lane's order.
    pub position: &'a [f64],
    /// Velocities in the lane's order.
    pub velocity: &'a [f64],
}

impl FeedbackCodec {
    /// Compiles the codec for a lane's joints or axes.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name promises.
    pub fn new(
        kind: FeedbackType,
        message: &Arc<MessageType>,
        dimensions: &[String],
    ) -> Result<Self, CodecError> {
        let (selections, map) = match kind {
            FeedbackType::JointState => {
                let selections = vec![
                    select("name", MAX_JOINTS)?,
                    select("position", 1)?,
                    select("velocity", 1)?,
                ];
                let joints = dimensions.iter().map(|name| name.as_bytes().into()).collect();
                (selections, Map::Named { joints, places: vec![0; dimensions.len()] })
            }
            FeedbackType::Imu | FeedbackType::Mapped => {
                return Err(CodecError::Safe("this feedback is not available yet".to_owned()));
            }
            FeedbackType::Odometry => {
                let axes = [
                    "twist.twist.linear.x",
                    "twist.twist.linear.y",
                    "twist.twist.linear.z",
                    "twist.twist.angular.x",
                    "twist.twist.angular.y",
                    "twist.twist.angular.z",
                ];
                let selections = axes.into_iter().map(|path| select(path, 1));
                (selections.collect::<Result<_, _>>()?, Map::Axes)
            }
        };
        // What is not used need not be finite: covariances and efforts often are not.
        let unused: &[&'static str] = match kind {
            FeedbackType::JointState | FeedbackType::Imu | FeedbackType::Mapped => &["effort"],
            FeedbackType::Odometry => &["pose", "twist.covariance"],
        };
        let unused =
            unused.iter().map(|path| Path::parse(path).map_err(|_| CodecError::Path(path)));
        let unused = unused.collect::<Result<Vec<_>, _>>()?;
        let layout = Layout::compile(message, &selections, &unused)?;
        let found = layout.new_found();
        let capacity = dimensions.len();
        Ok(Self {
            layout,
            found,
            map,
            position: Vec::with_capacity(capacity),
            velocity: Vec::with_capacity(capacity),
        })
    }

    /// Reads a message; `None` where the bytes are malformed or do not name every joint of the
    /// lane.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Sample<'_>> {
        self.layout.find(bytes, &mut self.found).ok()?;
        self.position.clear();
        self.velocity.clear();
        match &mut self.map {
            Map::Named { joints, places } => {
                find_places(bytes, self.found.hits(0), joints, places)?;
                let named = self.found.hits(0).len();
                for (slot, values) in [(1, &mut self.position), (2, &mut self.velocity)] {
                    let hit = *self.found.hits(slot).first()?;
                    if hit.len == 0 {
                        continue;
                    }
                    if usize::try_from(hit.len) != Ok(named) {
                        return None;
                    }
                    let primitive = self.layout.primitive(slot)?;
                    for place in &*places {
                        let offset = hit.element(u32::try_from(*place).ok()?, primitive)?;
                        values.push(read_f64(bytes, self.found.endian(), primitive, offset)?);
                    }
                }
            }
            Map::Axes => {
                for slot in 0..6 {
                    let offset = self.found.hits(slot).first()?.offset;
                    let primitive = self.layout.primitive(slot)?;
                    self.velocity.push(read_f64(bytes, self.found.endian(), primitive, offset)?);
                }
            }
        }
        Some(Sample { position: &self.position, velocity: &self.velocity })
    }
}

/// Finds each joint's place in the message, looking first where it was last time.
fn find_places(
    bytes: &[u8],
    names: &[Hit],
    joints: &[Box<[u8]>],
    places: &mut [usize],
) -> Option<()> {
    for (joint, place) in joints.iter().zip(places) {
        let is_there = |hit: &Hit| hit.text(bytes) == Some(joint.as_ref());
        if !names.get(*place).is_some_and(is_there) {
            *place = names.iter().position(is_there)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::test_types::{joint_state_bytes, joint_state_type};

    fn codec(joints: &[&str]) -> FeedbackCodec {
        let joints: Vec<String> = joints.iter().map(|joint| (*joint).to_owned()).collect();
        FeedbackCodec::new(FeedbackType::JointState, &joint_state_type(), &joints).unwrap()
    }

    #[test]
    fn when_the_message_has_more_joints_in_another_order_expect_the_lanes_own() {
        let mut codec = codec(&["knee", "hip"]);
        let bytes =
            joint_state_bytes(&["hip", "wrist", "knee"], &[0.1, 0.2, 0.3], &[1.0, 2.0, 3.0], &[]);
        let sample = codec.read(&bytes).unwrap();
        assert_eq!(sample, Sample { position: &[0.3, 0.1], velocity: &[3.0, 1.0] });
        // The order may change from one message to the next.
        let bytes = joint_state_bytes(&["knee", "hip"], &[0.5, 0.6], &[], &[]);
        let sample = codec.read(&bytes).unwrap();
        assert_eq!(sample, Sample { position: &[0.5, 0.6], velocity: &[] });
    }

    #[test]
    fn when_a_joint_is_missing_or_counts_differ_expect_nothing() {
        let mut codec = codec(&["knee", "hip"]);
        assert!(codec.read(&joint_state_bytes(&["knee"], &[0.1], &[], &[])).is_none());
        assert!(codec.read(&joint_state_bytes(&["knee", "hip"], &[0.1], &[], &[])).is_none());
        assert!(codec.read(&[0, 1]).is_none());
    }
}
