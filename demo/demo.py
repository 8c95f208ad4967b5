#!/usr/bin/env python3
"""Tells in half a minute what Interlock does, with real processes on a real ROS 2: ./dev demo

The node with config/humanoid_29.yaml, a robot with 29 joints (robot.py), a policy and its successor
(policy.py, twice), on a ROS domain and ports that nobody else uses. Exit code 0: every step of story.py happened.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

import stage
from screen import of_stdout_or_stderr

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config" / "humanoid_29.yaml"
URDF = ROOT / "test" / "config" / "humanoid_29.urdf"
AGAIN = 20  # how often a step begins anew on a machine too busy for it
# Away from zero where a joint has little room there, as a humanoid stands.
STANCE = {"knee": 0.3, "hip_pitch": -0.15, "ankle_pitch": -0.15, "elbow": 0.6}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print only the steps as JSON; what people read goes to stderr")
    parser.add_argument("--domain", type=int, metavar="1-101", help="ROS domain to use, instead of a free one")
    return parser.parse_args()


def highest_positions():
    """Of each joint, from the robot's description."""
    robot = xml.etree.ElementTree.parse(URDF).getroot()
    return {joint.get("name"): float(joint.find("limit").get("upper")) for joint in robot.iter("joint")}


def setup_of(parameters):
    """What the peers need to know, from the params file itself."""
    lane = parameters["lanes"]["body"]
    stance = [next((v for part, v in STANCE.items() if part in joint), 0.0) for joint in lane["joints"]]
    return lane, {
        "joints": lane["joints"],
        "home": stance,
        "controller": lane["controller"],
        "output": lane["output"],
        "feedback": parameters["feedback"][lane["feedback"]]["topic"],
        "imu": parameters["feedback"]["body"]["topic"],
        "description": parameters["urdf"]["topic"],
        "urdf": str(URDF),
        "pendant": parameters["kill_inputs"]["pendant"]["topic"],
        "dead_man": parameters["kill_inputs"]["dead_man"]["topic"],
    }


def tell(story, screen):
    """Runs the steps. Returns a row for each; what comes after a failure is not reached."""
    rows, failed = [], False
    for number, step in enumerate(story.steps, 1):
        if failed:
            rows.append((number, step.name, None, "", "", False))
            continue
        try:
            result = run(story, step, number, screen)
            screen.passed(number, step.name, result.says, result.details)
            rows.append((number, step.name, result.value, result.unit, result.meaning, True))
        except stage.Failed as failure:
            failed = True
            screen.failed(number, step.name, failure)
            rows.append((number, step.name, None, "", "did not happen", False))
    return rows


def run(story, step, number, screen):
    """One step, again when the machine was too busy for the gate to stay armed."""
    screen.begin(number, step.name)
    for _ in range(AGAIN):
        try:
            if step.needs_flow:
                story.make_flow()
            return step.run()
        except (stage.Disturbed, stage.Failed) as stopped:
            why = story.disturbance() if step.needs_flow else None
            if why is None and isinstance(stopped, stage.Failed):
                raise
            why = why or stopped
            screen.note(f"this machine is busy: {why}. The gate stopped, as it should; once more")
            screen.begin(number, step.name)
    raise stage.Failed(f"{AGAIN} interruptions by a busy machine", "one run without")


def print_json(rows):
    steps = [
        {"name": name, "passed": passed, "value": value, "unit": unit}
        for _, name, value, unit, _, passed in rows
    ]
    print(json.dumps({"steps": steps}, indent=2))


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    domain, _lock = stage.lease_domain(arguments.domain)
    for name in ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS"):
        os.environ.pop(name, None)
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
    with tempfile.TemporaryDirectory(prefix="interlock-demo-") as folder:
        os.environ.setdefault("ROS_LOG_DIR", folder)
        return play(arguments, domain, Path(folder))


def play(arguments, domain, folder):
    import yaml

    program = stage.find_program()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    screen = of_stdout_or_stderr(arguments.json)
    listen = f"127.0.0.1:{stage.free_port()}"
    parameters = yaml.safe_load(CONFIG.read_text())["interlock"]["ros__parameters"]
    lane, setup = setup_of(parameters)
    node_arguments = [
        "--params-file", str(CONFIG), "-p", "release_over_ros:=true", "-p", f"http.listen:={listen}",
        "-p", f"state_dir:={folder}/state",
    ]
    screen.title("Interlock: a policy at 50 Hz → the gate → a robot with 29 joints", [
        ("params", "config/humanoid_29.yaml, with release_over_ros:=true so that the demo may reset and arm"),
        ("node", f"{version}{', a debug build' if 'debug' in Path(program).resolve().parts else ''}"),
        ("ROS 2", f"{os.environ.get('ROS_DISTRO', '?')}, domain {domain}, this machine only; node and peers are processes of their own"),
    ])
    begun = []

    def begin(make, *what):
        begun.append(make(*what))
        return begun[-1]

    from story import Story

    try:
        operator = begin(stage.Operator)
        story = Story(
            lane, operator, highest=highest_positions(), profiles=parameters["profiles"], metrics_at=listen,
            start_node=lambda: begin(stage.Node, program, node_arguments, folder / "node.log"),
            start_robot=lambda: begin(stage.Peer, "robot.py", setup, folder / "robot.log"),
            start_policy=lambda source: begin(stage.Peer, "policy.py", {
                **setup, "policy": f"{source}_policy", "commands": lane["sources"][source]["topic"],
            }, folder / f"{source}.log"),
        )
        rows = tell(story, screen)
        passed = all(row[-1] for row in rows)
        if not passed and story.node:
            screen.log("The node's last lines:", story.node.last_lines())
        for name in ("robot", *lane["sources"]):
            errors = folder / f"{name}.log"
            if not passed and errors.exists() and errors.stat().st_size:
                screen.log(f"{name} said:", errors.read_text(errors="replace").splitlines()[-12:])
        screen.table(rows)
        count = sum(row[-1] for row in rows)
        screen.write(f"{count} of {len(rows)} steps" + ("" if passed else ": see above for what did not happen"))
        if arguments.json:
            print_json(rows)
        return 0 if passed else 1
    finally:
        # The node first: it stops the robot as long as the robot is there.
        for one in sorted(begun, key=lambda one: not isinstance(one, stage.Node)):
            one.end()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted; node and peers have ended", file=sys.stderr)
        sys.exit(130)
