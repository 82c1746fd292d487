"""What holds for every map: it comes back from the disk, is refused when altered, and merges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import tempfile

from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.storage import save_map, verify_map
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from support.builders import random_map, START_NS, thumbnails_of

NEEDS = ('hypothesis',)

settings.register_profile('maps', max_examples=25, deadline=None)
settings.load_profile('maps')

NAMES = st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=9)
FINITE = st.floats(-1e7, 1e7)


@st.composite
def maps(draw, least=1):
    """Draw a map with any cameras present, names, stamps, positions, index and extras."""
    count = draw(st.integers(least, 8))
    seen = st.sampled_from([(True, True), (True, False), (False, True)])
    present = np.array(draw(st.lists(seen, min_size=count, max_size=count)), bool)
    stamps = draw(st.lists(st.integers(0, 2**62), min_size=count, max_size=count, unique=True))
    tracks = draw(st.lists(NAMES, min_size=count, max_size=count))
    made = random_map(draw(st.integers(0, 99)), count, present)
    made.places.poses[:, 0] = draw(st.lists(FINITE, min_size=count, max_size=count))
    places = Places(np.array(stamps, np.int64), made.places.poses, tuple(tracks), present)
    pictures = [{'front': draw(st.binary(max_size=20))} for _ in range(count)]
    made = replace(
        made,
        places=places,
        frame_id=draw(st.sampled_from(['map', 'campus'])),
        sources={track: f'{track}.bag' for track in tracks},
        thumbnails=thumbnails_of(pictures) if draw(st.booleans()) else None,
    )
    if draw(st.booleans()):
        made = made.whitened(made.fit_whitening())
    return made.indexed(draw(st.sampled_from([None, 'sq8', 'hnsw'])))


def assert_same(found, made):
    np.testing.assert_array_equal(found.places.stamps_ns, made.places.stamps_ns)
    np.testing.assert_array_equal(found.places.poses, made.places.poses)
    np.testing.assert_array_equal(found.places.present, made.places.present)
    np.testing.assert_array_equal(found.descriptors, made.descriptors)
    assert found.places.tracks == made.places.tracks
    assert found.sources == made.sources
    assert (found.frame_id, found.spec, found.created) == (made.frame_id, made.spec, made.created)
    assert (found.whitening is None) == (made.whitening is None)
    for i in range(len(made)):
        query = np.asarray(made.descriptors[i], np.float32)
        expected = made.search(query, 3, both_ways=True)
        assert found.search(query, 3, both_ways=True) == expected
        if made.thumbnails is not None:
            assert found.thumbnails.jpeg(i, 'front') == made.thumbnails.jpeg(i, 'front')


@given(maps())
def test_a_map_comes_back_from_the_disk_as_it_was(made):
    with tempfile.TemporaryDirectory() as folder:
        save_map(made, Path(folder) / 'map')
        assert_same(load_map(Path(folder) / 'map'), made)
        verify_map(Path(folder) / 'map')


@given(maps(), maps())
def test_a_map_replaces_another_and_can_be_written_twice(first, second):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'map'
        save_map(first, path)
        save_map(second, path, overwrite=True)
        save_map(load_map(path), path, overwrite=True)
        assert_same(load_map(path), second)


@pytest.fixture(scope='module')
def stored(tmp_path_factory):
    """Store a map that has every kind of file there is."""
    path = tmp_path_factory.mktemp('stored') / 'map'
    made = random_map(count=6)
    pictures = thumbnails_of([{'front': b'jpeg'}] * 6)
    made = replace(made.whitened(made.fit_whitening()), thumbnails=pictures).indexed('hnsw')
    save_map(made, path)
    assert len(list(path.iterdir())) == 7
    return path


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_map_with_any_bit_of_it_flipped_is_refused(stored, data):
    file = data.draw(st.sampled_from(sorted(stored.iterdir())))
    whole = file.read_bytes()
    altered = bytearray(whole)
    altered[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        file.write_bytes(altered)
        with pytest.raises(InputError, match=str(stored)):
            load_map(stored)
    finally:
        file.write_bytes(whole)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_map_with_a_file_cut_short_or_gone_is_refused(stored, data):
    file = data.draw(st.sampled_from(sorted(stored.iterdir())))
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(InputError, match=str(stored)):
            load_map(stored)
        file.unlink()
        with pytest.raises(InputError, match=str(stored)):
            load_map(stored)
    finally:
        file.write_bytes(whole)


def alike(made, **changes):
    return replace(made, frame_id='map', **changes)


def looks(made):
    """Return what each place looked like when."""
    stamps = made.places.stamps_ns.tolist()
    return {(stamp, seen.tobytes()) for stamp, seen in zip(stamps, made.descriptors)}


@given(st.lists(maps(), min_size=1, max_size=3))
def test_merging_keeps_every_place_of_every_map(parts):
    parts = [alike(part) for part in parts]
    merged = merge_maps(parts).place_map
    assert looks(merged) == set().union(*map(looks, parts))
    assert set(merged.places.tracks) <= set(merged.sources)
    assert merged.places.duplicate() is None
    assert (merged.whitening is None) == (parts[0].whitening is None)


@given(maps())
def test_merging_a_map_with_itself_changes_nothing(made):
    merged = merge_maps([made, made])
    assert merged.place_map is made
    assert merged.added == (0,)


@given(maps(), maps(), maps())
def test_merging_in_two_steps_is_merging_at_once(one, two, three):
    one, two, three = alike(one), alike(two), alike(three)
    at_once = merge_maps([one, two, three]).place_map
    in_steps = merge_maps([merge_maps([one, two]).place_map, three]).place_map
    np.testing.assert_array_equal(at_once.descriptors, in_steps.descriptors)
    np.testing.assert_array_equal(at_once.places.poses, in_steps.places.poses)
    assert at_once.places.tracks == in_steps.places.tracks


@given(maps(least=2), st.sampled_from(['nan', 'inf', 'long', 'pose', 'quaternion', 'stamp']))
def test_a_map_with_a_bad_value_is_not_written(made, harm):
    descriptors, poses = np.array(made.descriptors), np.array(made.places.poses)
    stamps, tracks = np.array(made.places.stamps_ns), made.places.tracks
    camera = int(made.places.present[1].argmax())
    if harm in ('nan', 'inf', 'long'):
        descriptors[1, camera] *= {'nan': np.nan, 'inf': np.inf, 'long': 1.1}[harm]
    elif harm == 'pose':
        poses[1, 2] = np.nan
    elif harm == 'quaternion':
        poses[1, 3:] *= 0.9
    else:
        stamps[1], tracks = stamps[0], (tracks[0],) * len(tracks)
    bad = replace(
        made, descriptors=descriptors, places=Places(stamps, poses, tracks, made.places.present)
    )
    with tempfile.TemporaryDirectory() as folder:
        with pytest.raises(InputError):
            save_map(bad, Path(folder) / 'map')
        assert not list(Path(folder).iterdir())


def test_stamps_since_1970_are_kept_to_the_nanosecond(tmp_path):
    made = random_map(count=2)
    save_map(made, tmp_path / 'map')
    assert load_map(tmp_path / 'map').places.stamps_ns[0] == START_NS
