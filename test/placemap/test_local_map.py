"""A map with local descriptors: storage, changes, and the damage that is refused."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import io
import json

from husky_placerec.errors import InputError
from husky_placerec.placemap import loading
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST, signed
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map, verify_map
import numpy as np
import pytest
from support.builders import straight_map
from support.local_features import local_of, local_spec

COUNT = 12


@pytest.fixture
def place_map():
    return replace(straight_map(COUNT), local=local_of(COUNT))


@pytest.fixture
def saved(place_map, tmp_path):
    save_map(place_map, tmp_path / 'map')
    return tmp_path / 'map'


def about(path):
    return json.loads((path / MANIFEST).read_text())


def file_of(path):
    return path / about(path)['files']['local']['name']


def change(path, **changes):
    """Write another map.json, whole for all its checksum says; None removes a key."""
    values = {**about(path), **changes}
    kept = {k: v for k, v in values.items() if k != 'sha256' and v is not None}
    (path / MANIFEST).write_text(json.dumps(signed(kept)))


def rewrite(path, array):
    """Write other local descriptors together with their hash."""
    data = io.BytesIO()
    np.save(data, array)
    file_of(path).write_bytes(data.getvalue())
    entry = {'name': file_of(path).name, 'sha256': hashlib.sha256(data.getvalue()).hexdigest()}
    change(path, files={**about(path)['files'], 'local': entry})


def test_local_descriptors_are_stored_and_read_again(place_map, saved):
    found = load_map(saved).local
    assert found.spec == place_map.local.spec
    np.testing.assert_array_equal(found.values, place_map.local.values)
    assert found.values.dtype == np.int8 and not isinstance(found.values, np.memmap)
    assert file_of(saved).name.startswith('local-')
    assert any('local' in checked for checked in verify_map(saved))


def test_a_map_without_them_has_none(tmp_path):
    save_map(straight_map(COUNT), tmp_path / 'map')
    assert load_map(tmp_path / 'map').local is None
    assert 'local' not in about(tmp_path / 'map')
    assert 'local' not in about(tmp_path / 'map')['files']


def test_large_ones_are_mapped_and_kept_when_the_map_is_written_again(
    place_map, saved, monkeypatch
):
    monkeypatch.setattr(loading, 'IN_MEMORY_BYTES', 1000)
    found = load_map(saved)
    assert isinstance(found.local.values, np.memmap)
    np.testing.assert_array_equal(found.local.values, place_map.local.values)
    chosen = found.local.chosen(np.array([3, 1]))
    assert not isinstance(chosen.values, np.memmap)
    before = file_of(saved), file_of(saved).stat().st_ino
    save_map(replace(found, view='another'), saved, overwrite=True)
    assert (file_of(saved), file_of(saved).stat().st_ino) == before
    np.testing.assert_array_equal(load_map(saved).local.values, place_map.local.values)


def test_a_map_written_without_them_forgets_the_file(place_map, saved):
    file = file_of(saved)
    for _ in range(2):  # the files of the last version stay for its readers
        save_map(replace(place_map, local=None), saved, overwrite=True)
    assert not file.exists()
    assert load_map(saved).local is None


def test_other_places_have_none_unless_they_are_given(place_map):
    places, descriptors = place_map.places.chosen(np.arange(3)), place_map.descriptors[:3]
    assert place_map.with_places(places, descriptors).local is None
    kept = place_map.local.chosen(np.arange(3))
    assert place_map.with_places(places, descriptors, local=kept).local is kept


def second(local):
    """Return a map of another drive beside the first."""
    other = straight_map(COUNT)
    places = replace(
        other.places,
        stamps_ns=other.places.stamps_ns + 10**9,
        tracks=('second',) * COUNT,
    )
    return replace(other, places=places, sources={'second': 'b.bag'}, local=local)


def test_merged_maps_have_those_of_both(place_map):
    values = local_of(COUNT).values[::-1]
    other = second(replace(place_map.local, values=values))
    merged = merge_maps([place_map, other]).place_map
    expected = np.concatenate([place_map.local.values, values])
    np.testing.assert_array_equal(merged.local.values, expected)
    assert len(merged) == 2 * COUNT


@pytest.mark.parametrize('other', [None, local_of(COUNT, branch='anchor')], ids=['none', 'anchor'])
def test_maps_of_which_one_has_none_or_others_are_merged_without(place_map, other):
    assert merge_maps([place_map, second(other)]).place_map.local is None
    assert merge_maps([second(other), place_map]).place_map.local is None


def test_a_pruned_map_has_those_of_the_places_that_are_left(place_map):
    pruned = prune(place_map, 7.0, -1.0)
    assert 1 < len(pruned) < COUNT
    kept = (pruned.places.poses[:, 0] / 3.0).round().astype(int)
    np.testing.assert_array_equal(pruned.local.values, place_map.local.values[kept])


def test_another_way_to_compare_keeps_them(place_map):
    assert place_map.centred(place_map.fit_centring()).local is not None


def test_a_damaged_file_is_told(saved):
    data = bytearray(file_of(saved).read_bytes())
    data[-1] ^= 1
    file_of(saved).write_bytes(bytes(data))
    with pytest.raises(InputError, match=r'local-\w+\.npy: truncated or altered'):
        verify_map(saved)


VALUES = local_of(COUNT).values


@pytest.mark.parametrize(
    'array',
    [VALUES[:-1], VALUES[:, :1], VALUES[:, :, :-1], VALUES[..., :-1], VALUES.astype(np.float32)],
    ids=['places', 'cameras', 'cells', 'size', 'type'],
)
def test_those_of_another_shape_are_refused(saved, array):
    rewrite(saved, array)
    with pytest.raises(InputError, match=r'local-.*\.npy'):
        load_map(saved)


@pytest.mark.parametrize('spec', [None, {}, {**local_spec().as_json(), 'rows': 0}])
def test_a_spec_that_is_missing_or_damaged_is_refused(saved, spec):
    change(saved, local=spec)
    with pytest.raises(InputError, match=r'map\.json'):
        load_map(saved)


def test_a_file_that_is_no_array_or_is_gone_is_refused(saved):
    data = b'no array'
    file_of(saved).write_bytes(data)
    with pytest.raises(InputError, match=r'local-.*\.npy'):
        load_map(saved)
    file_of(saved).unlink()
    with pytest.raises(InputError, match='local-'):
        load_map(saved)


def test_a_local_file_elsewhere_is_not_read(saved):
    files = about(saved)['files']
    files['local'] = {**files['local'], 'name': '../local-abcdefabcdef.npy'}
    change(saved, files=files)
    with pytest.raises(InputError, match='local'):
        load_map(saved)
