"""The story: what happens in which order, and what must be true of each step.

A step measures, checks, and says in one line what it saw. What it checks are conditions, never how
long something took.
"""

import collections
import math
import signal
import time

from scene import LANE, MS, SOURCE, SUCCESSOR, Scene, values
from stage import expect, wait

Result = collections.namedtuple("Result", "value unit meaning says details", defaults=[()])
Step = collections.namedtuple("Step", "name needs_flow run")
JOINT = "left_elbow_joint"
CREDIT_PERIODS = 1.5  # a command may use the time since the one before it, at most this many periods


def median_and_p99(numbers):
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]


class Story(Scene):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.joint = self.lane["joints"].index(JOINT)
        self.steps = [
            Step("a first run comes up killed", False, self.starts),
            Step("the operator resets", False, self.resets_first_run),
            Step("arm refused, with reasons", False, self.refuses_to_arm),
            Step("before arm: all withheld", False, self.withholds),
            Step("arm", False, self.arms),
            Step("flowing, byte for byte", True, self.flows),
            Step("a NaN is refused", True, self.refuses_nan),
            Step("beyond a limit: held to it", True, self.holds_to_limit),
            Step("told on ~/decisions", False, self.tells_decision),
            Step("a successor in shadow", True, self.judges_successor),
            Step("over the rate: refused", True, self.refuses_burst),
            Step("policy silent: holding", True, self.holds),
            Step("policy back: flowing", False, self.returns),
            Step("the operator calls ~/kill", True, self.kills),
            Step("killed: nothing forwarded", False, self.latches),
            Step("killed: arm refused", False, self.refuses_to_arm_while_killed),
            Step("reset moves nothing", False, self.resets),
            Step("arm with profile bringup", False, self.arms_with_profile),
            Step("what /metrics shows", True, self.shows_metrics),
            Step("SIGTERM: safe, then exit 0", True, self.ends),
        ]

    def starts(self):
        self.node = self.start_node()
        wait("the node's first ~/state", lambda: self.operator.state)
        state = self.operator.state
        expect(state.label == "killed", state.label, "killed")
        cause = state.first_trip.cause
        expect(cause == "first_run", cause, "first_run: there is no latch file that says otherwise")
        took = (state.since.sec + state.since.nanosec / 1e9 - self.node.started_wall) * 1e3
        seen = (self.operator.first_state - self.node.started) / MS
        return Result(took, "ms", "exec → killed, by the node's own ~/state",
                      f"{state.label} ({cause}), seq {state.seq}, {took:.0f} ms after exec",
                      [f"the operator saw it after {seen:.0f} ms: until then the middleware's discovery"])

    def resets_first_run(self):
        answer = self.reset()
        expect(self.operator.label == "disarmed", self.operator.label, "disarmed")
        return Result(answer.seq, "seq", "on disk before it was true", answer.message)

    def refuses_to_arm(self):
        _, _, answer = self.operator.call("arm")
        expect(not answer.success and answer.unmet, answer.message, "a refusal that names what is missing")
        return Result(len(answer.unmet), "", "things in the way, each with what to do",
                      f"no robot, no pendant yet: {len(answer.unmet)} things in the way",
                      [condition.text for condition in answer.unmet])

    def withholds(self):
        self.robot, self.policy = self.start_robot(), self.start_policy(SOURCE)
        self.successor = self.start_policy(SUCCESSOR)
        wait("the robot's joint states", lambda: all(c.code != "feedback_stale" for c in self.operator.state.unmet))
        self.policy.order(mode="smooth")
        self.wait_withheld(50)
        metrics = self.metrics()
        count = self.verdict(metrics, "withheld")
        expect(self.verdict(metrics, "passed") == 0, "commands passed", "none while disarmed")
        expect(not self.robot.samples, f"{len(self.robot.samples)} at the robot", "none before arm")
        return Result(count, "", "commands withheld, 0 at the robot",
                      f"{count} commands received, {count} withheld, 0 at the robot")

    def arms(self):
        expect(not self.robot.samples, f"{len(self.robot.samples)} at the robot", "none before arm")
        answers = self.arm()
        last = answers[-1]
        refused = [f"refused {len(answers) - 1} times first: {answers[-2].message}"] if len(answers) > 1 else []
        return Result(last.seq, "seq", "that ~/state shows once armed", last.message, refused)

    def flows(self):
        before = self.metrics()
        self.led_in = self.verdict(before, "limited")
        since = time.monotonic_ns()
        self.wait("100 commands at the robot", lambda: len(self.forwarded(since)) >= 100)
        pairs = self.forwarded(since)
        after = self.metrics()
        limited = self.verdict(after, "limited") - self.verdict(before, "limited")
        # What came more than once is the frozen pose of a short hold.
        counts = collections.Counter(sample.bytes for sample in self.robot.since(since))
        altered = sum(times == 1 and raw not in self.policy.by_bytes for raw, times in counts.items())
        expect(altered <= limited + 1, f"{altered} altered", f"at most the {limited} that the gate counts as limited")
        median, p99 = median_and_p99([(got.at - sent.at) / MS for sent, got in pairs])
        name = "interlock_command_residence_seconds"
        mean = after.sum(f"{name}_sum") / after.sum(f"{name}_count") * 1e6
        also = f"; {limited} more were limited" if limited else ""
        return Result(median, "ms", "policy → gate → robot, median",
                      f"{len(pairs)} commands at the robot, the same bytes{also}",
                      [f"before them the start ramp led the robot in: {self.led_in} were limited",
                       f"policy → gate → robot: median {median:.2f} ms, 99 % within {p99:.2f} ms, rclpy at both ends",
                       f"in the gate, take to publish: {mean:.0f} µs on average, 99 % within "
                       f"{after.quantile_edge(name, 0.99) * 1e6:g} µs"])

    def refuses_nan(self):
        before = self.metrics()
        since = time.monotonic_ns()
        self.policy.order(mode="nan", count=5, joint=self.joint)
        self.wait("the policy to send NaN", lambda: any(s.mode == "nan" for s in self.policy.since(since)))
        self.wait("a refusal", lambda: self.rejected(self.metrics(), "not_finite")
                  > self.rejected(before, "not_finite"))
        self.wait_flow(5)
        count = self.rejected(self.metrics(), "not_finite") - self.rejected(before, "not_finite")
        got = sum(any(map(math.isnan, values(sample))) for sample in self.robot.since(since))
        expect(got == 0, f"{got} commands with NaN at the robot", "none")
        sent = sum(sample.mode == "nan" for sample in self.policy.since(since))
        return Result(count, "", "commands refused as not_finite",
                      f"{sent} sent with a NaN, {count} refused, 0 at the robot")

    def holds_to_limit(self):
        limit = self.highest[JOINT]
        asked = round(limit + 0.4, 4)
        kinds = ("position", "velocity", "acceleration", "deceleration")

        def applied(metrics):
            return [int(metrics.sum("interlock_limits_applied_total", source=SOURCE, limit=k)) for k in kinds]

        before, since = applied(self.metrics()), time.monotonic_ns()
        self.policy.order(mode="beyond", joint=self.joint, value=asked)

        def at_limit():
            newest = self.robot.since(since)[-10:]
            return len(newest) == 10 and all(limit - 1e-6 <= values(s)[self.joint] for s in newest)

        def newest():
            sample = self.robot.since(since)[-1:]
            return f"{values(sample[0])[self.joint]} rad" if sample else "no command"

        self.wait(f"{JOINT} at {limit} rad", at_limit, found=newest)
        sent = values(self.robot.samples[-1])[self.joint]
        self.policy.order(mode="smooth")
        self.wait_flow(10)
        highest = max(values(sample)[self.joint] for sample in self.robot.since(since))
        expect(highest <= limit, f"{highest} rad at the robot", f"at most {limit} rad")
        counts = [after - first for first, after in zip(before, applied(self.metrics()))]
        return Result(sent, "rad", f"sent to {JOINT}", f"asked {asked} rad, limit {limit} rad, sent {sent:.4f} rad",
                      ["limits applied on the way there and back: "
                       + ", ".join(f"{kind} {count}" for kind, count in zip(kinds, counts) if count)])

    def tells_decision(self):
        def told():
            for decision in reversed(self.operator.decisions):
                for change in decision.changes:
                    if change.name == JOINT and change.limit == "position":
                        return decision, change
            return None

        decision, change = wait(f"a decision that names {JOINT} and its position limit", told)
        expect(decision.verdict == decision.LIMITED, f"verdict {decision.verdict}", "limited")
        expect(change.requested > change.bound, f"{change.requested} requested", f"more than {change.bound}")
        return Result(change.bound, "rad", f"bound of {JOINT}, as told",
                      f"{change.quantity} {change.requested:.4f}, sent {change.sent:.4f}, limit {change.bound:.4f}",
                      [f"{change.name} in command {decision.sequence_number} of {decision.lane}/{decision.source} "
                       f"({decision.revision}); with it every joint as requested and as sent, and the totals of "
                       "its source"])

    def judges_successor(self):
        self.successor.order(mode="hasty")
        before, since = self.metrics(), time.monotonic_ns()

        def judged(verdict):
            return self.judged(self.metrics(), verdict) - self.judged(before, verdict)

        self.wait("25 commands that would have been limited", lambda: judged("limited") >= 25,
                  found=lambda: f"{judged('limited')} of them", every_s=0.05)
        self.successor.order(mode="silent")
        counts = {verdict: judged(verdict) for verdict in ("passed", "limited", "rejected")}
        through = sum(sample.bytes in self.successor.by_bytes for sample in self.robot.samples)
        expect(through == 0, f"{through} of its commands at the robot", "none")
        owners = [lane.owner for lane in self.operator.state.lanes]
        expect(owners == [SOURCE], f"{owners} in charge", SOURCE)
        flowed = len(self.forwarded(since))
        revision = self.lane["sources"][SUCCESSOR]["revision"]
        return Result(sum(counts.values()), "", "commands judged, 0 at the robot",
                      f"{sum(counts.values())} judged: {counts['limited']} would have been limited; 0 at the robot",
                      [f"{SUCCESSOR} ({revision}) asks for 6 rad/s where 3 are allowed; {SOURCE} stays in charge, "
                       f"{flowed} of its commands reached the robot meanwhile"])

    def refuses_burst(self):
        before, done, since = self.metrics(), len(self.policy.done), time.monotonic_ns()
        self.policy.order(mode="burst", count=200)
        self.wait("the burst to be sent", lambda: len(self.policy.done) > done)
        self.wait("a refusal", lambda: self.rejected(self.metrics(), "rate_exceeded")
                  > self.rejected(before, "rate_exceeded"))
        burst = [sample for sample in self.policy.since(since) if sample.mode == "burst"]
        seconds = (burst[-1].at - burst[0].at) / 1e9
        raw = {sample.bytes for sample in burst}
        through = len(raw & {sample.bytes for sample in self.robot.since(since)})
        self.wait_flow(10)
        after = self.metrics()
        refused = self.rejected(after, "rate_exceeded") - self.rejected(before, "rate_exceeded")
        lost = int(after.sum("interlock_commands_lost_total", source=SOURCE)
                   - before.sum("interlock_commands_lost_total", source=SOURCE))
        return Result(refused, "", "commands refused as rate_exceeded",
                      f"{len(burst)} in {seconds:.2f} s, {len(burst) / seconds:.0f} Hz where 60 are allowed: "
                      f"{refused} refused",
                      [f"{lost} were overwritten while they waited and are charged to the rate too; "
                       f"{through} came through unchanged; then the policy is heard again by itself"])

    def holds(self):
        self.policy.order(mode="silent")
        self.wait("the lane to hold", lambda: self.operator.lane == "holding", found=lambda: f"lane {self.operator.lane}")
        last = self.policy.samples[-1]
        safe = self.safe_commands(last.at, 25)
        took = (safe[0].at - last.at) / MS
        apart = max(abs(a - b) for a, b in zip(values(safe[0]), values(last)))
        return Result(took, "ms", "last command → first safe command",
                      f"holding {took:.0f} ms after the last command (timeout 200 ms)",
                      [f"the safe command: {len(safe)} times the same frozen pose, {apart:.4f} rad from the last command"])

    def returns(self):
        if self.operator.lane != "holding":  # after a disturbance
            self.make_flow()
            self.holds()
        frozen, since = self.robot.samples[-1].bytes, time.monotonic_ns()
        self.policy.order(mode="smooth")
        self.wait("commands at the robot", lambda: len(self.forwarded(since)) >= 10)
        self.wait("the lane to flow", lambda: self.operator.lane == "flowing")
        first = self.policy.since(since)[0]
        other = next(sample for sample in self.robot.since(first.at) if sample.bytes != frozen)
        took = (other.at - first.at) / MS
        return Result(took, "ms", "first command → at the robot", f"flowing {took:.1f} ms after its first command")

    def kills(self):
        before = self.metrics()
        called, answered, answer = self.operator.call("kill")
        expect(answer.success, answer.message, "kill always succeeds")
        wait("~/state to say killed", lambda: self.operator.label == "killed", found=lambda: self.operator.label)
        safe = self.safe_commands(called, 25)
        took = (safe[0].at - called) / MS
        labels = {"trigger": "kill_service"}
        seconds = self.metrics().sum("interlock_stop_seconds_sum", **labels) - before.sum(
            "interlock_stop_seconds_sum", **labels)
        return Result(took, "ms", "request → first safe command at the robot",
                      f"first safe command at the robot {took:.1f} ms after the call",
                      [f"in the gate, request seen to safe command published: {seconds * 1e6:.0f} µs; "
                       f"answer after {(answered - called) / MS:.1f} ms: \"{answer.message}\""])

    def latches(self):
        since = time.monotonic_ns()
        count = self.wait_withheld(50)
        got = self.robot.since(since)
        kinds = {sample.bytes for sample in got}
        expect(len(kinds) == 1, f"{len(kinds)} different commands at the robot", "the frozen pose only")
        return Result(count, "", "commands withheld, 0 forwarded",
                      f"the policy goes on: {count} withheld, 0 forwarded",
                      [f"{len(got)} times the frozen pose at the robot, every time the same bytes"])

    def refuses_to_arm_while_killed(self):
        _, _, answer = self.operator.call("arm")
        expect(not answer.success, answer.message, "a refusal")
        return Result(self.operator.state.seq, "seq", "of the latch, unchanged", f"refused, seq stays {self.operator.state.seq}", [f"\"{answer.message}\""])

    def resets(self):
        start = self.pose()
        answer = self.reset()
        wait("the lane to be released", lambda: self.operator.lane == "released", found=lambda: self.operator.lane)
        # What was on its way at the release may still come: silent is who then stays silent.
        wait("silence at the robot", lambda: self.is_silent_while_withholding(25), every_s=0)
        moved = max(abs(a - b) for a, b in zip(start, self.pose()))
        expect(moved < 1e-6, f"the robot moved {moved} rad", "no motion")
        return Result(round(moved, 6), "rad", "that the robot moved", f"\"{answer.message}\"",
                      [f"the safe command for 1 s more, then silence while 25 were withheld; the robot moved {moved:.4f} rad"])

    def arms_with_profile(self):
        profile, factor = "bringup", self.profiles["bringup"]["velocity"]
        answer = self.arm(profile)[-1]
        self.make_flow(40)  # the ramp is over, and most commands pass again
        expect(self.operator.state.profile == profile, f"profile {self.operator.state.profile}", profile)
        full = self.lane["limits"]["max_velocity"]
        period = 1.0 / self.lane["sources"][SOURCE]["max_rate_hz"]
        start = values(self.robot.samples[-1])[self.joint]
        asked, since = round(start + 0.2, 4), time.monotonic_ns()
        self.policy.order(mode="beyond", joint=self.joint, value=asked)

        def sent():
            return [start, *(values(sample)[self.joint] for sample in self.robot.since(since))]

        self.wait(f"{JOINT} at {asked} rad", lambda: abs(sent()[-1] - asked) < 1e-6, found=lambda: f"{sent()[-1]} rad")
        steps = [b - a for a, b in zip(sent(), sent()[1:]) if b > a]
        allowed = factor * full * CREDIT_PERIODS * period
        expect(max(steps) <= allowed + 1e-9, f"{max(steps)} rad in one command", f"at most {allowed} rad")
        return Result(max(steps), "rad", "largest step of the elbow in one command",
                      f"0.2 rad asked at once: {len(steps)} steps of at most {max(steps):.4f} rad",
                      [f"\"{answer.message}\": {factor * full:g} rad/s where {full:g} are allowed else, for a first run"])

    def shows_metrics(self):
        metrics = self.metrics()
        wanted = [
            ("interlock_state", {"state": "active"}, lambda value: value == 1),
            ("interlock_latched", {}, lambda value: value == 0),
            ("interlock_lane_owner", {"lane": LANE, "source": SOURCE}, lambda value: value == 1),
            ("interlock_profile", {"profile": "bringup"}, lambda value: value == 1),
            ("interlock_trips_total", {"cause": "kill_service"}, lambda value: value == 1),
            ("interlock_arms_total", {}, lambda value: value >= 2),
            ("interlock_resets_total", {}, lambda value: value >= 2),
            *(("interlock_commands_total", {"source": SOURCE, "verdict": verdict}, lambda value: value > 0)
              for verdict in ("passed", "limited", "rejected", "withheld")),
            *(("interlock_commands_rejected_total", {"source": SOURCE, "reason": reason}, lambda value: value > 0)
              for reason in ("not_finite", "rate_exceeded")),
            ("interlock_commands_lost_total", {"source": SOURCE}, lambda value: value > 0),
            ("interlock_shadow_commands_total", {"source": SUCCESSOR, "verdict": "limited"}, lambda value: value > 0),
        ]
        lines = []
        for name, labels, is_right in wanted:
            found = metrics.find(name, **labels)
            expect(len(found) == 1, f"{len(found)} series", f"one {name} with {labels}")
            _, value, text = found[0]
            lines.append(f"{text} {value:g}")
            expect(is_right(value), lines[-1], "what was seen above")
        return Result(len(metrics.series), "", "series in one scrape",
                      f"{len(metrics.series)} series, among them what was seen here", lines)

    def ends(self):
        process = self.node.process
        self.node.may_end()
        asked = time.monotonic_ns()
        process.send_signal(signal.SIGTERM)
        wait("the node to end", lambda: process.poll() is not None)
        took = (time.monotonic_ns() - asked) / 1e9
        expect(process.returncode == 0, f"exit code {process.returncode}", "exit code 0")
        safe = self.safe_commands(asked, 10)
        first = (safe[0].at - asked) / MS
        return Result(first, "ms", "SIGTERM → first safe command at the robot",
                      f"{len(safe)} safe commands, the first after {first:.1f} ms",
                      [f"exit code 0 after {took:.2f} s, and nothing else at the robot until then"])
