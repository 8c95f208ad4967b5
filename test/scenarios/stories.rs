//! True traces of short scenes, and the tools to doctor them.

use interlock::gate::cause::Cause;
use interlock::gate::command::Command;
use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::{
    GateRules, Interface, KillInputRules, LaneRules, SourceMode, SourceRules,
};
use interlock::gate::state::BootRecord;
use interlock::gate::verdict::Verdict;

use super::oracle::{Objection, Oracle};
use super::plain::{
    armed, gate, ms, plan_lane, position_lane, scene, source, target, velocity_lane,
};
use super::script::Script;
use super::trace::{From, Output, Received, Step, View, What};

/// A true trace to be doctored.
pub(super) struct Story {
    rules: GateRules,
    pub(super) trace: Vec<Step>,
}

impl Story {
    fn of(script: Script) -> Self {
        let story = Self { rules: script.rig.rules, trace: script.rig.trace };
        story.judge().unwrap_or_else(|objection| panic!("a true trace: {objection:?}"));
        story
    }

    pub(super) fn judge(&self) -> Result<(), Objection> {
        Oracle::judge(&self.rules, BootRecord::Clean, &self.trace)
    }

    /// The first step from `from` on that is so.
    #[track_caller]
    pub(super) fn find(&self, from: usize, so: impl Fn(&Step) -> bool) -> usize {
        from + self.trace.iter().skip(from).position(so).expect("such a step")
    }

    #[track_caller]
    pub(super) fn forwarded(&self, from: usize) -> usize {
        self.find(from, |step| step.outputs.iter().any(|o| matches!(o.from, From::Source(_))))
    }

    #[track_caller]
    pub(super) fn kill(&self) -> usize {
        self.find(0, |step| step.what == What::Kill)
    }

    #[track_caller]
    pub(super) fn tick(&self, from: usize) -> usize {
        self.find(from, |step| step.what == What::Tick)
    }

    #[track_caller]
    pub(super) fn judged(&self, from: usize, verdict: Verdict) -> usize {
        self.find(from, |step| matches!(&step.what, What::Command(c) if c.verdict == verdict))
    }

    pub(super) fn after(&mut self, at: usize) -> &mut View {
        &mut self.trace[at].after
    }

    /// The first output of a step.
    pub(super) fn out(&mut self, at: usize) -> &mut Command {
        &mut self.trace[at].outputs[0].command
    }

    pub(super) fn received(&mut self, at: usize) -> &mut Received {
        let What::Command(received) = &mut self.trace[at].what else {
            panic!("step {at} is no command");
        };
        received
    }

    /// What was forwarded in a step, now said to have been limited.
    pub(super) fn limited(&mut self, at: usize) -> &mut Command {
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
    pub(super) fn forward(&mut self, at: usize) {
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
pub(super) fn arm_story() -> Story {
    let mut rules = gate(vec![position_lane(2)]);
    rules.kill_inputs = vec![KillInputRules {
        timeout: Some(ms(150)),
        kill_after: ms(5_000),
        ..KillInputRules::default()
    }];
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
pub(super) fn base_story() -> Story {
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
pub(super) fn fast_story(limit_scale: f64, acceleration: Option<f64>) -> Story {
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

pub(super) fn plan_story() -> Story {
    let mut script = armed(gate(vec![plan_lane(1)]));
    let mut command = Command::with_capacity(1, 2);
    command.points = 2;
    command.position.extend([0.1, 0.2]);
    command.times.extend([100_000_000, 200_000_000]);
    assert_eq!(script.send_from(0, 0, 0, command), Some(Verdict::Passed));
    Story::of(script)
}

/// Two lanes flow, and the source of the first falls silent; then feedback does.
pub(super) fn two_lane_story() -> Story {
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

pub(super) fn shadow_story() -> Story {
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
