"""Which images tell nothing, and what is done without them."""

from __future__ import annotations

import cv2
from husky_placerec.recognition.image_check import (
    image_problem,
    sharpness,
    textured,
    usable_images,
)
import numpy as np
import pytest
from support.builders import frame, smooth_image
from support.paths import SHARED_DATA

STREET = np.random.default_rng(3).integers(0, 255, (180, 320, 3), np.uint8)
STREET = cv2.addWeighted(smooth_image(1, 320, 180), 0.7, STREET, 0.3, 0)
# A plastered wall, lit from the left, with a switch on it.
WALL = np.random.default_rng(4).normal(np.linspace(150, 120, 320), 2, (180, 320)).astype(np.uint8)
cv2.rectangle(WALL, (200, 80), (216, 104), 40, -1)
WALL = cv2.cvtColor(WALL, cv2.COLOR_GRAY2RGB)


@pytest.mark.parametrize(
    ('image', 'expected'),
    [
        (STREET, None),
        (STREET // 6, None),  # a night
        (np.zeros_like(STREET), 'black'),
        (np.full_like(STREET, 255), 'saturated'),
        (np.full_like(STREET, 90), 'covered'),
        (cv2.GaussianBlur(STREET, (0, 0), 25), 'blurred'),
        (WALL, 'blank'),
    ],
    ids=['street', 'night', 'black', 'saturated', 'covered', 'blurred', 'blank'],
)
def test_an_image_in_which_nothing_can_be_seen_is_told(image, expected):
    assert image_problem(image) == expected


def test_a_covered_camera_is_a_missing_one():
    seen = usable_images(frame(front=STREET, back=np.zeros_like(STREET)))
    assert seen.cameras == ('front',)
    assert list(seen.image_stamps_ns) == ['front']


def test_a_frame_of_good_images_stays_as_it_is():
    whole = frame(front=STREET, back=STREET)
    assert usable_images(whole) is whole


def test_no_simulated_condition_is_taken_for_a_fault():
    pytest.importorskip('numba')
    from husky_placerec.campus.conditions import CONDITIONS
    from husky_placerec.campus.drives import DriveConfig
    from husky_placerec.campus.photographer import Photographer

    for name in CONDITIONS:
        config = DriveConfig(seed=3, length_m=3.0, width=160, height=96, condition=name)
        for picture in Photographer(config).pictures(0).values():
            assert image_problem(picture.image) is None, name


def half_and_half(dark, bright, share=0.5):
    """Make an image of 4000 pixels of two grey values, of which some share is the first."""
    count = round(4000 * share)
    rng = np.random.default_rng(1)
    grey = rng.permutation(np.r_[np.full(count, dark), np.full(4000 - count, bright)])
    return np.repeat(grey.astype(np.uint8).reshape(50, 80, 1), 3, axis=2)


@pytest.mark.parametrize(
    ('image', 'expected'),
    [
        (half_and_half(11, 200, 0.97), None),
        (half_and_half(11, 200, 0.9705), 'black'),
        (half_and_half(12, 200, 0.98), None),
        (half_and_half(251, 100, 0.7), None),
        (half_and_half(251, 100, 0.7005), 'saturated'),
        (half_and_half(250, 100, 0.8), None),
        (half_and_half(100, 108), None),  # a standard deviation of 4
        (half_and_half(100, 108, 0.4), 'covered'),  # of 3.9
    ],
)
def test_the_limits_of_what_can_be_seen(image, expected):
    assert image_problem(image) == expected


def test_sharpness_is_the_share_of_the_variance_in_edges():
    grey = np.random.default_rng(2).integers(0, 255, (50, 80)).astype(np.float32)
    padded = np.pad(grey, 1, mode='reflect')
    beside = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    edges = beside - 4 * grey
    rounding = 20 / 12  # the variance 1/12 of a rounded number, once by 4^2 and four times by 1
    assert sharpness(grey) == pytest.approx((edges.var() - rounding) / grey.var(), rel=1e-3)
    assert sharpness(np.full((50, 80), 7, np.float32)) == 0


@pytest.mark.parametrize(
    ('least', 'most', 'expected'), [(0.018, 0.02, 'blurred'), (0.02, 0.022, None)]
)
def test_an_image_is_blurred_below_two_percent(least, most, expected):
    checked = 0
    for wavelength in np.linspace(10, 40, 200):
        row = 128 + 100 * np.sin(2 * np.pi * np.arange(80) / wavelength)
        grey = np.repeat(np.round(row)[None], 50, axis=0).astype(np.uint8)
        if least < sharpness(grey.astype(np.float32)) < most:
            assert image_problem(np.repeat(grey[..., None], 3, axis=2)) == expected
            checked += 1
    assert checked


def test_an_image_of_any_size_is_checked_on_a_copy_of_its_shape():
    whole = half_and_half(0, 200, 0.5)
    assert image_problem(whole.repeat(8, axis=0).repeat(8, axis=1)) is None
    assert image_problem(np.zeros((1, 400, 3), np.uint8)) == 'black'


def test_no_real_image_is_taken_for_a_blank_one():
    files = [p for s in ('*.jpg', '*.png') for p in sorted(SHARED_DATA.glob(f'*/**/{s}'))][::9]
    if not files:
        pytest.skip('the real images are not here')
    images = [cv2.imread(str(file), cv2.IMREAD_REDUCED_COLOR_2) for file in files]
    assert len(images) > 40
    assert not [file.name for file, image in zip(files, images) if image_problem(image)]


def test_an_image_is_blank_below_a_share_of_cells_with_a_texture():
    wall = np.random.default_rng(5).normal(100, 4.5, (40, 80))
    wall[:, 8:] = 100 + 20 * (np.arange(72) // 8 % 2)  # 5 of 50 cells have a texture
    assert textured(wall) == 0.1
    few, more = (np.repeat(np.round(wall)[..., None].astype(np.uint8), 3, axis=2) for _ in 'ab')
    more[:16, 8:32] = few[:16, :8].repeat(3, axis=1)
    assert image_problem(few) == 'blank' and image_problem(more) is None
