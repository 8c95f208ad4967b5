//! Commands: the built-in maps of the five standard types.

use std::sync::Arc;

use super::joints::JointOrder;
use super::{CodecError, select};
use crate::cdr::{
    Endian, Found, Layout, Malformed, MessageType, Primitive, Stamp, read_f64, read_stamp,
    write_f64, write_stamp,
};
use crate::config::model::{CommandType, Interface, LaneConfig};
use crate::gate::check::Refusal;
use crate::gate::command::Command;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;

/// Most points of a trajectory. 64 KiB hold 8,192 numbers.
const MAX_POINTS: usize = 4096;

/// Where the numbers of a type are: the slots of its layout.
#[derive(Clone, Debug)]
enum Map {
    /// Six scalar slots, `linear.x` to `angular.z`.
    Axes { first: usize },
    /// One array in the lane's own order, by `joint_index`.
    Array { slot: usize, place_of: Vec<usize> },
    /// Names and up to three arrays.
    Named { names: usize, quantities: [usize; 3], order: JointOrder },
    /// Names and, for each point, four arrays and a time.
    Plan { names: usize, quantities: [usize; 4], times: usize, order: JointOrder },
}

/// Reads and writes the commands of one lane.
#[derive(Clone, Debug)]
pub struct CommandCodec {
    layout: Layout,
    found: Found,
    map: Map,
    stamp: Option<usize>,
    interface: Interface,
    partial: bool,
    dimensions: usize,
    capacity: usize,
}

impl CommandCodec {
    /// Compiles the codec of a lane for its message type.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name promises.
    pub fn new(
        lane: &LaneConfig,
        message: &Arc<MessageType>,
        max_message_bytes: usize,
    ) -> Result<Self, CodecError> {
        let dimensions = lane.dimensions.len();
        // Enough to tell a wrong count from a broken message.
        let names = dimensions.saturating_mul(2).saturating_add(8);
        let (selections, map, stamp) = match lane.command_type {
            CommandType::Twist => (axes(&AXES, None)?, Map::Axes { first: 0 }, None),
            CommandType::TwistStamped => {
                let selections = axes(&STAMPED_AXES, Some("header.stamp"))?;
                (selections, Map::Axes { first: 1 }, Some(0))
            }
            CommandType::Float64MultiArray => {
                let place_of = lane.joint_index.clone();
                (vec![select("data", 1)?], Map::Array { slot: 0, place_of }, None)
            }
            CommandType::Mapped => {
                return Err(CodecError::Safe("field maps are not available yet".to_owned()));
            }
            CommandType::JointState => {
                let selections = vec![
                    select("header.stamp", 1)?,
                    select("name", names)?,
                    select("position", 1)?,
                    select("velocity", 1)?,
                    select("effort", 1)?,
                ];
                let order = JointOrder::new(&lane.dimensions);
                (selections, Map::Named { names: 1, quantities: [2, 3, 4], order }, Some(0))
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
                let order = JointOrder::new(&lane.dimensions);
                let quantities = [2, 3, 4, 5];
                (selections, Map::Plan { names: 1, quantities, times: 6, order }, Some(0))
            }
        };
        let layout = Layout::compile(message, &selections, &[])?;
        let found = layout.new_found();
        let capacity = (max_message_bytes / 8).max(dimensions);
        Ok(Self {
            layout,
            found,
            map,
            stamp,
            interface: lane.interface,
            partial: lane.partial,
            dimensions,
            capacity,
        })
    }

