"""A map with landmarks: storage, changes, and the damage that is refused."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import io
import json

from husky_placerec.errors import InputError
from husky_placerec.metric.landmarks import Landmarks, TAIL
from husky_placerec.placemap import loading
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST, signed
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map, verify_map
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import random_map, straight_map
from support.landmark_worlds import SPEC

COUNT = 10


def landmarks_of(count, seed=0, spec=replace(SPEC, count=5)):
    shape = count, 2, spec.count, spec.size + TAIL
    values = np.random.default_rng(seed).integers(1, 100, shape, dtype=np.int8)
    return Landmarks(spec, values)


@pytest.fixture
def place_map():
    return replace(straight_map(COUNT), landmarks=landmarks_of(COUNT))


@pytest.fixture
def saved(place_map, tmp_path):
    save_map(place_map, tmp_path / 'map')
    return tmp_path / 'map'


def about(path):
    return json.loads((path / MANIFEST).read_text())


def change(path, **changes):
    """Write another map.json, whole for all its checksum says."""
    kept = {k: v for k, v in {**about(path), **changes}.items() if k != 'sha256'}
    (path / MANIFEST).write_text(json.dumps(signed(kept)))


def rewrite(path, array):
    """Write other landmarks together with their hash."""
    data = io.BytesIO()
    np.save(data, array)
    file = path / about(path)['files']['landmarks']['name']
    file.write_bytes(data.getvalue())
    entry = {'name': file.name, 'sha256': hashlib.sha256(data.getvalue()).hexdigest()}
    change(path, files={**about(path)['files'], 'landmarks': entry})


def test_landmarks_are_stored_and_read_again(place_map, saved, monkeypatch):
    found = load_map(saved).landmarks
    assert found.spec == place_map.landmarks.spec
    np.testing.assert_array_equal(found.values, place_map.landmarks.values)
    assert any('landmarks' in checked for checked in verify_map(saved))
    monkeypatch.setattr(loading, 'IN_MEMORY_BYTES', 1000)
    assert isinstance(load_map(saved).landmarks.values, np.memmap)


def test_a_map_without_them_has_none(tmp_path):
    save_map(straight_map(COUNT), tmp_path / 'map')
    assert load_map(tmp_path / 'map').landmarks is None
    assert 'landmarks' not in about(tmp_path / 'map')['files']


def test_landmarks_go_with_their_places(place_map):
    moved = transform(place_map, Pose.planar(5.0, 6.0, 0.7))
    np.testing.assert_array_equal(moved.landmarks.values, place_map.landmarks.values)
    kept = prune(place_map, 5.0, -1.0)
    rows = np.searchsorted(place_map.places.stamps_ns, kept.places.stamps_ns)
    assert 0 < len(kept) < COUNT
    np.testing.assert_array_equal(kept.landmarks.values, place_map.landmarks.values[rows])


def test_maps_of_one_network_keep_their_landmarks_when_they_are_merged(place_map):
    other = replace(random_map(seed=4, count=3), frame_id=place_map.frame_id)
    both = merge_maps([place_map, replace(other, landmarks=landmarks_of(3, 1))]).place_map
    assert len(both.landmarks) == len(both) == COUNT + 3
    assert merge_maps([place_map, other]).place_map.landmarks is None
    another = landmarks_of(3, 1, replace(SPEC, count=5, network_sha256='b' * 64))
    assert merge_maps([place_map, replace(other, landmarks=another)]).place_map.landmarks is None


def test_landmarks_of_another_shape_or_type_are_refused(saved, place_map):
    values = place_map.landmarks.values
    for wrong in (values[:-1], values[..., :-1], values.astype(np.int16)):
        rewrite(saved, wrong)
        with pytest.raises(InputError, match=r'landmarks-.*expected int8 \[10, 2, 5, 72\]'):
            load_map(saved)


def test_a_spec_that_none_has_is_refused(saved, place_map):
    change(saved, landmarks={**place_map.landmarks.spec.as_json(), 'size': 0})
    with pytest.raises(InputError, match='size'):
        load_map(saved)
