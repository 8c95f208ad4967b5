#!/usr/bin/env python3
"""Faults at random moments against the real node: ./dev test campaign, ./dev test --campaign

Two tables. kill_9.py: how often each was tried, the slowest start after it, and what was lost, which must be
nothing. faults.py: everything else that happens to a robot in motion, with the worst time to its safe command.
Another fault is another row of FAULTS in one of them.
"""

import argparse
import contextlib
import os
import pickle
import random
import secrets
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "demo"))

import faults  # noqa: E402
import kill_9  # noqa: E402
import shared_memory  # noqa: E402
import stage  # noqa: E402  (leases a ROS domain, as the tests in Rust do)
from node import Ended, Operator  # noqa: E402


# What a start may take. Told, and not judged: a busy machine may take longer.
START_S = 1.0
# Kills in one process: two of each kind.
PART = 14
# Longer than any part that goes on: a quarter of a minute is usual, and a try of a fault takes seconds.
PART_S, TRY_S = 300, 60
# How often a part may begin anew.
CRASHES = 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=56, metavar="N", help="of kill -9, all kinds together")
    parser.add_argument("--each", type=int, default=2, metavar="N", help="tries of each other fault")
    parser.add_argument("--only", metavar="TEXT", help="of these, the ones whose name has it; no kill -9")
    parser.add_argument("--seed", type=int, help="of an earlier run")
    return parser.parse_args()


def main():
    given = arguments()
    seed = secrets.randbelow(2**32) if given.seed is None else given.seed
    print(f"campaign: {given.tries} times kill -9, {given.each} of each other fault, seed {seed}", flush=True)
    # Before anybody starts, and not again: who lives would write on into the files that went.
    shared_memory.clean()
    domain, _lock = stage.lease_domain(None)
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    for name in ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS", "STATE_DIRECTORY"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="interlock-campaign-") as folder:
        # Its own control socket, too: another node of this user must not be in the way.
        os.environ.update(ROS_LOG_DIR=folder, RUNTIME_DIRECTORY=folder)
        folder = Path(folder)
        lost = run_kills(given.tries, seed, folder) if not given.only else 0
        lost += run_others(given.each, seed, folder, given.only or "")
        return 1 if lost else 0


def apart(name, folder, work, seconds):
    """What `work(folder)` returns, in a process of its own: operators are left to its end (node.py says why). None:
    it did not come to its end. The middleware crashes a process now and then when a peer of it was killed
    (docs/operating.md), or never ends a participant of it: then another one begins anew. Whatever is asked of the
    node is waited for within bounds, so that a part that takes longer than `seconds` hangs in its peers."""
    for attempt in range(1 + CRASHES):
        here = folder / f"{name.replace(' ', '-').replace('/', '')}-{attempt}"
        here.mkdir()
        found, status = in_a_child(lambda: work(here), seconds)  # noqa: B023  (called at once)
        crashed = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV
        if status is not None and not crashed:
            break
        what = "crashed" if crashed else f"held up for {seconds} s"
        print(f"  the middleware {what} the peers of '{name}' ({attempt + 1} of {1 + CRASHES} tries)", flush=True)
    if status or not found:
        print(f"LOST in {name}: this part of the campaign ended with {status}", flush=True)
        return None
    return pickle.loads(found)


