"""
One drive as the map, another as the queries: recognised as the robot does, all frames at once.

The protocol of OpenPlaceRecognition: every ordered pair of drives, and the mean over pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import itertools
import time

from husky_placerec.evaluation.metrics import Figures, Judged, TOLERANCES_M
from husky_placerec.evaluation.metrics.figures import one_percent, RANKS
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.exact import Nearest, search_exactly
from husky_placerec.recognition.gate import LOW_SIMILARITY, NO_CANDIDATE
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
    """

    tolerances_m: tuple[float, ...] = TOLERANCES_M
    candidates: int = 10
    opposites: tuple[int, ...] | None = None
    search_reversed: bool = True
    min_similarity: float = 0.8


@dataclass(frozen=True)
class Pair:
    """
    What came of one drive's frames in the other's map.

    :param found: the kept candidates.
    :param search_ms: a query, all searched at once.
    """

    database: str
    queries: str
    judged: Judged
    figures: Figures
    found: Nearest
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
    parts, kept, first, seconds = [], [], 0, 0.0
    began = time.perf_counter()
    ways = rules.opposites if rules.search_reversed else None
    for found in search_exactly(described, places, count, ways):
        seconds += time.perf_counter() - began
        truths = queries.poses[first : first + len(found.places)]
        first += len(truths)
        parts.append(_judged(found, database, truths, tree, rules))
        kept.append([column[:, : rules.candidates] for column in vars(found).values()])
        began = time.perf_counter()
    judged = Judged.join(parts)
    return Pair(
        database.name,
        queries.name,
        judged,
        Figures.of(judged, queries.name),
        Nearest(*(np.concatenate(columns) for columns in zip(*kept))),
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
    for accepted, columns, (stamp_ns, images, truth) in zip(pair.judged.accepted, found, truths):
        candidates = tuple(
            Candidate(place, similarity, turned if tells else None, poses[turned][place])
            for place, similarity, turned in zip(*columns)
            if place >= 0
        )
        reason = None if accepted else LOW_SIMILARITY if candidates else NO_CANDIDATE
        stamps = {camera: stamp for camera, stamp in zip(cameras, images) if stamp >= 0}
        recognition = Recognition(stamp_ns, stamps, bool(accepted), reason, candidates)
        yield recognition, Pose.from_array(truth)


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


def _judged(
    found: Nearest, database: Track, truths: np.ndarray, tree: cKDTree, rules: Rules
) -> Judged:
    similarity = found.similarities[:, 0]
    return Judged.of_candidates(
        candidate_poses(found, database),
        similarity,
        truths,
        similarity >= rules.min_similarity,
        tree,
        rules.tolerances_m,
    )
