//! Field paths and node names as values of keys.
//!
//! The grammar is that of [`crate::cdr::Path`]; whether a type has such a field is asked when its
//! layout is compiled, not here. **Invariant:** a list of paths has none twice.

use super::keys::Keys;
use super::range::Read;
use crate::cdr::Path;

/// One path.
pub(super) fn path(keys: &mut Keys<'_>, key: &str) -> Read<Path> {
    keys.string(key).and_then(|text| parse(keys, key, text))
}

/// A list of paths; empty where absent, `None` after a problem.
pub(super) fn paths(keys: &mut Keys<'_>, key: &str) -> Option<Vec<Path>> {
    let Some(texts) = keys.strings(key).optional()? else {
        return Some(Vec::new());
    };
    let mut all: Vec<Path> = Vec::new();
    for text in texts {
        let path = parse(keys, key, text)?;
        if all.contains(&path) {
            keys.refuse(
                key,
                format!("{text:?} is there twice"),
                "each field once",
                "one of the two would be a mistake for another field",
                "remove or correct one",
            );
            return None;
        }
        all.push(path);
    }
    Some(all)
}

fn parse(keys: &mut Keys<'_>, key: &str, text: &str) -> Option<Path> {
    match Path::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            keys.refuse(
                key,
                format!(
                    "{text:?} is not a field path: {} at character {}",
                    error.problem, error.at
                ),
                "name(.name)*, with [] (every element), [i] (one) or [i..j] (end excluded)",
                "a field that is not found is never guessed",
                "correct it, for example motor_cmd[].q or data[0..7]",
            );
            None
        }
    }
}

/// Whether a text can be a node's name, with or without a namespace.
pub(super) fn is_node(name: &str) -> bool {
    let names = name.strip_prefix('/').unwrap_or(name);
    names.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
