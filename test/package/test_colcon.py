"""The package as colcon builds and installs it on a robot."""

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

NEEDS = ('colcon_ros',)


ROOT = Path(__file__).parents[2]
PACKAGE = 'husky_placerec'
FILES = 'package.xml', 'setup.py', 'setup.cfg', 'pyproject.toml', 'README.md'
FOLDERS = 'resource', 'launch', 'config', PACKAGE


def colcon(workspace, *words):
    environment = {**os.environ, 'COLCON_LOG_PATH': str(workspace / 'log')}
    command = [sys.executable, '-m', 'colcon', *words]
    result = subprocess.run(
        command, cwd=workspace, env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    workspace = tmp_path_factory.mktemp('workspace')
    source = workspace / 'src' / PACKAGE
    source.mkdir(parents=True)
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name)
    colcon(workspace, 'build', '--packages-select', PACKAGE)
    return workspace


def test_colcon_takes_it_for_a_ros_python_package(workspace):
    assert 'ros.ament_python' in colcon(workspace, 'list')


@pytest.mark.parametrize(
    'path',
    [
        f'lib/{PACKAGE}/placerec_node',
        f'lib/{PACKAGE}/placerec',
        f'share/{PACKAGE}/package.xml',
        f'share/{PACKAGE}/launch/placerec.launch.py',
        f'share/{PACKAGE}/config/husky.yaml',
        f'share/{PACKAGE}/config/fastdds/robot.xml',
        f'share/{PACKAGE}/config/layouts/placerec.rviz',
        f'share/{PACKAGE}/config/localizers/robot_localization_map.yaml',
        f'share/{PACKAGE}/launch/replay.launch.py',
        f'share/{PACKAGE}/hook/ament_prefix_path.sh',
        f'share/ament_index/resource_index/packages/{PACKAGE}',
    ],
)
def test_everything_is_where_ros2_looks(workspace, path):
    assert (workspace / 'install' / PACKAGE / path).is_file()


def test_the_installed_command_runs(workspace):
    prefix = workspace / 'install' / PACKAGE
    (site,) = prefix.glob('lib/python*/site-packages')
    result = subprocess.run(
        [sys.executable, prefix / 'lib' / PACKAGE / 'placerec', '--version'],
        env={**os.environ, 'PYTHONPATH': str(site)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stdout.startswith('placerec '), result.stderr
