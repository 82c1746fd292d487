"""
Where the cameras are on the robot, and what follows from that.

A mounting is the pose of a camera's optical frame (x right, y down, z ahead) in `base_link` (x
ahead, y to the left, z up), from static TF or from parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
import math

from husky_placerec.errors import InputError
from husky_placerec.types import Pose

BASE_FRAME = 'base_link'
OPPOSITE_DEG = 20.0  # from half a turn, within which one camera looks the way another does not
STEEP = math.cos(math.radians(30.0))  # of z: a camera that looks up or down has no heading


class TransformTree:
    """
    The static transforms of a robot: each frame has one parent.

    A transform that is told again replaces nothing. A frame with two parents, in a loop, or whose
    transform is none is reported when a pose needs it.
    """

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Pose]] = {}
        self._others: dict[str, str] = {}  # a second parent, by frame

    def add(self, parent: str, child: str, pose: Pose) -> None:
        """Add the pose of a frame in its parent."""
        parent, child = parent.lstrip('/'), child.lstrip('/')
        known = self._parents.setdefault(child, (parent, pose))
        if known[0] != parent:
            self._others[child] = parent

    def __bool__(self) -> bool:
        return bool(self._parents)

    @property
    def count(self) -> int:
        """The number of different transforms."""
        return len(self._parents) + len(self._others)

    def pose_in_base(self, frame: str) -> Pose:
        """
        Return the pose of a frame in `base_link`.

        :raises InputError: for a frame that is missing, not connected, in a loop, or that hangs
            on a frame of two parents or on a transform that is none.
        """
        frame = frame.lstrip('/')
        above, below = self._to_root(frame), self._to_root(BASE_FRAME)
        common = next((name for name in above if name in below), None)
        if common is None:
            raise InputError(
                f'static TF has no way from {BASE_FRAME} to {frame or "a frame without a name"}: '
                f'they hang on {list(below)[-1]} and {list(above)[-1]}'
            )
        return below[common].inverse() @ above[common]

    def _to_root(self, frame: str) -> dict[str, Pose]:
        """Return the pose of a frame in each of its ancestors, itself first."""
        found = {frame: Pose.planar(0.0, 0.0, 0.0)}
        here = frame
        while here in self._parents:
            parent, pose = self._parents[here]
            if here in self._others:
                raise InputError(
                    f'static TF: {here} has two parents, {parent} and {self._others[here]}'
                )
            if parent in found:
                raise InputError(f'static TF: {parent} and {here} are in a loop')
            if not is_rigid(pose):
                numbers = ' '.join(f'{value:g}' for value in pose.as_array())
                raise InputError(
                    f'static TF: {here} is in {parent} at {numbers}; expected finite x y z and a '
                    'unit quaternion'
                )
            found[parent] = pose @ found[here]
            here = parent
        return found


def is_rigid(pose: Pose) -> bool:
    """Return whether all numbers of a pose are finite, and its quaternion has a length of 1."""
    length = math.hypot(pose.qx, pose.qy, pose.qz, pose.qw)
    return abs(length - 1) < 0.01 and all(map(math.isfinite, (pose.x, pose.y, pose.z)))


def heading_of(mounting: Pose) -> float | None:
    """Return the direction in which a camera looks, radians from x ahead; None if steep."""
    x, y, z = mounting.rotation.apply([0.0, 0.0, 1.0]).tolist()
    return None if abs(z) > STEEP else math.atan2(y, x)


def turns_of(mounting: Pose) -> int:
    """
    Return the quarter turns, counterclockwise, that bring the image of a camera upright.

    A camera that looks up or down stays as it is.
    """
    if heading_of(mounting) is None:
        return 0
    right, down, _ = mounting.rotation.inv().apply([0.0, 0.0, 1.0]).tolist()
    # The direction of "up" in the image: a turn by the angle between it and the upper edge.
    return round(math.atan2(right, -down) / (math.pi / 2)) % 4


def opposites_of(mountings: Mapping[str, Pose]) -> dict[str, str]:
    """Return for each camera the one that looks the other way; cameras without one are missing."""
    headings = {
        name: heading
        for name, pose in mountings.items()
        if (heading := heading_of(pose)) is not None
    }
    nearest: dict[str, str] = {}
    for name, heading in headings.items():
        apart = {
            other: abs(math.degrees(math.remainder(theirs - heading - math.pi, 2 * math.pi)))
            for other, theirs in headings.items()
            if other != name
        }
        if apart and min(apart.values()) <= OPPOSITE_DEG:
            nearest[name] = min(apart, key=apart.__getitem__)
    return {name: other for name, other in nearest.items() if nearest.get(other) == name}
