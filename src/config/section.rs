//! Node-name sections of a params file, and which of them apply to a node.
//!
//! Follows rclcpp: a section's name is a path in which `*` stands for one name and `**` for any
//! number of them; every section that matches the node's full name applies. (r2r matches fewer:
//! it misses `/*/interlock` and `/**/interlock`.)
//!
//! **Invariant:** section names returned here are ones that rcl takes as written.

use std::collections::BTreeSet;

use super::problem::{Place, Problem, Problems};
use super::yaml::{Item, Node};
use super::yaml_rules::PARAMETERS;

/// The parameters of one node-name section.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// As rcl builds it from the nested keys, for example `interlock`, `/**`, `arm/interlock`.
    pub name: String,
    /// Where its `ros__parameters` stands.
    pub place: Place,
    /// Its parameters.
    pub items: Vec<Item>,
}

/// The sections of a file's tree, in order of writing.
///
/// # Errors
/// Names that rcl refuses, and shapes in which it takes a section for another node's.
pub fn sections(tree: Vec<Item>, rank: usize, label: &str) -> Result<Vec<Section>, Problems> {
    let mut walk = Walk {
        rank,
        label,
        found: Vec::new(),
        has_values: BTreeSet::new(),
        problems: Problems::default(),
    };
    walk.level("", tree);
    if walk.problems.is_empty() { Ok(walk.found) } else { Err(walk.problems) }
}

/// Whether a section of this name applies to the node with this full name.
///
/// ```
/// use interlock::config::section::matches;
/// assert!(matches("/**/interlock", "/left/arm/interlock"));
/// assert!(matches("/*/interlock", "/left/interlock"));
/// assert!(!matches("interlock", "/left/interlock"));
/// ```
#[must_use]
pub fn matches(section: &str, full_name: &str) -> bool {
    let names = |path: &'_ str| -> Vec<String> {
        path.trim_start_matches('/').split('/').map(str::to_owned).collect()
    };
    matches_names(&names(section), &names(full_name))
}

fn matches_names(pattern: &[String], names: &[String]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return names.is_empty();
    };
    if first == "**" {
        return (0..=names.len())
            .any(|skipped| matches_names(rest, names.get(skipped..).unwrap_or_default()));
    }
    match names.split_first() {
        Some((name, others)) => (first == "*" || first == name) && matches_names(rest, others),
        None => false,
    }
}

struct Walk<'a> {
    rank: usize,
    label: &'a str,
    found: Vec<Section>,
    /// First names of sections without ros__parameters, already told.
    has_values: BTreeSet<String>,
    problems: Problems,
}

impl Walk<'_> {
    fn level(&mut self, path: &str, items: Vec<Item>) {
        let is_alone = items.len() == 1;
        for item in items {
            if item.key == PARAMETERS {
                self.parameters(path, item, is_alone);
            } else if item.key.starts_with(PARAMETERS) {
                self.refuse(
                    item.line,
                    item.key,
                    "is not allowed as a name",
                    "ros__parameters, or a node's name that does not begin like it",
                    "rcl compares only the beginning and takes it for ros__parameters",
                    "correct the name",
                );
            } else {
                self.name(path, item);
            }
        }
    }

    fn parameters(&mut self, path: &str, item: Item, is_alone: bool) {
        let place = self.place(item.line);
        if path.is_empty() {
            return self.refuse(
                item.line,
                item.key,
                "has no node's name above it",
                "NODE: {ros__parameters: {…}}, for example `interlock:`",
                "rcl refuses the file",
                "put `interlock:` above it and indent the rest",
            );
        }
        if !is_alone {
            return self.refuse(
                item.line,
                path.to_owned(),
                "has other keys beside ros__parameters",
                "ros__parameters alone, or further names alone",
                "rcl drops the name after ros__parameters and reads the others under the wrong node",
                "give each node a section of its own",
            );
        }
        match item.node {
            Node::Map(items) => {
                self.found.push(Section { name: path.to_owned(), place, items });
            }
            Node::Leaf(_) => self.refuse(
                item.line,
                item.key,
                "holds a value instead of parameters",
                "a map of parameters",
                "rcl refuses the file",
                "indent the parameters under it",
            ),
        }
    }

    fn name(&mut self, path: &str, item: Item) {
        let is_first = path.is_empty();
        if !is_section_name(&item.key, is_first) {
            let allowed = if is_first {
                "names of letters, digits and _, joined by /, or * and ** for one or any of them"
            } else {
                "one name of letters, digits and _, or * or **"
            };
            return self.refuse(
                item.line,
                item.key,
                "is not allowed as a node's name",
                allowed,
                "rcl refuses the file, or reads the sections after it under another name",
                "correct the name; if these are parameters, put them under ros__parameters",
            );
        }
        let full = if is_first { item.key.clone() } else { format!("{path}/{}", item.key) };
        match item.node {
            Node::Map(items) => self.level(&full, items),
            // Once for a section: all its parameters have the same mistake.
            Node::Leaf(_) if self.has_values.contains(first_name(&full)) => {}
            Node::Leaf(_) => {
                self.has_values.insert(first_name(&full).to_owned());
                self.refuse(
                    item.line,
                    full,
                    "holds a value, but ros__parameters is missing above it",
                    "NODE: {ros__parameters: {…}}",
                    "rcl refuses the file",
                    "put `ros__parameters:` between the node's name and its parameters",
                );
            }
        }
    }

    fn place(&self, line: usize) -> Place {
        Place { rank: self.rank, line, label: self.label.to_owned() }
    }

    fn refuse(
        &mut self,
        line: usize,
        key: String,
        found: &str,
        allowed: &str,
        because: &str,
        fix: &str,
    ) {
        self.problems.push(Problem {
            key: format!("line {line}, {key}"),
            found: found.to_owned(),
            allowed: allowed.to_owned(),
            because: because.to_owned(),
            fix: fix.to_owned(),
            place: self.place(line),
        });
    }
}

fn first_name(path: &str) -> &str {
    let start = path.trim_start_matches('/');
    start.split('/').next().unwrap_or(start)
}

/// Slashes only in a first key: rcl removes one name for a key, so deeper ones shift the rest.
fn is_section_name(key: &str, is_first: bool) -> bool {
    if key.len() > 200 {
        return false;
    }
    let names = if is_first { key.strip_prefix('/').unwrap_or(key) } else { key };
    names.split('/').all(is_name) && (is_first || !names.contains('/'))
}

fn is_name(name: &str) -> bool {
    name == "*"
        || name == "**"
        || (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}
