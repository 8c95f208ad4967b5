//! The limits of one joint or axis, as the configuration gives them.

use super::cause::Cause;
use super::rules::Interface;
use super::units::at_least;

/// Bounds of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Lowest allowed value.
    pub min: f64,
    /// Highest allowed value. Invariant: `min <= max`, both finite.
    pub max: f64,
}

/// Velocities this far apart are noise of odometry, or a sway: never a cause by themselves. Per s.
const LEAST_APART: f64 = 0.1;

/// The limits of one joint or axis. `None`: this kind is left free on purpose (`unlimited`), or the
/// lane does not carry it.
///
/// # Units
/// rad or m by joint type, per s, per s²; N m or N.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DimensionLimits {
    /// Locked: no limit was given, so a command must be zero within 1e-6.
    pub locked: bool,
    /// Position bounds (position lanes).
    pub position: Option<Bounds>,
    /// Velocity bounds; symmetric unless `min_velocity` was given.
    pub velocity: Option<Bounds>,
    /// Speeding up.
    pub acceleration: Option<f64>,
    /// Slowing down. Never shrinks with source scale or derating.
    pub deceleration: Option<f64>,
    /// Change of acceleration (velocity lanes).
    pub jerk: Option<f64>,
    /// Force or torque, symmetric.
    pub effort: Option<f64>,
    /// Largest stiffness gain; the least is 0.
    pub kp: Option<f64>,
    /// Largest damping gain; the least is 0.
    pub kd: Option<f64>,
    /// Largest effort that feed-forward, gains and measured state add up to:
    /// `|effort + kp·(position − measured) + kd·(velocity − measured)|`.
    pub total_effort: Option<f64>,
    /// The params file lists positions under `unlimited`; otherwise one beside the commanded quantity
    /// that has no limit must be zero.
    pub position_unlimited: bool,
    /// The same of velocities.
    pub velocity_unlimited: bool,
    /// The same of accelerations.
    pub acceleration_unlimited: bool,
    /// The same of efforts.
    pub effort_unlimited: bool,
    /// The same of gains.
    pub gains_unlimited: bool,
}

impl DimensionLimits {
    /// The largest velocity to either side; `None` where none is given.
    #[must_use]
    pub fn largest_velocity(&self) -> Option<f64> {
        self.velocity.map(|bounds| at_least(bounds.max, -bounds.min))
    }

    /// How far sent and measured may be apart where the params file does not say it
    /// (`causes.divergence.above`). Of velocities half of the largest: one fixed distance is more than
    /// a slow base can ever be apart, and nothing to a fast wheel.
    ///
    /// # Units
    /// What the lane commands: rad or m, or those per s.
    #[must_use]
    pub fn may_diverge(&self, interface: Interface) -> f64 {
        let usual = Cause::Divergence.default_above().unwrap_or(f64::INFINITY);
        match interface {
            Interface::Position | Interface::Effort => usual,
            Interface::Velocity => {
                self.largest_velocity().map_or(usual, |most| at_least(0.5 * most, LEAST_APART))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_both_ways_have_a_velocity_expect_the_larger() {
        let largest = |min: f64, max: f64| {
            let velocity = Some(Bounds { min, max });
            DimensionLimits { velocity, ..DimensionLimits::default() }.largest_velocity()
        };
        assert_eq!(largest(-0.2, 0.5), Some(0.5));
        assert_eq!(largest(-0.7, 0.5), Some(0.7));
        assert_eq!(DimensionLimits::default().largest_velocity(), None);
    }
}
