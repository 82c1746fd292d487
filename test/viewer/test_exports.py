"""Exports, opened again by the libraries whose formats they have."""

from __future__ import annotations

import shutil

from husky_placerec.data.bag_file import BagFile
from husky_placerec.viewer.results import Finder, read_results
import pytest
from support.commands import assert_refused
from support.needs import needs
from support.shown_drives import COUNT

NEEDS = 'sklearn', 'matplotlib', 'jinja2'

SHOWN = [f'{kind}/{camera}' for kind in ('seen', 'place') for camera in ('front', 'back')]


@pytest.fixture
def replayed(world, tmp_path):
    return shutil.copytree(world / 'replayed', tmp_path / 'replayed')


@needs('mcap')
def test_an_mcap_file_has_images_poses_markers_and_diagnostics(placerec, world, replayed):
    from mcap.reader import make_reader

    done = placerec('export', 'mcap', replayed)
    assert (done.returncode, 'warning' in done.stderr) == (0, False), done.stderr
    file = replayed.with_name('replayed.mcap')
    with file.open('rb') as opened:
        reader = make_reader(opened, validate_crcs=True)
        counts = {}
        for schema, channel, _ in reader.iter_messages():
            assert schema.encoding == 'ros2msg'
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
    for topic in (
        *(f'/{name}/compressed' for name in SHOWN),
        '/true_pose',
        '/placerec/markers',
        '/placerec/candidates',
    ):
        assert counts[topic] == COUNT
    assert counts['/diagnostics'] == COUNT and counts['/placerec/places'] == 1
    (run,) = read_results(replayed, Finder()).runs
    assert counts['/placerec/pose'] == run.accepted.sum()
    assert counts.get('/placerec/refused_pose', 0) == (~run.accepted).sum()


def test_the_messages_are_those_of_ros(placerec, replayed):
    assert placerec('export', 'mcap', replayed).returncode == 0
    (run,) = read_results(replayed, Finder()).runs
    with BagFile(replayed.with_name('replayed.mcap')) as bag:
        poses = list(bag.messages({'/true_pose': 'true'}))
        assert [stamp for _, stamp, _ in poses] == run.stamps_ns.tolist()
        assert [message.pose.position.x for *_, message in poses] == pytest.approx(
            run.truths[:, 0]
        )
        assert poses[0][2].header.frame_id == 'map'
        first = next(iter(bag.messages({'/diagnostics': 'd'})))[2].status[0]
        assert first.level == (0 if run.accepted[0] else 1)
        drawn = next(iter(bag.unstamped({'/placerec/markers': 'm'}))).markers
        assert {'candidates', 'true', 'recognised', 'error', 'decision'} <= {m.ns for m in drawn}
        places = next(iter(bag.unstamped({'/placerec/places': 'p'}))).markers[0]
        assert len(places.points) == COUNT


@needs('rerun')
def test_a_recording_of_rerun_has_images_poses_and_figures(placerec, replayed):
    RrdReader = pytest.importorskip('rerun.chunk').RrdReader

    done = placerec('export', 'rerun', replayed, '-o', replayed.with_name('out.rrd'))
    assert done.returncode == 0, done.stderr
    rows = {}
    for chunk in RrdReader(str(replayed.with_name('out.rrd'))).stream():
        rows[chunk.entity_path] = rows.get(chunk.entity_path, 0) + chunk.num_rows
    for entity in (*SHOWN, 'map/candidates', 'log'):
        assert rows[f'/{entity}'] == COUNT, rows
    assert rows['/map/places'] == 1
    assert rows['/map/true'] == rows['/map/recognised'] == rows['/plots/error/metres'] == COUNT


def test_the_pair_of_an_evaluation_is_chosen_by_its_number(placerec, world, tmp_path):
    done = placerec(
        'export', 'mcap', world / 'evaluated', '--pair', 2, '-o', tmp_path / 'two.mcap'
    )
    assert done.returncode == 0, done.stderr
    with BagFile(tmp_path / 'two.mcap') as bag:
        first = next(iter(bag.messages({'/true_pose': 'true'})))[2]
    assert first.pose.position.x == pytest.approx(0.0)
    refused = placerec(
        'export', 'mcap', world / 'evaluated', '--pair', 3, '-o', tmp_path / 'x.mcap'
    )
    assert_refused(refused, '--pair 3', 'in the map of', output=tmp_path / 'x.mcap')


def test_images_that_are_gone_are_told_once(placerec, replayed):
    config = (replayed / 'config.yaml').read_text()
    gone = config.replace('source: ', 'source: /gone/')
    (replayed / 'config.yaml').write_text(gone)
    done = placerec('export', 'mcap', replayed)
    assert done.returncode == 0
    assert done.stderr.count('this drive is not there') == 1


def test_an_export_replaces_nothing_unasked(placerec, replayed):
    output = replayed.with_name('replayed.mcap')
    output.write_text('mine')
    assert_refused(placerec('export', 'mcap', replayed), 'exists already')
    assert output.read_text() == 'mine'
    assert placerec('export', 'mcap', replayed, '--overwrite').returncode == 0
    assert output.stat().st_size > 1000
