#!/usr/bin/env python3
"""The source of a campaign's robot, and what torments it: a process of its own, told what to do by lines.

Arguments: the topic. Lines: `X 0.2` the velocity it streams at 50 Hz, `rate HZ`, `flood`, `junk N SEED` bad
messages, `publishers TOPIC N` as many topics more. Answers each line with one: what was done.
"""

import os
import random
import sys
import threading
import time
from pathlib import Path

import rclpy
from geometry_msgs.msg import TwistStamped
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from answers import take_stdout  # noqa: E402


class Source:
    def __init__(self, topic):
        rclpy.init()
        self.node = rclpy.create_node("source")
        depth = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self.publisher = self.node.create_publisher(TwistStamped, topic, depth)
        self.more = []
        self.period_s, self.sent = 0.02, 0
        self.say(0.0)
        threading.Thread(target=self.stream, daemon=True).start()

    def say(self, x):
        message = TwistStamped()
        message.twist.linear.x = x
        self.bytes = serialize_message(message)

    def stream(self):
        due = time.monotonic()
        while True:
            self.publisher.publish(self.bytes)
            self.sent += 1
            due = max(due + self.period_s, time.monotonic())
            if self.period_s:
                time.sleep(max(0.0, due - time.monotonic()))

    def junk(self, count, seed):
        """Cut, too long, other encapsulations, not finite, and noise: nothing that is a command."""
        draw = random.Random(seed)
        infinite, giant, whole = TwistStamped(), TwistStamped(), self.bytes
        infinite.twist.angular.z = float("inf")
        for _ in range(count):
            kind = draw.randrange(5)
            if kind == 0:
                bad = whole[: draw.randrange(4, len(whole))]
            elif kind == 1:
                giant.header.frame_id = "x" * draw.choice([70_000, 1 << 20])
                bad = serialize_message(giant)
            elif kind == 2:
                bad = bytes([draw.randrange(256), draw.randrange(2, 256)]) + whole[2:]
            elif kind == 3:
                bad = serialize_message(infinite)
            else:
                # Too short for any.
                bad = b"\0\1\0\0" + draw.randbytes(draw.randrange(0, 40))
            self.publisher.publish(bytes(bad))
            time.sleep(0.002)

    def do(self, words):
        match words:
            case ["X", x]:
                self.say(float(x))
            case ["rate", hertz]:
                self.period_s = 1 / float(hertz)
            case ["flood"]:
                self.period_s = 0.0
            case ["junk", count, seed]:
                self.junk(int(count), int(seed))
            case ["publishers", topic, count]:
                for number in range(int(count)):
                    self.more.append(self.node.create_publisher(TwistStamped, f"{topic}{number}", 1))
            case ["sent"]:
                pass
        return self.sent


def main():
    answers = take_stdout()
    source = Source(sys.argv[1])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(source.do(line.split()), file=answers, flush=True)
    # No destructor of a middleware whose peers were killed: it may wait for them.
    os._exit(0)


if __name__ == "__main__":
    main()
