"""A pose between the places of a map, along the route."""

from __future__ import annotations

from collections.abc import Callable

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.route import Places, Route
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Similarities = Callable[[Places], NDArray[np.float64]]
STEPS = 2  # places that the best one may be from where it was looked for
WINDOW_M = 15.0  # before and after the best place
SOFT_M = 1.5  # a place that is less alike by what so many metres cost has 1/e of the weight


def refined_pose(
    place_map: PlaceMap, route: Route, place: int, turned: bool, similarities: Similarities
) -> Pose:
    """
    Return the mean of the poses near the best place, weighed by how alike they are.

    Between two places that are equally alike the robot is half way. In fog or rain the peak is
    broad, and its middle tells more than whichever place happens to be the highest.

    :param place: where to look; the best may be a place or two from there.
    :param turned: whether it is passed in reverse: the pose then faces the other way.
    :param similarities: of some places [K] to the frame.
    """
    for _ in range(STEPS):
        near = np.array([place, *route.around(place)], np.int64)
        best = int(near[similarities(near).argmax()])
        if best == place:
            break
        place = best
    window = route.window(place, WINDOW_M)
    alike = similarities(window)
    weights = np.exp((alike - alike.max()) / (SOFT_M * route.fall_per_m))
    poses = place_map.places.poses[window]
    position = weights @ poses[:, :3] / weights.sum()
    orientation = Rotation.from_quat(poses[:, 3:]).mean(weights).as_quat()
    made = Pose(*position.tolist(), *orientation.tolist())
    return made.turned_round() if turned else made
