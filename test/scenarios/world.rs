//! Random rules: what kind of lanes, how limited, with which sources, inputs and feedback.
//!
//! A world is drawn from a few bytes, so that a failing case shrinks towards the plainest world in
//! which it still fails: every byte at zero is one position lane with one joint and one source.

use std::time::Duration;

use interlock::gate::cause::Cause;
use interlock::gate::limits::{Bounds, DimensionLimits};
use interlock::gate::rules::{
    CauseRules, Engage, FeedbackRules, GateRules, Handover, Interface, KillAction, KillInputRules,
    LaneMode, LaneRules, OnLimit, OnLimits, ProfileRules, ReturnTo, Shape, SilenceThen, SourceMode,
    SourceRules,
};
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::BootRecord;
use proptest::prelude::*;

use super::plain::ms;
use super::rig::Rig;

pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The kind of lane that only verifies; 0, 1 and 2 are positions, velocities, plans.
const BALANCE: u8 = 3;

/// What a suite draws its lanes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    Position,
    Velocity,
    Trajectory,
    Mixed,
}

/// The bytes of one lane, by what they decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneGenes {
    kind: u8,
    joints: u8,
    limits: u8,
    size: u8,
    start: u8,
    flags: u8,
    silence: u8,
    safe: u8,
    sources: u8,
    scales: u8,
    reject: u8,
    ramps: u8,
}

/// The bytes of a world.
#[derive(Clone, Debug)]
pub(crate) struct WorldGenes {
    kinds: Kinds,
    lanes: Vec<LaneGenes>,
    inputs: u8,
    boot: u8,
    feedback: u8,
}

pub(crate) fn world(kinds: Kinds) -> impl Strategy<Value = WorldGenes> {
    let lane = any::<[u8; 12]>().prop_map(|[a, b, c, d, e, f, g, h, i, j, k, l]| LaneGenes {
        kind: a,
        joints: b,
        limits: c,
        size: d,
        start: e,
        flags: f,
        silence: g,
        safe: h,
        sources: i,
        scales: j,
        reject: k,
        ramps: l,
    });
    let lanes = proptest::collection::vec(lane, 1..=3);
    (lanes, any::<[u8; 3]>()).prop_map(move |(lanes, [inputs, boot, feedback])| WorldGenes {
        kinds,
        lanes,
        inputs,
        boot,
        feedback,
    })
}

fn pick<T: Copy>(gene: u8, from: &[T]) -> T {
    from[usize::from(gene) % from.len()]
}

fn bit(gene: u8, bit: u8) -> bool {
    gene & (1 << bit) != 0
}

impl WorldGenes {
    /// A gate with these rules, and a robot.
    pub(crate) fn build(&self) -> Rig {
        let (mut lanes, mut feedback, mut pose) = (Vec::new(), Vec::new(), Vec::new());
        for genes in &self.lanes {
            let kind = match self.kinds {
                Kinds::Position => 0,
                Kinds::Velocity => 1,
                Kinds::Trajectory => 2,
                Kinds::Mixed => genes.kind % 4,
            };
            let mut lane = genes.lane(kind);
            if !lanes.is_empty() && genes.kind > 230 {
                lane.mode = LaneMode::Watch;
            }
            if kind != 1 || bit(genes.flags, 3) {
                lane.feedback = Some(feedback.len());
                let timeout = ms(pick(self.feedback, &[200, 100, 50]));
                feedback.push(FeedbackRules { timeout, ..FeedbackRules::default() });
            }
            pose.push(genes.pose(&lane));
            lanes.push(lane);
        }
        let rules = GateRules {
            tick: TICK,
            arm_settle: ms(pick(self.boot / 5, &[20, 40, 0])),
            stop_deadline: ms(1_000),
            simulated_time: false,
            simulated_stamps: false,
            plan_numbers: 64,
            lanes,
            feedback,
            profiles: vec![
                ProfileRules::default(),
                ProfileRules { velocity: 0.5, acceleration: 0.4, ..ProfileRules::default() },
            ],
            kill_inputs: self.kill_inputs(),
            causes: [CauseRules::default(); Cause::ALL.len()],
        };
        let record = pick(
            self.boot,
            &[
                BootRecord::Clean,
                BootRecord::Killed,
                BootRecord::EndedActive,
                BootRecord::Unreadable,
                BootRecord::Missing,
            ],
        );
        Rig::new(rules, record, u64::from(self.boot), pose)
    }

    /// Whether the scenario begins with somebody who gets the robot going.
    pub(crate) fn begins_ready(&self) -> bool {
        bit(self.boot, 7)
    }

    fn kill_inputs(&self) -> Vec<KillInputRules> {
        let timeout = pick(self.inputs / 3, &[Some(ms(150)), None, Some(ms(60))]);
        let action = KillAction::Kill;
        let kill_after = ms(pick(self.inputs / 9, &[200, 0]));
        let rules = KillInputRules { timeout, kill_after, action };
        let heartbeat = KillInputRules { timeout: Some(ms(100)), kill_after: ms(100), action };
        [rules, heartbeat].into_iter().take(usize::from(self.inputs % 3)).collect()
    }
}

