"""Probes of a map: another runtime or precision has to agree with them."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.config import make_config
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.descriptor.agreement import MOST_PROBES, Probes
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.building import describe_places
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.map_extractor import extractor_of
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import write_track_folder
from support.needs import needs

CONFIG = make_config({'weights': 'shipped', 'threads': 1, 'runtime': 'onnxruntime'})


def built(track, config=CONFIG):
    with open_source(track) as source:
        trajectory = find_trajectory(source, None)
        extractor = load_extractor(config)
        return describe_places(source, trajectory, extractor, config, track='track', max_gap_s=2.0)


@pytest.fixture(scope='module')
def track_folder(tmp_path_factory):
    return write_track_folder(tmp_path_factory.mktemp('probes') / 'track')


@pytest.fixture(scope='module')
def made(track_folder):
    return built(track_folder)


def test_a_map_keeps_some_prepared_images_with_their_descriptors(made, tmp_path):
    assert 2 <= len(made.probes.images) <= MOST_PROBES
    save_map(made, tmp_path / 'a.map')
    read = load_map(tmp_path / 'a.map').probes
    np.testing.assert_array_equal(read.images, made.probes.images)
    np.testing.assert_array_equal(read.descriptors, made.probes.descriptors)
    again = load_extractor(CONFIG)._images.describe(list(read.images))
    assert read.error(again) < 1e-3


def test_a_map_of_an_extractor_without_a_network_needs_none(track_folder):
    assert built(track_folder, make_config({'extractor': 'hog'})).probes is None


def test_another_precision_is_allowed_where_the_descriptors_agree(made):
    lower = replace(made, spec=replace(made.spec, precision='bfloat16'))
    assert extractor_of(lower, CONFIG).spec == lower.spec
    with pytest.raises(InputError, match="precision is 'bfloat16', the running model has"):
        extractor_of(replace(lower, probes=None), CONFIG)


def test_descriptors_that_do_not_agree_are_refused_with_the_name_of_the_map(made):
    mixed = np.roll(made.probes.descriptors, 1, axis=0)
    other = replace(made, probes=Probes(made.probes.images, mixed), name='town.map')
    with pytest.raises(InputError, match=r'town\.map: made in float32.*e = .*at most 0\.02'):
        extractor_of(other, CONFIG)


@needs('onnx')
def test_a_quantised_file_of_another_model_is_refused_by_name(made, tmp_path):
    from husky_placerec.descriptor.shipped import MODELS_FOLDER
    import onnx

    model = onnx.load(MODELS_FOLDER / 'campus.onnx')
    about = {**json.loads(model.metadata_props[0].value), 'precision': 'int8'}
    about['weights_sha256'] = '0' * 64
    model.metadata_props[0].value = json.dumps(about)
    onnx.save(model, tmp_path / 'other.int8.onnx')
    config = make_config({'extractor': 'onnx', 'weights': str(tmp_path / 'other.int8.onnx')})
    with pytest.raises(InputError, match=r"weights_sha256 is .*, the running model has '0000"):
        extractor_of(made, config)


@pytest.mark.parametrize(
    ('images', 'descriptors', 'expected'),
    [
        ((1, 112, 192, 3), (1, 1696), '1 images; expected 2 to 8'),
        ((4, 96, 192, 3), (4, 1696), r'expected uint8 \[4, 112, 192, 3\]'),
        ((4, 112, 192, 3), (4, 12), r'expected float16 \[4, 1696\]'),
    ],
)
def test_damaged_probes_are_refused(images, descriptors, expected, made, tmp_path):
    wrong = Probes(np.zeros(images, np.uint8), np.zeros(descriptors, np.float16))
    save_map(replace(made, probes=wrong), tmp_path / 'a.map')
    with pytest.raises(InputError, match=expected):
        load_map(tmp_path / 'a.map')
