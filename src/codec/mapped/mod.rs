//! Commands of any message type, by a map from the params file.
//!
//! Which field carries what is worked out once, by [`mod@compile`]; here the elements are read into the
//! lane's order, checked, and written back in place. A joint's values are the elements at its place
//! in each quantity's array, or, where the message has names, those beside its name.
//!
//! **Invariant:** no allocation, and no write outside the quantities' own elements.

mod compile;
mod coverage;
mod kinds;
mod paths;
mod start;

pub(super) use self::compile::{Compiled, array_map, compile, needs_map};
pub(super) use self::kinds::{check_names, primitive, wrong_kind};
pub(super) use self::paths::{describe, many_steps};
use super::joints::JointOrder;
use super::numbers::{put_inside, wrong_count};
use crate::cdr::{Endian, Found, Primitive, read_f64, read_i64};
use crate::config::model::UnusedElements;
use crate::gate::check::Refusal;
use crate::gate::command::Command;
use crate::gate::limit::LOCKED_TOLERANCE;
use crate::gate::units::is_within;
use crate::gate::verdict::Reason;

const MALFORMED: Refusal = Refusal::whole(Reason::Malformed);

/// What a mapped array carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Position,
    Velocity,
    Acceleration,
    Effort,
    Kp,
    Kd,
}

impl Carries {
    pub(super) fn of(self, command: &Command) -> &Vec<f64> {
        match self {
            Self::Position => &command.position,
            Self::Velocity => &command.velocity,
            Self::Acceleration => &command.acceleration,
            Self::Effort => &command.effort,
            Self::Kp => &command.kp,
            Self::Kd => &command.kd,
        }
    }

    fn of_mut(self, command: &mut Command) -> &mut Vec<f64> {
        match self {
            Self::Position => &mut command.position,
            Self::Velocity => &mut command.velocity,
            Self::Acceleration => &mut command.acceleration,
            Self::Effort => &mut command.effort,
            Self::Kp => &mut command.kp,
            Self::Kd => &mut command.kd,
        }
    }
}

/// One quantity's array.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub(super) carries: Carries,
    slot: usize,
    primitive: Primitive,
    /// Each element is in a message of its own, and a hit of its own.
    in_messages: bool,
    /// How many elements the map takes; without meaning where there are names.
    elements: usize,
    /// Elements that belong to no joint.
    unused: Box<[u32]>,
}

/// An array of any length that must have exactly so many elements.
#[derive(Clone, Copy, Debug)]
struct CountRule {
    slot: usize,
    /// Each element is a hit of its own; else every hit has so many.
    in_hits: bool,
    count: usize,
}

/// A field with a fixed value.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    pub(super) slot: usize,
    pub(super) primitive: Primitive,
    /// Empty: any.
    allowed: Box<[i64]>,
    /// Number of its mirror.
    pub(super) mirror: Option<usize>,
    /// The safe command's value without the mirror.
    pub(super) safe: Option<i64>,
}

/// The map of one lane.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) quantities: Box<[Quantity]>,
    counts: Box<[CountRule]>,
    pub(super) fixed: Box<[Fixed]>,
    names: Option<(usize, JointOrder)>,
    unused: UnusedElements,
    /// Each joint's element.
    places: Box<[usize]>,
}

impl Quantity {
    /// The offset of an element.
    fn offset(&self, found: &Found, element: usize) -> Option<u32> {
        let hits = found.hits(self.slot);
        if self.in_messages {
            hits.get(element).and_then(|hit| hit.element(0, self.primitive))
        } else {
            hits.first()?.element(u32::try_from(element).ok()?, self.primitive)
        }
    }

    /// How many elements the message has.
    fn count(&self, found: &Found) -> usize {
        let hits = found.hits(self.slot);
        if self.in_messages {
            hits.len()
        } else {
            hits.first().and_then(|hit| usize::try_from(hit.len).ok()).unwrap_or(0)
        }
    }

    fn read(&self, bytes: &[u8], found: &Found, element: usize) -> Option<f64> {
        read_f64(bytes, found.endian(), self.primitive, self.offset(found, element)?)
    }
}

