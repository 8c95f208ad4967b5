//! Random commands: smooth ones and wild ones, targets and plans, good and spoilt.

use interlock::gate::command::Command;
use interlock::gate::rules::{Interface, Shape};

use super::draw::Draw;
use super::rig::targets_mut;
use super::script::Script;

impl Script {
    pub(super) fn random_command(&mut self, lane: usize, kind: usize, draw: &mut Draw) -> Command {
        let rules = &self.rig.rules.lanes[lane];
        let (interface, shape) = (rules.interface, rules.shape);
        let joints = rules.limits.len();
        let mut command = Command::with_capacity(joints, joints * 4);
        if shape == Shape::Trajectory {
            self.plan(&mut command, lane, kind, draw);
        } else {
            command.points = 1;
            let targets = self.targets(lane, kind, draw);
            targets_mut(&mut command, interface).extend(targets);
        }
        if interface == Interface::Position && draw.below(4) == 0 {
            let count = command.position.len();
            command.velocity.extend((0..count).map(|_| draw.signed()));
        }
        if draw.below(8) == 0 {
            let count = command.points * joints;
            command.effort.extend((0..count).map(|_| draw.signed() * [0.0, 9.0][draw.below(2)]));
        }
        self.spoil(&mut command, interface, draw);
        command
    }

    /// One target for each joint.
    fn targets(&mut self, lane: usize, kind: usize, draw: &mut Draw) -> Vec<f64> {
        let rules = &self.rig.rules.lanes[lane];
        let velocity = rules.interface == Interface::Velocity;
        let size = |joint: usize| {
            let bounds = if velocity { rules.limits[joint].velocity } else { None };
            bounds.map_or(1.0, |bounds| bounds.max)
        };
        let aim = &mut self.aim[lane];
        for (joint, aim) in aim.iter_mut().enumerate() {
            let size = size(joint);
            *aim = match kind {
                // Smooth, so that much of it passes.
                0..=2 => (*aim + 0.02 * size * draw.signed()) * 0.99,
                3 => 1.5 * size * draw.signed(),
                4 => size * if draw.below(2) == 0 { 1.0 } else { -1.0 },
                5 => size * 1.01,
                6 if velocity => 0.0,
                6 => self.rig.pose[lane][joint],
                _ => draw.odd_value(),
            };
            if velocity && rules.limits[joint].locked && draw.below(16) > 0 {
                *aim = 0.0;
            }
        }
        let values = aim.clone();
        for aim in aim.iter_mut().filter(|aim| aim.is_nan() || aim.abs() > 100.0) {
            *aim = 0.0;
        }
        values
    }

    /// A few points from where the robot is.
    fn plan(&mut self, command: &mut Command, lane: usize, kind: usize, draw: &mut Draw) {
        let rules = &self.rig.rules.lanes[lane];
        command.points = draw.below(5);
        let mut time = 0;
        let mut pose = self.rig.pose[lane].clone();
        for point in 0..command.points {
            if point > 0 || draw.below(2) == 0 {
                time += i64::try_from(1 + draw.below(500)).unwrap() * 1_000_000;
            }
            for (joint, value) in pose.iter_mut().enumerate() {
                let step = rules.limits[joint].velocity.map_or(1.0, |bounds| bounds.max);
                *value += match kind {
                    0..=3 => 0.1 * step * draw.signed() * f64::from(u8::from(point > 0)),
                    4 | 5 => 0.5 * step * draw.signed(),
                    6 => 0.0,
                    _ => draw.odd_value(),
                };
            }
            command.position.extend(&pose);
            command.times.push(time);
        }
    }

    /// Now and then something is wrong with a message.
    fn spoil(&self, command: &mut Command, interface: Interface, draw: &mut Draw) {
        let single = command.points == 1 && command.times.is_empty();
        let values = targets_mut(command, interface);
        match draw.below(60) {
            0 => drop(values.pop()),
            1 => values.push(0.0),
            2 => values.clear(),
            3 if !values.is_empty() => {
                let at = draw.below(values.len());
                values[at] = draw.odd_value();
            }
            4 => command.times.reverse(),
            5 => command.acceleration.push(draw.odd_value()),
            // A message that names some of the joints; the others carry NaN.
            6 | 7 if single => {
                for joint in 0..command.given.len() {
                    command.given[joint] = draw.below(2) == 0;
                    if !command.given[joint] {
                        for values in [&mut command.position, &mut command.velocity] {
                            values.iter_mut().skip(joint).take(1).for_each(|v| *v = f64::NAN);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
