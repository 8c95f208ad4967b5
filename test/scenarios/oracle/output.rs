//! What is published, by whom, and when.

use interlock::gate::lane_state::LaneState;
use interlock::gate::rules::{GateRules, Interface, LaneMode, Shape};
use interlock::gate::safe::SafeCommand;
use interlock::gate::state::{BootRecord, State};
use interlock::gate::verdict::Verdict;

use super::due::{Plan, Poses};
use super::form::{bits, refused, same_bits, same_shape, targets, well_formed};
use super::{Judged, Scene, hold};
use crate::rig::nanos;
use crate::trace::{From, Output, What};

#[derive(Clone, Default)]
struct LaneWatch {
    last_output: Option<u64>,
    /// What was last on the wire, joint by joint; `None` when it says nothing any more.
    wire: Option<Vec<f64>>,
    /// The plan that is followed.
    plan: Option<Plan>,
    /// When a safe command last changed what is on the wire.
    slowed_at: Option<u64>,
    /// The safe command that is out, if one is.
    held: Option<Vec<f64>>,
    poses: Poses,
    velocity: Option<Vec<f64>>,
    measured_at: Option<u64>,
}

pub(super) struct OutputWatch {
    lanes: Vec<LaneWatch>,
    boot: BootRecord,
    /// Armed or killed in this run.
    taken: bool,
    disarmed_at: Option<u64>,
}

impl OutputWatch {
    pub(super) fn new(rules: &GateRules, boot: BootRecord) -> Self {
        let lanes = vec![LaneWatch::default(); rules.lanes.len()];
        Self { lanes, boot, taken: false, disarmed_at: None }
    }

    pub(super) fn observe(&mut self, scene: &Scene<'_>) -> Judged {
        self.note(scene);
        for output in &scene.step.outputs {
            well_formed(output, &scene.rules.lanes[output.lane])?;
            self.may_publish(scene, output)?;
            match output.from {
                From::Source(source) => self.forwarded(scene, output, source)?,
                From::Safe(kind) => self.safe(scene, output, kind)?,
            }
            self.lanes[output.lane].last_output = Some(scene.step.at);
        }
        if let What::Command(received) = &scene.step.what {
            refused(received, &scene.rules.lanes[received.lane])?;
        }
        self.presence(scene)
    }

    fn note(&mut self, scene: &Scene<'_>) {
        match &scene.step.what {
            What::Kill | What::Arm { result: Ok(()), .. } => self.taken = true,
            What::KillInput { .. } => {
                self.taken |= scene.step.after.state == State::Killed;
            }
            What::Feedback { lane, position, velocity, usable: true } => {
                let lane = &mut self.lanes[*lane];
                if !position.is_empty() {
                    lane.poses.note(position, lane.measured_at.map(|at| scene.step.at - at));
                }
                lane.velocity = Some(velocity.clone()).filter(|all| !all.is_empty());
                lane.measured_at = Some(scene.step.at);
            }
            What::Boot
            | What::Tick
            | What::Command(_)
            | What::Disarm(_)
            | What::Reset { .. }
            | What::Arm { .. }
            | What::Select { .. }
            | What::Feedback { .. }
            | What::Derate(_) => {}
        }
        if matches!(scene.step.what, What::Arm { result: Ok(()), .. }) {
            // A freeze is chosen anew at each arm.
            self.lanes.iter_mut().for_each(|lane| lane.held = None);
        }
        if scene.step.after.state != State::Disarmed {
            self.disarmed_at = None;
        } else if scene.before.state != State::Disarmed {
            self.disarmed_at = Some(scene.step.at);
        }
        for (lane, view) in self.lanes.iter_mut().zip(&scene.before.lanes) {
            if view.state == LaneState::Released {
                lane.held = None;
                lane.wire = None;
                lane.plan = None;
            }
        }
    }

    /// Who may put something on this output at this moment.
    fn may_publish(&self, scene: &Scene<'_>, output: &Output) -> Judged {
        let lane = &scene.rules.lanes[output.lane];
        let (before, after) = (scene.before, &scene.step.after);
        if let From::Source(_) = output.from {
            let active = before.state == State::Active && after.state == State::Active;
            hold!(
                active,
                "only_the_safe_command_while_not_permitted",
                "a command went out while {}",
                before.state
            );
            hold!(
                lane.mode == LaneMode::Gate,
                "watch_and_shadow_publish_nothing",
                "lane {} only watches",
                output.lane
            );
            return Ok(());
        }
        // Before the first arm or kill a velocity lane may say zero while killed, and as long after
        // the reset as after a disarm; nobody else says anything.
        let zero = matches!(lane.safe, SafeCommand::ZeroVelocity { .. });
        let killed = after.state == State::Killed || self.disarmed_at.is_some();
        // What the last run sent may still be followed: a pose is held as soon as it is known.
        let unclean = self.boot.is_unclean() && lane.safe.tolerance().is_some();
        hold!(
            self.taken || ((zero || unclean) && killed),
            "a_released_lane_is_silent",
            "lane {} published before the first arm or kill",
            output.lane
        );
        hold!(
            after.lanes[output.lane].state != LaneState::Released,
            "a_released_lane_is_silent",
            "lane {} is released and published",
            output.lane
        );
        Ok(())
    }

