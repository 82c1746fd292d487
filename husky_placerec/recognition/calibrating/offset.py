"""
A constant offset between the poses of a drive and those of its map, by what both see.

Another origin, another antenna or a clock that is off moves all poses of a drive alike. The images
tell: frame after frame is recognised the same way beside its own pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.recognition.calibrating.leave_out import RecordedRun
from husky_placerec.types import Floats, Pose
import numpy as np

SPREAD_M = 5.0  # about the median, within which frames agree
LEAST_SHARE = 0.5  # of the frames that agree
LEAST_FRAMES = 10
LEAST_M = 3.0  # an offset; where places are further apart, their spacing


@dataclass(frozen=True)
class PoseOffset:
    """
    Where the images place a drive, seen from its own poses.

    :param drive: name of the drive.
    :param metres: [2] to the east and north in the map frame, or ahead and to the left.
    :param along: the offset is in the frame of the robot, as of a clock that is off.
    :param share: of the frames that agree.
    """

    drive: str
    metres: tuple[float, float]
    along: bool
    share: float

    def __str__(self) -> str:
        """Return the offset in a sentence."""
        x, y = self.metres
        where = (
            f'{x:+.1f} m ahead and {y:+.1f} m to the left'
            if self.along
            else (f'{x:+.1f} m in x and {y:+.1f} m in y')
        )
        cause = 'the clock or the lever arm' if self.along else 'the origin and the frame'
        return (
            f'{self.drive}: {100 * self.share:.0f} % of its frames are recognised {where} from '
            f'their own poses; check {cause} of its poses'
        )


def pose_offset(runs: Sequence[RecordedRun]) -> PoseOffset | None:
    """Return the constant offset of the first drive that has one; None where none has."""
    for run in runs:
        if run.drive.poses is None or run.drive.itself:
            continue
        found = _offset_of(run)
        if found is not None:
            return found
    return None


def _offset_of(run: RecordedRun) -> PoseOffset | None:
    found, truths = [], []
    poses = run.drive.poses
    assert poses is not None
    for result, row in zip(run.results, poses):
        if result.best is not None:
            found.append(result.pose(result.best.place, bool(result.best.reversed)))
            truths.append(Pose.from_array(row))
    if len(found) < LEAST_FRAMES:
        return None
    apart = np.array([[p.x - t.x, p.y - t.y] for p, t in zip(found, truths)])
    yaws = np.array([t.yaw for t in truths])
    cosine, sine = np.cos(yaws), np.sin(yaws)
    robot = np.column_stack(
        [cosine * apart[:, 0] + sine * apart[:, 1], cosine * apart[:, 1] - sine * apart[:, 0]]
    )
    ways = [_agreed(apart), _agreed(robot)]
    along = ways[1][1] > ways[0][1]
    middle, share = ways[along]
    least = max(LEAST_M, run.results[0].route.spacing_m)
    if share < LEAST_SHARE or np.hypot(*middle) <= least:
        return None
    return PoseOffset(run.drive.name, (float(middle[0]), float(middle[1])), along, share)


def _agreed(apart: Floats) -> tuple[Floats, float]:
    """Return the median [2] of offsets [N, 2], and the share that lies within SPREAD_M of it."""
    middle = np.median(apart, axis=0)
    return middle, float((np.linalg.norm(apart - middle, axis=1) <= SPREAD_M).mean())
