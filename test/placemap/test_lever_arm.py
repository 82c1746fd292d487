"""Reversed poses: a camera is then where its opposite was when the place was mapped."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.known import KnownCamera
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import BACK, FRONT, random_map
from support.camera_messages import mounted


def with_cameras(front, back):
    """Return a map whose cameras are at these x and y on the robot."""
    cameras = {
        FRONT: KnownCamera(None, mounted(0, xyz=(*front, 0.7))),
        BACK: KnownCamera(None, mounted(180, xyz=(*back, 0.5))),
    }
    return replace(random_map(), cameras=cameras)


def test_a_place_that_is_passed_in_reverse_is_as_far_ahead_as_the_cameras_are_apart_from_base():
    front, back = np.array([1.0, 0.2]), np.array([-0.4, 0.1])
    place_map = with_cameras(front, back)
    mapped = Pose.planar(10.0, 20.0, np.radians(30))
    found = place_map.turned_round(mapped)
    ahead = mapped.rotation.as_matrix()[:2, :2]
    # The front camera of the robot that faces the other way is where the back camera was.
    assert found.angle_deg(mapped) == pytest.approx(180)
    there = np.array([found.x, found.y]) + found.rotation.as_matrix()[:2, :2] @ front
    np.testing.assert_allclose(there, [10, 20] + ahead @ back)


def test_the_arm_goes_into_reversed_candidates_only():
    place_map = with_cameras((1.0, 0.0), (-0.4, 0.0))
    query = np.asarray(place_map.descriptors[3], np.float32)
    place = Pose.from_array(place_map.places.poses[3])
    (forward,) = place_map.search(query, 1, both_ways=True)
    (back,) = place_map.search(query[::-1], 1, both_ways=True)
    assert (forward.place, forward.reversed, forward.pose) == (3, False, place)
    assert (back.place, back.reversed) == (3, True)
    expected = place @ Pose.planar(0.6, 0.0, 0.0)
    np.testing.assert_allclose(back.pose.as_array()[:3], expected.as_array()[:3])


def test_without_mountings_there_is_no_arm():
    assert random_map().lever_arm == (0.0, 0.0)