    fn forwarded(&mut self, scene: &Scene<'_>, output: &Output, source: usize) -> Judged {
        let watch = &mut self.lanes[output.lane];
        watch.held = None;
        let What::Command(received) = &scene.step.what else {
            hold!(false, "one_owner", "a command went out without one coming in");
            return Ok(());
        };
        hold!(
            received.lane == output.lane && received.source == source,
            "one_owner",
            "source {source} published on lane {} at another's command",
            output.lane
        );
        hold!(
            matches!(received.verdict, Verdict::Passed | Verdict::Limited),
            "only_the_safe_command_while_not_permitted",
            "a command that was {} went out",
            received.verdict
        );
        let (asked, sent) = (&received.asked, &output.command);
        hold!(
            same_shape(asked, sent),
            "published_keeps_its_shape",
            "came in as {asked:?}, went out as {sent:?}"
        );
        let rules = &scene.rules.lanes[output.lane];
        let may_differ = received.verdict == Verdict::Limited && !rules.balance;
        hold!(
            may_differ || same_bits(asked, sent),
            "passed_is_bit_for_bit",
            "{} as {asked:?}, went out as {sent:?}",
            received.verdict
        );
        let targets = targets(sent, rules.interface);
        let joints = sent.dimensions;
        if rules.shape == Shape::Trajectory {
            let due = watch.plan.as_ref().map(|plan| plan.due(scene.step.at));
            let from = (0..joints).map(|joint| {
                let measured = watch.poses.joint(joint, 0.0).map(|(newest, _)| newest);
                let wire = watch.wire.as_ref().map_or(0.0, |wire| wire[joint]);
                let place = due.as_ref().map(|due| due[joint]).or(measured).unwrap_or(wire);
                (place, watch.velocity.as_ref().map_or(0.0, |all| all[joint]))
            });
            watch.plan = Some(Plan::new(scene.step.at, from.collect(), sent.clone()));
        }
        let wire = watch.wire.get_or_insert_with(|| vec![0.0; joints]);
        if let Some(last) = targets.rchunks_exact(joints).next() {
            for ((wire, value), given) in wire.iter_mut().zip(last).zip(&sent.given) {
                if *given {
                    *wire = *value;
                }
            }
        }
        Ok(())
    }

    fn safe(&mut self, scene: &Scene<'_>, output: &Output, kind: SafeCommand) -> Judged {
        let rules = &scene.rules.lanes[output.lane];
        let values = targets(&output.command, rules.interface);
        hold!(
            kind == rules.safe,
            "published_keeps_its_shape",
            "{kind:?} on a lane with {:?}",
            rules.safe
        );
        let watch = &self.lanes[output.lane];
        match kind {
            SafeCommand::Freeze { tolerance } | SafeCommand::HoldPoint { tolerance } => {
                match &watch.held {
                    Some(held) => hold!(
                        bits(held) == bits(values),
                        "a_frozen_pose_is_constant",
                        "held {held:?}, now {values:?}"
                    ),
                    None => self.chosen(scene, output.lane, values, tolerance)?,
                }
            }
            SafeCommand::ZeroVelocity { deceleration } => {
                let none = vec![0.0; values.len()];
                let wire = watch.wire.as_ref().unwrap_or(&none);
                // What its source's own zeros would have done, where it says no more of them.
                let waits = scene.step.after.lanes[output.lane].state == LaneState::Waiting;
                for ((value, wire), limits) in values.iter().zip(wire).zip(&rules.limits) {
                    let same_way = *value == 0.0 || value.signum() == wire.signum();
                    let slower = value.abs() <= wire.abs() && same_way;
                    let ramp = deceleration.is_some() || *value == 0.0;
                    let ramp = ramp || (waits && limits.deceleration.is_some());
                    hold!(
                        slower && ramp,
                        "zero_velocity_only_slows_down",
                        "{wire} became {value} ({deceleration:?})"
                    );
                }
            }
            SafeCommand::Values => hold!(
                bits(values) == bits(&rules.safe_targets),
                "a_frozen_pose_is_constant",
                "{values:?} are not the values written"
            ),
            SafeCommand::Damping => {
                if let (Interface::Position, Some(wire)) = (rules.interface, &watch.wire) {
                    hold!(
                        bits(values) == bits(wire),
                        "a_frozen_pose_is_constant",
                        "damping changed the pose from {wire:?} to {values:?}"
                    );
                }
            }
            SafeCommand::Silent => hold!(
                false,
                "a_released_lane_is_silent",
                "lane {} stops by silence and published",
                output.lane
            ),
        }
        let watch = &mut self.lanes[output.lane];
        if watch.wire.as_ref().is_some_and(|wire| bits(wire) != bits(values)) {
            watch.slowed_at = Some(scene.step.at);
        }
        watch.held = Some(values.to_vec());
        watch.wire = Some(values.to_vec());
        watch.plan = None;
        Ok(())
    }

