"""Processes in rclpy that the benchmarks put around the node. Each ends when its standard input is closed.

rclpy_peers.py relay KIND NAME FROM TO      takes and publishes, as rclpy's own examples do
rclpy_peers.py hostile SERVICE              for each line: a request whose answer cannot be delivered
rclpy_peers.py refused-arms                 `go`: arms that are refused, without a pause, until `pause`: a line of the
                                            log each
"""

import sys
import threading

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

RELIABLE_1 = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE)
HOSTILE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# Requests under way at once.
AT_ONCE = 8


def kind_of(name):
    if name == "joints":
        from std_msgs.msg import Float64MultiArray as Kind
    else:
        from geometry_msgs.msg import Twist as Kind
    return Kind


def relay(node, kind, source, target):
    publisher = node.create_publisher(kind_of(kind), target, RELIABLE_1)
    node.create_subscription(kind_of(kind), source, publisher.publish, RELIABLE_1)


def hostile(node, service):
    """Its reader asks for a durability that no service's writer offers."""
    from std_srvs.srv import Trigger

    client = node.create_client(Trigger, service, qos_profile=HOSTILE)
    return lambda _: client.call_async(Trigger.Request())


def refused_arms(node):
    from interlock.srv import Arm

    client = node.create_client(Arm, "/interlock/arm")
    going = threading.Event()

    def ask(_=None):
        if going.is_set():
            request = Arm.Request(seq=1, operator_name="bench", reason="a flood of the log")
            client.call_async(request).add_done_callback(ask)

    def on_line(line):
        if line.strip() == "go":
            going.set()
            for _ in range(AT_ONCE):
                ask()
        else:
            going.clear()

    return on_line


def main():
    role, *arguments = sys.argv[1:]
    rclpy.init()
    name = arguments.pop(1) if role == "relay" else f"bench_{role.replace('-', '_')}"
    node = rclpy.create_node(name)
    on_line = {"relay": relay, "hostile": hostile, "refused-arms": refused_arms}[role](node, *arguments)

    def listen():
        for line in sys.stdin:
            on_line(line)
        rclpy.try_shutdown()

    threading.Thread(target=listen, daemon=True).start()
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass


if __name__ == "__main__":
    main()
