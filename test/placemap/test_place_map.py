"""The place map on disk: it comes back as it was saved, or is refused with what is wrong."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.storage import save_map, verify_map
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import BACK, FRONT, random_map
from support.saved_maps import PARTLY, refusal

WHOLE = np.ones((40, 2), bool)


@pytest.mark.parametrize('opposites', [(1, 0), None])
@pytest.mark.parametrize('present', [WHOLE, PARTLY], ids=['whole', 'partly'])
def test_a_map_comes_back_as_it_was_saved(opposites, present, tmp_path):
    made = random_map(present=present, count=40, opposites=opposites)
    made.places.poses[0, :3] = [0.1 + 0.2, -1e-300, 1e7 + 1e-8]
    save_map(made, tmp_path / 'map')
    found = load_map(tmp_path / 'map')
    for name in ('spec', 'frame_id', 'opposites', 'sources', 'created'):
        assert getattr(found, name) == getattr(made, name)
    np.testing.assert_array_equal(found.places.stamps_ns, made.places.stamps_ns)
    np.testing.assert_array_equal(found.places.poses, made.places.poses)
    np.testing.assert_array_equal(found.places.present, present)
    assert found.places.tracks == made.places.tracks
    np.testing.assert_array_equal(found.descriptors, made.descriptors)
    assert found.descriptors.dtype == np.float16
    assert found.name == str(tmp_path / 'map')
    assert len(verify_map(tmp_path / 'map')) == 4


def test_the_frame_of_a_map_begins_with_no_slash(tmp_path):
    """Because tf2 refuses such frames; a map may have been written with one."""
    save_map(random_map(frame_id='/campus'), tmp_path / 'map')
    found = load_map(tmp_path / 'map')
    assert found.frame_id == 'campus'
    assert transform(found, Pose.planar(1.0, 0.0, 0.0), '/site').frame_id == 'site'


def test_a_place_tells_which_cameras_saw_it(saved):
    found = load_map(saved.path)
    expected = [tuple(n for n, seen in zip((FRONT, BACK), row) if seen) for row in PARTLY]
    assert [found.place(i).cameras for i in range(len(found))] == expected


def test_a_map_that_exists_is_refused_and_untouched(saved):
    before = {file: file.read_bytes() for file in saved.path.iterdir()}
    assert '--overwrite' in refusal(lambda p: save_map(random_map(1), p), saved.path)
    assert {file: file.read_bytes() for file in saved.path.iterdir()} == before


def test_an_old_map_is_replaced_while_its_readers_keep_it(saved):
    old, expected = load_map(saved.path), random_map(present=PARTLY, count=40).descriptors
    save_map(random_map(1), saved.path, overwrite=True)
    assert len(load_map(saved.path)) == 20
    np.testing.assert_array_equal(old.descriptors, expected)


def test_a_map_may_be_written_over_itself(saved):
    save_map(load_map(saved.path), saved.path, overwrite=True)
    assert len(verify_map(saved.path)) == 4
    assert len(list(saved.path.iterdir())) == 3


def test_the_files_of_one_older_version_stay_for_its_readers(saved):
    before = {saved.file(kind) for kind in ('places', 'descriptors')}
    save_map(random_map(1), saved.path, overwrite=True)
    assert all(file.is_file() for file in before)
    save_map(random_map(2), saved.path, overwrite=True)
    assert not any(file.exists() for file in before)
    assert len(list(saved.path.iterdir())) == 5


def test_a_replacement_that_fails_leaves_the_old_map(saved, monkeypatch):
    def disk_full(*_, **__):
        raise OSError

    monkeypatch.setattr('husky_placerec.placemap.manifest.json.dumps', disk_full)
    with pytest.raises(OSError):
        save_map(random_map(1), saved.path, overwrite=True)
    with pytest.raises(OSError):
        save_map(random_map(1), saved.path.parent / 'new')
    monkeypatch.undo()
    assert len(load_map(saved.path)) == 40
    assert len(list(saved.path.iterdir())) == 3
    assert [file.name for file in saved.path.parent.iterdir()] == ['campus']


@pytest.mark.parametrize('kind', ['folder', 'file'])
def test_what_is_no_map_is_never_overwritten(kind, tmp_path):
    thesis = tmp_path / 'thesis'
    if kind == 'folder':
        thesis.mkdir()
        (thesis / 'chapter').write_text('1')
    else:
        thesis.write_text('1')
    message = refusal(lambda p: save_map(random_map(), p, overwrite=True), thesis)
    assert 'thesis: exists and is not a place map' in message
    assert (thesis / 'chapter' if kind == 'folder' else thesis).read_text() == '1'


def test_a_place_that_no_camera_described_is_saved_and_loaded(tmp_path):
    present = np.ones((5, 2), bool)
    present[2] = False  # a black image has a descriptor of zeros
    save_map(random_map(count=5, present=present), tmp_path / 'map')
    np.testing.assert_array_equal(load_map(tmp_path / 'map').places.present, present)


@pytest.mark.parametrize('track', ['a\nb', 'a\u2028b', 'a\x0cb'])
def test_any_name_of_a_drive_comes_back(track, tmp_path):
    places = replace(random_map(count=1).places, tracks=(track,))
    places.write_csv(tmp_path / 'places.csv', (FRONT, BACK))
    assert Places.read_csv(tmp_path / 'places.csv', (FRONT, BACK)).tracks == (track,)
