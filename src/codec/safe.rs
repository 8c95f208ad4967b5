//! A lane's safe message: complete from start-up, then built on the last forwarded command.
//!
//! What the gate does not set (frame names, layouts, `keep`, fixed fields) stays as it was in the
//! last forwarded command; stamps are fresh, mirrored fields follow the newest feedback, and the
//! checksum is written anew. A trajectory lane keeps its own message: one point, not stamped, which
//! means "now".
//!
//! | command | position | velocity | effort | kp | kd |
//! |---|---|---|---|---|---|
//! | `freeze`, `hold_point` | the pose | 0 | 0 | as sent | as sent |
//! | `zero_velocity` | as sent | the values | 0 | as sent | as sent |
//! | `damping` | as sent | 0 | 0 | 0 | the targets |
//! | `values` | the targets or as sent | the targets or 0 | the targets or 0 | as sent | as sent |
//!
//! **Invariant:** nothing is made up. Gains and kept floats have no default that could stand for
//! them; a message that needs them is not rendered before a command was seen, and
//! [`SafeMessage::missing`] says what it waits for.

mod mapped;

use std::sync::Arc;

use super::CodecError;
use super::command::CommandCodec;
use super::mapped::Carries;
use crate::cdr::{Endian, MessageType, Path, Value, encode};
use crate::config::model::{CommandType, Interface, LaneConfig};
use crate::gate::command::Command;
use crate::gate::limits::DimensionLimits;
use crate::gate::safe::SafeCommand;
use crate::gate::units::WallTime;

/// The safe message of one lane.
#[derive(Clone, Debug)]
pub struct SafeMessage {
    bytes: Vec<u8>,
    codec: CommandCodec,
    command: Command,
    limits: Vec<DimensionLimits>,
    configured: Vec<f64>,
    /// Whether `codec` knows the places in `bytes`.
    is_read: bool,
    basis: Basis,
    /// It cannot be made from defaults alone.
    needs_command: bool,
    /// It can, and has numbers that are kept.
    keeps_numbers: bool,
    /// Trajectories are never built on somebody's plan.
    follows_commands: bool,
    stamped: bool,
}

/// What a safe message is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// The type's defaults and the params file.
    Defaults,
    /// A valid command that was not forwarded.
    Seen,
    /// The last forwarded command.
    Forwarded,
}

/// What a safe message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A valid command: its gains, kept numbers or pose have no default.
    Command,
    /// The value of a mirrored feedback field, by its number in
    /// [`mirrors_of`](super::command::mirrors_of).
    Mirror(usize),
    /// A valid command, before an arm: whole numbers that are kept are zero so far. The message can be
    /// rendered all the same.
    Kept,
}

/// What is to become of a quantity in a safe message.
#[derive(Clone, Copy, Debug)]
enum Set<'a> {
    /// As it is.
    Leave,
    /// Zero everywhere.
    Zero,
    /// One value for each joint or axis.
    To(&'a [f64]),
}

impl SafeMessage {
    /// Makes the message from the type's defaults. Never larger than `max_message_bytes`.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name promises, or has no field for what the
    /// lane's safe command needs.
    pub fn new(
        lane: &LaneConfig,
        message: &Arc<MessageType>,
        codec: CommandCodec,
        max_message_bytes: usize,
    ) -> Result<Self, CodecError> {
        let start = match codec.start() {
            Some(start) => start.bytes.clone(),
            None => built_in_start(lane, message)?,
        };
        needs_field(lane, &codec)?;
        let mut bytes = Vec::with_capacity(max_message_bytes.max(start.len()));
        bytes.extend_from_slice(&start);
        let plan = lane.command_type == CommandType::JointTrajectory;
        let mut safe = Self {
            bytes,
            command: codec.new_command(),
            needs_command: needs_command(lane, &codec),
            keeps_numbers: keeps_numbers(lane, &codec),
            codec,
            limits: lane.limits.clone(),
            configured: lane.safe_targets.clone(),
            is_read: false,
            basis: Basis::Defaults,
            follows_commands: !plan,
            stamped: !plan,
        };
        if safe.locate().is_none() {
            return Err(CodecError::Safe("it cannot be read back".to_owned()));
        }
        Ok(safe)
    }

    /// Builds on a forwarded command from now on.
    pub fn remember(&mut self, bytes: &[u8], is_complete: bool) {
        self.build_on(bytes, is_complete, Basis::Forwarded);
    }

    /// Builds on a valid command that was not forwarded, until one is: what has no default then has
    /// a value that passed the gate's checks. Gains and a pose that stays are cut to the lane's limits;
    /// fixed fields have their safe values: a mode that nobody armed, motors off, is none of a stop.
    pub fn remember_unsent(&mut self, bytes: &[u8], is_complete: bool) {
        if self.basis != Basis::Forwarded && (self.needs_command || self.keeps_numbers) {
            self.build_on(bytes, is_complete, Basis::Seen);
        }
    }

