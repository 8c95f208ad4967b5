"""A robot for one fault: the real node with a mobile base, its source as a process, and its output watched."""

import subprocess
import sys
import time
from pathlib import Path

from node import Node, wait

SPEED = 0.25
# Until commands flow; generous, and still short enough that a broken robot is told in time.
FLOWS_S = 120.0
# Samples after the first safe command that must be safe, too.
STILL = 8


class Lost(Exception):
    """What must not be."""


class Robot:
    def __init__(self, operator, folder, name, more=None, stalled="warn", prefix=(), env=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.operator, self.folder, self.name = operator, folder, name
        causes = {name: {"action": "warn"} for name in ("rate_exceeded", "refusals_sustained")}
        keys = {
            "kind": "geometry_msgs/msg/TwistStamped",
            "stalled": stalled,
            "rate_hz": 600.0,
            "acceleration": 10.0,
            "lane": {"start_ramp_s": 0.0, "handover": {"duration_s": 0.0}},
            "more": {"causes": causes, **(more or {})},
        }
        self.namespace, self.settings = f"/{name}", (keys, prefix, env)
        self.seen = []  # (moment, x) of every command on the output
        self.source = None
        self.begin()

    def saw(self, command):
        self.seen.append((time.monotonic(), command.twist.linear.x))

    def begin(self):
        self.meet()
        self.start()

    def meet(self):
        """Peers that know no life before the next (node.py says why)."""
        from geometry_msgs.msg import TwistStamped
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        if self.source:
            self.end_peers()
        self.operator.renew()
        depth = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
        # Ends with the operator.
        self.operator.node.create_subscription(TwistStamped, f"{self.namespace}/cmd_vel", self.saw, depth)
        self.source = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("source.py")), f"{self.namespace}/agent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.source.stdout.readline()

    def start(self):
        keys, prefix, env = self.settings
        self.node = Node(self.operator, self.folder, self.name, keys, prefix, env)
        self.node.first_status()

    def end_peers(self):
        self.source.stdin.close()
        self.source.wait()

    def end(self):
        if self.node.process.poll() is None:
            self.node.kill_9()
        self.end_peers()

    def tell(self, line):
        """What the source has sent, once it has done it."""
        self.source.stdin.write(line + "\n")
        self.source.stdin.flush()
        return int(self.source.stdout.readline())

    def last(self, after, test):
        return next((sample for sample in self.seen[after:] if test(sample)), None)

    def flow(self, again=None):
        """Reset, armed, and its source's velocity on the wire. `again` runs while it waits."""
        ends = time.monotonic() + FLOWS_S
        while time.monotonic() < ends:
            if again:
                again()
            told = self.node.told()
            state = told["state"]
            if state == "active":
                # A machine under load may have stalled it once more meanwhile.
                self.tell(f"X {SPEED}")
                mark = len(self.seen)
                until = time.monotonic() + 2.0
                while time.monotonic() < until:
                    if self.last(mark, lambda sample: sample[1] == SPEED):
                        return
                    time.sleep(0.005)
                continue
            self.tell("X 0.0")
            time.sleep(0.05)
            # What is refused counts against a limit.
            if state == "killed" or not told["unmet"]:
                self.node.do({"killed": "reset", "disarmed": "arm"}[state])
        raise Lost(f"{self.name}: nothing flows: {self.node.told()['state']}, {self.node.told()['unmet']}")

    def stop(self, act):
        """Lets something happen that must stop the robot. Seconds to the first safe command, with nothing but
        safe commands after it."""
        mark, begins = len(self.seen), time.monotonic()
        act()
        safe = wait("a safe command", lambda: self.last(mark, lambda sample: sample[1] == 0.0 and sample[0] >= begins))
        at = self.seen.index(safe)
        wait("it to go on", lambda: len(self.seen) > at + STILL)
        moving = [x for _, x in self.seen[at:] if x != 0.0]
        if moving:
            raise Lost(f"{self.name}: {len(moving)} commands after the stop, for example {moving[0]}")
        return safe[0] - begins

    def kill(self):
        """A stop by the kill service."""
        took = self.stop(lambda: self.node.ask("kill"))
        wait("killed", lambda: self.node.told()["state"] == "killed")
        return took

    def counts(self):
        """Commands by verdict."""
        counts = {}
        for line in self.node.http("/metrics").splitlines():
            if line.startswith("interlock_commands_total{"):
                verdict = line.split('verdict="')[1].split('"')[0]
                counts[verdict] = counts.get(verdict, 0) + float(line.rsplit(" ", 1)[1])
        return counts

    def resident(self):
        """Bytes of memory."""
        status = Path(f"/proc/{self.node.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024
