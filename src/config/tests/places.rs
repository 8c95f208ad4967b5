//! Which element of an array is which joint: a range on one side, names on another.

use super::{ARM, MOTORS, config, refused, with, with_top};

/// [`MOTORS`] at two of the robot's motors, as a stretch of its arrays.
fn stretch(commands: &str, states: &str) -> String {
    let text = MOTORS.replace("        joint_index: [3, 0]\n", "");
    let text = text.replace("motor_cmd[].", &format!("motor_cmd{commands}."));
    text.replace("motor_state[].", &format!("motor_state{states}."))
}

#[test]
fn hazard_20_partial_or_reordered_joints_of_a_stretch() {
    let good = stretch("[15..17]", "[15..17]");
    assert_eq!(config(&good).lanes[0].joint_index, [0, 1]);
    // The first two of all motors, or two others, are not those that are commanded.
    for states in ["[]", "[14..16]"] {
        let text = stretch("[15..17]", states);
        assert_eq!(refused(&text), ["feedback.low_state.joint_index"], "{states}");
    }
    let told = with(
        &stretch("[15..17]", "[]"),
        "        fields: {position: 'motor_state",
        "        joint_index: [15, 16]\n        fields: {position: 'motor_state",
    );
    assert_eq!(config(&told).feedback[1].joint_index, [15, 16]);
    // A command of its joints alone, beside the state of the whole robot.
    assert_eq!(config(&stretch("[]", "[15..17]")).lanes.len(), 1);
    // Each quantity that is measured counts.
    for velocity in ["speed[14..16]", "speed[0..2]"] {
        let text = with(&good, "motor_state[15..17].dq", velocity);
        assert_eq!(refused(&text), ["feedback.low_state.joint_index"], "{velocity}");
    }
    assert_eq!(config(&with(&good, "motor_state[15..17].dq", "speed[15..17]")).lanes.len(), 1);
    // And the limb that the array belongs to.
    let limbs = |state: &str| {
        let text = good.replace("motor_cmd[", "limb_cmd[1].motor[");
        text.replace("motor_state[", &format!("limb_state{state}.motor["))
    };
    assert_eq!(config(&limbs("[1]")).lanes.len(), 1);
    assert_eq!(config(&limbs("")).lanes.len(), 1);
    assert_eq!(refused(&limbs("[0]")), ["feedback.low_state.joint_index"]);
    let one = |text: &str| text.replace("joints: [hip, knee]", "joints: [hip]");
    assert_eq!(refused(&one(&stretch("[3]", "[]"))), ["feedback.low_state.joint_index"]);
    assert_eq!(config(&one(&stretch("[3]", "[3]"))).lanes.len(), 1);
    // One joint that is measured by two motors, beside a command that has it alone.
    let two = one(&stretch("[]", "[3]"));
    assert_eq!(config(&two).lanes.len(), 1);
    let two = with(&two, "motor_state[3].dq", "motor_state[4].dq");
    assert_eq!(refused(&two), ["feedback.low_state.fields.velocity"]);
}

#[test]
fn when_one_joint_s_numbers_come_from_two_elements_expect_it_refused() {
    let good = stretch("[15..17]", "[15..17]");
    for (from, to, key) in [
        ("motor_cmd[15..17].kp", "motor_cmd[].kp", "lanes.legs.fields.kp"),
        ("motor_cmd[15..17].dq", "motor_cmd[16..18].dq", "lanes.legs.fields.velocity"),
    ] {
        assert_eq!(refused(&with(&good, from, to)), [key]);
    }
    let text = with(&good, "motor_state[15..17].dq", "motor_state[].dq");
    assert!(refused(&text).contains(&"feedback.low_state.fields.velocity".to_owned()));
    // The joints' own bracket counts: an array in an array, and quantities that are channels.
    let limbs = stretch("[4..6]", "[4..6]").replace("motor_cmd[", "limbs[1].motor[");
    assert_eq!(config(&limbs).lanes.len(), 1);
    let text = with(&limbs, "motor[4..6].kp", "motor[].kp");
    assert_eq!(refused(&text), ["lanes.legs.fields.kp"]);
    let text = with(&limbs, "limbs[1].motor[4..6].kp", "limbs[0].motor[4..6].kp");
    assert_eq!(refused(&text), ["lanes.legs.fields.kp"], "another limb's");
    let channels = "        fields: {position: 'channels[0].values[0..2]', \
                    velocity: 'channels[1].values[0..2]'}\n        joints: [";
    assert_eq!(config(&with(ARM, "        joints: [", channels)).lanes.len(), 1);
    let state = "{type: sensor_msgs/msg/JointState, topic";
    let measured = "{type: vendor_msgs/msg/Channels, fields: {position: 'channels[0].values[0..2]', \
                    velocity: 'channels[1].values[0..2]'}, topic";
    let text = with(&with(ARM, "        joints: [", channels), state, measured);
    assert_eq!(config(&text).lanes.len(), 1, "the same channels measured");
    let whole = channels.replace("[0..2]", "");
    assert_eq!(config(&with(ARM, "        joints: [", &whole)).lanes.len(), 1, "without brackets");
    // A range that was forgotten would limit the gains of other motors.
    let text = with(&good, "motor_cmd[15..17].kp", "gains");
    assert_eq!(refused(&text), ["lanes.legs.fields.kp"]);
    let text = with(&good, "motor_state[15..17].dq", "speed");
    assert!(refused(&text).contains(&"feedback.low_state.fields.velocity".to_owned()));
    // Other arrays have their own order, and one array of numbers may hold them one after the other.
    let gains = with(&good, "motor_cmd[15..17].kp", "gains[0..2].kp");
    assert_eq!(config(&gains).lanes.len(), 1);
    let array = with(
        ARM,
        "        joints: [",
        "        fields: {position: 'data[0..2]', velocity: 'data[2..4]'}\n        joints: [",
    );
    assert_eq!(config(&array).lanes.len(), 1);
}

