"""One life of the real node: started, asked over ROS and HTTP, ended by a fault."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import waiting  # noqa: E402
from one_lane import params  # noqa: E402

ANSWER_S = 3.0
wait = partial(waiting.wait, seconds=120.0, look_every=0.002)


class Ended(RuntimeError):
    """The node has ended by itself."""

    def __init__(self, code):
        super().__init__(f"the node ended by itself: {code}")
        self.code = code


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Operator:
    """An rclpy node that calls verbs without waiting, and notes each answer as it comes.

    A participant that knew many lives hears of the next one seconds later than a new one does, so each life has an
    operator that knew no other: `renew`.
    """

    def __init__(self):
        from interlock.srv import Arm, Reset
        from std_srvs.srv import Trigger

        self.unanswered = 0
        self.kinds = {"arm": Arm, "reset": Reset, "kill": Trigger, "disarm": Trigger}
        self.end = lambda: None
        self.renew()

    def renew(self):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from spinning import spin

        self.end()
        context = rclpy.Context()
        rclpy.init(context=context)
        node = self.node = rclpy.create_node("operator", context=context, enable_rosout=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        spinning = threading.Thread(target=spin, args=(executor,), daemon=True)
        spinning.start()

        def end():
            # No destructor of a middleware whose peers were killed: it may wait for them, and it has crashed. It
            # goes with the process, which therefore does only a part of a campaign.
            executor.shutdown()
            spinning.join()

        self.end = end

    def client(self, namespace, verb):
        return self.node.create_client(self.kinds[verb], f"{namespace}/interlock/{verb}")

    def request(self, verb, seq):
        request = self.kinds[verb].Request()
        if verb in ("arm", "reset"):
            request.seq, request.operator_name, request.reason = seq, "campaign", "a test"
        return request


class Node:
    """A namespace of its own for each life: nobody waits for the ghost of the life before."""

    def __init__(self, operator, folder, name, keys=None, prefix=(), env=None):
        self.operator, self.namespace = operator, f"/{name}"
        self.port = free_port()
        file = folder / "params.yaml"
        file.write_text(params(folder / "state", self.port, **(keys or {})))
        self.log = open(folder / "node.log", "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, "interlock", "--ros-args", "-r", f"__ns:={self.namespace}", "--params-file", str(file)],
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, **(env or {})},
        )
        self.clients = {}

    def http(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def status(self):
        """None: it does not answer."""
        try:
            return json.loads(self.http("/status"))
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def first_status(self):
        """The first it tells, and how long after exec that was."""
        status = wait("the node's status", self.told)
        return status, time.monotonic() - self.started

    def told(self):
        if self.process.poll() is not None:
            raise Ended(self.process.returncode)
        status = self.status()
        return status if status and status["state"] != "unknown" and status["seq"] else None

    def ask(self, verb, seq=0):
        """A future; what is answered is its result."""
        if verb not in self.clients:
            self.clients[verb] = self.operator.client(self.namespace, verb)
            wait(f"service {verb}", self.clients[verb].service_is_ready)
        return self.clients[verb].call_async(self.operator.request(verb, seq))

    def do(self, verb):
        """A verb once, with its answer. None: refused, or the middleware lost the request or the answer (it gives
        up on a client that it has not matched within 100 ms); what came of it the state shows."""
        future = self.ask(verb, self.told()["seq"])
        ends = time.monotonic() + ANSWER_S
        while not future.done() and time.monotonic() < ends:
            time.sleep(0.002)
        if not future.done():
            self.operator.unanswered += 1
            return None
        answer = future.result()
        return answer if answer.success else None

    def signal(self, number):
        self.process.send_signal(number)

    def kill_9(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
        for client in self.clients.values():
            self.operator.node.destroy_client(client)
        self.clients.clear()
