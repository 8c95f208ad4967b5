"""The guards of the controller's side, in Python and in C++, alone and against the real node.

The C++ one is compiled here against the generated messages and takes real permits by rcl; its adapter for
rclcpp is compiled where there is one. Needs the environment of ./dev test python.
"""

import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIDE = ROOT / "test" / "controller_side"
# Those of this work tree, not those installed with the messages.
sys.path.insert(0, str(ROOT / "controller_side" / "python"))
sys.path.insert(0, str(ROOT / "demo"))
sys.path.insert(0, str(ROOT / "test" / "support"))

import stage  # noqa: E402  (leases a ROS domain, as the tests in Rust do)
from interlock_guard import PermitGuard, Verdict  # noqa: E402
from interlock_guard.permit_subscription import received_at  # noqa: E402
import waiting  # noqa: E402
from one_lane import params  # noqa: E402

# Bounded, and generous: no test is about time.
PATIENCE_S = 60.0
wait = partial(waiting.wait, seconds=PATIENCE_S, look_every=0.005)
MS = 1_000_000
TOPIC = "/interlock/permit"


# --- the rules, without ROS ------------------------------------------------------------------------


def cases():
    """Of the table: (name, [words of each line])."""
    found = []
    for line in (SIDE / "cases.txt").read_text().splitlines():
        word, *rest = line.split() or ["#"]
        if word == "case":
            found.append((" ".join(rest), []))
        elif word != "#" and not word.startswith("#"):
            found[-1][1].append((word, *rest))
    return found


@pytest.mark.parametrize("steps", [pytest.param(steps, id=name) for name, steps in cases()])
def test_the_python_guard_says_what_the_table_says(steps):
    guard, looks = PermitGuard(), 0
    for word, at, *rest in steps:
        if word == "hear":
            number, said, valid_for = rest
            guard.hear(said == "yes", int(number), int(valid_for) * MS, int(at) * MS)
        else:
            assert word == "look"
            looks += 1
            assert guard.look(int(at) * MS) is Verdict(rest[0]), f"at {at} ms"
            assert guard.allows(int(at) * MS) is (rest[0] == "allowed")
    assert looks > 0


def test_every_verdict_is_in_the_table():
    said = {rest[-1] for _, steps in cases() for word, *rest in steps if word == "look"}
    assert said == {verdict.value for verdict in Verdict}


def test_a_permit_that_waited_is_as_old_as_it_is():
    now, wall = 50_000 * MS, 1_700_000_000_000 * MS
    assert received_at(wall - 30 * MS, now, wall) == now - 30 * MS
    # The middleware gives no time, or the wall clock was set back meanwhile.
    assert received_at(0, now, wall) == now
    assert received_at(wall + 5_000 * MS, now, wall) == now


# --- C++ -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The C++ controllers, built as an integrator builds theirs."""
    if not shutil.which("cmake"):
        pytest.skip("cmake is not installed: the C++ guard is not compiled")
    build = tmp_path_factory.mktemp("controller_side")
    prefixes = os.environ["AMENT_PREFIX_PATH"].replace(":", ";")
    for step in (
        ["cmake", "-S", SIDE, "-B", build, f"-DCMAKE_PREFIX_PATH={prefixes}",
         f"-DINTERLOCK_GUARD_INCLUDE={ROOT / 'controller_side' / 'cpp' / 'include'}"],
        ["cmake", "--build", build],
    ):  # fmt: skip
        done = subprocess.run(step, capture_output=True, text=True)
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    return build


