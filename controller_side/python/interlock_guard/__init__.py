"""Stops a controller when the gate's permit ends. docs/controller-side.md says how to use it."""

from .permit_guard import PermitGuard, Verdict

__all__ = ["PermitGuard", "PermitSubscription", "Verdict"]


def __getattr__(name):
    # The guard itself needs no ROS.
    if name == "PermitSubscription":
        from .permit_subscription import PermitSubscription

        return PermitSubscription
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