impl LaneGenes {
    fn lane(&self, kind: u8) -> LaneRules {
        let balance = kind == BALANCE;
        let interface = if kind == 1 { Interface::Velocity } else { Interface::Position };
        let shape = if kind == 2 { Shape::Trajectory } else { Shape::Target };
        let joints = 1 + usize::from(self.joints % 6);
        let release = ms(pick(self.flags / 16, &[100, 1_000, 0]));
        LaneRules {
            mode: LaneMode::Gate,
            balance,
            interface,
            shape,
            limits: (0..joints).map(|joint| self.limits(joint, interface)).collect(),
            on_limit: self.on_limit(),
            feedback: None,
            required: true,
            names_controller: false,
            standstill: 0.05,
            silence: match self.silence % 3 {
                0 => SilenceThen::Hold,
                1 => SilenceThen::Disarm(ms(100)),
                _ => SilenceThen::Kill(ms(100)),
            },
            independent: bit(self.flags, 0),
            return_to: if bit(self.flags, 1) { ReturnTo::Auto } else { ReturnTo::Manual },
            safe: self.safe(kind),
            safe_targets: (0..joints).map(|_| 0.25).collect(),
            safe_period: if kind == 2 { ms(50) } else { TICK },
            groups: Vec::new(),
            start_ramp: ms(pick(self.ramps, &[0, 200])),
            handover: if bit(self.ramps, 1) {
                Handover { duration: ms(300), limit_scale: pick(self.ramps / 4, &[0.3, 0.5, 1.0]) }
            } else {
                Handover::NONE
            },
            release,
            sources: self.sources(interface),
        }
    }

    fn safe(&self, kind: u8) -> SafeCommand {
        let tolerance = pick(self.safe, &[0.1, 0.01, 1e9, 0.0]);
        let deceleration = pick(self.safe, &[None, Some(4.0), Some(0.5)]);
        match (kind, self.safe) {
            (BALANCE, 230..) => SafeCommand::Silent,
            (BALANCE, _) => SafeCommand::Damping,
            (0, 220..=229) => SafeCommand::Damping,
            (0, 230..=239) => SafeCommand::Values,
            (0, 240..) => SafeCommand::Silent,
            (0, _) => SafeCommand::Freeze { tolerance },
            (1, _) => SafeCommand::ZeroVelocity { deceleration },
            _ => SafeCommand::HoldPoint { tolerance },
        }
    }

    fn limits(&self, joint: usize, interface: Interface) -> DimensionLimits {
        let size = pick(self.size, &[1.0, 0.1, 3.0, 20.0]) * [1.0, 0.5, 2.0][joint % 3];
        let flavour = usize::from(self.limits) + joint;
        let lopsided = if bit(self.size, 2) { 0.25 } else { 1.0 };
        let position = Bounds { min: -lopsided, max: 1.0 };
        let acceleration = match flavour % 4 {
            0 => None,
            1 => Some((4.0 * size, 4.0 * size)),
            2 => Some((2.0 * size, 8.0 * size)),
            _ => Some((10.0 * size, 3.0 * size)),
        };
        DimensionLimits {
            locked: interface == Interface::Velocity && bit(self.limits, 6) && joint > 0,
            position: (interface == Interface::Position).then_some(position),
            velocity: Some(Bounds { min: -size * lopsided, max: size }),
            acceleration: acceleration.map(|(speeding_up, _)| speeding_up),
            deceleration: acceleration.map(|(_, braking)| braking),
            effort: bit(self.limits, 7).then_some(5.0),
            ..DimensionLimits::default()
        }
    }

    fn on_limit(&self) -> OnLimits {
        let rule = |at| if bit(self.reject, at) { OnLimit::Reject } else { OnLimit::Limit };
        // Rejecting lanes are the rarer ones: little moves on them.
        if self.reject < 192 {
            return OnLimits::default();
        }
        OnLimits {
            position: rule(0),
            velocity: rule(1),
            acceleration: rule(2),
            effort: rule(3),
            ..OnLimits::default()
        }
    }

    fn sources(&self, interface: Interface) -> Vec<SourceRules> {
        let count = 1 + usize::from(self.sources % 3);
        let engage = match interface {
            Interface::Velocity => Engage::Neutral,
            Interface::Position | Interface::Effort => Engage::Blend,
        };
        (0..count)
            .map(|source| SourceRules {
                mode: if source == 2 && bit(self.scales, 6) {
                    SourceMode::Shadow
                } else {
                    SourceMode::Live
                },
                engage,
                max_age: None,
                priority: [100, 50, 10][source],
                timeout: pick(
                    self.sources / 3 + source as u8,
                    &[Some(ms(60)), Some(ms(200)), None],
                ),
                max_rate_hz: [50.0, 100.0, 20.0][(usize::from(self.sources / 9) + source) % 3],
                burst: pick(self.sources / 27, &[5, 1, 20]),
                limit_scale: [1.0, 0.5, 0.2][(usize::from(self.scales) + source) % 3],
            })
            .collect()
    }

    /// Mostly inside the bounds; sometimes some joints start outside.
    fn pose(&self, lane: &LaneRules) -> Vec<f64> {
        let outside = pick(self.start, &[0.0, 0.0, 1.1, -1.4]);
        (0..lane.limits.len()).map(|joint| if joint % 2 == 0 { outside } else { 0.1 }).collect()
    }
}
