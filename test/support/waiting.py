"""Bounded waiting, for the Python rigs of tests and benchmarks."""

import time


def wait(what, condition, last=lambda: "", *, seconds, look_every):
    """What the condition gives, once it gives something. Not a limit that is measured: only so that a hung
    program ends the test, and with what `last` says."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = condition()
        if found:
            return found
        time.sleep(look_every)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}\n{last()}".rstrip())
