"""A pose between the places of a map, along the route."""

from __future__ import annotations

from collections.abc import Callable

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.route import Places, Route
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray

Similarities = Callable[[Places], NDArray[np.float64]]
STEPS = 2  # places that the best one may be from where it was looked for


def refined_pose(
    place_map: PlaceMap, route: Route, place: int, turned: bool, similarities: Similarities
) -> Pose:
    """
    Return the pose at which the similarities of neighbouring places would meet in a peak.

    A view gets less alike by about the same with each metre, before the place and after it. So
    with a the fall from the best place to the worse of its neighbours, and b the lead of the
    better one over that, the robot is b / 2a of the way from the best to the better neighbour
    (the triangle interpolation of Olson and Coombs, Real-time vergence control, 1991).

    :param place: where to look; the best may be a place or two from there.
    :param turned: whether it is passed in reverse: the pose then faces the other way.
    :param similarities: of some places [K] to the frame.
    """
    for _ in range(STEPS):
        near = route.around(place)
        found = similarities(np.array([place, *near], np.int64))
        best = int(found.argmax())
        if best == 0:
            break
        place = int(near[best - 1])
    near = route.around(place)
    pose = place_map.places.poses[place]
    if len(near) == 2:
        here, *sides = similarities(np.array([place, *near], np.int64)).tolist()
        better, worse = max(sides), min(sides)
        if here > worse and np.isfinite(worse):
            share = min((better - worse) / (2 * (here - worse)), 0.5)
            pose = _between(pose, place_map.places.poses[near[int(np.argmax(sides))]], share)
    made = Pose.from_array(pose)
    return made.turned_round() if turned else made


def _between(
    one: NDArray[np.float64], other: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return a pose [7] a share of the way from one to another; they face nearly the same way."""
    other = other.copy()
    if one[3:] @ other[3:] < 0:
        other[3:] *= -1  # q and -q are one orientation
    mixed = (1 - share) * one + share * other
    mixed[3:] /= np.linalg.norm(mixed[3:])
    return np.asarray(mixed)
