"""`placerec model quantize`: a network in int8, written only where it keeps its recall."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.config import make_config
from husky_placerec.descriptor.quantization import quantized
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.operations import quantize_model
from husky_placerec.operations.quantize_model import Measured, Quantized
from husky_placerec.recognition.calibrating.gate_precision import GatePrecision
import pytest
from support.builders import smooth_image, write_track_folder
from support.needs import needs


@pytest.fixture
def model():
    return ModelFile.read(resolve_spec(make_config({'weights': 'shipped'}), None))


GATE = GatePrecision(0.99, 200)


def measured(forwards, reverse, gate=GATE):
    return Measured({'forwards': forwards, 'reversed': reverse}, gate)


def test_the_loss_is_that_of_the_worst_kind_of_query():
    found = Quantized(measured(0.9, 0.8), measured(0.95, 0.79), 'd')
    assert found.loss == pytest.approx(0.01)
    assert 'reversed 79.0% (80.0% before)' in found.words
    assert 'precision of the gate: 99.0% of 200 accepted frames' in found.words
    with pytest.raises(InputError, match=r'm\.onnx: .* 1\.0 points of recall@1; .*at most 0\.5'):
        found.require_little_loss(Path('m.onnx'))


@pytest.mark.parametrize(
    ('after', 'lost'),
    [(0.992, None), (0.986, None), (0.984, '0.6'), (None, '99.0')],
)
def test_a_gate_that_loses_precision_is_refused_though_no_recall_is_lost(after, lost):
    gate = GatePrecision(after, 180, '' if after else 'all of 30 frames are wrong')
    found = Quantized(measured(0.9, 0.8), measured(0.9, 0.8, gate), 'd')
    if lost is None:
        found.require_little_loss(Path('m.onnx'))
    else:
        with pytest.raises(InputError, match=rf"loses {lost} points of the gate's precision"):
            found.require_little_loss(Path('m.onnx'))


def test_a_gate_that_could_not_be_measured_is_told_and_not_counted():
    short = GatePrecision(None, 3, '3 frames are accepted; expected 20 or more')
    found = Quantized(measured(0.9, 0.8, short), measured(0.9, 0.8, short), 'd')
    assert found.gate_loss is None
    assert 'gate: not measured, since 3 frames are accepted' in found.words
    found.require_little_loss(Path('m.onnx'))


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
    assert 'precision of the gate is not measured' in ended.stderr.replace('\n', ' ')
    with pytest.raises(InputError, match='is quantised already'):
        quantized(file, [])
    monkeypatch.setattr(quantize_model, 'MOST_LOSS', -1.01)
    refused = placerec('model', 'quantize', network, track, '-o', tmp_path / 'b.onnx')
    assert refused.returncode == 2
    assert 'points of recall@1' in refused.stderr
    assert not (tmp_path / 'b.onnx').exists()
