//! What libyaml and YAML 1.2 read differently is refused by name, and what is next to it is not.

use super::super::problem::Place;
use super::super::value::Value;
use super::super::yaml;

/// What is found wrong in the one parameter section of `text`; empty: nothing.
fn found(text: &str) -> String {
    let whole = format!("node:\n  ros__parameters:\n{text}");
    match yaml::parse(&whole, 0, "FILE") {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

#[track_caller]
fn refused(text: &str, word: &str) {
    let told = found(text);
    assert!(told.contains(word), "{text:?}: {told:?} has no {word:?}");
}

#[track_caller]
fn taken(text: &str) {
    assert_eq!(found(text), "", "{text:?}");
}

const IN_FLOW: &str = "an unquoted text with : or ? in it";
const KEY: &str = "this key is not allowed";

#[test]
fn when_an_open_text_has_a_colon_expect_it_refused_between_brackets_alone() {
    for text in ["    a: {b: c:d}\n", "    a: [c:d]\n", "    a: {b: c?d}\n", "    a: {b:c: d}\n"] {
        refused(text, IN_FLOW);
    }
    for text in ["    a: c:d\n", "    a: c?d\n", "    a: {b: 'c:d'}\n", "    a: ['c:d', \"e?f\"]\n"]
    {
        taken(text);
    }
    // Inside until the last bracket is closed, and no longer.
    refused("    a: {b: [x], c: d:e}\n", IN_FLOW);
    refused("    a: {b: {x: 1}, c: d:e}\n", IN_FLOW);
    taken("    a: [u, v]\n    b: d:e\n");
    taken("    a: {x: 1}\n    b: d:e\n");
    taken("    a: {x: [1], y: {z: 1}}\n    b: d:e\n");
    taken("    a:\n      - x\n      - y:z\n");
}

#[test]
fn when_a_key_is_one_that_shifts_its_neighbours_expect_it_refused() {
    for text in [
        "    '': 1\n",
        "    \"a\\nb\": 1\n",
        "    \"a\\0b\": 1\n",
        "    {\"a\"\n     : 1}\n",
        "    ? a\n    : 1\n",
    ] {
        refused(text, KEY);
    }
    let long = |count: usize| format!("    {}: 1\n", "k".repeat(count));
    taken(&long(500));
    refused(&long(501), KEY);
    refused("    a: {\"b\":1}\n", "a colon without a space after it");
    taken("    a: {\"b\": 1}\n");
    taken("    a: {b: 1}\n");
}

#[test]
fn when_a_slash_is_escaped_expect_it_refused_and_an_escaped_backslash_before_one_not() {
    for text in ["    a: \"x\\/y\"\n", "    a: \"\\\\\\/y\"\n", "    \"a\\/b\": 1\n"] {
        refused(text, "\\/ is not allowed");
    }
    for text in
        ["    a: \"x\\\\/y\"\n", "    a: \"x/y\"\n", "    a: \"x\\\\\"\n", "    a: 'x\\/y'\n"]
    {
        taken(text);
    }
}

#[test]
fn when_a_block_ends_the_file_expect_a_line_end_behind_it() {
    for style in ['|', '>'] {
        taken(&format!("    a: {style}\n      x\n"));
        refused(&format!("    a: {style}\n      x"), "without a line end behind it");
    }
    taken("    a: x");
}

#[test]
fn when_levels_are_many_expect_32_taken_and_one_more_refused() {
    // Two of them are the node's name and ros__parameters.
    let deep = |levels: usize| {
        let mut text = String::new();
        for level in 0..levels - 2 {
            let end = if level + 3 == levels { " 1" } else { "" };
            text.push_str(&format!("{}k:{end}\n", "  ".repeat(level + 2)));
        }
        text
    };
    taken(&deep(32));
    refused(&deep(33), "too many levels");
}

#[test]
fn when_an_argument_cannot_be_read_expect_it_refused_and_no_empty_text() {
    let place = Place { label: "-p".to_owned(), ..Place::default() };
    let read = |text: &str| yaml::parse_value(text, "a", &place);
    assert_eq!(read("7").map(|entry| entry.value).unwrap(), Value::Int(7));
    // What was written for a bool is kept where it is another word.
    for (text, word) in [("yes", Some("yes")), ("true", None), ("false", None), ("7", None)] {
        assert_eq!(read(text).unwrap().bool_word.as_deref(), word);
    }
    for text in ["0b1", "0xFFFFFFFFFFFFFFFFFF", "1e-310"] {
        let problems = read(text).expect_err(text).to_string();
        assert!(problems.contains('a'), "{problems}");
    }
}
