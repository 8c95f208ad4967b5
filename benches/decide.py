"""One command from bytes to bytes, in this process (benches/decide.rs): time, and instructions where valgrind is."""

import json
import os
import pathlib
import re
import shutil
import subprocess

from rig import ROOT

JOINTS = (6, 29, 64, 256)
# Two turns of the wave that is limited in every way: each part of it counts alike.
COMMANDS = 1_600
# Without the ROS bindings, which it does not need.
CARGO = ["cargo", "bench", "--locked", "--no-default-features", "--bench", "decide"]


def run(quick):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run([*CARGO, "--", *(["--quick"] if quick else [])], cwd=ROOT, check=True)
    found = {}
    for group in sorted((target / "criterion").iterdir()):
        for joints in JOINTS:
            file = group / str(joints) / "new" / "estimates.json"
            if file.exists():
                median = json.loads(file.read_text())["median"]
                interval = median["confidence_interval"]
                times = [interval["lower_bound"], median["point_estimate"], interval["upper_bound"]]
                found.setdefault(group.name, {})[str(joints)] = {"median_ns": times}
    if quick or not shutil.which("valgrind"):
        return {"verdicts": found, "instructions": "not counted: " + ("--quick" if quick else "valgrind is not installed")}
    program = binary()
    for verdict, sizes in found.items():
        for joints, one in sizes.items():
            one["instructions"] = instructions(program, verdict, joints)
    return {"verdicts": found, "instructions": "by callgrind"}


def binary():
    """The program that was just run."""
    built = subprocess.run(
        [*CARGO, "--no-run", "--message-format=json"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "decide")


def instructions(program, verdict, joints):
    """Of one command; the twice as long run less the shorter, so that what happens once is not counted."""
    counted = []
    for commands in (COMMANDS, 2 * COMMANDS):
        told = subprocess.run(
            [
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                "--toggle-collect=decide::Bench::judge", program, "--count", verdict, joints, str(commands),
            ],
            check=True, capture_output=True, text=True,
        ).stderr  # fmt: skip
        counted.append(int(re.search(r"Collected : (\d+)", told)[1]))
    return (counted[1] - counted[0]) / COMMANDS
