//! Closed lists that only telemetry needs: labels of metrics, kinds of events.
//!
//! As everywhere, the list in the code is the list: labels never come from a message.

use crate::gate::cause::Cause;
use crate::gate::closed_list::closed_list;
use crate::gate::rules::{LaneMode, SourceMode};
use crate::gate::state::Refused;

closed_list! {
    /// Why a reset was refused.
    ResetRefusal {
        /// Nothing is latched.
        NotKilled = "not_killed",
        /// The state moved since the caller looked.
        SeqMoved = "seq_moved",
        /// Conditions are unmet.
        Unmet = "unmet",
        /// Another reset or arm waits for its record, or too many requests wait.
        Busy = "busy",
        /// Who asked had gone, or a shutdown came first.
        Withdrawn = "withdrawn",
        /// Release over ROS is closed (`release_over_ros: false`).
        NotOpen = "not_open",
        /// Who asks over the socket may not.
        NotAuthorised = "not_authorised",
        /// Too many attempts.
        RateLimited = "rate_limited",
        /// The node is shutting down.
        Ended = "ended",
    }
}

impl ResetRefusal {
    /// The reason, for what the state machine says of a reset; `None` for what it never says of one.
    #[must_use]
    pub const fn of(refused: Refused) -> Option<Self> {
        match refused {
            Refused::NotKilled => Some(Self::NotKilled),
            Refused::SeqMoved => Some(Self::SeqMoved),
            Refused::Unmet => Some(Self::Unmet),
            Refused::Busy => Some(Self::Busy),
            Refused::ResetFirst
            | Refused::AlreadyActive
            | Refused::AlreadyDisarmed
            | Refused::UnknownProfile => None,
            Refused::Withdrawn => Some(Self::Withdrawn),
        }
    }
}

closed_list! {
    /// Why an arm was refused.
    ArmRefusal {
        /// The node is killed: reset first.
        Killed = "killed",
        /// Already active.
        AlreadyActive = "already_active",
        /// The state moved since the caller looked.
        SeqMoved = "seq_moved",
        /// Conditions are unmet.
        Unmet = "unmet",
        /// No profile has this name.
        UnknownProfile = "unknown_profile",
        /// Another reset or arm waits for its record, or too many requests wait.
        Busy = "busy",
        /// A disarm or a shutdown came while its record was being written, or who asked had gone.
        Withdrawn = "withdrawn",
        /// Release over ROS is closed (`release_over_ros: false`).
        NotOpen = "not_open",
        /// Who asks over the socket may not.
        NotAuthorised = "not_authorised",
        /// Too many attempts.
        RateLimited = "rate_limited",
        /// The node is shutting down.
        Ended = "ended",
    }
}

impl ArmRefusal {
    /// The reason, for what the state machine says of an arm; `None` for what it never says of one.
    #[must_use]
    pub const fn of(refused: Refused) -> Option<Self> {
        match refused {
            Refused::ResetFirst => Some(Self::Killed),
            Refused::AlreadyActive => Some(Self::AlreadyActive),
            Refused::SeqMoved => Some(Self::SeqMoved),
            Refused::Unmet => Some(Self::Unmet),
            Refused::UnknownProfile => Some(Self::UnknownProfile),
            Refused::Busy => Some(Self::Busy),
            Refused::Withdrawn => Some(Self::Withdrawn),
            Refused::NotKilled | Refused::AlreadyDisarmed => None,
        }
    }
}

closed_list! {
    /// What set off a stop, by the path it took to the gate thread.
    StopTrigger {
        /// The kill service.
        KillService = "kill_service",
        /// The control socket.
        KillSocket = "kill_socket",
        /// SIGUSR1.
        KillSignal = "kill_signal",
        /// A kill input, asserted or silent.
        KillInput = "kill_input",
        /// Any other cause that ended motion.
        Automatic = "automatic",
    }
}

impl StopTrigger {
    /// The trigger of a trip with this cause.
    #[must_use]
    pub const fn of(cause: Cause) -> Self {
        match cause {
            Cause::KillService => Self::KillService,
            Cause::KillSocket => Self::KillSocket,
            Cause::KillSignal => Self::KillSignal,
            Cause::KillInputAsserted | Cause::KillInputSilent => Self::KillInput,
            Cause::Persisted
            | Cause::LatchFile
            | Cause::FirstRun
            | Cause::UncleanRestart
            | Cause::SourceSilent
            | Cause::RefusalsSustained
            | Cause::RateExceeded
            | Cause::LimitedRatio
            | Cause::Divergence
            | Cause::FeedbackStale
            | Cause::ForeignPublisher
            | Cause::OtherPath
            | Cause::Tilt
            | Cause::AngularVelocity
            | Cause::ControllerGone
            | Cause::ControllerChanged
            | Cause::TemperatureTrip
            | Cause::BatteryTrip
            | Cause::GateStalled
            | Cause::Suspended
            | Cause::ClockStep
            | Cause::Shutdown
            | Cause::SelfTest => Self::Automatic,
        }
    }
}

