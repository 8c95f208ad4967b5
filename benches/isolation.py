"""Whether what else the node does reaches the gate: residence and round trip under each disturbance, beside quiet.

Commands come at 500 Hz all the time. The conditions take turns of two seconds in an order that is drawn anew in each
round, quiet twice: what the two differ by is what the machine adds.
"""

import collections
import contextlib
import json
import random
import socket
import subprocess
import threading
import time

import numpy
import rclpy
from interlock.msg import Decision
from kill_latency import Scraper
from rclpy.executors import SingleThreadedExecutor
from rig import Rig, bound, lane
from spinning import spin
from stats import decidable, mean_ratio, quantiles

RATE_HZ, TURN_S = 500, 2.0
SCRAPE_HZ, SLOW_CLIENTS = 50, 8
# More than the server holds.
LOG_CLIENTS = 64
CONDITIONS = ["quiet", "quiet_control", "scrape", "slow_reader", "log_flood", "full_disk"]
FAMILY = "interlock_command_residence_seconds"
# One in this many decisions is told, with its residence.
TOLD_ONE_IN = 4
SMALL_DISK = "1m"


class Told:
    """`~/decisions`: when each was heard, and its residence."""

    def __init__(self, domain):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("bench_decisions", context=self.context)
        self.heard = []
        self.node.create_subscription(Decision, "/interlock/decisions", self.came, 1000)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        threading.Thread(target=spin, args=(self.executor,), daemon=True).start()

    def came(self, decision):
        if decision.verdict == Decision.PASSED:
            self.heard.append((time.monotonic_ns(), decision.residence_s * 1e9))

    def end(self):
        rclpy.shutdown(context=self.context)


class SlowReaders:
    """Clients that ask for a scrape and read a byte of it now and then."""

    def __init__(self, node):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(node.port,), daemon=True) for _ in range(SLOW_CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, port):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n")
            while not self.over.wait(0.1):
                client.recv(1)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class LogFlood:
    """Clients that do not finish their question, without a pause: each one too many is a line at the level debug."""

    def __init__(self, node):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(node.port,), daemon=True)
        self.thread.start()

    def run(self, port):
        clients = collections.deque(maxlen=LOG_CLIENTS)
        while not self.over.is_set():
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"GET / HTTP/1.1\r\n")
            # The one that falls out of the queue is closed.
            clients.append(client)

    def end(self):
        self.over.set()
        self.thread.join()


class FullDisk:
    """The disk of the latch and of the log is full, and lines for the log come all the time."""

    def __init__(self, disk, node):
        self.filler = disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={self.filler}", "bs=4k"], stderr=subprocess.DEVNULL, check=False)
        self.flood = LogFlood(node)

    def end(self):
        self.flood.end()
        self.filler.unlink()


class Nothing:
    def end(self):
        pass


