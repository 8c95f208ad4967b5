//! Which keys of a silence are refused, and what the summary says of a silence.

use crate::config::check::summary;
use crate::config::tests::{ARM, BASE, MOTORS, config, refused, with, with_top};

const BUTTON: &str = "kill_inputs: {button: {type: std_msgs/msg/Bool, topic: stop, field: data, \
                      asserted_when: true, timeout_s: 1.0}}";
const AFTER: &str = "kill_inputs: {button: {type: std_msgs/msg/Bool, topic: stop, field: data, \
                     asserted_when: true, timeout_s: 1.0, kill_after_s: 2.0}}";
const KEY: &str = "kill_inputs.button.kill_after_s";

/// `text` with an action for a cause.
fn causes(text: &str, cause: &str, action: &str) -> String {
    with_top(text, &format!("causes: {{{cause}: {{action: {action}}}}}"))
}

/// The part of the summary's line that begins with `start`, behind `from`.
fn told(text: &str, start: &str, from: &str) -> String {
    let summary = summary(&config(text));
    let line = summary.lines().find(|line| line.trim_start().starts_with(start)).expect("a line");
    line.split_once(from).expect("its part").1.to_owned()
}

fn of_button(text: &str) -> String {
    told(text, "kill input button", "; ")
}

fn of_lane(text: &str) -> String {
    let told = told(text, "silence in motion", "silence in motion: ");
    told.split("; down").next().unwrap_or_default().to_owned()
}

#[test]
fn when_a_silent_kill_input_holds_nothing_expect_the_time_to_its_kill_refused() {
    assert_eq!(of_button(&with_top(BASE, AFTER)), "silent: hold after 1s, kill 2s later");
    // Below a balance loop it is only told.
    assert_eq!(refused(&with_top(MOTORS, AFTER)), [KEY]);
    for action in ["ignore", "warn", "disarm", "kill"] {
        let text = causes(&with_top(BASE, AFTER), "kill_input_silent", action);
        assert_eq!(refused(&text), [KEY], "{action}");
        // A profile may say otherwise.
        let text = with_top(&text, "profiles: {slow: {causes: {kill_input_silent: hold}}}");
        assert_eq!(config(&text).profiles.len(), 2);
    }
    let written = causes(&with_top(MOTORS, AFTER), "kill_input_silent", "hold");
    assert_eq!(of_button(&written), "silent: hold after 1s, kill 2s later");
}

#[test]
fn when_a_check_tells_of_a_silent_kill_input_expect_what_it_does() {
    assert_eq!(of_button(&with_top(BASE, BUTTON)), "silent: hold after 1s, kill 5s later");
    assert_eq!(of_button(&with_top(MOTORS, BUTTON)), "silent: warn after 1s, no stop");
    for (action, expected) in [
        ("ignore", "silent: ignored"),
        ("warn", "silent: warn after 1s, no stop"),
        ("disarm", "silent: disarm after 1s"),
        ("kill", "silent: kill after 1s"),
    ] {
        let text = causes(&with_top(BASE, BUTTON), "kill_input_silent", action);
        assert_eq!(of_button(&text), expected);
    }
}

#[test]
fn when_a_silence_holds_nothing_expect_what_it_becomes_refused() {
    let then = |text: &str, then: &str| {
        with(text, "        safe:", &format!("        silence: {{then: {then}}}\n        safe:"))
    };
    for word in ["disarm", "kill"] {
        let text = then(BASE, word);
        assert_eq!(of_lane(&text), format!("hold, {word} after 5s"));
        for action in ["warn", "ignore"] {
            let text = causes(&text, "source_silent", action);
            assert_eq!(refused(&text), ["lanes.base.silence.then"], "{action}");
            let text = with_top(&text, "profiles: {slow: {causes: {source_silent: kill}}}");
            assert_eq!(config(&text).profiles.len(), 2, "a profile may say otherwise");
        }
        let text = with(&text, "timeout_s: 0.5", "allow_no_timeout: true");
        assert_eq!(refused(&text), ["lanes.base.silence.then"]);
        // The silence of a shadow is nobody's.
        let shadow = "          s: {topic: s, priority: 1, timeout_s: 0.5, max_rate_hz: 9.0, mode: shadow}\n";
        let text = with(&text, "    feedback: {odom", &format!("{shadow}    feedback: {{odom"));
        assert_eq!(refused(&text), ["lanes.base.silence.then"]);
        let text = with(&text, &format!("silence: {{then: {word}}}"), "silence: {then: hold}");
        assert_eq!(of_lane(&text), "never: no live source has a timeout");
    }
    // A hold is what is there anyway.
    let text = with(&then(BASE, "hold"), "timeout_s: 0.5", "allow_no_timeout: true");
    assert_eq!(of_lane(&text), "never: no source has a timeout");
}

#[test]
fn when_a_check_tells_of_a_silence_expect_what_it_does() {
    assert_eq!(of_lane(ARM), "hold");
    assert_eq!(of_lane(MOTORS), "kill");
    let text = with(MOTORS, "timeout_s: 0.05, max_rate_hz", "allow_no_timeout: true, max_rate_hz");
    assert_eq!(of_lane(&text), "never: no source has a timeout");
    for (action, expected) in [
        ("ignore", "ignored, the lane waits in its safe command"),
        ("warn", "warn, the lane waits in its safe command"),
        ("disarm", "disarm"),
        ("kill", "kill"),
    ] {
        for text in [BASE, MOTORS] {
            assert_eq!(of_lane(&causes(text, "source_silent", action)), expected);
        }
    }
}
