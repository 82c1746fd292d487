"""Poses over time: checked, and interpolated to the stamps of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

from husky_placerec.data.problems import Problems
from husky_placerec.data.soundness.doubt import Doubt
from husky_placerec.errors import InputError
from husky_placerec.types import GeoOrigin, Pose, SECOND_NS
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

# The error of the norm of a quaternion that was rounded to three decimals; more is no rotation.
QUATERNION_TOLERANCE = 1e-2
FARTHEST_M = 1e12  # of a coordinate; a larger one is a broken number
MAP_FRAME = 'map'  # of poses without a frame


@dataclass(frozen=True)
class Trajectory:
    """
    Poses of the robot, oldest first, with different stamps.

    :param stamps_ns: [N] int64.
    :param poses: [N, 7] x y z qx qy qz qw, metres, unit quaternions.
    :param frame_id: the frame of the poses; empty if the source does not name it.
    :param child_frame_id: the frame whose poses these are; empty if the source does not name it.
    :param source: name for messages.
    :param origin: geographic position of the origin of the frame, if it is known.
    :param notes: remarks of the reader, for the user.
    :param sigmas_m: [N] standard deviation of each position by its own covariance, NaN where it
        says none; None if the source has no covariances.
    :param doubts: what speaks against the poses.
    """

    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    frame_id: str
    child_frame_id: str
    source: str
    origin: GeoOrigin | None = None
    notes: tuple[str, ...] = ()
    sigmas_m: NDArray[np.float64] | None = None
    doubts: tuple[Doubt, ...] = ()

    @classmethod
    def make(
        cls,
        stamps_ns: list[int],
        poses: list[list[float]],
        source: str,
        frame_id: str = '',
        child_frame_id: str = '',
        sigmas_m: list[float] | None = None,
        problems: Problems | None = None,
    ) -> Trajectory:
        """
        Sort, check and normalise poses; of equal stamps the first counts.

        A slash before the name of a frame is left out, because tf2 refuses such names.

        :param problems: notes the broken poses, which are left out; None: they are refused.
        :raises InputError: for no poses, and for too many with NaN or a quaternion that is not
            unit.
        """
        if not stamps_ns:
            raise InputError(f'{source}: no poses')
        stamps, first = np.unique(np.array(stamps_ns, np.int64), return_index=True)
        values = np.array(poses, np.float64)[first]
        norms = np.linalg.norm(values[:, 3:], axis=1)
        problems = Problems(max_broken=0) if problems is None else problems
        near = np.abs(values[:, :3]).max(axis=1) <= FARTHEST_M
        sound: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1) & near)
        broken = [
            f'the pose at {stamps[i]} has a value that is not finite, or over {FARTHEST_M:g} m'
            for i in np.flatnonzero(~sound)
        ]
        for i in np.flatnonzero(abs(norms - 1) > QUATERNION_TOLERANCE):
            broken.append(
                f'the quaternion at {stamps[i]} has length {norms[i]:.3f}; expected 1 '
                '(positions without orientations need --heading)'
            )
            sound[i] = False
        problems.broken(f'broken pose of {source}', len(stamps), *broken)
        if not sound.any():
            raise InputError(f'{source}: no sound pose among {len(stamps)}')
        stamps, values, norms = stamps[sound], values[sound], norms[sound]
        kept = first[sound]
        values[:, 3:] /= norms[:, None]
        frames = frame_id.lstrip('/'), child_frame_id.lstrip('/')
        sigmas = None if sigmas_m is None else np.array(sigmas_m, np.float64)[kept]
        return cls(stamps, values, *frames, source, sigmas_m=sigmas)

    def with_origin(self, origin: GeoOrigin) -> Trajectory:
        """Return the trajectory with a geographic origin."""
        return replace(self, origin=origin)

    def with_notes(self, *notes: str) -> Trajectory:
        """Return the trajectory with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def with_doubts(self, *doubts: Doubt) -> Trajectory:
        """Return the trajectory with more doubts."""
        return replace(self, doubts=(*self.doubts, *doubts))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes and the doubts, in sentences."""
        return (*self.notes, *map(str, self.doubts))

    def kept(self, which: NDArray[np.bool_]) -> Trajectory:
        """Return some of the poses, by a mask [N]."""
        sigmas = None if self.sigmas_m is None else self.sigmas_m[which]
        return replace(
            self, stamps_ns=self.stamps_ns[which], poses=self.poses[which], sigmas_m=sigmas
        )

    def moved(self, base: Pose, child_frame_id: str) -> Trajectory:
        """
        Return the poses of another frame of the same body.

        :param base: pose of that frame in the present child frame.
        """
        turns = Rotation.from_quat(self.poses[:, 3:])
        positions = self.poses[:, :3] + turns.apply([base.x, base.y, base.z])
        poses = np.hstack([positions, (turns * base.rotation).as_quat()])
        return replace(self, poses=poses, child_frame_id=child_frame_id)

    def covers(self, stamps_ns: NDArray[np.int64], max_gap_ns: int) -> NDArray[np.bool_]:
        """Return for each stamp whether two poses at most `max_gap_ns` apart enclose it."""
        last = len(self.stamps_ns) - 1
        after = np.searchsorted(self.stamps_ns, stamps_ns, side='left').clip(0, last)
        exact = self.stamps_ns[after] == stamps_ns
        before = (after - 1).clip(0, last)
        inside = (self.stamps_ns[before] < stamps_ns) & (stamps_ns < self.stamps_ns[after])
        close = self.stamps_ns[after] - self.stamps_ns[before] <= max_gap_ns
        return exact | (inside & close)

    def at(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Interpolate to covered stamps: linearly in position, by slerp in orientation."""
        if len(self.stamps_ns) == 1:
            return np.repeat(self.poses, len(stamps_ns), axis=0)
        # Relative to the first stamp, because a float64 cannot hold nanoseconds since 1970.
        known = (self.stamps_ns - self.stamps_ns[0]) / SECOND_NS
        wanted = ((stamps_ns - self.stamps_ns[0]) / SECOND_NS).clip(0, known[-1])
        position = np.stack([np.interp(wanted, known, axis) for axis in self.poses[:, :3].T], 1)
        orientation = Slerp(known, Rotation.from_quat(self.poses[:, 3:]))(wanted).as_quat()
        return np.hstack([position, orientation])