    fn build_on(&mut self, bytes: &[u8], is_complete: bool, basis: Basis) {
        if self.follows_commands && is_complete && bytes.len() <= self.bytes.capacity() {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.is_read = false;
            self.basis = basis;
        }
    }

    /// Notes the newest value of a mirrored feedback field; see [`CommandCodec::set_mirror`].
    pub fn set_mirror(&mut self, mirror: usize, value: i64) {
        self.codec.set_mirror(mirror, value);
    }

    /// The lane's limits from now on: those of a robot description come later than the message is made.
    pub fn set_limits(&mut self, limits: &[DimensionLimits]) {
        if self.limits.len() == limits.len() {
            self.limits.copy_from_slice(limits);
        }
    }

    /// What must be seen before the message can be rendered; `None`: nothing.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        match self.basis {
            Basis::Forwarded => None,
            Basis::Defaults if self.needs_command => Some(Missing::Command),
            // What came with a command that was not forwarded is nobody's present value.
            Basis::Defaults | Basis::Seen => {
                let (mapped, _, mirrors) = self.codec.mapped()?;
                let mirror = mapped.fixed.iter().find_map(|fixed| {
                    let number = fixed.mirror.filter(|_| fixed.safe.is_none())?;
                    let seen = mirrors.get(number).copied().flatten();
                    seen.is_none().then_some(Missing::Mirror(number))
                });
                let waits = self.basis == Basis::Defaults && self.keeps_numbers;
                mirror.or_else(|| waits.then_some(Missing::Kept))
            }
        }
    }

    /// Whether there is a safe message to publish.
    #[must_use]
    pub fn can_render(&self) -> bool {
        self.missing().is_none_or(|missing| missing == Missing::Kept)
    }

    /// The message of this safe command. `values` are the pose or the velocities, `targets` the
    /// gains of `damping` or the values of `values` (empty: those of the params file). `None` while
    /// something is [`missing`](Self::missing), for `silent`, and for a count that is not the
    /// lane's.
    pub fn render(
        &mut self,
        safe: SafeCommand,
        values: &[f64],
        targets: &[f64],
        wall: WallTime,
    ) -> Option<&[u8]> {
        if !self.can_render() {
            return None;
        }
        self.locate()?;
        let configured = std::mem::take(&mut self.configured);
        let targets = if targets.is_empty() { &configured } else { targets };
        let written = self.write(safe, values, targets, wall);
        self.configured = configured;
        written.then_some(self.bytes.as_slice())
    }

    /// Finds the places in the bytes, where they are new.
    fn locate(&mut self) -> Option<()> {
        if !self.is_read {
            self.codec.locate(&self.bytes, &mut self.command).ok()?;
            self.is_read = true;
        }
        Some(())
    }

    fn write(
        &mut self,
        safe: SafeCommand,
        values: &[f64],
        targets: &[f64],
        wall: WallTime,
    ) -> bool {
        let set = |carries| set(safe, self.codec.interface(), carries, values, targets);
        if safe == SafeCommand::Silent {
            return false;
        }
        let numbers = match self.codec.mapped() {
            Some((mapped, found, mirrors)) => {
                let unsent = self.basis == Basis::Seen;
                mapped::write(mapped, found, &mut self.bytes, &self.limits, unsent, set)
                    && mapped::write_fixed(mapped, found, &mut self.bytes, mirrors, unsent)
            }
            None => {
                let command = &mut self.command;
                let quantities = [
                    (Carries::Position, &mut command.position),
                    (Carries::Velocity, &mut command.velocity),
                    (Carries::Acceleration, &mut command.acceleration),
                    (Carries::Effort, &mut command.effort),
                ];
                quantities.into_iter().all(|(carries, quantity)| fill(quantity, set(carries)))
                    && self.codec.write_numbers(&mut self.bytes, &self.command)
            }
        };
        numbers
            && (!self.stamped || self.codec.write_stamp(&mut self.bytes, wall))
            && self.codec.seal(&mut self.bytes)
    }
}

/// What becomes of a quantity.
fn set<'a>(
    safe: SafeCommand,
    interface: Interface,
    carries: Carries,
    values: &'a [f64],
    targets: &'a [f64],
) -> Set<'a> {
    let commanded = match carries {
        Carries::Position => interface == Interface::Position,
        Carries::Velocity => interface == Interface::Velocity,
        Carries::Effort => interface == Interface::Effort,
        Carries::Acceleration | Carries::Kp | Carries::Kd => false,
    };
    match (safe, carries) {
        (SafeCommand::Silent, _) => Set::Leave,
        (SafeCommand::Damping, Carries::Kd) => Set::To(targets),
        (SafeCommand::Damping, Carries::Kp) => Set::Zero,
        (_, Carries::Kp | Carries::Kd) => Set::Leave,
        (SafeCommand::Damping, Carries::Position) => Set::Leave,
        (SafeCommand::Values, _) if commanded => Set::To(targets),
        (
            SafeCommand::Freeze { .. }
            | SafeCommand::HoldPoint { .. }
            | SafeCommand::ZeroVelocity { .. },
            _,
        ) if commanded => Set::To(values),
        (_, Carries::Position) => Set::Leave,
        (_, Carries::Velocity | Carries::Acceleration | Carries::Effort) => Set::Zero,
    }
}

