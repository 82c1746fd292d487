"""A map is built in memory that does not grow with the drive."""

from __future__ import annotations

from dataclasses import replace
import tracemalloc

from husky_placerec import spool
from husky_placerec.config import make_config
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.placemap.building import describe_places
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import track_rows, write_track_folder

CONFIG = make_config({'extractor': 'pixels'})
FEW, MANY = 40, 160
CELLS, SIZE = 64, 32
A_PLACE = 2 * (2 * 768 + CELLS * SIZE)  # bytes of descriptors alone


class Cells:
    """Describes cells as a network does, at no cost: each has the number of its frame."""

    branches = ('learned',)

    def __init__(self, preparation):
        self.preparation = preparation
        self._seen = 0

    def describe_each(self, frame):
        self._seen += 1
        return np.full((1, 2, CELLS, SIZE), self._seen % 100, np.int8)

    def spec_of(self, branch):
        return branch


def built(folder):
    """Describe a drive; return the map and the most memory that this took, in bytes."""
    extractor = load_extractor(CONFIG)
    with open_source(folder) as source:
        trajectory = find_trajectory(source, None)
        tracemalloc.start()
        made = describe_places(
            source,
            trajectory,
            extractor,
            CONFIG,
            track='track',
            max_gap_s=10.0,
            thumbnail_width=64,
            local=Cells(extractor.preparation),
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return made, most


@pytest.fixture(scope='module')
def drives(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drives')
    return [write_track_folder(folder / str(n), track_rows(n)) for n in (FEW, MANY)]


def growth(drives):
    """Return by how many bytes a further frame raises the most memory that building takes."""
    _, few = built(drives[0])
    _, many = built(drives[1])
    return (many - few) / (MANY - FEW)


def test_descriptors_thumbnails_and_cells_are_not_kept_in_memory(drives, monkeypatch):
    monkeypatch.setattr(spool, 'IN_MEMORY_BYTES', 10_000)
    built(drives[0])  # what is loaded once
    assert growth(drives) < A_PLACE / 4
    monkeypatch.setattr(spool, 'IN_MEMORY_BYTES', 1 << 30)
    assert growth(drives) > A_PLACE  # so the measurement can tell


def test_a_map_is_the_same_whether_it_was_built_in_memory_or_not(drives, monkeypatch, tmp_path):
    inside, _ = built(drives[0])
    monkeypatch.setattr(spool, 'IN_MEMORY_BYTES', 0)
    outside, _ = built(drives[0])
    assert isinstance(outside.descriptors, np.memmap)
    np.testing.assert_array_equal(outside.descriptors, inside.descriptors)
    np.testing.assert_array_equal(outside.local.values, inside.local.values)
    save_map(replace(outside, local=None), tmp_path / 'a.map')
    read = load_map(tmp_path / 'a.map')
    np.testing.assert_array_equal(read.descriptors, inside.descriptors)
    for place in (0, FEW - 1):
        for camera in read.spec.cameras:
            jpeg = read.thumbnails.jpeg(place, camera)
            assert jpeg == inside.thumbnails.jpeg(place, camera) and jpeg
