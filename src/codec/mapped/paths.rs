//! Paths of the params file against a type: which array a path goes through, which fields it ends
//! at, how many elements the map expects of an array of any length.
//!
//! Start-up only. [`Layout::compile`](crate::cdr::Layout::compile) reports paths that do not fit; the
//! functions here are asked only about paths that do, and say nothing of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cdr::{Arity, Field, Index, Kind, MessageType, Path, Step, Value};

/// How many elements arrays of any length must have, by the names on the way to them.
pub(super) type Counts = BTreeMap<Vec<String>, u32>;

/// The fields on the way of a path. Shorter than the path where it does not fit.
pub(super) fn fields_of<'m>(message: &'m MessageType, path: &Path) -> Vec<&'m Field> {
    let mut fields = Vec::new();
    let mut message = Some(message);
    for step in path.steps() {
        let Some(field) = message.and_then(|message| message.field(&step.name)) else {
            return fields;
        };
        message = match &field.kind {
            Kind::Message(inner) => Some(inner.as_ref()),
            Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => None,
        };
        fields.push(field);
    }
    fields
}

/// The field that a path ends at.
pub(super) fn end_of<'m>(message: &'m MessageType, path: &Path) -> Option<&'m Field> {
    let fields = fields_of(message, path);
    if fields.len() == path.steps().len() { fields.last().copied() } else { None }
}

/// Whether a step may take more than one element.
fn is_many(field: &Field, step: &Step) -> bool {
    field.arity != Arity::One && !matches!(step.index, Index::One(_))
}

/// The steps that may take more than one element, by number.
pub(in crate::codec) fn many_steps(message: &MessageType, path: &Path) -> Vec<usize> {
    let fields = fields_of(message, path);
    let pairs = fields.iter().zip(path.steps()).enumerate();
    pairs.filter(|(_, (field, step))| is_many(field, step)).map(|(number, _)| number).collect()
}

/// The names on the way up to step `number`.
pub(super) fn names_to(path: &Path, number: usize) -> Vec<String> {
    path.steps().iter().take(number.saturating_add(1)).map(|step| step.name.clone()).collect()
}

/// How many elements step `number` takes; `None` where only the message can tell.
pub(super) fn taken(message: &MessageType, path: &Path, number: usize) -> Option<usize> {
    let fields = fields_of(message, path);
    let (field, step) = (fields.get(number)?, path.steps().get(number)?);
    match (step.index, field.arity) {
        (Index::One(_), _) | (Index::None, Arity::One) => Some(1),
        (Index::Range(from, to), _) => usize::try_from(to.saturating_sub(from)).ok(),
        (Index::None | Index::All, Arity::Array(count)) => Some(count),
        (Index::All, Arity::One) | (Index::None | Index::All, Arity::Sequence { .. }) => None,
    }
}

/// How many hits a selection has in a type without arrays of any length; `otherwise` for each array
/// that has.
pub(super) fn hits(message: &MessageType, path: &Path, otherwise: usize) -> usize {
    let fields = fields_of(message, path);
    let mut hits = 1_usize;
    for (number, field) in fields.iter().enumerate() {
        // The elements of an array of numbers are one hit.
        if !matches!(field.kind, Kind::Primitive(_)) {
            hits = hits.saturating_mul(taken(message, path, number).unwrap_or(otherwise));
        }
    }
    hits.max(1)
}

/// The path with another index at step `number`.
pub(super) fn with_index(path: &Path, number: usize, index: Index) -> Path {
    let mut steps = path.steps().to_vec();
    if let Some(step) = steps.get_mut(number) {
        step.index = index;
    }
    Path::new(steps).unwrap_or_else(|| path.clone())
}

/// The paths of the fields under a path that ends at a message; else the path itself.
pub(super) fn leaves_under(message: &MessageType, path: &Path) -> Vec<Path> {
    let Some(Field { kind: Kind::Message(inner), arity, .. }) = end_of(message, path) else {
        return vec![path.clone()];
    };
    let last = path.steps().len().saturating_sub(1);
    let path = match (path.steps().get(last).map(|step| step.index), arity) {
        (Some(Index::None), Arity::Array(_) | Arity::Sequence { .. }) => {
            with_index(path, last, Index::All)
        }
        (Some(_) | None, _) => path.clone(),
    };
    let mut leaves = Vec::new();
    for field in &inner.fields {
        let step = Step { name: field.name.clone(), index: Index::None };
        let steps: Vec<Step> = path.steps().iter().cloned().chain([step]).collect();
        if let Some(below) = Path::new(steps) {
            leaves.extend(leaves_under(message, &below));
        }
    }
    leaves
}

