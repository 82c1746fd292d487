"""What a calibration is fitted to: evidence of frames whose places are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.reading import Reading
from husky_placerec.recognition.route import Places
from husky_placerec.types import FloatArray, Pose
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIGHT_M, RIGHT_DEG = 10.0, 30.0  # within which a pose counts as right
MASKED_M = 25.0  # around the truth, to make the place unknown
SAME_WAY_DEG = 60.0  # between a drive and the road, up to which it goes along it
STRANGERS = 10  # random states a frame
MOST_FRAMES = 1500  # of a drive; more are thinned

WHOLE, MASKED, UNKNOWN = 0, 1, 2  # origins of a sample


@dataclass(frozen=True, eq=False)
class Drive:
    """
    A drive as described.

    :param descriptors: [N, C, D].
    :param stamps_ns: [N].
    :param poses: [N, 7] in the map's frame; None where it is known only that it is elsewhere.
    :param wheels: [N, 7] where its odometry says that it was; None: its poses stand in for it.
    :param itself: it is the map, so that no frame may be compared with its own place.
    """

    name: str
    descriptors: FloatArray
    stamps_ns: NDArray[np.int64]
    poses: Floats | None
    wheels: Floats | None = None
    itself: bool = False

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def thinned(self, most: int = MOST_FRAMES) -> Drive:
        """Return no more than so many frames, evenly."""
        if len(self) <= most:
            return self
        return self.part(np.linspace(0, len(self) - 1, most).astype(np.int64))

    def part(self, rows: slice | NDArray[np.int64]) -> Drive:
        """Return some of its frames."""
        return replace(
            self,
            descriptors=self.descriptors[rows],
            stamps_ns=self.stamps_ns[rows],
            poses=None if self.poses is None else self.poses[rows],
            wheels=None if self.wheels is None else self.wheels[rows],
        )

    @property
    def motion(self) -> Floats | None:
        """Poses [N, 7] that tell how it moved, though perhaps not where it was."""
        return self.poses if self.wheels is None else self.wheels


@dataclass(frozen=True, eq=False)
class Samples:
    """
    Evidence with what is true of it, N rows.

    :param evidence: [N, F].
    :param true: [N] bool.
    :param weight: [N].
    :param origin: [N] WHOLE: the map knows the place; MASKED: it was made unknown; or UNKNOWN.
    :param group: [N] rows of one neighbourhood have one number: they are not independent.
    :param partial: [N] bool, of a frame without some camera.
    """

    evidence: Floats
    true: NDArray[np.bool_]
    weight: Floats
    origin: NDArray[np.int64]
    group: NDArray[np.int64]
    partial: NDArray[np.bool_]

    @classmethod
    def join(cls, rows: Sequence[tuple[Floats, bool, float, int, int, bool]]) -> Samples:
        columns = zip(*rows)
        types = (np.float64, np.bool_, np.float64, np.int64, np.int64, np.bool_)
        return cls(*(np.array(c, t) for c, t in zip(columns, types)))

    @property
    def whole(self) -> Samples:
        """Those of frames with all cameras; all of them where there are none such."""
        return self if self.partial.all() else self.chosen(~self.partial)

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


Row = tuple[Floats, bool, float, int, int, bool]  # as the columns of Samples


@dataclass(frozen=True)
class Sampled:
    """Rows for the two models of one frame."""

    gate: list[Row]
    place: list[Row]


def sample(decider: Decider, drive: Drive, frame: int, group: int) -> Sampled:
    """
    Return the samples of one frame: as it is, by each camera alone, and with its place unknown.

    The gate is fitted to best candidates. The places are fitted to the true state beside random
    ones, as the sequence meets them: a state that it follows was not chosen for its looks.

    :param group: number of its neighbourhood.
    """
    rows = Sampled([], [])
    rng = np.random.default_rng([frame, len(drive)])
    for query in _views(np.asarray(drive.descriptors[frame], np.float32)):
        view = _View(decider, query, group, rng)
        own = np.array([frame], np.int64) if drive.itself else None
        _add(rows, view, drive, frame, own)
    return rows


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
    faces = np.cos(truth.yaw - route.yaws[near])
    reverses = decider.rules.both_ways and place_map.opposites is not None
    along = (np.abs(faces) if reverses else faces) >= np.cos(np.radians(SAME_WAY_DEG))
    near, faces = near[along], faces[along]
    if not len(near):
        return None
    apart = np.linalg.norm(route.positions[near] - [truth.x, truth.y], axis=1)
    best = int(apart.argmin())
    return int(near[best]), bool(faces[best] < 0)


def _views(query: FloatArray) -> Iterator[FloatArray]:
    """Yield what the cameras saw together, then what each saw alone."""
    yield query
    there = np.flatnonzero(query.any(axis=1))
    if len(there) > 1:
        for camera in there:
            alone = np.zeros_like(query)
            alone[camera] = query[camera]
            yield alone


@dataclass(frozen=True, eq=False)
class _View:
    """A frame, or what one camera saw of it, and how its samples are marked."""

    decider: Decider
    query: FloatArray
    group: int
    rng: np.random.Generator

    def row(self, seen: Floats, true: bool, weight: float, origin: int) -> Row:
        partial = not self.query.any(axis=1).all()
        return seen, true, weight, origin, self.group, partial


def _add(rows: Sampled, view: _View, drive: Drive, frame: int, own: Places | None) -> None:
    decider = view.decider
    reading = decider.look(view.query, own)
    best = reading.sighting.best
    if best is None:
        return
    if drive.poses is None:
        _add_unknown(rows, view, reading, UNKNOWN, None)
        return
    truth = Pose.from_array(drive.poses[frame])
    near = decider.place_map.near(truth.as_array()[:2], MASKED_M)
    state = true_state(decider, truth, own)
    if state is None:
        if not len(near):
            _add_unknown(rows, view, reading, UNKNOWN, None)
        return
    pose = best.pose  # a map that is its own drive must not look at its own place
    if not drive.itself:
        pose = reading.pose(best.place, bool(best.reversed))
    found = right(pose, truth)
    rows.gate.append(view.row(_of_best(reading), found, 1.0, WHOLE))
    rows.place.append(view.row(reading.evidence_of(*state), True, 1.0, WHOLE))
    _add_strangers(rows, view, reading, WHOLE, near)
    masked = decider.look(view.query, near)
    if masked.sighting.best is not None:
        _add_unknown(rows, view, masked, MASKED, near)


def _add_unknown(
    rows: Sampled, view: _View, reading: Reading, origin: int, near: Places | None
) -> None:
    rows.gate.append(view.row(_of_best(reading), False, 1.0, origin))
    _add_strangers(rows, view, reading, origin, near)


def _add_strangers(
    rows: Sampled, view: _View, reading: Reading, origin: int, near: Places | None
) -> None:
    """Add states that are not true: some at random, and the candidates by their small share."""
    count = len(view.decider.place_map)
    tells = view.decider.rules.both_ways and view.decider.place_map.opposites is not None
    places = view.rng.integers(count, size=STRANGERS)
    turned = (view.rng.random(STRANGERS) < 0.5) & tells
    candidates, ways = reading.sighting.states
    places, turned = np.concatenate([places, candidates]), np.concatenate([turned, ways])
    share = np.full(len(places), 1 / STRANGERS)
    share[STRANGERS:] = 1 / (count * (1 + tells))
    if near is not None:
        kept = ~np.isin(places, near)
        places, turned, share = places[kept], turned[kept], share[kept]
    if len(places):
        for seen, part in zip(reading.evidence(places, turned), share.tolist()):
            rows.place.append(view.row(seen, False, part, origin))


def _of_best(reading: Reading) -> Floats:
    places, turned = reading.sighting.states
    return reading.evidence_of(int(places[0]), bool(turned[0]))
