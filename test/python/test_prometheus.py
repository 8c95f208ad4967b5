"""A real Prometheus scrapes the real node and evaluates the shipped rules; alerts fire and resolve.

The tests of this file run in their order, with one robot: one Prometheus server is enough for this machine, and an alert that
resolves is the next test's beginning. Needs `prometheus` and `promtool` (./dev setup --ci); skipped visibly without.
"""

import json
import re
import subprocess

import pytest
from live import KIT, ROOT, Prometheus, Robot, installed, wait

pytestmark = [
    pytest.mark.skipif(not installed('interlock'), reason='no interlock in PATH: ./dev test python'),
    pytest.mark.skipif(not installed('prometheus'), reason='prometheus is not installed: ./dev setup --ci'),
]
prometheus_client = pytest.importorskip('prometheus_client.parser', reason='prometheus-client is not installed')

# Everything that has metrics. A lane with a stamp, a shadow source, a watched lane; every histogram of a topic.
PARAMS = """/**:
  ros__parameters:
    schema: 1
    hardware_id: tested
    release_over_ros: true
    arm: {settle_s: 0.05}
    http: {listen: '127.0.0.1:PORT'}
    causes: {gate_stalled: {action: warn}, divergence: {action: ignore}}
    lanes:
      base:
        type: geometry_msgs/msg/TwistStamped
        output: cmd_vel
        feedback: none
        because: a test has no robot
        limits: {linear: {x: {max_velocity: 0.5, max_acceleration: 1000000.0}}}
        safe: {command: zero_velocity}
        sources:
          agent: {topic: agent, priority: 10, allow_no_timeout: true, max_rate_hz: 1000.0, revision: r1}
          next: {topic: next, priority: 5, allow_no_timeout: true, max_rate_hz: 1000.0, mode: shadow}
    kill_inputs: {button: {type: std_msgs/msg/Bool, topic: button, field: data, asserted_when: true, timeout_s: 20.0}}
    monitor: {topics: {scan: {topic: scan, rate_hz: 20.0, histograms: [interval, transport, age]}}}
"""
SENSORS = """    temperatures:
      knee: {type: sensor_msgs/msg/Temperature, topic: knee, field: temperature, timeout_s: 20.0,
             warn_celsius: 60.0, derate_celsius: 70.0, trip_celsius: 90.0, hysteresis_celsius: 5.0}
    batteries: {main: {type: sensor_msgs/msg/BatteryState, topic: battery, timeout_s: 20.0,
                       warn_ratio: 0.3, derate_ratio: 0.2, trip_ratio: 0.05}}
"""
TWIST = 'geometry_msgs/msg/TwistStamped'
BOOL = 'std_msgs/msg/Bool'
POINT = 'geometry_msgs/msg/PointStamped'
HEAT = 'sensor_msgs/msg/Temperature'
BATTERY = 'sensor_msgs/msg/BatteryState'

SELF_TEST = 'interlock_self_test_last_success_timestamp_seconds'
# Where this machine's kernel or middleware does not tell; the node then says nothing instead of guessing.
# What only a lane with feedback has; the one here has none. And what is said while killed alone.
MAY_BE_ABSENT = {'interlock_clock_synchronized', 'interlock_lane_moves_after_stop', 'interlock_latched_from_active'}

# What promtool's lint says of names that are fixed, with the reason why they stay. Nothing else may be said.
LINT_ALLOWED = {}


def battery(ratio):
    return {'percentage': ratio, 'voltage': 50.0, 'current': -2.0, 'power_supply_status': 2, 'power_supply_health': 1,
            'present': True}


def sensors_refused(folder):
    """Why this version does not read the sensors' keys; nothing: it does."""
    file = folder / 'sensors.yaml'
    file.write_text(PARAMS.replace('PORT', '9615') + SENSORS)
    said = subprocess.run(['interlock', '--check-config', str(file)], capture_output=True, text=True)
    if said.returncode == 0:
        return None
    text = said.stdout + said.stderr
    assert 'not available yet' in text, text
    return 'temperatures and batteries are not available yet'


@pytest.fixture(scope='module')
def refused(tmp_path_factory):
    return sensors_refused(tmp_path_factory.mktemp('check'))


@pytest.fixture(scope='module')
def robot(tmp_path_factory, refused):
    one = Robot(tmp_path_factory.mktemp('robot'), PARAMS + ('' if refused else SENSORS))
    try:
        one.ask('subscribe', topic='/cmd_vel', type=TWIST)
        one.stream('/button', BOOL, {'data': False}, 10)
        one.stream('/scan', POINT, {}, 20, stamp_offset_s=-0.001)
        if not refused:
            one.stream('/knee', HEAT, {'temperature': 40.0}, 10)
            one.stream('/battery', BATTERY, battery(0.8), 10)
        yield one
    finally:
        one.close()