/// The fields of a type for an error: `mode_pr (uint8), motor_cmd[].q (float32)`.
pub(in crate::codec) fn describe(message: &MessageType) -> String {
    let leaves = message.leaves();
    let texts: Vec<String> =
        leaves.iter().map(|(path, field)| format!("{path} ({})", field.type_name())).collect();
    texts.join(", ")
}

/// The paths of every message of one of these types inside `message`.
pub(super) fn messages_named(message: &MessageType, names: &[&str]) -> Vec<Path> {
    fn below(message: &MessageType, at: &[Step], names: &[&str], found: &mut Vec<Path>) {
        for field in &message.fields {
            let Kind::Message(inner) = &field.kind else { continue };
            let index = if field.arity == Arity::One { Index::None } else { Index::All };
            let step = Step { name: field.name.clone(), index };
            let steps: Vec<Step> = at.iter().cloned().chain([step]).collect();
            if names.contains(&inner.name.as_str()) {
                found.extend(Path::new(steps));
            } else {
                below(inner, &steps, names, found);
            }
        }
    }
    let mut found = Vec::new();
    below(message, &[], names, &mut found);
    found
}

/// Whether two paths to fields without fields of their own can take the same element.
pub(super) fn overlap(one: &Path, other: &Path) -> bool {
    let range = |index: Index| match index {
        Index::None | Index::All => (0, u32::MAX),
        Index::One(one) => (one, one.saturating_add(1)),
        Index::Range(from, to) => (from, to),
    };
    one.steps().len() == other.steps().len()
        && one.steps().iter().zip(other.steps()).all(|(one, other)| {
            let ((from, to), (first, last)) = (range(one.index), range(other.index));
            one.name == other.name && from < last && first < to
        })
}

/// Notes what the indices of a path ask of the arrays of any length on its way.
pub(super) fn note_counts(message: &MessageType, path: &Path, counts: &mut Counts) {
    for (number, (field, step)) in fields_of(message, path).iter().zip(path.steps()).enumerate() {
        let needed = match step.index {
            Index::None | Index::All => continue,
            Index::One(one) => one.saturating_add(1),
            Index::Range(_, to) => to,
        };
        if matches!(field.arity, Arity::Sequence { .. }) {
            note_count(counts, names_to(path, number), needed);
        }
    }
}

/// Notes that an array must have at least so many elements.
pub(super) fn note_count(counts: &mut Counts, names: Vec<String>, needed: u32) {
    let count = counts.entry(names).or_default();
    *count = (*count).max(needed);
}

/// The type with arrays of fixed size where `counts` tells how many elements they have.
pub(super) fn frozen(message: &MessageType, counts: &Counts) -> Arc<MessageType> {
    fn below(message: &MessageType, at: &[String], counts: &Counts) -> Arc<MessageType> {
        let fields = message.fields.iter().map(|field| {
            let path: Vec<String> = at.iter().cloned().chain([field.name.clone()]).collect();
            let kind = match &field.kind {
                Kind::Message(inner) => Kind::Message(below(inner, &path, counts)),
                Kind::Primitive(_) | Kind::String { .. } | Kind::WString { .. } => {
                    field.kind.clone()
                }
            };
            let count = counts.get(&path).and_then(|count| usize::try_from(*count).ok());
            let arity = count.map_or(field.arity, Arity::Array);
            let default = field.default.clone().filter(|default| match default {
                Value::List(elements) => count.is_none_or(|count| elements.len() == count),
                Value::Bool(_)
                | Value::Unsigned(_)
                | Value::Signed(_)
                | Value::F32(_)
                | Value::F64(_)
                | Value::Text(_)
                | Value::WideText(_)
                | Value::Message(_) => true,
            });
            Field { name: field.name.clone(), kind, arity, default }
        });
        Arc::new(MessageType { name: message.name.clone(), fields: fields.collect() })
    }
    below(message, &[], counts)
}
