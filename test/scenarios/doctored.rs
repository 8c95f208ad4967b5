//! Can each property fail? True traces, doctored so that one property no longer holds: the oracle
//! must object, and by that property's name.

use interlock::gate::cause::Cause;
use interlock::gate::command::Command;
use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::{
    GateRules, Interface, KillInputRules, LaneRules, SourceMode, SourceRules,
};
use interlock::gate::state::{BootRecord, State};
use interlock::gate::verdict::Verdict;

use super::oracle::{Oracle, PROPERTIES};
use super::plain::{armed, gate, ms, plan_lane, position_lane, scene, source, target, velocity_lane};
use super::script::Script;
use super::trace::{From, Output, Received, Step, View, What};

/// A true trace to be doctored.
struct Story {
    rules: GateRules,
    trace: Vec<Step>,
}

impl Story {
    fn of(script: Script) -> Self {
        let story = Self { rules: script.rig.rules, trace: script.rig.trace };
        story.judge().unwrap_or_else(|objection| panic!("a true trace: {objection:?}"));
        story
    }

    fn judge(&self) -> Result<(), super::oracle::Objection> {
        Oracle::judge(&self.rules, BootRecord::Clean, &self.trace)
    }

    /// The first step from `from` on that is so.
    #[track_caller]
    fn find(&self, from: usize, so: impl Fn(&Step) -> bool) -> usize {
        from + self.trace.iter().skip(from).position(so).expect("such a step")
    }

    #[track_caller]
    fn forwarded(&self, from: usize) -> usize {
        self.find(from, |step| step.outputs.iter().any(|o| matches!(o.from, From::Source(_))))
    }

    #[track_caller]
    fn kill(&self) -> usize {
        self.find(0, |step| step.what == What::Kill)
    }

    #[track_caller]
    fn tick(&self, from: usize) -> usize {
        self.find(from, |step| step.what == What::Tick)
    }

    #[track_caller]
    fn judged(&self, from: usize, verdict: Verdict) -> usize {
        self.find(from, |step| matches!(&step.what, What::Command(c) if c.verdict == verdict))
    }

    fn after(&mut self, at: usize) -> &mut View {
        &mut self.trace[at].after
    }

    /// The first output of a step.
    fn out(&mut self, at: usize) -> &mut Command {
        &mut self.trace[at].outputs[0].command
    }

    fn received(&mut self, at: usize) -> &mut Received {
        match &mut self.trace[at].what {
            What::Command(received) => received,
            other => panic!("{other:?} is no command"),
        }
    }

    /// What was forwarded in a step, now said to have been limited.
    fn limited(&mut self, at: usize) -> &mut Command {
        let Received { lane, source, verdict, .. } = *self.received(at);
        self.received(at).verdict = Verdict::Limited;
        for step in &mut self.trace[at..] {
            let counts = &mut step.after.lanes[lane].counts[source];
            counts[verdict.index()] -= 1;
            counts[Verdict::Limited.index()] += 1;
        }
        self.out(at)
    }

    /// A command that was not forwarded is, and changes hands.
    fn forward(&mut self, at: usize) {
        self.received(at).verdict = Verdict::Passed;
        let Received { lane, source, asked, .. } = self.received(at).clone();
        let from = From::Source(source);
        self.trace[at].outputs = vec![Output { lane, from, command: asked }];
        self.after(at).lanes[lane].owner = Some(source);
        self.after(at).lanes[lane].state = LaneState::Flowing;
    }
}

const POSITION: Interface = Interface::Position;

/// A position lane: armed, moved, killed, reset, armed, moved.
fn arm_story() -> Story {
    let mut rules = gate(vec![position_lane(2)]);
    rules.kill_inputs = vec![KillInputRules { timeout: Some(ms(150)), kill_after: ms(5_000) }];
    rules.causes[Cause::RefusalsSustained.index()].above = Some(1.0);
    let mut script = scene(rules);
    script.wait(100_000_000);
    script.rig.arm(0, 0);
    script.make_ready();
    let stream = |script: &mut Script, verdict| {
        for step in 1..=5 {
            script.wait(20_000_000);
            let there = 0.01 * f64::from(step);
            assert_eq!(script.send(0, 0, &[there, -there]), Some(verdict));
        }
    };
    stream(&mut script, Verdict::Passed);
    // A second publisher on the same topic, the lower source, and a source that never spoke.
    script.send_from(0, 0, 1, target(POSITION, &[0.05, -0.05]));
    script.rig.select(0, Some(1));
    assert_eq!(script.send(0, 1, &[0.06, -0.06]), Some(Verdict::NotSelected));
    script.rig.kill();
    script.wait(50_000_000);
    for pressed in [true, false, true, false] {
        script.rig.kill_input(0, 0, Some(pressed));
        script.wait(20_000_000);
    }
    stream(&mut script, Verdict::Withheld);
    script.make_ready();
    script.wait(20_000_000);
    script.send(0, 0, &[0.05, -0.05]);
    script.send(0, 0, &[0.06, -0.06]);
    Story::of(script)
}

