"""What the package promises to whoever installs it."""

from pathlib import Path
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

ROOT = Path(__file__).parents[2]

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names!r}:
            raise ImportError(name + ' is hidden')
sys.meta_path.insert(0, Hidden())
"""


def run_without(names, code):
    command = [sys.executable, '-c', HIDE.format(names=names) + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_the_core_works_without_ros_and_without_torch():
    code = """
import husky_placerec.cli.main, husky_placerec.evaluation.replay
import husky_placerec.placemap.building, husky_placerec.recognition.recognizer
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
load_extractor(make_config({'extractor': 'hog'}))
"""
    hidden = ['rclpy', 'sensor_msgs', 'message_filters', 'cv_bridge', 'torch', 'timm', 'numba']
    result = run_without(hidden, code)
    assert result.returncode == 0, result.stderr


HEAVY = ['torch', 'timm', 'numba', 'matplotlib', 'jinja2', 'sklearn']


def test_the_node_needs_neither_a_network_library_nor_plots_nor_scikit_learn():
    pytest.importorskip('rclpy')
    result = run_without(HEAVY, 'import husky_placerec.ros.node')
    assert result.returncode == 0, result.stderr


def test_a_map_is_loaded_and_searched_without_them(calibrated_map):
    code = f"""
import numpy as np
from pathlib import Path
from husky_placerec import Config, Frame, load_map, Recognizer
recognizer = Recognizer.load(load_map(Path({str(calibrated_map)!r})), Config())
recognizer.warm_up()
"""
    result = run_without(HEAVY, code)
    assert result.returncode == 0, result.stderr


def test_a_command_says_which_library_it_needs_before_it_works(calibrated_map, drives):
    code = """
import sys
from husky_placerec.cli.main import main
sys.argv = ['placerec', 'calibrate', {0!r}, {1!r}]
main()
"""
    result = run_without(['sklearn'], code.format(str(calibrated_map), str(drives[1])))
    assert result.returncode == 2
    assert 'sklearn is not installed' in result.stderr
    assert 'husky_placerec[report]' in result.stderr


def test_versions_agree():
    from husky_placerec import __version__

    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    assert package.findtext('version') == __version__
    assert f"version='{__version__}'" in (ROOT / 'setup.py').read_text()
    assert __version__ in (ROOT / 'CHANGELOG.rst').read_text()


def test_the_package_description_is_valid():
    package_xml = pytest.importorskip('catkin_pkg.package')
    package = package_xml.parse_package(str(ROOT / 'package.xml'))
    assert package.licenses == ['Apache-2.0']
    assert package.get_build_type() == 'ament_python'


def test_what_is_not_installed_is_named_with_how_to_get_it():
    code = """
import sys
from husky_placerec.cli.main import main
sys.argv = ['placerec', *{words!r}]
main()
"""
    sim = run_without(['numba'], code.format(words=['sim', 'never_made']))
    assert (sim.returncode, sim.stderr.count('Traceback')) == (2, 0), sim.stderr
    assert 'husky_placerec[sim]' in sim.stderr
    load = """
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
try:
    load_extractor(make_config({'weights': 'random'}))
except InputError as error:
    print(error)
"""
    assert 'husky_placerec[timm]' in run_without(['torch', 'timm'], load).stdout


# What rosdep installs by pip on Ubuntu 24.04 (rosdep/python.yaml of ros/rosdistro), which an
# externally managed Python refuses.
BY_PIP = {
    'python3-faiss': 'faiss-cpu',
    'python3-rosbags-pip': 'rosbags',
    'python3-onnxruntime-pip': 'onnxruntime',
}


@pytest.mark.parametrize('page', ['README.md', 'docs/robot_installation.md'])
def test_the_documented_installation_finishes_on_an_externally_managed_python(page):
    text = (ROOT / page).read_text(encoding='utf-8')
    (block,) = [b for b in text.split('```')[1::2] if 'rosdep install' in b]
    steps = 'setup.bash', 'python3 -m venv', 'activate', 'rosdep install', 'pip install', 'colcon'
    places = [block.index(step) for step in steps]
    assert places == sorted(places)
    skipped = block.partition('--skip-keys "')[2].partition('"')[0].split()
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    needed = {each.text for each in package.iter('exec_depend')}
    assert {key for key in needed if key.endswith('-pip') or key in BY_PIP} == set(skipped)
    setup = (ROOT / 'setup.py').read_text()
    assert '[report]' in block
    assert all(f"'{BY_PIP[key]}>=" in setup for key in skipped)


def test_what_the_launch_files_start_is_a_dependency():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    needed = {each.text for each in package.iter('exec_depend')}
    assert {'ros2bag', 'rosbag2_storage_mcap', 'rviz2', 'launch_ros'} <= needed
