"""
Play a bag to the place recognition node; all ends with the bag.

The node then prints how many frames it recognised, and why it refused the others.

    ros2 launch husky_placerec replay.launch.py bag:=drive_2 map:=campus.map rate:=4
    ros2 launch husky_placerec replay.launch.py bag:=drive_2 map:=campus.map loop:=true rviz:=true
"""

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    Shutdown,
    TimerAction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.substitutions import FindPackagePrefix, FindPackageShare

FORWARDED = {  # default, description
    'cameras': ('husky', 'Names of topics: husky or clearpath.'),
    'odometry': ('', 'Topic of the odometry; by default that of the preset of the cameras.'),
    'rviz': ('false', 'Start rviz.'),
}
AFTER_S = 2.0  # the last frames are recognised after the bag is over


def generate_launch_description():
    arguments = [
        DeclareLaunchArgument('bag', description='Folder, .mcap or .db3.'),
        DeclareLaunchArgument('map', description='Folder of the place map.'),
        DeclareLaunchArgument('rate', default_value='1.0', description='Times as fast.'),
        DeclareLaunchArgument(
            'loop',
            default_value='false',
            choices=['true', 'false'],
            description='Begin again at the end.',
        ),
        *(
            DeclareLaunchArgument(name, default_value=default, description=description)
            for name, (default, description) in FORWARDED.items()
        ),
    ]
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution(
                [FindPackageShare('husky_placerec'), 'launch', 'placerec.launch.py']
            )
        ),
        launch_arguments={
            'map': LaunchConfiguration('map'),
            'use_sim_time': 'true',
            **{name: LaunchConfiguration(name) for name in FORWARDED},
        }.items(),
    )
    placerec = PathJoinSubstitution(
        [FindPackagePrefix('husky_placerec'), 'lib', 'husky_placerec', 'placerec']
    )
    looping = PythonExpression(
        ["'--loop' if '", LaunchConfiguration('loop'), "' == 'true' else '--no-loop'"]
    )
    player = ExecuteProcess(
        cmd=[
            *(placerec, 'play', LaunchConfiguration('bag'), '--clock', '--wait', '60', looping),
            *('--rate', LaunchConfiguration('rate')),
        ],
        output='screen',
        on_exit=[TimerAction(period=AFTER_S, actions=[Shutdown(reason='the bag is over')])],
    )
    return LaunchDescription([*arguments, node, player])
