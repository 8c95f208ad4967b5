//! The part of the configuration that decides, in the gate's own terms.

use super::model::{CommandType, Config, LaneConfig};
use crate::gate::rules::{FeedbackRules, GateRules, KillInputRules, LaneRules, Shape, SourceRules};

impl Config {
    /// What the gate is built from.
    #[must_use]
    pub fn gate_rules(&self) -> GateRules {
        GateRules {
            tick: self.tick,
            arm_settle: self.arm_settle,
            stop_deadline: self.stop.deadline,
            simulated_time: self.use_sim_time && !self.allow_sim_time,
            simulated_stamps: self.use_sim_time,
            // Of doubles, as the codec's own room.
            plan_numbers: self.max_message_bytes / 8,
            lanes: self.lanes.iter().map(|lane| lane.rules(self.use_sim_time)).collect(),
            feedback: self
                .feedback
                .iter()
                .map(|feedback| FeedbackRules {
                    timeout: feedback.timeout,
                    max_tilt: feedback.max_tilt,
                    max_angular_velocity: feedback.max_angular_velocity,
                })
                .collect(),
            profiles: self.profiles.iter().map(|profile| profile.rules.clone()).collect(),
            kill_inputs: self
                .kill_inputs
                .iter()
                .map(|input| KillInputRules {
                    timeout: input.timeout,
                    kill_after: input.kill_after,
                    action: input.action,
                })
                .collect(),
            causes: self.causes,
        }
    }
}

impl LaneConfig {
    fn rules(&self, simulated_stamps: bool) -> LaneRules {
        let shape = match self.command_type {
            CommandType::JointTrajectory => Shape::Trajectory,
            CommandType::Twist
            | CommandType::TwistStamped
            | CommandType::Float64MultiArray
            | CommandType::JointState
            | CommandType::Mapped => Shape::Target,
        };
        let sources = self.sources.iter().map(|source| SourceRules {
            mode: source.mode,
            engage: source.engage,
            // A simulated stamp has no age by our clock: asked of it, every command would be refused.
            max_age: source.max_age.filter(|_| !simulated_stamps),
            priority: source.priority,
            timeout: source.timeout,
            max_rate_hz: source.max_rate_hz,
            burst: source.burst,
            limit_scale: source.limit_scale,
        });
        LaneRules {
            mode: self.mode,
            balance: self.balance,
            interface: self.interface,
            shape,
            limits: self.limits.clone(),
            on_limit: self.on_limit,
            feedback: self.feedback,
            required: self.required,
            names_controller: self.controller.is_some(),
            standstill: self.standstill,
            silence: self.silence,
            independent: self.independent,
            return_to: self.return_to,
            safe: self.safe,
            safe_targets: self.safe_targets.clone(),
            safe_period: self.safe_period,
            groups: self.groups.clone(),
            start_ramp: self.start_ramp,
            handover: self.handover,
            release: self.release,
            sources: sources.collect(),
        }
    }
}
