"""What tests share: two tiny drives of a rendered world, and a map of the first."""

from contextlib import ExitStack
import sys
from types import SimpleNamespace

from husky_placerec.cli.main import app, main
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.placemap.building import describe_places
from husky_placerec.placemap.storage import save_map
import pytest
from support.needs import missing_of, SkippedModule
from typer.testing import CliRunner

HOG = {'extractor': 'hog', 'min_similarity': 0.7}


def pytest_ignore_collect(collection_path, config):
    """Import no module without a test that `-m ros` or `-m cluster` selects: that takes long."""
    mark = config.option.markexpr
    if mark in ('ros', 'cluster') and collection_path.match('test_*.py'):
        return f'mark.{mark}' not in collection_path.read_text(encoding='utf-8') or None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path, parent):
    """Skip a module whose libraries are missing, before anything imports it."""
    if missing_of(module_path):
        return SkippedModule.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(config, items):
    """Give what talks over the network a second try, which the summary tells as a rerun."""
    for item in items:
        if item.get_closest_marker('ros') and config.pluginmanager.hasplugin('rerunfailures'):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope='session')
def drives(tmp_path_factory):
    """Render two drives on the same 60 m: (mapped, driven), 20 and 19 frames."""
    pytest.importorskip('numba')
    from husky_placerec.campus.drives import DriveConfig
    from husky_placerec.campus.recording import write_drive

    folder = tmp_path_factory.mktemp('drives')
    size = {'width': 320, 'height': 192}
    mapped = DriveConfig(seed=3, drive=0, length_m=60.0, **size)
    driven = DriveConfig(seed=3, drive=1, start_m=1.5, length_m=57.0, **size)
    write_drive(folder / 'mapped', mapped)
    write_drive(folder / 'driven', driven)
    return folder / 'mapped', folder / 'driven'


@pytest.fixture(scope='session')
def map_path(drives, tmp_path_factory):
    """Build a map of the first drive, described by HOG."""
    path = tmp_path_factory.mktemp('map') / 'campus.map'
    config = make_config(HOG)
    with Bag(drives[0]) as bag:
        trajectory = find_trajectory(bag, None)
        extractor = load_extractor(config)
        place_map = describe_places(
            bag, trajectory, extractor, config, track='mapped', max_gap_s=2.0
        )
    save_map(place_map, path)
    return path


@pytest.fixture(scope='session')
def calibrated_map(drives, tmp_path_factory):
    """Build a map of the first drive by the commands, with pictures, calibrated by the second."""
    path = tmp_path_factory.mktemp('calibrated') / 'campus.map'
    for command in (
        ['map', 'build', drives[0], path, '--thumbnails', 160, '-s', 'extractor=hog'],
        # The drives are too short to promise more.
        ['calibrate', path, drives[1], '-s', 'promise=0.5'],
    ):
        ended = CliRunner().invoke(app, [str(word) for word in command])
        assert ended.exit_code == 0, ended.output
    return path


@pytest.fixture(scope='session')
def track(tmp_path_factory):
    """Render a track of three frames, with its bag."""
    pytest.importorskip('numba')
    from husky_placerec.campus.drives import DriveConfig
    from husky_placerec.campus.recording import write_track

    path = tmp_path_factory.mktemp('sim') / 'track'
    write_track(path, DriveConfig(seed=3, length_m=9.0, width=160, height=96), workers=1)
    return path


@pytest.fixture
def placerec(monkeypatch, capsys):
    """Return a function that runs a command line, and what the user then sees."""

    def run(*words):
        monkeypatch.setattr(sys, 'argv', ['placerec', *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        stdout, stderr = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=stdout, stderr=stderr)

    return run


@pytest.fixture
def start_robot(drives, map_path, tmp_path):
    """Return a function that starts a node, and a robot that talks to it."""
    pytest.importorskip('rclpy')
    from support.domains import new_domain
    from support.robot import node_process, Robot, scenes_of

    with ExitStack() as stack:

        def starting(parameters=None, *arguments, namespace='', domain=None, before='', **robot):
            folder = tmp_path / (namespace.strip('/') or 'node')
            folder.mkdir()
            made = Robot(scenes_of(drives[1]), domain or new_domain(), namespace, **robot)
            stack.callback(made.close)
            values = {'map': str(map_path), **(parameters or {})}
            options = (*arguments, '-r', f'__ns:={namespace}') if namespace else arguments
            made.process = stack.enter_context(
                node_process(folder, values, *options, before=before)
            )
            made.folder = folder
            return made

        yield starting
