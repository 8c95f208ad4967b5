"""The real node and its peers on a ROS domain of their own, and what /proc says of each."""

import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "test" / "support"))

import waiting  # noqa: E402

# Where a release build is; ./dev says it.
BUILT = pathlib.Path(os.environ.get("INTERLOCK_BENCH_BUILT", ROOT / "target" / "release"))
PATIENCE_S = 60.0
wait = partial(waiting.wait, seconds=PATIENCE_S, look_every=0.01)
JOINTS = [f"joint_{number}" for number in range(29)]

# The latch is on disk, HTTP is on, nothing is left out. A shared machine stalls for more than 50 ms now and then;
# that would disarm in the middle of a measurement.
HEAD = """{name}:
  ros__parameters:
    schema: 1
    state_dir: {folder}/state
    control_socket: {{path: {folder}/control.sock}}
    http: {{listen: '127.0.0.1:{port}'}}
    release_over_ros: true
    causes: {{gate_stalled: {{action: warn}}, rate_exceeded: {{action: warn}}}}
"""


class Process:
    """A peer or the node. Its lines of JSON are read as they come."""

    def __init__(self, words, env, log):
        self.words = words
        self.child = subprocess.Popen(
            words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
        )
        self.pid = self.child.pid
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            # The middleware's errors come out there, too.
            if line.startswith("{"):
                self.lines.put(line)
        self.lines.put(None)

    def tell(self, order):
        self.child.stdin.write(f"{order}\n")

    def hear(self, seconds=PATIENCE_S):
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"{self.words} said nothing for {seconds:.0f} s") from None
        if line is None:
            raise RuntimeError(f"{self.words} ended with {self.child.wait()}")
        return json.loads(line)

    def ask(self, order):
        self.tell(order)
        return self.hear()

    def usage(self):
        """CPU seconds and context switches of all threads so far. Threads that have ended are left out."""
        cpu_ns = voluntary = forced = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                cpu_ns += int((task / "schedstat").read_text().split()[0])
                status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line)
                voluntary += int(status["voluntary_ctxt_switches"])
                forced += int(status["nonvoluntary_ctxt_switches"])
        return {"cpu_s": cpu_ns / 1e9, "voluntary": voluntary, "forced": forced}

    def thread_cpu_s(self, name):
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                return int((task / "schedstat").read_text().split()[0]) / 1e9
        raise LookupError(f"no thread {name}")

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise LookupError("no VmRSS")

    def end(self):
        """As it would end by itself: nothing is left in shared memory."""
        if self.child.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()
            if "--ros-args" in self.words:
                self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def difference(before, after):
    return {key: after[key] - before[key] for key in before}


class Rig:
    """`with Rig() as rig:` everything it has started ends with it."""

    def __init__(self, discovery="LOCALHOST"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="interlock-bench-"))
        self.lock, self.domain = take_domain()
        self.env = {
            **os.environ,
            "ROS_DOMAIN_ID": str(self.domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": discovery,
            "ROS_LOG_DIR": str(self.folder / "log"),
        }
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        failed = error[0] is not None
        for process in reversed(self.processes):
            process.end()
        self.lock.close()
        if failed:
            for log in self.folder.glob("*.log"):
                sys.stderr.write(f"--- the end of {log.name}\n{log.read_text(errors='replace')[-3000:]}\n")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, words, log="peers.log", env=None):
        path = self.folder / log
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            process = Process([str(word) for word in words], {**self.env, **(env or {})}, file)
        self.processes.append(process)
        return process

    def peer(self, *words, env=None):
        return self.start([BUILT / "examples" / "peers", *words], env=env)

    def rclpy_peer(self, *words):
        return self.start([sys.executable, HERE / "rclpy_peers.py", *words])

    def end(self, process):
        process.end()
        self.processes.remove(process)

    def node(self, params, log="node.log", words=(), name="interlock", env=None):
        return Node(self, params, log, words, name, env)


