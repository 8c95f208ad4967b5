#!/usr/bin/env python3
"""The hazards and their tests: docs/hazards.md, made from test/hazards.txt and the names of the tests.

test/hazard_index.py            write docs/hazards.md, with what the last runs said (build/last)
test/hazard_index.py --check    fail where a hazard has no test, or the file is out of date (./dev lint)
test/hazard_index.py --results  fail where the last runs did not say "ok" (./dev test): one line a test
"""

import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "test/hazards.txt"
DOCUMENT = ROOT / "docs/hazards.md"
# Rows whose tests are still to come. One of these that has a test is an error, so that the list goes away.
AWAITED: set[int] = set()
STAGES = ("core", "node", "python")

HEAD = """\
# Hazards

What a safety reviewer will probe, one row each, with the tests that are named after it (`hazard_NN_…`).
Made by `test/hazard_index.py` from `test/hazards.txt` and the tests' names; `./dev lint` fails when a row has
none. `./dev test` runs them all and fails when one of them did not pass; `./dev test core hazard_06` or
`./dev test node hazard_06` runs those of one row.

Core: without ROS. Node: on a real ROS 2. Behind each test stands its last result.

| # | hazard | Interlock | tests |
|---|---|---|---|
"""


class Problem(Exception):
    """What makes the index false."""


def rows():
    """Number, slug, hazard, answer."""
    found = []
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            name, hazard, answer = (part.strip() for part in line.split(" | "))
            number, slug = name.split(" ")
            found.append((int(number), slug, hazard, answer))
    if [row[0] for row in found] != list(range(1, len(found) + 1)):
        raise Problem(f"{LIST.name}: the numbers are not 1, 2, 3, …")
    return found


def needs_ros(path):
    """Whether only the node's stage runs a file's tests."""
    manifest = (ROOT / "Cargo.toml").read_text()
    for block in re.findall(r"^\[\[test\]\]\n((?:[a-z].*\n)+)", manifest, re.MULTILINE):
        start = re.search(r'path = "(.*)"', block).group(1)
        folder = start.removesuffix("main.rs")
        if str(path) == start or (folder != start and str(path).startswith(folder)):
            return "required-features" in block
    return str(path).startswith(("src/ros/", "src/app"))


def tests():
    """Number of the row → (name, file, stage), sorted."""
    found = {}
    for folder in ("src", "test"):
        for path in sorted((ROOT / folder).rglob("*.rs")) + sorted((ROOT / folder).rglob("*.py")):
            short = path.relative_to(ROOT)
            function = r"^\s*(?:async )?fn (hazard_\w+)" if path.suffix == ".rs" else r"^\s*def test_(hazard_\w+)"
            for name in re.findall(function, path.read_text(), re.MULTILINE):
                stage = "python" if path.suffix == ".py" else "node" if needs_ros(short) else "core"
                # `hazard_36_and_37_…` is of both.
                numbers = re.match(r"hazard_(\d\d)(?:_and_(\d\d))?_", name)
                if not numbers:
                    raise Problem(f"{short}: {name} has no number of two digits")
                for number in filter(None, numbers.groups()):
                    found.setdefault(int(number), []).append((name, str(short), stage))
    order = {number: set(names) for number, names in found.items()}
    return {number: sorted(names, key=lambda test: (STAGES.index(test[2]), test)) for number, names in order.items()}


def document(listed, found, said):
    lines = []
    for number, slug, hazard, answer in listed:
        links = [
            f"{stage}: [`{name}`](../{path}) {said[stage, name]}" for name, path, stage in found.get(number, [])
        ]
        lines.append(f"| {number} | **{slug.replace('_', ' ')}**: {hazard} | {answer} | {'<br>'.join(links) or 'awaited'} |\n")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return f"{HEAD}{''.join(lines)}\nResults of {datetime.date.today()}, commit {commit or 'unknown'}.\n"


def without_results(text):
    """What the sources alone decide."""
    return re.sub(r"(?<=\)) [a-zA-Z ]+(?= \||<br>)|^Results of .*", "", text, flags=re.MULTILINE)


def problems(listed, found):
    told = []
    for number, slug, *_ in listed:
        named = [name for name, *_ in found.get(number, []) if name.startswith(f"hazard_{number:02}_{slug}")]
        if number in AWAITED:
            if number in found:
                told.append(f"hazard {number} has a test: take it out of AWAITED in test/hazard_index.py")
        elif not named:
            told.append(f"hazard {number} has no test whose name begins with hazard_{number:02}_{slug}")
    for number in sorted(set(found) - {row[0] for row in listed}):
        told.append(f"{found[number][0][0]}: there is no hazard {number}")
    if without_results(DOCUMENT.read_text()) != without_results(document(listed, found, results(found))):
        told.append("docs/hazards.md is out of date: run test/hazard_index.py")
    return told


def results(found):
    """(stage, name) → what the last run of it said."""
    told = {}
    for stage in STAGES:
        output = ROOT / "build/last" / stage
        if output.exists():
            line = r"(hazard_\w+)(?:\[.*\])? (?:\.\.\. )?(ok|FAILED|ignored|PASSED|SKIPPED)"
            for name, result in re.findall(line, output.read_text(errors="replace")):
                told[stage, name] = {"PASSED": "ok"}.get(result, result)
    # The node's stage runs the core's tests, too.
    return {
        (stage, name): told.get((stage, name)) or told.get(("node", name)) or "not run"
        for tests_of in found.values() for name, _, stage in tests_of
    }  # fmt: skip


def tell(found, said):
    """Returns how many did not pass."""
    bad = 0
    for number, tests_of in sorted(found.items()):
        for name, path, stage in tests_of:
            bad += said[stage, name] != "ok"
            print(f"{number:2} {said[stage, name]:8} {stage:6} {name}  {path}")
    print(f"{len(found)} hazards, {sum(map(len, found.values()))} tests, {bad} without a result that is ok")
    return bad


def main(words):
    listed, found = rows(), tests()
    if words == ["--results"]:
        return 1 if tell(found, results(found)) else 0
    if words == ["--check"]:
        told = problems(listed, found)
        for text in told:
            print(text)
        awaited = ", ".join(str(number) for number in sorted(AWAITED - set(found)))
        count = sum(map(len, found.values()))
        print(f"{len(listed)} hazards, {count} tests" + (f"; awaited: {awaited}" if awaited else ""))
        return 1 if told else 0
    if words:
        print(__doc__)
        return 2
    DOCUMENT.write_text(document(listed, found, results(found)))
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except Problem as problem:
        code = f"hazard index: {problem}"
    sys.exit(code)
