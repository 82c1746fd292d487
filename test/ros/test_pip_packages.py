"""The set-up of the packages in pip_ros: it refuses where ROS is sourced."""

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

PIP_ROS = Path(__file__).parents[2] / 'pip_ros'


def run_setup(folder: Path, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess:
    copy = shutil.copytree(folder, tmp_path / folder.name)
    sourced = ('ROS_DISTRO', 'AMENT_PREFIX_PATH')
    env = {name: value for name, value in os.environ.items() if name not in sourced} | variables
    command = [sys.executable, 'setup.py', '--version']
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize('name', ['cv_bridge', 'message_filters', 'tf2_msgs'])
@pytest.mark.parametrize(
    ('variable', 'value', 'distro'),
    [('ROS_DISTRO', 'jazzy', 'jazzy'), ('AMENT_PREFIX_PATH', 'install', '$ROS_DISTRO')],
)
def test_build_refuses_where_ros_is_sourced(tmp_path, name, variable, value, distro):
    pytest.importorskip('setuptools')
    result = run_setup(PIP_ROS / name, tmp_path, **{variable: value})
    assert result.returncode == 1
    sentence = result.stderr.splitlines()[-1]
    assert f'{variable} is set' in sentence
    assert f'apt install ros-{distro}-{name.replace("_", "-")})' in sentence
    assert result.stdout == ''


@pytest.mark.parametrize('name', ['cv_bridge', 'message_filters', 'tf2_msgs'])
def test_build_goes_ahead_elsewhere(tmp_path, name):
    pytest.importorskip('setuptools')
    result = run_setup(PIP_ROS / name, tmp_path)
    assert (result.returncode, result.stdout.splitlines()[-1:]) == (0, ['0.1.0'])
