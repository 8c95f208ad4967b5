"""One life of the real node: started, asked over ROS and HTTP, ended by a fault."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time

PARAMS = """/**:
  ros__parameters:
    schema: 1
    release_over_ros: true
    state_dir: {state_dir}
    arm: {{settle_s: 0.0}}
    http: {{listen: '127.0.0.1:{port}'}}
    causes: {{gate_stalled: {{action: warn}}}}
    lanes:
      base:
        type: geometry_msgs/msg/Twist
        output: cmd_vel
        feedback: none
        because: a test has no robot
        required: false
        limits: {{linear: {{x: {{max_velocity: 0.5, max_acceleration: 1.0}}}}}}
        safe: {{command: zero_velocity}}
        sources: {{agent: {{topic: agent, priority: 10, timeout_s: 1.0, max_rate_hz: 50.0}}}}
"""
PATIENCE_S = 120.0
ANSWER_S = 10.0


class Ended(RuntimeError):
    """The node has ended by itself."""

    def __init__(self, code):
        super().__init__(f"the node ended by itself: {code}")
        self.code = code


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait(what, condition):
    """What the condition gives, once it gives something. Bounded, and generous."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        found = condition()
        if found:
            return found
        time.sleep(0.002)
    raise TimeoutError(f"waited {PATIENCE_S:.0f} s for {what}")


class Operator:
    """An rclpy node that calls verbs without waiting, and notes each answer as it comes."""

    def __init__(self):
        import rclpy
        from interlock.srv import Arm, Reset
        from rclpy.executors import SingleThreadedExecutor
        from std_srvs.srv import Trigger

        self.unanswered = 0
        self.kinds = {"arm": Arm, "reset": Reset, "kill": Trigger, "disarm": Trigger}
        rclpy.init()
        self.node = rclpy.create_node("operator")
        executor = SingleThreadedExecutor()
        executor.add_node(self.node)
        threading.Thread(target=executor.spin, daemon=True).start()

    def client(self, namespace, verb):
        return self.node.create_client(self.kinds[verb], f"{namespace}/interlock/{verb}")

    def request(self, verb, seq):
        request = self.kinds[verb].Request()
        if verb in ("arm", "reset"):
            request.seq, request.operator_name, request.reason = seq, "campaign", "a test"
        return request


class Node:
    """A namespace of its own for each life: nobody waits for the ghost of the life before."""

    def __init__(self, operator, folder, name, text=PARAMS, prefix=(), env=None):
        self.operator, self.namespace = operator, f"/{name}"
        self.port = free_port()
        params = folder / "params.yaml"
        params.write_text(text.format(state_dir=folder / "state", port=self.port))
        self.log = open(folder / "node.log", "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, "interlock", "--ros-args", "-r", f"__ns:={self.namespace}", "--params-file", str(params)],
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
        """A verb once, with its answer. None: refused, or the middleware lost the answer (it gives up on a
        client that it has not matched within 100 ms); what came of it the state shows."""
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
