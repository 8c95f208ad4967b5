"""Faults against a robot in motion: each is tried, the time to the safe command is taken, and nothing may be lost.

A fault is a function of an arena that gives seconds, once for each try. What it needs and this machine does not
permit is a `Skipped` with the reason.
"""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from node import Ended, wait
from mobile_base import SPEED, Lost, Robot


class Skipped(Exception):
    """Why a fault cannot be tried here."""


class Arena:
    """Where the faults of one campaign happen."""

    def __init__(self, operator, folder, draw):
        self.operator, self.folder, self.draw = operator, folder, draw
        self.robots = 0

    def robot(self, **settings):
        self.robots += 1
        name = f"robot{self.robots}"
        return Robot(self.operator, self.folder / name, name, **settings)


def check(holds, text):
    if not holds:
        raise Lost(text)


def stopped(arena, tries):
    """Stopped as by a debugger, under commands: nothing of what queued up goes out, and the node has let go."""
    robot = arena.robot(stalled="disarm")
    try:
        for _ in range(tries):
            robot.flow()
            robot.node.signal(signal.SIGSTOP)
            time.sleep(0.6 + arena.draw.random())
            yield robot.stop(lambda: robot.node.signal(signal.SIGCONT))
            state = robot.node.told()
            check(state["state"] == "disarmed", f"{state['state']} after a stall")
            check(state["last_trip"]["cause"] == "gate_stalled", str(state["last_trip"]))
    finally:
        robot.node.signal(signal.SIGCONT)
        robot.end()


def plain(fault, **settings):
    """A kill while `fault` goes on. `fault(arena, robot)` is a context in which the robot must still stop."""

    def run(arena, tries):
        robot = arena.robot(**settings)
        try:
            for _ in range(tries):
                robot.flow()
                begun = fault(arena, robot)
                next(begun)
                yield robot.kill()
                for _ in begun:
                    pass
        finally:
            robot.end()

    return run


def flood(_arena, robot):
    """As fast as the source's process can."""
    sent, begins = robot.tell("flood"), time.monotonic()
    time.sleep(0.5)
    rate = (robot.tell("sent") - sent) / (time.monotonic() - begins)
    flood.best_hz = max(flood.best_hz, rate)
    yield
    robot.tell("rate 50")


flood.best_hz = 0.0


def junk(arena, robot):
    """Giant and malformed messages among the commands: refused and counted, none forwarded."""
    before = robot.counts()["rejected"]
    mark = len(robot.seen)
    robot.tell(f"junk 40 {arena.draw.randrange(1 << 30)}")
    # Depth is one: a command that comes right behind takes a bad one's place in the queue.
    wait("refusals", lambda: robot.counts()["rejected"] > before)
    yield
    odd = [x for _, x in robot.seen[mark:] if not 0.0 <= x <= SPEED]
    check(not odd, f"forwarded: {odd[:3]}")


def churn(arena, robot):
    """Publishers of the source's topic that come and go."""
    from geometry_msgs.msg import TwistStamped

    node, topic = arena.operator.node, f"{robot.namespace}/agent"
    for _ in range(10):
        made = [node.create_publisher(TwistStamped, topic, 1) for _ in range(5)]
        made[0].publish(TwistStamped())
        for publisher in made:
            node.destroy_publisher(publisher)
    yield


def slow_readers(_arena, robot):
    """HTTP clients that ask and do not read, and some that do not finish asking."""
    clients = [socket.create_connection(("127.0.0.1", robot.node.port)) for _ in range(40)]
    for number, client in enumerate(clients):
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + (b"\r\n" if number % 2 else b"X: "))
    yield
    for client in clients:
        client.close()


def crowd(_arena, robot):
    """Five hundred topics more in the graph."""
    if not hasattr(robot, "crowded"):
        robot.tell(f"publishers {robot.namespace}/crowd/t 500")
        robot.crowded = True
    yield


def clock_jumps(arena, robot):
    """ROS time: an hour ahead, an hour back, the beginning of time, on a node that uses it."""
    from rosgraph_msgs.msg import Clock

    node = arena.operator.node
    publisher = node.create_publisher(Clock, "/clock", 1)
    for second in (10_000, 13_600, 6_400, 0):
        message = Clock()
        message.clock.sec = second
        publisher.publish(message)
        time.sleep(0.05)
    check(robot.node.told()["state"] == "active", "a jump of /clock stopped it")
    yield
    node.destroy_publisher(publisher)