/// Sets a quantity of a command; false where the counts differ.
fn fill(quantity: &mut [f64], set: Set<'_>) -> bool {
    match set {
        Set::Leave => true,
        Set::Zero => {
            quantity.fill(0.0);
            true
        }
        Set::To(values) => {
            let fits = quantity.len() == values.len();
            if fits {
                quantity.copy_from_slice(values);
            }
            fits
        }
    }
}

/// The lane's safe command has its fields.
fn needs_field(lane: &LaneConfig, codec: &CommandCodec) -> Result<(), CodecError> {
    let has = |carries, built_in: bool| {
        codec.mapped().map_or(built_in, |(mapped, ..)| mapped.has(carries))
    };
    let commanded = |interface| lane.interface == interface;
    let (fits, needs) = match lane.safe {
        SafeCommand::Damping => (has(Carries::Kd, false), "damping gains (fields.kd)"),
        SafeCommand::Freeze { .. } | SafeCommand::HoldPoint { .. } => {
            (commanded(Interface::Position), "positions as the lane's interface")
        }
        SafeCommand::ZeroVelocity { .. } => {
            (commanded(Interface::Velocity), "velocities as the lane's interface")
        }
        SafeCommand::Values | SafeCommand::Silent => (true, ""),
    };
    if fits { Ok(()) } else { Err(CodecError::NoPlace { command: lane.safe.label(), needs }) }
}

/// Whether the message has numbers that no default can stand for: gains that stay, a pose beside the
/// commanded quantity, kept floats.
fn needs_command(lane: &LaneConfig, codec: &CommandCodec) -> bool {
    let (Some((mapped, ..)), Some(start)) = (codec.mapped(), codec.start()) else { return false };
    let has = |carries| mapped.has(carries);
    let gains = has(Carries::Kp) || has(Carries::Kd);
    let pose = has(Carries::Position) && lane.interface != Interface::Position;
    match lane.safe {
        SafeCommand::Silent => false,
        // Without stiffness the pose has no effect.
        SafeCommand::Damping => start.keeps_floats || (pose && !has(Carries::Kp)),
        SafeCommand::Freeze { .. }
        | SafeCommand::HoldPoint { .. }
        | SafeCommand::ZeroVelocity { .. }
        | SafeCommand::Values => start.keeps_floats || gains || pose,
    }
}

/// Whether whole numbers or switches are kept, of which the default may be a grip that opens.
fn keeps_numbers(lane: &LaneConfig, codec: &CommandCodec) -> bool {
    lane.safe != SafeCommand::Silent && codec.start().is_some_and(|start| start.keeps_numbers)
}

/// The bytes that the safe message of a type with a built-in map begins with.
fn built_in_start(lane: &LaneConfig, message: &MessageType) -> Result<Vec<u8>, CodecError> {
    let failed = |error: &dyn std::fmt::Display| CodecError::Safe(error.to_string());
    let mut value = Value::default_of(message);
    for (path, field) in fields(lane) {
        let path = Path::parse(path).map_err(|error| failed(&error))?;
        value.set(message, &path, &field).map_err(|error| failed(&error))?;
    }
    encode(message, &value, Endian::Little).map_err(|error| failed(&error))
}

/// The fields of a safe message that its type does not fill by itself.
fn fields(lane: &LaneConfig) -> Vec<(&'static str, Value)> {
    let zeros = || Value::List(vec![Value::F64(0.0); lane.dimensions.len()]);
    let names =
        || Value::List(lane.dimensions.iter().map(|name| Value::from(name.as_str())).collect());
    match lane.command_type {
        CommandType::Twist | CommandType::TwistStamped | CommandType::Mapped => Vec::new(),
        CommandType::Float64MultiArray => vec![("data", zeros())],
        CommandType::JointState => {
            let quantity = match lane.interface {
                Interface::Position => "position",
                Interface::Velocity => "velocity",
                Interface::Effort => "effort",
            };
            vec![("name", names()), (quantity, zeros())]
        }
        CommandType::JointTrajectory => vec![
            ("joint_names", names()),
            ("points[0].positions", zeros()),
            ("points[0].velocities", zeros()),
        ],
    }
}

#[cfg(test)]
mod tests;
