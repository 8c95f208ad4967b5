//! The page of every state, what is on it, and that it stays small, safe and readable anywhere.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::telemetry::status::{
    CauseStatus, ClockStatus, ConditionStatus, FeedbackStatus, KillInputStatus, LaneStatus,
    RejectionStatus, SourceStatus, TopicStatus, TripStatus,
};

/// A robot with something in every list.
pub(super) fn full(state: &str) -> Status {
    let text = |text: &str| String::from(text);
    let source = |name: &str, alive| SourceStatus {
        name: text(name),
        mode: text("live"),
        alive,
        silent_for_s: Some(if alive { 0.01 } else { 75.0 }),
        passed: 120_400,
        limited: 31,
        rejected: if alive { 0 } else { 7 },
        last_reason: (!alive).then(|| text("velocity")),
        ..SourceStatus::default()
    };
    let killed = state == "killed";
    let trip = TripStatus {
        seq: 41,
        stamp_unix_s: 1_700_000_000.0,
        age_s: 75.0,
        cause: text("kill_input_asserted"),
        subject: text("pendant"),
        detail: text("kill input 'pendant' asserts"),
        ..TripStatus::default()
    };
    Status {
        state: text(state),
        permitted: state == "active",
        seq: 41,
        stamp_unix_s: 1_700_000_075.0,
        since_unix_s: 1_700_000_000.0,
        since_age_s: 75.0,
        first_trip: killed.then(|| trip.clone()),
        last_trip: Some(TripStatus { seq: if killed { 41 } else { 39 }, ..trip }),
        unmet: if state == "active" {
            Vec::new()
        } else {
            vec![ConditionStatus {
                code: text("kill_input_asserted"),
                subject: text("pendant"),
                text: text("kill input 'pendant' asserts: release it (topic /hardware/e_stop)"),
            }]
        },
        profile: (state == "active").then(|| text("careful")),
        derating: if state == "active" { 0.65 } else { 1.0 },
        lanes: vec![
            LaneStatus {
                name: text("base"),
                mode: text("gate"),
                state: text(if state == "active" { "flowing" } else { "safe" }),
                owner: (state == "active").then(|| text("teleop")),
                safe_command: text("zero_velocity"),
                subscribers: Some(1),
                sources: vec![source("teleop", true), source("agent", false)],
                ..LaneStatus::default()
            },
            LaneStatus {
                name: text("arms"),
                mode: text("gate"),
                state: text("released"),
                safe_command: text("freeze"),
                subscribers: Some(0),
                notes: vec![text("also publishes on the output: /rogue")],
                sources: vec![source("vla", true)],
                ..LaneStatus::default()
            },
        ],
        kill_inputs: vec![KillInputStatus {
            name: text("pendant"),
            asserted: killed,
            asserted_by: if killed { text("/pendant_driver") } else { String::new() },
            seen: true,
            silent_for_s: Some(0.02),
            ..KillInputStatus::default()
        }],
        feedback: vec![FeedbackStatus {
            name: text("joints"),
            fresh: true,
            silent_for_s: Some(0.005),
            ..FeedbackStatus::default()
        }],
        topics: ["/scan", "/imu", "/camera/image"]
            .into_iter()
            .zip(["ok", "warn", "error"])
            .map(|(topic, level)| TopicStatus {
                name: text(topic),
                topic: text(topic),
                rate_hz: Some(9.96),
                expected_hz: Some(10.0),
                silent_for_s: Some(0.05),
                gap_s: Some(0.104),
                lost: Some(3),
                level: text(level),
                text: format!("{topic} is {level}"),
                ..TopicStatus::default()
            })
            .collect(),
        clock: ClockStatus {
            synchronized: Some(true),
            level: text("ok"),
            text: text("kept, within 0.004 s"),
            ..ClockStatus::default()
        },
        rejections: vec![RejectionStatus {
            stamp_unix_s: 1_700_000_070.0,
            age_s: 5.0,
            lane: text("base"),
            source: text("agent"),
            reason: text("velocity"),
            detail: text("linear.x, 1.5 (allowed 0.5)"),
            count: 7,
        }],
        causes: vec![CauseStatus {
            cause: text("limited_ratio"),
            action: text("warn"),
            acts: true,
            text: text("source 'base/teleop' limited in 30 % of its commands"),
            ..CauseStatus::default()
        }],
        hardware_id: text("g1-0042"),
        version: text("0.1.0"),
        config_sha256: "ab".repeat(32),
        node: text("/interlock"),
        ..Status::default()
    }
}

/// Lists that a status may have besides, as a reader of its JSON sees them.
pub(super) fn sensors() -> Value {
    json!({
        "temperatures": [
            {"input": "motors", "component": "left_knee", "celsius": 71.5, "level": "warn",
             "text": "71.5 °C, warns at 70 °C"},
            {"input": "motors", "component": "right_knee", "celsius": 40.0, "level": "ok"}],
        "batteries": [{"name": "main", "charge_ratio": 0.42, "voltage_volts": 47.8, "current_amperes": -6.2,
                       "level": "ok"}],
    })
}

