"""The launch file under the real launch and launch_ros, where they are installed.

PyPI has neither, so in a ROS 2 made by ./dev these tests are skipped, visibly. They need `interlock`
in the ament index with its executable: ./dev exec and ./dev test python provide that.
"""

import asyncio
import pathlib
import threading

import pytest

try:
    import launch_ros  # noqa: F401
except ImportError:
    launch_ros = None
else:
    import launch
    from launch.actions import DeclareLaunchArgument, EmitEvent, IncludeLaunchDescription, RegisterEventHandler
    from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart
    from launch.events import Shutdown
    from launch.launch_description_sources import PythonLaunchDescriptionSource

pytestmark = pytest.mark.skipif(
    launch_ros is None, reason='launch_ros is not installed: the launch file is not checked')

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / 'launch' / 'interlock.launch.py'
# Not a limit that is measured: only so that a hung launch ends the test.
GIVE_UP_S = 60


def run(arguments, stop_at=None):
    """Runs the launch file; returns each started command and each exit code, and launch's own.

    `stop_at`: shuts down when the node's output has this text; '' when the node's process starts.
    """
    commands, exit_codes, output = [], [], []
    stop = [EmitEvent(event=Shutdown(reason='seen'))]

    def started(event, _context):
        commands.append(list(event.cmd))
        return stop if stop_at == '' else []

    def said(event):
        output.append(event.text.decode())
        return stop if stop_at and stop_at in ''.join(output) else []

    service = launch.LaunchService(noninteractive=True)
    service.include_launch_description(launch.LaunchDescription([
        RegisterEventHandler(OnProcessStart(on_start=started)),
        RegisterEventHandler(OnProcessIO(on_stdout=said, on_stderr=said)),
        RegisterEventHandler(OnProcessExit(on_exit=lambda event, _: exit_codes.append(event.returncode))),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(LAUNCH_FILE)), launch_arguments=arguments.items()),
    ]))

    gave_up = threading.Event()

    def give_up():
        gave_up.set()
        service.shutdown()

    timer = threading.Timer(GIVE_UP_S, give_up)
    timer.start()
    try:
        code = asyncio.run(service.run_async())
    finally:
        timer.cancel()
    assert not gave_up.is_set(), f'launch did not end within {GIVE_UP_S} s'
    return commands, exit_codes, code


def followed_by(command, flag):
    """Every word of the command that stands behind `flag`."""
    return [after for word, after in zip(command, command[1:]) if word == flag]


def test_arguments_are_the_documented_ones():
    description = PythonLaunchDescriptionSource(str(LAUNCH_FILE)).get_launch_description(launch.LaunchContext())
    declared = {a.name: a for a in description.entities if isinstance(a, DeclareLaunchArgument)}
    assert set(declared) == {'params_file', 'namespace', 'log_level', 'use_realtime'}
    assert declared['params_file'].default_value is None, 'limits are never guessed'
    assert all(argument.description for argument in declared.values())


def test_without_a_params_file_nothing_starts():
    commands, _, code = run({}, stop_at='')
    assert commands == []
    assert code != 0


def test_an_unknown_log_level_starts_nothing():
    commands, _, code = run({'params_file': 'robot.yaml', 'log_level': 'loud'}, stop_at='')
    assert commands == []
    assert code != 0


def test_given_arguments_reach_the_node():
    params = ROOT / 'config' / 'mobile_base.yaml'
    [command], _, _ = run(
        {'params_file': str(params), 'namespace': 'robot1', 'log_level': 'debug', 'use_realtime': 'true'},
        stop_at='')
    assert pathlib.Path(command[0]).name == 'interlock'
    assert followed_by(command, '--params-file') == [str(params)]
    assert followed_by(command, '--log-level') == ['debug']
    assert followed_by(command, '-p') == ['realtime.enabled:=true']
    assert {'__node:=interlock', '__ns:=/robot1'} <= set(followed_by(command, '-r'))


def test_arguments_that_are_not_given_leave_the_params_file_alone():
    [command], _, _ = run({'params_file': str(ROOT / 'config' / 'mobile_base.yaml')}, stop_at='')
    assert followed_by(command, '-p') == []
    assert set(followed_by(command, '-r')) <= {'__node:=interlock', '__ns:=/'}


def test_a_launched_node_runs_in_its_namespace_and_is_stopped_cleanly(tmp_path):
    params = tmp_path / 'robot.yaml'
    text = (ROOT / 'config' / 'mobile_base.yaml').read_text()
    # For any namespace, and without the fixed port that another node may have.
    for old, new in (('\ninterlock:', '\n/**/interlock:'), ('    schema: 1', '    schema: 1\n    http: {enabled: false}')):
        assert text.count(old) == 1
        text = text.replace(old, new)
    params.write_text(text)
    commands, exit_codes, code = run(
        {'params_file': str(params), 'namespace': 'robot1', 'use_realtime': 'false'}, stop_at='/robot1/interlock runs')
    assert len(commands) == 1
    assert exit_codes == [0]
    assert code == 0


def test_a_node_that_keeps_ending_is_restarted_a_few_times_only():
    commands, exit_codes, _ = run({'params_file': '/nonexistent/robot.yaml'})
    # The node, not launch, is told about the missing file.
    assert all(followed_by(command, '--params-file') == ['/nonexistent/robot.yaml'] for command in commands)
    assert len(commands) == 6, 'the first start and five more'
    assert exit_codes == [78] * 6, 'the exit code of a configuration that is not accepted'
