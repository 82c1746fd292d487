"""Which network finds the key points of a map."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.metric.key_points import load_key_points
import numpy as np
import pytest
from support.builders import smooth_image


def test_the_shipped_network_finds_key_points_between_pixels():
    finder = load_key_points(make_config({'threads': 1}), 2)
    found = finder.detector(smooth_image(1, 320, 192, 40))
    assert finder.spec.size == found.descriptors.shape[1] == 64
    assert len(finder.spec.network_sha256) == 64 and finder.spec.network == 'shipped'
    assert 20 < len(found) <= finder.spec.key_points
    np.testing.assert_allclose(np.linalg.norm(found.descriptors, axis=1), 1, rtol=1e-5)
    assert (found.positions % 1 != 0).any(axis=1).mean() > 0.9
    other = finder.detector(smooth_image(1, 640, 352, 40))  # images of any size
    assert len(other) > 20


def test_sift_needs_no_network():
    finder = load_key_points(make_config({'key_points': 'sift'}), 2)
    assert (finder.spec.size, finder.spec.network_sha256) == (128, '')
    assert finder.spec.bytes_of_place(2) <= 30_000


def test_a_map_decides_where_the_user_does_not():
    stored = replace(load_key_points(make_config({'key_points': 'sift'}), 2).spec, input_width=480)
    found = load_key_points(make_config({}), 2, stored).spec
    assert (found.network, found.input_width) == ('sift', 480)


def test_a_file_that_only_the_map_names_is_not_opened(tmp_path):
    stored = replace(load_key_points(make_config({}), 2).spec, network='/tmp/evil.onnx')
    with pytest.raises(InputError, match=r"the map names the file '/tmp/evil.onnx'.*--trust"):
        load_key_points(make_config({}), 2, stored)
    with pytest.raises(InputError, match='no such file'):
        load_key_points(make_config({'key_points': str(tmp_path / 'none.onnx')}), 2)
