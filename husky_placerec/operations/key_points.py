"""Find the key points of the frames of a drive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from husky_placerec.cameras.known import cameras_of
from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.metric.drive_sights import DriveSights
from husky_placerec.metric.key_points import KeyPointFinder, load_key_points
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import Observer, Sight
from husky_placerec.operations.drives import with_cameras
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Warn
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Indices
import numpy as np

MOST_FRAMES = 1500  # of a drive whose key points are kept: 100 kB each


def key_points_of(
    source: Path,
    config: Config,
    finder: KeyPointFinder,
    cameras: Sequence[str],
    row: Mapping[int, int],
    *,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> tuple[dict[int, tuple[Sight, ...]], Rig]:
    """
    Return what the cameras of a drive see in some frames, by the numbers of the frames.

    :param cameras: of the map, in its order.
    :param row: the number of each wanted frame, by its stamp.
    :raises InputError: for a source that cannot be read, and cameras that are not calibrated.
    """
    with open_source(source, kind, max_broken) as drive:
        drive.check(config)
        seen_by = with_cameras(drive, config, warn)
        rig = Rig.of(cameras, cameras_of(seen_by), str(source))
        observer = Observer(finder.detector, rig, finder.spec.input_width, finder.spec.size)
        frames = (frame for frame in drive.frames(seen_by) if frame.stamp_ns in row)
        decoded = decoded_frames(drive, frames, seen_by.max_pixels)
        shown = bars(f'Key points of {drive.name}')(decoded, len(row))
        return {row[frame.stamp_ns]: observer.see(frame) for frame in shown}, rig


def sights_for(
    place_map: PlaceMap,
    source: Path,
    config: Config,
    stamps_ns: Indices,
    *,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    bars: Bars = no_bars,
) -> DriveSights | None:
    """
    Return the key points of a drive that calibrates a map; None where frames are not solved.

    :param stamps_ns: [N] of the frames of the drive; at most MOST_FRAMES get key points.
    :raises InputError: as `key_points_of`, and for key points of another network than the map's.
    """
    if place_map.landmarks is None or config.metric == 'off':
        return None
    cameras = place_map.spec.sees
    finder = load_key_points(config, len(cameras), place_map.landmarks.spec)
    finder.spec.require_same(place_map.landmarks.spec, place_map.name)
    count = len(stamps_ns)
    some = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).astype(np.int64))
    row = {int(stamps_ns[frame]): frame for frame in some.tolist()}
    found, rig = key_points_of(
        source, config, finder, cameras, row, kind=kind, max_broken=max_broken, bars=bars
    )
    return DriveSights(rig, [found.get(frame) for frame in range(count)])