def take_domain():
    """A domain that nobody else on this machine measures or tests on."""
    locks = pathlib.Path(tempfile.gettempdir()) / "interlock-test-domains"
    locks.mkdir(exist_ok=True)
    for number in range(101):
        domain = 1 + (os.getpid() * 7 + number) % 101
        lock = open(locks / f"{domain}.lock", "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, domain
        except OSError:
            lock.close()
    raise RuntimeError("every ROS domain is taken")


class Node:
    """The node with these params after `HEAD`. One of another name has its files in a folder of that name."""

    def __init__(self, rig, params, log, words, name, env):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        folder = rig.folder
        if name != "interlock":
            folder, words = folder / name, [*words, "-r", f"__node:={name}"]
            folder.mkdir()
        file = folder / "params.yaml"
        file.write_text(HEAD.format(name=name, folder=folder, port=self.port) + params)
        self.socket = str(folder / "control.sock")
        self.process = rig.start([BUILT / "interlock", "--ros-args", "--params-file", file, *words], log, env)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return body

    def status(self):
        """None: it does not answer yet."""
        if self.process.child.poll() is not None:
            raise RuntimeError(f"the node ended: {self.process.child.returncode}")
        try:
            return json.loads(self.get("/status"))
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def metrics(self):
        """Series by their text, labels included."""
        series = {}
        for line in self.get("/metrics").decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                series[name] = float(value)
        return series

    def verb(self, **request):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            client.sendall(json.dumps({"v": 1, **request}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def arm(self):
        """Over the control socket, as an operator: again while conditions settle."""
        last = None

        def active():
            nonlocal last
            status = self.status()
            if status is None or status["state"] == "active":
                return status
            if last is not None:
                time.sleep(1.0)  # More attempts a second are refused.
            verb = "reset" if status["state"] == "killed" else "arm"
            last = self.verb(verb=verb, seq=status["seq"], operator="bench", reason="a measurement")
            return None

        try:
            wait("the node to be armed", active)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the last answer: {last}") from None


def histogram(before, after, family, **labels):
    """What came in between: (upper edges in seconds, counts), and the sum in seconds."""
    counts, total = {}, 0.0
    for series, value in after.items():
        if series.startswith(family) and all(f'{key}="{text}"' in series for key, text in labels.items()):
            grown = value - before.get(series, 0.0)
            if series.startswith(f"{family}_bucket"):
                edge = float(series.split('le="')[1].split('"')[0].replace("+Inf", "inf"))
                counts[edge] = counts.get(edge, 0.0) + grown
            elif series.startswith(f"{family}_sum"):
                total += grown
    edges = sorted(counts)
    cumulative = [counts[edge] for edge in edges]
    return edges, [high - low for low, high in zip([0.0, *cumulative], cumulative)], total


def bound(edges, counts, quantile):
    """The upper edge of the bucket that holds this quantile."""
    wanted, seen = quantile * sum(counts), 0.0
    for edge, count in zip(edges, counts):
        seen += count
        if count and seen >= wanted:
            return edge
    return None


# The lane that is measured: 29 joints, every kind of limit, feedback.
JOINT_LANE = """    lanes:
      body:
        type: std_msgs/msg/Float64MultiArray
        interface: position
        output: {output}
        feedback: joints
        joints: [{joints}]
        limits: {{min_position: -1.0, max_position: 1.0, max_velocity: 2.0, max_acceleration: 100000.0}}
        safe: {{command: freeze, tolerance: 0.1}}
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        sources: {{vla: {{topic: {source}, priority: 10, timeout_s: 0.5, max_rate_hz: {rate_hz}, burst: 100}}}}
    feedback: {{joints: {{type: sensor_msgs/msg/JointState, topic: /bench/joint_states, timeout_s: 0.5}}}}
"""

TWIST_LANE = """    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: {output}
        feedback: none
        because: a measurement has no robot
        limits:
          linear: {{x: {{max_velocity: 0.5, max_acceleration: 1000.0}}, y: {{max_velocity: 0.5, max_acceleration: 1000.0}}}}
          angular: {{z: {{max_velocity: 1.0, max_acceleration: 1000.0}}}}
        safe: {{command: zero_velocity}}
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        sources: {{vla: {{topic: {source}, priority: 10, timeout_s: 0.5, max_rate_hz: {rate_hz}, burst: 100}}}}
"""


def lane(kind, source, output, rate_hz):
    """The params of one lane. `rate_hz` is the source's own rate; a fifth more is let through."""
    text = JOINT_LANE if kind == "joints" else TWIST_LANE
    return text.format(source=source, output=output, rate_hz=1.2 * rate_hz, joints=", ".join(JOINTS))
