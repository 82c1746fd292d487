"""
Drives run through the sequence at calibration, to see how far frames in a row err together.

Each drive is run on its map, and on the map without all that it comes near to, where nothing that
it is told can be right; where that leaves too little of the map, without a quarter of it in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import Passing
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.evidence import Sighting
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Places
from husky_placerec.recognition.samples import Drive, MASKED, MASKED_M, right, RIGHT_M, Row, WHOLE
from husky_placerec.types import Pose, Recognition, SECOND_NS
import numpy as np
from numpy.typing import NDArray

TRUSTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15)  # to choose from
LEAST_LEFT = 0.25  # of a map, for a drive to be run where it is unknown
STRETCHES = 4  # of a map, each of which is left out for a drive of its own


@dataclass(frozen=True, eq=False)
class Setting:
    """A map with the drives that it is calibrated by; those off it have no poses."""

    place_map: PlaceMap
    drives: tuple[Drive, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """
    A drive with what a map says to its frames.

    :param truths: None where the frame is off the map, or it is not known where.
    """

    place_map: PlaceMap
    drive: Drive
    truths: tuple[Pose | None, ...]
    sightings: tuple[Sighting, ...]

    def unknown(self) -> Iterator[Run]:
        """Yield the stretches of which the map knows nothing near, as runs of their own."""
        poses = self.drive.poses
        far = np.ones(len(self.drive), np.bool_)
        if poses is not None:
            far = np.array([not len(self.place_map.near(p[:2], MASKED_M)) for p in poses])
        edges = np.flatnonzero(np.diff(far, prepend=False, append=False))
        for first, end in edges.reshape(-1, 2).tolist():
            rows = slice(first, end)
            yield replace(
                self,
                drive=self.drive.part(rows),
                truths=self.truths[rows],
                sightings=self.sightings[rows],
            )

    def metres(self, speed: float) -> float:
        """Return how far it went; by the time and a speed in m/s where nothing else tells."""
        motion, stamps_ns = self.drive.motion, self.drive.stamps_ns
        if motion is None:
            return speed * float(stamps_ns[-1] - stamps_ns[0]) / SECOND_NS
        return float(np.linalg.norm(np.diff(motion[:, :2], axis=0), axis=1).sum())

    def recognitions(
        self, calibration: Calibration, config: Config, *, by_odometry: bool = True
    ) -> Iterator[Recognition]:
        """
        Yield what is decided frame by frame.

        :param by_odometry: by that of the drive; else by time.
        """
        odometry, motion = Odometry(), self.drive.motion
        decider = Decider(self.place_map, config, calibration, odometry)
        for frame, sighting in enumerate(self.sightings):
            stamp_ns = int(self.drive.stamps_ns[frame])
            if by_odometry and motion is not None:
                odometry.lead(stamp_ns, Pose.from_array(motion[frame]))
            yield decider.decide(stamp_ns, {}, sighting.query, sighting=sighting)


def runs_of(
    setting: Setting,
    calibration: Calibration,
    config: Config,
    bars: Callable[[str], Passing],
) -> Iterator[Run]:
    """Yield the runs on one map."""
    for drive in setting.drives:
        for place_map, kept in _maps(setting.place_map, drive):
            decider = Decider(place_map, config, calibration)
            sightings = []
            frames = bars(f'Driving {drive.name}')(range(len(drive)), len(drive))
            for frame in frames:
                own = np.flatnonzero(kept == frame) if drive.itself else None
                query = np.asarray(drive.descriptors[frame], np.float32)
                sightings.append(decider.look(query, own).sighting)
            yield Run(place_map, drive, _truths(place_map, drive), tuple(sightings))


def _truths(place_map: PlaceMap, drive: Drive) -> tuple[Pose | None, ...]:
    if drive.poses is None:
        return (None,) * len(drive)
    poses = map(Pose.from_array, drive.poses)
    known = (len(place_map.near(pose[:2], RIGHT_M)) > 0 for pose in drive.poses)
    return tuple(pose if there else None for pose, there in zip(poses, known))


def _maps(place_map: PlaceMap, drive: Drive) -> Iterator[tuple[PlaceMap, Places]]:
    """
    Yield the map, and what is left of it without all that a drive comes near to.

    Where the drive is the map itself, or covers it, it leaves it for a stretch and comes back, on
    each in turn.
    """
    everything = np.arange(len(place_map))
    yield place_map, everything
    if drive.poses is None:
        return
    if drive.itself:
        without = [np.setdiff1d(everything, part) for part in _stretches(everything)]
    else:
        near = [place_map.near(pose[:2], MASKED_M) for pose in drive.poses]
        without = [np.setdiff1d(everything, np.concatenate(near))]
        if len(without[0]) < LEAST_LEFT * len(place_map):
            parts = _stretches(np.arange(len(near)))
            seen = [np.concatenate([near[frame] for frame in part]) for part in parts if len(part)]
            without = [np.setdiff1d(everything, places) for places in seen]
    for kept in without:
        if len(kept) >= LEAST_LEFT * len(place_map):
            yield _part(place_map, kept), kept


def _stretches(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(rows, STRETCHES)


def _part(place_map: PlaceMap, kept: Places) -> PlaceMap:
    return replace(
        place_map,
        places=place_map.places.chosen(kept),
        descriptors=place_map.descriptors[kept],
        lengths=None,
        index=None,
        thumbnails=None,
    )


def mistaken(run: Run, calibration: Calibration, config: Config, group: int) -> list[Row]:
    """
    Return samples of the states that the sequence followed and where the robot was not.

    They were chosen among all that it holds, by all frames until then, so that they look better
    than random ones; from a sequence that knows no better yet it is learnt how much.

    :param group: number of the run's neighbourhood.
    """
    decider = Decider(run.place_map, config, None)
    rows: list[Row] = []
    said = run.recognitions(calibration, config)
    for recognition, truth, sighting in zip(said, run.truths, run.sightings):
        at, pose = recognition.chosen, recognition.estimate
        if at is None or pose is None or (truth is not None and right(pose, truth)):
            continue
        seen = decider.reading(sighting).evidence_of(at.place, bool(at.reversed))
        rows.append((seen, False, 1.0, WHOLE if truth else MASKED, group, False))
    return rows


def best_trust(
    runs: Sequence[Run], calibration: Calibration, config: Config, passing: Passing
) -> float:
    """Return the trust by which the probabilities of the sequence come true best."""
    losses = [
        _loss(runs, replace(calibration, trust=trust), config) if runs else 0.0
        for trust in passing(TRUSTS, len(TRUSTS))
    ]
    return TRUSTS[int(np.argmin(losses))]


def _loss(runs: Sequence[Run], calibration: Calibration, config: Config) -> float:
    """Return the mean logarithmic loss of the stated probabilities."""
    losses = []
    for run in runs:
        for said, truth in zip(run.recognitions(calibration, config), run.truths):
            probability = np.clip(said.probability or 0.0, 1e-4, 1 - 1e-4)
            pose = said.estimate
            true = truth is not None and pose is not None and right(pose, truth)
            losses.append(-np.log(probability if true else 1 - probability))
    return float(np.mean(losses))
