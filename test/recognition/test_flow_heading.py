"""The heading from the flow of matches."""

from __future__ import annotations

import math

from husky_placerec.recognition.flow_heading import (
    fitted_scale,
    LEAST_PAIRS,
    pinhole_scale,
    SHRINKAGE,
    turn_from_flow,
    turned,
)
from husky_placerec.types import Pose
import numpy as np
import pytest

FOCAL, COLUMNS = 0.737, 24


def across_of(turn):
    """
    Return the true flow to the right, in cells, from a frame that is turned to the place.

    The robot of the place looks along x at a point straight ahead. A robot that is turned to the
    left sees it to the right of the middle; in the image of the place it is in the middle.
    """
    return -FOCAL * COLUMNS * math.tan(turn)


@pytest.mark.parametrize('degrees', [-8.0, -2.0, 0.0, 5.0])
def test_the_heading_of_a_turned_frame_is_found(degrees):
    seen = SHRINKAGE * across_of(math.radians(degrees))
    found = turn_from_flow(seen, pinhole_scale(FOCAL, COLUMNS))
    assert math.degrees(found) == pytest.approx(degrees, abs=0.1)
    pose = turned(Pose.planar(3.0, 4.0, yaw=1.0), found)
    assert (pose.x, pose.y) == (3.0, 4.0)
    assert math.degrees(pose.yaw - 1.0) == pytest.approx(degrees, abs=0.1)


def test_without_matches_the_heading_stays():
    assert turn_from_flow(math.nan, 0.08) == 0.0
    assert turn_from_flow(0.0, 0.08) == 0.0


def test_a_scale_is_fitted_to_places_that_turn():
    turns = np.radians(np.random.default_rng(0).uniform(-6, 6, 60))
    across = -turns / 0.08 + np.random.default_rng(1).normal(0, 0.05, 60)
    across[0] = np.nan  # a pair without a shared camera
    assert fitted_scale(across, turns) == pytest.approx(0.08, rel=0.02)


def test_places_that_tell_no_scale_give_none():
    turns = np.radians(np.random.default_rng(0).uniform(-6, 6, 60))
    across = -turns / 0.08
    assert fitted_scale(across[: LEAST_PAIRS - 1], turns[: LEAST_PAIRS - 1]) is None
    assert fitted_scale(across, turns / 100) is None  # a straight road
    assert fitted_scale(-across, turns) is None
    assert fitted_scale(np.zeros(60), turns) is None