impl Mapped {
    /// The quantities of the message that was walked last, in the lane's order.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        found: &Found,
        command: &mut Command,
        partial: bool,
    ) -> Result<(), Refusal> {
        self.counts(found)?;
        command.points = 1;
        if let Some((slot, order)) = &mut self.names {
            order.read(bytes, found, *slot, partial)?;
            command.given.copy_from_slice(order.seen());
            return self.read_named(bytes, found, command);
        }
        for quantity in &self.quantities {
            let count = quantity.count(found);
            if count != quantity.elements {
                return Err(wrong_count(count, quantity.elements));
            }
            let values = quantity.carries.of_mut(command);
            for place in &self.places {
                values.push(quantity.read(bytes, found, *place).ok_or(MALFORMED)?);
            }
        }
        Ok(())
    }

    /// An empty array is a quantity that the message does not carry. Joints that the message does
    /// not name stay NaN.
    fn read_named(
        &self,
        bytes: &[u8],
        found: &Found,
        command: &mut Command,
    ) -> Result<(), Refusal> {
        let dimensions = command.dimensions;
        let joints = self.joint_at();
        for quantity in &self.quantities {
            match quantity.count(found) {
                0 => continue,
                count if count != joints.len() => return Err(wrong_count(count, joints.len())),
                _ => {}
            }
            let values = quantity.carries.of_mut(command);
            values.resize(dimensions, f64::NAN);
            for (element, joint) in joints.iter().enumerate() {
                let value = quantity.read(bytes, found, element).ok_or(MALFORMED)?;
                *values.get_mut(*joint).ok_or(MALFORMED)? = value;
            }
        }
        Ok(())
    }

    /// Arrays that may have any length have the one that the map covers.
    fn counts(&self, found: &Found) -> Result<(), Refusal> {
        for rule in &self.counts {
            let hits = found.hits(rule.slot);
            let is_right = |count: usize| {
                if count == rule.count { Ok(()) } else { Err(wrong_count(count, rule.count)) }
            };
            if rule.in_hits {
                is_right(hits.len())?;
                continue;
            }
            for hit in hits {
                is_right(usize::try_from(hit.len).unwrap_or(usize::MAX))?;
            }
        }
        Ok(())
    }

    /// What belongs to no joint, and fields with a fixed value.
    pub(super) fn check(
        &self,
        bytes: &[u8],
        found: &Found,
        mirrors: &[Option<i64>],
    ) -> Result<(), Refusal> {
        for quantity in &self.quantities {
            for element in &quantity.unused {
                let element = usize::try_from(*element).map_err(|_| MALFORMED)?;
                let found = quantity.read(bytes, found, element).ok_or(MALFORMED)?;
                self.check_unused(found)?;
            }
        }
        self.fixed.iter().try_for_each(|fixed| fixed.check(bytes, found, mirrors))
    }

    fn check_unused(&self, found: f64) -> Result<(), Refusal> {
        if !found.is_finite() {
            return Err(Refusal { found, ..Refusal::whole(Reason::NotFinite) });
        }
        let zero = is_within(found, -LOCKED_TOLERANCE, LOCKED_TOLERANCE);
        match self.unused {
            UnusedElements::Zero if !zero => {
                let bound = LOCKED_TOLERANCE;
                Err(Refusal { found, bound, ..Refusal::whole(Reason::LockedAxis) })
            }
            UnusedElements::Zero | UnusedElements::Keep => Ok(()),
        }
    }

    /// Writes the command's changed numbers into the message that was walked last.
    pub(super) fn write(&self, bytes: &mut [u8], found: &Found, command: &Command) -> bool {
        self.quantities.iter().all(|quantity| {
            let values = quantity.carries.of(command);
            // Not carried: nothing to write.
            values.is_empty()
                || self.each(quantity, found, |joint, endian, offset| {
                    let value = values.get(joint).copied();
                    value.is_some_and(|value| {
                        put_inside(bytes, endian, quantity.primitive, offset, value)
                    })
                })
        })
    }

    /// Calls `at` with joint and offset of each element of a quantity that belongs to a joint and
    /// that the message has; false as soon as that is.
    pub(super) fn each(
        &self,
        quantity: &Quantity,
        found: &Found,
        mut at: impl FnMut(usize, Endian, u32) -> bool,
    ) -> bool {
        let endian = found.endian();
        let mut one = |joint: usize, element: usize| {
            quantity.offset(found, element).is_some_and(|offset| at(joint, endian, offset))
        };
        if self.names.is_some() {
            let mut pairs = self.joint_at().iter().enumerate();
            quantity.count(found) == 0 || pairs.all(|(element, joint)| one(*joint, element))
        } else {
            self.places.iter().enumerate().all(|(joint, element)| one(joint, *element))
        }
    }

    /// Joint at each element of the message read last, where it has names.
    fn joint_at(&self) -> &[usize] {
        self.names.as_ref().map_or(&[], |(_, order)| order.joint_at())
    }

    /// Whether the message read last names every joint.
    pub(super) fn is_complete(&self) -> bool {
        self.names.as_ref().is_none_or(|(_, order)| order.seen().iter().all(|seen| *seen))
    }

    /// Whether the map has this quantity.
    pub(super) fn has(&self, carries: Carries) -> bool {
        self.quantities.iter().any(|quantity| quantity.carries == carries)
    }
}

impl Quantity {
    pub(super) const fn primitive(&self) -> Primitive {
        self.primitive
    }
}

impl Fixed {
    fn check(&self, bytes: &[u8], found: &Found, mirrors: &[Option<i64>]) -> Result<(), Refusal> {
        let mirrored = self.mirror.and_then(|number| mirrors.get(number).copied().flatten());
        let is_right = |value: i64| {
            (self.allowed.is_empty() || self.allowed.contains(&value))
                && mirrored.is_none_or(|mirrored| mirrored == value)
        };
        for hit in found.hits(self.slot) {
            for element in 0..hit.len {
                let offset = hit.element(element, self.primitive).ok_or(MALFORMED)?;
                let value = read_i64(bytes, found.endian(), self.primitive, offset);
                if !value.is_some_and(is_right) {
                    return Err(Refusal {
                        found: value.map_or(f64::NAN, number),
                        bound: mirrored.map_or(f64::NAN, number),
                        ..Refusal::whole(Reason::FixedValue)
                    });
                }
            }
        }
        Ok(())
    }
}

/// An integer for a refusal's text; NaN where a float cannot hold it for sure.
fn number(value: i64) -> f64 {
    i32::try_from(value).map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests;
