"""The demo, told to its end: the README names it as what shows a claim, and prints its steps."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Not a limit that is measured: only so that a hung demo ends the test.
GIVE_UP_S = 600


def test_every_step_happens_and_is_the_one_that_the_readme_prints():
    ran = subprocess.run(
        [sys.executable, str(ROOT / 'demo' / 'demo.py'), '--json'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=GIVE_UP_S, check=False)
    assert ran.returncode == 0, ran.stderr
    steps = json.loads(ran.stdout)['steps']
    assert steps and all(step['passed'] for step in steps), ran.stderr
    readme = (ROOT / 'README.md').read_text()
    for number, step in enumerate(steps, 1):
        assert f'✓ {number:2}  {step["name"]} ' in readme, f'step {number}: {step["name"]}'
    assert f'\n    {len(steps)} of {len(steps)} steps\n' in readme
