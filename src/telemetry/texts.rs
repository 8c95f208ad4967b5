//! Sentences for operators: what was found, what is needed, what to do next.
//!
//! One place, so that `~/state`, `/status`, service answers and diagnostics say the same.

use crate::attribution::Attribution;
use crate::config::model::{Config, FeedbackType, KillInputConfig, UrdfFrom};
use crate::gate::cause::Cause;
use crate::gate::condition::ConditionCode;
use crate::gate::conditions::{AWAITS_COMMAND, AWAITS_MIRROR, Condition};
use crate::gate::machine::{Subject, Trip};
use crate::gate::state::Refused;
pub use crate::telemetry::latch_text::NOT_PERSISTED;
use crate::telemetry::notes::Notes;
use crate::telemetry::people::heard_on;
use crate::telemetry::status::UNSEEN;

/// The names behind the gate's indices.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// The configuration that the indices are of.
    pub config: &'a Config,
    /// The node's full name, for commands to type.
    pub node: &'a str,
    /// What thread `control` found out about the neighbours.
    pub notes: &'a Notes,
    /// Who asked for what.
    pub attribution: &'a Attribution,
}

/// Stands for an index that the configuration does not have: a fault of ours, told, not hidden.
const UNKNOWN: &str = "?";

impl Texts<'_> {
    fn lane(&self, lane: usize) -> &str {
        self.config.lanes.get(lane).map_or(UNKNOWN, |lane| &lane.name)
    }

    /// The name of one source.
    #[must_use]
    pub fn source(&self, lane: usize, source: usize) -> &str {
        let source = self.config.lanes.get(lane).and_then(|lane| lane.sources.get(source));
        source.map_or(UNKNOWN, |source| &source.name)
    }

    /// A subject's name; empty for the node itself.
    #[must_use]
    pub fn subject(&self, subject: Subject) -> String {
        match subject {
            Subject::Node => String::new(),
            Subject::Lane(lane) => self.lane(lane).to_owned(),
            Subject::Source { lane, source } => {
                format!("{}/{}", self.lane(lane), self.source(lane, source))
            }
            Subject::KillInput(input) => {
                let input = self.config.kill_inputs.get(input);
                input.map_or(UNKNOWN, |input| &input.name).to_owned()
            }
            Subject::Feedback(feedback) => {
                let feedback = self.config.feedback.get(feedback);
                feedback.map_or(UNKNOWN, |feedback| &feedback.name).to_owned()
            }
            Subject::Temperature(index) => {
                let point = self.config.temperature_points().nth(index);
                point.map_or_else(|| UNKNOWN.to_owned(), |(input, part)| input.point(part))
            }
            Subject::Battery(index) => {
                let battery = self.config.batteries.get(index);
                battery.map_or(UNKNOWN, |battery| &battery.name).to_owned()
            }
            Subject::Path(path) => {
                self.config.other_paths.get(path).map_or(UNKNOWN, |path| path).to_owned()
            }
        }
    }

    fn topic(&self, subject: Subject) -> &str {
        match subject {
            Subject::Node => UNKNOWN,
            Subject::Lane(lane) => self.config.lanes.get(lane).map_or(UNKNOWN, |l| &l.output),
            Subject::Source { lane, source } => {
                let source = self.config.lanes.get(lane).and_then(|l| l.sources.get(source));
                source.map_or(UNKNOWN, |source| &source.topic)
            }
            Subject::KillInput(input) => {
                self.config.kill_inputs.get(input).map_or(UNKNOWN, |input| &input.topic)
            }
            Subject::Feedback(feedback) => {
                self.config.feedback.get(feedback).map_or(UNKNOWN, |feedback| &feedback.topic)
            }
            Subject::Path(path) => self.config.other_paths.get(path).map_or(UNKNOWN, |path| path),
            Subject::Temperature(index) => {
                self.config.temperature_points().nth(index).map_or(UNKNOWN, |(one, _)| &one.topic)
            }
            Subject::Battery(index) => {
                self.config.batteries.get(index).map_or(UNKNOWN, |battery| &battery.topic)
            }
        }
    }

    /// A kill input's topic, and how many publish there.
    fn heard_on(&self, subject: Subject) -> String {
        let publishers = if let Subject::KillInput(input) = subject {
            self.notes.publishers(input)
        } else {
            None
        };
        heard_on(self.topic(subject), publishers)
    }

    fn dimension(&self, condition: &Condition) -> &str {
        let (Subject::Lane(lane) | Subject::Source { lane, .. }) = condition.subject else {
            return UNKNOWN;
        };
        let lane = self.config.lanes.get(lane);
        let name = condition.dimension.and_then(|at| lane.and_then(|lane| lane.dimensions.get(at)));
        name.map_or(UNKNOWN, |name| name.as_str())
    }

    /// What stands in the way, in one line.
    #[must_use]
    pub fn condition(&self, condition: &Condition) -> String {
        let subject = self.subject(condition.subject);
        let topic = self.topic(condition.subject);
        let Condition { found, needed, .. } = condition;
        match condition.code {
            ConditionCode::KillInputAsserted => {
                let by = self.asserted_by(condition);
                if self.is_dead_man(condition.subject) {
                    format!(
                        "dead-man '{subject}' is let go of, or cannot be read{by}: hold it (topic {topic})"
                    )
                } else {
                    format!("kill input '{subject}' asserts{by}: release it (topic {topic})")
                }
            }
            ConditionCode::KillInputSilent => format!(
                "kill input '{subject}' silent for {found:.1} s, needs a message every {needed} s: \
                 is it switched on? ({})",
                self.heard_on(condition.subject)
            ),
            ConditionCode::KillInputUnseen => format!(
                "kill input '{subject}' not heard yet: is it switched on? ({})",
                self.heard_on(condition.subject)
            ),
            ConditionCode::FeedbackStale => {
                let (input, lacks) = if let Subject::Feedback(feedback) = condition.subject {
                    (self.config.feedback.get(feedback), self.notes.lacks(feedback))
                } else {
                    (None, String::new())
                };
                let is = if lacks.is_empty() { lacks } else { format!("comes, but {lacks}") };
                let is = if is.is_empty() { "silent" } else { &is };
                let timeout = input.map_or(f64::NAN, |input| input.timeout.as_secs_f64());
                let joints = match input.map(|input| input.feedback_type) {
                    Some(FeedbackType::JointState | FeedbackType::Mapped) => {
                        " with every joint of its lane"
                    }
                    Some(FeedbackType::Odometry | FeedbackType::Imu) | None => "",
                };
                format!(
                    "feedback '{subject}' {is}, needs a message{joints} at least every \
                     {timeout} s (topic {topic})"
                )
            }
            ConditionCode::NotStandingStill => format!(
                "{} of lane '{subject}' moves: {found:.3}, needs between -{needed} and {needed} on \
                 average (rad/s or m/s)",
                self.dimension(condition)
            ),
            ConditionCode::NoController
            | ConditionCode::ControllerMismatch
            | ConditionCode::ForeignPublisher => self.neighbours(condition, &subject, topic),
            ConditionCode::CausePresent => {
                let cause = condition.cause.map_or_else(
                    || UNKNOWN.to_owned(),
                    |cause| self.cause(cause, condition.subject, (*found, *needed)),
                );
                format!("a cause that would stop it at once is still there: {cause}: end it first")
            }
            ConditionCode::SourceNotReady => format!(
                "source '{subject}' already commands {} {found:.3} off, needs it within {needed} \
                 (its engage rule): let go of it or bring it to the pose held (topic {topic})",
                self.dimension(condition)
            ),
            ConditionCode::LatchNotWritable => self.latch_trouble(),
            ConditionCode::SimulatedTime => "use_sim_time is on: for a simulation write \
                 allow_sim_time: true, for a robot turn use_sim_time off"
                .to_owned(),
            ConditionCode::NoSafeCommand if found.to_bits() == AWAITS_COMMAND.to_bits() => format!(
                "lane '{subject}' has no safe command yet: its gains or kept numbers have no \
                 default, so a source must send one valid command first"
            ),
            ConditionCode::NoSafeCommand if found.to_bits() == AWAITS_MIRROR.to_bits() => format!(
                "lane '{subject}' has no safe command yet: it waits for the feedback that it \
                 mirrors a field of"
            ),
            ConditionCode::NoSafeCommand => {
                format!("lane '{subject}' has no pose to hold yet: it needs feedback")
            }
            ConditionCode::RobotDescriptionMissing => {
                let topic = self.config.urdf.as_ref().map(|urdf| match &urdf.from {
                    UrdfFrom::Topic(topic) => topic.as_str(),
                    UrdfFrom::File(file) => file.as_str(),
                });
                let said = self.notes.description();
                let said = if said.is_empty() { said } else { format!(" ({said})") };
                format!(
                    "robot description not received on {}: start robot_state_publisher{said}",
                    topic.unwrap_or("/robot_description")
                )
            }
            ConditionCode::SensorsUnread => "nobody looks at temperatures and batteries: thread \
                 monitor stands still: restart interlock if it stays so"
                .to_owned(),
            ConditionCode::Settling => {
                format!("all conditions hold since {found:.1} s, needs {needed} s: try again")
            }
            ConditionCode::SeqMoved => {
                "the state moved since you looked: look at ~/state again and use its seq".to_owned()
            }
        }
    }

    fn is_dead_man(&self, subject: Subject) -> bool {
        let Subject::KillInput(input) = subject else { return false };
        self.config.kill_inputs.get(input).is_some_and(KillInputConfig::is_dead_man)
    }

    /// Who asserts a kill input, where anybody knows.
    fn asserted_by(&self, condition: &Condition) -> String {
        let (Subject::KillInput(input), Some(publisher)) = (condition.subject, condition.publisher)
        else {
            return String::new();
        };
        self.notes.writer(input, publisher).map_or_else(
            || ", by a publisher that the graph does not name".to_owned(),
            |node| format!(", by {node}"),
        )
    }

    /// What the graph says against a lane.
    fn neighbours(&self, condition: &Condition, subject: &str, topic: &str) -> String {
        let Subject::Lane(index) = condition.subject else { return condition.code.to_string() };
        let notes = self.notes.lane(index);
        let lane = self.config.lanes.get(index);
        let controller = lane.and_then(|lane| lane.controller.as_deref()).unwrap_or(UNKNOWN);
        let readers = if notes.readers.is_empty() {
            String::new()
        } else {
            format!("; who reads it but gets nothing: {}", notes.readers)
        };
        if condition.code == ConditionCode::ForeignPublisher {
            let who = if notes.foreign.is_empty() { "somebody else" } else { &notes.foreign };
            return format!(
                "{who} also publishes on {topic} of lane '{subject}', and only interlock may: stop \
                 it, or write other_publishers if it belongs there"
            );
        }
        if condition.code == ConditionCode::NoController && condition.found.is_infinite() {
            return format!("who reads lane '{subject}' is not known (topic {topic}): {UNSEEN}");
        }
        if condition.code == ConditionCode::NoController {
            return format!(
                "nobody reads lane '{subject}': start its controller (topic {topic}{readers})"
            );
        }
        if !condition.found.is_nan() {
            return format!(
                "lane '{subject}' has readers that get nothing (topic {topic}{readers}): write the \
                 reliability and type that its controller asks for"
            );
        }
        if notes.controller.is_empty() {
            let others = if notes.others.is_empty() {
                String::new()
            } else {
                format!(", read by {}", notes.others)
            };
            return format!(
                "lane '{subject}' is read, but not by its controller '{controller}': start it, or \
                 correct the key controller (topic {topic}{others}{readers})"
            );
        }
        format!(
            "controller '{controller}' of lane '{subject}' does not fit: {}; correct the lane's \
             joints and interface or the controller's parameters",
            notes.controller
        )
    }

    /// What a trip found, in one sentence.
    #[must_use]
    pub fn trip(&self, trip: &Trip) -> String {
        self.cause(trip.cause, trip.subject, (trip.found, trip.bound))
    }

    /// A cause with its subject and what was found, in one sentence.
    #[must_use]
    pub fn cause(&self, cause: Cause, subject: Subject, (found, bound): (f64, f64)) -> String {
        let name = self.subject(subject);
        let about = if name.is_empty() { String::new() } else { format!(" '{name}'") };
        let unit = unit(cause);
        let mut text = match (found.is_nan(), bound.is_nan()) {
            (false, false) => format!("{cause}{about}: {found:.3}{unit}, allowed {bound:.3}{unit}"),
            (false, true) => format!("{cause}{about}: {found:.3}{unit}"),
            (true, _) => format!("{cause}{about}"),
        };
        if let (Cause::ForeignPublisher, Subject::Lane(lane)) = (cause, subject) {
            let who = self.notes.lane(lane).foreign;
            if !who.is_empty() {
                text.push_str(&format!(" ({who})"));
            }
        }
        text
    }

    /// Why a verb had no effect, with what to do instead.
    #[must_use]
    pub fn refused(&self, refused: Refused, seq: u64) -> String {
        let node = self.node;
        match refused {
            Refused::NotKilled => "not killed: nothing to reset".to_owned(),
            Refused::ResetFirst => {
                format!(
                    "killed, seq {seq}: reset first (interlockctl reset, or {node}/reset), then arm"
                )
            }
            Refused::AlreadyActive => "already active".to_owned(),
            Refused::AlreadyDisarmed => "already disarmed".to_owned(),
            Refused::SeqMoved => format!(
                "seq is {seq} now, not the one you named: something happened since you looked; \
                 read {node}/state and try again"
            ),
            Refused::Unmet => "conditions are unmet".to_owned(),
            Refused::UnknownProfile => "there is no such profile".to_owned(),
            Refused::Busy => {
                "another reset or arm is being written to disk, or a self test runs: try again"
                    .to_owned()
            }
            Refused::Withdrawn => {
                "a disarm or a shutdown came first, or who asked had gone".to_owned()
            }
        }
    }
}

/// The unit of what a cause finds.
const fn unit(cause: Cause) -> &'static str {
    match cause {
        Cause::KillInputSilent
        | Cause::SourceSilent
        | Cause::FeedbackStale
        | Cause::GateStalled
        | Cause::Suspended
        | Cause::ClockStep => " s",
        Cause::Tilt => " rad",
        Cause::AngularVelocity => " rad/s",
        Cause::TemperatureTrip => " °C",
        Cause::KillService
        | Cause::KillSocket
        | Cause::KillSignal
        | Cause::KillInputAsserted
        | Cause::Persisted
        | Cause::LatchFile
        | Cause::FirstRun
        | Cause::UncleanRestart
        | Cause::RefusalsSustained
        | Cause::RateExceeded
        | Cause::LimitedRatio
        | Cause::Divergence
        | Cause::ForeignPublisher
        | Cause::OtherPath
        | Cause::ControllerGone
        | Cause::ControllerChanged
        | Cause::BatteryTrip
        | Cause::Shutdown
        | Cause::SelfTest => "",
    }
}

#[cfg(test)]
mod tests;
