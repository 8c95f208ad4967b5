//! How much of its velocity limit a lane may use at the most: source, profile, derating, start ramp,
//! hand-over. The judge takes the smallest of them; a gate that multiplies them is stricter.

use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::Shape;
use interlock::gate::state::State;

use super::Scene;
use super::motion::{least, most, seconds};
use crate::rig::nanos;
use crate::trace::{From, What};

/// Derating goes no lower (design §6).
const FLOOR: f64 = 0.2;

/// A hold longer than this ends with hand-over limits (design §6).
const LONG_HOLD: u64 = 1_000_000_000;

pub(super) struct Easing {
    derating: f64,
    profile: f64,
    /// Armed; the time of the first command since.
    ramp: Option<Option<u64>>,
    holding_since: Option<u64>,
    /// The next command begins a hand-over.
    owed: bool,
    handed_over: Option<u64>,
}

impl Easing {
    pub(super) const fn new() -> Self {
        Self {
            derating: 1.0,
            profile: 1.0,
            ramp: None,
            holding_since: None,
            owed: false,
            handed_over: None,
        }
    }

    pub(super) fn observe(&mut self, scene: &Scene<'_>, lane: usize) {
        let now = scene.step.at;
        match &scene.step.what {
            What::Derate(factor) => {
                // What is not a number is the worst.
                self.derating = if *factor >= FLOOR { least(*factor, 1.0) } else { FLOOR };
            }
            What::Arm { profile, result: Ok(()), .. } => {
                (self.ramp, self.owed, self.handed_over) = (Some(None), false, None);
                self.holding_since = None;
                self.profile = scene.rules.profiles[*profile].velocity;
            }
            What::Select { lane: of, accepted: true, .. } if *of == lane => {
                let active = scene.before.state == State::Active;
                let changed = scene.before.lanes[lane].owner != scene.step.after.lanes[lane].owner;
                self.owed |= active && changed;
            }
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Kill
            | What::KillInput { .. }
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. } => {}
        }
        let mut outputs = scene.step.outputs.iter();
        let forwarded = outputs.find_map(|output| match output.from {
            From::Source(source) if output.lane == lane => Some(source),
            From::Source(_) | From::Safe(_) => None,
        });
        let held = self.holding_since.is_some_and(|since| now - since > LONG_HOLD);
        if let Some(source) = forwarded {
            let owner = scene.before.lanes[lane].owner;
            if self.owed || held || owner.is_some_and(|owner| owner != source) {
                self.handed_over = Some(now);
            }
            self.owed = false;
            self.ramp = self.ramp.map(|since| since.or(Some(now)));
        }
        let holds = scene.step.after.lanes[lane].state == LaneState::Holding;
        if !holds {
            self.owed |= held && forwarded.is_none();
            self.holding_since = None;
        } else if self.holding_since.is_none() {
            self.holding_since = Some(now);
        }
    }

    /// The factor on velocity that is in force now, at the most.
    pub(super) fn factor(&self, scene: &Scene<'_>, lane: usize, source: usize) -> f64 {
        let (rules, now) = (&scene.rules.lanes[lane], scene.step.at);
        let mut factor = rules.sources[source].limit_scale;
        factor = least(least(factor, self.derating), self.profile);
        if rules.shape == Shape::Trajectory {
            return factor;
        }
        if let Some(Some(since)) = self.ramp.filter(|_| !rules.start_ramp.is_zero()) {
            let part = seconds(now - since) / rules.start_ramp.as_secs_f64();
            factor = least(factor, most(part, 0.0));
        }
        let handover = nanos(rules.handover.duration);
        if self.handed_over.is_some_and(|at| now - at < handover) {
            factor = least(factor, rules.handover.limit_scale);
        }
        factor
    }
}
