"""kill -9 at random moments, most of them while the latch is being written.

After each the file is read by an oracle of its own, and the next life must be what the file says: never active,
no trip lost that was told to be on disk, no number used twice.
"""

import signal
import time

import latch_file
from node import Node

# Longer than a write and its answer take, so that both sides of each are hit.
SOON_S = 0.006


class Lost(Exception):
    """What must not be."""


class Lives:
    """The lives of one robot, one after the other, with one state directory."""

    def __init__(self, operator, folder, random):
        self.operator, self.folder, self.random = operator, folder, random
        self.file = folder / "state" / "latch"
        self.life, self.highest, self.told = 0, 0, 0
        # What the life began with: a kill for a cause that is latched already moves no number.
        self.began_at = 0
        self.worst_start_s = 0.0
        self.node = None
        # Told to be on disk: trips by seq, and whether a reset was asked for since.
        self.durable, self.released = [], True

    def check(self, holds, text):
        if not holds:
            raise Lost(f"life {self.life}: {text}")

    def begin(self):
        """The next life, compared with what the last one left."""
        left, valid = latch_file.read(self.file)
        self.life += 1
        self.operator.renew()
        node = self.node = Node(self.operator, self.folder, f"life{self.life}")
        status, took = node.first_status()
        self.worst_start_s = max(self.worst_start_s, took)
        state, seq = status["state"], status["seq"]
        self.check(state != "active", "active after a restart")
        cause = (status["first_trip"] or {}).get("cause")
        if left is None:
            self.check((state, cause) == ("killed", "first_run"), f"no file, and {state} for {cause}")
        else:
            self.check(valid == 2, f"{valid} of 2 slots valid: a process that dies tears nothing")
            expected = {
                "killed": ("killed", left.trips.get(left.first)),
                "active": ("killed", "unclean_restart"),
                "disarmed": ("disarmed", None),
            }[left.state]
            self.check((state, cause) == expected, f"{left} and then {state} for {cause}")
            self.check(left.clean or seq > self.highest, f"seq {seq} was used before ({self.highest})")
        self.check(seq >= self.highest, f"seq went back to {seq} from {self.highest}")
        for number in self.durable[-3:]:
            self.check(left is not None and number in left.trips, f"trip {number} is lost: {left}")
        if self.durable and not self.released:
            self.check(state == "killed", f"trip {self.durable[-1]} was on disk, and it is {state}")
        self.highest = self.began_at = seq
        return node

    def end_whoever_is_left(self):
        if self.node.process.poll() is None:
            self.node.kill_9()

    def end(self, node, *asked):
        """kill -9 after a random moment; then what was answered before it counts."""
        time.sleep(self.random.random() * SOON_S)
        node.kill_9()
        for future in asked:
            self.note(future)

    def note(self, future):
        if not future.done():
            return
        self.note_answer(future.result())

    def note_answer(self, answer):
        number = getattr(answer, "seq", 0)
        if "Latch: on disk:" in answer.message:
            number = int(answer.message.split("seq ")[1].split(":")[0])
            self.told += 1
            self.released = False
            if number != self.began_at:
                self.durable.append(number)
        self.highest = max(self.highest, number)

    def reach(self, node, state):
        """Verbs until the node is there."""
        for _ in range(500):
            told = node.told()
            now = told["state"]
            if now == state:
                return
            verb = {"killed": "reset", "active": "kill", "disarmed": "kill" if state == "killed" else "arm"}[now]
            if verb == "arm" and told["unmet"]:
                # What is refused counts against a limit.
                time.sleep(0.01)
                continue
            if verb == "reset":
                self.released = True
            answer = node.do(verb)
            if answer:
                self.note_answer(answer)
            else:
                time.sleep(0.01)
            self.highest = max(self.highest, node.told()["seq"])
        raise Lost(f"life {self.life}: never became {state}")

    # ---- the faults ---------------------------------------------------------------------------------

    def during_start(self):
        self.life += 1
        node = self.node = Node(self.operator, self.folder, f"life{self.life}")
        time.sleep(self.random.random() * 0.15)
        node.kill_9()
        # Numbers of this life may have been written; nobody has read them.
        self.begin().kill_9()

    def during_trip(self):
        node = self.begin()
        self.reach(node, self.random.choice(["active", "disarmed", "killed"]))
        if self.random.random() < 0.3:
            node.ask("kill")  # The first makes the client; what it answers counts, too.
            node.signal(signal.SIGUSR1)
        self.end(node, node.ask("kill"))

    def after_trip(self):
        node = self.begin()
        self.reach(node, self.random.choice(["active", "disarmed"]))
        answer = next(filter(None, (node.do("kill") for _ in range(6))), None)
        self.check(answer is not None, "no kill was ever answered")
        self.check("Latch: on disk:" in answer.message, f"a kill on an idle disk: {answer.message}")
        self.note_answer(answer)
        self.end(node)

    def during_arm(self):
        node = self.begin()
        self.reach(node, "disarmed")
        self.end(node, node.ask("arm", node.told()["seq"]))

    def during_reset(self):
        node = self.begin()
        self.reach(node, "killed")
        self.released = True
        self.end(node, node.ask("reset", node.told()["seq"]))

    def during_reset_and_trip(self):
        node = self.begin()
        self.reach(node, "killed")
        node.do("kill")  # Both clients are matched before the race.
        self.released = True
        reset = node.ask("reset", node.told()["seq"])
        kill = node.ask("kill")
        time.sleep(self.random.random() * SOON_S)
        node.kill_9()
        self.note(reset)
        # Which of the two came first nobody can tell, but for the file, which the next start is compared with.
        released = self.released
        self.note(kill)
        self.released = released

    def at_rest(self):
        node = self.begin()
        self.reach(node, self.random.choice(["active", "disarmed", "killed"]))
        self.end(node)


FAULTS = {
    "kill -9 during a trip": Lives.during_trip,
    "kill -9 after a trip": Lives.after_trip,
    "kill -9 during an arm": Lives.during_arm,
    "kill -9 during a reset": Lives.during_reset,
    "kill -9 during reset and trip": Lives.during_reset_and_trip,
    "kill -9 at rest": Lives.at_rest,
    "kill -9 during the start": Lives.during_start,
}
