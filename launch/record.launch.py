"""
Record a drive to make a map of: cameras, their intrinsics, odometry, transforms and poses.

    ros2 launch husky_placerec record.launch.py output:=summer_bag poses:=/odometry/global
    ros2 launch husky_placerec record.launch.py output:=bag cameras:=clearpath \
        namespace:=a200_0000 poses:=sensors/gps_0/fix
"""

from dataclasses import replace
from pathlib import Path

from husky_placerec.config import read_config
from husky_placerec.config.recording import record_command
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    share = FindPackageShare('husky_placerec')
    preset = [share, '/config/', LaunchConfiguration('cameras'), '.yaml']
    return LaunchDescription(
        [
            DeclareLaunchArgument('output', description='Folder of the new bag.'),
            DeclareLaunchArgument(
                'cameras',
                default_value='husky',
                choices=['husky', 'clearpath'],
                description='Names of topics: husky or clearpath.',
            ),
            DeclareLaunchArgument(
                'config', default_value=preset, description='Parameter file of the node.'
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of the robot.'
            ),
            DeclareLaunchArgument(
                'odometry',
                default_value='',
                description='Topic of the odometry; by default that of the parameter file.',
            ),
            DeclareLaunchArgument(
                'poses',
                default_value='',
                description='Topics with poses or fixes, separated by blanks.',
            ),
            OpaqueFunction(function=_record),
        ]
    )


def _record(context):
    def said(name):
        return LaunchConfiguration(name).perform(context)

    config = read_config(Path(said('config')))
    if said('odometry'):
        config = replace(config, odometry_topic=said('odometry'))
    command = record_command(
        config,
        said('output'),
        namespace=said('namespace'),
        more=said('poses').split(),
    )
    return [ExecuteProcess(cmd=command, output='screen')]
