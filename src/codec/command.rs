//! Commands: a message as the lane's numbers, and changed numbers back into the message.
//!
//! One [`CommandCodec`] a lane, compiled from its message type. Five standard types have a map built
//! in; any other has one from the params file (`fields`, `keep`, `fixed`, `checksum`).
//!
//! **Invariant:** no allocation after construction; [`CommandCodec::encode`] changes the numbers that
//! the command changed and the checksum over them, and nothing else.

mod builtin;

use std::sync::Arc;

use super::CodecError;
use super::joints::JointOrder;
use super::mapped::{self, Mapped};
use super::numbers::{Reader, Writer};
use crate::cdr::{
    Found, Layout, Malformed, MessageType, Path, Stamp, StructChecksum, read_stamp, write_stamp,
};
use crate::config::model::{
    ChecksumConfig, ChecksumKind, CommandType, FieldMap, Interface, LaneConfig, Mirror,
};
use crate::gate::check::Refusal;
use crate::gate::command::Command;
use crate::gate::units::WallTime;
use crate::gate::verdict::Reason;

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
    /// From the params file.
    Mapped(Box<Mapped>),
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
    checksum: Option<StructChecksum>,
    /// Newest value of each mirrored feedback field.
    mirrors: Vec<Option<i64>>,
    /// What a safe message begins with, where a map tells.
    start: Option<Start>,
}

/// What a mapped lane's safe message begins with.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) bytes: Vec<u8>,
    /// Floats are kept as last sent, which no default can stand for.
    pub(super) keeps_floats: bool,
    /// Numbers of any kind are.
    pub(super) keeps_numbers: bool,
}

