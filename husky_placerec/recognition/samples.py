"""What a calibration is fitted to: evidence of frames whose places are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.evidence import evidence, Sighting
from husky_placerec.recognition.route import Places
from husky_placerec.types import FloatArray, Pose
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIGHT_M, RIGHT_DEG = 10.0, 30.0  # within which a pose counts as right
MASKED_M = 25.0  # around the truth, to make the place unknown
SAME_WAY_DEG = 60.0  # between a drive and the road, up to which it goes along it
ALONE = 0.25  # weight of a frame with one camera, which is made of every whole one
DOMINATED = 0.5  # weight of a stranger beside the place itself: an easy one
MOST_FRAMES = 1500  # of a drive; more are thinned

WHOLE, MASKED, UNKNOWN = 0, 1, 2  # origins of a sample


@dataclass(frozen=True, eq=False)
class Drive:
    """
    A drive as described.

    :param descriptors: [N, C, D].
    :param stamps_ns: [N].
    :param poses: [N, 7] in the map's frame; None where it is known only that it is elsewhere.
    :param itself: it is the map, so that no frame may be compared with its own place.
    """

    name: str
    descriptors: FloatArray
    stamps_ns: NDArray[np.int64]
    poses: Floats | None
    itself: bool = False

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def thinned(self, most: int = MOST_FRAMES) -> Drive:
        """Return no more than so many frames, evenly."""
        if len(self) <= most:
            return self
        chosen = np.linspace(0, len(self) - 1, most).astype(np.int64)
        poses = None if self.poses is None else self.poses[chosen]
        return replace(
            self,
            descriptors=self.descriptors[chosen],
            stamps_ns=self.stamps_ns[chosen],
            poses=poses,
        )


@dataclass(frozen=True, eq=False)
class Samples:
    """
    Evidence with what is true of it, N rows.

    :param evidence: [N, F].
    :param true: [N] bool.
    :param weight: [N].
    :param origin: [N] WHOLE: the map knows the place; MASKED: it was made unknown; or UNKNOWN.
    :param group: [N] rows of one neighbourhood have one number: they are not independent.
    :param alone: [N] bool, of one camera.
    """

    evidence: Floats
    true: NDArray[np.bool_]
    weight: Floats
    origin: NDArray[np.int64]
    group: NDArray[np.int64]
    alone: NDArray[np.bool_]

    @classmethod
    def join(cls, rows: Sequence[tuple[Floats, bool, float, int, int, bool]]) -> Samples:
        columns = zip(*rows)
        types = (np.float64, np.bool_, np.float64, np.int64, np.int64, np.bool_)
        return cls(*(np.array(c, t) for c, t in zip(columns, types)))

    def chosen(self, rows: NDArray[np.bool_]) -> Samples:
        return Samples(*(column[rows] for column in vars(self).values()))

    def balanced(self, unknown: float) -> Samples:
        """
        Return the samples weighed so that a share of them is of unknown places.

        Places that really are unknown count as much as those that were made so.
        """
        weight = self.weight.copy()
        there = [o for o in (MASKED, UNKNOWN) if (self.origin == o).any()]
        known = float(weight[self.origin == WHOLE].sum())
        for origin in there:
            rows = self.origin == origin
            weight[rows] *= known * unknown / (1 - unknown) / len(there) / weight[rows].sum()
        return replace(self, weight=weight)


Row = tuple[Floats, bool, float, int, int, bool]


@dataclass(frozen=True)
class Sampled:
    """Rows for the two models of one frame."""

    gate: list[Row]
    place: list[Row]


def sample(decider: Decider, drive: Drive, frame: int, group: int) -> Sampled:
    """
    Return the samples of one frame: as it is, by each camera alone, and with its place unknown.

    :param group: number of its neighbourhood.
    """
    gate: list[Row] = []
    place: list[Row] = []
    for query, weight in _views(np.asarray(drive.descriptors[frame], np.float32)):
        for is_gate, seen, true, share, origin in _evidence(decider, drive, frame, query):
            row = (seen, true, weight * share, origin, group, weight < 1)
            (gate if is_gate else place).append(row)
    return Sampled(gate, place)


def right(pose: Pose, truth: Pose) -> bool:
    return pose.distance_m(truth) <= RIGHT_M and pose.angle_deg(truth) <= RIGHT_DEG


def true_state(decider: Decider, truth: Pose, without: Places | None) -> tuple[int, bool] | None:
    """Return the place where a frame was taken and whether it faces the other way, if any."""
    place_map, route = decider.place_map, decider.route
    near = place_map.near(truth.as_array()[:2], RIGHT_M)
    if without is not None:
        near = np.setdiff1d(near, without)
    if not len(near):
        return None
    forward = truth.rotation.apply([1.0, 0.0, 0.0])
    faces = np.cos(np.arctan2(forward[1], forward[0]) - route.yaws[near])
    reverses = decider.rules.both_ways and place_map.opposites is not None
    along = (np.abs(faces) if reverses else faces) >= np.cos(np.radians(SAME_WAY_DEG))
    near, faces = near[along], faces[along]
    if not len(near):
        return None
    apart = np.linalg.norm(route.positions[near] - [truth.x, truth.y], axis=1)
    best = int(apart.argmin())
    return int(near[best]), bool(faces[best] < 0)


def _views(query: FloatArray) -> Iterator[tuple[FloatArray, float]]:
    """Yield what the cameras saw together, then what each saw alone, with their weights."""
    yield query, 1.0
    there = np.flatnonzero(query.any(axis=1))
    if len(there) > 1:
        for camera in there:
            alone = np.zeros_like(query)
            alone[camera] = query[camera]
            yield alone, ALONE


def _evidence(
    decider: Decider, drive: Drive, frame: int, query: FloatArray
) -> Iterator[tuple[bool, Floats, bool, float, int]]:
    """Yield whether it is for the gate, the evidence, what is true, its weight and its origin."""
    own = np.array([frame], np.int64) if drive.itself else None
    sighting = decider.look(query, own)
    best = sighting.best
    if best is None:
        return
    top = _of_best(decider, sighting)
    if drive.poses is None:
        yield True, top, False, 1.0, UNKNOWN
        yield False, top, False, 1.0, UNKNOWN
        return
    truth = Pose.from_array(drive.poses[frame])
    state = true_state(decider, truth, own)
    if state is None:
        far = not len(decider.place_map.near(truth.as_array()[:2], MASKED_M))
        if far:
            yield True, top, False, 1.0, UNKNOWN
            yield False, top, False, 1.0, UNKNOWN
        return
    yield True, top, right(best.pose, truth), 1.0, WHOLE
    yield False, _of_state(decider, sighting, *state), True, 1.0, WHOLE
    near = decider.place_map.near(truth.as_array()[:2], MASKED_M)
    masked = decider.look(query, near)
    if masked.best is None:
        return
    stranger = _of_best(decider, masked)
    yield True, stranger, False, 1.0, MASKED
    yield False, stranger, False, 1.0, MASKED
    other = masked.best.place, bool(masked.best.reversed)
    yield False, _of_state(decider, sighting, *other), False, DOMINATED, WHOLE


def _of_best(decider: Decider, sighting: Sighting) -> Floats:
    places, turned = sighting.states
    return evidence(decider.place_map, decider.route, sighting, places[:1], turned[:1])[0]


def _of_state(decider: Decider, sighting: Sighting, place: int, turned: bool) -> Floats:
    state = np.array([place], np.int64), np.array([turned])
    return evidence(decider.place_map, decider.route, sighting, *state)[0]