closed_list! {
    /// Kinds of events; see [`crate::telemetry::events::What`].
    EventKind {
        /// The node runs.
        Started = "started",
        /// The configuration in force.
        Configured = "configured",
        /// Somebody used a verb, whatever came of it.
        Requested = "requested",
        /// A request was refused before the gate was asked.
        RequestRefused = "request_refused",
        /// Any state to killed.
        Killed = "killed",
        /// Killed to disarmed.
        Reset = "reset",
        /// Disarmed to active.
        Armed = "armed",
        /// Active to disarmed.
        Disarmed = "disarmed",
        /// A trip: what killed, or a new cause while killed.
        Tripped = "tripped",
        /// A reset had no effect.
        ResetRefused = "reset_refused",
        /// An arm had no effect.
        ArmRefused = "arm_refused",
        /// A disarm had no effect.
        DisarmRefused = "disarm_refused",
        /// Another source, or none, is in charge of a lane.
        OwnerChanged = "owner_changed",
        /// A lane's state.
        LaneChanged = "lane_changed",
        /// A command was refused.
        Rejected = "rejected",
        /// Commands were overwritten before they could be taken.
        Lost = "lost",
        /// A decision found no empty record and is missing on `~/decisions`.
        DecisionLost = "decision_lost",
        /// The gate's own tick was late.
        GateStalled = "gate_stalled",
        /// A stop found nothing to build a safe command on.
        NoSafeCommand = "no_safe_command",
        /// A lane is not still after a stop, or is again.
        Motion = "motion",
        /// A cause that warns or holds began to act, or is gone.
        CauseChanged = "cause_changed",
        /// A robot description came by its topic.
        RobotDescription = "robot_description",
        /// The graph is not looked at any more, or is again.
        GraphAudit = "graph_audit",
        /// Heat, charge and topics are not looked at any more, or are again.
        Monitor = "monitor",
        /// What came of one part of a self test.
        SelfTest = "self_test",
        /// A self test was refused.
        SelfTestRefused = "self_test_refused",
        /// The middleware refused a publish, a take or a reply.
        MiddlewareFailed = "middleware_failed",
        /// The node is shutting down.
        Stopping = "stopping",
    }
}

closed_list! {
    /// What becomes of a source's commands.
    SourceUse {
        /// They are meant for the output.
        Live = "live",
        /// Judged against their own reference, never selected.
        Shadow = "shadow",
        /// The lane is only watched.
        Watch = "watch",
    }
}

impl SourceUse {
    /// Of a source in a lane.
    #[must_use]
    pub const fn of(lane: LaneMode, source: SourceMode) -> Self {
        match (lane, source) {
            (LaneMode::Watch, _) => Self::Watch,
            (LaneMode::Gate, SourceMode::Shadow) => Self::Shadow,
            (LaneMode::Gate, SourceMode::Live) => Self::Live,
        }
    }
}

closed_list! {
    /// What is wrong with a stamp of a monitored topic.
    StampAnomaly {
        /// The header stamp is later than the receipt.
        Future = "future",
        /// The middleware's source timestamp is later than the receipt.
        NegativeTransport = "negative_transport",
        /// The header stamp is zero.
        Zero = "zero",
        /// The header stamp is earlier than that of the same publisher's message before.
        Backwards = "backwards",
    }
}

closed_list! {
    /// Why a topic that a pattern finds is not monitored.
    Suppressed {
        /// There is room for no more.
        Cap = "cap",
        /// The gate writes it or takes commands from it.
        Excluded = "excluded",
        /// None of its types is installed.
        UnknownType = "unknown_type",
    }
}

closed_list! {
    /// Whether lost messages are sent again.
    OfferedReliability {
        /// They are.
        Reliable = "reliable",
        /// They are not.
        BestEffort = "best_effort",
    }
}

closed_list! {
    /// What a late reader receives.
    OfferedDurability {
        /// The newest messages.
        TransientLocal = "transient_local",
        /// Nothing from before.
        Volatile = "volatile",
    }
}

closed_list! {
    /// Levels of log messages.
    LogLevel {
        /// Something is wrong and needs a person.
        Error = "error",
        /// Something is wrong or will be.
        Warn = "warn",
        /// What an operator wants to know.
        Info = "info",
        /// For developers.
        Debug = "debug",
        /// For developers, all of it.
        Trace = "trace",
    }
}

closed_list! {
    /// Where log messages go.
    LogSink {
        /// The journal, a terminal, a file: whatever stderr is.
        Stderr = "stderr",
        /// The topic `/rosout`.
        Rosout = "rosout",
    }
}

closed_list! {
    /// The threads of the node, by the name that `ps -L` shows. Invariant: at most 15 bytes.
    ThreadName {
        /// Commands, kills, tick, permit.
        Gate = "gate",
        /// Answers to services of the gate thread.
        Replies = "replies",
        /// Services, parameters, state, diagnostics, graph.
        Control = "control",
        /// Topics watched for telemetry, temperatures, batteries.
        Monitor = "monitor",
        /// Metrics and status.
        Http = "http",
        /// Operators without ROS.
        Socket = "socket",
        /// Events to the log.
        Events = "events",
        /// The latch file.
        Latch = "latch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_verb_is_refused_expect_the_state_machines_own_word() {
        let all = [
            Refused::NotKilled,
            Refused::ResetFirst,
            Refused::AlreadyActive,
            Refused::AlreadyDisarmed,
            Refused::SeqMoved,
            Refused::Unmet,
            Refused::Busy,
            Refused::Withdrawn,
        ];
        for refused in all {
            if let Some(reason) = ResetRefusal::of(refused) {
                assert_eq!(reason.label(), refused.label());
            }
            if let Some(reason) = ArmRefusal::of(refused) {
                assert_eq!(reason.label(), refused.label());
            }
        }
    }

    #[test]
    fn when_a_thread_is_named_expect_a_name_the_kernel_keeps_whole() {
        for thread in ThreadName::ALL {
            assert!(thread.label().len() <= 15, "{thread}");
        }
    }

    #[test]
    fn when_a_cause_kills_expect_each_trigger_reached() {
        for trigger in StopTrigger::ALL {
            assert!(Cause::ALL.iter().any(|c| StopTrigger::of(*c) == *trigger));
        }
    }
}
