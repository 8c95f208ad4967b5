//! A judge of whole scenarios, written from the design's sentences and not from the code.
//!
//! It reads the rules and one [`Step`] after the other, keeps what an observer can know (times,
//! what was published, who sent what), and objects by the name of a property. It never asks the gate
//! anything: a doctored trace is judged by the same rules as a true one (`doctored.rs`), which is
//! how each property is shown to be able to fail.

mod due;
mod easing;
mod form;
mod motion;
mod output;
mod plan;
mod source;
mod standing;
mod state;

use interlock::gate::rules::{GateRules, Shape};
use interlock::gate::state::BootRecord;

use super::trace::{Step, View};

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Objection {
    pub(crate) property: &'static str,
    pub(crate) text: String,
}

/// Every property by name.
pub(crate) const PROPERTIES: &[&str] = &[
    "state_follows_the_table",
    "killed_stays_killed_until_reset",
    "an_asserted_input_kills_and_blocks_reset",
    "seq_moves_with_the_state",
    "a_stale_seq_is_refused",
    "a_refusal_changes_nothing",
    "a_flapping_input_moves_seq_once_a_second",
    "permit_means_active_and_not_held",
    "published_is_finite",
    "published_keeps_its_shape",
    "only_the_safe_command_while_not_permitted",
    "a_released_lane_is_silent",
    "a_taken_lane_is_never_left_alone",
    "a_flowing_lane_has_an_owner",
    "every_kill_sends_again",
    "a_frozen_pose_is_constant",
    "a_freeze_is_the_last_sent_or_the_measured",
    "zero_velocity_only_slows_down",
    "passed_is_bit_for_bit",
    "not_finite_is_refused",
    "wrong_count_is_refused",
    "locked_stays_zero",
    "companions_stay_in_bounds",
    "counts_add_up",
    "nothing_from_before_the_arm",
    "one_owner",
    "watch_and_shadow_publish_nothing",
    "a_held_lane_forwards_nothing",
    "a_lower_source_does_not_take_over",
    "neutral_does_not_take_over",
    "select_needs_a_live_source",
    "one_publisher_at_a_time",
    "rate_is_kept",
    "one_holding_holds_all",
    "window_bound",
    "position_stays_in_bounds",
    "speeding_up_is_limited",
    "slowing_down_is_limited",
    "velocity_stays_in_bounds",
    "step_within_scale",
    "plan_stays_in_bounds",
    "plan_keeps_velocity",
];

/// The judge.
pub(crate) struct Oracle {
    rules: GateRules,
    before: Option<View>,
    steps: usize,
    state: state::StateWatch,
    output: output::OutputWatch,
    source: source::SourceWatch,
    motion: Vec<motion::LaneMotion>,
}

/// What each part of the oracle is given to judge one step.
struct Scene<'a> {
    rules: &'a GateRules,
    before: &'a View,
    step: &'a Step,
    /// How many steps there were before this one.
    index: usize,
}

type Judged = Result<(), Objection>;

fn object(property: &'static str, text: String) -> Judged {
    Err(Objection { property, text })
}

/// Objects unless `holds`.
macro_rules! hold {
    ($holds:expr, $property:literal, $($text:tt)+) => {{
        let holds: bool = $holds;
        if !holds {
            return crate::oracle::object($property, format!($($text)+));
        }
    }};
}
use hold;

impl Oracle {
    pub(crate) fn new(rules: &GateRules, boot: BootRecord) -> Self {
        Self {
            before: None,
            steps: 0,
            state: state::StateWatch::new(rules),
            output: output::OutputWatch::new(rules, boot),
            source: source::SourceWatch::new(rules),
            motion: rules.lanes.iter().map(motion::LaneMotion::new).collect(),
            rules: rules.clone(),
        }
    }

    /// Judges the next step.
    pub(crate) fn observe(&mut self, step: &Step) -> Judged {
        // What the gate is before anything came in is what it says of itself at boot.
        let before = self.before.replace(step.after.clone()).unwrap_or_else(|| step.after.clone());
        let scene = Scene { rules: &self.rules, before: &before, step, index: self.steps };
        self.steps += 1;
        self.state.observe(&scene)?;
        self.output.observe(&scene)?;
        self.source.observe(&scene)?;
        for (lane, motion) in self.motion.iter_mut().enumerate() {
            motion.observe(&scene, lane)?;
            if self.rules.lanes[lane].shape == Shape::Trajectory {
                plan::observe(&scene, lane, motion.measured())?;
            }
        }
        Ok(())
    }

    /// Judges a whole trace.
    pub(crate) fn judge(rules: &GateRules, boot: BootRecord, trace: &[Step]) -> Judged {
        let mut oracle = Self::new(rules, boot);
        trace.iter().enumerate().try_for_each(|(index, step)| {
            oracle.observe(step).map_err(|objection| Objection {
                text: format!("step {index} at {} ns: {}", step.at, objection.text),
                ..objection
            })
        })
    }
}
