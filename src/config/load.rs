//! From the process's arguments to the configuration: the one place that reads files.

use super::args::{Arguments, ParameterSource};
use super::merge::{self, Part};
use super::model::Config;
use super::problem::{Place, Problem, Problems};
use super::reader::{self, Context};
use super::value::FlatMap;
use super::{section, yaml};

/// Larger params files are refused.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Reads the files and rules that the arguments name (without the program's own name).
///
/// The map is what rcl must give the node too: see [`super::difference::differences`].
///
/// # Errors
/// Every problem, at once.
pub fn load(args: &[String]) -> Result<(Config, FlatMap), Problems> {
    load_arguments(&Arguments::parse(args)?)
}

/// As [`load`], with the arguments already taken apart.
///
/// # Errors
/// Every problem, at once.
pub fn load_arguments(arguments: &Arguments) -> Result<(Config, FlatMap), Problems> {
    let (map, context) = flat_map(arguments)?;
    let config = reader::read(&map, &context)?;
    Ok((config, map))
}

/// The parameters of the node that these arguments make, before they mean anything.
///
/// # Errors
/// Files that cannot be read, and what rcl would misread.
pub fn flat_map(arguments: &Arguments) -> Result<(FlatMap, Context), Problems> {
    let mut problems = Problems::default();
    let mut parts = Vec::new();
    let mut sections = Vec::new();
    for (source, place) in &arguments.sources {
        match part(source, place) {
            Ok(part) => {
                if let Part::File(found) = &part {
                    sections.extend(found.iter().map(|section| section.name.clone()));
                }
                parts.push(part);
            }
            Err(more) => problems.append(more),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let label = arguments.sources.first().map_or("arguments", |(_, place)| place.label.as_str());
    let context = Context {
        node_name: arguments.node_name.clone(),
        namespace: arguments.namespace.clone(),
        label: label.to_owned(),
        sections,
    };
    Ok((merge::merge(&parts, &arguments.full_name())?, context))
}

fn part(source: &ParameterSource, place: &Place) -> Result<Part, Problems> {
    match source {
        ParameterSource::File(path) => {
            let text = read_file(path, place)?;
            let tree = yaml::parse(&text, place.rank, path)?;
            Ok(Part::File(section::sections(tree, place.rank, path)?))
        }
        ParameterSource::Rule { section, name, value } => {
            let entry = yaml::parse_value(value, name, place)?;
            Ok(Part::Rule(section.clone(), name.clone(), entry))
        }
    }
}

fn read_file(path: &str, place: &Place) -> Result<String, Problems> {
    let refuse = |found: String, allowed: &str, because: &str, fix: &str| {
        Problems::from(vec![Problem {
            key: "file".to_owned(),
            found,
            allowed: allowed.to_owned(),
            because: because.to_owned(),
            fix: fix.to_owned(),
            place: place.clone(),
        }])
    };
    let bytes = std::fs::read(path).map_err(|error| {
        refuse(
            format!("cannot be read: {error}"),
            "a readable params file",
            "the node never starts with less than it was told",
            "correct the path or its permissions",
        )
    })?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(refuse(
            format!("{} bytes are too many", bytes.len()),
            "at most 4 MiB",
            "it is not a params file",
            "correct the path",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        refuse(
            format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()),
            "text in UTF-8",
            "rcl would read other characters",
            "save it as UTF-8",
        )
    })
}
