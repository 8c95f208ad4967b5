//! Feedback: what a robot says of the joints or axes of one lane, or of its body, and the integers
//! that fixed command fields mirror.
//!
//! One codec for each lane that reads a topic, because each has its own joints; one more where a
//! topic says something of the body or is only mirrored.
//!
//! **Invariant:** a sample is complete or there is none: malformed bytes, a wrong checksum, a missing
//! joint or a wrong count give `None`, and the feedback goes stale. What nobody uses need not be
//! finite. A quantity that is NaN for all of the lane's joints is one that the message does not carry,
//! as `joint_state_broadcaster` says it of hardware without it; unless a message had it before, whose
//! driver has lost it. No allocation after construction.

mod body;
mod map;

use std::sync::Arc;

pub use self::body::Body;
use self::body::read_body;
use self::map::{Array, Map, Parts, parts};
use super::CodecError;
use super::command::checksum;
use super::mapped::wrong_kind;
use crate::cdr::{
    Arity, Field, FiniteRule, Found, Hit, Index, Kind, Layout, MessageType, Path, Selection,
    SlotKind, Step, StructChecksum, read_f64, read_i64,
};
use crate::config::model::FeedbackConfig;

/// Reads one feedback topic for one lane.
#[derive(Clone, Debug)]
pub struct FeedbackCodec {
    layout: Layout,
    found: Found,
    map: Map,
    position: Vec<f64>,
    velocity: Vec<f64>,
    checksum: Option<StructChecksum>,
    /// First slot of the mirrored fields, and how many there are.
    first_mirror: usize,
    mirrored: Vec<Option<i64>>,
    /// The first of the lane's joints that the message read last lacks.
    missing: Option<usize>,
    /// The first of them whose position or velocity in it is no number.
    not_finite: Option<usize>,
    /// Which of position and velocity any message had.
    had: [bool; 2],
}

/// What a message says of a lane. An empty slice: the message does not carry that quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Positions in the lane's order.
    pub position: &'a [f64],
    /// Velocities in the lane's order.
    pub velocity: &'a [f64],
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<'a> {
    /// Of the lane's joints or axes.
    Joints(Sample<'a>),
    /// Of the body.
    Body(Body),
    /// Nothing but mirrored fields.
    Mirrors,
}

/// What a codec reads besides mirrored fields.
#[derive(Clone, Copy, Debug)]
pub enum Reads<'a> {
    /// These joints or axes of a lane; the body, if the type tells of one.
    Dimensions(&'a [String]),
    /// Nothing.
    Mirrors,
}

impl FeedbackCodec {
    /// Compiles the codec for a lane's joints or axes and for the fields that are mirrored.
    ///
    /// # Errors
    /// [`CodecError`] when the type is not what its name or the map promises.
    pub fn new(
        feedback: &FeedbackConfig,
        message: &Arc<MessageType>,
        reads: Reads<'_>,
        mirrors: &[Path],
    ) -> Result<Self, CodecError> {
        let Parts { mut selections, map } = parts(feedback, message, reads)?;
        let first_mirror = selections.len();
        for path in mirrors {
            let leave = FiniteRule::Leave;
            selections.push(Selection { path: path.clone(), max_hits: 1, finite: leave });
        }
        // What is not used need not be finite: covariances and efforts often are not.
        let layout = Layout::compile(message, &selections, &floats(message))?;
        for (slot, path) in (first_mirror..).zip(mirrors) {
            let is_integer = matches!(
                layout.kind(slot),
                Some(SlotKind::Number(primitive)) if !primitive.is_float()
            );
            if !is_integer {
                let key = "mirror".to_owned();
                return Err(wrong_kind(message, key, path, "an integer or a bool"));
            }
        }
        let checksum =
            feedback.checksum.as_ref().map(|config| checksum(config, message)).transpose()?;
        let capacity = map.dimensions();
        Ok(Self {
            found: layout.new_found(),
            layout,
            map,
            position: Vec::with_capacity(capacity),
            velocity: Vec::with_capacity(capacity),
            checksum,
            first_mirror,
            mirrored: vec![None; mirrors.len()],
            missing: None,
            not_finite: None,
            had: [false; 2],
        })
    }

