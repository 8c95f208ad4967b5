"""Whether the gate permits motion, as a controller must see it: from what it heard, by its own clock.

Invariant: nothing but a fresh permit that says yes allows motion; what is not known does not. The same rules
as in permit_guard.hpp; one table of cases tests both.
"""

import enum
import time


class Verdict(enum.Enum):
    """What a controller is told. Everything but ALLOWED means: stop."""

    ALLOWED = "allowed"
    # No permit yet: is the gate running, is the topic's name right?
    NOT_HEARD = "not_heard"
    # The gate says no: disarmed, killed, or holding.
    NOT_PERMITTED = "not_permitted"
    # The newest permit is older than it may be: gate, network or executor stand still.
    STALE = "stale"
    # The gate began anew, or a second one speaks; ends with a permit that says no.
    RESTARTED = "restarted"


class PermitGuard:
    """`hear` and `look` may be called from different threads. Times are nanoseconds of time.monotonic_ns()."""

    def __init__(self, longest_ns=1_000_000_000):
        """`longest_ns`: no permit is valid for longer, whatever it says itself."""
        self._longest_ns = longest_ns
        self._newest = None
        self._must_say_no = False
        # Replaced as one: up to when motion is allowed, and why it is not after that.
        self._state = (None, Verdict.NOT_HEARD)

    def hear(self, permitted, sequence_number, valid_for_ns, received_ns=None):
        """One permit, received at that time (now). From one thread at a time."""
        received_ns = time.monotonic_ns() if received_ns is None else received_ns
        # The number of one run only grows. Anything else is another run, or somebody else.
        went_back = self._newest is not None and sequence_number <= self._newest
        self._must_say_no = bool(permitted) and (self._must_say_no or went_back)
        self._newest = sequence_number
        if self._must_say_no:
            self._state = (None, Verdict.RESTARTED)
        elif not permitted:
            self._state = (None, Verdict.NOT_PERMITTED)
        else:
            self._state = (received_ns + min(valid_for_ns, self._longest_ns), Verdict.STALE)

    def look(self, now_ns=None):
        """Whether motion is allowed at that time (now), and if not, why."""
        now_ns = time.monotonic_ns() if now_ns is None else now_ns
        until, reason = self._state
        # A permit that is valid for no time ends before it begins.
        return Verdict.ALLOWED if until is not None and now_ns < until else reason

    def allows(self, now_ns=None):
        """The same as a bit."""
        return self.look(now_ns) is Verdict.ALLOWED
