"""Poses: composed, inverted, turned round."""

from husky_placerec.types import Pose
import numpy as np
from numpy.testing import assert_allclose
import pytest
from support.builders import planar, random_poses

POSES = [Pose.from_array(pose) for pose in random_poses(np.random.default_rng(1), 6)]


def same(first, second):
    return first.angle_deg(second) < 1e-4 and np.allclose(
        first.as_array()[:3], second.as_array()[:3], atol=1e-9
    )


@pytest.mark.parametrize('pose', POSES)
def test_a_pose_and_its_inverse_cancel(pose):
    assert same(pose @ pose.inverse(), planar(0.0))
    assert same(pose.inverse() @ pose, planar(0.0))


def test_poses_are_composed_in_the_first_ones_frame():
    north = planar(10.0, 5.0, 90.0)
    assert_allclose((north @ planar(2.0)).as_array()[:3], [10.0, 7.0, 0.0], atol=1e-12)
    assert same((POSES[0] @ POSES[1]) @ POSES[2], POSES[0] @ (POSES[1] @ POSES[2]))


@pytest.mark.parametrize('pose', POSES)
def test_turning_round_keeps_the_place_and_the_upward_axis(pose):
    turned = pose.turned_round()
    assert_allclose(turned.as_array()[:3], pose.as_array()[:3], atol=1e-12)
    assert_allclose(turned.rotation.apply([0, 0, 1]), pose.rotation.apply([0, 0, 1]), atol=1e-9)
    assert_allclose(turned.rotation.apply([1, 0, 0]), -pose.rotation.apply([1, 0, 0]), atol=1e-9)
