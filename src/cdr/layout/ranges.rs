//! Sets of array indices as sorted half-open ranges; `u32::MAX` as an end means without end.

pub(super) type Ranges = Vec<(u32, u32)>;

/// The same set, sorted, without overlaps and empty ranges.
pub(super) fn cover(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut covered: Ranges = Vec::new();
    for (from, to) in ranges {
        match covered.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => covered.push((from, to)),
        }
    }
    covered.retain(|(from, to)| from < to);
    covered
}

/// The indices below `end` that are in none of the ranges.
pub(super) fn complement(ranges: Ranges, end: u32) -> Ranges {
    let mut left = Vec::new();
    let mut next = 0;
    for (from, to) in cover(ranges) {
        left.push((next, from.min(end)));
        next = next.max(to);
    }
    left.push((next, end));
    left.retain(|(from, to)| from < to);
    left
}

/// The indices that are in both sets.
pub(super) fn overlap(one: Ranges, other: Ranges) -> Ranges {
    let mut either = complement(one, u32::MAX);
    either.extend(complement(other, u32::MAX));
    complement(either, u32::MAX)
}

/// A range as the index of a path, for people: `[]` for all of it, `[7..]` where there is no end.
pub(super) fn ranges_text(range: (u32, u32), end: u32) -> String {
    match range {
        (0, to) if to == end => "[]".to_owned(),
        (from, u32::MAX) => format!("[{from}..]"),
        (from, to) if to.checked_sub(from) == Some(1) => format!("[{from}]"),
        (from, to) => format!("[{from}..{to}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_behave_as_sets() {
        assert_eq!(cover(vec![(5, 7), (0, 2), (1, 3), (3, 4), (9, 9)]), [(0, 4), (5, 7)]);
        assert_eq!(complement(vec![(2, 4), (6, 7)], 10), [(0, 2), (4, 6), (7, 10)]);
        assert_eq!(complement(vec![], 3), [(0, 3)]);
        assert_eq!(complement(vec![(0, u32::MAX)], 3), []);
        assert_eq!(complement(vec![(2, 9)], 5), [(0, 2)]);
        assert_eq!(overlap(vec![(0, 5)], vec![(3, 9)]), [(3, 5)]);
        assert_eq!(overlap(vec![(0, u32::MAX)], vec![(3, 9)]), [(3, 9)]);
        assert_eq!(overlap(vec![(0, 2)], vec![(3, 9)]), []);
    }

    #[test]
    fn ranges_print_as_path_indices() {
        assert_eq!(ranges_text((0, 5), 5), "[]");
        assert_eq!(ranges_text((0, u32::MAX), u32::MAX), "[]");
        assert_eq!(ranges_text((7, u32::MAX), u32::MAX), "[7..]");
        assert_eq!(ranges_text((7, 8), 9), "[7]");
        assert_eq!(ranges_text((7, 9), 9), "[7..9]");
    }
}
