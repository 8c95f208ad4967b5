"""Monitored topics: what a message, a topic and a scrape cost, beside a bare loop that takes and drops.

The node and two copies of the loop (`rcl_wait`, take, drop) read the same topics at the same time: what disturbs the
machine meets all three.
"""

import math
import time

from rig import Rig, difference, wait
from stats import decidable, mean_ratio, quantiles

# Topics, and messages a second on all of them. The first are at one rate, so that a message's cost can be compared:
# at higher rates one wake-up takes several.
LINEAR_HZ = 2_000
SCALES = [(10, LINEAR_HZ), (100, LINEAR_HZ), (500, LINEAR_HZ), (100, 10_000)]
PARAMS = """    monitor: {{patterns: ['/bench/topic_*'], max_topics: {count}, max_series: 100000}}
    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: cmd_vel
        feedback: none
        because: a measurement has no robot
        required: false
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1.0}}}}}}
        safe: {{command: zero_velocity}}
        sources: {{vla: {{topic: vla, priority: 10, timeout_s: 0.5, max_rate_hz: 100.0}}}}
"""
READERS = ("interlock", "drop", "drop_control")
IDLE_S = 3.0


def total(series, family):
    return sum(value for name, value in series.items() if name.startswith(family + "{"))


def one(count, rate_hz, windows, window_s, scrapes):
    with Rig() as rig:
        node = rig.node(PARAMS.format(count=count))
        wait("the node", node.status)
        time.sleep(2.0)
        without_kib = node.process.resident_kib()
        publisher = rig.peer("publish-many", count, rate_hz)
        drops = [rig.peer("take-and-drop", count) for _ in range(2)]
        for drop in drops:
            drop.hear()
        processes = dict(zip(READERS, (node.process, *drops)))
        wait("every topic to be watched", lambda: total(node.metrics(), "interlock_topic_publishers") == count)
        settle(publisher, drops)
        # What each costs when nothing comes.
        idle_before = usages(processes)
        time.sleep(IDLE_S)
        idle = {name: now["cpu_s"] / IDLE_S for name, now in differences(idle_before, usages(processes)).items()}
        publisher.tell("go")
        time.sleep(1.0)
        before_series = node.metrics()
        counted = [counts(publisher, drops)]
        marks = [(time.monotonic(), usages(processes))]
        for _ in range(windows):
            time.sleep(window_s)
            marks.append((time.monotonic(), usages(processes)))
        counted.append(counts(publisher, drops))
        after_series = node.metrics()
        publisher.tell("pause")
        return summary(
            count, rate_hz, marks, counted, idle, (before_series, after_series),
            {
                "resident_kib": node.process.resident_kib(),
                "without_kib": without_kib,
                "drop_resident_kib": drops[0].resident_kib(),
                **scrape(node, scrapes),
            },
        )  # fmt: skip


def settle(publisher, drops):
    """Until one message on each topic comes to both loops."""

    def complete():
        before = counts(publisher, drops)
        publisher.ask("round")
        time.sleep(0.5)
        sent, *taken = [now - then for now, then in zip(counts(publisher, drops), before)]
        return min(taken) == sent

    wait("the loops to be matched", complete)


def counts(publisher, drops):
    return [publisher.ask("count")["sent"], *(drop.ask("count")["taken"] for drop in drops)]


def usages(processes):
    return {name: process.usage() for name, process in processes.items()}


def differences(before, after):
    return {name: difference(before[name], after[name]) for name in before}


def summary(count, rate_hz, marks, counted, idle, scrapes, rest):
    seconds = marks[-1][0] - marks[0][0]
    sent, *taken = [now - then for now, then in zip(counted[1], counted[0])]
    watched = total(scrapes[1], "interlock_topic_messages_total") - total(scrapes[0], "interlock_topic_messages_total")
    messages = dict(zip(READERS, (watched, *taken)))
    whole = differences(marks[0][1], marks[-1][1])
    # Of each window, without what it costs when nothing comes.
    windows = {name: [] for name in READERS}
    for (began, first), (ended, last) in zip(marks, marks[1:]):
        for name, used in differences(first, last).items():
            windows[name].append(used["cpu_s"] - idle[name] * (ended - began))
    readers = {}
    for name in READERS:
        used = whole[name]
        readers[name] = {
            **used,
            "messages": messages[name],
            "received_ratio": messages[name] / max(1, sent),
            "idle_cpu_ratio": idle[name],
            "us_a_message": 1e6 * used["cpu_s"] / max(1, messages[name]),
            "us_a_message_less_idle": 1e6 * sum(windows[name]) / max(1, messages[name]),
        }
    control = mean_ratio(windows["drop_control"], windows["drop"])
    rest["kib_a_topic"] = (rest["resident_kib"] - rest["without_kib"]) / count
    return {
        "topics": count,
        "rate_hz": rate_hz,
        "reached_hz": sent / seconds,
        "readers": readers,
        "ratios": {
            "interlock ÷ drop": mean_ratio(windows["interlock"], windows["drop"]),
            "drop_control ÷ drop": control,
        },
        "whole_ratio": readers["interlock"]["cpu_s"] / readers["drop"]["cpu_s"],
        "decidable": decidable(control),
        **rest,
    }


def scrape(node, count):
    """What the node's HTTP thread and a client spend on a scrape."""
    lines, walls = 0, []
    before = node.process.thread_cpu_s("http")
    for _ in range(count):
        began = time.monotonic()
        body = node.get("/metrics")
        walls.append(time.monotonic() - began)
        lines = body.count(b"\n")
    cpu_s = (node.process.thread_cpu_s("http") - before) / count
    wall = quantiles(walls)
    return {
        "scrape": {"lines": lines, "bytes": len(body), "cpu_s": cpu_s, "wall_s": wall},
        "cpu_us_a_line": 1e6 * cpu_s / lines,
        "wall_us_a_line": 1e6 * wall["p50"] / lines,
    }


def run(quick):
    windows, window_s, scrapes = (4, 1.0, 20) if quick else (20, 2.0, 100)
    scales = SCALES[-1:] if quick else SCALES
    found = [one(count, rate, windows, window_s, scrapes) for count, rate in scales]
    return {"scales": found, "linear": linear(found)}


def linear(found):
    """Cost a message at the most topics beside the fewest, at the same rate: 1 were perfectly linear."""
    costs = [one["readers"]["interlock"]["us_a_message_less_idle"] for one in found if one["rate_hz"] == LINEAR_HZ]
    return costs[-1] / costs[0] if costs and costs[0] > 0 else math.nan
