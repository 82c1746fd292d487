"""The drives of an evaluation, and whether they can be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import itertools
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.simulated import is_simulated
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.evaluation.tags import Tags, tags_of
from husky_placerec.types import GeoOrigin, Indices, SECOND_NS
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

# Routes that are further apart than this were not driven by one robot in one frame: a local frame
# beside UTM, or two local frames that know nothing of each other.
IMPOSSIBLE_M = 20_000.0


@dataclass(frozen=True)
class Track:
    """
    A drive, N frames whose poses are known.

    :param frame_id: of the poses; empty where the source does not say.
    :param rows: [N] which of the source's frames these are.
    :param stamps_ns: [N] int64, all different.
    :param image_stamps_ns: [N, C] int64, -1 where a camera gave no image.
    :param poses: [N, 7] x y z qx qy qz qw of `base_link`.
    :param origin: where on the Earth the frame's origin is, if that is known.
    :param left_out: frames of the source that have no pose or no image.
    :param notes: what to know before trusting the poses.
    :param source_stamps_ns: [M] of all frames of the source; None: of these alone.
    :param source_image_stamps_ns: [M, C] likewise.
    :param odometry: the robot's own, where the source has it.
    :param simulated: the source says that it was rendered.
    """

    name: str
    path: Path
    frame_id: str
    rows: NDArray[np.int64]
    stamps_ns: NDArray[np.int64]
    image_stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    tags: Tags
    origin: GeoOrigin | None = None
    left_out: int = 0
    notes: tuple[str, ...] = ()
    source_stamps_ns: Indices | None = None
    source_image_stamps_ns: Indices | None = None
    odometry: Trajectory | None = None
    simulated: bool = False

    @property
    def all_stamps_ns(self) -> Indices:
        """The stamps [M] of all frames of the source, of which `rows` have a true pose."""
        return self.stamps_ns if self.source_stamps_ns is None else self.source_stamps_ns

    @property
    def all_image_stamps_ns(self) -> Indices:
        """The stamps [M, C] of the images of all frames, -1 where a camera gave none."""
        own = self.source_image_stamps_ns
        return self.image_stamps_ns if own is None else own

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def keep(self, kept: NDArray[np.bool_]) -> Track:
        """Return the drive without the frames that are not kept."""
        columns = {
            name: getattr(self, name)[kept]
            for name in ('rows', 'stamps_ns', 'image_stamps_ns', 'poses')
        }
        left_out = self.left_out + int((~kept).sum())
        return replace(self, **columns, left_out=left_out)


def unlike_names(paths: Sequence[Path]) -> list[str]:
    """
    Name drives by the ends of their paths, as short as keeps them apart.

    :raises InputError: for a path that is given twice.
    """
    resolved = [path.resolve() for path in paths]
    for path, count in ((p, resolved.count(p)) for p in resolved):
        if count > 1:
            raise InputError(f'{path}: given {count} times; a drive is not compared with itself')
    for parts in range(1, max(len(path.parts) for path in resolved) + 1):
        for ends in ([_stem(path) for path in resolved], [path.name for path in resolved]):
            names = ['_'.join((*p.parts[-parts:-1], end)) for p, end in zip(resolved, ends)]
            if len(set(names)) == len(names):
                return names
    raise AssertionError('different paths have different names')


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def check_comparable(tracks: Sequence[Track], reach_m: float) -> list[tuple[str, str, float]]:
    """
    Check that the drives are in one frame and meet.

    :param reach_m: the largest tolerance; drives that keep further apart have nothing to find.
    :return: pairs of drives that do not meet, and how far they keep apart, in m.
    :raises InputError: for frames that differ, and where no two drives meet.
    """
    apart = []
    for first, second in itertools.combinations(tracks, 2):
        if first.frame_id and second.frame_id and first.frame_id != second.frame_id:
            raise InputError(
                f'{first.name} has poses in the frame {first.frame_id!r}, {second.name} in '
                f'{second.frame_id!r}; drives are compared in one frame'
            )
        nearest_m = float(cKDTree(first.poses[:, :2]).query(second.poses[:, :2])[0].min())
        if nearest_m > IMPOSSIBLE_M:
            raise InputError(
                f'{first.name} and {second.name} are in different frames: their routes keep '
                f'{nearest_m / 1000:,.0f} km apart; expected poses in one map frame, in m'
            )
        if nearest_m > reach_m:
            apart.append((first.name, second.name, nearest_m))
    if len(apart) == len(tracks) * (len(tracks) - 1) // 2:
        first_name, second_name, nearest_m = min(apart, key=lambda item: item[2])
        raise InputError(
            f'{first_name} and {second_name} do not overlap: their routes keep {nearest_m:.0f} m '
            f'apart; expected places within {reach_m:g} m of each other'
        )
    return apart


def read_track(
    path: Path,
    name: str,
    config: Config,
    *,
    kind: str | None = None,
    poses: str | None = None,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
    max_gap_s: float = 2.0,
    tags: Tags | None = None,
) -> Track:
    """
    Read stamps and poses of a drive, not yet its images.

    :param origin: of the local frame of satellite fixes: that of the first drive.
    :param tags: as the user says; by default as the name does.
    :raises InputError: for a source that cannot be read, or has no frame with a pose.
    """
    with open_source(path, kind) as source:
        source.check(config)
        trajectory = find_trajectory(source, poses, heading, origin)
        odometry = source.odometry()
        stamps, images = [], []
        for frame in source.frames(config):
            stamps.append(frame.stamp_ns)
            images.append([frame.image_stamps_ns.get(camera, -1) for camera in config.cameras])
    stamps_ns = np.array(stamps, np.int64)
    covered = np.flatnonzero(trajectory.covers(stamps_ns, round(max_gap_s * SECOND_NS)))
    if not len(covered):
        raise InputError(
            f'{path}: none of {len(stamps_ns)} frames has a pose; the poses of '
            f'{trajectory.source} span {trajectory.stamps_ns[0]} to {trajectory.stamps_ns[-1]}'
        )
    return Track(
        name,
        path,
        trajectory.frame_id,
        covered,
        stamps_ns[covered],
        np.array(images, np.int64)[covered],
        trajectory.at(stamps_ns[covered]),
        tags or tags_of(name),
        trajectory.origin,
        len(stamps_ns) - len(covered),
        trajectory.notes,
        stamps_ns,
        np.array(images, np.int64),
        odometry,
        is_simulated(path),
    )
