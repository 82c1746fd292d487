"""Projection: a map with fewer numbers, searched by descriptors that are projected like it."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.projection import Projection
from husky_placerec.errors import InputError
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.drives import describe_drive
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import commit, read_manifest
from husky_placerec.placemap.validation import recall_of_drive, require_alike
import numpy as np
import pytest
from support.builders import frame, smooth_image, track_rows, write_track_folder

HOG = make_config({'extractor': 'hog'})


@pytest.fixture(scope='module')
def drive(tmp_path_factory):
    return write_track_folder(tmp_path_factory.mktemp('drives') / 'a', track_rows(12))


@pytest.fixture(scope='module')
def built(drive, tmp_path_factory):
    path, said = tmp_path_factory.mktemp('map') / 'a.map', []
    build_map(drive, path, config=HOG, project=6, validate=drive, tell=said.append)
    return path, said


def vectors(count=40, size=10):
    rng = np.random.default_rng(0)
    found = rng.normal(size=(count, size)) * np.linspace(1, 0.05, size)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_the_components_are_those_of_the_largest_variance():
    from sklearn.decomposition import PCA

    found, kept = Projection.fit(vectors(), 3)
    pca = PCA(3).fit(vectors())
    np.testing.assert_allclose(np.abs(found.directions @ pca.components_.T), np.eye(3), atol=1e-4)
    assert kept == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-5)
    expected = pca.transform(vectors())
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    signs = np.sign(np.diag(found.directions @ pca.components_.T))
    np.testing.assert_allclose(found.apply(vectors()) * signs, expected, atol=1e-4)


def test_absent_cameras_stay_zero():
    found, _ = Projection.fit(vectors(), 3)
    assert not found.apply(np.zeros((2, 10), np.float32)).any()


@pytest.mark.parametrize('size', [0, 10, 39])
def test_a_size_that_the_drive_does_not_give_is_refused(size):
    with pytest.raises(InputError, match=f'--project {size}: expected 1 to 9'):
        Projection.fit(vectors(), size)


def test_a_projected_map_is_stored_small_and_its_cost_is_told(built, drive):
    path, said = built
    place_map = load_map(path)
    assert place_map.descriptors.shape == (12, 2, 6) == (12, 2, place_map.spec.size)
    assert any('a place: 2 x ' in each for each in said)
    note = next(each for each in said if each.startswith('projection: 6 of '))
    assert 'of the variance; recall@1 on' in note
    assert 'forwards 100.0% (100.0% without)' in note
    queries = describe_drive(drive, HOG, like=place_map)
    assert recall_of_drive(place_map, queries)['forwards'] == 1


def test_an_extractor_projects_as_its_map_does(built):
    place_map = load_map(built[0])
    plain, given = load_extractor(HOG), (place_map.spec, place_map.cameras, place_map.projection)
    seen = frame(front=smooth_image(1))
    extractor = load_extractor(HOG, *given)
    extractor.spec.require_same(place_map.spec, 'map')
    expected = place_map.projection.apply(plain.describe(seen))
    np.testing.assert_allclose(extractor.describe(seen), expected, atol=1e-6)
    np.testing.assert_allclose(extractor.seen_by(HOG).describe(seen), expected, atol=1e-6)
    with pytest.raises(InputError, match='size is 6'):
        plain.spec.require_same(place_map.spec, 'map')


def test_a_model_that_the_projection_is_not_of_is_named(built):
    place_map = load_map(built[0])
    given = place_map.spec, place_map.cameras, place_map.projection
    with pytest.raises(InputError, match="extractor is 'hog', the running model has 'pixels'"):
        load_extractor(make_config({'extractor': 'pixels'}), *given)


def test_maps_of_different_projections_do_not_go_together(drive):
    raw = describe_drive(drive, HOG)
    found = np.asarray(raw.descriptors, np.float32)[raw.places.present]
    one = raw.projected(Projection.fit(found, 4)[0])
    other = raw.projected(Projection.fit(found[::2], 4)[0])
    require_alike(one, one)
    with pytest.raises(InputError, match='weights_sha256'):
        require_alike(one, other)


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda stored: stored * 2, 'not orthonormal'),
        (lambda stored: stored[:-1], r'expected float32 \[7, '),
        (lambda stored: stored * np.float32('nan'), 'not orthonormal'),
        (lambda stored: stored[0], 'expected'),
    ],
)
def test_a_damaged_projection_is_refused(built, tmp_path, change, expected):
    import shutil

    from husky_placerec.files import sha256

    path = tmp_path / 'b.map'
    shutil.copytree(built[0], path)
    about = read_manifest(path)
    entry = about['files']['projection']
    np.save(path / entry['name'], change(np.load(path / entry['name'])))
    files = {**about['files'], 'projection': {**entry, 'sha256': sha256(path / entry['name'])}}
    commit(path, {**{k: v for k, v in about.items() if k != 'format_version'}, 'files': files})
    with pytest.raises(InputError, match=expected):
        load_map(path)


def test_the_projection_stays_when_places_change(built):
    place_map = load_map(built[0])
    fewer = place_map.with_places(place_map.places.chosen(np.arange(5)), place_map.descriptors[:5])
    assert fewer.projection is place_map.projection
    assert replace(place_map, name='b').projection is place_map.projection
