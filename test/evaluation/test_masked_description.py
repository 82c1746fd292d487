"""Masks in an evaluation and a replay: each method by its own, and what they leave of an image."""

from __future__ import annotations

import cv2
from husky_placerec.config import make_config
from husky_placerec.evaluation.description import describe_source
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.replay import replay
import numpy as np
import pytest
from support.builders import encode, smooth_image, track_rows, write_track_folder

NEEDS = 'onnxruntime', 'sklearn'

OFF = {'weights': 'shipped', 'pinhole': 'off'}
ON = {**OFF, 'masks': True, 'mask_floor': 0.0}
COUNT = 4


@pytest.fixture
def folder(tmp_path):
    """Return a track with cars on the left of its front images, and nothing else at its back."""
    made = write_track_folder(tmp_path / 'track', track_rows(COUNT))
    for seed, image in enumerate(sorted(made.glob('*_cam/*.png'))):
        image.write_bytes(encode(smooth_image(seed, 64, 48, 40)))  # sharp enough to be usable
        mask = np.full((48, 64), 55, np.uint8)
        if image.parent.name == 'front_cam':
            mask[:, 20:] = 17
        file = made / 'masks' / image.parent.name / image.name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), mask)
    return made


def test_each_method_is_described_and_cached_by_its_own_masks(folder, tmp_path):
    methods = {'off': make_config(OFF), 'on': make_config(ON)}
    for order in (['off', 'on'], ['on', 'off']):
        chosen = {name: methods[name] for name in order}
        found = describe_source(folder, None, chosen, tmp_path / 'cache')
        off, on = (found.by_method[name] for name in ('off', 'on'))
        alone = describe_source(folder, None, {'off': methods['off']}, None).by_method['off']
        np.testing.assert_allclose(off.vectors, alone.vectors, atol=1e-6)
        assert np.abs(off.vectors[:, 0] - on.vectors[:, 0]).max() > 1e-3
        np.testing.assert_allclose(off.vectors[:, 1], on.vectors[:, 1], atol=1e-6)
        assert off.usable.all()
        assert on.usable[:, 0].all()
        assert not on.usable[:, 1].any()  # nothing is left of the back images
    assert len(list((tmp_path / 'cache').iterdir())) == 2


def test_an_image_of_which_a_mask_leaves_nothing_is_not_recognised_by(folder, tmp_path):
    config = make_config({**ON, 'centring': 'off'})
    made = build_map(folder, tmp_path / 'map', config=make_config({**OFF, 'centring': 'off'}))
    results = replay(folder, made, config=config).results
    assert {tuple(r.recognition.best.cosines) for r in results} == {('front',)}
    for file in folder.glob('masks/front_cam/*.png'):
        cv2.imwrite(str(file), np.full((48, 64), 55, np.uint8))
    results = replay(folder, made, config=config).results
    assert {r.recognition.reason for r in results} == {'image_unusable'}
