"""The launch file, where ROS's launch is installed."""

from pathlib import Path

import pytest

pytest.importorskip(
    'launch_ros', reason="ROS's launch_ros is not on PyPI; needs a ROS installation"
)

LAUNCH = Path(__file__).parents[1] / 'launch'


@pytest.mark.parametrize(
    ('file', 'executable', 'names'),
    [
        (
            'placerec.launch.py',
            'placerec_node',
            {'map', 'config', 'namespace', 'use_sim_time', 'log_level'},
        ),
        ('sim.launch.py', 'simulator_node', {'seed', 'condition', 'drive', 'rate', 'namespace'}),
    ],
)
def test_a_launch_file_starts_its_node(file, executable, names):
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node

    description = get_launch_description_from_python_launch_file(str(LAUNCH / file))
    arguments = {argument.name for argument in description.get_launch_arguments()}
    assert arguments >= names
    (node,) = [entity for entity in description.entities if isinstance(entity, Node)]
    assert node.node_executable == executable