    /// Joint by joint what is on the wire where that is within the tolerance of the measured, else the
    /// measured, inside what the joint may be sent to; the wire where nothing fresh is measured.
    fn chosen(&self, scene: &Scene<'_>, lane: usize, values: &[f64], tolerance: f64) -> Judged {
        let watch = &self.lanes[lane];
        let timeout = scene.rules.lanes[lane].feedback.map(|at| scene.rules.feedback[at].timeout);
        let fresh = match (watch.measured_at, timeout) {
            (Some(at), Some(timeout)) => scene.step.at - at <= nanos(timeout),
            (None, _) | (_, None) => false,
        };
        let due = watch.plan.as_ref().map(|plan| plan.due(scene.step.at));
        for (joint, value) in values.iter().enumerate() {
            let sent = due.as_ref().or(watch.wire.as_ref()).map(|wire| wire[joint]);
            let there = watch.poses.joint(joint, tolerance).filter(|_| fresh);
            let bounds = scene.rules.lanes[lane].limits[joint].position;
            let expected = match (sent, there) {
                (Some(sent), Some((newest, believed)))
                    if (sent - newest).abs() <= tolerance
                        || (sent - believed).abs() <= tolerance =>
                {
                    sent
                }
                (Some(sent), Some((_, believed))) => bounds.map_or(believed, |bounds| {
                    let low = if sent < bounds.min { sent } else { bounds.min };
                    let high = if sent > bounds.max { sent } else { bounds.max };
                    if believed < low {
                        low
                    } else if believed > high {
                        high
                    } else {
                        believed
                    }
                }),
                (None, Some((_, believed))) => believed,
                (Some(sent), None) => sent,
                (None, None) => f64::NAN,
            };
            // A curve is drawn by other means here.
            let exact = due.is_none() && value.to_bits() == expected.to_bits();
            hold!(
                exact
                    || (due.is_some() && (value - expected).abs() < 1e-9 + 1e-15 * expected.abs()),
                "a_freeze_is_the_last_sent_or_the_measured",
                "lane {lane} joint {joint}: last sent {sent:?}, measured {there:?}, froze {value}"
            );
        }
        Ok(())
    }

    /// A lane that was taken is never left alone; one that was let go is.
    fn presence(&self, scene: &Scene<'_>) -> Judged {
        let (now, after) = (scene.step.at, &scene.step.after);
        for (index, (view, watch)) in after.lanes.iter().zip(&self.lanes).enumerate() {
            let rules = &scene.rules.lanes[index];
            if let LaneState::Waiting | LaneState::Holding | LaneState::Safe = view.state {
                let out = watch.last_output.is_some_and(|at| now - at <= nanos(rules.safe_period));
                hold!(
                    out || rules.safe == SafeCommand::Silent,
                    "a_taken_lane_is_never_left_alone",
                    "lane {index} is {} and published nothing since {:?}",
                    view.state,
                    watch.last_output
                );
            }
            if let (LaneState::Flowing, What::Tick) = (view.state, &scene.step.what) {
                // Somebody must answer for a lane that flows, or nobody's silence ever ends it.
                hold!(
                    view.owner.is_some(),
                    "a_flowing_lane_has_an_owner",
                    "lane {index} flows and nobody is in charge"
                );
                // One timeout after the last command, or after the hand-over that followed it.
                let timeouts =
                    rules.sources.iter().map(|source| source.timeout.map_or(u64::MAX, nanos));
                let most = timeouts.max().unwrap_or(u64::MAX).saturating_mul(2);
                hold!(
                    watch.last_output.is_some_and(|at| now - at <= most),
                    "a_taken_lane_is_never_left_alone",
                    "lane {index} flows and published nothing since {:?}",
                    watch.last_output
                );
            }
            hold!(
                after.state != State::Active
                    || view.state != LaneState::Released
                    || rules.mode == LaneMode::Watch,
                "a_taken_lane_is_never_left_alone",
                "lane {index} is released while active"
            );
            let waits = |most: u64| {
                self.disarmed_at
                    .is_some_and(|at| now > at && now - at >= nanos(rules.release) + most)
            };
            // A ramp to zero is not left before it is over, or as late as a stop may be.
            let ramps = matches!(rules.safe, SafeCommand::ZeroVelocity { .. })
                && (watch.slowed_at == Some(now)
                    || watch
                        .wire
                        .as_ref()
                        .is_some_and(|wire| wire.iter().any(|value| *value != 0.0)));
            let over = waits(if ramps { nanos(scene.rules.stop_deadline) } else { 0 });
            hold!(
                !(over && matches!(scene.step.what, What::Tick))
                    || view.state == LaneState::Released,
                "a_released_lane_is_silent",
                "lane {index} is {} {:?} ns after the disarm",
                view.state,
                self.disarmed_at.map(|at| now - at)
            );
            if matches!(scene.step.what, What::Kill) && view.state != LaneState::Released {
                let mut outputs = scene.step.outputs.iter();
                hold!(
                    outputs.any(|output| output.lane == index) || rules.safe == SafeCommand::Silent,
                    "every_kill_sends_again",
                    "lane {index} published nothing at a kill"
                );
            }
        }
        Ok(())
    }
}