def poses_at(
    trajectory: Trajectory, stamps_ns: NDArray[np.int64], max_gap_s: float
) -> NDArray[np.float64]:
    """
    Interpolate [M, 7] poses to stamps, without extrapolation.

    :raises InputError: for stamps that the poses do not cover; it names both spans.
    """
    covered = trajectory.covers(stamps_ns, round(max_gap_s * SECOND_NS))
    if covered.all():
        return trajectory.at(stamps_ns)
    missing = stamps_ns[~covered]
    raise InputError(
        f'{trajectory.source}: no pose for {len(missing)} of {len(stamps_ns)} frames '
        f'(first at {missing[0]}, last at {missing[-1]}); the poses span '
        f'{trajectory.stamps_ns[0]} to {trajectory.stamps_ns[-1]}, and between two of them '
        f'at most {max_gap_s:g} s may pass (--max-gap; --skip-unposed leaves such frames out)'
    )


def poses_or_none(
    trajectory: Trajectory, stamps_ns: NDArray[np.int64], max_gap_s: float
) -> list[Pose | None]:
    """Return the pose at each stamp; None where the trajectory does not cover it."""
    covered = trajectory.covers(stamps_ns, round(max_gap_s * SECOND_NS))
    poses = iter(trajectory.at(stamps_ns[covered]) if covered.any() else ())
    return [Pose.from_array(next(poses)) if there else None for there in covered]
