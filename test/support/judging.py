"""Recognitions with candidates at given poses, and their metrics."""

from __future__ import annotations

from husky_placerec.evaluation.metrics import judge, summarize, TOLERANCES_M
from husky_placerec.types import Candidate, Recognition
import numpy as np
from support.builders import planar

MAP = np.array([[10.0 * i, 0, 0, 0, 0, 0, 1] for i in range(11)])  # a place each 10 m along x


def judged(truth, *poses, accepted=True, similarity=1.0):
    """Return a recognition with candidates at these poses, best first, and the truth."""
    candidates = tuple(
        Candidate(i, similarity - i / 100, False, pose) for i, pose in enumerate(poses)
    )
    return Recognition(0, {}, accepted, None, candidates), truth


def summary(items, map_poses, tolerances=TOLERANCES_M):
    """Return the metrics of recognitions with their truths."""
    return summarize(judge(*zip(*items), map_poses, tolerances))


def random_judged(seed=3, queries=120, places=80, depth=20):
    """Return a judged drive whose similarity and error are correlated."""
    rng = np.random.default_rng(seed)
    map_poses = np.zeros((places, 7))
    map_poses[:, 0], map_poses[:, 6] = 4.0 * np.arange(places), 1
    items = []
    for x in np.linspace(0, 6.0 * places, queries):  # the last third is beyond the map
        at = [planar(x + rng.normal(0, 12)) for _ in range(depth)]
        near = at[0].distance_m(planar(x))
        items.append(judged(planar(x), *at, similarity=float(rng.normal(0.8 - near / 50, 0.05))))
    return judge(*zip(*items), map_poses)
