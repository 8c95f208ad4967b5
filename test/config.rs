//! Params files through the whole loader: what ships works, what is broken is refused with exactly
//! the text beside it.
//!
//! `INTERLOCK_WRITE_EXPECTED=1` writes the `.expected` files anew; read the difference before
//! committing it: these texts are what a person gets at a robot.

use std::fs;
use std::path::{Path, PathBuf};

use interlock::config::check::{EXIT_CONFIG, check};
use interlock::config::load;

/// Parameters of another node: shipped, but not params files of this one.
const OF_OTHERS: &str = "config/diagnostics_aggregator.yaml";

/// The `*.yaml` files of a folder, sorted.
fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn args(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn shipped_files_have_no_problems() {
    let mut files = yaml_files("config");
    files.retain(|file| file != Path::new(OF_OTHERS));
    assert!(files.len() >= 3, "the shipped files are found: {files:?}");
    for file in files {
        let (code, text) = check(&args(&[file.to_str().unwrap()]));
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn hazard_32_config_fails_open() {
    // Every broken file is refused, with every problem and nothing else, in exactly these words.
    let files = yaml_files("test/config/broken");
    assert!(files.len() >= 150, "the broken files are found: {}", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let path = file.to_str().unwrap();
        let (code, text) = check(&args(&[path]));
        let expected_path = file.with_extension("expected");
        if std::env::var_os("INTERLOCK_WRITE_EXPECTED").is_some() {
            fs::write(&expected_path, &text).unwrap();
        }
        let expected = fs::read_to_string(&expected_path)
            .unwrap_or_else(|_| panic!("{path} has no .expected file beside it"));
        if code != EXIT_CONFIG || text != expected {
            wrong.push(format!("{path}: exit {code}\n--- expected\n{expected}--- got\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What would run, in exactly these words: of what ships, and of a file with everything that does not.
#[test]
fn what_would_run_is_told_in_these_words() {
    let mut files = yaml_files("config");
    files.retain(|file| file != Path::new(OF_OTHERS));
    files.extend(yaml_files("test/config/checked"));
    let mut wrong = Vec::new();
    for file in files {
        let path = file.to_str().unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let (code, text) = check(&args(&[path]));
        let expected_path = Path::new("test/config/checked").join(format!("{name}.expected"));
        if std::env::var_os("INTERLOCK_WRITE_EXPECTED").is_some() {
            fs::write(&expected_path, &text).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if code != 0 || text != expected {
            wrong.push(format!("{path}: exit {code}\n--- expected\n{expected}--- got\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_remap_that_makes_an_output_its_own_source_is_refused() {
    let with = |rule: &str| {
        check(&args(&["--ros-args", "--params-file", "config/mobile_base.yaml", "-r", rule]))
    };
    for rule in ["cmd_vel:=cmd_vel_nav", "cmd_vel_agent:=/cmd_vel", "interlock:odom:=cmd_vel"] {
        let (code, text) = with(rule);
        assert_eq!(code, EXIT_CONFIG, "{rule}: {text}");
        assert!(text.contains("after remapping") && text.contains("remap rules"), "{rule}: {text}");
    }
    for rule in ["cmd_vel:=base/cmd_vel", "other:cmd_vel:=cmd_vel_nav", "~/kill:=cmd_vel"] {
        let (code, text) = with(rule);
        assert_eq!(code, 0, "{rule}: {text}");
    }
}

/// As large as they may be, and one byte more.
#[test]
fn files_are_read_up_to_their_largest_size() {
    let folder = std::env::temp_dir().join(format!("interlock-large-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let params = fs::read_to_string("config/mobile_base.yaml").unwrap();
    let path = folder.join("large.yaml");
    for (bytes, fits) in [(4 << 20, true), ((4 << 20) + 1, false)] {
        let mut text = params.clone();
        while text.len() + 100 < bytes {
            text.push_str("# and so on, and so on, and so on\n");
        }
        text.push('#');
        while text.len() < bytes {
            text.push('.');
        }
        fs::write(&path, text).unwrap();
        let (code, told) = check(&args(&[path.to_str().unwrap()]));
        assert_eq!(code == 0, fits, "{told}");
        assert!(fits || told.contains("4194305 bytes, more than 4194304"), "{told}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_expectation_has_its_file() {
    for entry in fs::read_dir("test/config/broken").unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("yaml").exists(), "{} is left over", path.display());
    }
}

#[test]
fn the_first_screen_of_a_check_tells_what_would_run() {
    let (code, text) = check(&args(&["config/mobile_base.yaml"]));
    let expected = "\
config/mobile_base.yaml: no problems
node /interlock, 40 keys
tick 100 Hz, hardware_id none
lane base -> cmd_vel (geometry_msgs/msg/TwistStamped, velocity: linear.x, angular.z)
  source teleop priority 100: cmd_vel_teleop, at most 60 Hz, silent after 500ms, limits x 1
  source nav priority 20: cmd_vel_nav, at most 30 Hz, silent after 500ms, limits x 1
  source agent priority 10: cmd_vel_agent, at most 20 Hz, silent after 500ms, limits x 0.5
  safe command zero_velocity at once, every 10ms
  start ramp 1s; hand-over 1s at limits x 0.3
  silence in motion: hold; down to a lower source: by itself
  feedback odom, controller any reader; limits: params file
  divergence: hold over linear.x 0.25, angular.z 0.75 rad/s or m/s for 500ms
  limits of linear.x: velocity -0.2..0.5, acceleration 1, deceleration 2
  limits of angular.z: velocity ±1.5, acceleration 2, deceleration 3
feedback odom: odom, stale after 300ms
kill input button: hardware/e_stop, kills on data = true; silent: hold after 1s, kill 5s later
battery main: battery_state, warn 0.3, derate 0.2, trip 0.1; silent after 10s
http 127.0.0.1:9615
latch: kept in $STATE_DIRECTORY, or interlock in the user's own state folder
reset, arm and select_source over ROS: closed
";
    assert_eq!(code, 0, "{text}");
    let (told, digest) = text.split_at(expected.len().min(text.len()));
    assert_eq!(told, expected);
    assert!(digest.starts_with("sha256 ") && digest.trim_end().len() == 7 + 64, "{digest}");
}

/// What integrators copy from the README is a file that is checked.
#[test]
fn when_the_readme_prints_a_whole_file_expect_the_file() {
    let readme = fs::read_to_string("README.md").unwrap();
    let (_, behind) = readme.split_once("## A mobile base, the whole file").unwrap();
    let (_, behind) = behind.split_once("```yaml\n").unwrap();
    let (printed, _) = behind.split_once("```").unwrap();
    assert_eq!(printed, fs::read_to_string("config/mobile_base.yaml").unwrap());
}

#[test]
fn launch_arguments_are_taken_as_they_are() {
    let path = "config/mobile_base.yaml";
    let (code, text) = check(&args(&[
        "--ros-args",
        "-r",
        "__node:=interlock",
        "-r",
        "__ns:=/",
        "--params-file",
        path,
        "-p",
        "hardware_id:=base_7",
        "--",
    ]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("hardware_id base_7"), "{text}");
}

#[test]
fn a_section_for_another_name_is_no_configuration() {
    let (code, text) = check(&args(&[
        "--ros-args",
        "-r",
        "__ns:=/left",
        "--params-file",
        "config/mobile_base.yaml",
    ]));
    assert_eq!(code, EXIT_CONFIG);
    assert_eq!(
        text,
        "config/mobile_base.yaml: 1 problem, not started
lanes: no parameters apply to /left/interlock
  allowed: a section whose name matches, with at least one lane
  because: a gate without lanes guards nothing; the sections are interlock
  to fix:  name the section /left/interlock, or /**/interlock for any namespace
"
    );
}

#[test]
fn the_digest_is_of_the_values_and_not_of_the_text() {
    let folder = std::env::temp_dir().join(format!("interlock-config-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string("config/mobile_base.yaml").unwrap();
    let digest = |name: &str, text: &str| {
        let path: &Path = &folder.join(name);
        fs::write(path, text).unwrap();
        let args = args(&["--ros-args", "--params-file", path.to_str().unwrap()]);
        load(&args).map(|(config, _)| config.sha256).unwrap_or_else(|problems| panic!("{problems}"))
    };
    let first = digest("a.yaml", &text);
    assert_eq!(first, digest("b.yaml", &text.replace("interlock:", "# moved\n/**/interlock:")));
    assert_ne!(first, digest("c.yaml", &text.replace("max_velocity: 0.5", "max_velocity: 0.6")));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn hazard_20_partial_or_reordered_joints_in_the_configuration() {
    // The humanoid's order is the one written, and each joint has its own bounds of the robot's
    // description; until that has come, none may move.
    let (config, _) = load(&args(&["--ros-args", "--params-file", "config/humanoid_29.yaml"]))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let lane = &config.lanes[0];
    assert_eq!(lane.dimensions.len(), 29);
    assert_eq!(lane.dimensions[3], "left_knee_joint");
    assert_eq!(lane.joint_index, (0..29).collect::<Vec<_>>());
    assert!(config.awaits_urdf() && lane.limits.iter().all(|limits| limits.locked));
    let robot = fs::read_to_string("test/config/humanoid_29.urdf").unwrap();
    let (config, notes) = config.with_urdf(&robot).unwrap_or_else(|problems| panic!("{problems}"));
    let knee = config.lanes[0].limits[3];
    assert_eq!(knee.position.unwrap().min, -0.087_267);
    assert_eq!((knee.velocity.unwrap().max, knee.locked), (3.0, false));
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn the_vendor_s_low_level_lane_is_bounded_by_the_robot() {
    let (config, _) = load(&args(&["--ros-args", "--params-file", "config/vendor_lowcmd.yaml"]))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let robot = fs::read_to_string("test/config/humanoid_29.urdf").unwrap();
    let (config, _) = config.with_urdf(&robot).unwrap_or_else(|problems| panic!("{problems}"));
    let lane = &config.lanes[0];
    assert!(lane.balance && lane.limits.iter().all(|limits| !limits.locked));
    let knee = lane.limits[3];
    assert_eq!((knee.velocity.unwrap().max, knee.effort), (20.0, Some(139.0)));
    assert_eq!((knee.kp, knee.acceleration), (Some(300.0), None));
    assert_eq!(lane.safe_targets, [3.0; 29]);
}

#[test]
fn a_motor_s_two_sensors_are_named_after_its_joint_and_spare_motors_left_out() {
    let (config, _) = load(&args(&["--ros-args", "--params-file", "config/vendor_lowcmd.yaml"]))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let [first, second] = config.temperatures.as_slice() else { panic!("two inputs") };
    for (one, field) in
        [(first, "motor_state[].temperature[0]"), (second, "motor_state[].temperature[1]")]
    {
        assert_eq!(one.field.to_string(), field);
        assert_eq!(one.places, (0..29).collect::<Vec<_>>(), "of 35");
        assert_eq!(one.point(3), format!("{}/left_knee_joint", one.name));
    }
    let points: Vec<String> =
        config.temperature_points().map(|(one, part)| one.point(part)).collect();
    assert_eq!((points.len(), points[29].as_str()), (58, "motors_1/left_hip_pitch_joint"));
}

#[test]
fn a_description_in_a_file_is_read_at_start() {
    let folder = std::env::temp_dir().join(format!("interlock-urdf-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let robot = folder.join("robot.urdf");
    let params = folder.join("humanoid.yaml");
    let text = fs::read_to_string("config/humanoid_29.yaml").unwrap();
    let named = format!("file: {}", robot.display());
    fs::write(&params, text.replace("topic: /robot_description", &named)).unwrap();
    let robot_text = fs::read_to_string("test/config/humanoid_29.urdf").unwrap();
    fs::write(
        &robot,
        robot_text.replace("effort=\"25\" velocity=\"37\"", "effort=\"25\" velocity=\"0\""),
    )
    .unwrap();
    let (code, text) = check(&args(&[params.to_str().unwrap()]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("limits: params file and URDF\n"), "{text}");
    let note = "  lanes.body, left_elbow_joint: velocity 0.0 looks unset, and is not used\n";
    assert!(text.contains(note), "{text}");
    fs::write(&robot, robot_text.replace("left_elbow_joint", "left_elbw_joint")).unwrap();
    let (code, text) = check(&args(&[params.to_str().unwrap()]));
    assert_eq!(code, EXIT_CONFIG);
    assert!(text.contains("did you mean \"left_elbw_joint\"?"), "{text}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn hazard_21_unlisted_axis_passes_in_the_configuration() {
    let (config, _) = load(&args(&["--ros-args", "--params-file", "config/mobile_base.yaml"]))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let lane = &config.lanes[0];
    let locked: Vec<bool> = lane.limits.iter().map(|limits| limits.locked).collect();
    assert_eq!(locked, [false, true, true, true, true, false]);
    assert_eq!(lane.limits[0].velocity.unwrap().min, -0.2);
    assert_eq!(lane.limits[5].velocity.unwrap().min, -1.5);
}
