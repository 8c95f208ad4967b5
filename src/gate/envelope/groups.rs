//! Joints that move together keep their direction when one of them is limited.
//!
//! First every joint's target is brought inside its own bounds; velocities and efforts are scaled
//! together for that. Then the step from what was last sent is scaled by the smallest share of it
//! that any joint of the group may make. A joint that must move, because it cannot slow down faster
//! or a limit shrank, is never held back by the others, and holds none of them back.
//!
//! Directions of positions are kept for steps; the points of a plan are each brought inside their
//! own bounds, and a plan that is too fast is refused as a whole.

use nalgebra::DVectorViewMut;

use crate::gate::command::Command;
use crate::gate::limit::{
    Allowance, LimitSet, Limited, limit_velocity, position_range, velocity_range,
};
use crate::gate::limits::Bounds;
use crate::gate::rules::{Interface, LaneRules};
use crate::gate::units::{at_least, at_most};
use crate::gate::verdict::Limit;

use super::Envelope;
use super::companions::symmetric;

/// How much of a step a group may make, and what says so.
#[derive(Clone, Copy)]
struct Share {
    of_one: f64,
    by: LimitSet,
    kinds: LimitSet,
}

impl Share {
    const WHOLE: Self = Self { of_one: 1.0, by: LimitSet::EMPTY, kinds: LimitSet::EMPTY };

    fn narrow(&mut self, of_one: f64, by: LimitSet, kinds: LimitSet) {
        if of_one < self.of_one {
            *self = Self { of_one, by, kinds };
        }
    }
}

impl Envelope {
    /// Changes the limited values of one group so that they keep the direction of the command.
    pub(super) fn keep_direction(
        &mut self,
        group: &[usize],
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) {
        let changed = |dimension: &usize| {
            self.limited.get(*dimension).is_some_and(|limited| !limited.by.is_empty())
        };
        if !group.iter().any(changed) {
            return;
        }
        let steps = self.gather(group, command, rules, allowance);
        match rules.interface {
            Interface::Position | Interface::Velocity => {
                self.scale_steps(group, command, rules, allowance, steps);
            }
            // The vector itself is the step.
            Interface::Effort => self.place(group, command, rules, allowance, steps),
        }
    }

    /// Fills `steps` with what each joint of the group would do within its own bounds; velocities
    /// and efforts scaled together. Returns that scale.
    fn gather(
        &mut self,
        group: &[usize],
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
    ) -> Share {
        let (values, kind) = match rules.interface {
            Interface::Position => (&command.position, Limit::Position),
            Interface::Velocity => (&command.velocity, Limit::Velocity),
            Interface::Effort => (&command.effort, Limit::Effort),
        };
        let kinds = LimitSet::EMPTY.with(kind);
        let by = allowance.because.map_or(kinds, |because| LimitSet::EMPTY.with(because));
        let mut whole = Share::WHOLE;
        for (dimension, step) in group.iter().zip(&mut self.steps) {
            *step = 0.0;
            let (Some(value), Some(limits)) =
                (values.get(*dimension), rules.limits.get(*dimension))
            else {
                continue;
            };
            if !command.given.get(*dimension).copied().unwrap_or(true) {
                continue;
            }
            let Some(sent) = self.sent.get(*dimension) else { continue };
            let (bounds, scale) = match rules.interface {
                Interface::Position => {
                    let inside = limits.position.map_or(*value, |bounds| {
                        let high = at_least(bounds.max, sent.value);
                        at_least(at_most(*value, high), at_most(bounds.min, sent.value))
                    });
                    *step = inside - sent.value;
                    continue;
                }
                Interface::Velocity => (limits.velocity, allowance.velocity),
                Interface::Effort => (limits.effort.map(symmetric), allowance.effort),
            };
            *step = *value;
            if let Some(Bounds { min, max }) = bounds {
                let bound = if *value > 0.0 { max } else { min } * scale;
                if value.abs() > bound.abs() {
                    let by = if scale < 1.0 { by } else { kinds };
                    whole.narrow(bound / value, by, kinds);
                }
            }
        }
        if whole.of_one < 1.0 {
            self.steps_of(group).scale_mut(whole.of_one);
        }
        if rules.interface == Interface::Velocity {
            for (dimension, step) in group.iter().zip(&mut self.steps) {
                *step -= self.sent.get(*dimension).map_or(0.0, |sent| sent.value);
            }
        }
        whole
    }

    /// Scales the steps by the smallest share that any joint may make of its own.
    fn scale_steps(
        &mut self,
        group: &[usize],
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
        scaled: Share,
    ) {
        let mut share = Share::WHOLE;
        for (dimension, step) in group.iter().zip(&self.steps) {
            let (Some(sent), Some(limits), Some(limited)) = (
                self.sent.get(*dimension),
                rules.limits.get(*dimension),
                self.limited.get(*dimension),
            ) else {
                continue;
            };
            if limits.locked || !command.given.get(*dimension).copied().unwrap_or(true) {
                continue;
            }
            let limited = match rules.interface {
                Interface::Velocity => limit_velocity(sent.value + step, *sent, limits, allowance),
                Interface::Position | Interface::Effort => *limited,
            };
            let made = (limited.value - sent.value) / step;
            // Beyond its target, or the other way: it must move so, whatever the others do.
            if !limited.by.is_empty() && (0.0..1.0).contains(&made) {
                share.narrow(made, limited.by, limited.kinds);
            }
        }
        if share.of_one < 1.0 {
            self.steps_of(group).scale_mut(share.of_one);
        }
        let both = Share {
            by: share.by.union(scaled.by),
            kinds: share.kinds.union(scaled.kinds),
            ..share
        };
        self.place(group, command, rules, allowance, both);
    }

    /// Makes the steps the limited values, each within what its joint can and must do.
    fn place(
        &mut self,
        group: &[usize],
        command: &Command,
        rules: &LaneRules,
        allowance: Allowance,
        share: Share,
    ) {
        let values = match rules.interface {
            Interface::Position => &command.position,
            Interface::Velocity => &command.velocity,
            Interface::Effort => &command.effort,
        };
        for (dimension, step) in group.iter().zip(&self.steps) {
            let (Some(sent), Some(limits), Some(limited), Some(value)) = (
                self.sent.get(*dimension),
                rules.limits.get(*dimension),
                self.limited.get_mut(*dimension),
                values.get(*dimension),
            ) else {
                continue;
            };
            if limits.locked || !command.given.get(*dimension).copied().unwrap_or(true) {
                continue;
            }
            let at = match rules.interface {
                Interface::Position => {
                    position_range(*sent, limits, allowance).nearest(sent.value + step)
                }
                Interface::Velocity => {
                    velocity_range(*sent, limits, allowance).nearest(sent.value + step)
                }
                // Scaling rounds, to either side.
                Interface::Effort => limits.effort.map_or(*step, |effort| {
                    let most = effort * allowance.effort;
                    at_least(at_most(*step, most), -most)
                }),
            };
            // Within rounding of the command it is the command.
            if limited.by.is_empty() && (at - value).abs() <= 1e-12 * value.abs() {
                continue;
            }
            let by = limited.by.union(share.by);
            let kinds = limited.kinds.union(share.kinds);
            *limited = Limited { value: at, by, kinds, bound: at };
        }
    }

    fn steps_of(&mut self, group: &[usize]) -> DVectorViewMut<'_, f64> {
        let length = group.len().min(self.steps.len());
        DVectorViewMut::from_slice(&mut self.steps, length)
    }
}
