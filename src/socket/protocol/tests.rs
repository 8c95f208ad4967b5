//! Lines and what they are read as.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(line: &str) -> Request {
    parse(line.as_bytes()).unwrap_or_else(|answer| panic!("{line}: {answer:?}"))
}

fn code(line: &str) -> String {
    let answer = parse(line.as_bytes()).expect_err(line);
    assert!(!answer.ok && !answer.message.is_empty(), "{answer:?}");
    answer.error.expect("an error word")
}

#[test]
fn when_a_kill_comes_in_any_shape_expect_a_kill() {
    for line in [
        "kill",
        "  kill\r",
        r#"{"verb":"kill"}"#,
        r#"{"v":1,"verb":"kill","reason":"arm near table"}"#,
        r#"{"v":9,"verb":"kill","seq":"?","what":[1,2]}"#,
        r#"{"v":1,"id":7,"verb":"kill","reason":7,"operator":null}"#,
    ] {
        assert_eq!(read(line).verb, Verb::Kill, "{line}");
    }
    let told = read(r#"{"id":"a","verb":"kill","reason":"arm near table","client":"x"}"#);
    assert_eq!(told.id, Some(json!("a")));
    assert_eq!((told.reason.as_str(), told.client.as_str()), ("arm near table", "x"));
}

#[test]
fn when_each_verb_comes_expect_it_with_its_fields() {
    let v = |rest: &str| read(&format!(r#"{{"v":1,{rest}}}"#)).verb;
    assert_eq!(v(r#""verb":"status""#), Verb::Status);
    assert_eq!(v(r#""verb":"history""#), Verb::History);
    assert_eq!(v(r#""verb":"whoami""#), Verb::Whoami);
    assert_eq!(v(r#""verb":"disarm""#), Verb::Asks(Ask::Disarm));
    assert_eq!(v(r#""verb":"self_test""#), Verb::Asks(Ask::SelfTest));
    assert_eq!(v(r#""verb":"reset","seq":41"#), Verb::Asks(Ask::Reset { seq: 41 }));
    let profile = String::from("careful");
    let arm = Verb::Asks(Ask::Arm { seq: 42, profile });
    assert_eq!(v(r#""verb":"arm","seq":42,"profile":"careful""#), arm);
    let (lane, source) = (String::from("base"), String::new());
    let select = Verb::Asks(Ask::SelectSource { lane, source });
    assert_eq!(v(r#""verb":"select_source","lane":"base""#), select);
}

#[test]
fn when_a_verb_lets_motion_begin_expect_it_to_need_rights() {
    for (line, releases, is_limited) in [
        (r#"{"v":1,"verb":"reset","seq":1}"#, true, true),
        (r#"{"v":1,"verb":"arm","seq":1}"#, true, true),
        (r#"{"v":1,"verb":"select_source","lane":"a"}"#, true, true),
        (r#"{"v":1,"verb":"self_test"}"#, false, true),
        (r#"{"v":1,"verb":"disarm"}"#, false, false),
        (r#"{"v":1,"verb":"status"}"#, false, false),
        ("kill", false, false),
    ] {
        let verb = read(line).verb;
        assert_eq!((verb.releases(), verb.is_limited()), (releases, is_limited), "{line}");
    }
}

#[test]
fn when_a_line_is_wrong_expect_the_word_for_it() {
    for (line, expected) in [
        ("", "bad_json"),
        ("killl", "bad_json"),
        ("{\"v\":1,\"verb\":\"reset\",\"se", "bad_json"),
        ("[1]", "bad_json"),
        ("\u{0}\u{1}\u{fffd}", "bad_json"),
        (r#"{"verb":"status"}"#, "bad_version"),
        (r#"{"v":2,"verb":"status"}"#, "bad_version"),
        (r#"{"v":"1","verb":"status"}"#, "bad_version"),
        (r#"{"v":1}"#, "bad_field"),
        (r#"{"v":1,"verb":"resume"}"#, "unknown_verb"),
        (r#"{"v":1,"verb":"reset"}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","seq":-1}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","seq":41.5}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","seq":"41"}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","sequence":41}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","seq":41,"seq":42}"#, "ok"),
        (r#"{"v":1,"verb":"arm"}"#, "bad_field"),
        (r#"{"v":1,"verb":"reset","seq":41,"profile":"full"}"#, "bad_field"),
        (r#"{"v":1,"verb":"status","seq":41}"#, "bad_field"),
        (r#"{"v":1,"verb":"select_source"}"#, "bad_field"),
        (r#"{"v":1,"verb":"self_test","seq":41}"#, "bad_field"),
    ] {
        if expected == "ok" {
            // The last one wins, as in any JSON; the gate compares it.
            assert_eq!(read(line).verb, Verb::Asks(Ask::Reset { seq: 42 }));
        } else {
            assert_eq!(code(line), expected, "{line}");
        }
    }
}

#[test]
fn when_an_id_is_long_expect_it_left_out() {
    let long = format!(r#"{{"v":1,"verb":"status","id":"{}"}}"#, "x".repeat(ID_BYTES));
    assert_eq!(read(&long).id, None);
    let answer = parse(br#"{"v":1,"verb":"no","id":[3]}"#).expect_err("no such verb");
    assert_eq!(answer.id, Some(json!([3])));
}

#[test]
fn when_an_answer_is_written_expect_one_line_that_reads_back() {
    let mut answer = Answer::good("disarmed, seq 5:\nnothing moves");
    answer.status = Some(Box::default());
    let line = answer.line();
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(serde_json::from_slice::<Answer>(&line).unwrap(), answer);
    let plain = Answer::error(ErrorCode::Busy, "later").line();
    let expected = "{\"v\":1,\"ok\":false,\"error\":\"busy\",\"message\":\"later\"}\n";
    assert_eq!(String::from_utf8(plain).unwrap(), expected);
}

#[test]
fn every_verb_field_and_error_is_in_the_reference() {
    let reference = include_str!("../../../docs/control-socket.md");
    for code in ErrorCode::ALL {
        let label = code.label();
        assert!(reference.contains(&format!("| `{label}` |")), "{label}");
    }
    for verb in [
        "kill",
        "status",
        "history",
        "whoami",
        "reset",
        "arm",
        "disarm",
        "select_source",
        "self_test",
    ] {
        assert!(reference.contains(&format!("| `{verb}`")), "{verb}");
    }
    let full = Answer {
        id: Some(json!(1)),
        error: Some(String::new()),
        message: String::from("m"),
        state: Some(String::new()),
        seq: Some(1),
        unmet: vec![ConditionStatus::default()],
        owner: Some(String::new()),
        self_test: vec![SelfTestPart::default()],
        status: Some(Box::default()),
        history: Some(Vec::new()),
        whoami: Some(Whoami::default()),
        ..Answer::good("")
    };
    let fields = serde_json::to_value(&full).unwrap();
    let part = serde_json::to_value(SelfTestPart::default()).unwrap();
    for name in fields.as_object().unwrap().keys().chain(part.as_object().unwrap().keys()) {
        assert!(reference.contains(&format!("`{name}`")), "{name}");
    }
}

proptest! {
    #[test]
    fn when_any_bytes_come_expect_a_request_or_an_error_line(
        line in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        if let Err(answer) = parse(&line) {
            prop_assert!(serde_json::from_slice::<Answer>(&answer.line()).is_ok());
        }
    }
}
