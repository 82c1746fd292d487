"""From an image to bearings: resizing, descriptors as bytes, absent cameras."""

from __future__ import annotations

from husky_placerec.descriptor.local.keypoints import KeyPoints, RootSift
from husky_placerec.metric.sight import fitted, Observer, quantized, unit
from husky_placerec.types import Frame
import numpy as np
import pytest
from support.builders import smooth_image
from support.landmark_worlds import rig


def test_unit_vectors_survive_as_bytes():
    vectors = np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = quantized(vectors)
    assert stored.dtype == np.int8
    assert (np.einsum('nd,nd->n', unit(stored), vectors) > 0.999).all()
    assert not unit(np.zeros((1, 64), np.int8)).any()


@pytest.mark.parametrize(
    ('shape', 'expected'),
    [
        ((360, 640), (352, 640)),
        ((720, 1280), (352, 640)),
        ((100, 90), (96, 64)),
        ((20, 20), (32, 32)),
    ],
)
def test_images_get_sides_that_a_network_takes(shape, expected):
    shown, left, top, scale = fitted(np.zeros((*shape, 3), np.uint8), 640)
    assert shown.shape[:2] == expected
    assert scale == min(1.0, 640 / shape[1])
    assert left >= 0 and top >= 0


def spot_at(x, y, width, height):
    """Return a detector's answer and an image: one key point at a bright pixel."""
    image = np.zeros((height, width, 3), np.uint8)
    image[y, x] = 255

    def detector(shown):
        down, right = np.nonzero(shown[..., 0] == 255)
        return KeyPoints(np.column_stack([right, down]).astype(np.float32), np.eye(1, 64))

    return detector, image


def test_a_key_point_is_at_the_middle_of_its_pixel_of_the_whole_image():
    detector, image = spot_at(100, 50, 640, 360)
    seen_by = rig()
    (front, back) = Observer(detector, seen_by, 640, 64).see(Frame(0, {'front': image}, {}))
    expected = seen_by.cameras[0].bearings(np.array([[100.5, 50.5]]), 640, 360)
    np.testing.assert_allclose(front.bearings, expected, atol=1e-12)
    assert not len(back) and back.descriptors.shape == (0, 64)


def test_real_key_points_of_a_larger_image_have_the_same_bearings():
    small = smooth_image(3, 640, 352, 40)
    observer = Observer(RootSift(100), rig(), 640, 128)
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    one, other = (observer.see(Frame(0, {'front': each}, {}))[0] for each in (small, large))
    assert len(one) > 20
    nearest = (one.bearings @ other.bearings.T).max(axis=1)
    assert np.median(np.degrees(np.arccos(np.minimum(nearest, 1)))) < 0.05


def test_an_image_without_features_gives_nothing():
    black = np.zeros((352, 640, 3), np.uint8)
    seen = Observer(RootSift(100), rig(), 640, 128).see(Frame(0, {'front': black}, {}))
    assert [len(each) for each in seen] == [0, 0]
