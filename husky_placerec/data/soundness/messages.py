"""What the messages of a topic say about their own poses: covariance and frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
import math

from husky_placerec.data.problems import Problems
from husky_placerec.data.soundness.doubt import Doubt
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError

MOST_OTHERS = 0.05  # share of the poses in another frame that is left out
XX, YY = 0, 7  # variances in a covariance of 36


def sigma_of_pose(covariance: Sequence[float] | None) -> float:
    """Return the standard deviation of a position, in metres; NaN without a covariance."""
    if covariance is None:
        return math.nan
    variance = max(covariance[XX], covariance[YY])
    return math.sqrt(variance) if variance > 0 else math.nan


def known_odometry(read: Callable[[], Trajectory | None]) -> Trajectory | None:
    """Return the odometry as a witness; one that cannot be read tells nothing."""
    try:
        return read()
    except InputError:
        return None


def of_one_frame(
    stamps_ns: Sequence[int],
    poses: Sequence[list[float]],
    sigmas_m: Sequence[float],
    frames: Sequence[tuple[str, str]],
    source: str,
    problems: Problems | None = None,
) -> Trajectory:
    """
    Make a trajectory of the poses in the frame that most messages name.

    :param frames: frame and child frame of each pose.
    :param problems: notes the broken poses; None: they are refused.
    :raises InputError: as `Trajectory.make`.
    """
    names = [(frame.lstrip('/'), child.lstrip('/')) for frame, child in frames]
    counts = Counter(names).most_common()
    most = counts[0][0] if counts else ('', '')
    rows = [row for row, name in enumerate(names) if name == most]
    trajectory = Trajectory.make(
        [stamps_ns[row] for row in rows],
        [poses[row] for row in rows],
        source,
        *most,
        [sigmas_m[row] for row in rows],
        problems,
    )
    others = len(names) - len(rows)
    if not others:
        return trajectory
    first = next(row for row, name in enumerate(names) if name != names[0])
    shown = ', '.join(f'{count} {_shown(*name)}' for name, count in counts[:3])
    return trajectory.with_doubts(
        Doubt(
            'frames',
            f'the poses are in several frames ({shown}), from {stamps_ns[first]} on',
            f'those {_shown(*most)} are used'
            if others <= MOST_OTHERS * len(names)
            else 'record one frame, or cut the bag there',
            grave=others > MOST_OTHERS * len(names),
        )
    )


def _shown(frame: str, child: str) -> str:
    of = f'of {child} ' if child else ''
    return f'{of}in {frame or "(no frame)"}'
