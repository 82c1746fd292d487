"""Fixtures of the tests of the node: one process that several tests talk to."""

import shutil

import pytest


@pytest.fixture(scope='module')
def world(drives, map_path, tmp_path_factory):
    """Start a node with a map of its own, and a robot that it hears."""
    from support.domains import new_domain
    from support.node_worlds import PARAMETERS  # imports rclpy, which need not be there
    from support.robot import node_process, Robot, scenes_of

    folder = tmp_path_factory.mktemp('faults')
    shutil.copytree(map_path, folder / 'campus.map')
    robot = Robot(scenes_of(drives[1]), new_domain())
    with node_process(folder, {**PARAMETERS, 'map': str(folder / 'campus.map')}) as process:
        robot.folder, robot.process = folder, process
        assert robot.found(), process.log()
        yield robot
    robot.close()


@pytest.fixture
def robot(world):
    """Give the robot; afterwards the node must be the same process, and be well again."""
    yield world
    assert world.process.poll() is None, world.process.log()
    assert world.recovers(), world.statuses
    assert 'Traceback' not in world.process.log()
