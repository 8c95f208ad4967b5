//! What a controller tells, against its lane.

use super::*;
use crate::config::model::test_lane;

fn told(joints: &[&str], interfaces: &[&str]) -> Told {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Told { joints: owned(joints), interfaces: owned(interfaces) }
}

#[test]
fn when_an_array_controller_has_another_order_expect_the_first_difference() {
    let mut lane = test_lane(CommandType::Float64MultiArray, &["hip", "knee"]);
    assert_eq!(differs(&told(&["hip", "knee"], &["position"]), &lane), "");
    assert_eq!(
        differs(&told(&["knee", "hip"], &["position"]), &lane),
        "place 0 is joint knee for the controller, hip for the lane"
    );
    lane.joint_index = vec![1, 0];
    assert_eq!(differs(&told(&["knee", "hip"], &["position"]), &lane), "");
    assert_eq!(differs(&told(&["knee"], &[]), &lane), "the controller has 1 joints, the lane 2");
    assert_eq!(
        differs(&told(&["knee", "hip"], &["velocity"]), &lane),
        "the controller commands velocity, the lane position"
    );
}

/// The gripper of an arm in one array, and an arm in the middle of the robot's.
#[test]
fn when_the_array_has_more_than_the_lane_expect_the_lane_s_joints_compared_at_their_places() {
    let mut lane = test_lane(CommandType::Mapped, &["shoulder", "elbow"]);
    ARRAY.clone_into(&mut lane.type_name);
    lane.fields.position = Path::parse("data[1..3]").ok();
    lane.keep = ["data[0]", "data[3]"].iter().filter_map(|path| Path::parse(path).ok()).collect();
    let all = ["gripper", "shoulder", "elbow", "lamp"];
    assert_eq!(differs(&told(&all, &["position"]), &lane), "");
    // Nobody would hear a command that is shorter than the controller's.
    let mut short = lane.clone();
    short.keep.pop();
    assert_eq!(differs(&told(&all, &[]), &short), "the controller has 4 joints, the lane 3");
    // Two quantities in one array: the joints of one of them.
    let mut two = short.clone();
    two.keep.clear();
    two.fields.position = Path::parse("data[0..2]").ok();
    two.fields.velocity = Path::parse("data[2..4]").ok();
    assert_eq!(differs(&told(&["shoulder", "elbow"], &[]), &two), "");
    "vendor_msgs/msg/Cmd".clone_into(&mut short.type_name);
    assert_eq!(differs(&told(&all, &[]), &short), "");
    let mut whole = lane.clone();
    whole.keep.clear();
    whole.fields.position = Path::parse("data").ok();
    assert_eq!(
        differs(&told(&["shoulder", "elbow", "gripper"], &[]), &whole),
        "the controller has 3 joints, the lane 2"
    );
    assert_eq!(
        differs(&told(&all[1..], &[]), &short),
        "place 1 is joint elbow for the controller, shoulder for the lane"
    );
    assert_eq!(
        differs(&told(&all[..2], &[]), &short),
        "place 2 is joint nothing for the controller, elbow for the lane"
    );
}

#[test]
fn when_commands_carry_names_expect_the_order_not_to_matter() {
    let lane = test_lane(CommandType::JointTrajectory, &["hip", "knee"]);
    assert_eq!(differs(&told(&["knee", "hip"], &["velocity", "position"]), &lane), "");
    assert_eq!(
        differs(&told(&["knee"], &[]), &lane),
        "the lane has joint hip, the controller has not"
    );
}

#[test]
fn when_a_node_is_silent_expect_it_asked_less_and_less_often() {
    let seconds = [1, 2, 3, 4, 5, 6, u32::MAX].map(|vain| again(vain).as_secs());
    assert_eq!(seconds, [5, 10, 20, 40, 80, 80, 80]);
}

#[test]
fn when_a_node_tells_nothing_expect_it_to_pass() {
    let lane = test_lane(CommandType::Float64MultiArray, &["hip"]);
    assert_eq!(differs(&Told::of(&[None, None, None, None, None]), &lane), "");
}

#[test]
fn when_parameters_are_read_expect_command_joints_before_joints() {
    let array = |names: &[&str]| ParameterValue {
        type_: STRING_ARRAY,
        string_array_value: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    };
    let one =
        ParameterValue { type_: STRING, string_value: "position".to_owned(), ..Default::default() };
    let answers = [Some(array(&["a"])), Some(array(&["b"])), Some(one), None, None];
    assert_eq!(Told::of(&answers), told(&["b"], &["position"]));
}