fn shown(status: &Status, lists: &Value) -> String {
    with_rows(status, lists, None, 64)
}

#[test]
fn when_no_lane_is_gated_expect_it_loud_and_no_kill_as_the_way_to_stop() {
    let mut status = full("active");
    let text = page(&status, None);
    assert!(!text.contains("NOT GATED") && text.contains("<code>interlockctl kill</code>"));
    status.lanes[0].mode = String::from("watch");
    let text = page(&status, None);
    assert!(text.contains("NOT GATED: base only watches: its commands do not pass here"), "{text}");
    status.lanes[1].mode = String::from("watch");
    let text = page(&status, None);
    assert!(text.contains("NOT GATED: every lane only watches (base, arms)"), "{text}");
    assert!(text.contains("To stop: the hardware emergency stop"), "{text}");
    assert!(!text.contains("<code>interlockctl kill</code>"), "{text}");
}

#[test]
fn when_the_style_is_changed_expect_its_digest_in_the_policy() {
    let digest = base64(&Sha256::digest(STYLE.as_bytes()));
    assert!(POLICY.contains(&format!("'sha256-{digest}'")), "the digest is sha256-{digest}");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let mut number = 0_u32;
        for at in 0..3 {
            number = number << 8 | u32::from(three.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at) & 63) as usize];
            out.push(if at > three.len() { '=' } else { letter.into() });
        }
    }
    out
}

#[test]
fn when_the_state_is_shown_expect_word_reason_what_is_in_the_way_and_the_next_command() {
    let killed = page(&full("killed"), None);
    for text in [
        "<h1>✖ KILLED</h1>",
        "stopped by kill_input_asserted, pendant, 22:13:20 UTC, 75 s ago",
        "<li>kill input &#39;pendant&#39; asserts: release it (topic /hardware/e_stop)",
        "Next: <code>clear what is in the way, interlockctl reset, interlockctl arm</code>",
        "ASSERTED by /pendant_driver",
    ] {
        assert!(killed.contains(text), "{text}\n{killed}");
    }
    assert!(!killed.contains("last stop"), "it is the one shown already");
    let active = page(&full("active"), None);
    for text in [
        "<h1>▶ ACTIVE</h1>",
        "profile careful, velocity derated to 65 %",
        "last stop by kill_input_asserted",
        "To stop: <code>interlockctl kill</code>",
        "flowing",
    ] {
        assert!(active.contains(text), "{text}\n{active}");
    }
    assert!(!active.contains("Next:"));
    let held = Status { permitted: false, ..full("active") };
    assert!(page(&held, None).contains("<h1>⏸ ACTIVE, HELD</h1>"));
    let disarmed = page(&Status { unmet: Vec::new(), ..full("disarmed") }, None);
    assert!(disarmed.contains("<h1>■ DISARMED</h1>"), "{disarmed}");
    assert!(disarmed.contains("Next: <code>interlockctl arm</code>"), "{disarmed}");
    let stalled = page(&full("active"), Some("the gate thread ticked 3.0 s ago, needs < 0.5 s"));
    assert!(stalled.contains("<h1>✖ NO PROGRESS</h1>"), "{stalled}");
    assert!(stalled.contains("ticked 3.0 s ago, needs &lt; 0.5 s"), "{stalled}");
}