/// A velocity lane with a locked axis: the lower source moves it, the higher one idles.
fn base_story() -> Story {
    let mut lane = velocity_lane(2);
    lane.limits[1].locked = true;
    let mut script = armed(gate(vec![lane]));
    for step in 1..=5 {
        script.wait(20_000_000);
        script.send(0, 1, &[0.02 * f64::from(step), 0.0]);
    }
    script.send(0, 0, &[0.0, 0.0]);
    script.rig.kill();
    script.wait(50_000_000);
    Story::of(script)
}

/// One joint that can brake, led through a fast motion by a source with the given scale.
fn fast_story(limit_scale: f64, acceleration: Option<f64>) -> Story {
    let mut lane = position_lane(1);
    lane.limits[0].acceleration = acceleration;
    lane.limits[0].deceleration = acceleration;
    lane.sources = vec![SourceRules { limit_scale, ..source(100) }];
    let mut script = armed(gate(vec![lane]));
    for _ in 0..40 {
        script.wait(20_000_000);
        script.send(0, 0, &[1.0]);
    }
    Story::of(script)
}

fn plan_story() -> Story {
    let mut script = armed(gate(vec![plan_lane(1)]));
    let mut command = Command::with_capacity(1, 2);
    command.points = 2;
    command.position.extend([0.1, 0.2]);
    command.times.extend([100_000_000, 200_000_000]);
    assert_eq!(script.send_from(0, 0, 0, command), Some(Verdict::Passed));
    Story::of(script)
}

/// Two lanes flow, and the source of the first falls silent; then feedback does.
fn two_lane_story() -> Story {
    let lanes = vec![velocity_lane(1), velocity_lane(1), position_lane(1)];
    let mut script = armed(gate(lanes));
    script.wait(20_000_000);
    script.send(0, 0, &[0.02]);
    for _ in 0..10 {
        script.wait(20_000_000);
        script.send(1, 0, &[0.02]);
    }
    script.send(0, 0, &[0.02]);
    script.feedback = false;
    for _ in 0..10 {
        script.wait(20_000_000);
        script.send(0, 0, &[0.02]);
    }
    Story::of(script)
}

fn shadow_story() -> Story {
    let mut lane: LaneRules = position_lane(1);
    lane.sources[1].mode = SourceMode::Shadow;
    let mut script = armed(gate(vec![lane]));
    script.wait(20_000_000);
    script.send(0, 0, &[0.01]);
    // It refers to its own past; how far that lets it go is not the matter here.
    let judged = script.send(0, 1, &[0.01]);
    assert!(matches!(judged, Some(Verdict::Passed | Verdict::Limited)), "{judged:?}");
    Story::of(script)
}

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
        let pressed = |step: &Step| {
            matches!(step.what, What::KillInput { asserted: Some(true), .. })
        };
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
        let at = s.forwarded(0);
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
    case("window_bound", || fast_story(1.0, None), |s| {
        let at = s.forwarded(0);
        s.limited(at).position[0] += 0.1;
    }),
    case("position_stays_in_bounds", || fast_story(1.0, None), |s| {
        let at = s.trace.len() - 1;
        s.limited(at).position[0] = 1.0_f64.next_up();
    }),
    case("speeding_up_is_limited", || fast_story(1.0, Some(2.0)), |s| {
        let at = s.forwarded(0);
        s.limited(at).position[0] = 0.02;
    }),
    case("slowing_down_is_limited", || fast_story(1.0, Some(2.0)), |s| {
        let forwarded = |step: &Step| matches!(step.what, What::Command(_));
        let all: Vec<usize> = (0..s.trace.len()).filter(|at| forwarded(&s.trace[*at])).collect();
        let stopped = s.out(all[20]).position[0];
        for at in &all[21..] {
            s.limited(*at).position[0] = stopped;
        }
    }),
    case("velocity_stays_in_bounds", base_story, |s| {
        let at = s.forwarded(0);
        s.limited(at).velocity[0] = 1.1;
    }),
    case("step_within_scale", || fast_story(0.2, None), |s| {
        let at = s.forwarded(0);
        s.limited(at).position[0] = 0.03;
    }),
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
