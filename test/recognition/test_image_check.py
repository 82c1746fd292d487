"""Which images tell nothing, and what is done without them."""

from __future__ import annotations

import cv2
from husky_placerec.recognition.image_check import image_problem, usable_images
import numpy as np
import pytest
from support.builders import frame, smooth_image

STREET = np.random.default_rng(3).integers(0, 255, (180, 320, 3), np.uint8)
STREET = cv2.addWeighted(smooth_image(1, 320, 180), 0.7, STREET, 0.3, 0)


@pytest.mark.parametrize(
    ('image', 'expected'),
    [
        (STREET, None),
        (STREET // 6, None),  # a night
        (np.zeros_like(STREET), 'black'),
        (np.full_like(STREET, 255), 'saturated'),
        (np.full_like(STREET, 90), 'covered'),
        (cv2.GaussianBlur(STREET, (0, 0), 25), 'blurred'),
    ],
    ids=['street', 'night', 'black', 'saturated', 'covered', 'blurred'],
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
