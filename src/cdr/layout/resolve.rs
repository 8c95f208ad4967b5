//! Fitting one path to a type, for its errors and for what it ends at.

use super::super::path::{Index, Path, Step};
use super::super::schema::{Arity, Field, Kind, MessageType, Primitive};
use super::{LayoutProblem, SlotKind};

/// Types that a selection may end at although they are messages: one instant or span of time.
const STAMPS: [&str; 2] = ["builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration"];

/// What a path ends at.
pub(super) enum End<'message> {
    /// Something that a selection can find.
    Slot(SlotKind),
    /// A message.
    Message(&'message MessageType),
}

/// Follows `path` from `root`.
///
/// # Errors
/// The first step that does not fit.
pub(super) fn resolve<'message>(
    root: &'message MessageType,
    path: &Path,
) -> Result<End<'message>, LayoutProblem> {
    let mut message = root;
    let mut at = String::new();
    let mut steps = path.steps().iter().peekable();
    while let Some(step) = steps.next() {
        let field = message.field(&step.name).ok_or_else(|| LayoutProblem::UnknownField {
            field: step.name.clone(),
            message: message.name.clone(),
            available: message.describe_fields(),
        })?;
        if !at.is_empty() {
            at.push('.');
        }
        at.push_str(&step.name);
        check_index(field, step, &at)?;
        at.push_str(&step.index.to_string());
        let last = steps.peek().is_none();
        match &field.kind {
            Kind::Primitive(primitive) if last => {
                return Ok(End::Slot(SlotKind::Number(*primitive)));
            }
            Kind::String { .. } if last => return Ok(End::Slot(SlotKind::Text)),
            Kind::WString { .. } if last => return Ok(End::Slot(SlotKind::WideText)),
            Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => {
                return Err(LayoutProblem::NoFieldsBelow { at, type_name: field.type_name() });
            }
            Kind::Message(inner) => {
                if field.arity != Arity::One && step.index == Index::None {
                    return Err(LayoutProblem::NeedsIndex { at, type_name: field.type_name() });
                }
                if last && is_stamp(inner) {
                    return Ok(End::Slot(SlotKind::Stamp));
                }
                message = inner;
            }
        }
    }
    Ok(End::Message(message))
}

/// Whether the type is a time of two 32-bit numbers, by name and by shape.
fn is_stamp(message: &MessageType) -> bool {
    let shape: Vec<(&str, &Kind, Arity)> = message
        .fields
        .iter()
        .map(|field| (field.name.as_str(), &field.kind, field.arity))
        .collect();
    STAMPS.contains(&message.name.as_str())
        && shape
            == [
                ("sec", &Kind::Primitive(Primitive::I32), Arity::One),
                ("nanosec", &Kind::Primitive(Primitive::U32), Arity::One),
            ]
}

fn check_index(field: &Field, step: &Step, at: &str) -> Result<(), LayoutProblem> {
    // The first index that the array would have to have beyond.
    let needed = match step.index {
        Index::None => return Ok(()),
        Index::All => 0,
        Index::One(index) => u64::from(index).saturating_add(1),
        Index::Range(_, to) => u64::from(to),
    };
    let most = match field.arity {
        Arity::One => {
            return Err(LayoutProblem::NotAnArray {
                at: at.to_owned(),
                type_name: field.type_name(),
            });
        }
        Arity::Array(count) | Arity::Sequence { bound: Some(count) } => Some(count),
        Arity::Sequence { bound: None } => None,
    };
    match most.and_then(|most| u64::try_from(most).ok()) {
        Some(most) if needed > most => Err(LayoutProblem::PastEnd {
            at: format!("{at}{}", step.index),
            type_name: field.type_name(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Whether there is a float anywhere in the field's kind.
pub(super) fn has_floats(kind: &Kind) -> bool {
    match kind {
        Kind::Primitive(primitive) => primitive.is_float(),
        Kind::String { .. } | Kind::WString { .. } => false,
        Kind::Message(message) => message.fields.iter().any(|field| has_floats(&field.kind)),
    }
}
