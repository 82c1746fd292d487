"""
One drive as the map, another as the queries: recalls by an exact search of all frames at once.

It is the protocol of OpenPlaceRecognition: every ordered pair of drives, the mean over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import itertools
import math
import time

from husky_placerec.evaluation.decisions import (
    decide_pair,
    Decisions,
    QueryFrames,
    RobotSettings,
)
from husky_placerec.evaluation.metrics import Figures, Judged, TOLERANCES_M
from husky_placerec.evaluation.metrics.figures import one_percent, RANKS
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.exact_search import Nearest, rival_similarities, search_exactly
from husky_placerec.recognition.measurement import Thresholds
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class PairProtocol:
    """
    How a pair of drives is searched and counted.

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
    :param search_ms: per query: the search of all queries at once, and the decisions.
    :param decisions: those of the robot; None for a baseline, which thresholds accept.
    """

    database: str
    queries: str
    judged: Judged
    figures: Figures
    found: Nearest
    margins: FloatArray
    search_ms: float
    decisions: Decisions | None = None


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
    Recognise the frames of one drive in a map of another.

    :param places: [N, C, D] descriptors of the map's drive.
    :param described: [Q, C, D] those of the queries.
    """
    count = min(max(*RANKS, protocol.candidates, one_percent(len(database))), len(database))
    tree = cKDTree(database.poses[:, :2])
    parts, kept, leads, first, seconds = [], [], [], 0, 0.0
    began = time.perf_counter()
    ways = protocol.opposites if protocol.search_reversed else None
    for found in search_exactly(described, places, count, ways):
        rows = slice(first, first + len(found.places))
        margins = _margins(described[rows], places, database, found, ways, protocol)
        seconds += time.perf_counter() - began
        first = rows.stop
        parts.append(_judged(found, margins, database, queries.poses[rows], tree, protocol))
        kept.append([column[:, : protocol.candidates] for column in vars(found).values()])
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


def recognize_pair(
    database: Track,
    places: FloatArray,
    queries: Track,
    frames: QueryFrames,
    protocol: PairProtocol,
    robot: RobotSettings,
) -> Pair:
    """
    Recognise the frames of one drive in a map of another, and decide about them as the robot does.

    :param places: [N, C, D] descriptors of the map's drive.
    :param frames: all frames of the queries' drive.
    """
    described = frames.descriptors[queries.rows]
    pair = evaluate_pair(database, places, queries, described, protocol)
    decisions = decide_pair(database, places, queries, frames, pair.found, pair.margins, robot)
    judged = replace(
        pair.judged,
        accepted=decisions.accepted,
        probability=decisions.probability,
        pose_right=decisions.pose_right,
    )
    return replace(
        pair,
        judged=judged,
        figures=Figures.of(judged, queries.name),
        decisions=decisions,
        search_ms=pair.search_ms + decisions.ms,
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
    protocol: PairProtocol,
) -> FloatArray:
    """Return [Q] leads; NaN where nothing contradicts, or nobody asks."""
    if protocol.thresholds.min_margin <= 0:
        return np.full(len(described), np.nan, np.float32)
    rivals = rival_similarities(
        described, places, database.poses[:, :2], found, protocol.elsewhere_m, ways
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
    protocol: PairProtocol,
) -> Judged:
    similarity = found.similarities[:, 0]
    accepted = [
        protocol.thresholds.reason(alike if math.isfinite(alike) else None, _or_none(margin))
        is None
        for alike, margin in zip(similarity.tolist(), margins.tolist())
    ]
    return Judged.of_candidates(
        candidate_poses(found, database),
        similarity,
        truths,
        np.array(accepted, np.bool_),
        tree,
        protocol.tolerances_m,
    )
