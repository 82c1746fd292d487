"""A replay of the log of a session repeats its poses, whatever happened on the way."""

from __future__ import annotations

from contextlib import closing
import json
import shutil

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.images import decode_image
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session import Session
from husky_placerec.session.log import open_log
from husky_placerec.types import Pose
import pytest
from support.sessions import settle
import yaml

KEYS = (
    *('stamp_ns', 'accepted', 'reason', 'state', 'probability', 'pose', 'covariance'),
    *('measurement', 'candidates'),
)


@pytest.fixture
def node(calibrated_map, drives, tmp_path):
    """Return a function that drives as a node does; what happens, it does before a frame."""
    log_path = tmp_path / 'node.jsonl'

    def drive(happens, map_path=calibrated_map):
        config = make_config({})
        recognizer = Recognizer.load(load_map(map_path), config)
        recognizer.warm_up()
        with closing(open_log(str(log_path))) as log, Bag(drives[1]) as bag:
            session = Session(recognizer, config, decode=decode_image, log=log)
            session.start()
            wheels = bag.odometry()
            moved = list(zip(wheels.stamps_ns.tolist(), map(Pose.from_array, wheels.poses)))
            for number, frame in enumerate(bag.frames(config)):
                if number in happens:
                    happens[number](session, map_path)
                while moved and moved[0][0] <= frame.stamp_ns:
                    session.add_odometry(*moved.pop(0))
                session.store(frame)
                settle(session)
            session.stop()
        return log_path

    return drive


@pytest.fixture
def replayed(drives, tmp_path, placerec):
    """Return a function that replays a log; it gives the lines and the parameters used."""
    out = tmp_path / 'results'

    def replay(log, map_path, *options):
        words = 'replay', drives[1], '--map', map_path, '-o', out, '--stamps', log, '--overwrite'
        ended = placerec(*words, *options)
        assert ended.returncode == 0, ended.stderr
        used = yaml.safe_load((out / 'config.yaml').read_text())
        return lines_of(out / 'recognitions.jsonl'), used

    return replay


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_same(found, expected):
    for key in KEYS:
        assert [line[key] for line in found] == [line[key] for line in expected], key


def setting(**values):
    return lambda session, _: session.configure(make_config(values))


def read_again(session, map_path):
    session.reload(load_map(map_path))


@pytest.mark.parametrize(
    'happens',
    [
        {},
        {7: lambda session, _: session.begin_anew()},
        {5: setting(min_probability=1.0, localized_from=1.0), 12: setting()},
        {0: setting(sequence=False), 9: setting(candidates=3, search_reversed=False)},
        {9: read_again},
    ],
    ids=['nothing', 'relocalize', 'thresholds', 'switches', 'the map read again'],
)
def test_the_replay_follows_what_happened_on_the_way(node, replayed, calibrated_map, happens):
    log = node(happens)
    logged = lines_of(log)
    assert any(line['accepted'] for line in logged)
    assert_same(replayed(log, calibrated_map)[0], logged)


def test_two_runs_of_a_node_in_one_file_do_not_run_into_each_other(node, replayed, calibrated_map):
    node({})
    log = node({})
    logged = lines_of(log)
    half = len(logged) // 2
    assert_same(logged[:half], logged[half:])
    assert_same(replayed(log, calibrated_map)[0], logged)


def test_parameters_that_the_user_names_overrule_the_nodes(node, replayed, calibrated_map):
    log = node({0: setting(sequence=False, candidates=7), 5: setting(candidates=5)})
    lines, used = replayed(log, calibrated_map, '--set', 'candidates=2')
    assert {len(line['candidates']) for line in lines} == {2}
    assert used['parameters']['candidates'] == 2
    assert used['parameters']['sequence'] is False  # as the node had it at its first frame


def test_a_version_that_came_on_the_way_is_named_and_the_rest_can_be_repeated(
    node, replayed, calibrated_map, drives, tmp_path, placerec
):
    campus = tmp_path / 'campus.map'
    shutil.copytree(calibrated_map, campus)

    def grow(session, _):
        grown = placerec('map', 'add', campus, drives[1], '-s', 'extractor=hog')
        assert grown.returncode == 0, grown.stderr
        session.reload(load_map(campus))

    log = node({9: grow}, campus)
    logged = lines_of(log)
    refused = placerec('replay', drives[1], '--map', campus, '--stamps', log)
    assert refused.returncode == 2
    words = ' '.join(refused.stderr.split())
    assert 'from frame 1 of' in words
    assert 'version' in words
    refused = placerec('replay', drives[1], '--map', calibrated_map, '--stamps', log)
    assert 'from frame 10 of' in ' '.join(refused.stderr.split())

    later = tmp_path / 'later.jsonl'  # a log may be cut anywhere, here where the map changed
    later.write_text('\n'.join(log.read_text().splitlines()[9:]))
    assert_same(replayed(later, campus)[0], logged[9:])
    stamps = tmp_path / 'stamps.txt'
    stamps.write_text('\n'.join(str(line['stamp_ns']) for line in logged))
    assert len(replayed(stamps, campus)[0]) == len(logged)
