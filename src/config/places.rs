//! Where in an array the elements of a path are.
//!
//! `joint_index` counts from the first element that the path takes: of `motor_cmd[15..29].q` place 0 is
//! motor 15. **Invariant:** what is known by place is never read from another stretch than it is
//! written to, unless the params file says so.

use super::keys::Keys;
use super::model::FieldMap;
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

/// One joint's numbers are in one message of an array: `motor_cmd[15..29].q` beside `motor_cmd[].kp`
/// would give each joint the gain of another. Different arrays may hold different stretches.
pub(super) fn refuse_apart(keys: &mut Keys<'_>, at: &str, fields: &FieldMap) -> Option<()> {
    let mut elements = fields
        .quantities()
        .filter_map(|(name, path)| element(path).map(|(array, first)| (name, path, array, first)));
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
/// its own first; of a single element (one joint) the last array that has one.
fn element(path: &Path) -> Option<(Vec<&str>, Vec<Index>)> {
    let steps = path.steps();
    let above = steps.get(..steps.len().checked_sub(1)?)?;
    let is_many = |step: &Step| matches!(step.index, Index::All | Index::Range(..));
    let one = || above.iter().rposition(|step| matches!(step.index, Index::One(_)));
    // Joints along the numbers at the end are no messages of an array.
    let along_numbers = steps.last().is_some_and(is_many);
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
            assert_eq!(element(&path), expected, "{text}");
        }
    }
}
