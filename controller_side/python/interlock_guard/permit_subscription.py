"""The guard in a node of rclpy."""

import time

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from interlock.msg import Permit

from .permit_guard import PermitGuard

# As the gate publishes it. Only the newest counts.
PERMIT_QOS = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE
)


def received_at(received, now_ns=None, wall_ns=None):
    """When a message was received that is taken now: it may have waited for its executor, and is as old as it
    is. `received` is the middleware's time of receipt, nanoseconds since 1970; 0: not given."""
    now_ns = time.monotonic_ns() if now_ns is None else now_ns
    wall_ns = time.time_ns() if wall_ns is None else wall_ns
    # A wall clock that was set back says nothing.
    return now_ns if received <= 0 else now_ns - max(0, wall_ns - received)


class PermitSubscription:
    """`guard` is what the control loop asks. Whoever spins the node must go on spinning."""

    def __init__(self, node, topic="/interlock/permit", longest_ns=1_000_000_000):
        """`topic` is the gate's ~/permit."""
        self.guard = PermitGuard(longest_ns)

        # Both parameters have no default: by their number rclpy knows that it hands over the info, too.
        def heard(permit, info):
            valid_for_ns = permit.valid_for.sec * 1_000_000_000 + permit.valid_for.nanosec
            self.guard.hear(
                permit.permitted,
                permit.sequence_number,
                valid_for_ns,
                received_at(info["received_timestamp"]),
            )

        self._subscription = node.create_subscription(Permit, topic, heard, PERMIT_QOS)
