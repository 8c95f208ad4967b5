"""What it costs to keep the node out of shared memory: the same relay and the same node with Fast DDS's own choice of
transports and with UDP only, in one run, message by message.

Without shared memory no other process can hold a lock that the gate waits for (docs/operating.md). The publisher and
the subscriber have both transports. `FASTDDS_BUILTIN_TRANSPORTS` has no effect where discovery is kept to this host, so
this run is not.
"""

from rig import Rig, lane
from round_trip import drive, of_routes
from stats import decidable, ratios

KIND, RATE_HZ = "joints", 500
UDP = {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
# The environment of each; the feedback follows the last.
ROUTES = {"rcl": {}, "rcl_control": {}, "rcl_udp": UDP, "interlock_udp": UDP, "interlock": {}}
PAIRS = [("rcl_control", "rcl"), ("rcl_udp", "rcl"), ("interlock_udp", "interlock")]


def run(quick):
    rounds = 1_000 if quick else 30_000
    with Rig(discovery="SUBNET") as rig:
        relays, nodes = {}, []
        for name, env in ROUTES.items():
            topics = (f"/bench/in_{name}", f"/bench/out_{name}")
            if name.startswith("interlock"):
                nodes.append(rig.node(lane(KIND, *topics, RATE_HZ), f"{name}.log", name=name, env=env))
                relays[name] = nodes[-1].process
            else:
                relays[name] = rig.peer("relay-rcl", KIND, f"bench_{name}", *topics, env=env)
        measured, before, after, _ = drive(rig, KIND, RATE_HZ, rounds, relays, nodes)
        shared = {name: maps_shared_memory(relay.pid) for name, relay in relays.items()}
        if any(shared[name] == (env is UDP) for name, env in ROUTES.items()):
            raise RuntimeError(f"shared memory is mapped by others than was meant: {shared}")
    routes, columns = of_routes(measured, before, after)
    found = ratios(columns, PAIRS)
    return {
        "routes": routes,
        "ratios": found,
        "decidable": bool(found) and decidable(found["p50"]["rcl_control ÷ rcl"]),
    }


def maps_shared_memory(pid):
    with open(f"/proc/{pid}/maps") as maps:
        return any("/dev/shm/fastrtps_" in line for line in maps)
