"""What the steps of the story share: who is on the scene, and what to wait for.

Commands are recognised by their bytes: what the robot got is compared with what the policy sent.
"""

import time

from rclpy.serialization import deserialize_message
from std_msgs.msg import Float64MultiArray

from stage import Disturbed, Metrics, wait

# A busy machine can make the gate stop by itself. That is right, and not what a step wants to show.
DISTURBANCES = ("gate_stalled", "suspended", "source_silent", "kill_input_silent", "controller_gone")
LANE, SOURCE, SUCCESSOR = "body", "vla", "vla_next"
MS = 1e6  # nanoseconds


def values(sample):
    return list(deserialize_message(sample.bytes, Float64MultiArray).data)


class Scene:
    """The node, the robot and the policies begin when the story says so."""

    def __init__(self, lane, operator, highest, profiles, start_node, start_robot, start_policy, metrics_at):
        self.lane, self.operator = lane, operator
        self.highest, self.profiles = highest, profiles
        self.start_node, self.start_robot, self.start_policy = start_node, start_robot, start_policy
        self.node = self.robot = self.policy = self.successor = None
        self.profile = ""
        self.metrics_at = metrics_at

    def metrics(self):
        return Metrics(self.metrics_at)

    def verdict(self, metrics, verdict):
        labels = {"lane": LANE, "source": SOURCE, "verdict": verdict}
        return int(metrics.sum("interlock_commands_total", **labels))

    def judged(self, metrics, verdict):
        """Commands of the successor."""
        labels = {"lane": LANE, "source": SUCCESSOR, "verdict": verdict}
        return int(metrics.sum("interlock_shadow_commands_total", **labels))

    def rejected(self, metrics, reason):
        labels = {"lane": LANE, "source": SOURCE, "reason": reason}
        return int(metrics.sum("interlock_commands_rejected_total", **labels))

    def disturbance(self):
        """What stopped the gate, if the machine did."""
        state = self.operator.state
        if state is None or state.label == "active" or state.last_trip.cause not in DISTURBANCES:
            return None
        return state.last_trip.detail or state.last_trip.cause

    def wait(self, what, condition, **more):
        """Waits for something that needs an active gate."""

        def look():
            if self.operator.label != "active" and (why := self.disturbance()):
                raise Disturbed(why)
            return condition()

        return wait(what, look, **more)

    def forwarded(self, since):
        """The robot's samples since then that are, byte for byte, commands sent since then; each once."""
        found = {}
        for sample in self.robot.since(since):
            sent = self.policy.by_bytes.get(sample.bytes)
            if sent and sent.at >= since:
                found.setdefault(sample.bytes, (sent, sample))
        return list(found.values())

    def wait_flow(self, count):
        since = time.monotonic_ns()
        return self.wait(f"{count} commands at the robot", lambda: len(self.forwarded(since)) >= count and since,
                         found=lambda: f"{len(self.forwarded(since))} commands at the robot")

    def arm(self, profile=None):
        """Arms, again and again while something is still settling; the profile is for later arms, too."""
        self.profile = self.profile if profile is None else profile
        answers = []

        def try_once():
            _, _, answer = self.operator.call("arm", self.profile)
            answers.append(answer)
            if not answer.success:
                time.sleep(0.1)
            return answer.success

        wait("arm to succeed", try_once, found=lambda: answers[-1].message)
        self.wait_seq(answers[-1].seq)
        return answers

    def wait_seq(self, seq):
        """Until then ~/state is what was before the verb."""
        wait(f"~/state of seq {seq}", lambda: self.operator.state.seq >= seq, found=lambda: f"seq {self.operator.state.seq}")

    def reset(self):
        answers = []

        def try_once():
            answers.append(self.operator.call("reset")[2])
            return answers[-1].success

        wait("reset to succeed", try_once, found=lambda: answers[-1].message)
        self.wait_seq(answers[-1].seq)
        return answers[-1]

    def make_flow(self, count=5):
        """Before a step that needs it, and after a disturbance."""
        if self.operator.label == "killed" and self.disturbance():
            self.reset()
        if self.operator.label == "disarmed":
            self.arm()
        self.policy.order(mode="smooth")
        self.wait_flow(count)

    def safe_commands(self, moment, count):
        """The safe commands at the robot after a moment, once there are so many, all with the same bytes.

        A freeze may repeat the last command forwarded, bytes and all. So where the first of them came
        after the moment it does not count: it may be that command.
        """

        def look():
            run = self.robot.last_run()
            safe = [sample for sample in run if sample.at >= moment]
            safe = safe[1:] if safe and safe[0] is run[0] else safe
            return safe if len(safe) >= count else None

        return wait(f"{count} times the same safe command at the robot", look)

    def wait_withheld(self, count):
        """Waits until so many more commands were withheld. Returns how many there were."""
        before = self.verdict(self.metrics(), "withheld")

        def more():
            return self.verdict(self.metrics(), "withheld") - before

        wait(f"{count} commands withheld", lambda: more() >= count, found=lambda: f"{more()}", every_s=0.05)
        return more()

    def is_silent_while_withholding(self, count):
        before = len(self.robot.samples)
        self.wait_withheld(count)
        return len(self.robot.samples) == before

    def pose(self):
        count = len(self.robot.poses)
        self.robot.order(tell="pose")
        return wait("the robot's pose", lambda: self.robot.poses[count:])[0]
