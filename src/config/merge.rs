//! Several files and `-p` rules to one flat map, exactly as rcl and rclcpp merge them.
//!
//! rcl keeps one structure for all files and rules: sections in order of first appearance, in each
//! a list of names with one slot for each type. Its ways are surprising: a `-p` without a node's
//! name goes into `/**`, and loses against a later section of a file; a nested key given twice
//! stands there twice, and `-p` changes the first while the last one counts; a number given once
//! as 1 and then as 2.5 stays 1. This module does the same steps, and does what a person expects
//! (the last one written wins), and refuses every key where the two differ.
//!
//! **Invariant:** a value in the returned map is the one rclcpp would give the node.

use std::collections::BTreeMap;

use super::problem::{Place, Problem, Problems};
use super::section::{self, Section};
use super::value::{Entry, FlatMap, Value};
use super::yaml::{Item, Node};
use super::yaml_rules::{REFUSED_TWICE, Rule};

/// What one file or rule adds, in the order of the command line.
#[derive(Clone, Debug)]
pub enum Part {
    /// The sections of a file.
    File(Vec<Section>),
    /// One `-p` rule: section, name, value.
    Rule(String, String, Entry),
}

/// The parameters of the node with this full name.
///
/// # Errors
/// Keys that one section gives twice, and those where rcl's result is not the last one written.
pub fn merge(parts: &[Part], full_name: &str) -> Result<FlatMap, Problems> {
    let mut rcl = Rcl::default();
    let mut problems = Problems::default();
    let mut written: BTreeMap<String, Entry> = BTreeMap::new();
    for part in parts {
        match part {
            Part::File(sections) => {
                for section in sections {
                    let is_ours = section::matches(&section.name, full_name);
                    let node = rcl.node(&section.name);
                    let mut own = BTreeMap::new();
                    for item in &section.items {
                        node.item(None, item);
                        if is_ours {
                            flatten("", item, &mut own, &mut problems);
                        }
                    }
                    written.append(&mut own);
                }
            }
            Part::Rule(name, key, entry) => {
                rcl.node(name).set(key, entry);
                if section::matches(name, full_name) {
                    written.insert(key.clone(), entry.clone());
                }
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    compare(&rcl.parameters(full_name), written)
}

fn flatten(prefix: &str, item: &Item, into: &mut BTreeMap<String, Entry>, problems: &mut Problems) {
    let key = if prefix.is_empty() { item.key.clone() } else { format!("{prefix}.{}", item.key) };
    match &item.node {
        Node::Leaf(entry) => {
            // Once nested and once with dots: the reader of the file sees two keys there.
            if let Some(first) = into.insert(key.clone(), entry.clone()) {
                problems.push(twice(key, &first, entry));
            }
        }
        Node::Map(items) => items.iter().for_each(|item| flatten(&key, item, into, problems)),
    }
}

fn twice(key: String, first: &Entry, entry: &Entry) -> Problem {
    let Rule { found, allowed, because, fix } = REFUSED_TWICE;
    Problem {
        key,
        found: format!("{found}, first at {}", first.place.text()),
        allowed: allowed.to_owned(),
        because: because.to_owned(),
        fix: fix.to_owned(),
        place: entry.place.clone(),
    }
}

fn compare(
    given: &BTreeMap<String, Value>,
    written: BTreeMap<String, Entry>,
) -> Result<FlatMap, Problems> {
    let mut map = FlatMap::default();
    let mut problems = Problems::default();
    for (key, entry) in written {
        match given.get(&key) {
            Some(value) if value.same(&entry.value) => map.insert(key, entry),
            other => problems.push(shadowed(&key, &entry.value, other, entry.place)),
        }
    }
    for (key, value) in given {
        if map.get(key).is_none() && !problems.sorted().iter().any(|p| p.key == *key) {
            let place = Place::rcl();
            problems.push(shadowed(key, value, None, place));
        }
    }
    if problems.is_empty() { Ok(map) } else { Err(problems) }
}

fn shadowed(key: &str, written: &Value, given: Option<&Value>, place: Place) -> Problem {
    let given = given.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    Problem {
        key: key.to_owned(),
        found: format!("{written} is written last, but rcl gives the node {given}"),
        allowed: "each key once, over all files, sections and -p rules that apply to this node"
            .to_owned(),
        because: "rcl orders sections by their first appearance, not by the command line, and \
                  keeps an older value of another type"
            .to_owned(),
        fix: "remove the other ones, or put all of them under the same section name".to_owned(),
        place,
    }
}

/// rcl's structure: sections in order of first appearance.
#[derive(Default)]
struct Rcl {
    nodes: Vec<(String, RclNode)>,
}

impl Rcl {
    fn node(&mut self, name: &str) -> &mut RclNode {
        let at = self.nodes.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.nodes.push((name.to_owned(), RclNode::default()));
            self.nodes.len() - 1
        });
        // The index was found or made just above.
        #[expect(clippy::indexing_slicing, reason = "the index comes from position or from push")]
        &mut self.nodes[at].1
    }

    /// rclcpp's walk: all sections that match, in order; a later one replaces.
    fn parameters(&self, full_name: &str) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for (name, node) in &self.nodes {
            if section::matches(name, full_name) {
                for (key, slots) in &node.entries {
                    if let Some(value) = slots.value() {
                        found.insert(key.clone(), value);
                    }
                }
            }
        }
        found
    }
}

