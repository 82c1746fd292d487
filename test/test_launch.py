"""The launch file, where ROS's launch is installed."""

from pathlib import Path

import pytest

pytest.importorskip(
    'launch_ros', reason="ROS's launch_ros is not on PyPI; needs a ROS installation"
)

LAUNCH = Path(__file__).parents[1] / 'launch' / 'placerec.launch.py'


def test_the_launch_file_starts_the_node_with_the_map():
    from launch import LaunchContext
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node

    description = get_launch_description_from_python_launch_file(str(LAUNCH))
    arguments = {argument.name for argument in description.get_launch_arguments()}
    assert arguments >= {'map', 'config', 'namespace', 'use_sim_time', 'log_level'}
    (node,) = [entity for entity in description.entities if isinstance(entity, Node)]
    assert node.node_executable == 'placerec_node'
    assert LaunchContext() is not None
