"""Mountings: poses from static TF, which camera looks the other way, and which is not upright."""

from __future__ import annotations

from husky_placerec.cameras.mounting import heading_of, opposites_of, TransformTree, turns_of
from husky_placerec.errors import InputError
from husky_placerec.types import Pose
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

OPTICAL = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # x ahead to z ahead


def mounted(yaw_deg, pitch_deg=0.0, roll_deg=0.0, xyz=(0.3, 0.0, 0.7)):
    """Return the mounting of a camera that is turned to the left, down, and clockwise."""
    turn = Rotation.from_euler('ZYX', [yaw_deg, pitch_deg, roll_deg], degrees=True) * OPTICAL
    return Pose.from_array([*xyz, *turn.as_quat()])


def test_the_pose_of_a_frame_is_found_over_several_transforms():
    tree = TransformTree()
    tree.add('base_footprint', '/base_link', Pose.planar(0.0, 0.0, 0.0, z=0.13))
    tree.add('base_footprint', 'mast', Pose.planar(1.0, 0.0, np.pi / 2, z=0.13))
    tree.add('mast', 'eye', Pose.planar(2.0, 0.0, 0.0, z=1.0))
    found = tree.pose_in_base('/eye')
    np.testing.assert_allclose(found.as_array()[:3], [1.0, 2.0, 1.0], atol=1e-12)
    assert found.yaw == pytest.approx(np.pi / 2)


@pytest.mark.parametrize(
    ('transforms', 'message'),
    [
        ([('odd', 'eye')], 'static TF has no way from base_link to eye: they hang on'),
        ([('base_link', 'other')], 'static TF has no way from base_link to eye'),
        (
            [('base_link', 'eye'), ('mast', 'eye')],
            'static TF: eye has two parents, base_link and mast',
        ),
        ([('mast', 'eye'), ('eye', 'mast')], 'static TF: eye and mast are in a loop'),
    ],
)
def test_frames_that_are_missing_in_a_loop_or_have_two_parents_are_refused(transforms, message):
    tree = TransformTree()
    for parent, child in transforms:
        tree.add(parent, child, Pose.planar(0.0, 0.0, 0.0))
    with pytest.raises(InputError) as caught:
        tree.pose_in_base('eye')
    assert str(caught.value).startswith(message)


def test_a_transform_that_is_told_again_is_no_second_parent():
    tree = TransformTree()
    for x in (1.0, 2.0):
        tree.add('base_link', 'eye', Pose.planar(x, 0.0, 0.0))
    assert tree.pose_in_base('eye').x == 1.0


@pytest.mark.parametrize(
    ('yaws', 'expected'),
    [
        ({'front': 0, 'back': 180}, {'front': 'back', 'back': 'front'}),
        ({'front': 0, 'back': 161}, {'front': 'back', 'back': 'front'}),
        ({'front': 0, 'back': 159}, {}),
        (
            {'front': 2, 'left': 90, 'back': 175, 'right': -95},
            {'front': 'back', 'back': 'front', 'left': 'right', 'right': 'left'},
        ),
        ({'front': 0, 'back': 180, 'side': 90}, {'front': 'back', 'back': 'front'}),
        ({'a': 0, 'b': 170, 'c': 182}, {'a': 'c', 'c': 'a'}),
        ({'alone': 0}, {}),
    ],
)
def test_the_camera_that_looks_the_other_way_is_found_within_20_degrees(yaws, expected):
    assert opposites_of({name: mounted(yaw) for name, yaw in yaws.items()}) == expected


def test_pitch_does_not_change_which_camera_looks_the_other_way():
    views = {'front': mounted(0, 25), 'back': mounted(180, 25)}
    assert opposites_of(views) == {'front': 'back', 'back': 'front'}


@pytest.mark.parametrize(
    ('roll_deg', 'turns'),
    [(0, 0), (20, 0), (180, 2), (-170, 2), (90, 3), (-90, 1)],
)
@pytest.mark.parametrize('yaw_deg', [0, 180, 70])
def test_a_camera_on_its_head_or_side_is_turned_upright(roll_deg, turns, yaw_deg):
    # A camera that is rolled clockwise has the sky at the left edge of its image: three turns
    # counterclockwise bring it up.
    assert turns_of(mounted(yaw_deg, 5, roll_deg)) == turns


def test_a_camera_that_looks_up_has_no_heading_and_stays_as_it_is():
    assert heading_of(mounted(0, -80)) is None
    assert turns_of(mounted(0, -80, 180)) == 0
    assert heading_of(mounted(30, -40)) == pytest.approx(np.radians(30))