def rogue(arena, tries):
    """Somebody else publishes on the output: killed by the audit, without anybody asking."""
    from geometry_msgs.msg import TwistStamped

    robot = arena.robot()
    node = arena.operator.node
    try:
        for _ in range(tries):
            robot.flow()
            made = []
            yield robot.stop(lambda: made.append(node.create_publisher(TwistStamped, f"{robot.namespace}/cmd_vel", 1)))
            trip = robot.node.told()["last_trip"]
            check(trip["cause"] == "foreign_publisher", str(trip))
            node.destroy_publisher(made[0])
            unmet = lambda: [one["code"] for one in robot.node.told()["unmet"]]  # noqa: E731
            wait("it to be gone", lambda: "foreign_publisher" not in unmet() and "cause_present" not in unmet())
    finally:
        robot.end()


def qualities(arena, tries):
    """A button of any quality of service, matching and not what a reader would ask for."""
    from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
    from std_msgs.msg import Bool

    button = {"type": "std_msgs/msg/Bool", "topic": "button", "field": "data", "asserted_when": True, "timeout_s": 30.0}
    robot = arena.robot(more={"kill_inputs": {"button": button}})
    node = arena.operator.node
    all_of_them = [
        QoSProfile(depth=1, reliability=reliability, durability=durability)
        for reliability in (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT)
        for durability in (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL)
    ]
    try:
        for number in range(tries):
            publisher = node.create_publisher(Bool, f"{robot.namespace}/button", all_of_them[number % 4])
            robot.flow(again=lambda: publisher.publish(Bool(data=False)))
            yield robot.stop(lambda: publisher.publish(Bool(data=True)))
            wait("killed", lambda: robot.node.told()["state"] == "killed")
            publisher.publish(Bool(data=False))
            time.sleep(0.05)
            node.destroy_publisher(publisher)
    finally:
        robot.end()


def mounts(script):
    """Words in front of the node that give it a disk of its own."""
    probe = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False)
    if probe.returncode:
        raise Skipped("unshare -m and mount are not permitted here")
    return ["unshare", "-m", "sh", "-c", f'set -e; {script}; exec "$@"', "sh"]


def inside(robot, script):
    subprocess.run(["nsenter", "-t", str(robot.node.process.pid), "-m", "sh", "-c", script], check=True)


def full_disk(arena, tries):
    """Full from the arm on: a kill needs no space, and its record is written in place."""
    folder = arena.folder / f"robot{arena.robots + 1}" / "state"
    robot = arena.robot(prefix=mounts(f"mkdir -p {folder}; mount -t tmpfs -o size=128k tmpfs {folder}"))
    try:
        for _ in range(tries):
            robot.flow()
            inside(robot, f"dd if=/dev/zero of={folder}/filler bs=4k 2>/dev/null || true")
            yield robot.kill()
            answer = robot.node.do("kill")
            check(answer is None or "on disk" in answer.message, getattr(answer, "message", ""))
            inside(robot, f"rm -f {folder}/filler")
    finally:
        robot.end()


def read_only_disk(arena, tries):
    """Read-only from the start: it is killed, cannot be reset, and a kill is served all the same."""
    folder = arena.folder / f"robot{arena.robots + 1}" / "state"
    script = f"mkdir -p {folder}; mount -t tmpfs tmpfs {folder}; mount -o remount,ro {folder}"
    robot = arena.robot(prefix=mounts(script))
    try:
        # Its zeros are heard; before that the middleware's time to find each other would count as the node's.
        wait("the output", lambda: robot.seen)
        for _ in range(tries):
            check(robot.node.told()["state"] == "killed", "not killed")
            check(robot.node.do("reset") is None, "a reset without a record")
            yield robot.kill()
    finally:
        robot.end()


