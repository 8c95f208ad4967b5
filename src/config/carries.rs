//! Which quantities a lane's commands carry, and which of them must be limited.
//!
//! **Invariant:** what is carried and moves a joint is needed: it has a limit, or is listed under
//! `unlimited`, or the URDF gives it.

use super::model::{CommandType, Interface};
use super::shape::{Shape, has_names, is_twist};

/// A kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Position,
    Velocity,
    /// With deceleration.
    Acceleration,
    Jerk,
    Effort,
    Kp,
    Kd,
    TotalEffort,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Position,
        Self::Velocity,
        Self::Acceleration,
        Self::Jerk,
        Self::Effort,
        Self::Kp,
        Self::Kd,
        Self::TotalEffort,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Velocity => "velocity",
            Self::Acceleration => "acceleration",
            Self::Jerk => "jerk",
            Self::Effort => "effort",
            Self::Kp => "kp",
            Self::Kd => "kd",
            Self::TotalEffort => "total_effort",
        }
    }

    /// What to write for it.
    pub(super) const fn keys(self) -> &'static str {
        match self {
            Self::Position => "min_position and max_position",
            Self::Velocity => "max_velocity",
            Self::Acceleration => "max_acceleration",
            Self::Jerk => "max_jerk",
            Self::Effort => "max_effort",
            Self::Kp => "max_kp",
            Self::Kd => "max_kd",
            Self::TotalEffort => "max_total_effort",
        }
    }

    /// Every key that limits it.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Position => &["min_position", "max_position"],
            Self::Velocity => &["min_velocity", "max_velocity"],
            Self::Acceleration => &["max_acceleration", "max_deceleration"],
            Self::Jerk => &["max_jerk"],
            Self::Effort => &["max_effort"],
            Self::Kp => &["max_kp"],
            Self::Kd => &["max_kd"],
            Self::TotalEffort => &["max_total_effort"],
        }
    }

    /// Where it has an effect.
    pub(super) const fn place(self) -> &'static str {
        match self {
            Self::Position => "only where the lane's commands carry positions",
            Self::Velocity => "only where the lane's commands carry velocities or move positions",
            Self::Acceleration => "only where the lane's commands change positions or velocities",
            Self::Jerk => "only on velocity lanes",
            Self::Effort => "only where the lane's commands carry efforts",
            Self::Kp => "only where fields.kp is mapped",
            Self::Kd => "only where fields.kd is mapped",
            Self::TotalEffort => "only where fields.kp or fields.kd is mapped",
        }
    }
}

/// What a lane's commands carry.
#[derive(Clone, Debug)]
pub(super) struct Carries {
    /// A twist: axes under `limits.linear` and `limits.angular`, locked where not named.
    pub(super) is_twist: bool,
    /// Verify only.
    pub(super) is_balance: bool,
    /// Kinds that are limited here.
    pub(super) kinds: Vec<Kind>,
    /// Those that must be, or be listed under `unlimited`.
    pub(super) needed: Vec<Kind>,
}

impl Carries {
    pub(super) fn of(shape: &Shape, is_balance: bool) -> Self {
        let (interface, fields) = (shape.interface, &shape.mapping.fields);
        let is_mapped = shape.command_type == CommandType::Mapped;
        let has_names = has_names(shape.command_type);
        let is_moved = interface != Interface::Effort;
        let has_gains = fields.kp.is_some() || fields.kd.is_some();
        let is_carried = |kind: Kind| match kind {
            Kind::Position if is_mapped => fields.position.is_some(),
            Kind::Position => interface == Interface::Position,
            // Rates need no field of their own; a balance lane looks at written velocities alone.
            Kind::Velocity if is_mapped => fields.velocity.is_some() || is_moved && !is_balance,
            Kind::Velocity => {
                interface == Interface::Velocity || is_moved && (has_names || !is_balance)
            }
            Kind::Acceleration => (is_moved || fields.acceleration.is_some()) && !is_balance,
            Kind::Jerk => interface == Interface::Velocity && !is_balance,
            Kind::Effort if is_mapped => fields.effort.is_some(),
            Kind::Effort => has_names || interface == Interface::Effort,
            Kind::Kp => fields.kp.is_some(),
            Kind::Kd => fields.kd.is_some(),
            Kind::TotalEffort => has_gains,
        };
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| is_carried(*kind)).collect();
        // An effort beside another target must be zero where nothing is said.
        let is_optional = |kind: Kind| match kind {
            Kind::Jerk => true,
            Kind::Effort => !is_mapped && is_moved,
            Kind::Position
            | Kind::Velocity
            | Kind::Acceleration
            | Kind::Kp
            | Kind::Kd
            | Kind::TotalEffort => false,
        };
        let needed = kinds.iter().copied().filter(|kind| !is_optional(*kind)).collect();
        Self { is_twist: is_twist(shape.command_type), is_balance, kinds, needed }
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}
