"""A robot that does what its controller is told, as one process with six ROS nodes.

The controller reads targets like a ros2_control forward_command_controller and the joints follow
them; the broadcaster publishes /joint_states at 100 Hz and an imu says as often that the body stands
upright; robot_state_publisher gives the robot's description to whoever asks later, too; the pendant
says ten times a second that nobody presses its button, the joystick twenty times that its dead-man is
held. Every command that arrives is reported with its bytes and its moment.
"""

import threading
import time
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, JointState, Joy
from std_msgs.msg import Bool, Float64MultiArray, String

from peer import Pipe

PERIOD_S = 0.01
FOLLOWS = 0.5  # of the way to its target that a joint goes in one period
MAX_STEP = 5.0 * PERIOD_S  # 5 rad/s


class Robot:
    def __init__(self, pipe):
        setup = pipe.setup
        self.pipe = pipe
        self.position = list(setup["home"])
        self.target = list(setup["home"])
        self.controller = rclpy.create_node(setup["controller"])
        self.controller.create_subscription(Float64MultiArray, setup["output"], self.command, 10, raw=True)
        self.broadcaster = rclpy.create_node("joint_state_broadcaster")
        self.states = self.broadcaster.create_publisher(JointState, setup["feedback"], 10)
        self.message = JointState(name=setup["joints"])
        self.broadcaster.create_timer(PERIOD_S, self.move)
        self.imu = rclpy.create_node("imu")
        self.body = self.imu.create_publisher(Imu, setup["imu"], 10)
        self.upright = Imu()
        self.upright.orientation.w = 1.0
        self.imu.create_timer(PERIOD_S, self.stand)
        self.describer = rclpy.create_node("robot_state_publisher")
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.description = self.describer.create_publisher(String, setup["description"], latched)
        self.description.publish(String(data=Path(setup["urdf"]).read_text()))
        self.pendant = rclpy.create_node("pendant")
        self.heartbeat = self.pendant.create_publisher(Bool, setup["pendant"], 10)
        self.pendant.create_timer(0.1, lambda: self.heartbeat.publish(Bool(data=False)))
        self.joystick = rclpy.create_node("joy")
        self.held = self.joystick.create_publisher(Joy, setup["dead_man"], 10)
        self.joystick.create_timer(0.05, lambda: self.held.publish(Joy(buttons=[0, 0, 0, 0, 1])))

    def command(self, raw):
        moment = time.monotonic_ns()
        self.target = list(deserialize_message(raw, Float64MultiArray).data)
        self.pipe.report(at=moment, bytes=raw.hex())

    def move(self):
        before = self.position
        steps = ((target - now) * FOLLOWS for now, target in zip(before, self.target))
        steps = [max(-MAX_STEP, min(MAX_STEP, step)) for step in steps]
        self.position = [now + step for now, step in zip(before, steps)]
        self.message.header.stamp = self.broadcaster.get_clock().now().to_msg()
        self.message.position = self.position
        self.message.velocity = [step / PERIOD_S for step in steps]
        self.states.publish(self.message)

    def stand(self):
        self.upright.header.stamp = self.imu.get_clock().now().to_msg()
        self.body.publish(self.upright)

    def obey(self):
        """The only order is to say where the joints are."""
        for _ in self.pipe.orders():
            self.pipe.report(pose=self.position)
        rclpy.try_shutdown()


def main():
    pipe = Pipe()
    rclpy.init()
    robot = Robot(pipe)
    threading.Thread(target=robot.obey, daemon=True).start()
    executor = rclpy.executors.SingleThreadedExecutor()
    for node in (robot.controller, robot.broadcaster, robot.imu, robot.describer, robot.pendant,
                 robot.joystick):
        executor.add_node(node)
    try:
        executor.spin()
    except (ExternalShutdownException, KeyboardInterrupt):
        pass


if __name__ == "__main__":
    main()
