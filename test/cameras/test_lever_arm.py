"""Where a robot is whose cameras are where those of a map were, on the same robot or another."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.known import KnownCamera, with_cameras
from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, random_map, smooth_image
from support.camera_messages import mounted

SAME = {FRONT: (1.0, 0.2), BACK: (-0.4, 0.1)}
OTHER = {FRONT: (0.5, 0.0), BACK: (0.1, -0.3)}
MAPPED = Pose.planar(10.0, 20.0, np.radians(30))
PIXELS = {'extractor': 'pixels'}


def rig(places):
    """Return cameras at these x and y on the robot."""
    return {
        name: KnownCamera(None, mounted(180 * (name == BACK), xyz=(*place, 0.5)))
        for name, place in places.items()
    }


def eyes(pose, places):
    """Return [2] the mean position of the cameras of a robot at a pose."""
    ahead = pose.rotation.as_matrix()[:2, :2]
    return np.array([pose.x, pose.y]) + ahead @ np.mean(list(places.values()), axis=0)


@pytest.mark.parametrize('own', [SAME, OTHER], ids=['same robot', 'other robot'])
@pytest.mark.parametrize('turned', [False, True])
def test_the_cameras_of_the_robot_are_where_those_of_the_map_were(own, turned):
    found = LeverArm.between([FRONT, BACK], rig(SAME), rig(own)).pose(MAPPED, turned)
    assert found.angle_deg(MAPPED) == pytest.approx(180 * turned)
    np.testing.assert_allclose(eyes(found, own), eyes(MAPPED, SAME))


def test_the_same_robot_on_the_same_way_is_at_the_place_itself():
    arm = LeverArm.between([FRONT, BACK], rig(SAME), rig(SAME))
    assert arm.pose(MAPPED, False) is MAPPED
    assert arm.pose(MAPPED, None) is MAPPED


@pytest.mark.parametrize(
    ('mapped', 'asking'),
    [({}, {}), (rig(SAME), {}), ({}, rig(SAME)), (rig(SAME), {FRONT: rig(SAME)[FRONT]})],
    ids=['neither', 'the robot', 'the map', 'one camera'],
)
def test_without_every_mounting_there_is_no_arm(mapped, asking):
    assert LeverArm.between([FRONT, BACK], mapped, asking) == LeverArm()


def test_the_arm_of_the_map_goes_into_its_reversed_candidates_only():
    place_map = replace(random_map(), cameras=rig(SAME))
    query = np.asarray(place_map.descriptors[3], np.float32)
    place = Pose.from_array(place_map.places.poses[3])
    (forward,) = place_map.search(query, 1, both_ways=True)
    (back,) = place_map.search(query[::-1], 1, both_ways=True)
    assert (forward.place, forward.reversed, forward.pose) == (3, False, place)
    assert (back.place, back.reversed) == (3, True)
    expected = place @ Pose.planar(0.6, 0.3, 0.0)
    np.testing.assert_allclose(back.pose.as_array()[:3], expected.as_array()[:3])


@pytest.mark.parametrize('turned', [False, True])
def test_a_recognizer_counts_from_the_cameras_that_its_robot_has(turned):
    extractor = load_extractor(make_config(PIXELS))
    views = [frame(**{FRONT: smooth_image(i), BACK: smooth_image(i + 50)}) for i in range(4)]
    described = np.stack([extractor.describe(each) for each in views])
    place_map = random_map(count=4, descriptors=described, spec=extractor.spec)
    place_map = replace(place_map, cameras=rig(SAME))
    seen = [2, 52][::-1] if turned else [2, 52]
    query = frame(**dict(zip((FRONT, BACK), map(smooth_image, seen))))
    config = make_config(PIXELS)
    other = with_cameras(config, rig(OTHER))
    recognizer = Recognizer.load(place_map, config)  # of which nothing is known but by the map
    place = Pose.from_array(place_map.places.poses[2])
    own = recognizer.recognize(query)
    recognizer.look_through(other)
    late = recognizer.recognize(query)
    again = Recognizer.load(place_map, other).recognize(query)
    for found, rig_of in ((own, SAME), (late, OTHER), (again, OTHER)):
        assert (found.best.place, found.best.reversed) == (2, turned)
        expected = LeverArm.between([FRONT, BACK], rig(SAME), rig(rig_of)).pose(place, turned)
        np.testing.assert_allclose(found.best.pose.as_array(), expected.as_array(), atol=1e-9)
    result = recognizer.search(recognizer.query_of(extractor.describe(query)))
    np.testing.assert_allclose(
        result.candidate(2, turned).pose.as_array(), late.best.pose.as_array()
    )
