//! A lane's safe message: complete from start-up, then built on the last forwarded command.
//!
//! What the gate does not set (frame names, layouts) stays as it was in the last forwarded command;
//! numbers beside the safe ones become zero; stamps are fresh. A trajectory lane keeps its own
//! message: one point, not stamped, which means "now".

use std::sync::Arc;

use super::CodecError;
use super::command::CommandCodec;
use crate::cdr::{Endian, MessageType, Path, Value, encode};
use crate::config::model::{CommandType, Interface, LaneConfig};
use crate::gate::command::Command;
use crate::gate::units::WallTime;

/// The safe message of one lane.
#[derive(Clone, Debug)]
pub struct SafeMessage {
    bytes: Vec<u8>,
    codec: CommandCodec,
    command: Command,
    /// Whether `codec` knows the places in `bytes`.
    is_read: bool,
    /// Trajectories are never built on somebody's plan.
    follows_commands: bool,
    stamped: bool,
}

impl SafeMessage {
    /// Makes the message from the type's defaults. Never larger than `max_message_bytes`.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name promises.
    pub fn new(
        lane: &LaneConfig,
        message: &Arc<MessageType>,
        codec: CommandCodec,
        max_message_bytes: usize,
    ) -> Result<Self, CodecError> {
        let failed = |error: &dyn std::fmt::Display| CodecError::Safe(error.to_string());
        let mut value = Value::default_of(message);
        for (path, field) in fields(lane) {
            let path = Path::parse(path).map_err(|error| failed(&error))?;
            value.set(message, &path, &field).map_err(|error| failed(&error))?;
        }
        let encoded = encode(message, &value, Endian::Little).map_err(|error| failed(&error))?;
        let mut bytes = Vec::with_capacity(max_message_bytes.max(encoded.len()));
        bytes.extend_from_slice(&encoded);
        let command = codec.new_command();
        let plan = lane.command_type == CommandType::JointTrajectory;
        let mut safe =
            Self { bytes, codec, command, is_read: false, follows_commands: !plan, stamped: !plan };
        let zeros = vec![0.0; lane.dimensions.len()];
        if safe.render(&zeros, WallTime::default()).is_none() {
            return Err(CodecError::Safe("it cannot be read back".to_owned()));
        }
        Ok(safe)
    }

    /// Builds on a forwarded command from now on.
    pub fn remember(&mut self, bytes: &[u8], is_complete: bool) {
        if self.follows_commands && is_complete && bytes.len() <= self.bytes.capacity() {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.is_read = false;
        }
    }

    /// The message with these values, one for each joint or axis. `None` only if the bytes built on
    /// cannot be read, which the gate refused before.
    pub fn render(&mut self, values: &[f64], wall: WallTime) -> Option<&[u8]> {
        if !self.is_read {
            self.codec.decode(&self.bytes, &mut self.command).ok()?;
            self.is_read = true;
        }
        let command = &mut self.command;
        let quantities = [
            (Interface::Position, &mut command.position),
            (Interface::Velocity, &mut command.velocity),
            (Interface::Effort, &mut command.effort),
        ];
        for (interface, quantity) in quantities {
            if interface == self.codec.interface() {
                if quantity.len() != values.len() {
                    return None;
                }
                quantity.copy_from_slice(values);
            } else {
                quantity.fill(0.0);
            }
        }
        command.acceleration.fill(0.0);
        let written = self.codec.encode(&mut self.bytes, &self.command)
            && (!self.stamped || self.codec.write_stamp(&mut self.bytes, wall));
        written.then_some(self.bytes.as_slice())
    }
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
