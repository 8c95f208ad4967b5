//! What a PromQL expression names: its series with their matchers, and the labels it joins and
//! aggregates by. Not a parser: promtool judges the syntax.

/// A series as an expression selects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selector {
    pub(crate) name: String,
    /// Label, operator, value.
    pub(crate) matchers: Vec<(String, String, String)>,
}

/// What one expression names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) selectors: Vec<Selector>,
    /// Labels in `by`, `on`, `ignoring`, `group_left`, `group_right`.
    pub(crate) labels: Vec<String>,
    /// Labels in `without`.
    pub(crate) dropped: Vec<String>,
}

const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const WORDS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

/// Reads an expression.
pub(crate) fn names(text: &str) -> Names {
    let mut rest = text;
    let mut found = Names::default();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            // A number or a duration.
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            rest = &rest[end..];
        } else if first.is_ascii_alphabetic() || first == '_' || first == ':' {
            let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after.trim_start();
            if LISTS.contains(&word) {
                let (list, after) = between(rest, '(', ')');
                let labels = list.split(',').map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
                if word == "without" { &mut found.dropped } else { &mut found.labels }
                    .extend(labels);
                rest = after;
            } else if rest.starts_with('{') {
                let (list, after) = between(rest, '{', '}');
                found.selectors.push(Selector { name: word.to_owned(), matchers: matchers(list) });
                rest = after;
            } else if !rest.starts_with('(')
                && !WORDS.contains(&word)
                && !LISTS.iter().any(|list| follows(rest, list))
            {
                found.selectors.push(Selector { name: word.to_owned(), matchers: Vec::new() });
            }
        } else if first == '[' {
            rest = between(rest, '[', ']').1;
        } else if first == '"' {
            let (_, after) = rest[1..].split_once('"').expect("a text that ends");
            rest = after;
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Whether a list word comes next, as behind `sum` in `sum by (lane) (…)`.
fn follows(rest: &str, word: &str) -> bool {
    rest.strip_prefix(word).is_some_and(|after| after.trim_start().starts_with('('))
}

/// What stands in a pair of brackets that begins here, and what comes after.
fn between(text: &str, open: char, close: char) -> (&str, &str) {
    let inner = text.trim_start().strip_prefix(open).unwrap_or_else(|| panic!("{open} in {text}"));
    let mut quoted = false;
    for (at, c) in inner.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == close && !quoted {
            return (&inner[..at], &inner[at + c.len_utf8()..]);
        }
    }
    panic!("{close} is missing: {text}")
}

/// The matchers of a selector. Values hold no escaped quotes here.
pub(crate) fn matchers(list: &str) -> Vec<(String, String, String)> {
    let mut rest = list.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_name(c)).expect("an operator");
        let (label, after) = rest.split_at(end);
        let (operator, after) = after.trim_start().split_once('"').expect("a quoted value");
        let (value, after) = after.split_once('"').expect("a value that ends");
        found.push((label.to_owned(), operator.trim().to_owned(), value.to_owned()));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

#[test]
fn when_an_expression_is_read_expect_its_series_and_labels() {
    let text = r#"sum without (verdict) (rate(a_total{verdict=~"x|y", le="0.5"}[5m])) / ignoring (le) b:c:d > 0.25
        and on (lane) topk(3, f{g!="{)"}) unless h_seconds[$__rate_interval] * 7 * 86400 or count by (i, j) (k)"#;
    let found = names(text);
    let series: Vec<_> = found.selectors.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(series, ["a_total", "b:c:d", "f", "h_seconds", "k"]);
    assert_eq!(found.labels, ["le", "lane", "i", "j"]);
    assert_eq!(found.dropped, ["verdict"]);
    let owned = |m: [&str; 3]| m.map(str::to_owned).into();
    assert_eq!(
        found.selectors[0].matchers,
        [owned(["verdict", "=~", "x|y"]), owned(["le", "=", "0.5"])]
    );
    assert_eq!(found.selectors[2].matchers, [owned(["g", "!=", "{)"])]);
}
