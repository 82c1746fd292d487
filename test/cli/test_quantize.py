"""`placerec model quantize`: a network in int8, written only where it keeps its recall."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.descriptor.quantization import quantized
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.operations import quantize_model
from husky_placerec.operations.quantize_model import Quantized
import pytest
from support.builders import smooth_image, write_track_folder
from support.needs import needs


@pytest.fixture
def model():
    return ModelFile.read(resolve_spec(make_config({'weights': 'shipped'}), None))


def test_the_loss_is_that_of_the_worst_kind_of_query():
    found = Quantized(
        {'forwards': 0.9, 'reversed': 0.8}, {'forwards': 0.95, 'reversed': 0.79}, 'd'
    )
    assert found.loss == pytest.approx(0.01)
    assert 'reversed 79.0% (80.0% before)' in found.words


def test_too_few_images_are_refused(model):
    with pytest.raises(InputError, match=r'2 images to quantise by; expected 8 or more'):
        quantized(model, [smooth_image(i, 192, 112) for i in range(2)])


def test_an_output_that_exists_is_refused_before_the_long_work(tmp_path, placerec):
    (tmp_path / 'a.onnx').write_bytes(b'')
    ended = placerec('model', 'quantize', 'shipped', tmp_path, '-o', tmp_path / 'a.onnx')
    assert ended.returncode == 2
    assert 'exists already' in ended.stderr


@needs('nncf', 'onnx', 'torch', 'timm')
def test_a_network_is_quantised_and_measured(tmp_path, placerec, monkeypatch):
    track = write_track_folder(tmp_path / 'track')
    network = tmp_path / 'small.onnx'
    made = placerec(
        *('model', 'export', network, '-s', 'backbone=lcn_cnn', '-s', 'weights=random'),
        *('-s', 'pooling=gem:2x4', '-s', 'input_width=160', '-s', 'input_height=96'),
    )
    assert made.returncode == 0, made.stderr
    # Random weights on three queries tell nothing of recall: the limit is what is tested here.
    monkeypatch.setattr(quantize_model, 'MOST_LOSS', 1.0)
    ended = placerec('model', 'quantize', network, track)
    assert ended.returncode == 0, ended.stderr
    file = ModelFile.read(
        resolve_spec(
            make_config({'extractor': 'onnx', 'weights': str(tmp_path / 'small.int8.onnx')}), None
        )
    )
    assert file.spec.precision == 'int8'
    assert 'recall@1' in ended.stdout
    with pytest.raises(InputError, match='is quantised already'):
        quantized(file, [])
    monkeypatch.setattr(quantize_model, 'MOST_LOSS', -1.01)
    refused = placerec('model', 'quantize', network, track, '-o', tmp_path / 'b.onnx')
    assert refused.returncode == 2
    assert 'points of recall@1' in refused.stderr
    assert not (tmp_path / 'b.onnx').exists()
