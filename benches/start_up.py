"""From exec to the first `~/state` at a subscriber, and the memory that is resident then. Real-time off."""

import time

import rclpy
from interlock.msg import State
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rig import Rig, lane
from stats import quantiles

QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# Buffers that are made with the first second's work are resident then.
SETTLED_S = 1.0
GIVEN_UP_S = 30.0


def one(rig, executor, seen):
    """Seconds, and KiB."""
    # The last words of the node before it are not this one's first.
    while True:
        seen.clear()
        executor.spin_once(timeout_sec=0.2)
        if not seen:
            break
    began = time.monotonic_ns()
    node = rig.node(lane("joints", "/bench/vla", "/bench/out", 500))
    while not seen and time.monotonic_ns() - began < GIVEN_UP_S * 1e9:
        executor.spin_once(timeout_sec=0.1)
    took = (seen[0] - began) / 1e9
    time.sleep(SETTLED_S)
    resident = node.process.resident_kib()
    rig.end(node.process)
    return took, resident


def run(quick):
    tries = 3 if quick else 30
    with Rig() as rig:
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=rig.domain)
        listener = rclpy.create_node("bench_listener", context=context)
        seen = []
        listener.create_subscription(State, "/interlock/state", lambda _: seen.append(time.monotonic_ns()), QOS)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(listener)
        # The first maps the libraries.
        one(rig, executor, seen)
        found = [one(rig, executor, seen) for _ in range(tries)]
        rclpy.shutdown(context=context)
    return {"seconds": quantiles(t for t, _ in found), "resident_kib": quantiles(kib for _, kib in found)}
