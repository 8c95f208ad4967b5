"""Publisher to relay to subscriber: the node beside relays that only take and publish.

All relays run at once, on one machine, with one quality of service. Messages go to them in turn, one under way at a
time (benches/peers/round_trip.rs). The baseline runs twice: what its copy differs by is what the machine adds.
"""

import json

import numpy
from rig import Rig, bound, difference, histogram, lane
from stats import decidable, quantiles, ratios

# The node is the last: the measured joints follow its commands.
ROUTES = ["rcl", "rcl_control", "r2r", "rclpy", "interlock"]
PAIRS = [("rcl_control", "rcl"), ("interlock", "rcl"), ("interlock", "r2r"), ("interlock", "rclpy")]
# What the target names.
HEADLINE = ("joints", 500)
PARTS = ("publish", "to_relay", "back", "wake")


def plans(quick):
    """(kind, rate, rounds): by rounds, so that a slow machine takes longer and measures the same."""
    if quick:
        return [(*HEADLINE, 2_000), ("twist", 500, 1_000)]
    rounds = {100: 3_000, 500: 20_000, 1_000: 20_000}
    return [
        (kind, rate, 3 * count if (kind, rate) == HEADLINE else count)
        for kind in ("joints", "twist")
        for rate, count in rounds.items()
    ]


def one(kind, rate, rounds):
    with Rig() as rig:
        topics = {name: (f"/bench/in_{name}", f"/bench/out_{name}") for name in ROUTES}
        relays = {}
        for name in ("rcl", "rcl_control", "r2r"):
            role = "relay-r2r" if name == "r2r" else "relay-rcl"
            relays[name] = rig.peer(role, kind, f"bench_{name}", *topics[name])
        relays["rclpy"] = rig.rclpy_peer("relay", kind, "bench_rclpy", *topics["rclpy"])
        node = rig.node(lane(kind, *topics["interlock"], rate))
        relays["interlock"] = node.process
        measured, before, after, [scrapes] = drive(rig, kind, rate, rounds, relays, [node])
        return summary(kind, rate, measured, before, after, scrapes)


def drive(rig, kind, rate, rounds, relays, nodes):
    """What the driver measured of each relay, what each had used before and after, and each node's scrapes around it."""
    plan = {
        "kind": kind,
        "rate_hz": rate,
        "warm_up": max(200, rounds // 20),
        "rounds": rounds,
        "routes": list(relays),
        "feedback": kind == "joints",
    }
    driver = rig.peer("round-trip", json.dumps(plan))
    driver.hear()  # Everything is matched.
    for node in nodes:
        node.arm()
    driver.tell("go")
    driver.hear(600)  # Warm.
    outside = [node.metrics() for node in nodes]
    before = {name: relay.usage() for name, relay in relays.items()}
    driver.hear(3600)
    after = {name: relay.usage() for name, relay in relays.items()}
    inside = [node.metrics() for node in nodes]
    states = {node.status()["state"] for node in nodes}
    driver.tell("end")
    measured = driver.hear()
    if states != {"active"}:
        raise RuntimeError(f"the nodes ended {states}: what was measured is not the gate")
    return measured, before, after, list(zip(outside, inside))


def of_routes(measured, before, after):
    """For people by route; and the times by route, round for round, of which ratios are made."""
    routes, columns = {}, {}
    for name, samples in measured["routes"].items():
        routes[name] = {
            **quantiles(samples["round_trip"]),
            **{key: samples[key] for key in ("sent", "lost", "late", "altered")},
            **difference(before[name], after[name]),
            "parts_p50": {part: quantiles(samples[part]).get("p50") for part in PARTS},
        }
        columns[name] = [numpy.nan if value is None else value for value in samples["round_trip"]]
    return routes, columns


def summary(kind, rate, measured, before, after, scrapes):
    routes, columns = of_routes(measured, before, after)
    found = ratios(columns, PAIRS)
    edges, counts, total = histogram(*scrapes, "interlock_command_residence_seconds")
    _, published, publish_s = histogram(*scrapes, "interlock_publish_seconds")
    return {
        "kind": kind,
        "rate_hz": rate,
        "reached_hz": len(columns["rcl"]) / measured["seconds"],
        "schedule_given_up": measured["behind"],
        "routes": routes,
        "ratios": found,
        "decidable": bool(found) and decidable(found["p50"]["rcl_control ÷ rcl"]),
        "residence": {
            "count": sum(counts),
            "mean_s": total / max(1.0, sum(counts)),
            "p50_below_s": bound(edges, counts, 0.5),
            "p99_below_s": bound(edges, counts, 0.99),
            "edges_s": edges,
            "counts": counts,
            "publish_mean_s": publish_s / max(1.0, sum(published)),
        },
    }


def run(quick):
    return [one(*plan) for plan in plans(quick)]
