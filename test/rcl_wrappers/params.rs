//! Parameters as rcl reads them.

use interlock::ros::rcl::{RclValue, parameter_overrides, parse_param_value, parse_params_file};

use crate::context;
use crate::support::{Scratch, isolated};

#[test]
fn parameter_overrides_come_from_matching_sections_and_the_last_wins() {
    isolated("params::parameter_overrides_come_from_matching_sections_and_the_last_wins", || {
        let scratch = Scratch::new();
        let first = scratch.write(
            "first.yaml",
            "/**:\n  ros__parameters:\n    a: 1\n    deep: {er: [1.5, 2.0]}\n\
             /robot/interlock:\n  ros__parameters:\n    a: 2\n    b: true\n\
             /other/interlock:\n  ros__parameters:\n    b: false\n    c: wrong\n",
        );
        let second = scratch.write(
            "second.yaml",
            "/*/interlock:\n  ros__parameters:\n    b: [u, v]\n    d: 1.0e3\n",
        );
        let [one, two] = [&first, &second].map(|path| path.to_str().expect("UTF-8").to_owned());
        let files = ["-r", "__ns:=/robot", "--params-file", &one, "--params-file", &two];
        let args = [&files[..], &["-p", "e:=text", "-p", "d:=7"]].concat();
        let context = context(&args).expect("a context");
        let values = parameter_overrides(&context, "/robot/interlock").expect("values");
        let texts = ["u", "v"].map(str::to_owned).to_vec();
        let expected = [
            ("a", RclValue::Int(2)),
            ("b", RclValue::StringArray(texts)),
            ("d", RclValue::Double(1000.0)),
            ("deep.er", RclValue::DoubleArray(vec![1.5, 2.0])),
            ("e", RclValue::String("text".to_owned())),
        ];
        // `-p d:=7` joins the section `/**`, which was seen first: rclcpp reads
        // the sections in that order, so the file's later section wins.
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(parameter_overrides(&context, "/x").expect("values").len(), 4);
        assert_eq!(parse_params_file(&first).expect("a file").nodes.len(), 3);
    });
}

#[test]
fn no_parameters_are_no_overrides() {
    isolated("params::no_parameters_are_no_overrides", || {
        let context = context(&[]).expect("a context");
        assert_eq!(parameter_overrides(&context, "/interlock"), Ok(Vec::new()));
    });
}

#[test]
fn parameter_texts_are_read_by_rcl() {
    isolated("params::parameter_texts_are_read_by_rcl", || {
        let cases = [
            ("true", RclValue::Bool(true)),
            ("7", RclValue::Int(7)),
            ("0x10", RclValue::Int(16)),
            ("7.0", RclValue::Double(7.0)),
            ("'7'", RclValue::String("7".to_owned())),
            ("[true, false]", RclValue::BoolArray(vec![true, false])),
            ("[1, 2]", RclValue::IntArray(vec![1, 2])),
            ("[a, b]", RclValue::StringArray(vec!["a".to_owned(), "b".to_owned()])),
        ];
        for (text, value) in cases {
            assert_eq!(parse_param_value(text), Ok(value), "{text}");
        }
        for text in ["[1, two]", "[1", "a\0b", "{a: 1}"] {
            let error = parse_param_value(text).expect_err(text);
            assert!(!error.text.is_empty(), "{text:?}: {error}");
        }
        let scratch = Scratch::new();
        let missing = parse_params_file(&scratch.path().join("missing.yaml")).expect_err("no file");
        assert!(missing.text.contains("Error opening YAML file"), "{missing}");
        let broken = scratch.write("broken.yaml", "/**:\n  ros__parameters:\n    a: [1, two]\n");
        let broken = parse_params_file(&broken).expect_err("a mixed list");
        assert!(broken.text.contains("Sequence should be of same type"), "{broken}");
    });
}
