"""A policy that streams joint targets at 50 Hz, and misbehaves when it is told to.

Modes: `smooth` (slow waves around the home pose, beginning at the measured pose), `nan` (one joint is
not a number), `beyond` (one joint is sent somewhere else, at once), `burst` (smooth, but far too often),
`hasty` (waves that no limit allows) and `silent`. A mode with a `count` falls back to `smooth` after so many commands. Every command is
reported with its bytes and its moment.
"""

import math
import threading
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from peer import Pipe

PERIOD_S = 1 / 50
BURST_PERIOD_S = 1 / 400
WAVE_RAD = 0.1
WAVE_HZ = 0.3
HASTY_HZ = 10.0  # 0.1 rad at 10 Hz is 6.3 rad/s
BLEND_S = 2.0  # from the measured pose into the waves


class Motion:
    """Where the joints should be at each moment. Phases differ, so some joint always moves."""

    def __init__(self, start, home, wave_hz):
        self.start, self.home, self.wave_hz = start, home, wave_hz
        self.began = time.monotonic()

    def now(self):
        t = time.monotonic() - self.began
        x = min(t / BLEND_S, 1.0)
        blend = x * x * (3.0 - 2.0 * x)
        turn = 2.0 * math.pi * self.wave_hz * t
        pairs = enumerate(zip(self.start, self.home))
        return [
            (1.0 - blend) * start + blend * (home + WAVE_RAD * math.sin(turn + 2.4 * joint))
            for joint, (start, home) in pairs
        ]


class Policy:
    def __init__(self, pipe):
        setup = pipe.setup
        self.pipe = pipe
        self.joints, self.home = setup["joints"], setup["home"]
        self.node = rclpy.create_node(setup["policy"])
        self.commands = self.node.create_publisher(Float64MultiArray, setup["commands"], 1)
        self.measured = None
        self.node.create_subscription(JointState, setup["feedback"], self.feedback, 1, raw=True)
        self.motion = None
        self.order = {"mode": "silent"}
        self.left = math.inf

    def feedback(self, raw):
        self.measured = raw

    def pose(self):
        message = deserialize_message(self.measured, JointState)
        found = dict(zip(message.name, message.position))
        return [found[joint] for joint in self.joints]

    def obey(self):
        for order in self.pipe.orders():
            self.order, self.left = order, order.get("count", math.inf)
        rclpy.try_shutdown()

    def send(self, order):
        if self.motion is None:
            hasty = order["mode"] == "hasty"
            self.motion = Motion(self.pose(), self.home, HASTY_HZ if hasty else WAVE_HZ)
        values = self.motion.now()
        if order["mode"] in ("nan", "beyond"):
            values[order["joint"]] = math.nan if order["mode"] == "nan" else order["value"]
        raw = serialize_message(Float64MultiArray(data=values))
        moment = time.monotonic_ns()
        self.commands.publish(raw)
        self.pipe.report(at=moment, bytes=raw.hex(), mode=order["mode"])

    def run(self):
        due = time.monotonic()
        while rclpy.ok():
            order = self.order
            ready = self.measured is not None and self.commands.get_subscription_count() > 0
            if order["mode"] == "silent" or not ready:
                self.motion = None
            else:
                self.send(order)
                self.left -= 1
                if self.left <= 0:
                    self.order, self.left = {"mode": "smooth"}, math.inf
                    self.pipe.report(done=order["mode"])
            due += BURST_PERIOD_S if order["mode"] == "burst" else PERIOD_S
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            else:
                due = time.monotonic()  # no catching up: a late policy must not become a burst


def main():
    pipe = Pipe()
    rclpy.init()
    policy = Policy(pipe)
    threading.Thread(target=policy.obey, daemon=True).start()
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(policy.node)

    def spin():
        try:
            executor.spin()
        except ExternalShutdownException:
            pass

    threading.Thread(target=spin, daemon=True).start()
    try:
        policy.run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