def small_disk(folder):
    """A disk that can be filled, at this folder. False: this machine permits no mounts."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def residence(series):
    """Cumulative counts by edge, and the sum."""
    buckets = {name: value for name, value in series.items() if name.startswith(f"{FAMILY}_bucket")}
    edges = {float(n.split('le="')[1].split('"')[0].replace("+Inf", "inf")): v for n, v in buckets.items()}
    return edges, sum(value for name, value in series.items() if name.startswith(f"{FAMILY}_sum"))


def run(quick):
    rounds = 1 if quick else 20
    with Rig() as rig, contextlib.ExitStack() as ends:
        disk = rig.folder / "state"
        mounted = small_disk(disk)
        if mounted:
            # The node writes there until the rig ends; lazily, it goes then.
            ends.callback(subprocess.run, ["umount", "-l", str(disk)], check=False)
        return measure(rig, ends, disk, mounted, rounds)


def measure(rig, ends, disk, mounted, rounds):
    conditions = [name for name in CONDITIONS if mounted or name != "full_disk"]
    topics = ("/bench/in_interlock", "/bench/out_interlock")
    params = f"    decisions: {{passed_one_in: {TOLD_ONE_IN}}}\n" + lane("joints", *topics, RATE_HZ)
    node = rig.node(params, "state/node.log" if mounted else "node.log", ["--log-level", "interlock:=debug"])
    told = Told(rig.domain)
    ends.callback(told.end)
    turns = [name for _ in range(rounds) for name in random.sample(conditions, len(conditions))]
    plan = {
        "kind": "joints",
        "rate_hz": RATE_HZ,
        "warm_up": RATE_HZ,
        # More than the turns take: an order ends it.
        "rounds": int(RATE_HZ * (TURN_S + 1.0) * len(turns)),
        "routes": ["interlock"],
        "feedback": True,
    }
    driver = rig.peer("round-trip", json.dumps(plan))
    driver.hear()
    node.arm()
    driver.tell("go")
    driver.hear()
    begin = {
        "scrape": lambda: Scraper(node, SCRAPE_HZ),
        "slow_reader": lambda: SlowReaders(node),
        "log_flood": lambda: LogFlood(node),
        "full_disk": lambda: FullDisk(disk, node),
    }
    spans = []
    for name in turns:
        if node.process.child.poll() is not None:
            raise RuntimeError(f"the node ended under {name}")
        before = node.metrics()
        disturbance = begin.get(name, Nothing)()
        time.sleep(0.1)
        began = time.monotonic_ns()
        time.sleep(TURN_S)
        ended = time.monotonic_ns()
        disturbance.end()
        after = node.metrics()
        logged = log_lines(after) - log_lines(before)
        spans.append((name, began, ended, residence(before), residence(after), logged, refused(before, after)))
        time.sleep(0.1)
    state = node.status()["state"]
    driver.tell("stop")
    driver.hear(600)
    driver.tell("end")
    samples = driver.hear()["routes"]["interlock"]
    if state != "active":
        raise RuntimeError(f"the node ended {state}: what was measured is not the gate")
    return summary(conditions, spans, told.heard, samples)


def log_lines(series):
    return sum(value for name, value in series.items() if name.startswith("interlock_log_messages_total"))


def refused(before, after):
    """Commands that were not forwarded, by reason; what the lane withheld has none."""
    found = {}
    for series, value in after.items():
        rejected = series.startswith("interlock_commands_rejected_total")
        if rejected or (series.startswith("interlock_commands_total") and 'verdict="withheld"' in series):
            reason = series.split('reason="')[1].split('"')[0] if rejected else "withheld"
            if value > before.get(series, 0.0):
                found[reason] = found.get(reason, 0.0) + value - before.get(series, 0.0)
    return found


def added(counts):
    found = {}
    for one in counts:
        for key, count in one.items():
            found[key] = found.get(key, 0.0) + count
    return found


def summary(conditions, spans, heard, samples):
    heard_at, resided = numpy.array(heard).T if heard else (numpy.array([]), numpy.array([]))
    sent_at = numpy.array(samples["at"], dtype=float)
    trips = numpy.array([numpy.nan if t is None else t for t in samples["round_trip"]], dtype=float)
    found, means, medians = {}, {}, {}
    for name in conditions:
        of = [span for span in spans if span[0] == name]
        counts, sums, exact, round_trips, per_round = {}, [], [], [], []
        for _, began, ended, (before, sum_before), (after, sum_after), *_ in of:
            for edge, value in after.items():
                counts[edge] = counts.get(edge, 0.0) + value - before[edge]
            count = after[float("inf")] - before[float("inf")]
            sums.append((sum_after - sum_before) / max(1.0, count))
            here = resided[(heard_at >= began) & (heard_at < ended)]
            exact.extend(here)
            per_round.append(float(numpy.median(here)) if here.size else numpy.nan)
            round_trips.extend(trips[(sent_at >= began) & (sent_at < ended)])
        edges = sorted(counts)
        each = numpy.diff([0.0, *(counts[edge] for edge in edges)])
        means[name], medians[name] = sums, per_round
        known = [t for t in round_trips if not numpy.isnan(t)]
        found[name] = {
            "commands": float(each.sum()),
            "residence_mean_ns": 1e9 * float(numpy.mean(sums)),
            "residence_ns": quantiles(exact),
            "residence_p99_below_s": bound(edges, each, 0.99),
            "residence_over_50_us": 1.0 - sum(n for e, n in zip(edges, each) if e <= 5e-5) / max(1.0, each.sum()),
            "round_trip_ns": quantiles(known),
            "lost": len(round_trips) - len(known),
            "log_lines": sum(span[5] for span in of),
            "refused": added(span[6] for span in of),
        }
    for name in conditions[1:]:
        found[name]["mean_ratio"] = mean_ratio(means[name], means["quiet"])
        found[name]["p50_ratio"] = mean_ratio(medians[name], medians["quiet"])
    return {
        "conditions": found,
        "skipped": [] if "full_disk" in conditions else ["full_disk: mount is not permitted here"],
        "decidable": decidable(found["quiet_control"]["p50_ratio"]),
    }
