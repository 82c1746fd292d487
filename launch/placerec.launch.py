"""
Start the place recognition node.

    ros2 launch husky_placerec placerec.launch.py map:=campus.map
    ros2 launch husky_placerec placerec.launch.py map:=campus.map cameras:=clearpath \
        namespace:=a200_0000 rviz:=true
    ros2 launch husky_placerec placerec.launch.py map:=campus.map odometry:=odometry/filtered
    ros2 launch husky_placerec placerec.launch.py map:=campus.map config:=my_robot.yaml
"""

from pathlib import Path

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare('husky_placerec')
# Clearpath's robots have their transforms under their namespace.
TRANSFORMS = [('/tf', 'tf'), ('/tf_static', 'tf_static')]


def generate_launch_description():
    preset = [SHARE, '/config/', LaunchConfiguration('cameras'), '.yaml']
    arguments = [
        DeclareLaunchArgument('map', description='Folder of the place map.'),
        DeclareLaunchArgument(
            'cameras',
            default_value='husky',
            description='Names of topics: husky (ITLP-Campus) or clearpath (their own drivers).',
            choices=['husky', 'clearpath'],
        ),
        DeclareLaunchArgument(
            'config',
            default_value=preset,
            description='Parameter file; by default that of the cameras.',
        ),
        DeclareLaunchArgument(
            'odometry',
            default_value='',
            description='Topic of the odometry; by default that of the parameter file.',
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of the robot, such as a200_0000.'
        ),
        DeclareLaunchArgument(
            'autostart',
            default_value='true',
            choices=['true', 'false'],
            description='Start by itself; false where a lifecycle manager does it.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            choices=['true', 'false'],
            description='Take the time from /clock, as when a bag is replayed with --clock.',
        ),
        DeclareLaunchArgument(
            'fastdds',
            default_value='none',
            choices=['none', 'one_machine', 'robot'],
            description='Profile for large raw images, see docs/robot_installation.md.',
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=['true', 'false'], description='Start rviz.'
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error'],
            description='Least severity of the messages that are logged.',
        ),
    ]
    profile = [SHARE, '/config/fastdds/', LaunchConfiguration('fastdds'), '.xml']
    dds = SetEnvironmentVariable(
        'FASTRTPS_DEFAULT_PROFILES_FILE',
        profile,
        condition=IfCondition(
            PythonExpression(["'", LaunchConfiguration('fastdds'), "' != 'none'"])
        ),
    )
    return LaunchDescription([*arguments, dds, OpaqueFunction(function=_start)])


def _start(context):
    """Return the node and rviz, or raise before either is started."""

    def said(name):
        return LaunchConfiguration(name).perform(context)

    if not Path(said('config')).is_file():
        raise RuntimeError(
            f'config: {said("config")} is no file; expected a parameter file, as config/husky.yaml'
        )
    if said('rviz') == 'true':
        _require_rviz()
    given = {
        'map': ParameterValue(LaunchConfiguration('map'), value_type=str),
        'autostart': ParameterValue(LaunchConfiguration('autostart'), value_type=bool),
        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
    }
    if said('odometry'):
        given['odometry_topic'] = said('odometry')
    node = Node(
        package='husky_placerec',
        executable='placerec_node',
        name='placerec',
        namespace=LaunchConfiguration('namespace'),
        output='screen',
        # An argument overrides the file: the last source of a parameter counts.
        parameters=[LaunchConfiguration('config'), given],
        remappings=TRANSFORMS,
        arguments=['--ros-args', '--log-level', ['placerec:=', LaunchConfiguration('log_level')]],
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        namespace=LaunchConfiguration('namespace'),
        arguments=['-d', PathJoinSubstitution([SHARE, 'config', 'layouts', 'placerec.rviz'])],
        remappings=TRANSFORMS,
        condition=IfCondition(LaunchConfiguration('rviz')),
    )
    return [node, rviz]


def _require_rviz():
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError as error:
        raise RuntimeError(
            'rviz: rviz2 is not installed; apt install ros-$ROS_DISTRO-rviz2, or leave out rviz:='
        ) from error
