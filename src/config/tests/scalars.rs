//! rcl's scalar rules, case by case. The differential test compares them with rcl itself.

use crate::config::rcl_scalar::{Style, Unreadable, read};
use crate::config::value::{Doubt, Value};

fn plain(text: &str) -> Value {
    read(text, Style::Plain, false).unwrap_or_else(|error| panic!("{text}: {error:?}")).value
}

fn doubt(text: &str) -> Option<Doubt> {
    read(text, Style::Plain, false).unwrap().doubt
}

#[test]
fn booleans_have_eleven_words_each() {
    for word in ["Y", "y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] {
        assert_eq!(plain(word), Value::Bool(true), "{word}");
    }
    for word in ["N", "n", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
        assert_eq!(plain(word), Value::Bool(false), "{word}");
    }
    for word in ["yEs", "tRUE", "oN", "none", "t", "f"] {
        assert_eq!(plain(word), Value::String(word.to_owned()));
    }
}

#[test]
fn integers_are_strtolls() {
    for (text, value) in [
        ("0", 0),
        ("-0", 0),
        ("+5", 5),
        ("010", 8),
        ("-010", -8),
        ("0x10", 16),
        ("-0X1F", -31),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(plain(text), Value::Int(value), "{text}");
    }
}

#[test]
fn doubles_are_strtods() {
    for (text, value) in [
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.e3", 1e3),
        ("08", 8.0),
        ("9223372036854775808", 9_223_372_036_854_775_808.0),
        (".inf", f64::INFINITY),
        ("-.INF", f64::NEG_INFINITY),
        ("-infinity", f64::NEG_INFINITY),
        ("0e-400", 0.0),
    ] {
        assert!(plain(text).same(&Value::Double(value)), "{text}: {}", plain(text));
    }
    for text in [".nan", "NaN", "-nan", "nan(x_1)"] {
        assert!(plain(text).same(&Value::Double(f64::NAN)), "{text}");
    }
}

#[test]
fn the_rest_is_text() {
    for text in ["1_000", "0o17", "1e", "1.2.3", "--1", "+-1", "-.nan", ".iNf", "1e999", "0y", "~"]
    {
        assert_eq!(plain(text), Value::String(text.to_owned()));
    }
    for text in ["5", "yes", ".nan", "0x1p3", ""] {
        let quoted = read(text, Style::Quoted, false).unwrap();
        assert_eq!(quoted.value, Value::String(text.to_owned()));
    }
    assert_eq!(read("5", Style::Plain, true).unwrap().value, Value::String("5".to_owned()));
    assert_eq!(read(" 5", Style::Block, false).unwrap().value, Value::Int(5));
}

#[test]
fn what_depends_on_the_c_library_is_refused() {
    for (text, error) in [
        ("0x1p3", Unreadable::HexNumber),
        ("0xFFFFFFFFFFFFFFFF", Unreadable::HexNumber),
        ("0xg", Unreadable::HexNumber),
        ("0b101", Unreadable::BinaryNumber),
        ("-0B1", Unreadable::BinaryNumber),
        ("1e-320", Unreadable::TooSmall),
        ("1e-999", Unreadable::TooSmall),
        ("", Unreadable::Empty),
        ("a\0b", Unreadable::NulCharacter),
    ] {
        assert_eq!(read(text, Style::Plain, false), Err(error), "{text}");
    }
}

#[test]
fn what_a_person_reads_otherwise_is_doubted() {
    assert_eq!(doubt("010"), Some(Doubt::LeadingZero("010".to_owned())));
    assert_eq!(doubt("08"), Some(Doubt::LeadingZero("08".to_owned())));
    assert_eq!(doubt("~"), Some(Doubt::Null("~".to_owned())));
    assert_eq!(doubt("1e999"), Some(Doubt::TooLarge("1e999".to_owned())));
    for text in ["0", "-0", "0.5", "00.5", "0x10", "1e-3", "yes", "a"] {
        assert_eq!(doubt(text), None, "{text}");
    }
}
