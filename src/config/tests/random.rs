//! Any text: a value or a refusal, never a panic.

use proptest::prelude::*;

use super::{BASE, MOTORS, read};
use crate::config::args::Arguments;
use crate::config::problem::Place;
use crate::config::urdf::Robot;
use crate::config::yaml;

/// A description, to be damaged.
const ROBOT: &str = "<robot name='r'><link name='a'/><link name='b'/>\
    <joint name='j' type='revolute'><parent link='a'/><child link='b'/><axis xyz='0 0 1'/>\
    <limit lower='-1' upper='1' effort='5' velocity='2'/></joint></robot>";

/// Pieces that a params file is made of, and ones that it should not be made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "interlock",
            "ros__parameters",
            "lanes",
            "base",
            "limits",
            "schema",
            ":",
            ": ",
            "\n",
            "\n  ",
            "\n    ",
            "\n      ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "- ",
            "1",
            "0.5",
            ".nan",
            "yes",
            "~",
            "'",
            "\"",
            "&a",
            "*a",
            "!!str",
            "|",
            ">",
            "#",
            "?",
            "---",
            "...",
            "%YAML",
            "\\",
            "/**",
            "geometry_msgs/msg/Twist",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(|c| c.to_string()),
    ]
}

proptest! {
    #[test]
    fn random_text_never_panics(text in ".{0,200}") {
        let _refused_or_not = read(&text);
        let _value_or_not = yaml::parse_value(&text, "x", &Place::default());
    }

    #[test]
    fn random_pieces_never_panic(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let _refused_or_not = read(&text);
        let _value_or_not = yaml::parse_value(&text, "x", &Place::default());
    }

    #[test]
    fn a_damaged_file_never_panics(at in 0..BASE.len(), length in 0_usize..20, piece in piece()) {
        let end = (at + length).min(BASE.len());
        let text = format!("{}{piece}{}", &BASE[..at], &BASE[end..]);
        let _refused_or_not = read(&text);
    }

    #[test]
    fn a_damaged_file_of_a_mapped_lane_never_panics(
        at in 0..MOTORS.len(),
        length in 0_usize..20,
        piece in piece(),
    ) {
        let end = (at + length).min(MOTORS.len());
        let text = format!("{}{piece}{}", &MOTORS[..at], &MOTORS[end..]);
        let _refused_or_not = read(&text);
    }

    #[test]
    fn a_damaged_description_never_panics(
        at in 0..ROBOT.len(),
        length in 0_usize..20,
        piece in piece(),
    ) {
        let end = (at + length).min(ROBOT.len());
        let text = format!("{}{piece}{}", &ROBOT[..at], &ROBOT[end..]);
        let _read_or_not = Robot::parse(&text);
    }

    #[test]
    fn random_arguments_never_panic(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec!["--ros-args", "--", "-p", "-r", "--params-file", "a:=1", "__ns:=/a"])
                    .prop_map(str::to_owned),
                ".{0,12}",
            ],
            0..12,
        )
    ) {
        let _parsed_or_not = Arguments::parse(&words);
    }
}
