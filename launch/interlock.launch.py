"""Starts Interlock, and starts it again when it dies.

    ros2 launch interlock interlock.launch.py params_file:=/path/to/robot.yaml

A restarted gate is not armed: an operator has to arm it, as after any start. It is restarted a few
times only, because launch restarts whatever the exit code was: 0, and 78 for a configuration that is
not accepted, too.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

RESPAWN_DELAY_S = 1.0
RESPAWN_MAX_RETRIES = 5


def gate(context):
    """Returns the node's action. A function, because an argument that was not given passes nothing on."""
    # Not `parameters=[…]`: launch would leave out a file that does not exist, with a warning. This way
    # the node sees the name and says what is wrong.
    ros_arguments = [
        '--params-file', LaunchConfiguration('params_file'),
        '--log-level', LaunchConfiguration('log_level'),
    ]
    use_realtime = LaunchConfiguration('use_realtime').perform(context)
    if use_realtime:
        ros_arguments += ['-p', f'realtime.enabled:={use_realtime}']
    return [
        Node(
            package='interlock',
            executable='interlock',
            name='interlock',
            namespace=LaunchConfiguration('namespace'),
            ros_arguments=ros_arguments,
            output='screen',
            respawn=True,
            respawn_delay=RESPAWN_DELAY_S,
            respawn_max_retries=RESPAWN_MAX_RETRIES,
        )
    ]


def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument(
            'params_file',
            description='Params file of the robot. There is no default: limits are never guessed.',
        ),
        DeclareLaunchArgument(
            'namespace',
            default_value='',
            description='Namespace of the node. The params file has to be for it: /**/interlock as its section.',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='Log level of the node.',
        ),
        DeclareLaunchArgument(
            'use_realtime',
            default_value='',
            choices=['', 'true', 'false'],
            description='Real-time scheduling of the gate thread (realtime.enabled). Empty: as in params_file.',
        ),
        OpaqueFunction(function=gate),
    ])
