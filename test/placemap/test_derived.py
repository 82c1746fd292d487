"""What is derived from the places of a map is dropped by whatever changes them, and only then."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import planar, random_map

NEEDS = ('sklearn',)

DERIVED = 'index', 'lengths', 'gain', 'version'
GAIN = {'raw': {'forwards': 0.5}, 'whitened': {'forwards': 0.6}}


@pytest.fixture
def full(tmp_path):
    """Return a map with all that is derived from places, as it comes from the disk."""
    made = random_map(1, 60)
    made = made.whitened(made.fit_whitening(), GAIN).indexed('flat')
    made = made.calibrated({'kind': 'own'})
    save_map(made, tmp_path / 'full')
    loaded = load_map(tmp_path / 'full')
    assert all(getattr(loaded, name) for name in ('index', 'gain', 'version', 'calibration'))
    assert loaded.lengths is not None
    assert loaded.calibrated_on_these_places
    return loaded


def other_places(place_map):
    kept = np.arange(0, len(place_map), 2)
    return place_map.with_places(place_map.places.chosen(kept), place_map.descriptors[kept])


CHANGES = {
    'with_places': other_places,
    'prune': lambda m: prune(m, 1000.0, -1.0),
    'merge': lambda m: merge_maps([m, random_map(2, 10, frame_id=m.frame_id)]).place_map,
    'whitened': lambda m: m.whitened(None),
}


@pytest.mark.parametrize('name', CHANGES)
def test_new_places_have_nothing_of_the_old_ones(full, name):
    changed = CHANGES[name](full)
    assert changed.version == ''
    assert changed.index is None
    assert changed.lengths is None
    assert changed.gain is None


def test_a_rigid_motion_keeps_all_but_the_version(full):
    moved = transform(full, planar(10.0, 0.0, 30.0))
    assert moved.version == ''
    for name in ('index', 'lengths', 'gain', 'whitening', 'calibration'):
        assert getattr(moved, name) is getattr(full, name)
    assert moved.calibrated_on_these_places


def test_an_index_makes_another_version(full):
    assert full.indexed('flat').version == ''
    assert full.calibrated({'kind': 'own'}).version == ''


def test_another_whitening_drops_the_calibration_and_keeps_the_pictures(full):
    pictured = replace(full, thumbnails=object())
    changed = pictured.whitened(None)
    assert changed.calibration is None
    assert changed.thumbnails is pictured.thumbnails


def test_a_calibration_tells_that_it_was_measured_on_other_places(full):
    fewer = other_places(full)
    assert fewer.calibration is not None
    assert not fewer.calibrated_on_these_places
    assert fewer.calibrated(fewer.calibration).calibrated_on_these_places


def test_the_fingerprint_is_of_stamps_tracks_and_cameras_not_of_poses():
    places = random_map(1, 20).places
    moved = replace(places, poses=places.poses + 1.0)
    assert moved.fingerprint() == places.fingerprint()
    for changes in (
        {'stamps_ns': places.stamps_ns + 1},
        {'tracks': ('other',) * len(places)},
        {'present': ~places.present},
    ):
        assert replace(places, **changes).fingerprint() != places.fingerprint()
