"""Holds one thread of a process still, as a debugger does: hold_thread.py PID NAME

Says `held` when the thread stands, and holds it until it ends with its process; then says `ended`. Says
`not permitted` where the system lets nobody do that.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

SEIZE, INTERRUPT, CONTINUE = 0x4206, 0x4207, 7
WALL = 0x40000000
FUTEX = "202 "  # x86-64's number; another machine's is never asked for below.
TRIES = 1000

libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def thread_of(process, name):
    for task in Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise SystemExit(f"process {process} has no thread {name}")


def parks(thread):
    """Whether it waits for its next tick: held in the middle of a publish it would keep the middleware's
    locks, and nobody could send anything."""
    try:
        return Path(f"/proc/{thread}/syscall").read_text().startswith(FUTEX)
    except OSError:
        return True


def main():
    process, name = int(sys.argv[1]), sys.argv[2]
    thread = thread_of(process, name)
    try:
        ptrace(SEIZE, thread)
    except OSError:
        print("not permitted", flush=True)
        return
    for _ in range(TRIES):
        waited = parks(thread)
        ptrace(INTERRUPT, thread)
        os.waitpid(thread, WALL)
        if waited and parks(thread):
            break
        ptrace(CONTINUE, thread)
        time.sleep(0.001)
    print("held", flush=True)
    ended = False
    while not ended:
        status = os.waitpid(thread, WALL)[1]
        ended = os.WIFSIGNALED(status) or os.WIFEXITED(status)
    print("ended", flush=True)


if __name__ == "__main__":
    main()
