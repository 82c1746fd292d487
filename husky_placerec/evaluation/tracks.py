"""The drives of an evaluation: their frames and poses, and whether they can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import itertools
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.odometry_table import odometry_sentence
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import find_trajectory, open_source, require_clocks
from husky_placerec.errors import InputError
from husky_placerec.evaluation.tags import Tags, tags_of
from husky_placerec.printable import printable
from husky_placerec.recognition.odometry import GAP_NS
from husky_placerec.types import Floats, GeoOrigin, Indices, Mask, SECOND_NS
import numpy as np
from scipy.spatial import cKDTree

# Routes that are further apart than this have poses in different frames, such as a local frame and
# UTM, or two unrelated local frames.
IMPOSSIBLE_M = 20_000.0


@dataclass(frozen=True)
class Track:
    """
    The N frames of a drive whose poses are known.

    :param frame_id: the frame of the poses; empty where the source does not name it.
    :param rows: [N] indices of these frames among the frames of the source.
    :param stamps_ns: [N], all different.
    :param image_stamps_ns: [N, C], -1 where a camera has no image.
    :param poses: [N, 7] x y z qx qy qz qw of `base_link`.
    :param origin: where on the Earth the origin of the frame is, where that is known.
    :param left_out: number of frames of the source that have no pose or no image.
    :param notes: what makes the poses or the pairing doubtful.
    :param told: what was read, in sentences.
    """

    name: str
    path: Path
    frame_id: str
    rows: Indices
    stamps_ns: Indices
    image_stamps_ns: Indices
    poses: Floats
    tags: Tags
    origin: GeoOrigin | None = None
    left_out: int = 0
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def keep(self, kept: Mask) -> Track:
        """
        Return the drive with some of its frames.

        :param kept: [N] which frames stay.
        """
        columns = {
            name: getattr(self, name)[kept]
            for name in ('rows', 'stamps_ns', 'image_stamps_ns', 'poses')
        }
        left_out = self.left_out + int((~kept).sum())
        return replace(self, **columns, left_out=left_out)


def unlike_names(paths: Sequence[Path]) -> list[str]:
    """
    Return a different name for each drive: the shortest end of its path that is unique.

    :raises InputError: for a path that is given twice.
    """
    resolved = [path.resolve() for path in paths]
    for path, count in ((p, resolved.count(p)) for p in resolved):
        if count > 1:
            raise InputError(f'{path}: given {count} times; a drive is not compared with itself')
    for parts in range(1, max(len(path.parts) for path in resolved) + 1):
        for ends in ([_stem(path) for path in resolved], [path.name for path in resolved]):
            whole = ('_'.join((*p.parts[-parts:-1], end)) for p, end in zip(resolved, ends))
            names = list(map(printable, whole))
            if len(set(names)) == len(names):
                return names
    raise AssertionError('different paths have different names')


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def check_comparable(tracks: Sequence[Track], reach_m: float) -> list[tuple[str, str, float]]:
    """
    Check that the poses of the drives are in one frame and that the drives overlap.

    :param reach_m: the largest tolerance; nothing can be found between drives further apart.
    :return: the pairs of drives that do not overlap, and the least distance between them in m.
    :raises InputError: for different frames, and where no two drives overlap.
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
    max_broken: float = MAX_BROKEN,
) -> Track:
    """
    Read the stamps and poses of a drive, without decoding its images.

    :param kind: 'track', 'bag' or 'folder'; None: the source tells by itself.
    :param poses: topic or file of the poses; None: the only poses that the source has.
    :param heading: where the orientations are: a topic, `motion` or `poses`.
    :param origin: of the local frame of satellite fixes: that of the first drive.
    :param max_gap_s: longest time between two poses to interpolate between.
    :param tags: given by the user; None: the name tells them.
    :param max_broken: share of the poses that may be broken.
    :raises InputError: for a source that cannot be read, or has no frame with a pose.
    """
    with open_source(path, kind, max_broken) as source:
        source.check(config)
        trajectory = find_trajectory(source, poses, heading, origin)
        stamps, images = [], []
        for frame in source.frames(config):
            stamps.append(frame.stamp_ns)
            images.append([frame.image_stamps_ns.get(camera, -1) for camera in config.cameras])
        require_clocks(source)
        odometry = source.odometry(config.odometry_topic)
        account, lines = source.account(), source.problems.lines()
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
        (*trajectory.warnings, *lines, *(account.warnings() if account else ())),
        (
            *((account.sentence(),) if account else ()),
            odometry_sentence(odometry, stamps_ns[covered], GAP_NS / SECOND_NS),
        ),
    )
