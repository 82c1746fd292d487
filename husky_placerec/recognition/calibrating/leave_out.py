"""
Drives that are run through the recognizer at calibration, on the map and on parts of it.

Each drive is run on its map, to learn how frames in a row err together. It is also run on the map
without all places that it comes near to, where no estimate can be right. Where that leaves too
little of the map, the map loses a quarter at a time instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import Passing
from husky_placerec.recognition.calibrating.samples import (
    DescribedDrive,
    MASKED_M,
    RIGHT_M,
)
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.types import Floats, Indices, Pose, Recognition, SECOND_NS
import numpy as np

LEAST_LEFT = 0.25  # share of a map that has to be left for a drive on unknown road
QUARTERS = 4


@dataclass(frozen=True, eq=False)
class Setting:
    """A map with the drives that calibrate it; those off the map have no poses."""

    place_map: PlaceMap
    drives: tuple[DescribedDrive, ...]


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """
    A drive with the search results of its frames on one map.

    :param truths: true poses; None where the frame is off the map, or its pose is not known.
    :param whole: the map is whole; else the drive runs on a part of it.
    """

    place_map: PlaceMap
    drive: DescribedDrive
    truths: tuple[Pose | None, ...]
    results: tuple[SearchResult, ...]
    whole: bool = False

    def unknown_stretches(self) -> Iterator[RecordedRun]:
        """Yield the stretches without a place of the map near, as runs of their own."""
        poses = self.drive.poses
        far = np.ones(len(self.drive), np.bool_)
        if poses is not None:
            far = np.array([not len(self.place_map.near(p[:2], MASKED_M)) for p in poses])
        edges = np.flatnonzero(np.diff(far, prepend=False, append=False))
        for first, end in edges.reshape(-1, 2).tolist():
            yield self.part(slice(first, end))

    def part(self, rows: slice) -> RecordedRun:
        """Return some frames of the run, in a row."""
        return replace(
            self,
            drive=self.drive.part(rows),
            truths=self.truths[rows],
            results=self.results[rows],
        )

    def metres(self, speed: float) -> float:
        """Return the distance driven; by time and a speed in m/s where no pose is known."""
        return float(self.metres_along(speed)[-1])

    def known_metres(self, speed: float) -> float:
        """Return the distance driven on road that the map has, as `metres` does."""
        known = np.array([truth is not None for truth in self.truths])
        steps = np.diff(self.metres_along(speed))
        return float(steps[known[:-1] & known[1:]].sum())

    def metres_along(self, speed: float) -> Floats:
        """Return [N] the distance driven until each frame, as `metres` does."""
        motion, stamps_ns = self.drive.motion, self.drive.stamps_ns
        if motion is None:
            return np.asarray(speed * (stamps_ns - stamps_ns[0]) / SECOND_NS)
        steps = np.linalg.norm(np.diff(motion[:, :2], axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def recognitions(
        self,
        calibration: Calibration,
        config: Config,
        *,
        by_odometry: bool = True,
        landmarks: bool = True,
    ) -> Iterator[Recognition]:
        """
        Yield the decisions frame by frame.

        :param by_odometry: use the motion of the drive; else the elapsed time alone.
        :param landmarks: solve frames by landmarks, where the map has them.
        """
        odometry, motion = Odometry(), self.drive.motion
        recognizer = DescriptorRecognizer(self.place_map, config, calibration, odometry)
        for frame, result in enumerate(self.results):
            stamp_ns = int(self.drive.stamps_ns[frame])
            if by_odometry and motion is not None:
                odometry.add_recorded(stamp_ns, Pose.from_array(motion[frame]))
                odometry.take_new()
            decided = result.again() if landmarks else result.without_landmarks()
            yield recognizer.decide(stamp_ns, {}, decided)


def record_runs(
    setting: Setting, config: Config, bars: Callable[[str], Passing]
) -> Iterator[RecordedRun]:
    """Yield the runs of the drives on a map and its parts."""
    for drive in setting.drives:
        for place_map, kept in _maps(setting.place_map, drive):
            recognizer = DescriptorRecognizer(place_map, config, None)
            results = []
            asked = drive.as_queries(place_map).descriptors
            frames = bars(f'Driving {drive.name}')(range(len(drive)), len(drive))
            for frame in frames:
                own = np.flatnonzero(kept == frame) if drive.itself else None
                query = np.asarray(asked[frame], np.float32)
                results.append(drive.searched(recognizer, frame, query, without=own))
            truths = _truths(place_map, drive)
            whole = len(kept) == len(setting.place_map)
            yield RecordedRun(place_map, drive, truths, tuple(results), whole)


def _truths(place_map: PlaceMap, drive: DescribedDrive) -> tuple[Pose | None, ...]:
    if drive.poses is None:
        return (None,) * len(drive)
    poses = map(Pose.from_array, drive.poses)
    known = (len(place_map.near(pose[:2], RIGHT_M)) > 0 for pose in drive.poses)
    return tuple(pose if there else None for pose, there in zip(poses, known))


def _maps(place_map: PlaceMap, drive: DescribedDrive) -> Iterator[tuple[PlaceMap, Indices]]:
    """Yield the map and the parts of it for the drive, with the places that each has."""
    everything = np.arange(len(place_map))
    yield place_map, everything
    if drive.poses is None:
        return
    if drive.itself:
        parts = [np.setdiff1d(everything, part) for part in _quarters(everything)]
    else:
        near = [place_map.near(pose[:2], MASKED_M) for pose in drive.poses]
        parts = [np.setdiff1d(everything, np.concatenate(near))]
        if len(parts[0]) < LEAST_LEFT * len(place_map):
            quarters = [part for part in _quarters(np.arange(len(near))) if len(part)]
            seen = [np.concatenate([near[frame] for frame in part]) for part in quarters]
            parts = [np.setdiff1d(everything, places) for places in seen]
    for kept in parts:
        if len(kept) >= LEAST_LEFT * len(place_map):
            yield _part(place_map, kept), kept


def _quarters(rows: Indices) -> list[Indices]:
    return np.array_split(rows, QUARTERS)


def _part(place_map: PlaceMap, kept: Indices) -> PlaceMap:
    local, landmarks, texts = place_map.local, place_map.landmarks, place_map.texts
    return place_map.with_places(
        place_map.places.chosen(kept),
        place_map.descriptors[kept],
        local=None if local is None else local.chosen(kept),
        landmarks=None if landmarks is None else landmarks.chosen(kept),
        texts=None if texts is None else texts.chosen(kept),
    )
