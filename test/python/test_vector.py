"""The shipped example for Vector: what it reads is what the node writes.

Vector itself is in no package registry of ours, so it does not run here; where it is installed, its own
`vector validate` judges the file, else that part is skipped, visibly.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / 'observability' / 'vector.yaml'


@contextlib.contextmanager
def domain():
    """A ROS domain of its own, by the lock files that the tests in Rust use."""
    folder = pathlib.Path(tempfile.gettempdir()) / 'interlock-test-domains'
    folder.mkdir(exist_ok=True)
    for number in range(101, 0, -1):
        with open(folder / f'{number}.lock', 'a') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield str(number)
            return
    raise RuntimeError('every ROS domain is taken')


def config():
    return yaml.safe_load(FILE.read_text())


def test_every_part_is_fed_and_the_unit_is_ours():
    parts = config()
    names = set(parts['sources']) | set(parts['transforms'])
    for part in [*parts['transforms'].values(), *parts['sinks'].values()]:
        assert set(part['inputs']) <= names
    assert parts['sources']['journal']['include_units'] == ['interlock.service']


def test_labels_are_few_and_never_a_field_of_a_line():
    labels = config()['sinks']['loki']['labels']
    assert labels == {'unit': 'interlock.service', 'robot': '{{ robot }}'}


def test_lines_of_the_node_have_what_the_example_relies_on():
    """The real program's JSON: an object a line with `level` and `message`, levels as in the example."""
    with tempfile.TemporaryDirectory() as folder, domain() as number:
        params = pathlib.Path(folder) / 'params.yaml'
        params.write_text((ROOT / 'config' / 'mobile_base.yaml').read_text())
        environment = dict(os.environ, INTERLOCK_LOG_FORMAT='json', XDG_STATE_HOME=folder,
                           RUNTIME_DIRECTORY=folder, ROS_LOG_DIR=folder, ROS_DOMAIN_ID=number)
        node = subprocess.Popen(
            ['interlock', '--ros-args', '--params-file', str(params), '-p', 'http.enabled:=false'],
            stderr=subprocess.PIPE, text=True, env=environment)
        lines = []
        try:
            for text in node.stderr:
                lines.append(json.loads(text))
                if lines[-1].get('kind') == 'configured':
                    break
        finally:
            node.terminate()
            lines += [json.loads(text) for text in node.stderr]
            node.wait(60)
    assert lines[-1]['kind'] == 'stopping'
    script = config()['transforms']['lines']['source']
    made = set(re.findall(r'level = "(\w+)"', script))
    assert {line['level'] for line in lines} <= made
    assert all(line['message'] and line['timestamp'] for line in lines)


@pytest.mark.skipif(shutil.which('vector') is None, reason='vector is not installed')
def test_vector_itself_takes_it():
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / 'vector.yaml'
        copy.write_text(FILE.read_text().replace('/var/lib/vector', folder))
        subprocess.run(['vector', 'validate', '--no-environment', '--config-yaml', str(copy)], check=True)
