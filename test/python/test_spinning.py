"""The support for rclpy peers: a thread that spins goes on whatever other threads destroy."""

import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))
sys.path.insert(0, str(ROOT / "test" / "support"))

import stage  # noqa: E402  (leases a ROS domain)
from waiting import wait  # noqa: E402


def test_a_publisher_destroyed_beside_it_does_not_end_a_spin():
    import rclpy
    from rclpy.exceptions import InvalidHandle
    from rclpy.executors import SingleThreadedExecutor
    from spinning import spin
    from std_msgs.msg import Empty

    class Counting(SingleThreadedExecutor):
        ended = 0

        def spin(self):
            try:
                super().spin()
            except InvalidHandle:
                self.ended += 1
                raise

    number, lock = stage.lease_domain(None)
    switches = sys.getswitchinterval()
    with lock:
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=number)
        node = rclpy.create_node("spinner", context=context, enable_rosout=False)
        executor = Counting(context=context)
        executor.add_node(node)
        turns = []
        node.create_timer(0.0005, lambda: turns.append(time.monotonic()))
        thread = threading.Thread(target=spin, args=(executor,), daemon=True)
        thread.start()

        def churn():
            for publisher in [node.create_publisher(Empty, "~/churn", 1) for _ in range(5)]:
                node.destroy_publisher(publisher)
            return executor.ended

        try:
            # The threads take turns so often that the race is met in a moment.
            sys.setswitchinterval(1e-6)
            wait("rclpy's own spin to end", churn, seconds=60.0, look_every=0.0)
            known = len(turns)
            wait("the timer again", lambda: len(turns) > known, seconds=60.0, look_every=0.005)
        finally:
            sys.setswitchinterval(switches)
            executor.shutdown()
            thread.join()
            rclpy.shutdown(context=context)