@pytest.fixture(scope='module')
def prometheus(tmp_path_factory, robot):
    server = Prometheus(tmp_path_factory.mktemp('prometheus'), f'127.0.0.1:{robot.port}')
    try:
        yield server
    finally:
        server.close()


def state(robot, wanted):
    wait(f'state {wanted}', lambda: (robot.status() or {}).get('state') == wanted, robot.log)


def no_other_error(prometheus):
    """Trips are told as such; of errors there is nothing to tell, unless this machine held up the gate."""
    firing = prometheus.firing('ErrorLogs')
    assert not firing or prometheus.query('interlock_events_total{kind="gate_stalled"} > 0'), firing


def catalogue():
    """Name to type and labels, by the table of docs/metrics.md, which a test in Rust keeps equal to the code."""
    text = (ROOT / 'docs/metrics.md').read_text()
    table = text.split('<!-- metrics -->')[1].split('<!-- /metrics -->')[0]
    rows = re.findall(r'\| `(\w+)` \| (\w+)[^|]*\| ([^|]*) \|', table)
    return {name: (kind, set() if labels == '–' else set(labels.split(', '))) for name, kind, labels in rows}


def test_a_first_run_is_a_note_and_no_page(robot, prometheus):
    state(robot, 'killed')
    alert = prometheus.wait_firing('Latched')
    assert alert['labels']['severity'] == 'info', 'nobody was active'
    assert alert['labels']['robot'] == 'robot1'
    robot.verb('reset', '--yes', '--reason', 'first run')
    prometheus.wait_resolved('Latched')


def test_a_latch_in_motion_pages_and_resolves_with_the_reset(robot, prometheus):
    robot.verb('arm', '--yes', '--reason', 'test')
    state(robot, 'active')
    for topic in ('/agent', '/next'):
        robot.stream(topic, TWIST, {'twist': {'linear': {'x': 2.0}}}, 20, stamp_offset_s=-0.001)
    wait('commands to pass', lambda: prometheus.query('interlock_commands_total{verdict="limited"} > 10'))
    wait('it to be seen active', lambda: prometheus.query('interlock_state{state="active"} == 1'))
    robot.verb('kill', '--reason', 'test')
    alert = prometheus.wait_firing('Latched', severity='critical')
    assert alert['annotations']['summary'] == 'robot1 was stopped in motion'
    assert alert['annotations']['runbook_url'] == 'docs/runbooks/InterlockLatched.md'
    # The trip is an error line, too, and told already.
    no_other_error(prometheus)
    [cause] = prometheus.query('interlock_trip_cause == 1')
    assert cause['metric']['cause'] == 'kill_socket'
    robot.verb('reset', '--yes', '--reason', 'test')
    prometheus.wait_resolved('Latched')
    no_other_error(prometheus)


def test_an_error_that_is_no_trip_is_told_while_killed(robot, prometheus):
    robot.verb('kill', '--reason', 'test')
    state(robot, 'killed')
    wait('it to be seen', lambda: prometheus.query('interlock_latched == 1'))
    # The gate comes back late from a stop of its process: a line, and below a kill no trip.
    robot.stall(0.3)
    errors = prometheus.wait_firing('ErrorLogs')
    assert re.search(r'last 5 minutes: [1-9]', errors['annotations']['description'])
    robot.verb('reset', '--yes', '--reason', 'test')


def test_a_silent_topic_fires_and_resolves(robot, prometheus):
    wait('the topic', lambda: prometheus.query('interlock_topic_messages_total{topic="/scan"} > 20'))
    prometheus.wait_resolved('TopicSilent')
    robot.ask('stop', topic='/scan')
    alert = prometheus.wait_firing('TopicSilent', topic='/scan')
    assert 'topic /scan of robot1 is silent' == alert['annotations']['summary']
    robot.stream('/scan', POINT, {}, 20, stamp_offset_s=-0.001)
    prometheus.wait_resolved('TopicSilent')


def test_a_self_test_is_seen_for_each_way(robot, prometheus):
    if SELF_TEST not in catalogue():
        pytest.skip('the self test is not available yet')
    state(robot, 'disarmed')
    assert prometheus.query(SELF_TEST) == []
    robot.verb('self-test', '--reason', 'test')
    found = wait('its moments', lambda: prometheus.query(f'time() - {SELF_TEST} < 300'))
    assert {series['metric']['input'] for series in found} == {'button', 'kill verbs'}


def test_an_ignored_cause_is_shown(prometheus):
    assert prometheus.wait_firing('CauseIgnored')['labels']['cause'] == 'divergence'


