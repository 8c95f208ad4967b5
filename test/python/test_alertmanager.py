"""The Alertmanager example in a real Alertmanager: what is not said twice, and who is told.

Needs `prometheus-alertmanager` (./dev setup --ci); skipped visibly without. Debian's reads its templates from one place only. Where
it was not installed but taken out of its package, they lie beside it, and are put there in a mount namespace of its own.
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import urllib.request

import pytest
from live import KIT, free_port, get, installed, wait

TEMPLATES = pathlib.Path('/usr/share/prometheus/alertmanager')
PROGRAM = 'prometheus-alertmanager'
IN_ITS_PLACE = 'mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus && cp -r "$0" /usr/share/prometheus && exec "$@"'


def prefix():
    """Words before the program's own; none that work: why it cannot run here."""
    if not installed(PROGRAM):
        return None, 'prometheus-alertmanager is not installed: ./dev setup --ci'
    if (TEMPLATES / 'default.tmpl').exists():
        return [], ''
    beside = pathlib.Path(shutil.which(PROGRAM)).parents[1] / 'share/prometheus/alertmanager'
    unshare = ['unshare', '--mount'] if os.geteuid() == 0 else ['unshare', '--map-root-user', '--mount']
    words = [*unshare, 'sh', '-c', IN_ITS_PLACE, str(beside)]
    if beside.exists() and subprocess.run([*words, 'true'], capture_output=True).returncode == 0:
        return words, ''
    return None, f"no templates of Alertmanager in {TEMPLATES}, and no way to put some there"


WORDS, REASON = prefix()
pytestmark = pytest.mark.skipif(WORDS is None, reason=REASON)

# Labels that a rule's alerts have beside those of the robot, where an inhibition looks at them.
MORE = {
    'InterlockTopicSilent': {'topic': '/scan'}, 'InterlockTopicGapLarge': {'topic': '/scan'},
    'InterlockTopicTransportHigh': {'topic': '/scan'},
    'InterlockTemperatureTrip': {'input': 'motors', 'component': 'knee'},
    'InterlockTemperatureWarning': {'input': 'motors', 'component': 'knee'},
    'InterlockBatteryCritical': {'input': 'main'}, 'InterlockBatteryLow': {'input': 'main'},
}


class Receiver(http.server.BaseHTTPRequestHandler):
    told = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        for alert in body['alerts']:
            self.told.append((self.path, alert['labels']['alertname'], alert['labels'].get('robot')))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def rules():
    """Every alert of the shipped rules with its severity."""
    text = (KIT / 'rules' / 'alerts.yml').read_text()
    return sorted(set(re.findall(r'- alert: (\w+)\n(?:.*\n)*?\s+labels: \{severity: (\w+)', text)))


def alert(name, severity, robot):
    return {'labels': {'alertname': name, 'severity': severity, 'job': 'interlock', 'instance': f'{robot}:9615',
                       'robot': robot, **MORE.get(name, {})}}


class Manager:
    def __init__(self, folder, receiver):
        text = (KIT / 'alertmanager.yml').read_text()
        for old, new in (('127.0.0.1:9099', f'127.0.0.1:{receiver}'), ('group_wait: 10s', 'group_wait: 2s'),
                         ('group_interval: 2m', 'group_interval: 2s')):
            assert old in text, old
            text = text.replace(old, new)
        (folder / 'alertmanager.yml').write_text(text)
        self.url = f'http://127.0.0.1:{free_port()}'
        self.process = subprocess.Popen(
            [*WORDS, PROGRAM, f'--config.file={folder}/alertmanager.yml', f'--storage.path={folder}/data',
             '--web.listen-address=' + self.url.removeprefix('http://'), '--cluster.listen-address=', '--log.level=error'])
        wait('Alertmanager', self.ready)

    def ready(self):
        assert self.process.poll() is None
        try:
            return get(f'{self.url}/-/ready')
        except OSError:
            return None

    def raise_(self, alerts):
        request = urllib.request.Request(
            f'{self.url}/api/v2/alerts', json.dumps(alerts).encode(), {'Content-Type': 'application/json'})
        urllib.request.urlopen(request, timeout=10).close()

    def inhibited(self):
        """Robot and name of each alert that something else silences, and of each that nothing does."""
        silenced, heard = set(), set()
        for one in json.loads(get(f'{self.url}/api/v2/alerts')):
            labels = one['labels']
            (silenced if one['status']['inhibitedBy'] else heard).add((labels['robot'], labels['alertname']))
        return silenced, heard


@pytest.fixture
def manager(tmp_path):
    Receiver.told = []
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = Manager(tmp_path, server.server_port)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()
        server.shutdown()


def test_a_robot_that_does_not_answer_is_one_alert_and_the_others_go_on(manager):
    names = {name for name, _ in rules()}
    assert 'InterlockDown' in names and len(names) >= 26
    others = [(name, severity) for name, severity in rules() if name != 'InterlockDown']
    # First, as it is: when a robot is gone, its other alerts were there before or come of what is left of its series.
    manager.raise_([alert('InterlockDown', 'critical', 'a')])
    wait('the page', lambda: Receiver.told)
    manager.raise_([alert(*one, 'a') for one in others] + [alert('InterlockTopicSilent', 'warning', 'b')])
    silenced = {('a', name) for name, _ in others}
    wait('them to be silenced', lambda: manager.inhibited() == (
        silenced, {('a', 'InterlockDown'), ('b', 'InterlockTopicSilent')}), manager.inhibited)
    # The page for a; the ticket for b; nothing of what is silenced.
    wait('both to be told', lambda: {robot for _, _, robot in Receiver.told} == {'a', 'b'}, lambda: Receiver.told)
    assert set(Receiver.told) == {('/page', 'InterlockDown', 'a'), ('/ticket', 'InterlockTopicSilent', 'b')}


def test_the_same_fact_is_said_once_and_a_note_pages_nobody(manager):
    def raised(*names):
        manager.raise_([alert(f'Interlock{name}', severity, 'a') for name, severity in names])

    raised(('Latched', 'info'), ('TemperatureTrip', 'critical'), ('BatteryCritical', 'critical'), ('TopicSilent', 'warning'))
    wait('the pages', lambda: len(set(Receiver.told)) >= 2)
    raised(('ErrorLogs', 'warning'), ('TopicGapLarge', 'warning'), ('TemperatureWarning', 'warning'), ('BatteryLow', 'warning'))
    manager.raise_([alert('InterlockTemperatureWarning', 'warning', 'b')])
    silenced = {('a', f'Interlock{name}') for name in ('TopicGapLarge', 'TemperatureWarning', 'BatteryLow')}
    wait('them to be silenced', lambda: manager.inhibited()[0] == silenced, manager.inhibited)
    wait('the others to be told', lambda: len(set(Receiver.told)) >= 5, lambda: Receiver.told)
    assert set(Receiver.told) == {
        ('/page', 'InterlockTemperatureTrip', 'a'), ('/page', 'InterlockBatteryCritical', 'a'),
        ('/ticket', 'InterlockErrorLogs', 'a'), ('/ticket', 'InterlockTopicSilent', 'a'),
        ('/ticket', 'InterlockTemperatureWarning', 'b')}
