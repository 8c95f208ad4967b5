"""The real node, a peer in rclpy and a real Prometheus, for tests that need all three."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from functools import partial

ROOT = pathlib.Path(__file__).resolve().parents[2]
KIT = ROOT / 'observability'
sys.path[:0] = [str(ROOT / 'demo'), str(ROOT / 'test' / 'support')]

import waiting  # noqa: E402
from stage import free_port, lease_domain  # noqa: E402  (as the demo and the tests in Rust take theirs)

# Each look starts a program, or asks one over HTTP.
wait = partial(waiting.wait, seconds=90.0, look_every=0.1)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Robot:
    """Node and peer on a ROS domain of their own; `params` is what comes after the keys of every test."""

    def __init__(self, folder, params):
        self.folder, self.port = folder, free_port()
        self.domain, self._lock = lease_domain()
        self.environment = {
            **os.environ, 'ROS_DOMAIN_ID': str(self.domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'ROS_LOG_DIR': str(folder), 'RUNTIME_DIRECTORY': str(folder), 'XDG_STATE_HOME': str(folder)}
        for name in ('STATE_DIRECTORY', 'ROS_LOCALHOST_ONLY', 'ROS_STATIC_PEERS'):
            self.environment.pop(name, None)
        self.file = folder / 'params.yaml'
        self.file.write_text(params.replace('PORT', str(self.port)))
        self.peer = subprocess.Popen(
            [sys.executable, '-u', str(ROOT / 'test/node/peer.py'), 'peer'], env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(folder / 'peer.log', 'w'), text=True)
        self.publishing, self.node = set(), None
        self.start()

    def start(self):
        self.node = subprocess.Popen(
            ['interlock', '--ros-args', '--params-file', str(self.file)], env=self.environment,
            stdout=subprocess.DEVNULL, stderr=open(self.folder / 'node.log', 'a'))

    def log(self):
        return (self.folder / 'node.log').read_text()[-4000:]

    def ask(self, op, **arguments):
        """One operation of the peer: test/node/peer.py."""
        self.peer.stdin.write(json.dumps({'op': op, **arguments}) + '\n')
        self.peer.stdin.flush()
        answer = json.loads(self.peer.stdout.readline())
        assert 'error' not in answer, answer['error']
        return answer['ok']

    def stream(self, topic, kind, message, hz, **more):
        """Publishes on a topic until `stop`."""
        if topic not in self.publishing:
            self.ask('publisher', topic=topic, type=kind)
            self.publishing.add(topic)
        self.ask('stream', topic=topic, msg=message, hz=hz, **more)

    def http(self, path):
        return get(f'http://127.0.0.1:{self.port}{path}')

    def status(self):
        try:
            return json.loads(self.http('/status'))
        except (OSError, ValueError):
            return None

    def verb(self, *words):
        """`interlockctl` of this robot, as often as it takes: conditions settle."""
        def run():
            assert self.node.poll() is None, self.log()
            # A kill without a place would reach every node of this machine.
            command = ['interlockctl', '--socket', self.folder / 'control.sock', *words]
            said.append(subprocess.run(
                command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True))
            return said[-1].returncode == 0
        said = []
        wait(f'interlockctl {words}', run, lambda: (said[-1].stdout + said[-1].stderr + self.log()))

    def stall(self, seconds):
        """Stops the whole process for a while, so that its gate comes late."""
        self.node.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.node.send_signal(signal.SIGCONT)

    def kill_9(self):
        self.node.kill()
        self.node.wait()

    def close(self):
        for process in (self.peer, self.node):
            process.kill()  # also one that has ended
            process.wait()


class Prometheus:
    """A server with the shipped rules and the shipped scrape job, made faster.

    What differs from the shipped files: the target's port, intervals of half a second instead of five, every `for:` and
    every range a thirtieth. A rule that fires here is the shipped one; that it waits as long as it says is promtool's test.
    """

    FASTER = 30
    RANGE_S = 10

    def __init__(self, folder, target):
        rules = folder / 'rules'
        rules.mkdir(parents=True)
        for name in ('recording.yml', 'alerts.yml'):
            (rules / name).write_text(faster((KIT / 'rules' / name).read_text()))
        text = (KIT / 'prometheus.yml').read_text()
        for old, new in (('127.0.0.1:9615', target), ('127.0.0.1:9100', '127.0.0.1:1'), ('127.0.0.1:9093', '127.0.0.1:1'),
                         ('scrape_interval: 5s', 'scrape_interval: 500ms'), ('scrape_timeout: 4s', 'scrape_timeout: 450ms'),
                         ('evaluation_interval: 5s', 'evaluation_interval: 500ms')):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / 'prometheus.yml').write_text(text)
        self.port, self.folder = free_port(), folder
        self.process = subprocess.Popen(
            ['prometheus', f'--config.file={folder}/prometheus.yml', f'--storage.tsdb.path={folder}/data',
             f'--web.listen-address=127.0.0.1:{self.port}', '--log.level=warn'],
            stdout=subprocess.DEVNULL, stderr=open(folder / 'prometheus.log', 'w'))
        wait('Prometheus', self.ready, self.log)

    def log(self):
        return (self.folder / 'prometheus.log').read_text()[-4000:]

    def ready(self):
        assert self.process.poll() is None, self.log()
        try:
            return get(f'http://127.0.0.1:{self.port}/-/ready')
        except OSError:
            return None

    def api(self, path, **arguments):
        url = f'http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}'
        answer = json.loads(get(url))
        assert answer['status'] == 'success', answer
        return answer['data']

    def query(self, expression):
        return self.api('query', query=expression)['result']

    def firing(self, alert, **labels):
        """Firing alerts of this name with these labels."""
        wanted = {'alertname': f'Interlock{alert}', **labels}
        return [a for a in self.api('alerts')['alerts']
                if a['state'] == 'firing' and all(a['labels'].get(k) == v for k, v in wanted.items())]

    def wait_firing(self, alert, **labels):
        [one] = wait(f'{alert} {labels} to fire', lambda: self.firing(alert, **labels), self.alerts)
        return one

    def wait_resolved(self, alert, **labels):
        wait(f'{alert} {labels} to resolve', lambda: not self.firing(alert, **labels), self.alerts)

    def alerts(self):
        return json.dumps(self.api('alerts')['alerts'], indent=1)

    def close(self):
        self.process.kill()
        self.process.wait()


def faster(rules):
    """Rules with every `for:` and every range shortened; at least a second, ranges a few scrapes long."""
    def duration(text):
        number, unit = re.fullmatch(r'(\d+)([smh])', text).groups()
        return int(number) * {'s': 1, 'm': 60, 'h': 3600}[unit] / Prometheus.FASTER

    rules, waits = re.subn(r'for: (\w+)', lambda m: f'for: {max(1, round(duration(m[1])))}s', rules)
    rules, ranges = re.subn(r'\[(\d+[smh])\]', lambda m: f'[{max(Prometheus.RANGE_S, round(duration(m[1])))}s]', rules)
    assert waits + ranges > 0
    return rules


def installed(program):
    return shutil.which(program) is not None
