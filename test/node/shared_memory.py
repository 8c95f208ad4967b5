"""kill -9, over and over, where each crash leaves shared memory behind:

    shared_memory.py FOLDER PORT COUNT own|shared|half-made|held

Each of COUNT lives of the node comes up, says so over HTTP and dies. One JSON line after each step. `own`:
/dev/shm belongs to this run alone, and is so small that the crashes fill it.

1. `lives`: what /dev/shm held after each.
2. `full`: the last bytes are taken, too (`own`). A node and a peer start then, and must find each other.
3. `doctor`: what `interlockctl doctor` says of it (`own`, from here on).
4. `clean`: what it says to do has been done, beside a node that lives.

`half-made`: in a /dev/shm of its own lie ports that their makers did not live to fill, for which the middleware
waits without end. `doctor`: what it says of them. `start`: what the node's start made of them.

`held`: there lie mutexes of ports which a process holds that will not give them back. `living`: what the node's
start made of them while the process lives. `dead`: and when it was killed.
"""

import fcntl
import http.client
import json
import mmap
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import waiting  # noqa: E402

SHM = Path("/dev/shm")
wait = partial(waiting.wait, seconds=60.0, look_every=0.005)


def left():
    """Segments that are there, and KiB in use."""
    used = os.statvfs(SHM)
    segments = [one for one in SHM.iterdir() if one.name.startswith("fastrtps_") and "_" not in one.name[9:]]
    return len(segments), (used.f_blocks - used.f_bavail) * used.f_frsize // 1024


class Life:
    """One process of the node."""

    def __init__(self, folder, port, number):
        self.port, self.log = port, folder / "interlock.log"
        self.namespace = f"/life{number}"
        log = self.log.open("ab")
        self.process = subprocess.Popen(
            ["interlock", "--ros-args", "-r", f"__ns:={self.namespace}", "--params-file", str(folder / "params.yaml")],
            stdout=log,
            stderr=log,
        )
        self.wait_told()

    def wait_told(self):
        wait("the node's status", self.status)

    def status(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the node ended: {self.process.returncode}\n{self.log.read_text()[-3000:]}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/status")
            status = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return status if status["state"] != "unknown" and status["seq"] else None

    def kill_9(self):
        self.process.kill()
        self.process.wait()


def fill():
    """Takes what is left of /dev/shm, to the last byte."""
    with (SHM / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"\1" * 4096)
        except OSError:
            return


def talks(life):
    """A peer that is new, too, hears the node's state and has its kill served."""
    import rclpy
    from interlock.msg import State
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
    from std_srvs.srv import Trigger

    heard = []
    rclpy.init()
    node = rclpy.create_node("peer")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    threading.Thread(target=executor.spin, daemon=True).start()
    late = QoSProfile(
        depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
    )
    node.create_subscription(State, f"{life.namespace}/interlock/state", heard.append, late)
    wait("the node's state over ROS", lambda: heard)
    kill = node.create_client(Trigger, f"{life.namespace}/interlock/kill")
    wait("the kill service", kill.service_is_ready)
    kill.call_async(Trigger.Request())
    wait("the kill", lambda: heard[-1].label == "killed" and heard[-1].last_trip.cause == "kill_service")
    return heard[-1].label


def tell(step, **found):
    print(json.dumps({"step": step, **found}), flush=True)


def doctor():
    """Its exit code, and its lines on shared memory, which come last."""
    asked = subprocess.run(["interlockctl", "doctor"], capture_output=True, text=True)
    _, found, text = asked.stdout.rpartition("  shared memory  ")
    return {"code": asked.returncode, "doctor": f"{asked.stdout.splitlines()[-1]} {text}" if not found else text}


def clean(folder):
    """As the manual has it: the test took it from there."""
    subprocess.run(["sh", "-uc", (folder / "clean.sh").read_text()])


# The first ports that participants of any domain open.
PORTS = [SHM / f"fastrtps_port{number}" for number in range(7000, 7004)]


def is_filled(port):
    """Or not there, or made anew meanwhile: the first number of a file in use is 2."""
    return not port.exists() or port.read_bytes()[:1] == b"\2"


def half_made(folder, port):
    for number, one in enumerate(PORTS):
        # Without a length, and with one but without content, and in the middle of getting it.
        one.write_bytes([b"", bytes(52400), b"\1" + bytes(52399)][number % 3])
        # Its maker held this one, too.
        one.with_name(f"sem.{one.name}_mutex").write_bytes(bytes(32))
    tell("doctor", **doctor())
    life = Life(folder, port, 0)
    tell("start", filled=all(map(is_filled, PORTS)), log=life.log.read_text(), state=talks(life))
    life.kill_9()


MUTEXES = [SHM / f"sem.{port.name}_mutex" for port in PORTS]


def participant(number, mutexes):
    """As one of Fast DDS does: locks its segment, maps the mutexes, and takes them: their value is 0 then."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.read(read, 1)
        return process
    segment = (SHM / f"fastrtps_{number:016x}_el").open("w")
    fcntl.flock(segment, fcntl.LOCK_EX)
    mapped = [map_held(one) for one in mutexes]
    os.write(write, bytes(1))
    signal.pause()
    raise SystemExit(len(mapped))


def map_held(mutex):
    mutex.write_bytes(bytes(32))
    with mutex.open("r+b") as file:
        return mmap.mmap(file.fileno(), 32)


def held(folder, port):
    neighbour, holder = participant(1, []), participant(2, MUTEXES)
    life = Life(folder, port, 0)
    tell("living", log=life.log.read_text())
    life.kill_9()
    life.log.unlink()

    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    # That life waited for those that it needs, and took them away itself, as Fast DDS does.
    for one in MUTEXES:
        one.write_bytes(bytes(32))
    life = Life(folder, port, 1)
    tell("dead", log=life.log.read_text(), state=talks(life))
    life.kill_9()
    os.kill(neighbour, signal.SIGKILL)


def main():
    if sys.argv[4] in ("half-made", "held"):
        {"half-made": half_made, "held": held}[sys.argv[4]](Path(sys.argv[1]), int(sys.argv[2]))
        os._exit(0)
    folder, port, count, is_own = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "own"
    lives = []
    for number in range(count):
        life = Life(folder, port, number)
        life.kill_9()
        lives.append(left())
    tell("lives", left=lives)
    if is_own:
        fill()
    life = Life(folder, port, count)
    tell("full", state=talks(life), left=left())
    if is_own:
        tell("doctor", **doctor())
        life.kill_9()
        (SHM / "filler").unlink()
        after_the_clean(folder, port, count + 1)
    else:
        life.kill_9()
    # No destructor of a middleware whose peers were killed.
    os._exit(0)


def after_the_clean(folder, port, number):
    # The peer of this process is the only one that may hold anything.
    before = left()
    clean(folder)
    cleaned = left()
    life = Life(folder, port, number)
    with_life = left()
    clean(folder)
    life.wait_told()
    tell("clean", before=before, left=cleaned, with_life=with_life, again=left(), **doctor())
    life.kill_9()


if __name__ == "__main__":
    main()
