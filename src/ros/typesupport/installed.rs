//! What the ament index says is installed.
//!
//! Each prefix of `AMENT_PREFIX_PATH` has a file for every package with interfaces, which lists
//! them line by line (`msg/Twist.msg`, `msg/Twist.idl`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const INDEX: &str = "share/ament_index/resource_index/rosidl_interfaces";

/// The prefixes of the environment, the first one first.
pub(super) fn prefixes() -> Vec<PathBuf> {
    let path = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|prefix| !prefix.as_os_str().is_empty()).collect()
}

/// All installed message types, `pkg/msg/Name`, sorted.
#[must_use]
pub fn installed_messages() -> Vec<String> {
    installed("msg")
}

/// All installed service types, `pkg/srv/Name`, sorted.
#[must_use]
pub fn installed_services() -> Vec<String> {
    installed("srv")
}

fn installed(kind: &str) -> Vec<String> {
    let packages = packages();
    let names = packages.iter().flat_map(|(package, interfaces)| {
        of_kind(interfaces, kind).map(move |name| format!("{package}/{kind}/{name}"))
    });
    names.collect()
}

/// The interfaces of one package, `msg/Twist`; empty if it is not installed.
pub(super) fn interfaces_of(package: &str, kind: &str) -> Option<Vec<String>> {
    packages().get(package).map(|interfaces| of_kind(interfaces, kind).map(str::to_owned).collect())
}

/// Installed packages whose names differ little from this one.
pub(super) fn similar_packages(package: &str) -> Vec<String> {
    let near = |name: &String| {
        name.contains(package) || package.contains(name.as_str()) || distance(name, package) <= 2
    };
    packages().into_keys().filter(near).collect()
}

fn of_kind<'names>(
    interfaces: &'names BTreeSet<String>,
    kind: &str,
) -> impl Iterator<Item = &'names str> {
    interfaces.iter().filter_map(move |interface| interface.strip_prefix(kind)?.strip_prefix('/'))
}

/// Interfaces by package. Unreadable folders and files are as good as absent here: the loader
/// reports what it cannot open.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let folders = prefixes().into_iter().filter_map(|prefix| prefix.join(INDEX).read_dir().ok());
    for file in folders.flatten().flatten() {
        let (Ok(package), Ok(text)) =
            (file.file_name().into_string(), std::fs::read_to_string(file.path()))
        else {
            continue;
        };
        let names = text.lines().filter_map(|line| {
            line.strip_suffix(".msg").or(line.strip_suffix(".srv")).or(line.strip_suffix(".idl"))
        });
        packages.entry(package).or_default().extend(names.map(str::to_owned));
    }
    packages
}

/// How many letters must be put in, taken out or changed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (number, letter) in (1..).zip(one.chars()) {
        let mut next = vec![number];
        for ((above_left, above), second) in row.iter().zip(row.iter().skip(1)).zip(other.chars()) {
            let changed = above_left + usize::from(letter != second);
            let left = next.last().copied().unwrap_or(number);
            next.push(changed.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("std_msgs", "std_msgs"), 0);
        assert_eq!(distance("std_msg", "std_msgs"), 1);
        assert_eq!(distance("sdt_msgs", "std_msgs"), 2);
        assert_eq!(distance("", "abc"), 3);
    }
}
