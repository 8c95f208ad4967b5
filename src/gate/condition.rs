//! Arm conditions: what stands in the way of the next step.

use super::closed_list::closed_list;

closed_list! {
    /// One thing that must hold before an arm (or a reset, where noted).
    ConditionCode {
        /// A kill input asserts. Also prevents reset.
        KillInputAsserted = "kill_input_asserted",
        /// A kill input has fallen silent.
        KillInputSilent = "kill_input_silent",
        /// A kill input was never heard.
        KillInputUnseen = "kill_input_unseen",
        /// Feedback is missing or silent.
        FeedbackStale = "feedback_stale",
        /// The lane's own joints or base move.
        NotStandingStill = "not_standing_still",
        /// Nobody reads the lane's output.
        NoController = "no_controller",
        /// Somebody else than the named controller reads it, or with another type or QoS.
        ControllerMismatch = "controller_mismatch",
        /// Somebody else publishes on the output.
        ForeignPublisher = "foreign_publisher",
        /// A cause with action `disarm` or `kill` is present.
        CausePresent = "cause_present",
        /// A source does not look as its `engage` rule wants.
        SourceNotReady = "source_not_ready",
        /// The latch file cannot be written. Also prevents reset.
        LatchNotWritable = "latch_not_writable",
        /// The limits are to come with a robot description, which has not come yet.
        RobotDescriptionMissing = "robot_description_missing",
        /// Heat and charge, which may derate or trip, are not looked at any more.
        SensorsUnread = "sensors_unread",
        /// The node runs on simulated time.
        SimulatedTime = "simulated_time",
        /// There is nothing to build a safe command on.
        NoSafeCommand = "no_safe_command",
        /// All else holds, but not yet for `arm.settle_s`.
        Settling = "settling",
        /// The state moved since the caller looked.
        SeqMoved = "seq_moved",
    }
}
