"""Spinning an rclpy executor beside threads that make and destroy what it waits for."""

from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException


def spin(executor):
    """Until the executor or its context ends.

    An rclpy executor passes over what was destroyed while it makes its wait set, but for the events of a publisher or
    a subscription: those end `spin` with an InvalidHandle. The next wait set has them no more.
    """
    while True:
        try:
            return executor.spin()
        except InvalidHandle:
            continue
        except ExternalShutdownException:
            return None
