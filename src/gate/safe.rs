//! Safe commands: what a lane publishes when motion is not permitted.

/// The kind of safe command of a lane, with its own parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SafeCommand {
    /// Zero on every axis, reached with `deceleration` where one is given, else at once.
    ZeroVelocity {
        /// Per s; neither the motion limit nor derated.
        deceleration: Option<f64>,
    },
    /// Hold one pose: the last sent where it is within `tolerance` of the measured one, else the
    /// measured. Chosen once, then constant.
    Freeze {
        /// rad or m.
        tolerance: f64,
    },
    /// For trajectories: one point at the frozen pose, which pre-empts what the controller runs.
    HoldPoint {
        /// rad or m; the rule of [`SafeCommand::Freeze`].
        tolerance: f64,
    },
    /// No stiffness, no effort, the damping gains of the lane's `safe_targets`.
    Damping,
    /// The values of the lane's `safe_targets`.
    Values,
    /// Nothing is published.
    Silent,
}

impl SafeCommand {
    /// How far the last sent pose may be from the measured one; `None` where no pose is held.
    #[must_use]
    pub const fn tolerance(self) -> Option<f64> {
        match self {
            Self::ZeroVelocity { .. } | Self::Damping | Self::Values | Self::Silent => None,
            Self::Freeze { tolerance } | Self::HoldPoint { tolerance } => Some(tolerance),
        }
    }

    /// The word of the params file.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ZeroVelocity { .. } => "zero_velocity",
            Self::Freeze { .. } => "freeze",
            Self::HoldPoint { .. } => "hold_point",
            Self::Damping => "damping",
            Self::Values => "values",
            Self::Silent => "silent",
        }
    }
}