#[test]
fn when_a_feedback_has_whole_arrays_of_two_elements_expect_them_along_several_joints_and_not_for_one()
 {
    // The joint that is commanded is one of those that are measured.
    let arm = with(ARM, "joints: [shoulder, elbow]", "joints: [shoulder]");
    let measured = |joints: &str| {
        let map = format!(
            "{{type: vendor_msgs/msg/Channels, joints: {joints}, fields: {{position: \
             'channels[0].values', velocity: 'channels[1].values'}}, topic"
        );
        with(&arm, "{type: sensor_msgs/msg/JointState, topic", &map)
    };
    assert_eq!(config(&measured("[shoulder, elbow]")).lanes.len(), 1);
    assert_eq!(refused(&measured("[shoulder]")), ["feedback.joints.fields.velocity"]);
    // So it is with what is commanded.
    let mapped = "fields: {position: 'channels[0].values', velocity: 'channels[1].values'}\n        \
                  joints: [shoulder";
    let commanded =
        |joints: &str| with(ARM, "joints: [shoulder, elbow", &format!("{mapped}{joints}"));
    assert_eq!(config(&commanded(", elbow")).lanes.len(), 1);
    assert_eq!(refused(&commanded("")), ["lanes.arm.fields.velocity"]);
}

const NAMED: &str = "type: sensor_msgs/msg/JointState\n        balance: false";

#[test]
fn when_joints_are_known_by_name_expect_arrays_to_say_their_order() {
    let named = with(ARM, "type: std_msgs/msg/Float64MultiArray", NAMED);
    let named = with(&named, "max_acceleration: 5.0}", "max_acceleration: 5.0, max_effort: 1.0}");
    assert_eq!(config(&named).lanes.len(), 1);
    let state = "{type: vendor_msgs/msg/State, fields: {position: 'motor_state[].q'}";
    let text = with(&named, "{type: sensor_msgs/msg/JointState", state);
    assert_eq!(refused(&text), ["feedback.joints.joint_index"]);
    let listed = with(&text, state, &format!("{state}, joints: [elbow, shoulder]"));
    assert_eq!(config(&listed).lanes.len(), 1);
    let heat = |field: &str| {
        format!(
            "temperatures: {{motors: {{type: vendor_msgs/msg/Heat, topic: heat, timeout_s: 5.0, \
             field: '{field}', joints_of: arm}}}}"
        )
    };
    let text = with_top(&named, &heat("motor[].temperature"));
    assert_eq!(refused(&text), ["temperatures.motors.joints_of"]);
    let ranged = config(&with_top(&named, &heat("motor[4..6].temperature")));
    assert_eq!(ranged.temperatures[0].components, ["shoulder", "elbow"]);
}

#[test]
fn when_a_joint_state_is_mapped_expect_its_names_read() {
    let mapped = "type: sensor_msgs/msg/JointState\n        keep: [velocity, effort]\n        \
                  fields: {position: position}";
    let text = with(ARM, "type: std_msgs/msg/Float64MultiArray", mapped);
    assert_eq!(refused(&text), ["lanes.arm.fields.names"]);
    let text = with(&text, "{position: position}", "{position: position, names: name}");
    assert_eq!(config(&text).lanes.len(), 1);
    let state = "{type: sensor_msgs/msg/JointState, topic";
    let places = "{type: sensor_msgs/msg/JointState, fields: {position: position}, topic";
    let text = with(ARM, state, places);
    assert!(refused(&text).contains(&"feedback.joints.fields.names".to_owned()));
    let named = with(&text, "{position: position}", "{position: position, names: name}");
    assert_eq!(config(&named).feedback.len(), 1);
}

#[test]
fn when_temperatures_are_of_a_stretch_expect_a_range_asked_for() {
    let heat = |field: &str| {
        let heat = format!(
            "temperatures: {{motors: {{type: vendor_msgs/msg/LowState, topic: lowstate, \
             timeout_s: 5.0, field: '{field}', joints_of: legs}}}}"
        );
        with_top(&stretch("[15..17]", "[15..17]"), &heat)
    };
    assert_eq!(refused(&heat("motor_state[].heat")), ["temperatures.motors.joints_of"]);
    let config = config(&heat("motor_state[15..17].heat"));
    assert_eq!(config.temperatures[0].components, ["hip", "knee"]);
    assert_eq!(config.temperatures[0].places, [0, 1]);
}
