//! Causes: why motion stopped or may not start, and what each does by default.

use std::time::Duration;

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
        /// A trip of the self test, which resets it.
        SelfTest = "self_test",
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

    /// The causes in the set.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.iter().copied().filter(move |cause| self.contains(*cause))
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
            | Self::AngularVelocity
            | Self::SelfTest => Action::Kill,
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

    /// What it does to a lane of this kind, unless somebody wrote something else.
    #[must_use]
    pub const fn default_action_of(self, balance: bool) -> Action {
        if balance { self.default_action_balance() } else { self.default_action() }
    }

    /// The same for `balance` lanes, where every stop is a fall: what can be borne is told, what
    /// cannot is latched at once, and nothing holds or lets go.
    #[must_use]
    pub const fn default_action_balance(self) -> Action {
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
            | Self::AngularVelocity
            | Self::SourceSilent
            | Self::RefusalsSustained
            | Self::ControllerGone
            | Self::ControllerChanged
            | Self::GateStalled
            | Self::Suspended
            | Self::SelfTest => Action::Kill,
            Self::KillInputSilent
            | Self::RateExceeded
            | Self::FeedbackStale
            | Self::TemperatureTrip
            | Self::BatteryTrip
            | Self::ClockStep => Action::Warn,
            // Gains are soft there, and nothing is ever limited.
            Self::Divergence | Self::LimitedRatio => Action::Ignore,
            Self::Shutdown => Action::Disarm,
        }
    }

    /// How long it must be present before it acts, unless the params file says otherwise. Zero where
    /// a timeout, a window or the detector itself has waited already.
    ///
    /// # Source
    /// Ours: a foot that strikes the ground shakes an IMU for some tens of milliseconds, so 0.1 s for
    /// the body; 0.5 s for a flood and for a robot that lags behind, which a jolt does too.
    #[must_use]
    pub const fn default_debounce(self) -> Duration {
        match self {
            Self::Tilt | Self::AngularVelocity => Duration::from_millis(100),
            Self::RateExceeded | Self::Divergence => Duration::from_millis(500),
            Self::KillService
            | Self::KillSocket
            | Self::KillSignal
            | Self::KillInputAsserted
            | Self::KillInputSilent
            | Self::Persisted
            | Self::LatchFile
            | Self::FirstRun
            | Self::UncleanRestart
            | Self::SourceSilent
            | Self::RefusalsSustained
            | Self::LimitedRatio
            | Self::FeedbackStale
            | Self::ForeignPublisher
            | Self::OtherPath
            | Self::ControllerGone
            | Self::ControllerChanged
            | Self::TemperatureTrip
            | Self::BatteryTrip
            | Self::GateStalled
            | Self::Suspended
            | Self::ClockStep
            | Self::Shutdown
            | Self::SelfTest => Duration::ZERO,
        }
    }

    /// Over which value it is present, where it has a threshold of its own (`causes.<cause>.above`).
    ///
    /// # Units
    /// Shares from 0 to 1; `rate_exceeded` in multiples of the source's rate; `divergence` in rad or
    /// m, or per s, where a lane's velocity limits say nothing else
    /// ([`super::limits::DimensionLimits::may_diverge`]); `gate_stalled` in s.
    ///
    /// # Source
    /// Ours, except the 50 ms of a stalled gate (design): half of the commands is more than a
    /// transient; half a radian is more than a position loop lags behind at full speed.
    #[must_use]
    pub const fn default_above(self) -> Option<f64> {
        match self {
            Self::RefusalsSustained | Self::LimitedRatio | Self::Divergence => Some(0.5),
            Self::RateExceeded => Some(1.0),
            Self::GateStalled => Some(0.05),
            Self::KillService
            | Self::KillSocket
            | Self::KillSignal
            | Self::KillInputAsserted
            | Self::KillInputSilent
            | Self::Persisted
            | Self::LatchFile
            | Self::FirstRun
            | Self::UncleanRestart
            | Self::SourceSilent
            | Self::FeedbackStale
            | Self::ForeignPublisher
            | Self::OtherPath
            | Self::Tilt
            | Self::AngularVelocity
            | Self::ControllerGone
            | Self::ControllerChanged
            | Self::TemperatureTrip
            | Self::BatteryTrip
            | Self::Suspended
            | Self::ClockStep
            | Self::Shutdown
            | Self::SelfTest => None,
        }
    }

    /// The time over which it is a share, where it is one (`causes.<cause>.window_s`).
    ///
    /// # Source
    /// Ours: refusals and floods are to be noticed within a second; limiting is normal while a policy
    /// speeds up, so it is looked at for longer than a motion takes.
    #[must_use]
    pub const fn default_window(self) -> Option<Duration> {
        match self {
            Self::RefusalsSustained | Self::RateExceeded => Some(Duration::from_secs(1)),
            Self::LimitedRatio => Some(Duration::from_secs(5)),
            Self::KillService
            | Self::KillSocket
            | Self::KillSignal
            | Self::KillInputAsserted
            | Self::KillInputSilent
            | Self::Persisted
            | Self::LatchFile
            | Self::FirstRun
            | Self::UncleanRestart
            | Self::SourceSilent
            | Self::Divergence
            | Self::FeedbackStale
            | Self::ForeignPublisher
            | Self::OtherPath
            | Self::Tilt
            | Self::AngularVelocity
            | Self::ControllerGone
            | Self::ControllerChanged
            | Self::TemperatureTrip
            | Self::BatteryTrip
            | Self::GateStalled
            | Self::Suspended
            | Self::ClockStep
            | Self::Shutdown
            | Self::SelfTest => None,
        }
    }

    /// Whether an arm condition of its own already says it, so that `cause_present` need not.
    pub(super) const fn has_own_condition(self) -> bool {
        matches!(
            self,
            Self::KillInputAsserted
                | Self::KillInputSilent
                | Self::FeedbackStale
                | Self::ControllerGone
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_causes_are_added_expect_each_once_in_the_order_of_the_list() {
        let set = CauseSet::default().with(Cause::Tilt, true).with(Cause::KillService, true);
        let again = set.with(Cause::Tilt, true).with(Cause::Suspended, false);
        assert_eq!(again, set);
        assert_eq!(again.iter().collect::<Vec<_>>(), [Cause::KillService, Cause::Tilt]);
    }
}
