"""How long a kill takes: inside of the node, and from a client's request to the safe command at a subscriber.

Idle, and under a flood of commands, a scrape loop and a client whose answers cannot be delivered; that once more with
`realtime.enabled`. Beside it, in turn and by the same client: a bare rcl service, from request to answer.
"""

import contextlib
import random
import threading
import time

import rclpy
from geometry_msgs.msg import Twist
from interlock.srv import Arm, Reset
from rclpy.executors import SingleThreadedExecutor
from rclpy_peers import RELIABLE_1
from rig import Rig, bound, histogram, wait
from spinning import spin
from stats import quantiles, ratios
from std_srvs.srv import Trigger

OUTPUT, BARE = "/bench/cmd_vel", "/bench/trigger"
FLOOD_HZ, SCRAPE_HZ = 10_000, 50
# Answers that cannot be delivered and are outstanding when a try begins; each holds up its sender for 100 ms.
HOSTILE = 3
TRY_S = 5.0
PARAMS = """    arm: {{settle_s: 0.05}}
    realtime: {{enabled: {realtime}}}
    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: {output}
        feedback: none
        because: a measurement has no robot
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1000.0}}}}}}
        safe: {{command: zero_velocity}}
        start_ramp_s: 0.0
        handover: {{duration_s: 0.0}}
        release_s: 0.1
        sources:
          vla: {{topic: /bench/vla, priority: 20, timeout_s: 0.5, max_rate_hz: 120.0, burst: 100}}
          flood: {{topic: /bench/flood, priority: 10, timeout_s: 0.5, max_rate_hz: 10000.0, burst: 1000}}
"""


class Operator:
    """Resets, arms, and is the client in rclpy that is timed."""

    def __init__(self, domain):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("bench_operator", context=self.context)
        kinds = {"arm": Arm, "reset": Reset, "kill": Trigger}
        self.kinds = kinds
        self.clients = {verb: self.node.create_client(kind, f"/interlock/{verb}") for verb, kind in kinds.items()}
        self.bare = self.node.create_client(Trigger, BARE)
        self.node.create_subscription(Twist, OUTPUT, self.came, RELIABLE_1)
        self.speed, self.stopped_at = 0.0, None
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        threading.Thread(target=spin, args=(self.executor,), daemon=True).start()
        for client in (*self.clients.values(), self.bare):
            wait("the services", client.service_is_ready)

    def end(self):
        rclpy.shutdown(context=self.context)

    def came(self, twist):
        if self.speed != 0.0 and twist.linear.x == 0.0:
            self.stopped_at = time.monotonic_ns()
        self.speed = twist.linear.x

    def call(self, verb, seq):
        future = self.clients[verb].call_async(
            self.kinds[verb].Request(seq=seq, operator_name="bench", reason="a measurement")
        )
        return wait(f"an answer to {verb}", future.done, look_every=0.001) and future.result()

    def time_bare(self):
        came_at = []
        began = time.monotonic_ns()
        future = self.bare.call_async(Trigger.Request())
        future.add_done_callback(lambda _: came_at.append(time.monotonic_ns()))
        wait("an answer", lambda: came_at, look_every=0.001)
        return came_at[0] - began

    def time_kill(self):
        """None: somebody else stopped it before."""
        try:
            wait("a command to come out", lambda: self.speed != 0.0, seconds=TRY_S, look_every=0.001)
        except TimeoutError:
            return None
        self.stopped_at = None
        began = time.monotonic_ns()
        self.clients["kill"].call_async(Trigger.Request())
        return wait("the safe command", lambda: self.stopped_at, look_every=0.001) - began


class Scraper:
    """Scrapes at a rate, in a thread, until it is told to end."""

    def __init__(self, node, rate_hz):
        self.node, self.period, self.over, self.count = node, 1.0 / rate_hz, threading.Event(), 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        due = time.monotonic()
        while not self.over.wait(max(0.0, due - time.monotonic())):
            self.node.get("/metrics")
            self.count += 1
            due = max(due + self.period, time.monotonic() - self.period)

    def end(self):
        self.over.set()
        self.thread.join()


