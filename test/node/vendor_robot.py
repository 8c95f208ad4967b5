"""A robot that takes low-level commands as firmware does, and the program that commands it.

Written without a look at Interlock: it builds the vendor's C struct with `struct.pack` and its own
bit-by-bit CRC. What it subscribes to and drops, it prints as JSON lines:

    {"accepted": {"mode": …, "q": […], "dq": […], "tau": […], "kp": […], "kd": […], "reserve": […]}}
    {"dropped": "crc" | "mode_machine" | "mode"}

Each line on standard input is one operation: {"send": {"q": [29 numbers], "kp": …, "spoil": bool,
"machine": …}} publishes one command, sealed as the vendor's program would; {"machine": 6} changes
the robot's mode; {"readers": true} prints how many read the commands.

usage: vendor_robot.py COMMANDS_IN COMMANDS_OUT STATE
  COMMANDS_IN   topic that the robot takes
  COMMANDS_OUT  topic that the program publishes on
  STATE         topic of the robot's state
"""

import json
import struct
import sys
import threading
from pathlib import Path

import rclpy
from interlock_test_vendor_msgs.msg import LowCmd, LowState
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from answers import take_stdout  # noqa: E402
from spinning import spin  # noqa: E402

ANSWERS = take_stdout()

MOTORS = 35
JOINTS = 29


def crc(image):
    """CRC-32, polynomial 0x04C11DB7, over little-endian words from their highest bit."""
    value = 0xFFFFFFFF
    for (word,) in struct.iter_unpack("<I", image):
        for bit in reversed(range(32)):
            carry = value >> 31
            value = (value << 1) & 0xFFFFFFFF
            if carry:
                value ^= 0x04C11DB7
            if word >> bit & 1:
                value ^= 0x04C11DB7
    return value


def command_image(message):
    """The C struct of a command without its checksum."""
    image = struct.pack("<2B2x", message.mode_pr, message.mode_machine)
    for motor in message.motor_cmd:
        numbers = (motor.q, motor.dq, motor.tau, motor.kp, motor.kd)
        image += struct.pack("<B3x5fI", motor.mode, *numbers, motor.reserve)
    return image + struct.pack("<4I", *message.reserve)


def state_image(message):
    """The C struct of a state without its checksum."""
    imu = message.imu_state
    image = struct.pack("<2B2xI", message.mode_pr, message.mode_machine, message.tick)
    vectors = (*imu.quaternion, *imu.gyroscope, *imu.accelerometer, *imu.rpy)
    image += struct.pack("<13fh2x", *vectors, imu.temperature)
    for motor in message.motor_state:
        numbers = (motor.q, motor.dq, motor.ddq, motor.tau_est)
        image += struct.pack("<B3x4f2hfI", motor.mode, *numbers, *motor.temperature, motor.vol, motor.reserve)
    return image + bytes(message.wireless_remote) + struct.pack("<4I", *message.reserve)


class Robot:
    def __init__(self, node, commands_in, commands_out, state):
        self.machine = 5
        self.tick = 0
        self.positions = [0.0] * MOTORS
        self.lock = threading.Lock()
        best = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        deep = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
        self.node = node
        self.states = node.create_publisher(LowState, state, best)
        self.commands = node.create_publisher(LowCmd, commands_out, deep)
        self.subscription = node.create_subscription(LowCmd, commands_in, self.take, deep)
        self.timer = node.create_timer(0.02, self.tell)

    def say(self, line):
        with self.lock:
            print(json.dumps(line), file=ANSWERS, flush=True)

    def take(self, message):
        if message.crc != crc(command_image(message)):
            return self.say({"dropped": "crc"})
        if message.mode_machine != self.machine:
            return self.say({"dropped": "mode_machine"})
        motors = message.motor_cmd
        if any(motor.mode != 1 for motor in motors[:JOINTS]):
            return self.say({"dropped": "mode"})
        told = {name: [getattr(motor, name) for motor in motors] for name in ("q", "dq", "tau", "kp", "kd")}
        told["reserve"] = [motor.reserve for motor in motors] + [int(word) for word in message.reserve]
        self.say({"accepted": told})

    def tell(self):
        message = LowState()
        self.tick += 1
        message.tick, message.mode_machine = self.tick, self.machine
        message.imu_state.quaternion[0] = 1.0
        for motor, q in zip(message.motor_state, self.positions):
            motor.q = q
        message.crc = crc(state_image(message))
        self.states.publish(message)

    def send(self, order):
        message = LowCmd()
        message.mode_machine = order.get("machine", self.machine)
        for index, motor in enumerate(message.motor_cmd):
            motor.reserve = 1000 + index
            if index < JOINTS:
                motor.mode = 1
                motor.q = float(order["q"][index])
                motor.kp, motor.kd = float(order.get("kp", 40.0)), 1.5
        message.reserve = [1, 2, 3, 4]
        message.crc = crc(command_image(message)) ^ int(order.get("spoil", False))
        self.commands.publish(message)

    def obey(self, line):
        order = json.loads(line)
        if "send" in order:
            self.send(order["send"])
        if "machine" in order:
            self.machine = order["machine"]
        if "readers" in order:
            self.say({"readers": self.commands.get_subscription_count()})


def main():
    rclpy.init()
    node = rclpy.create_node("vendor_robot")
    robot = Robot(node, *sys.argv[1:4])
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=spin, args=(executor,), daemon=True)
    thread.start()
    robot.say({"ready": True})
    for line in sys.stdin:
        robot.obey(line)
    rclpy.try_shutdown()
    thread.join(10.0)


if __name__ == "__main__":
    main()
