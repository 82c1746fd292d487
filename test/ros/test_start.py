"""The start of a process by wrong arguments: one sentence, and the exit status 2, without DDS."""

from __future__ import annotations

import subprocess
import sys

import pytest

NEEDS = 'rclpy', 'sensor_msgs'

NODE, SIMULATOR = 'husky_placerec.ros.node', 'husky_placerec.simulator.main'


def started(module, *arguments, before=''):
    """Run the main function of a module in its own process; it must end by itself."""
    code = f'{before}\nfrom {module} import main\nmain()'
    command = [sys.executable, '-c', code, '--ros-args', *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ('module', 'arguments', 'words'),
    [
        (NODE, ['--params-file', 'missing.yaml'], ['missing.yaml', 'Error opening YAML file']),
        (NODE, ['-p', 'cameras:=[]'], ['parameter cameras: empty', "['front', 'back']"]),
        (NODE, ['-p', 'cameras:=[front, front]'], ['different names']),
        (NODE, ['-p', "cameras:=['']"], ['different names']),
        (NODE, ['-p', 'map:=[]'], ['parameter map: empty', 'expected str']),
        (NODE, ['-p', 'max_rate:=1.0e-300'], ['max_rate', 'expected 0, or 0.001']),
        (SIMULATOR, ['--params-file', 'missing.yaml'], ['missing.yaml']),
        (SIMULATOR, ['-p', 'rate:=1.0e-300'], ['parameter rate', '0.001 to 1000 Hz']),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(module, arguments, words):
    done = started(module, *arguments)
    output = done.stdout + done.stderr
    assert done.returncode == 2, output
    assert 'Traceback' not in output
    assert all(word in output for word in words), output
    assert output.count('[FATAL]') == 1


def test_the_simulator_without_numba_names_the_extra():
    done = started(SIMULATOR, before="import sys; sys.modules['numba'] = None")
    output = done.stdout + done.stderr
    assert done.returncode == 2
    assert 'Traceback' not in output
    assert 'numba is not installed' in output
    assert "pip install 'husky_placerec[sim]'" in output
