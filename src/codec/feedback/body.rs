//! The body's attitude, from an Imu.
//!
//! Tilt is the angle between the body's z axis and the world's, so a turn about the vertical is none.
//! A quaternion that is not of unit length is a driver that has not started, not an attitude.

use nalgebra::{Quaternion, UnitQuaternion, Vector3};

use super::Source;
use crate::gate::units::is_within;

/// Slots 0 to 3 are the quaternion, 4 to 6 the angular velocity, 7 and 8 the first covariances.
pub(super) const PATHS: [&str; 9] = [
    "orientation.w",
    "orientation.x",
    "orientation.y",
    "orientation.z",
    "angular_velocity.x",
    "angular_velocity.y",
    "angular_velocity.z",
    "orientation_covariance[0]",
    "angular_velocity_covariance[0]",
];

/// How far a quaternion's norm may be from 1. Drivers that send `float32` are right to 1e-6; a
/// percent is no rounding.
const NORM_TOLERANCE: f64 = 0.01;

/// By REP 145 a first covariance of -1 says that the estimate is not there.
const NOT_THERE: f64 = -1.0;

/// What a message says of the body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// Angle between the body's and the world's vertical, rad; `None`: the sensor does not tell.
    pub tilt: Option<f64>,
    /// Size of the angular velocity, rad/s; `None`: the sensor does not tell.
    pub angular_velocity: Option<f64>,
}

/// Reads an Imu; `None` where a number that it tells is not usable.
pub(super) fn read_body(source: &Source<'_>) -> Option<Body> {
    let number = |slot| source.element(slot, false, 0);
    let is_there = |slot| number(slot).map(|first| first.to_bits() != NOT_THERE.to_bits());
    let tilt = if is_there(7)? {
        Some(tilt(Quaternion::new(number(0)?, number(1)?, number(2)?, number(3)?))?)
    } else {
        None
    };
    let angular_velocity = if is_there(8)? {
        let size = Vector3::new(number(4)?, number(5)?, number(6)?).norm();
        Some(Some(size).filter(|size| size.is_finite())?)
    } else {
        None
    };
    Some(Body { tilt, angular_velocity })
}

/// The angle between the body's and the world's z axis.
fn tilt(orientation: Quaternion<f64>) -> Option<f64> {
    let norm = orientation.norm();
    // A norm that is not finite is not within anything.
    if !is_within(norm, 1.0 - NORM_TOLERANCE, 1.0 + NORM_TOLERANCE) {
        return None;
    }
    let up = UnitQuaternion::new_normalize(orientation) * Vector3::z();
    // Exact near zero too, where an arc cosine is not.
    Some(up.x.hypot(up.y).atan2(up.z))
}
