//! Sections, files and `-p` rules together: rcl's result, or a refusal.

use crate::config::difference::differences;
use crate::config::merge::{Part, merge};
use crate::config::problem::{Place, Problems};
use crate::config::section::{self, matches};
use crate::config::value::{FlatMap, Value};
use crate::config::yaml;

fn file(text: &str) -> Part {
    let tree = yaml::parse(text, 0, "FILE").unwrap_or_else(|problems| panic!("{problems}"));
    Part::File(section::sections(tree, 0, "FILE").unwrap())
}

fn rule(section: &str, key: &str, value: &str) -> Part {
    let entry = yaml::parse_value(value, key, &Place::default()).unwrap();
    Part::Rule(section.to_owned(), key.to_owned(), entry)
}

fn merged(parts: &[Part]) -> Result<Vec<(String, String)>, Problems> {
    let map = merge(parts, "/interlock")?;
    Ok(map.iter().map(|(key, entry)| (key.to_owned(), entry.value.to_string())).collect())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn sections_match_as_in_rclcpp() {
    for (section, name, is_match) in [
        ("interlock", "/interlock", true),
        ("/interlock", "/interlock", true),
        ("interlock", "/left/interlock", false),
        ("/**", "/interlock", true),
        ("**", "/a/b/interlock", true),
        ("/*", "/interlock", true),
        ("/*", "/left/interlock", false),
        ("/*/interlock", "/left/interlock", true),
        ("/*/interlock", "/interlock", false),
        ("/**/interlock", "/interlock", true),
        ("/**/interlock", "/a/b/interlock", true),
        ("/left/**", "/left/interlock", true),
        ("/left/**", "/right/interlock", false),
        ("/left/*/interlock", "/left/arm/interlock", true),
        ("left/interlock", "/left/interlock", true),
        ("/interlock", "/interlock2", false),
    ] {
        assert_eq!(matches(section, name), is_match, "{section} {name}");
    }
}

#[test]
fn the_last_one_written_wins_where_rcl_agrees() {
    let parts = [
        file("/**: {ros__parameters: {a: 1, m: {b: 2}}}\ninterlock: {ros__parameters: {a: 3}}\n"),
        file("interlock: {ros__parameters: {a: 4}}\nother: {ros__parameters: {a: 5}}\n"),
        rule("other", "a", "6"),
        rule("/**", "m.b", "7"),
    ];
    assert_eq!(merged(&parts).unwrap(), pairs(&[("a", "4"), ("m.b", "7")]));
}

#[test]
fn a_rule_that_loses_against_a_later_section_is_refused() {
    let parts = [
        file("/**: {ros__parameters: {a: 1}}\ninterlock: {ros__parameters: {a: 2}}\n"),
        rule("/**", "a", "3"),
    ];
    let problems = merged(&parts).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems.sorted()[0].to_string(),
        "a: 3 is written last, but rcl gives the node 2
  allowed: each key once, over all files, sections and -p rules that apply to this node
  because: rcl orders sections by their first appearance, not by the command line, and keeps an older value of another type
  to fix:  remove the other ones, or put all of them under the same section name
"
    );
}

#[test]
fn a_rule_against_a_nested_key_given_twice_is_refused() {
    // rcl holds m.b twice; the rule changes the first, the last one counts.
    let parts = [
        file("/**: {ros__parameters: {m: {b: 1}}}\n"),
        file("/**: {ros__parameters: {m: {b: 2}}}\n"),
        rule("/**", "m.b", "3"),
    ];
    assert!(merged(&parts).is_err());
    assert_eq!(merged(&parts[..2]).unwrap(), pairs(&[("m.b", "2")]));
}

/// As a file that was edited with dots beside what is nested: a person reads the first, the last counts.
#[test]
fn when_a_section_gives_a_key_nested_and_with_dots_expect_it_refused() {
    let text = "interlock:\n  ros__parameters:\n    x: {max_velocity: 0.5, y: 1}\n    x.max_velocity: 5.0\n";
    let problems = merged(&[file(text)]).unwrap_err();
    let told = problems.sorted()[0].to_string();
    assert!(told.starts_with("x.max_velocity: is given twice, first at "), "{told}");
    assert!(told.contains("FILE:3"), "{told}");
    // Another section, or another file, goes over it: that is what they are for.
    let over = "interlock:\n  ros__parameters:\n    x.max_velocity: 5.0\n";
    let base = "interlock:\n  ros__parameters:\n    x: {max_velocity: 0.5}\n";
    let both = [file(base), file(over)];
    assert_eq!(merged(&both).unwrap(), pairs(&[("x.max_velocity", "5.0")]));
}

#[test]
fn an_older_value_of_another_type_is_refused() {
    let parts =
        [file("/**: {ros__parameters: {a: 1}}\n"), file("/**: {ros__parameters: {a: 2.5}}\n")];
    assert!(merged(&parts).is_err(), "rcl keeps the integer");
    let other_way = [parts[1].clone(), parts[0].clone()];
    assert_eq!(merged(&other_way).unwrap(), pairs(&[("a", "1")]), "rcl reads the integer first");
}

#[test]
fn a_value_and_a_map_under_one_name_are_refused() {
    let parts =
        [file("/**: {ros__parameters: {a: 1}}\n"), file("/**: {ros__parameters: {a: {b: 2}}}\n")];
    assert!(merged(&parts).is_err(), "rcl renames the first");
}

#[test]
fn dotted_keys_are_what_launch_writes() {
    let parts = [file("/**: {ros__parameters: {m.b: 1, m.c.d: x}}\n")];
    assert_eq!(merged(&parts).unwrap(), pairs(&[("m.b", "1"), ("m.c.d", "\"x\"")]));
}

#[test]
fn hazard_58_params_misread_between_file_and_rcl() {
    let parts = [file("/**: {ros__parameters: {a: 1, b: text, c: [1.5, .nan]}}\n")];
    let files = merge(&parts, "/interlock").unwrap();
    let rcl = |list: Vec<(&str, Value)>| {
        FlatMap::from_rcl(list.into_iter().map(|(key, value)| (key.to_owned(), value)))
    };
    let text = || Value::String("text".to_owned());
    let array = || Value::DoubleArray(vec![1.5, f64::NAN]);
    let same = rcl(vec![("a", Value::Int(1)), ("b", text()), ("c", array())]);
    assert!(differences(&files, &same).is_empty());
    let other = rcl(vec![("a", Value::Double(1.0)), ("c", array()), ("d", Value::Bool(true))]);
    let found = differences(&files, &other);
    let told: Vec<String> =
        found.sorted().iter().map(|one| format!("{}: {}", one.key, one.found)).collect();
    assert_eq!(
        told,
        [
            "a: the file says 1, rcl says 1.0",
            "b: the file says \"text\", rcl has no such key",
            "d: rcl says true, no file or argument does",
        ]
    );
}
