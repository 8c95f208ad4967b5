"""What the story is told with: the node and the peers as processes, the operator, the metrics.

Nothing here decides what is right; story.py does. Waiting is always for a condition, bounded and
generous, and never a measurement.
"""

import collections
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBC = ctypes.CDLL(None)  # loaded before any fork
WAIT_S = 60.0
LOOK_EVERY_S = 0.01

RUNNING = []  # the processes without which there is nothing to wait for

Sample = collections.namedtuple("Sample", "at bytes mode")


class Failed(Exception):
    """Something did not happen."""

    def __init__(self, found, expected):
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected = found, expected


class Disturbed(Exception):
    """The machine was so busy that the gate stopped by itself: right, but not what is being shown."""


def expect(condition, found, expected):
    if not condition:
        raise Failed(found, expected)


# --- places that nobody else uses ------------------------------------------------------------------


def lease_domain(wanted=None):
    """A ROS domain for this run, and the open file whose lock keeps it ours.

    Above 101 the ports would collide with ephemeral ones. The tests take theirs by the same locks.
    """
    folder = Path(tempfile.gettempdir()) / "interlock-test-domains"
    folder.mkdir(exist_ok=True)
    first = 7 * os.getpid()
    for domain in [wanted] if wanted else (1 + (first + i) % 101 for i in range(101)):
        with contextlib.suppress(OSError):
            lock = open(folder / f"{domain}.lock", "a")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("", 7400 + 250 * domain + 10))  # the first participant's own port
            return domain, lock
    raise SystemExit(f"demo: no free ROS domain{f': {wanted} is in use' if wanted else ''}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- processes --------------------------------------------------------------------------------------


def _dies_with_the_demo():
    """Runs in the child. Ctrl-C is for the demo alone; if the demo is killed, the node is told to end."""
    os.setsid()
    LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def find_program():
    program = shutil.which("interlock")
    if program is None:
        raise SystemExit("demo: no `interlock` in PATH: run ./dev demo, or source the workspace")
    return program


class Node:
    """The node, with everything it logs in a file."""

    name = "the node"

    def __init__(self, program, arguments, log):
        self.log = log
        self.started, self.started_wall = time.monotonic_ns(), time.time()
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [program, "--ros-args", *arguments], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, preexec_fn=_dies_with_the_demo)
        RUNNING.append(self)

    def may_end(self):
        RUNNING.remove(self)

    def last_lines(self, count=12):
        return self.log.read_text(errors="replace").splitlines()[-count:]

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Peer:
    """A peer and what it has reported so far."""

    def __init__(self, script, setup, log):
        self.name = script
        self.samples, self.done, self.poses = [], [], []
        self.by_bytes = {}  # the first sample with these bytes
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, HERE / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True, preexec_fn=_dies_with_the_demo)
        RUNNING.append(self)
        self.order(**setup)
        threading.Thread(target=self._listen, daemon=True).start()

    def order(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def _listen(self):
        for line in self.process.stdout:
            report = json.loads(line)
            if "bytes" in report:
                raw = bytes.fromhex(report["bytes"])
                sample = Sample(report["at"], raw, report.get("mode"))
                self.by_bytes.setdefault(raw, sample)
                self.samples.append(sample)
            elif "pose" in report:
                self.poses.append(report["pose"])
            else:
                self.done.append(report["done"])

    def since(self, moment):
        newest = itertools.takewhile(lambda sample: sample.at >= moment, reversed(self.samples))
        return list(newest)[::-1]

    def last_run(self):
        """The newest samples, as far back as their bytes are the same."""
        samples = self.samples[:]
        run = itertools.takewhile(lambda sample: sample.bytes == samples[-1].bytes, reversed(samples))
        return list(run)[::-1]

    def end(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# --- the operator -------------------------------------------------------------------------------------


class Operator:
    """A ROS node that looks at ~/state and ~/decisions and calls the verbs."""

    def __init__(self):
        import rclpy
        from interlock.msg import Decision, State
        from interlock.srv import Arm, Reset
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from rclpy.signals import SignalHandlerOptions
        from std_srvs.srv import Trigger

        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        self._rclpy, self._kinds = rclpy, {"arm": Arm, "reset": Reset, "kill": Trigger}
        self.node = rclpy.create_node("operator")
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.state, self.first_state = None, None
        self.node.create_subscription(State, "/interlock/state", self._see, latched)
        self.decisions = []
        self.node.create_subscription(Decision, "/interlock/decisions", self.decisions.append, 100)
        self.clients = {
            verb: self.node.create_client(kind, f"/interlock/{verb}") for verb, kind in self._kinds.items()
        }
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self):
        with contextlib.suppress(self._rclpy.executors.ExternalShutdownException):
            self._executor.spin()

    def _see(self, state):
        self.first_state = self.first_state or time.monotonic_ns()
        self.state = state

    @property
    def label(self):
        return self.state.label if self.state else "unknown"

    @property
    def lane(self):
        return self.state.lanes[0].label if self.state else "unknown"

    def call(self, verb, profile=""):
        """Calls a verb. Returns the moment of the call, that of the answer, and the answer."""
        client = self.clients[verb]
        expect(client.wait_for_service(WAIT_S), "no such service", f"/interlock/{verb}")
        request = self._kinds[verb].Request()
        if verb != "kill":
            request.seq = self.state.seq
            request.operator_name = "demo"
        if verb == "arm":
            request.profile = profile
        answered = []
        called = time.monotonic_ns()
        future = client.call_async(request)
        future.add_done_callback(lambda _: answered.append(time.monotonic_ns()))
        wait(f"an answer from ~/{verb}", lambda: answered)
        return called, answered[0], future.result()

    def end(self):
        self._rclpy.try_shutdown()
        self._thread.join(5)


# --- waiting, and the metrics ------------------------------------------------------------------------


def check_running(what):
    for one in RUNNING:
        if one.process.poll() is not None:
            raise Failed(f"{one.name} ended with exit code {one.process.returncode}", what)


def wait(what, condition, found=lambda: "nothing of it", every_s=LOOK_EVERY_S):
    """Waits until the condition gives something, and returns that. Ends early with a process that should run."""
    end = time.monotonic() + WAIT_S
    while True:
        result = condition()
        if result:
            return result
        check_running(what)
        if time.monotonic() > end:
            raise Failed(f"{found()} after {WAIT_S:.0f} s", what)
        time.sleep(every_s)


class Metrics:
    """One scrape."""

    SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.M)
    LABEL = re.compile(r'(\w+)="([^"]*)"')

    def __init__(self, address):
        try:
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=WAIT_S) as answer:
                text = answer.read().decode()
        except OSError as error:
            check_running("an answer from /metrics")
            raise Failed(f"{error}", f"an answer from http://{address}/metrics") from error
        self.series = [
            (name, dict(self.LABEL.findall(labels)), float(value), f"{name}{{{labels}}}" if labels else name)
            for name, labels, value in self.SERIES.findall(text)
        ]

    def find(self, name, **labels):
        """The matching series: labels, value and text of each."""
        return [s[1:] for s in self.series if s[0] == name and labels.items() <= s[1].items()]

    def sum(self, name, **labels):
        return sum(value for _, value, _ in self.find(name, **labels))

    def quantile_edge(self, name, ratio):
        """The bucket edge in seconds under which this part of a histogram lies."""
        total = self.sum(f"{name}_count")
        buckets = sorted((float(labels["le"]), value) for labels, value, _ in self.find(f"{name}_bucket"))
        return next(edge for edge, count in buckets if count >= ratio * total)
