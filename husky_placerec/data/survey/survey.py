"""The survey of a whole source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.soundness.doubt import Doubt
from husky_placerec.data.source import find_trajectory, Source
from husky_placerec.data.survey.cameras import CameraSurvey, CameraSurveyor
from husky_placerec.data.survey.poses import PoseSurvey, survey_poses
from husky_placerec.errors import InputError
from husky_placerec.progress import Passing
import numpy as np


@dataclass(frozen=True)
class PairingSurvey:
    """
    The numbers of the pairing.

    :param complete: number of the `frames` with all cameras.
    :param unpaired: number of images in no frame, by camera.
    :param median_ms: median and `largest_ms` distance between the stamps of the images of a frame.
    """

    frames: int
    complete: int
    unpaired: dict[str, int]
    median_ms: float
    largest_ms: float


@dataclass(frozen=True)
class Survey:
    """
    The numbers of a source.

    :param cameras: None for a camera without images.
    :param poses: None without readable poses; `pose_error` says why.
    :param notes: remarks of the reader of the poses; `doubts` speak against the poses.
    :param broken: the error of the first image of each camera that does not decode.
    :param lacking: what the reader left out, a line for each kind.
    """

    source: str
    kind: str
    cameras: dict[str, CameraSurvey | None]
    pairing: PairingSurvey
    poses: PoseSurvey | None
    pose_error: str | None
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    broken: dict[str, str]
    lacking: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return all numbers for `json.dump`."""
        return {
            'source': self.source,
            'kind': self.kind,
            'cameras': {
                name: None if camera is None else camera.as_json()
                for name, camera in self.cameras.items()
            },
            'pairing': vars(self.pairing),
            'poses': None if self.poses is None else self.poses.as_json(),
            'pose_error': self.pose_error,
            'lacking': list(self.lacking),
        }


def survey(
    source: Source,
    config: Config,
    poses: str | None,
    heading: str | None,
    max_gap_s: float,
    progress: Passing,
) -> Survey:
    """
    Survey all images and poses of a source.

    :param poses: as in `find_trajectory`, and `heading` likewise.
    :raises InputError: for a missing camera, or a source that cannot be read.
    """
    surveyors = {name: CameraSurveyor(config.max_pixels) for name in config.cameras}
    total = source.frame_count(config) * len(surveyors)
    for camera, stamp_ns, image in progress(source.images(config), total):
        surveyors[camera].add(stamp_ns, image)
    stamps, pairing = _survey_pairing(source, config, surveyors)
    trajectory, pose_error = None, None
    try:
        trajectory = find_trajectory(source, poses, heading, refuse=False)
    except InputError as error:
        pose_error = str(error)
    broken = {name: each.broken[0] for name, each in surveyors.items() if each.broken}
    return Survey(
        source=str(source.path),
        kind=type(source).__name__,
        cameras={name: surveyor.result() for name, surveyor in surveyors.items()},
        pairing=pairing,
        poses=None if trajectory is None else survey_poses(trajectory, stamps, max_gap_s),
        pose_error=pose_error,
        notes=() if trajectory is None else trajectory.notes,
        doubts=() if trajectory is None else trajectory.doubts,
        broken={name: f'at {stamp_ns}: {error}' for name, (stamp_ns, error) in broken.items()},
        lacking=tuple(source.problems.lines()),
    )


def _survey_pairing(
    source: Source, config: Config, surveyors: dict[str, CameraSurveyor]
) -> tuple[np.ndarray, PairingSurvey]:
    """Return the stamps of the frames, and the numbers of the pairing."""
    stamps, offsets, complete = [], [], 0
    left = {name: len(surveyor.stamps) for name, surveyor in surveyors.items()}
    for frame in source.frames(config):
        stamps.append(frame.stamp_ns)
        complete += len(frame.images) == len(surveyors)
        for name in frame.images:
            left[name] -= 1
        if len(frame.images) > 1:
            each = frame.image_stamps_ns.values()
            offsets.append((max(each) - min(each)) / 1e6)
    pairing = PairingSurvey(
        frames=len(stamps),
        complete=complete,
        unpaired=left,
        median_ms=float(np.median(offsets)) if offsets else 0.0,
        largest_ms=max(offsets, default=0.0),
    )
    return np.array(stamps, np.int64), pairing
