//! Whether the params file says something of every field of a type, and nothing twice.

use std::sync::Arc;

use super::paths::{describe, end_of, leaves_under, messages_named, overlap};
use crate::cdr::{Arity, FiniteRule, Kind, Layout, Leaf, MessageType, Path, Primitive, Selection};
use crate::codec::CodecError;

/// Messages that describe the data beside them and command nothing: always covered.
const DESCRIPTIONS: [&str; 2] = ["std_msgs/msg/Header", "std_msgs/msg/MultiArrayLayout"];

/// Words by which a checksum is known in a field's name, in lower case and without digits.
const CHECKSUM_WORDS: [&str; 7] = ["crc", "checksum", "chksum", "cksum", "fcs", "checkbyte", "bcc"];

/// A path with the key that names it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) key: String,
    pub(super) path: Path,
}

/// Every field is covered by exactly one key. `frozen` is the type with the counts that the map
/// enforces.
pub(super) fn check(
    message: &MessageType,
    frozen: &Arc<MessageType>,
    named: &[Named],
) -> Result<(), CodecError> {
    let mut seen: Vec<(&str, Path)> = Vec::new();
    for Named { key, path } in named {
        for leaf in leaves_under(message, path) {
            if let Some((one, _)) = seen.iter().find(|(_, other)| overlap(other, &leaf)) {
                let (one, other) = ((*one).to_owned(), key.clone());
                return Err(CodecError::Overlap { field: leaf.to_string(), one, other });
            }
            seen.push((key, leaf));
        }
    }
    let mut selections: Vec<Selection> = seen.into_iter().map(|(_, path)| cover(path)).collect();
    for description in messages_named(message, &DESCRIPTIONS) {
        selections.extend(leaves_under(message, &description).into_iter().map(cover));
    }
    let layout = Layout::compile(frozen, &selections, &[])?;
    let uncovered = layout.uncovered();
    if let Some(leaf) = uncovered.iter().find(|leaf| is_opaque(&leaf.kind, leaf.arity)) {
        return Err(opaque(message, &leaf.path, leaf));
    }
    if uncovered.is_empty() {
        return Ok(());
    }
    let fields: Vec<String> = uncovered.iter().map(|leaf| format!("`{}`", leaf.path)).collect();
    Err(CodecError::Uncovered {
        fields: fields.join(", "),
        message: message.name.clone(),
        has: describe(message),
    })
}

/// Whether one of these paths ends at such a number that commands something: a grip, a mode, a switch.
/// A label does not, nor does a message that only describes.
pub(super) fn keeps(message: &MessageType, paths: &[Path], is: fn(Primitive) -> bool) -> bool {
    let described: Vec<Path> = messages_named(message, &DESCRIPTIONS)
        .iter()
        .flat_map(|path| leaves_under(message, path))
        .collect();
    paths.iter().flat_map(|path| leaves_under(message, path)).any(|leaf| {
        let is_such = end_of(message, &leaf)
            .is_some_and(|field| matches!(field.kind, Kind::Primitive(one) if is(one)));
        is_such && !described.iter().any(|other| overlap(other, &leaf))
    })
}

fn cover(path: Path) -> Selection {
    Selection { path, max_hits: 1, finite: FiniteRule::AsUnselected }
}

fn opaque(message: &MessageType, field: &str, leaf: &Leaf) -> CodecError {
    let (kind, arity) = (&leaf.kind, leaf.arity);
    CodecError::Opaque {
        field: field.to_owned(),
        type_name: format!("{kind}{arity}"),
        message: message.name.clone(),
        has: describe(message),
    }
}

/// Texts, and bytes of any number.
fn is_opaque(kind: &Kind, arity: Arity) -> bool {
    matches!(kind, Kind::String { .. } | Kind::WString { .. }) || is_bytes(kind, arity)
}

fn is_bytes(kind: &Kind, arity: Arity) -> bool {
    use Primitive::{Char, I8, Octet, U8};
    matches!(kind, Kind::Primitive(Octet | Char | U8 | I8))
        && matches!(arity, Arity::Sequence { .. })
}

/// Where a quantity must be numbers, a text or bytes are an opaque payload.
pub(super) fn refuse_payload(message: &MessageType, path: &Path) -> Result<(), CodecError> {
    match end_of(message, path).filter(|field| is_opaque(&field.kind, field.arity)) {
        None => Ok(()),
        Some(field) => {
            let at = path.to_string();
            let leaf = Leaf { path: at.clone(), kind: field.kind.clone(), arity: field.arity };
            Err(opaque(message, &at, &leaf))
        }
    }
}

/// Bytes of any number cannot even be kept: a label is a text.
pub(super) fn refuse_kept_bytes(message: &MessageType, path: &Path) -> Result<(), CodecError> {
    for leaf in leaves_under(message, path) {
        if end_of(message, &leaf).is_some_and(|field| is_bytes(&field.kind, field.arity)) {
            refuse_payload(message, &leaf)?;
        }
    }
    Ok(())
}

/// A field named like a checksum must be the declared one.
pub(super) fn refuse_undeclared_checksum(
    message: &MessageType,
    declared: Option<&Path>,
) -> Result<(), CodecError> {
    for (path, field) in message.leaves() {
        if is_checksum_name(&field.name) && declared != Some(&path) {
            return Err(CodecError::UndeclaredChecksum {
                field: path.to_string(),
                type_name: field.type_name(),
                message: message.name.clone(),
                has: describe(message),
            });
        }
    }
    Ok(())
}

fn is_checksum_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let word = |word: &str| {
        CHECKSUM_WORDS.contains(&word.trim_end_matches(|last: char| last.is_ascii_digit()))
    };
    name.split('_').any(word) || word(&name.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_known_by_its_name() {
        for name in ["crc", "CRC", "crc32", "frame_crc", "crc_16", "check_sum", "checksum8", "fcs"]
        {
            assert!(is_checksum_name(name), "{name}");
        }
        for name in ["q", "tau", "reserve", "crcl_mode", "sum", "check", "focus", "mode_machine"] {
            assert!(!is_checksum_name(name), "{name}");
        }
    }
}