def test_hot_joint_fires_and_resolves(robot, prometheus, refused):
    if refused:
        pytest.skip(refused)
    for celsius, alert in ((65.0, 'TemperatureWarning'), (95.0, 'TemperatureTrip')):
        robot.ask('stop', topic='/knee')
        robot.stream('/knee', HEAT, {'temperature': celsius}, 10)
        fired = prometheus.wait_firing(alert, input='knee')
        assert f'{celsius:.1f} °C' in fired['annotations']['description']
    robot.ask('stop', topic='/knee')
    robot.stream('/knee', HEAT, {'temperature': 40.0}, 10)
    prometheus.wait_resolved('TemperatureTrip')
    prometheus.wait_resolved('TemperatureWarning')


def test_low_battery_fires_and_resolves(robot, prometheus, refused):
    if refused:
        pytest.skip(refused)
    for ratio, alert in ((0.2, 'BatteryLow'), (0.04, 'BatteryCritical')):
        robot.ask('stop', topic='/battery')
        robot.stream('/battery', BATTERY, battery(ratio), 10)
        fired = prometheus.wait_firing(alert, input='main')
        assert f'{ratio:.0%} left' in fired['annotations']['description']
    robot.ask('stop', topic='/battery')
    robot.stream('/battery', BATTERY, battery(0.9), 10)
    prometheus.wait_resolved('BatteryCritical')
    prometheus.wait_resolved('BatteryLow')


def test_every_rule_and_every_query_of_the_dashboard_is_answered(prometheus):
    for group in prometheus.api('rules')['groups']:
        for rule in group['rules']:
            assert rule['health'] == 'ok' and not rule.get('lastError'), rule
    dashboard = json.loads((KIT / 'grafana' / 'interlock.json').read_text())
    asked = answered = 0
    for panel in dashboard['panels']:
        for target in panel.get('targets', []):
            if target['datasource']['type'] == 'prometheus':
                expression = target['expr'].replace('$robot', 'robot1').replace('$__rate_interval', '15s')
                asked += 1
                answered += bool(prometheus.query(expression))
    # Others are comparisons that nothing meets, and what this robot does not have.
    assert asked > 60 and answered > asked / 2, (asked, answered)


def test_an_independent_parser_finds_the_catalogue_and_nothing_else(robot):
    expected = catalogue()
    text = robot.http('/metrics')
    types = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
    ours = {name: kind for name, kind in types.items() if name.startswith('interlock_')}
    assert set(ours) - set(expected) == set(), 'exported and in no catalogue'
    assert set(expected) - set(ours) <= MAY_BE_ABSENT, 'in the catalogue and not exported'
    seen = {}
    for family in prometheus_client.text_string_to_metric_families(text):
        # This parser takes the end off a counter's name.
        name = family.name + ('_total' if family.type == 'counter' else '')
        assert family.documentation, name
        if not name.startswith('interlock_'):
            assert name.startswith('process_'), name
            continue
        kind, labels = expected[name]
        assert family.type == kind, name
        series = set()
        for sample in family.samples:
            assert set(sample.labels) - {'le'} == labels, sample
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in series, f'{key} twice'
            series.add(key)
        seen[name] = family
    assert set(seen) == set(ours)
    for name, family in seen.items():
        if family.type == 'histogram':
            histogram(name, family)


def histogram(name, family):
    """Buckets that never fall, the last of them the count; a sum that is a number."""
    by_labels = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != 'le'))
        by_labels.setdefault(labels, []).append(sample)
    for labels, samples in by_labels.items():
        buckets = [s for s in samples if s.name == f'{name}_bucket']
        [count] = [s.value for s in samples if s.name == f'{name}_count']
        [total] = [s.value for s in samples if s.name == f'{name}_sum']
        values = [s.value for s in buckets]
        assert values == sorted(values) and buckets[-1].labels['le'] == '+Inf' and values[-1] == count, (name, labels)
        assert total >= 0 and (total > 0) == (count > 0), (name, labels, total)


@pytest.mark.skipif(not installed('promtool'), reason='promtool is not installed: ./dev setup --ci')
def test_promtool_finds_nothing_to_say_about_a_live_scrape(robot):
    said = subprocess.run(['promtool', 'check', 'metrics'], input=robot.http('/metrics'), capture_output=True, text=True)
    lines = [line for line in (said.stdout + said.stderr).splitlines() if line.strip()]
    left = [line for line in lines if line.split(' ')[0] not in LINT_ALLOWED]
    assert left == [], left
    assert (said.returncode == 0) == (lines == [])


def test_a_dead_node_fires_and_its_return_resolves(robot, prometheus):
    prometheus.wait_resolved('Down')
    robot.kill_9()
    alert = prometheus.wait_firing('Down')
    assert alert['annotations']['summary'] == 'robot1 does not answer'
    robot.start()
    prometheus.wait_resolved('Down')
    # It was disarmed: no unclean restart, and nothing latched.
    state(robot, 'disarmed')
