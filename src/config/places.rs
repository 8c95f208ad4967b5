//! Where in an array the elements of a path are.
//!
//! `joint_index` counts from the first element that the path takes: of `motor_cmd[15..29].q` place 0 is
//! motor 15. **Invariant:** what is known by place is never read from another stretch than it is
//! written to, unless the params file says so.

use super::keys::Keys;
use super::model::FieldMap;
use super::value::Value;
use crate::cdr::{Index, Path, Step};

/// The first element that a path takes, for one of `joints`.
fn first(path: &Path, joints: usize) -> usize {
    let indices = || path.steps().iter().map(|step| step.index);
    let many = indices().find(|index| matches!(index, Index::All | Index::Range(..)));
    let one = || indices().rfind(|index| matches!(index, Index::One(_)));
    // A single field holds a single joint: only then the number says which.
    let index = many.or_else(|| if joints == 1 { one() } else { None });
    match index {
        Some(Index::Range(from, _) | Index::One(from)) => {
            usize::try_from(from).unwrap_or(usize::MAX)
        }
        Some(Index::All | Index::None) | None => 0,
    }
}

/// The element of each joint, counted from the array's first.
pub(super) fn places(path: Option<&Path>, joint_index: &[usize]) -> Vec<usize> {
    let first = path.map_or(0, |path| first(path, joint_index.len()));
    joint_index.iter().map(|place| place.saturating_add(first)).collect()
}

/// Whether a path says by itself which elements are meant.
pub(super) fn is_chosen(path: Option<&Path>) -> bool {
    let steps = path.map_or(&[][..], Path::steps);
    steps.iter().any(|step| matches!(step.index, Index::Range(..) | Index::One(_)))
}

/// The elements around those of the joints: of `limbs[1].motor[4..6].q` the limb.
pub(super) fn around(path: Option<&Path>) -> Vec<Index> {
    let steps = path.map_or(&[][..], Path::steps);
    let last = steps.iter().position(is_many).unwrap_or(0);
    let outer = steps.iter().take(last).map(|step| step.index);
    outer.filter(|index| matches!(index, Index::One(_))).collect()
}

/// Whether the section at `at` lists one joint.
pub(super) fn lists_one(keys: &Keys<'_>, at: &str) -> bool {
    let listed = keys.map.get(&format!("{at}.joints")).map(|entry| &entry.value);
    matches!(listed, Some(Value::StringArray(joints)) if joints.len() == 1)
}

fn is_many(step: &Step) -> bool {
    matches!(step.index, Index::All | Index::Range(..))
}

/// One joint's numbers are in one message of an array: `motor_cmd[15..29].q` beside `motor_cmd[].kp`
/// would give each joint the gain of another. Different arrays may hold different stretches, and where
/// one path says which, each does: `q[15..29]` beside the first ones of `kp` is a range forgotten.
pub(super) fn refuse_apart(
    keys: &mut Keys<'_>,
    at: &str,
    fields: &FieldMap,
    is_single: bool,
) -> Option<()> {
    let quantities = || fields.quantities();
    let stretch = quantities().find(|(_, path)| path.has_range());
    let open = quantities().find(|(_, path)| !is_chosen(Some(path)));
    if let (Some((one, _)), Some((name, path))) = (stretch, open) {
        keys.refuse(
            &format!("{at}.fields.{name}"),
            format!("{path} does not say which elements, and fields.{one} does"),
            "a range in each path, or in none",
            "each joint would get its numbers from two elements",
            format!("write the range here, too, for example {path}[0..7] where the array has the joints alone"),
        );
        return None;
    }
    let mut elements = quantities().filter_map(|(name, path)| {
        element(path, is_single).map(|(array, first)| (name, path, array, first))
    });
    let Some((one, _, array, start)) = elements.next() else { return Some(()) };
    let apart = elements.find(|(.., other, first)| *other == array && *first != start);
    let Some((name, path, ..)) = apart else { return Some(()) };
    keys.refuse(
        &format!("{at}.fields.{name}"),
        format!("{path} begins at another element than fields.{one}"),
        "the same elements of one array",
        "each joint would get its numbers from two of them",
        "correct one of the two",
    );
    None
}

/// The array of messages that a path goes through joint by joint, the elements of those around it, and
/// its own first; of a single joint the last array that has an element chosen.
fn element(path: &Path, is_single: bool) -> Option<(Vec<&str>, Vec<Index>)> {
    let steps = path.steps();
    let above = steps.get(..steps.len().checked_sub(1)?)?;
    let one = || above.iter().rposition(|step| matches!(step.index, Index::One(_)));
    // Several joints without a bracket above lie along the numbers at the end, bracket or not.
    let along_numbers = !is_single || steps.last().is_some_and(is_many);
    let many = above.iter().position(is_many);
    let at = many.or_else(|| if along_numbers { None } else { one() })?;
    let way = above.get(..=at)?;
    let first = |step: &Step| match step.index {
        Index::One(from) | Index::Range(from, _) => Index::One(from),
        Index::All => Index::One(0),
        Index::None => Index::None,
    };
    Some((way.iter().map(|step| step.name.as_str()).collect(), way.iter().map(first).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn when_a_path_begins_somewhere_expect_the_places_from_there() {
        for (text, joint_index, expected) in [
            ("motor_cmd[].q", [0, 2], [0, 2]),
            ("motor_cmd[15..29].q", [0, 2], [15, 17]),
            ("limbs[1].motor[4..6].q", [1, 0], [5, 4]),
            ("limbs[1].data", [0, 1], [0, 1]),
            ("data", [0, 1], [0, 1]),
        ] {
            assert_eq!(places(Some(&path(text)), &joint_index), expected, "{text}");
        }
        assert_eq!(places(Some(&path("motor_cmd[3].q")), &[0]), [3]);
        assert_eq!(places(None, &[1, 0]), [1, 0]);
        assert!(is_chosen(Some(&path("data[0..2]"))) && is_chosen(Some(&path("motor[3].q"))));
        assert!(!is_chosen(Some(&path("motor[].q"))) && !is_chosen(None));
    }

    #[test]
    fn when_paths_go_through_messages_expect_the_array_and_its_first_element() {
        let one = Index::One;
        for (text, expected) in [
            ("motor_cmd[15..29].q", Some((vec!["motor_cmd"], vec![one(15)]))),
            ("body.motor_cmd[].q", Some((vec!["body", "motor_cmd"], vec![Index::None, one(0)]))),
            ("motor_cmd[3].q", Some((vec!["motor_cmd"], vec![one(3)]))),
            ("data[0..7]", None),
            ("channels[1].values[0..7]", None),
            ("limbs[1].motor[4..6].q", Some((vec!["limbs", "motor"], vec![one(1), one(4)]))),
        ] {
            let path = path(text);
            assert_eq!(element(&path, true), expected, "{text}");
        }
        // Of several joints these are two arrays of numbers.
        assert_eq!(element(&path("channels[1].values"), false), None);
        assert_eq!(around(Some(&path("limbs[1].motor[4..6].q"))), [one(1)]);
        assert!(around(Some(&path("motor[4..6].q"))).is_empty());
        assert!(around(Some(&path("motor[3].q"))).is_empty() && around(None).is_empty());
    }
}
