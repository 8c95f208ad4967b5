//! What the gate says of one command: the verdict, why, and which limit changed it.

use super::closed_list::closed_list;

closed_list! {
    /// The outcome for one received command. The five add up to what was received.
    Verdict {
        /// Forwarded bit for bit.
        Passed = "passed",
        /// Forwarded with at least one value changed.
        Limited = "limited",
        /// Refused; see [`Reason`].
        Rejected = "rejected",
        /// Valid, but the state does not permit motion.
        Withheld = "withheld",
        /// Valid, but another source owns the lane.
        NotSelected = "not_selected",
    }
}

closed_list! {
    /// Why a command was refused.
    Reason {
        /// The bytes are not a message of this type.
        Malformed = "malformed",
        /// Longer than `max_message_bytes`.
        TooLarge = "too_large",
        /// NaN or an infinity where a number is needed.
        NotFinite = "not_finite",
        /// Not as many values as the lane has joints.
        WrongCount = "wrong_count",
        /// A joint name that the lane does not have.
        UnknownJoint = "unknown_joint",
        /// A joint name twice.
        DuplicateJoint = "duplicate_joint",
        /// A fixed field has a value that is not allowed.
        FixedValue = "fixed_value",
        /// The frame's checksum does not fit its contents.
        Checksum = "checksum",
        /// Sent or received before the arm.
        Fenced = "fenced",
        /// More commands than the source may send.
        RateExceeded = "rate_exceeded",
        /// The header stamp is too old.
        StaleStamp = "stale_stamp",
        /// The header stamp is in the future.
        FutureStamp = "future_stamp",
        /// Older than a command already taken from the same publisher.
        OutOfOrder = "out_of_order",
        /// Another publisher is in charge of this source.
        OtherPublisher = "other_publisher",
        /// The publisher's node is not in `allowed_nodes`.
        PublisherNotAllowed = "publisher_not_allowed",
        /// A dimension without a limit is not zero.
        LockedAxis = "locked_axis",
        /// Outside the position limits.
        Position = "position",
        /// Over the velocity limit.
        Velocity = "velocity",
        /// Over the acceleration or deceleration limit.
        Acceleration = "acceleration",
        /// Over the jerk limit.
        Jerk = "jerk",
        /// Over the effort limit.
        Effort = "effort",
        /// Over a gain limit.
        Gain = "gain",
        /// The sum of efforts is over its limit.
        TotalEffort = "total_effort",
        /// The first point of a trajectory does not continue what was last sent.
        Discontinuity = "discontinuity",
        /// A trajectory reaches further ahead than allowed.
        Horizon = "horizon",
        /// The times of a trajectory's points do not increase.
        TimesNotIncreasing = "times_not_increasing",
    }
}

closed_list! {
    /// Which limit changed a value. One command can count under several.
    Limit {
        /// Position bounds.
        Position = "position",
        /// Velocity bounds.
        Velocity = "velocity",
        /// Speeding up.
        Acceleration = "acceleration",
        /// Slowing down.
        Deceleration = "deceleration",
        /// Change of acceleration.
        Jerk = "jerk",
        /// Force or torque.
        Effort = "effort",
        /// Stiffness or damping gains.
        Gain = "gain",
        /// Heat or charge shrank the limit.
        Derating = "derating",
        /// A hand-over between sources.
        Handover = "handover",
        /// The start ramp after an arm.
        Ramp = "ramp",
    }
}
