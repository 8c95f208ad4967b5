#!/usr/bin/env python3
"""Takes away what killed processes left of Fast DDS in shared memory (docs/operating.md says why).

Each life of a node leaves a few files. After some thousand of them new participants of any domain hang, so
whoever kills for a living cleans up. What a living process holds is locked, and stays.
"""

import fcntl
from pathlib import Path

SHARED = Path("/dev/shm")
# Beside each file of Fast DDS; locked as long as its process lives.
LOCK = "_el"


def clean():
    """Returns how many files went."""
    gone = 0
    for lock in SHARED.glob(f"fastrtps_*{LOCK}"):
        held = lock.with_name(lock.name.removesuffix(LOCK))
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in (held, held.with_name(f"sem.{held.name}_mutex"), lock):
                    left.unlink(missing_ok=True)
                    gone += 1
        except OSError:
            # A living process's, another user's, or gone meanwhile.
            continue
    return gone


if __name__ == "__main__":
    print(f"shared memory: {clean()} files of killed processes taken away")
