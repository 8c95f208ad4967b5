//! Both parsers over one text, and the verdict.

use std::fs;
use std::path::PathBuf;

use interlock::config::section::{self, Section};
use interlock::config::value::Value;
use interlock::config::yaml::{self, Item, Node};
use interlock::ros::rcl::{RclValue, parse_params_file};

/// Sections in order, each with its keys in any order.
pub(crate) type Sections = Vec<(String, Vec<(String, Value)>)>;

/// What our loader makes of a text.
pub(crate) fn ours(text: &str) -> Result<Sections, String> {
    let tree = yaml::parse(text, 0, "FILE").map_err(|problems| problems.to_string())?;
    let sections = section::sections(tree, 0, "FILE").map_err(|problems| problems.to_string())?;
    Ok(sections.iter().map(flatten).collect())
}

fn flatten(section: &Section) -> (String, Vec<(String, Value)>) {
    fn walk(prefix: &str, items: &[Item], into: &mut Vec<(String, Value)>) {
        for item in items {
            let key = format!("{prefix}{}", item.key);
            match &item.node {
                Node::Leaf(entry) => into.push((key, entry.value.clone())),
                Node::Map(items) => walk(&format!("{key}."), items, into),
            }
        }
    }
    let mut values = Vec::new();
    walk("", &section.items, &mut values);
    values.sort_by(|a, b| a.0.cmp(&b.0));
    (section.name.clone(), values)
}

/// rcl's value as ours.
pub(crate) fn value(value: RclValue) -> Value {
    match value {
        RclValue::Bool(v) => Value::Bool(v),
        RclValue::Int(v) => Value::Int(v),
        RclValue::Double(v) => Value::Double(v),
        RclValue::String(v) => Value::String(v),
        RclValue::BoolArray(v) => Value::BoolArray(v),
        RclValue::IntArray(v) => Value::IntArray(v),
        RclValue::DoubleArray(v) => Value::DoubleArray(v),
        RclValue::StringArray(v) => Value::StringArray(v),
        RclValue::ByteArray(v) => panic!("rcl's parser makes no byte arrays: {v:?}"),
    }
}

/// rcl's parser over the same text.
pub(crate) struct Rcl {
    path: PathBuf,
}

impl Rcl {
    pub(crate) fn new(name: &str) -> Self {
        let file = format!("interlock-differential-{name}-{}.yaml", std::process::id());
        Self { path: std::env::temp_dir().join(file) }
    }

    fn parse(&self, text: &str) -> Result<Sections, String> {
        fs::write(&self.path, text).unwrap();
        let file = parse_params_file(&self.path).map_err(|error| error.to_string())?;
        Ok(file
            .nodes
            .into_iter()
            .map(|node| {
                let mut values: Vec<(String, Value)> =
                    node.values.into_iter().map(|(key, one)| (key, value(one))).collect();
                values.sort_by(|a, b| a.0.cmp(&b.0));
                (node.pattern, values)
            })
            .collect())
    }
}

impl Drop for Rcl {
    fn drop(&mut self) {
        // Left behind only where it was never written.
        let _removed = fs::remove_file(&self.path);
    }
}

fn is_same(a: &Sections, b: &Sections) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((name_a, values_a), (name_b, values_b))| {
            name_a == name_b
                && values_a.len() == values_b.len()
                && values_a
                    .iter()
                    .zip(values_b)
                    .all(|((key_a, a), (key_b, b))| key_a == key_b && a.same(b))
        })
}

/// What one side has and the other has not.
fn difference(ours: &Sections, theirs: &Sections) -> String {
    let lines = |sections: &Sections| -> Vec<String> {
        let one = |(name, values): &(String, Vec<(String, Value)>)| -> Vec<String> {
            values.iter().map(|(key, value)| format!("  {name} {key}: {value}\n")).collect()
        };
        sections.iter().flat_map(one).collect()
    };
    let only = |a: &Sections, b: &Sections, who: &str| -> String {
        let b = lines(b);
        let missing = lines(a).into_iter().filter(|line| !b.contains(line));
        missing.map(|line| format!("{who}{line}")).collect()
    };
    only(ours, theirs, "ours") + &only(theirs, ours, "rcl ")
}

/// How often both agreed, and how often ours refused.
#[derive(Default)]
pub(crate) struct Count {
    agreed: usize,
    refused: usize,
    /// Refused by ours, read by rcl: allowed, but worth knowing.
    stricter: usize,
    wrong: Vec<String>,
}

impl Count {
    pub(crate) fn look(&mut self, rcl: &Rcl, text: &str) {
        match ours(text) {
            Err(refusal) => {
                assert!(refusal.contains("not started"), "a refusal says why: {refusal}");
                self.refused += 1;
                self.stricter += usize::from(rcl.parse(text).is_ok());
            }
            Ok(ours) => match rcl.parse(text) {
                Ok(theirs) if is_same(&ours, &theirs) => self.agreed += 1,
                Ok(theirs) => self.wrong.push(format!("{text}\n{}", difference(&ours, &theirs))),
                Err(error) => self.wrong.push(format!("{text}\n  accepted, but rcl: {error}")),
            },
        }
    }

    pub(crate) fn end(self, what: &str, least_agreed: usize) {
        println!(
            "{what}: {} agreed, {} refused ({} of them read by rcl)",
            self.agreed, self.refused, self.stricter
        );
        let shown: Vec<&str> = self.wrong.iter().take(20).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{} differ:\n{}", self.wrong.len(), shown.join("\n"));
        assert!(self.agreed >= least_agreed, "the test compared something: {}", self.agreed);
    }
}
