//! Where a joint's limits come from: what a URDF may tighten silently, must give, or contradicts.

use super::problem::Place;

/// Where the limit of one kind comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The lane's commands do not carry the kind.
    #[default]
    NotCarried,
    /// Nothing limits it, and nothing must: `unlimited`, or an effort that must be zero.
    Open,
    /// Nothing limits it yet: the URDF must.
    Urdf,
    /// `limits`, for all joints: a URDF tightens it silently.
    Lane,
    /// `joint_limits.<joint>`, written there: a URDF that is tighter is an error.
    Joint(Place),
}

/// The kinds that a URDF has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Position bounds.
    pub position: Origin,
    /// Velocity bounds.
    pub velocity: Origin,
    /// Effort.
    pub effort: Origin,
}

impl Origins {
    /// Whether a limit is missing until a URDF has come.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        [&self.position, &self.velocity, &self.effort].contains(&&Origin::Urdf)
    }
}