    /// Reads a message; `None` where it is no usable sample.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Reading<'_>> {
        self.mirrored.fill(None);
        self.missing = None;
        self.not_finite = None;
        self.layout.find(bytes, &mut self.found).ok()?;
        let endian = self.found.endian();
        if let Some(checksum) = &mut self.checksum
            && !checksum.is_right(bytes, endian)
        {
            return None;
        }
        for (slot, mirrored) in (self.first_mirror..).zip(&mut self.mirrored) {
            let hit = self.found.hits(slot).first()?;
            let primitive = self.layout.primitive(slot)?;
            *mirrored = Some(read_i64(bytes, endian, primitive, hit.element(0, primitive)?)?);
        }
        self.position.clear();
        self.velocity.clear();
        let source = Source { bytes, layout: &self.layout, found: &self.found };
        match &mut self.map {
            Map::Nothing => return Some(Reading::Mirrors),
            Map::Body => return read_body(&source).map(Reading::Body),
            Map::Axes => {
                for slot in 0..6 {
                    self.velocity.push(source.element(slot, false, 0)?);
                }
            }
            Map::Joints { names, position, velocity, places, known, unnamed } => {
                let count = match names {
                    Some(slot) => {
                        let hits = self.found.hits(*slot);
                        match (hits.len(), &*unnamed) {
                            // No names at all: the order of the params file.
                            (0, Some(order)) => {
                                places.copy_from_slice(order);
                                Some(known.feedback)
                            }
                            (count, _) => {
                                self.missing = find_places(bytes, hits, &known.lane, places);
                                if self.missing.is_some() {
                                    return None;
                                }
                                Some(count)
                            }
                        }
                    }
                    None => None,
                };
                let targets = [(&*position, &mut self.position), (&*velocity, &mut self.velocity)];
                for ((array, values), had) in targets.into_iter().zip(&mut self.had) {
                    let Some(array) = array else { continue };
                    if source.joints(array, count, names.is_some(), places, values).is_none() {
                        // An array that is too short ends before this joint.
                        self.missing = count.is_none().then_some(values.len());
                        return None;
                    }
                    if !*had && values.iter().all(|value| value.is_nan()) {
                        values.clear();
                    }
                    self.not_finite = values.iter().position(|value| !value.is_finite());
                    if self.not_finite.is_some() {
                        return None;
                    }
                    *had |= !values.is_empty();
                }
            }
        }
        Some(Reading::Joints(Sample { position: &self.position, velocity: &self.velocity }))
    }

    /// The first of the lane's joints that the message read last does not have, by its index in the
    /// lane; `None` where it has all, or is unusable for another reason.
    #[must_use]
    pub const fn missing(&self) -> Option<usize> {
        self.missing
    }

    /// The first of the lane's joints whose position or velocity in the message read last is no finite
    /// number; `None` where all are, or it is unusable for another reason.
    #[must_use]
    pub const fn not_finite(&self) -> Option<usize> {
        self.not_finite
    }

    /// The mirrored field of that number in the message read last; `None` where that was unusable.
    #[must_use]
    pub fn mirrored(&self, mirror: usize) -> Option<i64> {
        self.mirrored.get(mirror).copied().flatten()
    }
}

/// A message with what was found in it.
struct Source<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
    found: &'a Found,
}

impl Source<'_> {
    fn element(&self, slot: usize, in_messages: bool, element: usize) -> Option<f64> {
        let primitive = self.layout.primitive(slot)?;
        let hits = self.found.hits(slot);
        let offset = if in_messages {
            hits.get(element)?.element(0, primitive)?
        } else {
            hits.first()?.element(u32::try_from(element).ok()?, primitive)?
        };
        read_f64(self.bytes, self.found.endian(), primitive, offset)
    }

    /// The lane's elements of one quantity. With names, an empty array is a quantity that the
    /// message does not carry, and any other is as long as there are names.
    fn joints(
        &self,
        array: &Array,
        count: Option<usize>,
        named: bool,
        places: &[usize],
        values: &mut Vec<f64>,
    ) -> Option<()> {
        let hits = self.found.hits(array.slot);
        let here = if array.in_messages {
            hits.len()
        } else {
            hits.first().and_then(|hit| usize::try_from(hit.len).ok()).unwrap_or(0)
        };
        if named && here == 0 {
            return Some(());
        }
        if count.is_some_and(|count| count != here) {
            return None;
        }
        for place in places {
            values.push(self.element(array.slot, array.in_messages, *place)?);
        }
        Some(())
    }
}

/// Finds each joint's place in the message, looking first where it was last time. Gives the first
/// joint that is not there.
fn find_places(
    bytes: &[u8],
    names: &[Hit],
    joints: &[Box<[u8]>],
    places: &mut [usize],
) -> Option<usize> {
    joints.iter().zip(places).position(|(joint, place)| {
        let is_there = |hit: &Hit| hit.text(bytes) == Some(joint.as_ref());
        if names.get(*place).is_some_and(is_there) {
            return false;
        }
        let found = names.iter().position(is_there);
        *place = found.unwrap_or(*place);
        found.is_none()
    })
}

/// Every field with floats in it, for those who do not look at them.
pub(super) fn floats(message: &MessageType) -> Vec<Path> {
    let whole = |field: &Field| match (&field.kind, field.arity) {
        (Kind::Message(_), Arity::Array(_) | Arity::Sequence { .. }) => Index::All,
        (Kind::Message(_) | Kind::Primitive(_), _) => Index::None,
        (Kind::String { .. } | Kind::WString { .. }, _) => Index::None,
    };
    let fields = message.fields.iter().filter(|field| has_floats(&field.kind));
    let paths = fields.filter_map(|field| {
        Path::new(vec![Step { name: field.name.clone(), index: whole(field) }])
    });
    paths.collect()
}

fn has_floats(kind: &Kind) -> bool {
    match kind {
        Kind::Primitive(primitive) => primitive.is_float(),
        Kind::String { .. } | Kind::WString { .. } => false,
        Kind::Message(message) => message.fields.iter().any(|field| has_floats(&field.kind)),
    }
}

#[cfg(test)]
mod tests;
