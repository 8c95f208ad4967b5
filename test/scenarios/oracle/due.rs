//! Where the plan on the wire has a joint, and which of the measured poses is believed: as the design
//! says it, by other means than the gate's.

use interlock::gate::command::Command;

/// Samples further apart than this say nothing about each other, nanoseconds.
const APART: u64 = 500_000_000;

/// A plan that was sent.
#[derive(Clone)]
pub(super) struct Plan {
    sent_at: u64,
    /// Position and velocity of each joint then.
    from: Vec<(f64, f64)>,
    command: Command,
}

impl Plan {
    pub(super) fn new(sent_at: u64, from: Vec<(f64, f64)>, command: Command) -> Self {
        Self { sent_at, from, command }
    }

    /// Each joint at `now`: straight between points, or by Hermite's cubic where they have velocities.
    pub(super) fn due(&self, now: u64) -> Vec<f64> {
        let joints = self.command.dimensions;
        let has_velocities = !self.command.velocity.is_empty();
        (0..joints)
            .map(|joint| {
                let mut knots = vec![(0.0, self.from[joint].0, self.from[joint].1)];
                if self.command.given[joint] {
                    for (point, time) in self.command.times.iter().enumerate() {
                        let place = point * joints + joint;
                        let velocity = self.command.velocity.get(place).copied().unwrap_or(0.0);
                        knots.push((seconds(*time), self.command.position[place], velocity));
                    }
                }
                let at = seconds(i64::try_from(now - self.sent_at).unwrap());
                let next = knots.iter().skip(1).find(|(time, ..)| *time > at);
                let before = knots.iter().rev().find(|(time, ..)| *time <= at).unwrap_or(&knots[0]);
                let Some(next) = next else { return knots.last().unwrap().1 };
                let (whole, passed) = (next.0 - before.0, at - before.0);
                let s = passed / whole;
                if !has_velocities {
                    return (1.0 - s) * before.1 + s * next.1;
                }
                let (left, right) = ((1.0 - s) * (1.0 - s), s * s);
                left * (1.0 + 2.0 * s) * before.1
                    + left * s * whole * before.2
                    + right * (3.0 - 2.0 * s) * next.1
                    - right * (1.0 - s) * whole * next.2
            })
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds far below 2^53")]
fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 * 1e-9
}

/// The newest three poses that follow each other.
#[derive(Clone, Default)]
pub(super) struct Poses(Vec<Vec<f64>>);

impl Poses {
    /// `since`: of the sample before, whatever it carried.
    pub(super) fn note(&mut self, pose: &[f64], since: Option<u64>) {
        if self.0.is_empty() || since.is_none_or(|since| since > APART) {
            self.0 = vec![pose.to_vec(); 2];
        }
        self.0.push(pose.to_vec());
        let old = self.0.len().saturating_sub(3);
        self.0.drain(..old);
    }

    /// The newest position of a joint, and what is believed of it.
    pub(super) fn joint(&self, joint: usize, tolerance: f64) -> Option<(f64, f64)> {
        let mut three: Vec<f64> = self.0.iter().map(|pose| pose[joint]).collect();
        let [older, newer, newest] = *three.as_slice() else { return None };
        three.sort_by(f64::total_cmp);
        let median = three[1];
        // In motion the way there is no wrong sample.
        let (last, first) = (newest - newer, newer - older);
        let same_way = (last > 0.0 && first > 0.0) || (last < 0.0 && first < 0.0);
        let moves = same_way && last.abs() <= 2.0 * first.abs() + tolerance;
        let is_near = (newest - median).abs() <= tolerance;
        Some((newest, if is_near || moves { newest } else { median }))
    }
}
