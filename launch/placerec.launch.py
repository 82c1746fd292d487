"""
Start the place recognition node.

    ros2 launch husky_placerec placerec.launch.py map:=campus.map
    ros2 launch husky_placerec placerec.launch.py map:=campus.map namespace:=a200_0000 \
        config:=my_robot.yaml
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    default_config = PathJoinSubstitution(
        [FindPackageShare('husky_placerec'), 'config', 'husky.yaml']
    )
    arguments = [
        DeclareLaunchArgument('map', description='Folder of the place map.'),
        DeclareLaunchArgument(
            'config', default_value=default_config, description='Parameter file.'
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of the robot, such as a200_0000.'
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            choices=['true', 'false'],
            description='Take the time from /clock, as when a bag is replayed with --clock.',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error'],
            description='Least severity of the messages that are logged.',
        ),
    ]
    node = Node(
        package='husky_placerec',
        executable='placerec_node',
        name='placerec',
        namespace=LaunchConfiguration('namespace'),
        output='screen',
        # An argument overrides the file: the last source of a parameter counts.
        parameters=[
            LaunchConfiguration('config'),
            {
                'map': ParameterValue(LaunchConfiguration('map'), value_type=str),
                'use_sim_time': ParameterValue(
                    LaunchConfiguration('use_sim_time'), value_type=bool
                ),
            },
        ],
        arguments=['--ros-args', '--log-level', ['placerec:=', LaunchConfiguration('log_level')]],
    )
    return LaunchDescription([*arguments, node])
