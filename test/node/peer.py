"""A ROS 2 peer in rclpy, driven by JSON lines on standard input.

Each line is one operation {"op": ..., ...}; each answer is one line {"ok": ...} or {"error": text}.
The peer decides nothing: it publishes, subscribes, calls and lists what a test asks for. Messages
are JSON objects with ROS's field names; a number that JSON does not have is a string such as
"$nan". Bytes are hexadecimal. What was received is kept with its bytes and its time of receipt.
"""

import importlib
import json
import math
import sys
import threading
import time
import traceback
from pathlib import Path

import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_services_default
from rclpy.serialization import deserialize_message, serialize_message

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from answers import take_stdout  # noqa: E402
from spinning import spin  # noqa: E402

CALL_LIMIT_S = 60.0


def load(name):
    """The Python class of `package/msg/Name` or `package/srv/Name`."""
    package, kind, name = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def scalar(value):
    return float(value[1:]) if isinstance(value, str) and value.startswith("$") else value


def fill(message, values):
    """Sets fields from JSON."""
    types = message.get_fields_and_field_types()
    for field, value in values.items():
        if isinstance(value, dict):
            fill(getattr(message, field), value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            package, name = types[field].removeprefix("sequence<").rstrip(">").split("/")
            setattr(message, field, [fill(load(f"{package}/msg/{name}")(), one) for one in value])
        elif isinstance(value, list):
            setattr(message, field, [scalar(one) for one in value])
        else:
            setattr(message, field, scalar(value))
    return message


def plain(value):
    """JSON of a message."""
    if hasattr(value, "get_fields_and_field_types"):
        return {field: plain(getattr(value, field)) for field in value.get_fields_and_field_types()}
    if isinstance(value, (bytes, bytearray)):
        return list(value)
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else f"${value}"
    return [plain(one) for one in value]


def with_garbage(message):
    """The message's bytes with every padding byte set, and more bytes after the last field where the
    middleware carries them: a type without texts and sequences has one length and no more.

    A padding byte is a zero that changes nothing for the real deserializer; the zero that ends a
    text, which follows a letter, is none.
    """
    sent, padding = bytearray(serialize_message(message)), 0
    for index in range(4, len(sent)):
        if sent[index] != 0 or chr(sent[index - 1]).isalnum() or sent[index - 1] == ord("_"):
            continue
        tried = sent.copy()
        tried[index] = 0xAA
        try:
            same = deserialize_message(bytes(tried), type(message)) == message
        except Exception:  # A count that leads past the end: not padding.
            same = False
        if same:
            sent, padding = tried, padding + 1
    if not has_one_length(type(message)):
        # The middleware carries whole words; any other length would not come through.
        sent += bytes([0x55] * (8 + -len(sent) % 4))
    return bytes(sent), padding


def has_one_length(kind):
    types = kind.get_fields_and_field_types().values()
    if any("string" in name or "sequence" in name for name in types):
        return False
    inner = [name.split("[")[0].split("/") for name in types if "/" in name]
    return all(has_one_length(load(f"{package}/msg/{name}")) for package, name in inner)


def profile(op):
    return QoSProfile(
        depth=op.get("depth", 1000),
        reliability=ReliabilityPolicy[op.get("reliability", "RELIABLE")],
        durability=DurabilityPolicy[op.get("durability", "VOLATILE")],
        deadline=Duration(seconds=op.get("deadline_s", 0.0)),
    )


class Stream(threading.Thread):
    """Publishes at a rate until stopped; where asked, with a number that counts up, or a header
    stamp that is off the present by a fixed time."""

    def __init__(self, publisher, message, op):
        super().__init__(daemon=True)
        self.publisher, self.message = publisher, message
        self.period = 1.0 / op["hz"]
        self.path, self.step = op.get("count_into"), op.get("step", 0.0)
        self.stamp_offset_s = op.get("stamp_offset_s")
        self.count = 0
        self.ends = threading.Event()

    def run(self):
        while not self.ends.wait(self.period):
            number = self.count + 1
            if self.path:
                *parents, field = self.path
                target = self.message
                for parent in parents:
                    target = getattr(target, parent)
                setattr(target, field, number * self.step)
            if self.stamp_offset_s is not None:
                nanos = time.time_ns() + int(self.stamp_offset_s * 1e9)
                stamp = self.message.header.stamp
                stamp.sec, stamp.nanosec = divmod(nanos, 1_000_000_000)
            # Before the publish: a reader of the count knows of at least what is on the wire.
            self.count = number
            self.publisher.publish(self.message)


class Peer:
    def __init__(self, name):
        rclpy.init()
        self.node = rclpy.create_node(name)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.publishers, self.received, self.subscriptions = {}, {}, {}
        self.types, self.clients, self.streams, self.asked = {}, {}, {}, []
        threading.Thread(target=spin, args=(self.executor,), daemon=True).start()

    def publisher(self, op):
        """Makes a publisher under a key of its own (the topic unless told)."""
        qos = profile({"depth": 10, **op})
        key = op.get("key", op["topic"])
        kind = load(op["type"])
        self.publishers[key] = (self.node.create_publisher(kind, op["topic"], qos), kind)

    def remove(self, op):
        """Takes a publisher or a client away."""
        if "service" in op:
            durability = qos_profile_services_default.durability
            self.node.destroy_client(self.clients.pop((op["service"], durability, 0)))
        else:
            self.node.destroy_publisher(self.publishers.pop(op["topic"])[0])

    def readers(self, op):
        """How many readers a publisher of ours is matched with."""
        return self.publishers[op["topic"]][0].get_subscription_count()

    def writers(self, op):
        """How many writers a subscription of ours is matched with."""
        return self.subscriptions[op["topic"]].get_publisher_count()

    def payload(self, op):
        if "hex" in op:
            return bytes.fromhex(op["hex"])
        return fill(self.publishers[op["topic"]][1](), op["msg"])

    def publish(self, op):
        self.publishers[op["topic"]][0].publish(self.payload(op))

    def publish_all(self, op):
        for one in op["hex"]:
            self.publishers[op["topic"]][0].publish(bytes.fromhex(one))
            time.sleep(op["pause_s"])

    def serialize(self, op):
        message = fill(load(op["type"])(), op["msg"])
        if op.get("garbage"):
            sent, padding = with_garbage(message)
            return {"hex": sent.hex(), "padding": padding}
        return {"hex": serialize_message(message).hex(), "padding": 0}

    def stream(self, op):
        publisher, kind = self.publishers[op["topic"]]
        stream = Stream(publisher, fill(kind(), op["msg"]), op)
        self.streams[op["topic"]] = stream
        stream.start()

    def sent(self, op):
        """How many a stream has sent so far."""
        return self.streams[op["topic"]].count

    def stop(self, op):
        """Ends a stream; says how many it sent."""
        stream = self.streams.pop(op["topic"])
        stream.ends.set()
        stream.join()
        return stream.count

    def subscribe(self, op):
        topic, received = op["topic"], []
        self.received[topic], self.types[topic] = received, load(op["type"])

        def note(message):
            received.append((time.monotonic(), bytes(message)))

        self.subscriptions[topic] = self.node.create_subscription(
            self.types[topic], topic, note, profile(op), raw=True
        )

    def age(self, op):
        """Seconds since the newest message came, on this process's steady clock."""
        return time.monotonic() - self.received[op["topic"]][-1][0]

    def unsubscribe(self, op):
        self.node.destroy_subscription(self.subscriptions.pop(op["topic"]))

    def declare(self, op):
        """Declares parameters, or sets those that are there."""
        for name, value in op["parameters"].items():
            if self.node.has_parameter(name):
                self.node.set_parameters([Parameter(name, value=value)])
            else:
                self.node.declare_parameter(name, value)

    def list(self, op):
        """What was received from index `from` on."""
        kind, received = self.types[op["topic"]], self.received[op["topic"]][op.get("from", 0) :]
        if op.get("count_only"):
            return len(received)
        if op.get("newest_only"):
            received = received[-1:]
        return [
            {"at": at, "hex": data.hex(), "msg": plain(deserialize_message(data, kind))}
            for at, data in received
        ]

    def client(self, op, qos=qos_profile_services_default, number=0):
        key = (op["service"], qos.durability, number)
        if key not in self.clients:
            self.clients[key] = self.node.create_client(
                load(op["type"]), op["service"], qos_profile=qos
            )
        return self.clients[key]

    def call(self, op):
        """Calls a service. With `streams`, says how much each stream had sent before the call."""
        client = self.client(op)
        if not client.wait_for_service(timeout_sec=CALL_LIMIT_S):
            raise TimeoutError(f"no service {op['service']}")
        request = fill(load(op["type"]).Request(), op.get("request", {}))
        before = {topic: stream.count for topic, stream in self.streams.items()}
        answered = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(CALL_LIMIT_S):
            raise TimeoutError(f"no answer from {op['service']}")
        return {"response": plain(future.result()), "before": before}

    def only_client(self, op):
        """A client that calls nothing: a node that could."""
        self.client(op)

    def call_hostile(self, op):
        """Requests of clients whose reply readers match no service's reply writer, in turn."""
        qos = QoSProfile(
            depth=1000,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        clients = [self.client(op, qos, number) for number in range(op.get("clients", 1))]
        request = fill(load(op["type"]).Request(), op.get("request", {}))
        for _ in range(op["count"]):
            self.asked += [client.call_async(request) for client in clients]

    def graph(self, _):
        """Every topic with its writers' and readers' nodes, and every service."""

        def full(info):
            return info.node_namespace.rstrip("/") + "/" + info.node_name

        topics = {}
        for topic, _ in self.node.get_topic_names_and_types():
            topics[topic] = {
                "publishers": [full(i) for i in self.node.get_publishers_info_by_topic(topic)],
                "subscriptions": [full(i) for i in self.node.get_subscriptions_info_by_topic(topic)],
            }
        services = [name for name, _ in self.node.get_service_names_and_types()]
        return {"topics": topics, "services": services}


OPERATIONS = {
    "publisher", "readers", "writers", "publish", "publish_all", "serialize", "stream", "sent", "stop",
    "subscribe", "unsubscribe", "declare", "list", "call", "only_client", "call_hostile", "graph", "remove",
    "age",
}  # fmt: skip


def main():
    answers = take_stdout()
    peer = Peer(sys.argv[1] if len(sys.argv) > 1 else "peer")
    for line in sys.stdin:
        op = json.loads(line)
        try:
            if op["op"] not in OPERATIONS:
                raise ValueError(f"unknown operation {op['op']}")
            answer = {"ok": getattr(peer, op["op"])(op)}
        except Exception:  # The test shows it.
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer, allow_nan=False), file=answers, flush=True)


if __name__ == "__main__":
    main()
