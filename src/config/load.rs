//! From the process's arguments to the configuration: the one place that reads files.

use super::args::{Arguments, ParameterSource};
use super::merge::{self, Part};
use super::model::{Config, Urdf, UrdfFrom};
use super::problem::{Place, Problem, Problems};
use super::reader::{self, Context};
use super::value::FlatMap;
use super::{section, yaml};

/// Larger params files are refused.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Larger robot descriptions are refused: meshes are named in them, not held.
const MAX_URDF_BYTES: usize = 64 * 1024 * 1024;

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
    let config = match &config.urdf {
        Some(Urdf { from: UrdfFrom::File(path), .. }) => {
            let text = read_urdf(&map, path)?;
            config.with_urdf(&text)?.0
        }
        // A topic is read by the node, at run time.
        Some(Urdf { from: UrdfFrom::Topic(_), .. }) | None => config,
    };
    Ok((config, map))
}

/// The robot's description.
fn read_urdf(map: &FlatMap, path: &str) -> Result<String, Problems> {
    let key = "urdf.file";
    let place = map.get(key).map(|entry| entry.place.clone()).unwrap_or_default();
    let because = "limits are taken from it, and none is guessed";
    let bytes = read_bytes(path, MAX_URDF_BYTES).map_err(|unread| {
        refused(
            key,
            &place,
            format!("{path} {}", unread.found(MAX_URDF_BYTES)),
            "a readable URDF of at most 64 MiB",
            because,
            "correct the path or its permissions, or use urdf.topic",
        )
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let found = format!("{path} is not UTF-8 at byte {}", error.utf8_error().valid_up_to());
        refused(key, &place, found, "text in UTF-8", because, "save it as UTF-8")
    })
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

/// Why the bytes of a file are not there.
enum Unread {
    Failed(std::io::Error),
    TooLong(usize),
}

impl Unread {
    fn found(&self, most: usize) -> String {
        match self {
            Self::Failed(error) => format!("cannot be read: {error}"),
            Self::TooLong(length) => format!("has {length} bytes, more than {most}"),
        }
    }
}

fn read_bytes(path: &str, most: usize) -> Result<Vec<u8>, Unread> {
    let bytes = std::fs::read(path).map_err(Unread::Failed)?;
    if bytes.len() > most { Err(Unread::TooLong(bytes.len())) } else { Ok(bytes) }
}

fn refused(
    key: &str,
    place: &Place,
    found: String,
    allowed: &str,
    because: &str,
    fix: &str,
) -> Problems {
    Problems::from(vec![Problem {
        key: key.to_owned(),
        found,
        allowed: allowed.to_owned(),
        because: because.to_owned(),
        fix: fix.to_owned(),
        place: place.clone(),
    }])
}

fn read_file(path: &str, place: &Place) -> Result<String, Problems> {
    let bytes = read_bytes(path, MAX_FILE_BYTES).map_err(|unread| {
        let found = unread.found(MAX_FILE_BYTES);
        let because = "the node never starts with less than it was told";
        let fix = "correct the path or its permissions";
        refused("file", place, found, "a readable params file of at most 4 MiB", because, fix)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let found = format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to());
        let because = "rcl would read other characters";
        refused("file", place, found, "text in UTF-8", because, "save it as UTF-8")
    })
}
