//! The command line that launch gives a node.

use crate::config::args::{Arguments, ParameterSource};

fn parse(words: &[&str]) -> Arguments {
    let args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Arguments::parse(&args).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(words: &[&str]) -> String {
    let args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Arguments::parse(&args).expect_err("it must be refused").to_string()
}

#[test]
fn launch_arguments_are_cut_out_before_clap_sees_them() {
    let arguments = parse(&[
        "--check-config",
        "--ros-args",
        "-r",
        "__node:=gate",
        "--params-file",
        "a.yaml",
        "-p",
        "tick_hz:=50",
        "--param",
        "gate:m.x:=[1, 2]",
        "--log-level",
        "debug",
        "--",
        "--verbose",
        "--ros-args",
        "--remap",
        "__ns:=/left/arm",
        "-r",
        "~/kill:=/stop",
        "--enable-rosout-logs",
    ]);
    assert_eq!(arguments.plain, ["--check-config", "--verbose"]);
    assert_eq!(arguments.full_name(), "/left/arm/gate");
    let sources: Vec<&ParameterSource> =
        arguments.sources.iter().map(|(source, _)| source).collect();
    let rule = |section: &str, name: &str, value: &str| ParameterSource::Rule {
        section: section.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        sources,
        [
            &ParameterSource::File("a.yaml".to_owned()),
            &rule("/**", "tick_hz", "50"),
            &rule("gate", "m.x", "[1, 2]"),
        ]
    );
    assert_eq!(arguments.ros.first().map(String::as_str), Some("--ros-args"));
    assert_eq!(arguments.ros.len(), 18, "{:?}", arguments.ros);
}

#[test]
fn the_first_name_rule_that_applies_wins() {
    assert_eq!(parse(&[]).full_name(), "/interlock");
    assert_eq!(
        parse(&["--ros-args", "-r", "other:__node:=x", "-r", "__node:=a", "-r", "__name:=b"])
            .full_name(),
        "/a"
    );
    assert_eq!(
        parse(&["--ros-args", "-r", "interlock:__ns:=/old", "-r", "__node:=a", "-r", "a:__ns:=/n"])
            .full_name(),
        "/n/a",
        "rcl renames the node first, and looks for the namespace under its new name"
    );
    assert_eq!(parse(&["--ros-args", "-r", "__ns:=/"]).full_name(), "/interlock");
}

#[test]
fn what_rcl_would_ignore_or_refuse_is_a_problem() {
    assert_eq!(
        refused(&["--ros-args", "--param-file", "a.yaml"]).lines().nth(1).unwrap(),
        "--param-file: is not a ROS argument"
    );
    for words in [
        &["--ros-args", "--params-file"][..],
        &["--ros-args", "-p", "tick_hz=50"],
        &["--ros-args", "-p", "a..b:=1"],
        &["--ros-args", "-p", ":=1"],
        &["--ros-args", "-p", "a:="],
        &["--ros-args", "-p", "a b:=1"],
        &["--ros-args", "-r", "__ns:=left"],
        &["--ros-args", "-r", "__ns:=/left/"],
        &["--ros-args", "-r", "__node:=a/b"],
        &["--ros-args", "-r", "topic"],
        &["chatter:=other"],
    ] {
        assert!(refused(words).contains("not started"), "{words:?}");
    }
}
