"""The calibration set: evidence of frames whose places are known, and what is true of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.metric.drive_sights import DriveSights
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.metric_comparison import MetricComparison
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.types import FloatArray, Floats, Indices, Mask, Pose
import numpy as np
from numpy.typing import NDArray

RIGHT_M, RIGHT_DEG = 10.0, 30.0  # within which a pose counts as right
MASKED_M = 25.0  # around the truth, to make the place unknown
SAME_WAY_DEG = 60.0  # largest angle between a drive and a road that it follows
STRANGERS = 10  # random wrong places a frame
MOST_FRAMES = 1500  # of a drive; more are thinned

WHOLE, MASKED, UNKNOWN = 0, 1, 2  # origins of a sample


@dataclass(frozen=True, eq=False)
class DescribedDrive:
    """
    A drive as descriptors.

    :param descriptors: [N, C, D].
    :param stamps_ns: [N].
    :param poses: [N, 7] in the map frame; None where the drive is off the map.
    :param odometry: [N, 7] poses in the frame `odom`; None: `poses` tell the motion.
    :param local: local descriptors of the frames; None: none.
    :param texts: [N] that were read in each frame; None: none was read.
    :param sights: key points of the frames; None: none.
    :param itself: the drive is the map, so that no frame may be compared with its own place.
    """

    name: str
    descriptors: FloatArray
    stamps_ns: Indices
    poses: Floats | None
    odometry: Floats | None = None
    local: LocalFeatures | None = None
    texts: MapTexts | None = None
    sights: DriveSights | None = None
    itself: bool = False

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def thinned(self, most: int = MOST_FRAMES) -> DescribedDrive:
        """Return at most `most` frames, evenly spread."""
        if len(self) <= most:
            return self
        return self.part(np.linspace(0, len(self) - 1, most).astype(np.int64))

    def part(self, rows: slice | Indices) -> DescribedDrive:
        """Return some of its frames."""
        return replace(
            self,
            descriptors=self.descriptors[rows],
            stamps_ns=self.stamps_ns[rows],
            poses=None if self.poses is None else self.poses[rows],
            odometry=None if self.odometry is None else self.odometry[rows],
            local=None if self.local is None else self.local.chosen(rows),
            texts=None if self.texts is None else self.texts.chosen(self._numbers(rows)),
            sights=None if self.sights is None else self.sights.chosen(self._numbers(rows)),
        )

    def _numbers(self, rows: slice | Indices) -> Indices:
        return np.arange(len(self))[rows]

    def local_of(self, frame: int) -> LocalValues | None:
        """Return [C, cells, D] the local descriptors of a frame; None where there are none."""
        return None if self.local is None else np.asarray(self.local.values[frame])

    def searched(
        self,
        recognizer: DescriptorRecognizer,
        frame: int,
        query: FloatArray,
        *,
        without: Indices | None = None,
    ) -> SearchResult:
        """
        Search a map for a frame, with all that is known of it.

        :param query: [C, D] of the frame, or of some of its cameras.
        :param without: places to leave out, as if the map did not have them.
        """
        there: Mask = np.asarray(query.any(axis=1))
        local = self.local_of(frame)
        if local is not None and len(local) == len(query):
            local = np.where(there[:, None, None], local, 0).astype(np.int8)
        place_map, metric = recognizer.place_map, None
        # The poses of single cameras are not worth the time: a robot rarely loses one.
        if self.sights is not None and place_map.landmarks is not None and there.all():
            seen = self.sights.of(frame, place_map.landmarks.spec.input_width)
            stamp_ns = int(self.stamps_ns[frame])
            if seen is not None:
                known = recognizer.calibration
                scale = 1.0 if known is None else known.metric_scale
                metric = MetricComparison(
                    place_map, seen, recognizer.config, stamp_ns, scale=scale
                )
        cameras = [name for name, seen in zip(place_map.spec.cameras, there) if seen]
        read = () if self.texts is None else self.texts.of_places[frame]
        texts = [text for text in read if text.camera in cameras or len(there) == 1]
        return recognizer.search(query, local, without, metric, texts)

    def as_queries(self, place_map: PlaceMap) -> DescribedDrive:
        """Return the drive with its descriptors as the queries of one session on a map."""
        return replace(self, descriptors=place_map.session_queries(self.descriptors))

    @property
    def motion(self) -> Floats | None:
        """Poses [N, 7] that tell how it moved, in whatever frame."""
        return self.poses if self.odometry is None else self.odometry


Row = tuple[Floats, bool, float, int, int, bool]  # the columns of Samples, for one sample


@dataclass(frozen=True, eq=False)
class Samples:
    """
    The calibration set, N samples.

    :param evidence: [N, F].
    :param true: [N] whether the place is right.
    :param weight: [N].
    :param origin: [N] WHOLE: the map knows the place; MASKED: its places around the truth were
        left out; UNKNOWN: the drive is off the map.
    :param group: [N] number of the neighbourhood: samples of one group are not independent.
    :param partial: [N] whether the frame lacks a camera.
    """

    evidence: Floats
    true: Mask
    weight: Floats
    origin: Indices
    group: Indices
    partial: Mask

    @classmethod
    def join(cls, rows: Sequence[Row]) -> Samples:
        """Make columns of samples."""
        types = (np.float64, np.bool_, np.float64, np.int64, np.int64, np.bool_)
        return cls(*(np.array(c, t) for c, t in zip(zip(*rows), types)))

    @property
    def whole(self) -> Samples:
        """The samples of frames with all cameras; all samples where there is no such frame."""
        return self if self.partial.all() else self.chosen(~self.partial)

    def chosen(self, rows: NDArray[np.bool_]) -> Samples:
        """Return some of the samples."""
        return Samples(*(column[rows] for column in vars(self).values()))

    def balanced(self, unknown: float) -> Samples:
        """
        Return the samples with weights by which `unknown` of them are of unknown places.

        Masked and truly unknown places share this weight equally.
        """
        weight = self.weight.copy()
        there = [o for o in (MASKED, UNKNOWN) if (self.origin == o).any()]
        known = float(weight[self.origin == WHOLE].sum())
        for origin in there:
            rows = self.origin == origin
            weight[rows] *= known * unknown / (1 - unknown) / len(there) / weight[rows].sum()
        return replace(self, weight=weight)


@dataclass(frozen=True)
class FrameSamples:
    """The samples of one frame: for the gate, and for the likelihood of the route filter."""

    gate: list[Row]
    place: list[Row]


def sample_frame(
    recognizer: DescriptorRecognizer, drive: DescribedDrive, frame: int, group: int
) -> FrameSamples:
    """
    Return the samples of one frame: as it is, by each camera alone, and with its place unknown.

    The gate is fitted to best candidates. The likelihood is fitted to the true place beside
    random places, because the filter did not choose the places that it follows by this frame.

    :param drive: its descriptors are queries; see `DescribedDrive.as_queries`.
    :param group: number of its neighbourhood.
    """
    samples = FrameSamples([], [])
    rng = np.random.default_rng([frame, len(drive)])
    own = np.array([frame], np.int64) if drive.itself else None
    for query in _partial_queries(np.asarray(drive.descriptors[frame], np.float32)):
        _add_query(samples, _Query(recognizer, query, group, rng), drive, frame, own)
    return samples


def is_right(pose: Pose, truth: Pose) -> bool:
    """Return whether a pose is within RIGHT_M and RIGHT_DEG of the truth."""
    return pose.distance_m(truth) <= RIGHT_M and pose.angle_deg(truth) <= RIGHT_DEG


def true_state(
    recognizer: DescriptorRecognizer, truth: Pose, without: Indices | None
) -> tuple[int, bool] | None:
    """
    Return the place of a true pose, and whether it is passed in reverse; None if there is none.

    :param without: places that do not count.
    """
    place_map, route = recognizer.place_map, recognizer.route
    near = place_map.near(truth.as_array()[:2], RIGHT_M)
    if without is not None:
        near = np.setdiff1d(near, without)
    if not len(near):
        return None
    faces = np.cos(truth.yaw - route.yaws[near])
    both_ways = recognizer.config.search_reversed and place_map.opposites is not None
    along = (np.abs(faces) if both_ways else faces) >= np.cos(np.radians(SAME_WAY_DEG))
    near, faces = near[along], faces[along]
    if not len(near):
        return None
    apart = np.linalg.norm(route.positions[near] - [truth.x, truth.y], axis=1)
    best = int(apart.argmin())
    return int(near[best]), bool(faces[best] < 0)


def _partial_queries(query: FloatArray) -> Iterator[FloatArray]:
    """Yield a query [C, D], then what each camera saw alone."""
    yield query
    there = np.flatnonzero(query.any(axis=1))
    if len(there) > 1:
        for camera in there:
            alone = np.zeros_like(query)
            alone[camera] = query[camera]
            yield alone


@dataclass(frozen=True, eq=False)
class _Query:
    """A query, and what its samples have in common."""

    recognizer: DescriptorRecognizer
    query: FloatArray
    group: int
    rng: np.random.Generator

    def row(self, seen: Floats, true: bool, weight: float, origin: int) -> Row:
        partial = not self.query.any(axis=1).all()
        return seen, true, weight, origin, self.group, partial


def _add_query(
    samples: FrameSamples, query: _Query, drive: DescribedDrive, frame: int, own: Indices | None
) -> None:
    recognizer = query.recognizer
    result = drive.searched(recognizer, frame, query.query, without=own)
    best = result.best
    if best is None:
        return
    if drive.poses is None:
        _add_unknown(samples, query, result, UNKNOWN, None)
        return
    truth = Pose.from_array(drive.poses[frame])
    near = recognizer.place_map.near(truth.as_array()[:2], MASKED_M)
    state = true_state(recognizer, truth, own)
    if state is None:
        if not len(near):
            _add_unknown(samples, query, result, UNKNOWN, None)
        return
    pose = best.pose  # where the drive is the map, interpolation would use the frame's own place
    if not drive.itself:
        pose = result.pose(best.place, bool(best.reversed))
    samples.gate.append(query.row(_of_best(result), is_right(pose, truth), 1.0, WHOLE))
    result.compare([state])
    samples.place.append(query.row(result.evidence_of(*state), True, 1.0, WHOLE))
    _add_strangers(samples, query, result, WHOLE, near)
    masked = drive.searched(recognizer, frame, query.query, without=near)
    if masked.best is not None:
        _add_unknown(samples, query, masked, MASKED, near)


def _add_unknown(
    samples: FrameSamples, query: _Query, result: SearchResult, origin: int, near: Indices | None
) -> None:
    samples.gate.append(query.row(_of_best(result), False, 1.0, origin))
    _add_strangers(samples, query, result, origin, near)


def _add_strangers(
    samples: FrameSamples, query: _Query, result: SearchResult, origin: int, near: Indices | None
) -> None:
    """
    Add wrong places: random ones, and the candidates.

    A random place has the weight `1 / STRANGERS`; a candidate has its share of all places.
    """
    recognizer = query.recognizer
    count = len(recognizer.place_map)
    both_ways = recognizer.config.search_reversed and recognizer.place_map.opposites is not None
    places = query.rng.integers(count, size=STRANGERS)
    reverse = (query.rng.random(STRANGERS) < 0.5) & both_ways
    candidates, ways = result.states
    places, reverse = np.concatenate([places, candidates]), np.concatenate([reverse, ways])
    share = np.full(len(places), 1 / STRANGERS)
    share[STRANGERS:] = 1 / (count * (1 + both_ways))
    if near is not None:
        kept = ~np.isin(places, near)
        places, reverse, share = places[kept], reverse[kept], share[kept]
    if len(places):
        for seen, part in zip(result.evidence(places, reverse), share.tolist()):
            samples.place.append(query.row(seen, False, part, origin))


def _of_best(result: SearchResult) -> Floats:
    places, reverse = result.states
    return result.evidence_of(int(places[0]), bool(reverse[0]))
