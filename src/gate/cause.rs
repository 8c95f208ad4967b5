//! Causes: why motion stopped or may not start, and what each does by default.

use super::closed_list::closed_list;

closed_list! {
    /// Why the node holds, disarms or kills.
    Cause {
        /// Somebody used the kill service.
        KillService = "kill_service",
        /// Somebody used the control socket.
        KillSocket = "kill_socket",
        /// The process received SIGUSR1.
        KillSignal = "kill_signal",
        /// A kill input asserts.
        KillInputAsserted = "kill_input_asserted",
        /// A kill input has fallen silent.
        KillInputSilent = "kill_input_silent",
        /// The latch file said killed.
        Persisted = "persisted",
        /// The latch file is missing, unreadable or invalid.
        LatchFile = "latch_file",
        /// There never was a latch file.
        FirstRun = "first_run",
        /// The last run ended while active.
        UncleanRestart = "unclean_restart",
        /// A source in charge fell silent in motion.
        SourceSilent = "source_silent",
        /// Most commands of a source were refused.
        RefusalsSustained = "refusals_sustained",
        /// A source sends more than its rate.
        RateExceeded = "rate_exceeded",
        /// Most commands of a source had to be limited.
        LimitedRatio = "limited_ratio",
        /// Sent and measured values part.
        Divergence = "divergence",
        /// Feedback is silent.
        FeedbackStale = "feedback_stale",
        /// Somebody else publishes on an output.
        ForeignPublisher = "foreign_publisher",
        /// Another path that moves the robot is in use.
        OtherPath = "other_path",
        /// The body is tilted.
        Tilt = "tilt",
        /// The body turns too fast.
        AngularVelocity = "angular_velocity",
        /// The controller no longer reads its lane.
        ControllerGone = "controller_gone",
        /// Another controller reads the lane.
        ControllerChanged = "controller_changed",
        /// A temperature is over its trip level.
        TemperatureTrip = "temperature_trip",
        /// A battery is under its trip level.
        BatteryTrip = "battery_trip",
        /// The gate's own tick was late.
        GateStalled = "gate_stalled",
        /// The machine was suspended.
        Suspended = "suspended",
        /// The wall clock was stepped.
        ClockStep = "clock_step",
        /// The node is shutting down.
        Shutdown = "shutdown",
    }
}

closed_list! {
    /// What a cause does. The order is the severity: further down takes precedence.
    Action {
        /// Nothing; must be written in the params file and shows everywhere.
        Ignore = "ignore",
        /// Told, nothing else.
        Warn = "warn",
        /// Lanes go to the safe command; nothing is latched.
        Hold = "hold",
        /// Let go; needs arm.
        Disarm = "disarm",
        /// Latched; needs reset and arm.
        Kill = "kill",
    }
}

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CauseSet(u64);

impl CauseSet {
    /// Adds `cause` where `present`.
    #[must_use]
    pub const fn with(self, cause: Cause, present: bool) -> Self {
        if present { Self(self.0 | 1 << cause.index()) } else { self }
    }

    /// Whether `cause` is in the set.
    #[must_use]
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause.index()) != 0
    }
}

impl Cause {
    /// The action unless the params file says otherwise, for lanes of targets.
    #[must_use]
    pub const fn default_action(self) -> Action {
        match self {
            Self::KillService
            | Self::KillSocket
            | Self::KillSignal
            | Self::KillInputAsserted
            | Self::Persisted
            | Self::LatchFile
            | Self::FirstRun
            | Self::UncleanRestart
            | Self::ForeignPublisher
            | Self::OtherPath
            | Self::Tilt
            | Self::AngularVelocity => Action::Kill,
            Self::KillInputSilent
            | Self::SourceSilent
            | Self::RefusalsSustained
            | Self::RateExceeded
            | Self::Divergence
            | Self::FeedbackStale => Action::Hold,
            Self::LimitedRatio | Self::ClockStep => Action::Warn,
            Self::ControllerGone
            | Self::ControllerChanged
            | Self::TemperatureTrip
            | Self::BatteryTrip
            | Self::GateStalled
            | Self::Suspended
            | Self::Shutdown => Action::Disarm,
        }
    }
}
