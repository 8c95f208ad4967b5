"""./dev bench [NAME…] [--quick]: runs the benchmarks and keeps what they found.

JSON goes to build/bench/NAME.json, and from all of it the tables of docs/performance.md are written. With --quick it
is a look at whether everything works: the JSON goes to build/bench/quick/, the tables to the terminal only.
"""

import argparse
import datetime
import importlib
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import traceback

import report
from rig import ROOT

REST_S = 120.0
NAMES = ["decide", "round_trip", "transports", "kill_latency", "topics", "isolation", "start_up"]


def said(*words):
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def surroundings():
    """The machine, and the versions of what was measured."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.processor() or "unknown",
    )  # fmt: skip
    memory_kib = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"),
        "processor": processor,
        "cpus": os.cpu_count(),
        "memory_gib": round(memory_kib / 2**20, 1),
        "kernel": platform.release(),
        "commit": said("git", "describe", "--always", "--dirty"),
        "rustc": said("rustc", "--version"),
        "ros": os.environ.get("ROS_DISTRO", "unknown"),
        "rmw": os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def wait_for_rest():
    """Until what ran before, the last benchmark too, is out of the load average; not for ever, others may work here."""
    ends = time.monotonic() + REST_S
    while os.getloadavg()[0] > os.cpu_count() / 4 and time.monotonic() < ends:
        time.sleep(1.0)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; without any: all")
    parser.add_argument("--quick", action="store_true", help="in under two minutes; figures that decide nothing")
    arguments = parser.parse_args()
    names = arguments.name or [name for name in NAMES if not (arguments.quick and name == "decide")]
    for name in names:
        if name not in NAMES:
            parser.error(f"no benchmark {name}; there are: {', '.join(NAMES)}")
    # So that what was started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    kept = ROOT / "build" / "bench" / ("quick" if arguments.quick else "")
    kept.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        wait_for_rest()
        about, began = surroundings(), time.monotonic()
        try:
            found = importlib.import_module(name).run(arguments.quick)
        except Exception:
            # The others are measured all the same.
            traceback.print_exc()
            failed.append(name)
            continue
        about["took_s"] = round(time.monotonic() - began, 1)
        (kept / f"{name}.json").write_text(json.dumps({"about": about, "quick": arguments.quick, "found": found}, indent=1))
        print("\n".join(report.tables(name, found)), flush=True)
    if arguments.quick:
        print(f"--quick: nothing was written but {kept.relative_to(ROOT)}/*.json")
    else:
        report.write(kept, NAMES)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