def test_the_cpp_guard_says_what_the_table_says(programs):
    table = (SIDE / "cases.txt").read_text()
    done = subprocess.run([programs / "guard_cases"], input=table, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    looks = sum(word == "look" for _, steps in cases() for word, *_ in steps)
    assert done.stdout == f"{looks} looks, 0 failed\n"


def test_the_table_can_fail(programs):
    wrong = "case wrong\nhear 0 1 no 100\nlook 0 allowed\n"
    done = subprocess.run([programs / "guard_cases"], input=wrong, capture_output=True, text=True)
    assert done.returncode == 1
    assert "at 0 ms not_permitted, expected allowed" in done.stdout


def test_the_adapter_for_rclcpp_compiles(programs):
    if not (programs / "node_of_rclcpp").exists():
        pytest.skip("there is no rclcpp here: permit_subscription.hpp is not compiled")
    assert os.access(programs / "node_of_rclcpp", os.X_OK)


# --- against the real node ---------------------------------------------------------------------------


class PythonController:
    """The guard in an rclpy node of this process; a control loop that looks at it and notes each change."""

    def __init__(self, ros):
        from interlock_guard import PermitSubscription

        self.ros, self.told = ros, []
        self.permit = PermitSubscription(ros.node, TOPIC)
        self.ends = threading.Event()
        self.loop = threading.Thread(target=self.run, daemon=True)
        self.loop.start()

    def run(self):
        while not self.ends.wait(0.001):
            now = self.permit.guard.look().value
            if not self.told or self.told[-1] != now:
                self.told.append(now)

    def close(self):
        self.ends.set()
        self.loop.join()


class CppController:
    """The same in C++, in a process of its own."""

    def __init__(self, programs):
        self.told = []
        self.process = subprocess.Popen(
            [programs / "guard_on_rcl", TOPIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.told.append(line.strip())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0


class Ros:
    """An rclpy node that calls the gate's verbs."""

    def __init__(self):
        import rclpy
        from interlock.msg import State
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from spinning import spin

        rclpy.init()
        self.node = rclpy.create_node("operator")
        self.states = queue.SimpleQueue()
        self.state = None
        late = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(State, "/interlock/state", self.note, late)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=spin, args=(self.executor,), daemon=True)
        self.thread.start()

    def note(self, state):
        self.state = state

    def call(self, kind, name, **fields):
        client = self.node.create_client(kind, f"/interlock/{name}")
        try:
            wait(f"service {name}", client.service_is_ready)
            request = kind.Request()
            for field, value in fields.items():
                setattr(request, field, value)
            future = client.call_async(request)
            ends = time.monotonic() + 5.0
            while not future.done() and time.monotonic() < ends:
                time.sleep(0.005)
            # None: the middleware lost the answer; what came of it the state shows.
            return future.result() if future.done() else None
        finally:
            self.node.destroy_client(client)

    def reach(self, label):
        from interlock.srv import Arm, Reset
        from std_srvs.srv import Trigger

        def there():
            now = self.state
            if now is None or now.label == label:
                return now is not None
            if label == "killed":
                self.call(Trigger, "kill")
            elif now.label == "killed":
                self.call(Reset, "reset", seq=now.seq)
            else:
                self.call(Arm, "arm", seq=now.seq)
            return False

        wait(label, there)

    def close(self):
        import rclpy

        rclpy.shutdown()
        self.thread.join()


class Gate:
    """The real node; each start is another life with the same latch file."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        self.params = folder / "params.yaml"
        self.params.write_text(params(folder / "state", settle_s=0.05))

    def start(self):
        self.log = (self.folder / "node.log").open("ab")
        self.process = subprocess.Popen(
            ["interlock", "--ros-args", "--params-file", self.params],
            stdout=self.log,
            stderr=self.log,
        )

    def kill_9(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def said(self):
        """How it is, and its log, for whoever waits in vain."""
        if not self.process:
            return "the node was not started"
        return f"the node's exit code: {self.process.poll()}\n{(self.folder / 'node.log').read_text()}"


def scene(folder, make):
    """The whole story for one controller: what it is told, in order."""
    gate, ros = Gate(folder), Ros()
    controller = make(ros)
    told = controller.told

    def hears(*wanted):
        """A moment without permits, on a busy machine, may come between."""
        wait(str(wanted), lambda: told and told[-1] in wanted, lambda: f"it was told {told}\n{gate.said()}")

    try:
        hears("not_heard")
        gate.start()
        # A first run comes up killed.
        hears("not_permitted")
        ros.reach("disarmed")
        assert "allowed" not in told, told
        ros.reach("active")
        hears("allowed")

        ros.reach("killed")
        hears("not_permitted")
        ros.reach("active")
        hears("allowed")

        # The process stands still: nothing says no, only the age of what it said last.
        gate.process.send_signal(signal.SIGSTOP)
        hears("stale")
        # As its params file has it, a stall is told and no more: it goes on.
        gate.process.send_signal(signal.SIGCONT)
        hears("allowed")

        # It is gone.
        gate.kill_9()
        hears("stale")
        before = len(told)
        # It starts again, and comes up killed; only a person leads back.
        ros.state = None
        gate.start()
        hears("not_permitted", "restarted")
        ros.reach("disarmed")
        assert "allowed" not in told[before:], told
        ros.reach("active")
        hears("allowed")

        # Asked to end, it says no before it goes.
        gate.process.terminate()
        assert gate.process.wait(PATIENCE_S) == 0
        hears("not_permitted", "stale")
    finally:
        if gate.process and gate.process.poll() is None:
            gate.kill_9()
        controller.close()
        ros.close()


@pytest.fixture
def domain(monkeypatch, tmp_path):
    number, lock = stage.lease_domain(None)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    for name in ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    with lock:
        yield number


def test_the_python_guard_against_the_real_node(domain, tmp_path):
    scene(tmp_path, PythonController)


def test_the_cpp_guard_against_the_real_node(domain, tmp_path, programs):
    scene(tmp_path, lambda _ros: CppController(programs))
