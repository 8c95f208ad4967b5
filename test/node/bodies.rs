//! The body's own sense: an IMU that kills when it tilts or turns, and is missed when it is silent.

use serde_json::{Value, json};

use crate::monitor::wait_series;
use crate::rig::{BASE, Rig, TWIST};
use crate::support::wait_for;

const IMU: &str = "sensor_msgs/msg/Imu";

fn params() -> String {
    format!(
        "    feedback: {{body: {{type: {IMU}, topic: imu, timeout_s: 60.0, reliability: reliable, max_tilt: 0.5, max_angular_velocity: 2.0}}}}\n{BASE}"
    )
}

/// A sample of a body that leans by this angle about x, and turns about z.
fn leans(angle: f64, turns: f64) -> Value {
    let (sin, cos) = (angle / 2.0).sin_cos();
    json!({"orientation": {"x": sin, "y": 0.0, "z": 0.0, "w": cos},
           "angular_velocity": {"x": 0.0, "y": 0.0, "z": turns}})
}

#[test]
fn a_body_that_tilts_or_turns_too_fast_kills() {
    let mut rig = Rig::new(&params());
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/agent", TWIST);
    rig.wait_state("the IMU to be missed", |state| {
        state["unmet"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|one| one["code"] == "feedback_stale" && one["subject"] == "body")
    });
    rig.peer.publisher("/imu", IMU);
    for (sample, cause, found) in
        [(leans(0.75, 0.0), "tilt", "0.750"), (leans(0.0, -3.0), "angular_velocity", "3.000")]
    {
        // Upright, however it is turned about the vertical.
        rig.peer.ask("stream", json!({"topic": "/imu", "msg": leans(0.25, 1.0), "hz": 50.0}));
        rig.arm();
        rig.flows("/agent", 0.25);
        rig.peer.ask("stop", json!({"topic": "/imu"}));
        rig.peer.ask("stream", json!({"topic": "/imu", "msg": sample, "hz": 50.0}));
        let state = rig.wait_state("killed", |state| state["label"] == "killed");
        assert_eq!(state["first_trip"]["cause"], cause);
        assert_eq!(state["first_trip"]["subject"], "body");
        let detail = state["first_trip"]["detail"].as_str().expect("a text");
        assert!(detail.contains(found), "{detail}");
        // Reset with it still there: disarmed, and not to be armed.
        rig.reset();
        rig.wait_state("the cause in the way", |state| {
            state["unmet"].to_string().contains("cause_present")
        });
        rig.peer.publish("/agent", json!({}));
        rig.peer.ask("stop", json!({"topic": "/imu"}));
    }
    // Both stops are timed, though no tick found them.
    wait_series(&mut rig, "interlock_stop_seconds_count{trigger=\"automatic\"}", |n| n == 2.0);
}

#[test]
fn a_sample_that_is_too_large_is_no_sign_of_life() {
    let params = params().replace("timeout_s: 60.0", "timeout_s: 0.5");
    let mut rig = Rig::new(&format!("    max_message_bytes: 2048\n{params}"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/imu", IMU);
    rig.peer.ask("stream", json!({"topic": "/imu", "msg": leans(0.0, 0.0), "hz": 50.0}));
    rig.arm();
    rig.peer.ask("stop", json!({"topic": "/imu"}));
    // As far as it goes it says that the body stands upright.
    let mut large = leans(0.0, 0.0);
    large["header"] = json!({"frame_id": "x".repeat(4096)});
    rig.peer.ask("stream", json!({"topic": "/imu", "msg": large, "hz": 50.0}));
    let state = rig.wait_lane(0, "holding");
    assert_eq!((&state["label"], &state["permitted"]), (&json!("active"), &json!(false)));
    rig.peer.ask("stop", json!({"topic": "/imu"}));
    rig.peer.ask("stream", json!({"topic": "/imu", "msg": leans(0.0, 0.0), "hz": 50.0}));
    rig.wait_state("the next one of its size used", |state| state["permitted"] == true);
}

#[test]
fn a_sample_that_is_no_number_is_no_sign_of_life() {
    let mut rig = Rig::new(&params().replace("timeout_s: 60.0", "timeout_s: 0.5"));
    rig.peer.subscribe("/cmd_vel", TWIST);
    rig.peer.publisher("/imu", IMU);
    rig.peer.ask("stream", json!({"topic": "/imu", "msg": leans(0.0, 0.0), "hz": 50.0}));
    rig.arm();
    rig.peer.ask("stop", json!({"topic": "/imu"}));
    let nan = json!({"orientation": {"x": "$nan", "y": 0.0, "z": 0.0, "w": 1.0}});
    rig.peer.ask("stream", json!({"topic": "/imu", "msg": nan, "hz": 50.0}));
    let state = rig.wait_lane(0, "holding");
    assert_eq!((&state["label"], &state["permitted"]), (&json!("active"), &json!(false)));
    wait_for("the cause to be told", || {
        rig.http("/status").contains("\"cause\":\"feedback_stale\"")
    });
}