#[derive(Default)]
struct RclNode {
    entries: Vec<(String, Slots)>,
}

impl RclNode {
    fn item(&mut self, namespace: Option<&str>, item: &Item) {
        let at = match namespace {
            None => self.find(&item.key),
            Some(namespace) => {
                // rcl looks the namespace itself up (or adds it) and renames what it finds.
                let at = self.find(namespace);
                if let Some((name, _)) = self.entries.get_mut(at) {
                    *name = format!("{namespace}.{}", item.key);
                }
                at
            }
        };
        match &item.node {
            Node::Leaf(entry) => {
                if let Some((_, slots)) = self.entries.get_mut(at) {
                    slots.set(&entry.value);
                }
            }
            Node::Map(items) => {
                let name = self.entries.get(at).map(|(name, _)| name.clone());
                for item in items {
                    self.item(name.as_deref(), item);
                }
            }
        }
    }

    fn set(&mut self, name: &str, entry: &Entry) {
        let at = self.find(name);
        if let Some((_, slots)) = self.entries.get_mut(at) {
            slots.set(&entry.value);
        }
    }

    fn find(&mut self, name: &str) -> usize {
        self.entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.entries.push((name.to_owned(), Slots::default()));
            self.entries.len() - 1
        })
    }
}

/// One slot for each type; rclcpp reads the first that is set, in this order.
#[derive(Default)]
struct Slots {
    bool_value: Option<bool>,
    integer: Option<i64>,
    double: Option<f64>,
    string: Option<String>,
    bool_array: Option<Vec<bool>>,
    integer_array: Option<Vec<i64>>,
    double_array: Option<Vec<f64>>,
    string_array: Option<Vec<String>>,
}

impl Slots {
    fn set(&mut self, value: &Value) {
        match value {
            Value::Bool(v) => self.bool_value = Some(*v),
            Value::Int(v) => self.integer = Some(*v),
            Value::Double(v) => self.double = Some(*v),
            Value::String(v) => self.string = Some(v.clone()),
            Value::BoolArray(v) => self.bool_array = Some(v.clone()),
            Value::IntArray(v) => self.integer_array = Some(v.clone()),
            Value::DoubleArray(v) => self.double_array = Some(v.clone()),
            Value::StringArray(v) => self.string_array = Some(v.clone()),
        }
    }

    fn value(&self) -> Option<Value> {
        None.or(self.bool_value.map(Value::Bool))
            .or(self.integer.map(Value::Int))
            .or(self.double.map(Value::Double))
            .or_else(|| self.string.clone().map(Value::String))
            .or_else(|| self.bool_array.clone().map(Value::BoolArray))
            .or_else(|| self.integer_array.clone().map(Value::IntArray))
            .or_else(|| self.double_array.clone().map(Value::DoubleArray))
            .or_else(|| self.string_array.clone().map(Value::StringArray))
    }
}
