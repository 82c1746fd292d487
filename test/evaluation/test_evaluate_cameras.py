"""An evaluation resamples the drives of all robots to one view."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.operations.evaluate import evaluate
import pytest
from support.camera_drives import BACK, FRONT, HUSKY, write_drive

NEEDS = ('numba', 'sklearn')
OTHER = {'front': replace(BACK, fx=190.0, fy=190.0), 'back': FRONT}


@pytest.mark.parametrize(('pinhole', 'found'), [('auto', True), ('off', False)])
def test_drives_of_unlike_robots_are_compared_through_one_view(tmp_path, pinhole, found):
    sources = [
        write_drive(tmp_path / 'one', HUSKY, range(12)),
        write_drive(tmp_path / 'other', OTHER, range(12)),
    ]
    said = []
    done = evaluate(
        sources,
        config=make_config({'extractor': 'hog', 'pinhole': pinhole, 'check_images': False}),
        with_baselines=False,
        tolerances_m=[2.0],
        warn=said.append,
    )
    assert (done.summary['recall']['2']['1'] > 0.95) == found
    chosen = 'virtual pinhole: focal length 0.844 widths (61 degrees): the focal length of'
    assert any(sentence.startswith(chosen) for sentence in said) == found
