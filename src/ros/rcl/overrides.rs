//! Which parameter values are meant for a node.
//!
//! A params file has sections for node names and patterns; `-p` goes to every
//! node. The rule is rclcpp's: sections in the order of their first appearance
//! on the command line, and a later value for the same key wins, whichever
//! pattern is narrower.
//!
//! **Invariant:** only the two documented wildcards mean more than themselves:
//! `/*` is one name, `/**` any number of names. (rclcpp hands the rest of the
//! pattern to a regular expression; a pattern that relies on that matches
//! nothing here, and what it should have configured is then reported missing.)

use std::collections::BTreeMap;
use std::ptr::{self, NonNull};

use r2r_rcl::rcl_arguments_get_param_overrides;

use super::context::Context;
use super::error::{RclError, check};
use super::params::{Params, ParamsFile, RclValue};

/// The values that the process's arguments give a node, sorted by key.
///
/// # Errors
/// rcl's text.
pub fn parameter_overrides(
    context: &Context,
    fully_qualified_name: &str,
) -> Result<Vec<(String, RclValue)>, RclError> {
    let mut raw = ptr::null_mut();
    // SAFETY: the arguments are initialised with the context; the answer is a
    // copy, allocated by rcl, or null when there are no overrides.
    let code = unsafe { rcl_arguments_get_param_overrides(context.global_arguments(), &mut raw) };
    check("rcl_arguments_get_param_overrides", code)?;
    let Some(raw) = NonNull::new(raw) else {
        return Ok(Vec::new());
    };
    // SAFETY: initialised by rcl, and ours to release.
    let params = unsafe { Params::from_raw(raw) };
    Ok(params.read()?.for_node(fully_qualified_name))
}

impl ParamsFile {
    /// The values for one node (`/namespace/name`), sorted by key.
    #[must_use]
    pub fn for_node(&self, fully_qualified_name: &str) -> Vec<(String, RclValue)> {
        let mut values = BTreeMap::new();
        for node in &self.nodes {
            if matches(&node.pattern, fully_qualified_name) {
                values.extend(node.values.iter().cloned());
            }
        }
        values.into_iter().collect()
    }
}

/// A piece of a pattern.
enum Piece {
    /// This byte.
    Byte(u8),
    /// `/` and one name.
    Name,
    /// Any number of `/` and a name.
    Names,
}

/// Whether a section's pattern names this node. A pattern without a leading
/// slash is meant from the root.
fn matches(pattern: &str, fully_qualified_name: &str) -> bool {
    let name = fully_qualified_name.as_bytes();
    // reached[i]: the pieces so far can match the first i bytes.
    let mut reached = vec![false; name.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in pieces(pattern) {
        reached = step(&piece, name, &reached);
    }
    reached.last().copied().unwrap_or(false)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let slash = if pattern.starts_with('/') { "" } else { "/" };
    let pattern = format!("{slash}{pattern}");
    let mut rest = pattern.as_bytes();
    let mut pieces = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"/**") {
            pieces.push(Piece::Names);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"/*") {
            pieces.push(Piece::Name);
            rest = after;
        } else {
            pieces.push(Piece::Byte(byte));
            rest = after;
        }
    }
    pieces
}

fn step(piece: &Piece, name: &[u8], reached: &[bool]) -> Vec<bool> {
    let mut next = match piece {
        Piece::Names => reached.to_vec(),
        Piece::Byte(_) | Piece::Name => vec![false; reached.len()],
    };
    for at in 0..name.len() {
        // `Names` also continues from places it reached itself, further left.
        let open = match piece {
            Piece::Names => next.get(at),
            Piece::Byte(_) | Piece::Name => reached.get(at),
        };
        if open != Some(&true) {
            continue;
        }
        let rest = name.get(at..).unwrap_or_default();
        let lengths = match piece {
            Piece::Byte(byte) if rest.first() == Some(byte) => 1..=1,
            Piece::Byte(_) => continue,
            // A slash and at least one letter of the name.
            Piece::Name | Piece::Names => 2..=slash_and_name(rest),
        };
        for length in lengths {
            if let Some(place) = next.get_mut(at + length) {
                *place = true;
            }
        }
    }
    next
}

/// Bytes of a slash and the name after it; 0 where there is none.
fn slash_and_name(text: &[u8]) -> usize {
    match text.split_first() {
        Some((b'/', name)) => {
            let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            1 + name.iter().take_while(is_word).count()
        }
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_rclcpp() {
        let node = "/robot/interlock";
        for pattern in [
            "/robot/interlock",
            "robot/interlock",
            "/**",
            "**",
            "/*/interlock",
            "*/interlock",
            "/**/interlock",
            "/robot/*",
            "/robot/**",
            "/*/*",
            "/**/*",
            "/robot/**/interlock",
        ] {
            assert!(matches(pattern, node), "{pattern} should match {node}");
        }
        for pattern in [
            "/interlock",
            "interlock",
            "/*",
            "*",
            "/robot",
            "/other/interlock",
            "/robot/interloc",
            "/robot/interlock2",
            "/*/*/interlock",
            "/robot/*/interlock",
            "",
            "/",
            "/robot/",
            "/robot.interlock",
            "/robot/.*",
            "/**x",
        ] {
            assert!(!matches(pattern, node), "{pattern} should not match {node}");
        }
        assert!(matches("/interlock", "/interlock"));
        assert!(matches("/*", "/interlock"));
        assert!(matches("/**/interlock", "/interlock"), "any number includes none");
        assert!(matches("/**/interlock", "/a/b_2/interlock"));
    }

    #[test]
    fn a_long_pattern_takes_no_exponential_time() {
        let node = "/a".repeat(60);
        assert!(!matches(&("/**".repeat(60) + "/b"), &node));
    }

    #[test]
    fn a_later_section_wins_over_a_narrower_one() {
        let section = |pattern: &str, key: &str, value| super::super::NodeParams {
            pattern: pattern.to_owned(),
            values: vec![(key.to_owned(), RclValue::Int(value))],
        };
        let file = ParamsFile {
            nodes: vec![
                section("/interlock", "b", 1),
                section("/**", "b", 2),
                section("/**", "a", 3),
                section("/other", "a", 4),
            ],
        };
        let expected = vec![("a".to_owned(), RclValue::Int(3)), ("b".to_owned(), RclValue::Int(2))];
        assert_eq!(file.for_node("/interlock"), expected);
    }
}
