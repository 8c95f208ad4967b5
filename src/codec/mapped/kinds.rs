//! Whether each path ends at the kind of field that its key needs: numbers, texts, a time, integers.

use super::compile::quantity_paths;
use super::coverage;
use super::paths::{describe, end_of};
use crate::cdr::{Kind, MessageType, Path, Primitive};
use crate::codec::CodecError;
use crate::config::model::{FieldMap, Interface, LaneConfig};

/// Joint names are texts.
pub(in crate::codec) fn check_names(message: &MessageType, path: &Path) -> Result<(), CodecError> {
    let field = end_of(message, path);
    if field.is_some_and(|field| matches!(field.kind, Kind::String { .. })) {
        return Ok(());
    }
    Err(wrong_kind(message, "fields.names".to_owned(), path, "an array of texts"))
}

/// A path that ends at the wrong kind of field.
pub(in crate::codec) fn wrong_kind(
    message: &MessageType,
    key: String,
    path: &Path,
    needed: &'static str,
) -> CodecError {
    let found = end_of(message, path).map_or_else(String::new, |field| field.type_name());
    CodecError::WrongKind {
        key,
        path: path.to_string(),
        found,
        needed,
        of: format!("{} has {}", message.name, describe(message)),
    }
}

/// The numbers that a path ends at.
pub(in crate::codec) fn primitive(message: &MessageType, path: &Path) -> Option<Primitive> {
    match end_of(message, path)?.kind {
        Kind::Primitive(primitive) => Some(primitive),
        Kind::String { .. } | Kind::WString { .. } | Kind::Message(_) => None,
    }
}

/// Numbers where numbers are needed, texts where texts are.
pub(super) fn check_kinds(
    lane: &LaneConfig,
    message: &MessageType,
    fields: &FieldMap,
) -> Result<(), CodecError> {
    for (_, key, path) in quantity_paths(fields) {
        coverage::refuse_payload(message, path)?;
        if !primitive(message, path).is_some_and(Primitive::is_float) {
            let key = format!("fields.{key}");
            return Err(wrong_kind(message, key, path, "a float32 or float64"));
        }
    }
    if let Some(path) = &fields.names {
        check_names(message, path)?;
    }
    if let Some(path) = &fields.stamp {
        let is_time = |inner: &MessageType| inner.name == "builtin_interfaces/msg/Time";
        let field = end_of(message, path);
        let fits = field
            .is_some_and(|field| matches!(&field.kind, Kind::Message(inner) if is_time(inner)));
        if !fits {
            let needed = "a builtin_interfaces/msg/Time";
            return Err(wrong_kind(message, "fields.stamp".to_owned(), path, needed));
        }
    }
    for fixed in &lane.fixed {
        if primitive(message, &fixed.field).is_none_or(Primitive::is_float) {
            let key = format!("fixed.{}.field", fixed.name);
            return Err(wrong_kind(message, key, &fixed.field, "an integer or a bool"));
        }
    }
    Ok(())
}

/// The quantity that the lane commands is mapped.
pub(super) fn check_commanded(
    lane: &LaneConfig,
    message: &MessageType,
    fields: &FieldMap,
) -> Result<(), CodecError> {
    let (interface, path) = match lane.interface {
        Interface::Position => ("position", &fields.position),
        Interface::Velocity => ("velocity", &fields.velocity),
        Interface::Effort => ("effort", &fields.effort),
    };
    if path.is_some() {
        return Ok(());
    }
    Err(CodecError::NoQuantity { interface, message: message.name.clone(), has: describe(message) })
}
