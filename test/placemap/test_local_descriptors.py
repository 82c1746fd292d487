"""Local descriptors in a map: written, read, merged, pruned, and what is refused."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.errors import InputError
from husky_placerec.placemap import loading
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import commit, read_manifest
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map, verify_map
import numpy as np
import pytest
from support.builders import straight_map

SPEC = LocalSpec('shipped', '0' * 64, 'learned', 0.0, 96, 64, 2, 3, 4)


def with_local(count=12, seed=0, spec=SPEC):
    values = np.random.default_rng(seed).integers(-127, 128, (count, 2, spec.cells, spec.size))
    return replace(straight_map(count), local=LocalFeatures(spec, values.astype(np.int8)))


@pytest.mark.parametrize('large', [False, True])
def test_they_are_read_as_they_were_written(tmp_path, monkeypatch, large):
    if large:
        monkeypatch.setattr(loading, 'IN_MEMORY_BYTES', 10)
    made = with_local()
    save_map(made, tmp_path / 'm')
    read = load_map(tmp_path / 'm').local
    assert read.spec == SPEC
    assert isinstance(read.values, np.memmap) == large
    np.testing.assert_array_equal(read.values, made.local.values)
    assert any('local' in line for line in verify_map(tmp_path / 'm'))


def test_values_of_another_shape_or_a_damaged_spec_are_refused(tmp_path):
    made = with_local()
    save_map(
        replace(made, local=replace(made.local, values=made.local.values[:, :1])), tmp_path / 'm'
    )
    with pytest.raises(InputError, match=r'local-.*npy.*expected'):
        load_map(tmp_path / 'm')
    save_map(made, tmp_path / 'n')
    about = read_manifest(tmp_path / 'n')
    about['local']['rows'] = 'two'
    commit(tmp_path / 'n', {k: v for k, v in about.items() if k != 'format_version'})
    with pytest.raises(InputError, match='local'):
        load_map(tmp_path / 'n')


def test_a_merged_map_has_those_of_both_where_one_network_made_them():
    one = with_local()
    shifted = replace(one.places, stamps_ns=one.places.stamps_ns + 10**12, tracks=('b',) * 12)
    other = replace(with_local(seed=1), places=shifted, sources={'b': 'b'})
    merged = merge_maps([one, other]).place_map
    np.testing.assert_array_equal(merged.local.values[12:], other.local.values)
    unlike = replace(other, local=replace(other.local, spec=replace(SPEC, branch='anchor')))
    assert merge_maps([one, unlike]).place_map.local is None


def test_a_pruned_map_has_those_of_the_places_that_stay():
    made = with_local()
    small = prune(made, 100.0, -1.0)
    assert 0 < len(small) < len(made)
    kept = np.flatnonzero(np.isin(made.places.stamps_ns, small.places.stamps_ns))
    np.testing.assert_array_equal(small.local.values, made.local.values[kept])


def test_other_places_drop_them_unless_they_are_given():
    made = with_local()
    rows = np.arange(5)
    part = made.places.chosen(rows), made.descriptors[rows]
    assert made.with_places(*part).local is None
    assert len(made.with_places(*part, local=made.local.chosen(rows)).local) == 5
    assert made.whitened(None).local is made.local
