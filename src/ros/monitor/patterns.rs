//! Which topics of the graph are watched: patterns of names, and what is left out.

/// Whether a topic's absolute name fits a pattern: `*` is any text without `/`, `**` any text. A name
/// with a part that begins with `_` is hidden, as ROS's tools have it, and fits only a pattern that
/// writes such a part.
pub(super) fn fits(pattern: &str, topic: &str) -> bool {
    (!topic.contains("/_") || pattern.contains("/_")) && glob(pattern.as_bytes(), topic.as_bytes())
}

/// Two rows of the usual table: no recursion, so no pattern is slow.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // `reached[i]`: what was read of the pattern fits the first `i` letters.
    let mut reached = vec![false; text.len().saturating_add(1)];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let mut rest = pattern;
    while let Some((letter, tail)) = rest.split_first() {
        let is_deep = *letter == b'*' && tail.first() == Some(&b'*');
        let before = reached;
        reached = Vec::with_capacity(before.len());
        let mut last = false;
        for (at, was) in before.iter().enumerate() {
            let text_letter = at.checked_sub(1).and_then(|at| text.get(at));
            let now = match (letter, text_letter) {
                (b'*', None) => *was,
                (b'*', Some(read)) => *was || (last && (is_deep || *read != b'/')),
                (_, None) => false,
                (letter, Some(read)) => {
                    let was_before = at.checked_sub(1).and_then(|at| before.get(at));
                    letter == read && was_before == Some(&true)
                }
            };
            reached.push(now);
            last = now;
        }
        rest = if is_deep { tail.get(1..).unwrap_or_default() } else { tail };
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_names_meet_patterns_expect_stars_to_stop_at_slashes_and_double_stars_not() {
        let table = [
            ("/scan", "/scan", true),
            ("/scan", "/scan2", false),
            ("/scan*", "/scan2", true),
            ("/scan*", "/scan/raw", false),
            ("/camera/*/image", "/camera/left/image", true),
            ("/camera/*/image", "/camera/left/right/image", false),
            ("/camera/*/image", "/camera//image", true),
            ("/camera/**", "/camera/left/image", true),
            ("/camera/**", "/camera", false),
            ("/**/image", "/camera/left/image", true),
            ("/**/image", "/image", false),
            ("/**", "/a", true),
            ("/*", "/a/b", false),
            ("/a**z", "/abc/xyz", true),
            ("/a**z", "/abc/xy", false),
            ("/**b**c**d", "/bcdbcdbcdbcdbcdbcdbcdbcdbcdbcdbcd", true),
        ];
        for (pattern, topic, expected) in table {
            assert_eq!(fits(pattern, topic), expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn when_a_name_is_hidden_expect_only_a_pattern_that_says_so() {
        assert!(!fits("/**", "/arm/_action/status"));
        assert!(fits("/arm/_action/*", "/arm/_action/status"));
        assert!(fits("/**/_action/*", "/arm/_action/status"));
        assert!(fits("/**", "/arm_action/status"));
    }
}
