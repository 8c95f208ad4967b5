//! What a snapshot and the findings become.

use super::*;
use crate::attribution::Attribution;
use crate::config::model::Config;
use crate::gate::cause::{Action, Cause};
use crate::gate::core::Gate;
use crate::gate::state::{BootRecord, State};
use crate::telemetry::fixture;
use crate::telemetry::notes::Notes;
use crate::telemetry::texts::NOT_PERSISTED;

/// A node with all that its status is made of.
struct Node {
    config: Config,
    notes: Notes,
    snapshot: Snapshot,
}

impl Node {
    fn new() -> Self {
        let config = fixture::config();
        let at = Moment::default();
        let gate = Gate::new(config.gate_rules(), BootRecord::Clean, 1, at);
        Self { config, notes: Notes::default(), snapshot: Snapshot::new(&gate, at) }
    }

    /// As of ten seconds after the snapshot.
    fn status(&self) -> Status {
        let attribution = &Attribution::default();
        let texts = Texts { config: &self.config, node: "", notes: &self.notes, attribution };
        let steady = SteadyTime::from_nanos(10_000_000_000);
        status(&self.snapshot, texts, &fixture::slots(), Moment { steady, ..Moment::default() })
    }

    fn lane(&self) -> LaneStatus {
        self.status().lanes.remove(0)
    }
}

#[test]
fn when_the_latch_file_cannot_be_written_expect_it_told_in_every_state() {
    let mut node = Node::new();
    for state in State::ALL {
        node.snapshot.state = *state;
        node.snapshot.latch_writable = true;
        node.notes.write(|all| all.latch.clear());
        assert_eq!(node.status().latch, "", "{state}");
        // The gate has waited too long for the disk, which says nothing.
        node.snapshot.latch_writable = false;
        assert!(node.status().latch.contains("slow or hangs"), "{state}");
        node.notes.write(|all| all.latch = "No space left: make space".to_owned());
        assert_eq!(node.status().latch, "No space left: make space", "{state}");
    }
    node.config.latch_persist = false;
    assert_eq!(node.status().latch, NOT_PERSISTED);
}

#[test]
fn when_a_profile_ignores_a_cause_expect_it_told_while_it_is_in_force() {
    let mut node = Node::new();
    node.config.profile = node.config.profiles[0].name.clone();
    node.config.profiles[1].rules.actions = vec![(Cause::Tilt, Action::Ignore)];
    assert_eq!(node.status().ignored_causes, ["divergence"]);
    node.snapshot.profile = Some(1);
    assert_eq!(node.status().ignored_causes, ["divergence", "tilt"]);
}

#[test]
fn when_a_feedback_comes_without_a_lane_s_part_expect_that_and_not_fresh() {
    let mut node = Node::new();
    node.snapshot.feedback[0].partial = true;
    let feedback = node.status().feedback.remove(0);
    assert_eq!((feedback.fresh, feedback.partial), (false, true));
}

#[test]
fn when_no_lane_can_use_what_comes_expect_it_partial_with_what_is_missing() {
    let mut node = Node::new();
    assert!(!node.status().feedback[0].partial);
    node.notes
        .write(|found| found.lacks = vec![String::from("joint 'c' of lane 'arms' is missing")]);
    let feedback = node.status().feedback.remove(0);
    assert!(feedback.partial && !feedback.fresh);
    let text = "comes, but without what every lane needs: joint 'c' of lane 'arms' is missing";
    assert_eq!(feedback.partial_text(), text);
    // A second driver may send what the first leaves out.
    node.snapshot.feedback[0].fresh = true;
    let feedback = node.status().feedback.remove(0);
    assert_eq!((feedback.partial, feedback.lacks.as_str()), (false, ""));
}

#[test]
fn when_a_lane_stands_after_a_stop_expect_for_how_long() {
    let mut node = Node::new();
    assert_eq!((node.lane().still_for_s, node.lane().motion.as_str()), (None, ""));
    node.snapshot.lanes[0].still_since = Some(SteadyTime::from_nanos(7_500_000_000));
    assert_eq!(node.lane().still_for_s, Some(2.5));
    node.snapshot.lanes[0].still_since = None;
    node.snapshot.lanes[0].motion =
        Some(Motion { dimension: 5, velocity: 0.2, standstill: 0.05, is_ours: true });
    let lane = node.lane();
    assert_eq!(
        (lane.still_for_s, lane.motion.as_str(), lane.motion_after_stop),
        (None, "angular.z moves: 0.200, still is below 0.05", true)
    );
}

#[test]
fn when_what_moves_was_not_stopped_here_expect_it_said_with_a_velocity_and_without() {
    let mut node = Node::new();
    for (velocity, what) in [
        (0.2, "angular.z moves: 0.200, still is below 0.05"),
        (f64::NAN, "its feedback is silent, so nobody knows whether it stands"),
    ] {
        node.snapshot.lanes[0].motion =
            Some(Motion { dimension: 5, velocity, standstill: 0.05, is_ours: false });
        let lane = node.lane();
        assert!(!lane.motion_after_stop);
        assert_eq!(lane.motion, format!("{what}{NOT_OURS}"));
    }
}

#[test]
fn when_a_safe_command_has_a_rate_expect_it_as_written_and_none_for_silence() {
    let mut node = Node::new();
    for (period_ns, rate) in [(20_000_000, 50.0), (3_333_333, 300.0), (2_000_000_000, 0.5)] {
        node.config.lanes[0].safe_period = std::time::Duration::from_nanos(period_ns);
        assert_eq!(node.lane().safe_rate_hz, Some(rate));
    }
    node.config.lanes[0].safe = SafeCommand::Silent;
    assert_eq!(node.lane().safe_rate_hz, None);
}

#[test]
fn when_only_a_recorder_reads_expect_that_the_named_controller_does_not() {
    let mut node = Node::new();
    node.snapshot.lanes[0].subscribers = 1;
    // Nobody is named: whoever reads is meant.
    assert_eq!(node.lane().controller, "");
    node.config.lanes[0].controller = Some("base_controller".to_owned());
    let lane = node.lane();
    assert_eq!(lane.controller, "'base_controller' does not read the output");
    assert_eq!(lane.notes, [format!("its controller does not fit: {}", lane.controller)]);
    node.snapshot.lanes[0].graph.controller_reads = true;
    assert_eq!((node.lane().controller.as_str(), node.lane().notes.len()), ("", 0));
    // What its parameters say is worth more.
    node.snapshot.lanes[0].graph.controller_reads = false;
    node.notes.write(|all| {
        all.lanes.resize_with(1, LaneNotes::default);
        all.lanes[0].controller = "it has no joint left_elbow".to_owned();
    });
    assert_eq!(node.lane().controller, "it has no joint left_elbow");
    // Nobody reads at all: that is told by the count.
    node.notes.write(|all| all.lanes[0].controller.clear());
    node.snapshot.lanes[0].subscribers = 0;
    assert_eq!(node.lane().controller, "");
}

#[test]
fn when_publishers_of_a_kill_input_were_counted_expect_how_many_and_its_topic() {
    let node = Node::new();
    let input = node.status().kill_inputs.remove(0);
    assert_eq!((input.topic.as_str(), input.publishers), ("hardware/e_stop", None));
    for count in [0, 2] {
        node.notes.write(|all| all.writers = vec![Some(vec![([0; 16], String::new()); count])]);
        let input = node.status().kill_inputs.remove(0);
        assert_eq!(input.publishers, u64::try_from(count).ok());
    }
}
