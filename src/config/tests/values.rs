//! When two values are the same, and what sensors may be given.

use super::{ARM, BASE, config, read, with, with_top};
use crate::config::value::Value;

#[test]
fn when_values_are_compared_expect_type_and_last_bit() {
    let doubles = |values: &[f64]| Value::DoubleArray(values.to_vec());
    for (one, other, same) in [
        (Value::Double(0.5), Value::Double(0.5), true),
        (Value::Double(0.0), Value::Double(-0.0), false),
        (Value::Double(f64::NAN), Value::Double(-f64::NAN), true),
        (Value::Double(f64::NAN), Value::Double(0.5), false),
        (Value::Double(0.5), Value::Double(f64::NAN), false),
        (Value::Double(1.0), Value::Int(1), false),
        (Value::Int(1), Value::Int(1), true),
        (Value::Int(1), Value::Int(2), false),
        (Value::Bool(true), Value::Bool(true), true),
        (Value::Bool(true), Value::Bool(false), false),
        (Value::String("a".to_owned()), Value::String("b".to_owned()), false),
        (doubles(&[0.5, f64::NAN]), doubles(&[0.5, f64::NAN]), true),
        (doubles(&[0.5]), doubles(&[0.5, 0.5]), false),
        (doubles(&[0.5, 0.25]), doubles(&[0.5, 0.5]), false),
        (Value::IntArray(vec![1]), Value::IntArray(vec![2]), false),
        (Value::BoolArray(vec![true]), Value::BoolArray(vec![true]), true),
        (Value::StringArray(Vec::new()), Value::IntArray(Vec::new()), false),
    ] {
        assert_eq!(one.same(&other), same, "{one} {other}");
        assert_eq!(other.same(&one), same, "{other} {one}");
    }
}

#[test]
fn when_a_joint_is_named_expect_up_to_200_letters() {
    let of = |letters: usize| read(&with(ARM, "shoulder", &"j".repeat(letters))).is_ok();
    assert!(of(200) && !of(201));
}

#[test]
fn when_temperatures_are_told_expect_thresholds_in_order_and_a_range_with_room() {
    let motors = |more: &str| {
        let input = format!(
            "temperatures: {{motors: {{type: vendor_msgs/msg/Heat, topic: heat, timeout_s: 5.0, \
             field: 'data[0..4]'{more}}}}}"
        );
        read(&with_top(BASE, &input))
    };
    let plain = motors("").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plain.temperatures[0].valid, (-40.0, 150.0));
    for (more, fits) in [
        (", valid: [-20.0, 130.0]", true),
        (", valid: [20.0, 20.0]", false),
        (", valid: [30.0, 20.0]", false),
        (", warn_celsius: 70.0, derate_celsius: 80.0, trip_celsius: 90.0", true),
        (", warn_celsius: 70.0, derate_celsius: 70.0, trip_celsius: 90.0", false),
        (", derate_celsius: 90.0, trip_celsius: 90.0", false),
    ] {
        let read = motors(more);
        assert_eq!(read.is_ok(), fits, "{more}: {:?}", read.err().map(|e| e.to_string()));
    }
    assert_eq!(config(BASE).temperatures.len(), 0);
}

#[test]
fn when_a_field_is_one_number_expect_it_told_as_one_and_components_by_their_names() {
    let one = |field: &str| {
        let input = format!(
            "temperatures: {{motors: {{type: vendor_msgs/msg/Heat, topic: heat, timeout_s: 5.0, \
             field: '{field}'}}}}"
        );
        config(&with_top(BASE, &input)).temperatures.remove(0)
    };
    assert!(one("value").is_one() && one("all[3].value").is_one());
    let mut two = one("all[0..2].value");
    assert!(!two.is_one());
    two.components = vec!["hip".to_owned(), "motors".to_owned()];
    assert_eq!([two.point(0), two.point(1), two.point(2)], ["motors/hip", "motors", "motors"]);
}

#[test]
fn when_nothing_is_monitored_expect_it_empty() {
    assert!(config(BASE).monitor.is_empty());
    for monitor in ["topics: {scan: {topic: scan}}", "patterns: ['/a/*']"] {
        let text = with_top(BASE, &format!("monitor: {{{monitor}}}"));
        assert!(!config(&text).monitor.is_empty(), "{monitor}");
    }
}
