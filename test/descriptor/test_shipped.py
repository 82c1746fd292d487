"""The shipped network: its files, its runtimes and its model card."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.shipped import MODELS_FOLDER
from husky_placerec.descriptor.spec import resolve_spec
import numpy as np
import pytest
from support.builders import frame, smooth_image

NEEDS = ('onnxruntime',)

SHIPPED = {'weights': 'shipped', 'threads': 1}
MOST_BYTES = 8_000_000
IMAGES = {'front': smooth_image(1, 224, 384), 'back': smooth_image(2, 224, 384)}


@pytest.mark.parametrize('suffix', ['.onnx', '.safetensors'])
def test_the_files_are_small_enough_for_a_repository(suffix):
    assert 0 < (MODELS_FOLDER / f'campus{suffix}').stat().st_size <= MOST_BYTES


def test_it_runs_without_torch(tmp_path):
    code = (
        'import sys; sys.modules["torch"] = None\n'
        'from husky_placerec.config import make_config\n'
        'from husky_placerec.descriptor.extractor import load_extractor\n'
        'load_extractor(make_config({"weights": "shipped"}))\n'
    )
    ended = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr


def test_onnx_and_torch_give_the_same_descriptors_and_spec():
    pytest.importorskip('torch')
    by_onnx = load_extractor(make_config(SHIPPED))
    by_torch = load_extractor(make_config({**SHIPPED, 'extractor': 'timm'}))
    by_torch.spec.require_same(by_onnx.spec, 'shipped')
    ours, theirs = (made.describe(frame(**IMAGES)) for made in (by_onnx, by_torch))
    assert np.abs(ours - theirs).max() < 1e-4


def test_the_spec_of_its_map_chooses_it_again():
    made = load_extractor(make_config(SHIPPED))
    again = load_extractor(make_config({'threads': 1}), made.spec)
    assert again.spec == made.spec


def test_its_parameters_are_those_of_the_model_card():
    spec = resolve_spec(make_config(SHIPPED), None)
    card = Path(MODELS_FOLDER / 'README.md').read_text(encoding='utf-8')
    assert f'{spec.input_width}x{spec.input_height}' in card
    assert spec.backbone in card
    assert f'head={spec.head}' in card
