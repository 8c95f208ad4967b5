#!/usr/bin/env python3
"""Takes away what killed processes left of Fast DDS in shared memory (docs/operating.md says why).

Each life of a node leaves a few files, and one that is killed while it makes a port leaves it half made: every
participant that starts after that waits for it without end. So whoever kills for a living cleans up, before it
starts: what a living process holds is locked, and stays, but not what it only writes into.
"""

import contextlib
import fcntl
from pathlib import Path

SHARED = Path("/dev/shm")
# Beside each file of Fast DDS: locked as long as the process lives that has it alone, or that shares it.
LOCKS = ("_el", "_sl")


def clean():
    """Returns how many files went."""
    names = {path.name.removesuffix("_el").removesuffix("_sl") for path in SHARED.glob("fastrtps_*")}
    return sum(remove(SHARED / name) for name in names)


def remove(held):
    locks = [held.with_name(held.name + lock) for lock in LOCKS]
    with contextlib.ExitStack() as files:
        try:
            for lock in filter(Path.exists, locks):
                fcntl.flock(files.enter_context(lock.open("rb")), fcntl.LOCK_EX | fcntl.LOCK_NB)
            there = [path for path in (held, held.with_name(f"sem.{held.name}_mutex"), *locks) if path.exists()]
            for path in there:
                path.unlink(missing_ok=True)
        except OSError:
            # A living process's, another user's, or gone meanwhile.
            return 0
    return len(there)


if __name__ == "__main__":
    print(f"shared memory: {clean()} files of killed processes taken away")
