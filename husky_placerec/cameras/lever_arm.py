"""Where a robot is that sees a place of a map: its cameras are where those of the map were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from husky_placerec.cameras.known import KnownCamera
from husky_placerec.types import Pose
import numpy as np

Shift = tuple[float, float]


@dataclass(frozen=True)
class LeverArm:
    """
    How far a robot is from the pose of the place that it sees, in metres ahead and to the left.

    Both are in the `base_link` that the place was mapped with.

    :param same: where the robot faces the way of the place.
    :param turned: where it faces the other way.

    >>> LeverArm(turned=(0.6, 0.0)).pose(Pose.planar(10.0, 0.0, 0.0), turned=True).x
    10.6
    """

    same: Shift = (0.0, 0.0)
    turned: Shift = (0.0, 0.0)

    @classmethod
    def between(
        cls,
        cameras: Sequence[str],
        mapped: Mapping[str, KnownCamera],
        asking: Mapping[str, KnownCamera],
    ) -> LeverArm:
        """
        Return the lever arm of a robot on the map of another; 0 where a mounting is not known.

        A camera of the robot is where the same camera of the map was, or, the other way round,
        where its opposite was. The arm is the mean over the cameras. Each camera is the opposite
        of one, so that it follows from the mean position of the cameras on either robot: their
        difference in the same direction, and their sum the other way round.

        :param cameras: the cameras of the map.
        :param mapped: what is known of the cameras of the map.
        :param asking: what is known of the cameras of the robot.
        """
        middles = [_middle(cameras, each) for each in (mapped, asking)]
        theirs, own = middles
        if theirs is None or own is None:
            return cls()
        return cls(
            (theirs[0] - own[0], theirs[1] - own[1]), (theirs[0] + own[0], theirs[1] + own[1])
        )

    def pose(self, place: Pose, turned: bool | None) -> Pose:
        """
        Return the pose of a robot that sees a place.

        :param turned: it faces the other way; None: the map does not tell.
        """
        if turned:
            return place.moved(*self.turned).turned_round()
        return place.moved(*self.same) if any(self.same) else place


def _middle(cameras: Sequence[str], known: Mapping[str, KnownCamera]) -> Shift | None:
    """Return the mean x and y of cameras in `base_link`; None where one is not known."""
    mountings = [known.get(name, KnownCamera()).mounting for name in cameras]
    found = [(pose.x, pose.y) for pose in mountings if pose is not None]
    if not cameras or len(found) < len(mountings):
        return None
    x, y = np.mean(found, axis=0).tolist()
    return x, y
