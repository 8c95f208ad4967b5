//! One command as numbers, in the lane's own joint order, whatever message it came in.

use super::units::WallTime;

/// A decoded command. Allocated once for each lane and filled again for every message.
///
/// # Shape
/// Every quantity is empty (the message does not carry it) or has `points × dimensions` values,
/// point by point, in the lane's order of joints or axes. Everything but a trajectory is one point.
///
/// # Units
/// rad or m, per s, per s²; N m or N.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    /// Joints or axes of the lane.
    pub dimensions: usize,
    /// Points; 0 only for an empty trajectory.
    pub points: usize,
    /// Which dimensions the message names; all, unless `partial` is allowed.
    pub given: Vec<bool>,
    /// Positions.
    pub position: Vec<f64>,
    /// Velocities.
    pub velocity: Vec<f64>,
    /// Accelerations.
    pub acceleration: Vec<f64>,
    /// Efforts.
    pub effort: Vec<f64>,
    /// Stiffness gains, per rad or m.
    pub kp: Vec<f64>,
    /// Damping gains, per rad/s or m/s.
    pub kd: Vec<f64>,
    /// Time from start of each point in nanoseconds; empty for everything but a trajectory.
    pub times: Vec<i64>,
    /// The header's stamp, where the type has one.
    pub stamp: Option<WallTime>,
    /// How far from now a trajectory's times are counted, in nanoseconds: its stamp is its start. Set
    /// by the gate; below 0 where it began before.
    pub starts_in: i64,
}

impl Command {
    /// An empty command with room for `capacity` values of each quantity, so that filling it never
    /// allocates.
    #[must_use]
    pub fn with_capacity(dimensions: usize, capacity: usize) -> Self {
        Self {
            dimensions,
            points: 0,
            given: vec![true; dimensions],
            position: Vec::with_capacity(capacity),
            velocity: Vec::with_capacity(capacity),
            acceleration: Vec::with_capacity(capacity),
            effort: Vec::with_capacity(capacity),
            kp: Vec::with_capacity(capacity),
            kd: Vec::with_capacity(capacity),
            times: Vec::with_capacity(capacity),
            stamp: None,
            starts_in: 0,
        }
    }

    /// Empties it for the next message.
    pub fn clear(&mut self) {
        self.points = 0;
        self.given.fill(true);
        self.position.clear();
        self.velocity.clear();
        self.acceleration.clear();
        self.effort.clear();
        self.kp.clear();
        self.kd.clear();
        self.times.clear();
        self.stamp = None;
        self.starts_in = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_cleared_expect_it_as_new_with_its_memory() {
        let mut command = Command::with_capacity(2, 4);
        let new = command.clone();
        let room = command.position.capacity();
        command.points = 2;
        command.given = vec![true, false];
        for values in [
            &mut command.position,
            &mut command.velocity,
            &mut command.acceleration,
            &mut command.effort,
            &mut command.kp,
            &mut command.kd,
        ] {
            values.extend([1.0; 4]);
        }
        command.times.extend([1, 2]);
        command.stamp = Some(WallTime::from_nanos(7));
        command.starts_in = -5;
        command.clear();
        assert_eq!(command, new);
        assert_eq!(command.position.capacity(), room);
    }
}
