"""
One drive as the map, another as the queries: recognised as the robot does, all frames at once.

The protocol of OpenPlaceRecognition: every ordered pair of drives, and the mean over pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import itertools
import math
import time

from husky_placerec.evaluation.metrics import Figures, Judged, TOLERANCES_M
from husky_placerec.evaluation.metrics.figures import one_percent, RANKS
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.exact import Nearest, rival_similarities, search_exactly
from husky_placerec.recognition.measurement import Thresholds
from husky_placerec.types import Candidate, FloatArray, Pose, Recognition
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Rules:
    """
    How an evaluation recognises and counts.

    :param candidates: places that are kept of each search.
    :param opposites: of each camera the one that looks the other way; None where some has none.
    :param search_reversed: also recognise places that are passed in the other direction.
    :param thresholds: decide what is accepted, as on the robot.
    :param elsewhere_m: distance from which a place contradicts another.
    """

    tolerances_m: tuple[float, ...] = TOLERANCES_M
    candidates: int = 10
    opposites: tuple[int, ...] | None = None
    search_reversed: bool = True
    thresholds: Thresholds = Thresholds(0.8, 0.0)
    elsewhere_m: float = 20.0


@dataclass(frozen=True)
class Pair:
    """
    What came of one drive's frames in the other's map.

    :param found: the kept candidates.
    :param margins: [Q] lead of the first over the best that contradicts it; NaN where none does,
        and where the thresholds ask for no lead.
    :param search_ms: a query, all searched at once.
    """

    database: str
    queries: str
    judged: Judged
    figures: Figures
    found: Nearest
    margins: FloatArray
    search_ms: float


def ordered_pairs(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Return (database, queries) of every ordered pair of different drives."""
    return list(itertools.permutations(range(len(tracks)), 2))


def evaluate_pair(
    database: Track,
    places: FloatArray,
    queries: Track,
    described: FloatArray,
    rules: Rules,
) -> Pair:
    """
    Recognise the frames of one drive in a map of another.

    :param places: [N, C, D] descriptors of the map's drive.
    :param described: [Q, C, D] those of the queries.
    """
    count = min(max(*RANKS, rules.candidates, one_percent(len(database))), len(database))
    tree = cKDTree(database.poses[:, :2])
    parts, kept, leads, first, seconds = [], [], [], 0, 0.0
    began = time.perf_counter()
    ways = rules.opposites if rules.search_reversed else None
    for found in search_exactly(described, places, count, ways):
        rows = slice(first, first + len(found.places))
        margins = _margins(described[rows], places, database, found, ways, rules)
        seconds += time.perf_counter() - began
        first = rows.stop
        parts.append(_judged(found, margins, database, queries.poses[rows], tree, rules))
        kept.append([column[:, : rules.candidates] for column in vars(found).values()])
        leads.append(margins)
        began = time.perf_counter()
    judged = Judged.join(parts)
    return Pair(
        database.name,
        queries.name,
        judged,
        Figures.of(judged, queries.name),
        Nearest(*(np.concatenate(columns) for columns in zip(*kept))),
        np.concatenate(leads),
        1000 * seconds / len(queries),
    )


def recognitions(
    pair: Pair, database: Track, queries: Track, cameras: Sequence[str], rules: Rules
) -> Iterator[tuple[Recognition, Pose]]:
    """Yield the recognition and the truth of each query, as a replay would."""
    poses = [  # each place's once, as it is and turned round: there are many more candidates
        [Pose(*pose) for pose in each.tolist()]
        for each in (database.poses, turned_poses(database.poses))
    ]
    tells = rules.opposites is not None
    found = zip(*(column.tolist() for column in vars(pair.found).values()))
    truths = zip(queries.stamps_ns.tolist(), queries.image_stamps_ns.tolist(), queries.poses)
    leads = map(_or_none, pair.margins.tolist())
    for margin, columns, (stamp_ns, images, truth) in zip(leads, found, truths):
        candidates = tuple(
            Candidate(place, similarity, turned if tells else None, poses[turned][place])
            for place, similarity, turned in zip(*columns)
            if place >= 0
        )
        reason = rules.thresholds.reason(candidates[0].similarity if candidates else None, margin)
        stamps = {camera: stamp for camera, stamp in zip(cameras, images) if stamp >= 0}
        yield (
            Recognition(stamp_ns, stamps, reason is None, reason, candidates, margin=margin),
            Pose.from_array(truth),
        )


def candidate_poses(found: Nearest, database: Track) -> np.ndarray:
    """Return [Q, K, 7], turned round where a place is passed in reverse, NaN where none is."""
    poses = database.poses[found.places]
    poses = np.where(found.turned[..., None], turned_poses(poses), poses)
    poses[found.places < 0] = np.nan
    return poses


def turned_poses(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [..., 7] poses faced the other way, as `Pose.turned_round`."""
    qx, qy, qz, qw = np.moveaxis(poses[..., 3:], -1, 0)
    # The product with (0, 0, 1, 0): half a turn about the body's own z axis.
    return np.concatenate([poses[..., :3], np.stack([qy, -qx, qw, -qz], axis=-1)], axis=-1)


def _margins(
    described: FloatArray,
    places: FloatArray,
    database: Track,
    found: Nearest,
    ways: Sequence[int] | None,
    rules: Rules,
) -> FloatArray:
    """Return [Q] leads; NaN where nothing contradicts, or nobody asks."""
    if rules.thresholds.min_margin <= 0:
        return np.full(len(described), np.nan, np.float32)
    rivals = rival_similarities(
        described, places, database.poses[:, :2], found, rules.elsewhere_m, ways
    )
    leads = np.where(np.isfinite(rivals), found.similarities[:, 0] - rivals, np.nan)
    return leads.astype(np.float32)


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else number


def _judged(
    found: Nearest,
    margins: FloatArray,
    database: Track,
    truths: np.ndarray,
    tree: cKDTree,
    rules: Rules,
) -> Judged:
    similarity = found.similarities[:, 0]
    accepted = [
        rules.thresholds.reason(alike if math.isfinite(alike) else None, _or_none(margin)) is None
        for alike, margin in zip(similarity.tolist(), margins.tolist())
    ]
    return Judged.of_candidates(
        candidate_poses(found, database),
        similarity,
        truths,
        np.array(accepted, np.bool_),
        tree,
        rules.tolerances_m,
    )