    /// Most numbers of one quantity in a command of this lane.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// A command with room for every message of this lane.
    #[must_use]
    pub fn new_command(&self) -> Command {
        Command::with_capacity(self.dimensions, self.capacity)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// A refusal of the whole message: malformed, wrong count, unknown or duplicate joint, or a
    /// number outside the command's fields that is not finite.
    pub fn decode(&mut self, bytes: &[u8], command: &mut Command) -> Result<(), Refusal> {
        command.clear();
        self.layout.find(bytes, &mut self.found).map_err(refusal)?;
        command.stamp = self.stamp.and_then(|slot| self.stamp_at(slot, bytes));
        let reader = Reader { bytes, found: &self.found, layout: &self.layout };
        match &mut self.map {
            Map::Axes { first } => {
                command.points = 1;
                for slot in *first..first.saturating_add(6) {
                    command.velocity.push(reader.scalar(slot)?);
                }
            }
            Map::Array { slot, place_of } => {
                command.points = 1;
                let values = match self.interface {
                    Interface::Position => &mut command.position,
                    Interface::Velocity => &mut command.velocity,
                    Interface::Effort => &mut command.effort,
                };
                reader.array(*slot, place_of, values)?;
            }
            Map::Named { names, quantities, order } => {
                order.read(bytes, &self.found, *names, self.partial)?;
                command.points = 1;
                command.given.copy_from_slice(order.seen());
                let targets = [&mut command.position, &mut command.velocity, &mut command.effort];
                for (slot, values) in quantities.iter().zip(targets) {
                    reader.points(*slot, order.joint_at(), self.dimensions, 1, values)?;
                }
            }
            Map::Plan { names, quantities, times, order } => {
                command.points = self.found.hits(*times).len();
                if command.points > 0 || !self.found.hits(*names).is_empty() {
                    order.read(bytes, &self.found, *names, self.partial)?;
                    command.given.copy_from_slice(order.seen());
                }
                let targets = [
                    &mut command.position,
                    &mut command.velocity,
                    &mut command.acceleration,
                    &mut command.effort,
                ];
                for (slot, values) in quantities.iter().zip(targets) {
                    let joints = order.joint_at();
                    reader.points(*slot, joints, self.dimensions, command.points, values)?;
                }
                reader.times(*times, &mut command.times)?;
            }
        }
        Ok(())
    }

    /// Writes the command's numbers into the message that was decoded last. Nothing else in the
    /// buffer changes. Returns false when a number has no place there, which cannot happen for the
    /// bytes just decoded; the caller then must not publish.
    #[must_use]
    pub fn encode(&self, bytes: &mut [u8], command: &Command) -> bool {
        let mut writer = Writer { bytes, found: &self.found, layout: &self.layout };
        match &self.map {
            Map::Axes { first } => command
                .velocity
                .iter()
                .zip(*first..)
                .all(|(value, slot)| writer.scalar(slot, *value)),
            Map::Array { slot, place_of } => {
                let values = match self.interface {
                    Interface::Position => &command.position,
                    Interface::Velocity => &command.velocity,
                    Interface::Effort => &command.effort,
                };
                let mut pairs = place_of.iter().zip(values);
                pairs.all(|(place, value)| writer.element(*slot, 0, *place, *value))
            }
            Map::Named { quantities, order, .. } => {
                let sources = [&command.position, &command.velocity, &command.effort];
                let joints = order.joint_at();
                let mut pairs = quantities.iter().zip(sources);
                pairs.all(|(slot, values)| writer.points(*slot, joints, self.dimensions, values))
            }
            Map::Plan { quantities, order, .. } => {
                let sources =
                    [&command.position, &command.velocity, &command.acceleration, &command.effort];
                let joints = order.joint_at();
                let mut pairs = quantities.iter().zip(sources);
                pairs.all(|(slot, values)| writer.points(*slot, joints, self.dimensions, values))
            }
        }
    }

    /// Writes the header stamp of the message that was decoded last; true where it has none.
    #[must_use]
    pub fn write_stamp(&self, bytes: &mut [u8], wall: WallTime) -> bool {
        let Some(slot) = self.stamp else { return true };
        let (sec, nanosec) = wall.to_sec_nanosec();
        let offset = self.found.hits(slot).first().map(|hit| hit.offset);
        offset.is_some_and(|offset| {
            write_stamp(bytes, self.found.endian(), offset, Stamp { sec, nanosec }).is_some()
        })
    }

    /// The interface that the lane commands.
    #[must_use]
    pub const fn interface(&self) -> Interface {
        self.interface
    }

    /// Whether the message decoded last names every joint.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.map {
            Map::Axes { .. } | Map::Array { .. } => true,
            Map::Named { order, .. } | Map::Plan { order, .. } => {
                order.seen().iter().all(|seen| *seen)
            }
        }
    }

    fn stamp_at(&self, slot: usize, bytes: &[u8]) -> Option<WallTime> {
        let hit = self.found.hits(slot).first()?;
        let stamp = read_stamp(bytes, self.found.endian(), hit.offset)?;
        let nanos = i64::from(stamp.sec)
            .checked_mul(1_000_000_000)?
            .checked_add(i64::from(stamp.nanosec))?;
        // A zero stamp means "not stamped".
        (nanos != 0).then_some(WallTime::from_nanos(nanos))
    }
}

const AXES: [&str; 6] = ["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"];

const STAMPED_AXES: [&str; 6] = [
    "twist.linear.x",
    "twist.linear.y",
    "twist.linear.z",
    "twist.angular.x",
    "twist.angular.y",
    "twist.angular.z",
];

fn axes(
    axes: &[&'static str; 6],
    stamp: Option<&'static str>,
) -> Result<Vec<crate::cdr::Selection>, CodecError> {
    stamp.iter().chain(axes).map(|path| select(path, 1)).collect()
}

/// What a malformed message is refused for.
fn refusal(malformed: Malformed) -> Refusal {
    Refusal::whole(match malformed {
        Malformed::NotFinite { .. } => Reason::NotFinite,
        Malformed::TooManyHits { .. } => Reason::WrongCount,
        Malformed::Truncated { .. }
        | Malformed::TooLarge
        | Malformed::BadEncapsulation { .. }
        | Malformed::CountTooLarge { .. }
        | Malformed::OverBound { .. }
        | Malformed::BadBool { .. }
        | Malformed::BadString { .. } => Reason::Malformed,
    })
}

const MALFORMED: Refusal = Refusal::whole(Reason::Malformed);
const WRONG_COUNT: Refusal = Refusal::whole(Reason::WrongCount);

struct Reader<'a> {
    bytes: &'a [u8],
    found: &'a Found,
    layout: &'a Layout,
}

