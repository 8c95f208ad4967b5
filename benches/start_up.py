"""From exec to the first `~/state` at a subscriber, and the memory that is resident then. Real-time off.

In turn with it, a bare node that does nothing but publish one message for late joiners: what the process, the
middleware and its discovery take without us.
"""

import time

import rclpy
from geometry_msgs.msg import Twist
from interlock.msg import State
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rig import Rig, lane
from stats import quantiles

QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ANNOUNCED = "/bench/announced"
# Buffers that are made with the first second's work are resident then.
SETTLED_S = 1.0
GIVEN_UP_S = 30.0


class Listener:
    def __init__(self, domain):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        node = rclpy.create_node("bench_listener", context=self.context)
        self.heard = []
        for kind, topic in ((State, "/interlock/state"), (Twist, ANNOUNCED)):
            node.create_subscription(kind, topic, lambda _: self.heard.append(time.monotonic_ns()), QOS)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(node)

    def quiet(self):
        """Until the last words of what was there before are heard: they are not the next one's first."""
        while True:
            self.heard.clear()
            self.executor.spin_once(timeout_sec=0.2)
            if not self.heard:
                return

    def first(self, began):
        while not self.heard:
            if time.monotonic_ns() - began > GIVEN_UP_S * 1e9:
                raise TimeoutError(f"nothing was heard for {GIVEN_UP_S:.0f} s")
            self.executor.spin_once(timeout_sec=0.1)
        return (self.heard[0] - began) / 1e9

    def end(self):
        rclpy.shutdown(context=self.context)


def one(rig, listener):
    """Seconds, KiB resident, and seconds of the bare node."""
    listener.quiet()
    began = time.monotonic_ns()
    node = rig.node(lane("joints", "/bench/vla", "/bench/out", 500))
    took = listener.first(began)
    time.sleep(SETTLED_S)
    resident = node.process.resident_kib()
    rig.end(node.process)
    listener.quiet()
    began = time.monotonic_ns()
    bare = rig.peer("announce", ANNOUNCED)
    bare_took = listener.first(began)
    rig.end(bare)
    return took, resident, bare_took


def run(quick):
    tries = 3 if quick else 30
    with Rig() as rig:
        listener = Listener(rig.domain)
        # The first maps the libraries.
        one(rig, listener)
        found = [one(rig, listener) for _ in range(tries)]
        listener.end()
    took, resident, bare = zip(*found)
    return {"seconds": quantiles(took), "resident_kib": quantiles(resident), "bare_seconds": quantiles(bare)}