#[test]
fn when_a_list_has_something_expect_it_on_the_page() {
    let page = shown(&full("killed"), &sensors());
    for text in [
        "<h2>Lanes</h2>",
        "also publishes on the output: /rogue",
        "NONE",
        "<h2>Sources</h2>",
        "120400 passed, 31 limited, 7 rejected",
        "silent for 75 s",
        "<h2>Inputs</h2>",
        "<h2>Latest rejections</h2>",
        "linear.x, 1.5 (allowed 0.5)",
        "<h2>Temperatures</h2>",
        "left_knee",
        "71.5 °C, warns at 70 °C",
        "<h2>Batteries</h2>",
        "42 %",
        "47.8 V",
        "-6.2 A",
        "<h2>Machine</h2>",
        "kept, within 0.004 s",
        "<h2>Topics</h2>",
        "10.0 of 10.0 Hz",
        "limited in 30 % of its commands",
        "g1-0042",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let (error, warn) = (page.find("/camera/image").unwrap(), page.find("/imu").unwrap());
    assert!(error < warn && warn < page.find("/scan").unwrap(), "the worst first");
    let empty = shown(&Status { state: "disarmed".into(), ..Status::default() }, &Value::Null);
    for title in ["Lanes", "Sources", "Inputs", "Latest", "Temperatures", "Batteries", "Topics"] {
        assert!(!empty.contains(&format!("<h2>{title}")), "{title}");
    }
}

#[test]
fn when_a_feedback_comes_without_a_lane_s_part_expect_that_and_no_silence() {
    let mut status = full("active");
    status.feedback[0].fresh = false;
    status.feedback[0].partial = true;
    let page = shown(&status, &Value::Null);
    assert!(page.contains("comes, but without what every lane needs"), "{page}");
    status.feedback[0].partial = false;
    assert!(shown(&status, &Value::Null).contains("SILENT"));
}

#[test]
fn when_a_text_comes_from_somebody_else_expect_it_escaped() {
    let evil = "</td><script>alert(1)</script><img src=x onerror=\"y\">";
    let text = || String::from(evil);
    let mut status = full("killed");
    status.hardware_id = text();
    status.node = text();
    status.unmet[0].text = text();
    status.causes[0].text = text();
    status.lanes[0].name = text();
    status.lanes[0].notes = vec![text()];
    status.lanes[0].sources[0].note = text();
    status.kill_inputs[0].asserted_by = text();
    status.feedback[0].note = text();
    status.topics[2].text = text();
    status.rejections[0].detail = text();
    if let Some(trip) = &mut status.first_trip {
        trip.operator = text();
        trip.reason = text();
    }
    let page = shown(&status, &json!({"temperatures": [{"name": evil, evil: evil}]}));
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 14, "{page}");
}

#[test]
fn when_the_robot_is_large_expect_a_page_under_30_kb_and_what_is_left_out_counted() {
    let mut status = full("killed");
    let topic = |at: usize| TopicStatus {
        topic: format!("/a/rather/long/namespace/of/a/topic/number_{at}"),
        level: String::from("warn"),
        text: "x".repeat(200),
        ..status.topics[0].clone()
    };
    status.topics = (0..500).map(topic).collect();
    status.lanes = (0..8).flat_map(|_| status.lanes.clone()).collect();
    status.rejections = (0..16).flat_map(|_| status.rejections.clone()).collect();
    status.unmet = (0..20).flat_map(|_| status.unmet.clone()).collect();
    let page = page(&status, None);
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    assert!(page.contains(" more: see "), "what is left out is counted");
    let usual = shown(&full("active"), &sensors());
    assert!(usual.len() < 12_000, "{} bytes", usual.len());
}

#[test]
fn when_the_page_is_made_expect_nothing_from_elsewhere_and_no_script() {
    let page = shown(&full("active"), &sensors());
    for forbidden in
        ["<script", "http://", "https://", "<link", "<img", "url(", "@import", " style="]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("<meta http-equiv=refresh content=2>"));
    // Every class that is used stands in the style.
    for class in page.split("class=").skip(1) {
        let name: String = class.chars().take_while(|c| c.is_alphanumeric()).collect();
        assert!(STYLE.contains(&format!(".{name}")), "{name}");
    }
}

/// What a text browser makes of the page; `None`: there is none here, said aloud.
fn in_a_text_browser(page: &str) -> Option<String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let browser = Command::new("w3m")
        .args(["-dump", "-T", "text/html", "-cols", "100", "-I", "UTF-8", "-O", "UTF-8"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut browser) = browser else {
        println!("skipped: w3m is not installed");
        return None;
    };
    browser.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    Some(String::from_utf8(browser.wait_with_output().unwrap().stdout).unwrap())
}

#[test]
fn when_a_text_browser_shows_the_page_expect_state_way_on_and_every_table() {
    let Some(text) = in_a_text_browser(&shown(&full("killed"), &sensors())) else { return };
    for part in [
        "✖ KILLED",
        "In the way:",
        "release it (topic /hardware/e_stop)",
        "Next: clear what is in the way, interlockctl reset, interlockctl arm",
        "Lanes",
        "Latest rejections",
        "Temperatures",
        "left_knee",
        "Topics",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("OLD: no answer"), "only a style can tell that\n{text}");
    assert!(!text.contains("color-scheme"), "the style is no text\n{text}");
    // A row of a table is a line of text.
    let row = text.lines().find(|line| line.starts_with("base/teleop")).unwrap();
    assert!(row.contains("alive") && row.contains("120400 passed"), "{row}");
}

/// Writes the pages of all states into a folder, for a person to look at in a browser.
#[test]
fn when_somebody_wants_to_look_expect_a_file_for_each_state() {
    let folder = std::env::var_os("INTERLOCK_PAGES");
    for state in ["killed", "active", "disarmed"] {
        let page = shown(&full(state), &sensors());
        assert!(page.ends_with("</html>\n"));
        if let Some(folder) = &folder {
            let file = std::path::Path::new(folder).join(format!("{state}.html"));
            std::fs::write(file, &page).unwrap();
        }
    }
}