def scenario(loaded, realtime, tries, again):
    with Rig() as rig, contextlib.ExitStack() as ends:
        node = rig.node(PARAMS.format(output=OUTPUT, realtime=str(realtime).lower()))
        rig.peer("service", BARE)
        stream = rig.peer("stream", 100, "/bench/vla")
        client = rig.peer("kill", "/interlock/kill", BARE, OUTPUT)
        flood = rig.peer("stream", FLOOD_HZ, "/bench/flood") if loaded else None
        hostile = rig.rclpy_peer("hostile", "/interlock/kill") if loaded else None
        operator = Operator(rig.domain)
        ends.callback(operator.end)
        client.hear()
        if loaded:
            wait("the flood to arrive", lambda: of_flood("interlock_commands_total", {}, node.metrics()) > 0)
            ends.callback(Scraper(node, SCRAPE_HZ).end)
        began = time.monotonic()
        flooded = flood.ask("count")["sent"] if flood else 0
        before = node.metrics()
        times = {"rcl": ([], []), "rclpy": ([], [])}
        replies = []
        for number in range(2 * tries):
            release(node, operator, lambda: hostiles(node, hostile))
            stream.tell("0.2")
            # Not in step with the tick.
            time.sleep(0.02 + 0.01 * random.random())
            safe, bare = times["rclpy" if number % 2 else "rcl"]
            if number % 2:
                bare.append(operator.time_bare())
                safe.append(operator.time_kill())
            else:
                bare.append(client.ask("bare")["bare_ns"])
                killed = client.ask("kill")
                safe.append(killed.get("safe_ns"))
                replies.append(killed.get("reply_ns"))
            stream.tell("0.0")
        tried = node.metrics()
        stops(hostile, client, again)
        after = node.metrics()
        rate_hz = (flood.ask("count")["sent"] - flooded) / (time.monotonic() - began) if flood else 0.0
        found = {name: compared(*pair) for name, pair in times.items()}
        inside = {"tries": inner(before, tried), "again": inner(tried, after)}
        flood = {
            "flood_hz": rate_hz,
            "judged_of_flood": of_flood("interlock_commands_total", before, after),
            "lost_of_flood": of_flood("interlock_commands_lost_total", before, after),
        }
        # What of the real-time set-up was not permitted.
        missing = node.status()["realtime"]
        return {**found, "reply": quantiles(replies), "inside": inside, "realtime_missing": missing, **flood}


def hostiles(node, hostile):
    """Kills whose answers cannot be delivered. They have arrived, or were lost, before the node is armed."""
    if hostile is None:
        return
    before = kills(node)
    for _ in range(HOSTILE):
        hostile.tell("kill")
    with contextlib.suppress(TimeoutError):
        wait("the hostile kills", lambda: kills(node) >= before + HOSTILE, seconds=TRY_S)


def kills(node):
    return sum(value for series, value in node.metrics().items() if series.startswith("interlock_stop_seconds_count"))


def release(node, operator, before_reset):
    """From killed, which a first run is, too, to active; again while conditions settle."""
    wait("the node to be killed", lambda: (node.status() or {}).get("state") == "killed")
    before_reset()

    def active():
        now = wait("a status", node.status)
        # What is refused counts against a limit.
        if now["state"] == "killed" or (now["state"] == "disarmed" and not now["unmet"]):
            operator.call("reset" if now["state"] == "killed" else "arm", now["seq"])
        return now["state"] == "active"

    wait("the node to be armed", active)


def stops(hostile, client, again):
    """Kills of a node that is killed: each puts the safe command out again, and is timed by the node."""
    over = threading.Event()

    def annoy():
        while not over.wait(0.05):
            hostile.tell("kill")

    if hostile:
        threading.Thread(target=annoy, daemon=True).start()
    client.tell(again)
    client.hear(600)
    over.set()


def compared(safe, bare):
    known = [(a, b) for a, b in zip(safe, bare) if a is not None and b is not None]
    columns = {"safe": [a for a, _ in known], "bare": [b for _, b in known]}
    found = ratios(columns, [("safe", "bare")], block=4)
    missing = len(safe) - len(known)
    return {"safe": quantiles(safe), "bare": quantiles(bare), "ratios": found, "without_answer": missing}


def inner(before, after):
    edges, counts, total = histogram(before, after, "interlock_stop_seconds", trigger="kill_service")
    count = sum(counts)
    within = sum(number for edge, number in zip(edges, counts) if edge <= 5e-4)
    return {
        "count": count,
        "mean_s": total / max(1.0, count),
        "within_500_us": within / max(1.0, count),
        "p50_below_s": bound(edges, counts, 0.5),
        "p99_below_s": bound(edges, counts, 0.99),
        "max_below_s": bound(edges, counts, 1.0),
        "edges_s": edges,
        "counts": counts,
    }


def of_flood(family, before, after):
    series = [name for name in after if name.startswith(family) and 'source="flood"' in name]
    return sum(after[name] - before.get(name, 0.0) for name in series)


def run(quick):
    tries, again = (8, 300) if quick else (300, 5_000)
    scenarios = {"idle": (False, False), "loaded": (True, False), "loaded, real-time": (True, True)}
    return {name: scenario(*which, tries, again) for name, which in scenarios.items()}
