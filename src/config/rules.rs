//! The part of the configuration that decides, in the gate's own terms.

use super::model::{CommandType, Config, LaneConfig};
use crate::gate::rules::{GateRules, KillInputRules, LaneRules, Shape, SourceRules};

impl Config {
    /// What the gate is built from.
    #[must_use]
    pub fn gate_rules(&self) -> GateRules {
        GateRules {
            tick: self.tick,
            arm_settle: self.arm_settle,
            simulated_time: self.use_sim_time && !self.allow_sim_time,
            lanes: self.lanes.iter().map(LaneConfig::rules).collect(),
            feedback_timeouts: self.feedback.iter().map(|feedback| feedback.timeout).collect(),
            kill_inputs: self
                .kill_inputs
                .iter()
                .map(|input| KillInputRules {
                    timeout: input.timeout,
                    kill_after: input.kill_after,
                })
                .collect(),
            cause_actions: self.cause_actions.clone(),
        }
    }
}

impl LaneConfig {
    fn rules(&self) -> LaneRules {
        let shape = match self.command_type {
            CommandType::JointTrajectory => Shape::Trajectory,
            CommandType::Twist
            | CommandType::TwistStamped
            | CommandType::Float64MultiArray
            | CommandType::JointState => Shape::Target,
        };
        let sources = self.sources.iter().map(|source| SourceRules {
            priority: source.priority,
            timeout: source.timeout,
            max_rate_hz: source.max_rate_hz,
            burst: source.burst,
            limit_scale: source.limit_scale,
        });
        LaneRules {
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
            safe_period: self.safe_period,
            release: self.release,
            sources: sources.collect(),
        }
    }
}
