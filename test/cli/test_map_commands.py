"""`placerec map` as a user meets it: a map that grows, moves and shrinks over the years."""

from __future__ import annotations

import json
import shutil

from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import random_map

HOG = ('--set', 'extractor=hog')


@pytest.fixture
def campus(map_path, tmp_path):
    """Copy the map of the first drive, to be changed."""
    shutil.copytree(map_path, tmp_path / 'campus.map')
    return tmp_path / 'campus.map'


def snapshot(path):
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_a_map_is_validated_and_can_be_shown_without_its_drive(placerec, drives, tmp_path):
    mapped, driven = drives
    path = tmp_path / 'map'
    options = '--validate', driven, '--thumbnails', 64
    built = placerec('map', 'build', mapped, path, *HOG, *options)
    assert built.returncode == 0, built.stderr
    assert 'Recall@1 at 5 m on the validation' in built.stdout
    found = load_map(path)
    for kinds in found.gain.values():
        assert list(kinds) == ['forwards', 'reversed', 'front alone', 'back alone']
    raw, whitened = (np.mean([*found.gain[key].values()]) for key in ('raw', 'whitened'))
    assert (found.whitening is not None) == (whitened > raw)
    assert found.thumbnails.jpeg(0, 'front').startswith(b'\xff\xd8')
    about = json.loads((path / 'map.json').read_text())
    assert about['index']['kind'] == 'flat'
    assert set(about['index']['recall'].values()) == {1.0}
    info = placerec('map', 'info', path)
    assert 'recall against exact' in info.stdout
    for row in ('cameras', 'virtual pinhole', 'index', 'calibration'):
        assert f'│ {row} ' in info.stdout
    for shown in (built, info):
        said = ' '.join(shown.stdout.split())
        assert 'A drive in the direction of the map tests forwards' in said
    assert placerec('map', 'verify', path).returncode == 0


def test_a_drive_is_added_once(placerec, drives, campus):
    before = snapshot(campus)
    again = placerec('map', 'add', campus, drives[0])
    assert again.returncode == 0, again.stderr
    assert 'unchanged' in again.stdout and 'in it already' in again.stdout.replace('\n', ' ')
    assert snapshot(campus) == before
    added = placerec('map', 'add', campus, drives[1], '--track', 'second')
    assert added.returncode == 0, added.stderr
    found = load_map(campus)
    assert len(found) == 39
    assert set(found.places.tracks) == {'mapped', 'second'}
    assert found.sources['second'] == str(drives[1])
    twice = placerec('map', 'add', campus, drives[1])
    assert 'in it already' in twice.stdout.replace('\n', ' ')
    assert len(load_map(campus)) == 39


def test_maps_are_merged_and_pruned(placerec, drives, campus, tmp_path):
    other, merged, small = (tmp_path / name for name in ('other', 'merged', 'small'))
    placerec('map', 'build', drives[1], other, *HOG, '--set', 'pinhole=off')  # as the campus
    result = placerec('map', 'merge', merged, campus, other)
    assert result.returncode == 0, result.stderr
    assert len(load_map(merged)) == 39
    options = '--every', 8, '--alike', -1, '--queries', other
    pruned = placerec('map', 'prune', merged, small, *options)
    assert pruned.returncode == 0, pruned.stderr
    assert 'before' in pruned.stdout and 'after' in pruned.stdout
    assert 5 <= len(load_map(small)) <= 12
    refused = placerec('map', 'merge', merged, campus, other)
    assert refused.returncode == 2
    assert 'exists already' in refused.stderr


def test_a_map_is_moved_and_aligned_back(placerec, campus, tmp_path):
    bent = load_map(campus)
    # So short a drive is straight, which fixes no rotation.
    bent.places.poses[:, 1] += 3 * np.sin(np.arange(len(bent)))
    save_map(bent, tmp_path / 'bent')
    placerec('map', 'export', tmp_path / 'bent', tmp_path / 'there.tum')
    moved = placerec('map', 'transform', tmp_path / 'bent', '--xyz', 5, -3, 1, '--rpy', 0, 0, 1)
    assert moved.returncode == 0, moved.stderr
    changed = load_map(tmp_path / 'bent').places.poses
    assert abs(changed - bent.places.poses).max() > 3
    aligned = placerec(
        'map', 'align', tmp_path / 'bent', tmp_path / 'there.tum', '--frame', 'site'
    )
    assert aligned.returncode == 0, aligned.stderr
    assert 'residual over 20 places: 0.000 m RMS' in aligned.stdout.replace('\n', ' ')
    back = load_map(tmp_path / 'bent')
    np.testing.assert_allclose(back.places.poses[:, :3], bent.places.poses[:, :3], atol=1e-6)
    assert back.frame_id == 'site'


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['merge', 'OUT', 'MAP'], 'expected at least two'),
        (['merge', 'OUT', 'MAP', 'OTHER'], 'does not go with'),
        (['merge', 'OUT', 'MAP', 'nowhere'], 'nowhere: not a place map'),
        (['prune', 'nowhere', 'OUT'], 'nowhere: not a place map'),
        (['prune', 'MAP', 'OUT', '--index', 'kdtree'], "no index 'kdtree'"),
        (['transform', 'MAP', '--rpy', '0', '0', '90'], 'expected radians'),
        (['align', 'MAP', 'nowhere.tum'], 'nowhere.tum: no such file'),
        (['align', 'MAP', 'other.tum'], 'covers 0 of'),
        (['export', 'MAP', 'OUT.pcd'], 'expected a name that ends in'),
        (['add', 'MAP', 'nowhere'], 'nowhere: no such source'),
        (['verify', 'nowhere'], 'nowhere: not a place map'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(
    placerec, campus, tmp_path, monkeypatch, words, expected
):
    monkeypatch.chdir(tmp_path)
    save_map(random_map(), tmp_path / 'other.map')
    (tmp_path / 'other.tum').write_text('1 0 0 0 0 0 0 1\n2 1 0 0 0 0 0 1\n')
    before = snapshot(campus), sorted(tmp_path.iterdir())
    names = {'OUT': 'out', 'MAP': campus, 'OTHER': 'other.map', 'OUT.pcd': 'out.pcd'}
    result = placerec('map', *[names.get(word, word) for word in words])
    assert result.returncode == 2
    assert result.stderr.startswith('error: ')
    assert result.stderr.count('\n') == 1
    assert expected in result.stderr
    assert (snapshot(campus), sorted(tmp_path.iterdir())) == before


def test_verifying_warns_of_a_jump(placerec, tmp_path):
    made = random_map()
    made.places.poses[10:, 0] += 30_000
    save_map(made, tmp_path / 'map')
    result = placerec('map', 'verify', tmp_path / 'map')
    assert result.returncode == 0
    assert ' km from the place at ' in result.stderr


@pytest.mark.parametrize(
    'verb', ['build', 'info', 'verify', 'merge', 'prune', 'add', 'transform', 'align', 'export']
)
def test_each_verb_shows_an_example(placerec, verb):
    shown = placerec('map', verb, '--help')
    assert shown.returncode == 0
    assert f'placerec map {verb}' in shown.stdout