impl CommandCodec {
    /// Compiles the codec of a lane for its message type.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name or the lane's map promises.
    pub fn new(
        lane: &LaneConfig,
        message: &Arc<MessageType>,
        max_message_bytes: usize,
    ) -> Result<Self, CodecError> {
        let dimensions = lane.dimensions.len();
        let mut capacity = (max_message_bytes / 8).max(dimensions);
        let mut start = None;
        let (selections, map, stamp) = match field_map(lane)? {
            Some(fields) => {
                let compiled = mapped::compile(lane, &fields, message)?;
                let mapped::Compiled {
                    map,
                    selections,
                    stamp,
                    start: bytes,
                    keeps_floats,
                    keeps_numbers,
                } = compiled;
                start = Some(Start { bytes, keeps_floats, keeps_numbers });
                // One point, never more.
                capacity = dimensions;
                (selections, Map::Mapped(Box::new(map)), stamp)
            }
            None => match builtin::built_in(lane)? {
                Some(parts) => parts,
                None => return Err(CodecError::Safe("no map".to_owned())),
            },
        };
        let layout = Layout::compile(message, &selections, &lane.allow_non_finite)?;
        let found = layout.new_found();
        let checksum =
            lane.checksum.as_ref().map(|config| checksum(config, message)).transpose()?;
        let mirrors = vec![None; mirrors_of(lane).count()];
        Ok(Self {
            layout,
            found,
            map,
            stamp,
            interface: lane.interface,
            partial: lane.partial,
            dimensions,
            capacity,
            checksum,
            mirrors,
            start,
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

    /// Notes the newest value of a mirrored feedback field, by its number in [`mirrors_of`].
    pub fn set_mirror(&mut self, mirror: usize, value: i64) {
        if let Some(place) = self.mirrors.get_mut(mirror) {
            *place = Some(value);
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// A refusal of the whole message: malformed, wrong checksum, wrong count, unknown or duplicate
    /// joint, a fixed field with another value, an element of no joint that is not zero, or a number
    /// outside the command's fields that is not finite.
    pub fn decode(&mut self, bytes: &[u8], command: &mut Command) -> Result<(), Refusal> {
        command.clear();
        self.layout.find(bytes, &mut self.found).map_err(refusal)?;
        if let Some(checksum) = &mut self.checksum
            && !checksum.is_right(bytes, self.found.endian())
        {
            return Err(Refusal::whole(Reason::Checksum));
        }
        command.stamp = self.stamp.and_then(|slot| self.stamp_at(slot, bytes));
        self.read_numbers(bytes, command)?;
        match &self.map {
            Map::Mapped(mapped) => mapped.check(bytes, &self.found, &self.mirrors),
            Map::Axes { .. } | Map::Array { .. } | Map::Named { .. } | Map::Plan { .. } => Ok(()),
        }
    }

    /// Finds the numbers of bytes that are ours or were accepted before, and reads them.
    pub(super) fn locate(&mut self, bytes: &[u8], command: &mut Command) -> Result<(), Refusal> {
        command.clear();
        self.layout.find(bytes, &mut self.found).map_err(refusal)?;
        self.read_numbers(bytes, command)
    }

    fn read_numbers(&mut self, bytes: &[u8], command: &mut Command) -> Result<(), Refusal> {
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
            Map::Mapped(mapped) => mapped.read(bytes, &self.found, command, self.partial)?,
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

    /// Writes the command's numbers into the message that was decoded last, and the checksum over
    /// them. Nothing else in the buffer changes. Returns false when a number has no place there,
    /// which cannot happen for the bytes just decoded; the caller then must not publish.
    #[must_use]
    pub fn encode(&mut self, bytes: &mut [u8], command: &Command) -> bool {
        self.write_numbers(bytes, command) && self.seal(bytes)
    }

    /// Writes the checksum anew, where there is one.
    #[must_use]
    pub(super) fn seal(&mut self, bytes: &mut [u8]) -> bool {
        let endian = self.found.endian();
        self.checksum.as_mut().is_none_or(|checksum| checksum.write(bytes, endian).is_some())
    }

    pub(super) fn write_numbers(&self, bytes: &mut [u8], command: &Command) -> bool {
        let mut writer = Writer { bytes, found: &self.found, layout: &self.layout };
        match &self.map {
            Map::Mapped(mapped) => mapped.write(writer.bytes, writer.found, command),
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
                let pairs = place_of.iter().zip(values);
                writer.elements(*slot, 0, pairs.map(|(place, value)| (*place, *value)))
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

    /// Writes the header stamp of the message that was decoded last; true where it has none. A
    /// checksum is not written.
    #[must_use]
    pub(super) fn write_stamp(&self, bytes: &mut [u8], wall: WallTime) -> bool {
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
            Map::Mapped(mapped) => mapped.is_complete(),
            Map::Named { order, .. } | Map::Plan { order, .. } => {
                order.seen().iter().all(|seen| *seen)
            }
        }
    }

    /// The map from the params file, with what was found last and the mirrors.
    pub(super) fn mapped(&self) -> Option<(&Mapped, &Found, &[Option<i64>])> {
        match &self.map {
            Map::Mapped(mapped) => Some((mapped, &self.found, &self.mirrors)),
            Map::Axes { .. } | Map::Array { .. } | Map::Named { .. } | Map::Plan { .. } => None,
        }
    }

    /// What the safe message of a mapped lane begins with.
    pub(super) const fn start(&self) -> Option<&Start> {
        self.start.as_ref()
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

/// The feedback fields that a lane's fixed fields mirror, in the order of their numbers.
pub fn mirrors_of(lane: &LaneConfig) -> impl Iterator<Item = &Mirror> {
    lane.fixed.iter().filter_map(|fixed| fixed.mirror.as_ref())
}

/// The map from the params file; `None` where the type's built-in one is used.
fn field_map(lane: &LaneConfig) -> Result<Option<FieldMap>, CodecError> {
    if lane.command_type == CommandType::Mapped || lane.fields != FieldMap::default() {
        return Ok(Some(lane.fields.clone()));
    }
    match mapped::needs_map(lane) {
        None => Ok(None),
        Some(_) if lane.command_type == CommandType::Float64MultiArray => {
            let path = Path::parse("data").map_err(|_| CodecError::Path("data"))?;
            Ok(Some(mapped::array_map(lane.interface, path)))
        }
        Some(key) => Err(CodecError::BuiltInMap { key, type_name: lane.type_name.clone() }),
    }
}

/// The checksum of a type, as configured.
pub(super) fn checksum(
    config: &ChecksumConfig,
    message: &MessageType,
) -> Result<StructChecksum, CodecError> {
    let made = match config.kind {
        ChecksumKind::UnitreeCrc32 => StructChecksum::unitree_crc32(message, &config.field),
    };
    made.map_err(|problem| CodecError::Checksum {
        field: config.field.to_string(),
        message: message.name.clone(),
        problem: Box::new(problem),
        has: mapped::describe(message),
    })
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

#[cfg(test)]
mod tests;
