//! What the check cannot compare: fields of message types that only the node has.

use super::line;
use crate::config::kill_field;
use crate::config::model::{CommandType, Config, FeedbackType};

/// Types of sensors whose fields are built in.
const BUILT_IN: [&str; 2] = ["sensor_msgs/msg/Temperature", "sensor_msgs/msg/BatteryState"];

pub(super) fn summary(text: &mut String, config: &Config) {
    let lanes = config.lanes.iter().filter(|lane| lane.command_type == CommandType::Mapped);
    let lanes = lanes.map(|lane| format!("lane {}", lane.name));
    let feedback = config.feedback.iter();
    let feedback = feedback.filter(|one| one.feedback_type == FeedbackType::Mapped);
    let feedback = feedback.map(|one| format!("feedback {}", one.name));
    let kills = config.kill_inputs.iter();
    let kills = kills.filter(|one| one.asserts.is_some() && !kill_field::is_known(&one.type_name));
    let kills = kills.map(|one| format!("kill input {}", one.name));
    let is_other = |type_name: &str| !BUILT_IN.contains(&type_name);
    let heat = config.temperatures.iter().filter(|one| is_other(&one.type_name));
    let heat = heat.map(|one| format!("temperature {}", one.name));
    let charge = config.batteries.iter().filter(|one| is_other(&one.type_name));
    let charge = charge.map(|one| format!("battery {}", one.name));
    let all: Vec<String> = lanes.chain(feedback).chain(kills).chain(heat).chain(charge).collect();
    if !all.is_empty() {
        let all = all.join(", ");
        line(text, &format!("fields are compared with their type when the node starts: {all}"));
    }
}
