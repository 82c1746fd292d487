"""
The protocol of an evaluation: in each ordered pair, one drive is the map, the other the queries.

This is the protocol of OpenPlaceRecognition; its figures are the mean over pairs. All queries of a
pair are searched at once and exactly, with the ranking of `PlaceMap.search`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import itertools
import time

from husky_placerec.config import Config
from husky_placerec.evaluation.metrics import Figures, Judged, TOLERANCES_M
from husky_placerec.evaluation.metrics.figures import one_percent, RANKS
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.placemap.exact_search import Nearest, rival_similarities, search_exactly
from husky_placerec.recognition.measurement import Thresholds
from husky_placerec.types import FloatArray, Floats, Indices, Mask
import numpy as np
from scipy.spatial import cKDTree

# Of a query: its number, the places of its candidates, whether each is passed in reverse, and the
# similarities; the order in which they shall be.
Reordering = Callable[[int, Indices, Mask, FloatArray], Indices]


@dataclass(frozen=True)
class PairProtocol:
    """
    How a pair of drives is searched and judged.

    :param tolerances_m: distances within which a candidate counts as right.
    :param candidates: how many candidates of each query are kept.
    :param opposites: for each camera the index of the one that looks the other way; None where
        some camera has none.
    :param search_reversed: also find places that are passed in the other direction.
    :param thresholds: decide what is accepted where there is no calibration.
    :param elsewhere_m: distance from which a place contradicts another.
    """

    tolerances_m: tuple[float, ...] = TOLERANCES_M
    candidates: int = 10
    opposites: tuple[int, ...] | None = None
    search_reversed: bool = True
    thresholds: Thresholds = Thresholds(0.8, 0.0)
    elsewhere_m: float = 20.0

    @classmethod
    def of(cls, config: Config, tolerances_m: Sequence[float] = TOLERANCES_M) -> PairProtocol:
        """Return the protocol that searches and decides as a configuration says."""
        return cls(
            tuple(tolerances_m),
            config.candidates,
            opposite_cameras(config),
            config.search_reversed,
            Thresholds.of(config),
            config.elsewhere,
        )

    @property
    def ways(self) -> tuple[int, ...] | None:
        """The opposites where reversed places are searched, else None."""
        return self.opposites if self.search_reversed else None


@dataclass(frozen=True)
class Ranking:
    """
    What the search found for Q queries of one pair, judged by the truth.

    :param judged: what is accepted in it is decided by the thresholds.
    :param found: [Q, candidates] the candidates that are kept.
    :param rivals: [Q] similarity of the best place that contradicts the best candidate; minus
        infinity where nothing does, and where the thresholds ask for no margin.
    :param search_ms: mean time of a query, where all queries are searched at once.
    """

    judged: Judged
    found: Nearest
    rivals: FloatArray
    search_ms: float


@dataclass(frozen=True)
class Pair:
    """
    The result of one pair of drives.

    :param database: name of the drive that is the map.
    :param queries: name of the other drive.
    :param found: [Q, candidates] the candidates that are kept.
    :param search_ms: as in a Ranking.
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
    protocol: PairProtocol,
) -> Pair:
    """
    Search the frames of one drive in a map of another; thresholds decide what is accepted.

    :param places: [N, C, D] descriptors of the drive that is the map.
    :param described: [Q, C, D] descriptors of the queries.
    """
    ranking = rank(database, places, queries, described, protocol)
    figures = Figures.of(ranking.judged, queries.name)
    return Pair(
        database.name, queries.name, ranking.judged, figures, ranking.found, ranking.search_ms
    )


def rank(
    database: Track,
    places: FloatArray,
    queries: Track,
    described: FloatArray,
    protocol: PairProtocol,
    reorder: Reordering | None = None,
) -> Ranking:
    """
    Search the queries of a pair and judge the candidates.

    :param reorder: ranks the candidates that are kept again; None: by similarity alone.

    :param places: [N, C, D] descriptors of the drive that is the map.
    :param described: [Q, C, D] descriptors of the queries.
    """
    wanted = max(*RANKS, protocol.candidates, one_percent(len(database)))
    count = min(wanted, len(database))
    tree = cKDTree(database.poses[:, :2])
    parts, kept, rivals, first, seconds = [], [], [], 0, 0.0
    began = time.perf_counter()
    for found in search_exactly(described, places, count, protocol.ways):
        rows = slice(first, first + len(found.places))
        if reorder is not None:
            found = reordered(found, rows, protocol.candidates, reorder)
        against = _rivals(described[rows], places, database, found, protocol)
        seconds += time.perf_counter() - began
        first = rows.stop
        parts.append(_judged(found, against, database, queries.poses[rows], tree, protocol))
        kept.append([column[:, : protocol.candidates] for column in vars(found).values()])
        rivals.append(against)
        began = time.perf_counter()
    return Ranking(
        Judged.join(parts),
        Nearest(*(np.concatenate(columns) for columns in zip(*kept))),
        np.concatenate(rivals),
        1000 * seconds / len(queries),
    )


def reordered(found: Nearest, rows: slice, count: int, reorder: Reordering) -> Nearest:
    """
    Return candidates whose first `count` are in another order; the others follow them.

    :param rows: numbers of the queries.
    """
    columns = {name: np.array(column) for name, column in vars(found).items()}
    for row, query in enumerate(range(rows.start, rows.stop)):
        kept = min(count, int((found.places[row] >= 0).sum()))
        order = reorder(
            query,
            found.places[row, :kept],
            found.turned[row, :kept],
            found.similarities[row, :kept],
        )
        for column in columns.values():
            column[row, :kept] = column[row, order]
    return Nearest(**columns)


def candidate_poses(found: Nearest, database: Track) -> Floats:
    """Return [Q, K, 7] poses of candidates, those in reverse turned round; NaN for none."""
    poses = database.poses[found.places]
    poses = np.where(found.turned[..., None], turned_poses(poses), poses)
    poses[found.places < 0] = np.nan
    return poses


def turned_poses(poses: Floats) -> Floats:
    """Return [..., 7] poses that face the other way, as `Pose.turned_round` does."""
    qx, qy, qz, qw = np.moveaxis(poses[..., 3:], -1, 0)
    # The product with (0, 0, 1, 0), half a turn about the z axis of the body.
    return np.concatenate([poses[..., :3], np.stack([qy, -qx, qw, -qz], axis=-1)], axis=-1)


def _rivals(
    described: FloatArray,
    places: FloatArray,
    database: Track,
    found: Nearest,
    protocol: PairProtocol,
) -> FloatArray:
    """Return [Q] similarities of the rivals; minus infinity without one, or where none counts."""
    if protocol.thresholds.min_margin <= 0:
        return np.full(len(described), -np.inf, np.float32)
    positions = database.poses[:, :2]
    return rival_similarities(
        described, places, positions, found, protocol.elsewhere_m, protocol.ways
    )


def _judged(
    found: Nearest,
    rivals: FloatArray,
    database: Track,
    truths: Floats,
    tree: cKDTree,
    protocol: PairProtocol,
) -> Judged:
    similarity = found.similarities[:, 0]
    thresholds = protocol.thresholds
    accepted = (similarity >= thresholds.min_similarity) & np.isfinite(similarity)
    contradicted = np.isfinite(rivals)
    lead = similarity[contradicted].astype(np.float64) - rivals[contradicted]
    accepted[contradicted] &= lead >= thresholds.min_margin
    return Judged.of_candidates(
        candidate_poses(found, database),
        similarity.astype(np.float64),
        truths,
        accepted,
        tree,
        protocol.tolerances_m,
    )
