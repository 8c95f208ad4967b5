//! What the limits did to one command: which limit met which joint, and the first changes in full.
//!
//! **Invariant:** a change is applied whether or not there is room to list it; nothing here
//! allocates after construction.

use crate::gate::check::{Place, Refusal};
use crate::gate::closed_list::closed_list;
use crate::gate::limit::{LimitSet, Limited};
use crate::gate::rules::{OnLimit, OnLimits};
use crate::gate::verdict::{Limit, Reason};

/// More changes of one command than this are applied but not listed: two quantities of 32 joints.
pub const MAX_CHANGES: usize = 64;

closed_list! {
    /// What a value of a command is.
    Quantity {
        /// rad or m.
        Position = "position",
        /// Per s.
        Velocity = "velocity",
        /// Per s².
        Acceleration = "acceleration",
        /// N m or N.
        Effort = "effort",
        /// Stiffness gain.
        Kp = "kp",
        /// Damping gain.
        Kd = "kd",
    }
}

/// One value that a limit changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Joint or axis, and point of a trajectory.
    pub place: Place,
    /// Which of its quantities.
    pub quantity: Quantity,
    /// The limit that decided: what made the others smaller, else a rate, else the position bound.
    pub limit: Limit,
    /// As commanded.
    pub requested: f64,
    /// As sent.
    pub sent: f64,
    /// The bound in force at that moment.
    pub bound: f64,
}

/// The changes of one command.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) applied: Vec<LimitSet>,
    pub(super) total: LimitSet,
    pub(super) changes: Vec<Change>,
}

impl Report {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            applied: vec![LimitSet::EMPTY; dimensions],
            total: LimitSet::EMPTY,
            changes: Vec::with_capacity(MAX_CHANGES),
        }
    }

    pub(super) fn clear(&mut self) {
        if !self.total.is_empty() {
            self.applied.fill(LimitSet::EMPTY);
            self.changes.clear();
            self.total = LimitSet::EMPTY;
        }
    }

    /// Notes a limited value, unless its kind is configured to refuse.
    ///
    /// # Errors
    /// The refusal by the first kind whose `on_limit` is `reject`.
    #[inline(always)]
    pub(super) fn accept(
        &mut self,
        on_limit: &OnLimits,
        quantity: Quantity,
        place: Place,
        requested: f64,
        limited: Limited,
    ) -> Result<(), Refusal> {
        if limited.by.is_empty() {
            return Ok(());
        }
        if *on_limit != OnLimits::default() {
            refuse(*on_limit, quantity, place, requested, &limited)?;
        }
        self.total = self.total.union(limited.by);
        if let Some(applied) = self.applied.get_mut(place.dimension) {
            *applied = applied.union(limited.by);
        }
        if self.changes.len() < MAX_CHANGES {
            let (sent, bound) = (limited.value, limited.bound);
            let limit = limited.by.last().unwrap_or(Limit::Position);
            self.changes.push(Change { place, quantity, limit, requested, sent, bound });
        }
        Ok(())
    }
}

#[cold]
fn refuse(
    on_limit: OnLimits,
    quantity: Quantity,
    place: Place,
    requested: f64,
    limited: &Limited,
) -> Result<(), Refusal> {
    for limit in limited.kinds.iter() {
        let (rule, reason) = match limit {
            Limit::Position => (on_limit.position, Reason::Position),
            Limit::Velocity => (on_limit.velocity, Reason::Velocity),
            Limit::Acceleration | Limit::Deceleration => {
                (on_limit.acceleration, Reason::Acceleration)
            }
            Limit::Jerk => (on_limit.jerk, Reason::Jerk),
            Limit::Effort => (on_limit.effort, Reason::Effort),
            Limit::Gain if quantity == Quantity::Kd => (on_limit.kd, Reason::Gain),
            Limit::Gain => (on_limit.kp, Reason::Gain),
            // Names for a smaller limit, never a kind of their own.
            Limit::Derating | Limit::Handover | Limit::Ramp => continue,
        };
        if rule == OnLimit::Reject {
            return Err(Refusal::value(reason, place, requested, limited.bound));
        }
    }
    Ok(())
}