impl Reader<'_> {
    fn endian(&self) -> Endian {
        self.found.endian()
    }

    fn primitive(&self, slot: usize) -> Primitive {
        self.layout.primitive(slot).unwrap_or(Primitive::F64)
    }

    fn scalar(&self, slot: usize) -> Result<f64, Refusal> {
        let hit = self.found.hits(slot).first().ok_or(MALFORMED)?;
        let primitive = self.primitive(slot);
        read_f64(self.bytes, self.endian(), primitive, hit.offset).ok_or(MALFORMED)
    }

    /// One array whose length must be that of `place_of`.
    fn array(&self, slot: usize, place_of: &[usize], values: &mut Vec<f64>) -> Result<(), Refusal> {
        let hit = self.found.hits(slot).first().ok_or(MALFORMED)?;
        let (primitive, endian) = (self.primitive(slot), self.endian());
        if usize::try_from(hit.len) != Ok(place_of.len()) {
            return Err(WRONG_COUNT);
        }
        for place in place_of {
            let place = u32::try_from(*place).unwrap_or(u32::MAX);
            let offset = hit.element(place, primitive).ok_or(WRONG_COUNT)?;
            values.push(read_f64(self.bytes, endian, primitive, offset).ok_or(MALFORMED)?);
        }
        Ok(())
    }

    /// One array for each point, all empty or all with one value for each named joint. Joints that
    /// the message does not name stay NaN.
    fn points(
        &self,
        slot: usize,
        joint_at: &[usize],
        dimensions: usize,
        points: usize,
        values: &mut Vec<f64>,
    ) -> Result<(), Refusal> {
        let hits = self.found.hits(slot);
        if hits.iter().all(|hit| hit.len == 0) {
            return Ok(());
        }
        let room = points.checked_mul(dimensions).filter(|room| *room <= values.capacity());
        values.resize(room.ok_or(WRONG_COUNT)?, f64::NAN);
        let (primitive, endian) = (self.primitive(slot), self.endian());
        for (hit, row) in hits.iter().zip(values.chunks_exact_mut(dimensions)) {
            if usize::try_from(hit.len) != Ok(joint_at.len()) {
                return Err(WRONG_COUNT);
            }
            for (place, joint) in (0..hit.len).zip(joint_at) {
                let offset = hit.element(place, primitive).ok_or(MALFORMED)?;
                let value = read_f64(self.bytes, endian, primitive, offset).ok_or(MALFORMED)?;
                *row.get_mut(*joint).ok_or(MALFORMED)? = value;
            }
        }
        Ok(())
    }

    fn times(&self, slot: usize, times: &mut Vec<i64>) -> Result<(), Refusal> {
        for hit in self.found.hits(slot) {
            let stamp = read_stamp(self.bytes, self.endian(), hit.offset).ok_or(MALFORMED)?;
            let seconds = i64::from(stamp.sec).saturating_mul(1_000_000_000);
            times.push(seconds.saturating_add(i64::from(stamp.nanosec)));
        }
        Ok(())
    }
}

struct Writer<'a> {
    bytes: &'a mut [u8],
    found: &'a Found,
    layout: &'a Layout,
}

impl Writer<'_> {
    fn scalar(&mut self, slot: usize, value: f64) -> bool {
        self.element(slot, 0, 0, value)
    }

    fn element(&mut self, slot: usize, hit: usize, place: usize, value: f64) -> bool {
        let Some(primitive) = self.layout.primitive(slot) else { return false };
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let offset = self.found.hits(slot).get(hit).and_then(|hit| hit.element(place, primitive));
        let endian = self.found.endian();
        offset
            .is_some_and(|offset| write_f64(self.bytes, endian, primitive, offset, value).is_some())
    }

    fn points(
        &mut self,
        slot: usize,
        joint_at: &[usize],
        dimensions: usize,
        values: &[f64],
    ) -> bool {
        if values.is_empty() {
            return true;
        }
        let mut rows = values.chunks_exact(dimensions).enumerate();
        rows.all(|(hit, row)| {
            let mut places = joint_at.iter().enumerate();
            places.all(|(place, joint)| {
                row.get(*joint).is_some_and(|value| self.element(slot, hit, place, *value))
            })
        })
    }
}

#[cfg(test)]
mod tests;