def torn_latch(arena, tries):
    """The latch file damaged between two lives, whatever it said: the next comes up killed."""
    robot = arena.robot()
    file = robot.folder / "state" / "latch"
    draw = arena.draw
    try:
        for _ in range(tries):
            if draw.random() < 0.5:
                robot.flow()
            robot.node.kill_9()
            data = bytearray(file.read_bytes())
            slot = draw.choice([0, len(data) // 2])
            match draw.randrange(4):
                case 0:
                    data[slot + draw.randrange(60)] ^= 1 << draw.randrange(8)
                case 1:
                    del data[slot + draw.randrange(60) :]
                case 2:
                    data[slot : slot + 512] = bytes(512)
                case 3:
                    data = bytearray(draw.randbytes(len(data)))
            file.write_bytes(data)
            robot.seen.clear()
            robot.meet()
            yield robot.stop(robot.start)
            state = robot.node.told()
            check(state["state"] == "killed", f"{state['state']} after damage")
    finally:
        robot.end()


def wall_clock(arena, tries):
    """The middleware's wall clock leaps by an hour, ahead and back: a library in front of libc's. The node's own
    readings go past libc and do not leap; what it does when they do: test/hot_path/clocks.rs."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Skipped("no C compiler")
    library, file = arena.folder / "stepping_clock.so", arena.folder / "step"
    code = Path(__file__).with_name("stepping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, code, "-ldl"], check=True)
    file.write_bytes(bytes(8))

    def step(seconds):
        # In place: the file is mapped.
        with file.open("r+b") as mapped:
            mapped.write((seconds * 1_000_000_000).to_bytes(8, "little", signed=True))

    robot = arena.robot(env={"LD_PRELOAD": str(library), "STEP_FILE": str(file)})
    try:
        for _ in range(tries):
            robot.flow()
            for seconds in (3600, -3600, 0, arena.draw.randrange(-100_000, 100_000)):
                step(seconds)
                time.sleep(0.05)
            yield robot.kill()
    finally:
        robot.end()


def soak(arena, tries):
    """Commands by number, with memory flat: what it has after the first fifth it has at the end."""
    count = 2_000 * tries
    robot = arena.robot()
    try:
        robot.flow()
        robot.tell("rate 500")
        begins = robot.tell("sent")
        reach = lambda share: wait("the source", lambda: robot.tell("sent") - begins >= count * share)  # noqa: E731
        reach(0.2)
        before = robot.resident()
        reach(1.0)
        grown = robot.resident() - before
        check(grown < 2 * 1024 * 1024, f"{grown} bytes more after {count} commands")
        took = robot.kill()
        counts = robot.counts()
        total = sum(counts.values())
        check(counts["passed"] > count / 10, f"few passed: {counts}")
        print(f"  soak: {count} commands sent, {total:.0f} judged, memory grown by {grown / 1024:.0f} KiB", flush=True)
        yield took
    finally:
        robot.end()


FAULTS = {
    "SIGSTOP, then SIGCONT": stopped,
    "full disk": full_disk,
    "read-only disk": read_only_disk,
    "torn latch file": torn_latch,
    "/clock jumps": plain(clock_jumps, more={"use_sim_time": True, "allow_sim_time": True}),
    "flood of commands": plain(flood),
    "giant and malformed messages": plain(junk),
    "rogue publisher on the output": rogue,
    "publisher churn": plain(churn),
    "kill input of any QoS": qualities,
    "500 topics in the graph": plain(crowd),
    "slow HTTP readers": plain(slow_readers),
    "soak": soak,
    # Last: the middleware marks its ports with a wall clock. After one set back it does not see, until the clock has
    # caught up, that a reader ended, so whoever knew it cannot reach the next on the same port (docs/operating.md).
    "wall clock steps (middleware)": wall_clock,
}


# How often the machine may be so busy that the node's watchdog ends it (by SIGABRT, after half a second without
# a turn of the gate): right, but not the fault that is tried.
DISTURBED = 3


def run(name, arena, tries):
    """Tries, worst seconds to the safe command, lost, and a remark."""
    tried, worst, lost, told, disturbed = 0, 0.0, 0, [], 0
    while True:
        try:
            for took in FAULTS[name](arena, tries - tried):
                tried, worst = tried + 1, max(worst, took)
        except Skipped as skipped:
            told.append(f"skipped: {skipped}")
        except Ended as ended:
            if ended.code == -signal.SIGABRT and disturbed < DISTURBED:
                disturbed += 1
                continue
            tried, lost = tried + 1, 1
            print(f"LOST in {name}: {ended}", flush=True)
        except (Lost, TimeoutError) as error:
            tried, lost = tried + 1, 1
            print(f"LOST in {name}: {error}", flush=True)
        break
    if disturbed:
        told.append(f"{disturbed} times the machine was too busy and the watchdog ended the node")
    if name == "flood of commands":
        told.append(f"up to {flood.best_hz:.0f} messages a second")
    return tried, worst, lost, "; ".join(told)
