"""A drive described, for the commands that make or measure a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from husky_placerec.cli.common import (
    MAX_GAP_S,
    warn,
    warn_of_limits,
    warn_of_poses,
    warn_of_problems,
)
from husky_placerec.progress import progress

if TYPE_CHECKING:  # heavy modules are imported when a command runs, so that --help is quick
    from husky_placerec.data.trajectory import Trajectory
    from husky_placerec.placemap.place_map import PlaceMap
    from husky_placerec.recognition.calibrating.samples import DescribedDrive


@dataclass(frozen=True)
class DriveOptions:
    """What the user says about reading and describing a drive."""

    poses: str | None = None
    heading: str | None = None
    config: Path | None = None
    settings: Sequence[str] = ()
    track: str = ''
    max_gap_s: float = MAX_GAP_S
    every_m: float | None = None
    turn_deg: float | None = None
    thumbnail_width: int = 0
    kind: str | None = None
    skip_unposed: bool = False

    def for_measuring(self) -> DriveOptions:
        """Return the same for a drive to measure by: every frame, by its own poses."""
        topic = self.poses if self.poses and not Path(self.poses).is_file() else None
        return replace(
            self, poses=topic, track='', every_m=None, turn_deg=None, thumbnail_width=0, kind=None
        )


def described_drive(
    source: Path, options: DriveOptions, like: PlaceMap | None = None, title: str = 'Describing'
) -> PlaceMap:
    """
    Describe a drive: a map of its frames in the memory.

    :param like: a map that it is to go with, by its model and in its frame.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data.source import find_trajectory, open_source
    from husky_placerec.descriptor.extractor import load_extractor
    from husky_placerec.placemap.building import build_map
    from husky_placerec.placemap.thinning import Thinning

    stored = like.spec if like else None
    cameras = stored.sees if stored else ()
    fusion = [f'fusion={stored.fusion}'] if stored and stored.fused else []
    parameters = read_config(options.config, [*fusion, *options.settings], cameras=cameras)
    with open_source(source, options.kind) as drive:
        drive.check(parameters)
        origin = like.origin if like else None
        trajectory = find_trajectory(drive, options.poses, options.heading, origin)
        _warn_of_frames(trajectory)
        warn_of_poses(trajectory)
        extractor = load_extractor(parameters, stored)
        if like is None:
            warn_of_limits(extractor.spec)
        described = build_map(
            drive,
            _in_frame_of(trajectory, like),
            extractor,
            parameters,
            track=options.track or drive.name,
            max_gap_s=options.max_gap_s,
            thinning=Thinning(options.every_m, options.turn_deg),
            thumbnail_width=options.thumbnail_width,
            skip_unposed=options.skip_unposed,
            progress=progress(title),
        )
        warn_of_problems(drive)
    for jump in described.places.jumps():
        warn(jump)
    return described


def described_unknown(source: Path, options: DriveOptions, like: PlaceMap) -> DescribedDrive:
    """Describe a drive off a map, of which no pose is needed."""
    from husky_placerec.config import read_config
    from husky_placerec.data.problems import no_frames
    from husky_placerec.data.source import decoded_frames, open_source
    from husky_placerec.descriptor.extractor import load_extractor
    from husky_placerec.recognition.calibrating.samples import DescribedDrive
    import numpy as np

    parameters = read_config(options.config, options.settings, cameras=like.spec.sees)
    stamps, descriptors = [], []
    with open_source(source) as drive:
        drive.check(parameters)
        extractor = load_extractor(parameters, like.spec)
        frames = decoded_frames(drive, drive.frames(parameters))
        for frame in progress('Describing the unknown')(frames, drive.frame_count(parameters)):
            stamps.append(frame.stamp_ns)
            descriptors.append(extractor.describe(frame).astype(np.float16))
        if not stamps:
            raise no_frames(source, drive.problems)
        warn_of_problems(drive)
        return DescribedDrive(drive.name, np.array(descriptors), np.array(stamps, np.int64), None)


def queries_of(source: Path, options: DriveOptions, like: PlaceMap) -> PlaceMap:
    """Describe a drive to measure a map by; a map of a drive is described already."""
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.manifest import MANIFEST

    if (source / MANIFEST).is_file():
        return load_map(source)
    return described_drive(source, options.for_measuring(), like, 'Describing the queries')


def _in_frame_of(trajectory: Trajectory, like: PlaceMap | None) -> Trajectory:
    """Poses whose source names no frame are taken to be in the map's."""
    if like is None or trajectory.frame_id:
        return trajectory
    return replace(trajectory, frame_id=like.frame_id)


def _warn_of_frames(trajectory: Trajectory) -> None:
    if trajectory.frame_id == 'odom':
        warn(f'{trajectory.source}: poses in the frame odom drift; a map wants poses that do not')
    if trajectory.child_frame_id not in ('', 'base_link'):
        warn(f'{trajectory.source}: poses of {trajectory.child_frame_id} are taken for base_link')