def in_a_child(work, seconds):
    """What it wrote, and how it ended, None: it did not in time; whom it started ends with it."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        try:
            result = pickle.dumps(work())
            with open(write, "wb") as pipe:
                pipe.write(result)
        except BaseException:  # noqa: BLE001  (whatever it is, it is told, and the process ends)
            traceback.print_exc()
        sys.stdout.flush()
        # No destructor of a middleware whose peers were killed.
        os._exit(0)
    os.close(write)
    ended, status, ends = 0, None, time.monotonic() + seconds
    try:
        while not ended and time.monotonic() < ends:
            ended, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
        status = None
    with open(read, "rb") as pipe:
        return pipe.read(), status


class Kept:
    """Operators, until their process ends: no destructor of a middleware whose peers were killed."""

    all = []

    @classmethod
    def operator(cls):
        cls.all.append(Operator())
        return cls.all[-1]


def run_kills(tries, seed, folder):
    """Returns how many of them lost something."""
    rows = {name: [0, 0.0, 0] for name in kill_9.FAULTS}
    lives = told = slow = unanswered = disturbed = broken = 0
    for begin in range(0, tries, PART):
        draw, count = random.Random(f"{seed}/{begin}"), min(PART, tries - begin)
        part = apart(f"kills {begin}", folder, lambda here: run(count, Kept.operator(), draw, here, disturbed), PART_S)  # noqa: B023
        if part is None:
            broken += 1
            continue
        for name, (tried, worst, lost) in part["rows"].items():
            row = rows[name]
            row[:] = row[0] + tried, max(row[1], worst), row[2] + lost
        lives, told = lives + part["lives"], told + part["told"]
        slow, unanswered, disturbed = slow + part["slow"], unanswered + part["unanswered"], part["disturbed"]
        print(f"  {min(begin + PART, tries)} of {tries}", flush=True)
    print(f"{'fault':32} {'tries':>6} {'worst start':>12} {'lost':>5}")
    for name, (tried, worst, lost) in rows.items():
        print(f"{name:32} {tried:6} {worst:10.3f} s {lost:5}")
    tried, lost = (sum(row[at] for row in rows.values()) for at in (0, 2))
    lost += broken
    print(f"{tried - lost} passed, {lost} failed in {lives} lives; kills told to be on disk: {told}, "
          f"starts above {START_S:.0f} s: {slow}, answers the middleware lost: {unanswered}")
    return lost


def run_others(tries, seed, folder, only):
    """Returns how many faults lost something."""
    table, failed, skipped = [], 0, 0
    for name in faults.FAULTS:
        if only in name:
            draw = random.Random(f"{seed}/{name}")
            found = apart(name, folder, lambda here: faults.run(name, faults.Arena(Kept.operator(), here, draw), tries), PART_S + TRY_S * tries)  # noqa: B023
            tried, worst, lost, why = found or (0, 0.0, 1, "did not come to its end")
            failed += lost
            skipped += tried == 0 and not lost
            table.append(f"{name:32} {tried:6} {worst * 1000:10.1f} ms {lost:5}  {why}")
            print(f"  {table[-1]}", flush=True)
    print(f"{'fault':32} {'tries':>6} {'worst stop':>13} {'lost':>5}", *table, sep="\n")
    print(f"{len(table) - failed - skipped} passed, {failed} failed, {skipped} skipped, of the other faults")
    return failed


def run(tries, operator, draw, folder, disturbed):
    """A part of the kills: what was found, to be added to the others'. `disturbed`: how often it was before."""
    lives = kill_9.Lives(operator, folder, draw)
    rows = {name: [0, 0.0, 0] for name in kill_9.FAULTS}
    names, slow = list(rows), 0
    for count in range(tries):
        # Each in turn, in an order that is drawn: none is left out in a short run.
        if count % len(names) == 0:
            draw.shuffle(names)
        name = names[count % len(names)]
        lives.worst_start_s = 0.0
        row = rows[name]
        row[0] += 1
        try:
            kill_9.FAULTS[name](lives)
        except Ended as ended:
            # Too busy a machine: its latch is compared at the next start all the same.
            lives.end_whoever_is_left()
            disturbed += 1
            print(f"  in {name}: {ended}", flush=True)
            if ended.code != -signal.SIGABRT or disturbed > faults.DISTURBED:
                row[2] += 1
        except (kill_9.Lost, TimeoutError) as lost:
            row[2] += 1
            print(f"LOST in {name}: {lost}", flush=True)
            lives.end_whoever_is_left()
            lives.durable, lives.released = [], True
        row[1] = max(row[1], lives.worst_start_s)
        slow += lives.worst_start_s > START_S
    # The last fault is judged by one more start.
    lives.begin().kill_9()
    found = {"rows": rows, "lives": lives.life, "told": lives.told, "slow": slow}
    return {**found, "disturbed": disturbed, "unanswered": operator.unanswered}


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except Exception:  # noqa: BLE001  (whatever it is, it is told, and the process ends)
        traceback.print_exc()
    sys.stdout.flush()
    # No destructor of a middleware whose peers were killed.
    os._exit(code)
