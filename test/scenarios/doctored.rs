//! Can each property fail? True traces, doctored so that one property no longer holds: the oracle
//! must object, and by that property's name.

use interlock::gate::lane_state::LaneState;
use interlock::gate::state::State;
use interlock::gate::verdict::Verdict;

use super::oracle::PROPERTIES;
use super::stories::{
    Story, arm_story, base_story, fast_story, plan_story, shadow_story, two_lane_story,
};
use super::trace::{Step, What};

struct Case {
    property: &'static str,
    story: fn() -> Story,
    doctor: fn(&mut Story),
}

/// One case for each property, in the order of [`PROPERTIES`].
const CASES: &[Case] = &[
    case("state_follows_the_table", arm_story, |s| {
        let at = s.kill();
        s.after(at).state = State::Disarmed;
    }),
    case("killed_stays_killed_until_reset", arm_story, |s| {
        let at = s.tick(s.kill());
        s.after(at).state = State::Disarmed;
    }),
    case("an_asserted_input_kills_and_blocks_reset", arm_story, |s| {
        let from = s.forwarded(0);
        let at = s.find(from, |step| matches!(step.what, What::KillInput { .. }));
        s.trace[at].what = What::KillInput { input: 0, publisher: 0, asserted: None };
    }),
    case("seq_moves_with_the_state", arm_story, |s| {
        let at = s.find(0, |step| matches!(step.what, What::Arm { result: Ok(()), .. }));
        s.after(at).seq -= 1;
    }),
    case("a_stale_seq_is_refused", arm_story, |s| {
        let at = s.find(0, |step| matches!(step.what, What::Arm { result: Ok(()), .. }));
        s.trace[at].what = What::Arm { seq: 0, profile: 0, result: Ok(()) };
    }),
    case("a_refusal_changes_nothing", arm_story, |s| {
        let at = s.find(0, |step| matches!(step.what, What::Arm { result: Err(_), .. }));
        s.after(at).seq += 1;
    }),
    case("a_flapping_input_moves_seq_once_a_second", arm_story, |s| {
        let pressed =
            |step: &Step| matches!(step.what, What::KillInput { asserted: Some(true), .. });
        let first = s.find(s.kill(), pressed);
        let at = s.find(first + 1, pressed);
        s.after(at).seq += 1;
    }),
    case("permit_means_active_and_not_held", arm_story, |s| {
        let at = s.tick(s.kill());
        s.after(at).permitted = true;
    }),
    case("published_is_finite", arm_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).position[1] = f64::NAN;
    }),
    case("published_keeps_its_shape", arm_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).position.push(0.0);
    }),
    case("only_the_safe_command_while_not_permitted", arm_story, |s| {
        let at = s.judged(s.kill(), Verdict::Withheld);
        s.forward(at);
    }),
    case("a_released_lane_is_silent", arm_story, |s| {
        let output = s.trace[s.kill()].outputs[0].clone();
        let at = s.tick(0);
        s.trace[at].outputs.push(output);
    }),
    case("a_taken_lane_is_never_left_alone", arm_story, |s| {
        let kill = s.kill();
        s.trace[kill + 1..].iter_mut().for_each(|step| step.outputs.clear());
    }),
    case("a_flowing_lane_has_an_owner", arm_story, |s| {
        let at = s.tick(s.forwarded(0));
        s.after(at).lanes[0].owner = None;
    }),
    case("every_kill_sends_again", arm_story, |s| {
        let at = s.kill();
        let mut again = s.trace[at].clone();
        again.outputs.clear();
        s.trace.insert(at + 1, again);
    }),
    case("a_frozen_pose_is_constant", arm_story, |s| {
        let at = s.find(s.kill() + 1, |step| !step.outputs.is_empty());
        let value = s.out(at).position[0];
        s.out(at).position[0] = value.next_up();
    }),
    case("a_freeze_is_the_last_sent_or_the_measured", arm_story, |s| {
        let at = s.kill();
        let value = s.out(at).position[0];
        s.out(at).position[0] = value.next_up();
    }),
    case("zero_velocity_only_slows_down", base_story, |s| {
        let at = s.kill();
        s.out(at).velocity[0] = 0.01;
    }),
    case("passed_is_bit_for_bit", arm_story, |s| {
        let at = s.forwarded(0);
        let value = s.out(at).position[0];
        s.out(at).position[0] = value.next_down();
    }),
    case("not_finite_is_refused", arm_story, |s| {
        let at = s.judged(s.kill(), Verdict::Withheld);
        s.received(at).asked.position[0] = f64::INFINITY;
    }),
    case("wrong_count_is_refused", arm_story, |s| {
        let at = s.judged(s.kill(), Verdict::Withheld);
        s.received(at).asked.position.pop();
    }),
    case("locked_stays_zero", base_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).velocity[1] = 2e-6;
    }),
    case("companions_stay_in_bounds", arm_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).effort = vec![0.0, 1e-3];
    }),
    case("counts_add_up", arm_story, |s| {
        let at = s.forwarded(0);
        s.after(at).lanes[0].counts[0][0] += 1;
    }),
    case("nothing_from_before_the_arm", arm_story, |s| {
        let withheld = s.judged(s.kill(), Verdict::Withheld);
        let stamp = s.received(withheld).stamp;
        let at = s.forwarded(withheld);
        s.received(at).stamp = stamp;
    }),
    case("one_owner", arm_story, |s| {
        let at = s.tick(s.forwarded(0));
        s.after(at).lanes[0].owner = Some(1);
    }),
    case("watch_and_shadow_publish_nothing", shadow_story, |s| {
        let at = s.find(0, |step| matches!(&step.what, What::Command(c) if c.source == 1));
        s.forward(at);
    }),
    case("a_held_lane_forwards_nothing", two_lane_story, |s| {
        let at = s.judged(s.trace.len() - 8, Verdict::Withheld);
        s.forward(at);
    }),
    case("a_lower_source_does_not_take_over", arm_story, |s| {
        let at = s.judged(0, Verdict::NotSelected);
        s.forward(at);
    }),
    case("neutral_does_not_take_over", base_story, |s| {
        let at = s.judged(0, Verdict::NotSelected);
        s.forward(at);
    }),
    case("select_needs_a_live_source", arm_story, |s| {
        let at = s.find(0, |step| matches!(step.what, What::Select { .. }));
        s.trace[at].what = What::Select { lane: 0, source: Some(1), accepted: true };
        s.after(at).lanes[0].owner = Some(1);
    }),
    case("one_publisher_at_a_time", arm_story, |s| {
        let from = s.forwarded(0);
        let at = s.judged(from, Verdict::Rejected);
        s.received(at).verdict = Verdict::NotSelected;
    }),
    case("rate_is_kept", arm_story, |s| {
        let at = s.judged(s.kill(), Verdict::Withheld);
        for _ in 0..6 {
            let again = s.trace[at].clone();
            s.trace.insert(at, again);
            for step in &mut s.trace[at + 1..] {
                step.after.lanes[0].counts[0][Verdict::Withheld.index()] += 1;
            }
        }
    }),
    case("one_holding_holds_all", two_lane_story, |s| {
        let at = s.find(0, |step| {
            step.what == What::Tick && step.after.lanes[0].state == LaneState::Holding
        });
        s.after(at).lanes[1].state = LaneState::Flowing;
    }),
    case(
        "window_bound",
        || fast_story(1.0, None),
        |s| {
            let at = s.forwarded(0);
            s.limited(at).position[0] += 0.1;
        },
    ),
    case(
        "position_stays_in_bounds",
        || fast_story(1.0, None),
        |s| {
            let at = s.trace.len() - 1;
            s.limited(at).position[0] = 1.0_f64.next_up();
        },
    ),
    case(
        "speeding_up_is_limited",
        || fast_story(1.0, Some(2.0)),
        |s| {
            let at = s.forwarded(0);
            s.limited(at).position[0] = 0.02;
        },
    ),
    case(
        "slowing_down_is_limited",
        || fast_story(1.0, Some(2.0)),
        |s| {
            let forwarded = |step: &Step| matches!(step.what, What::Command(_));
            let all: Vec<usize> =
                (0..s.trace.len()).filter(|at| forwarded(&s.trace[*at])).collect();
            let stopped = s.out(all[20]).position[0];
            for at in &all[21..] {
                s.limited(*at).position[0] = stopped;
            }
        },
    ),
    case("velocity_stays_in_bounds", base_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).velocity[0] = 1.1;
    }),
    case(
        "step_within_scale",
        || fast_story(0.2, None),
        |s| {
            let at = s.forwarded(0);
            s.limited(at).position[0] = 0.03;
        },
    ),
    case("plan_stays_in_bounds", plan_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).position[1] = 1.01;
    }),
    case("plan_keeps_velocity", plan_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).position[1] = 0.31;
    }),
];

const fn case(property: &'static str, story: fn() -> Story, doctor: fn(&mut Story)) -> Case {
    Case { property, story, doctor }
}

#[test]
fn every_property_can_fail() {
    for Case { property, story, doctor } in CASES {
        let mut story = story();
        doctor(&mut story);
        let objection = story.judge().expect_err(property);
        assert_eq!(objection.property, *property, "{}", objection.text);
    }
}

#[test]
fn every_property_has_a_doctored_trace() {
    for property in PROPERTIES {
        let count = CASES.iter().filter(|case| case.property == *property).count();
        assert_eq!(count, 1, "{property}");
    }
    assert_eq!(CASES.len(), PROPERTIES.len());
}
