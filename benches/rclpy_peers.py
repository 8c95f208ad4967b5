"""Processes in rclpy that the benchmarks put around the node. Each ends when its standard input is closed.

rclpy_peers.py relay KIND NAME FROM TO      takes and publishes, as rclpy's own examples do
rclpy_peers.py hostile SERVICE              for each line: a request whose answer cannot be delivered
"""

import sys
import threading

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

RELIABLE_1 = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE)
HOSTILE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


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


def main():
    role, *arguments = sys.argv[1:]
    rclpy.init()
    name = arguments.pop(1) if role == "relay" else f"bench_{role}"
    node = rclpy.create_node(name)
    on_line = {"relay": relay, "hostile": hostile}[role](node, *arguments)

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
