"""
Recall@1 on campuses that were never trained on: forwards, the other way, and with one camera.

A candidate is right by its position alone: a fused descriptor knows no heading, and is to be
compared with one that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import itertools

from husky_placerec.descriptor.extractor import resize
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.pixels import PixelExtractor, SIZE
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.evaluation.metrics import chance_figures
from husky_placerec.evaluation.protocol import evaluate_pair, PairProtocol
from husky_placerec.training.drives import Drive
from husky_placerec.training.sampler import yaws
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TOLERANCES_M = (5.0, 10.0)
FORWARDS, REVERSED, ONE_CAMERA = PROTOCOLS = 'forwards', 'reversed', 'one camera'
Recalls = dict[str, list[float]]  # of each campus, by protocol and tolerance: `forwards 5`
Describe = Callable[[Drive], FloatArray]  # [N, C, D] unit vectors, zeros for absent cameras
Fuse = Callable[[FloatArray, NDArray[np.bool_]], FloatArray]  # with [N, C] present, to [N, R, D]


@dataclass(frozen=True)
class Campus:
    """A drive that is mapped, and those that are recognised in it."""

    mapped: Drive
    queries: dict[str, list[Drive]]  # by protocol

    @classmethod
    def of(cls, drives: Sequence[Drive]) -> Campus:
        """Map the first drive; which way the others went, their poses tell."""
        mapped, *others = drives
        there = [drive for drive in others if not _faces_back(drive, mapped)]
        back = [drive for drive in others if _faces_back(drive, mapped)]
        first = [
            replace(drive, present=drive.present & (np.arange(drive.present.shape[1]) == 0))
            for drive in there
        ]
        return cls(mapped, {FORWARDS: there, REVERSED: back, ONE_CAMERA: first})


def column(protocol: str, tolerance_m: float) -> str:
    return f'{protocol} {tolerance_m:g}'


def measure(
    campuses: Sequence[Campus],
    describe: Describe,
    fuse: Fuse,
    opposites: tuple[int, ...] | None,
    whitened: bool,
) -> Recalls:
    """
    Return the recalls of what describes drives, the mean over the drives of a campus.

    :param opposites: of each camera the one that looks the other way; None where some has none.
    :param whitened: compare through a whitening that is fitted to each map.
    """
    rules = PairProtocol(TOLERANCES_M, 1, opposites)
    recalls = _no_recalls()
    for campus in campuses:
        places = fuse(describe(campus.mapped), campus.mapped.present)
        whitening = Whitening.fit(places[places.any(axis=2)]) if whitened else None
        places = _through(whitening, places)
        vectors = {drive.track.path: describe(drive) for drive in _different(campus)}
        for protocol, drives in campus.queries.items():
            found = []
            for drive in drives:
                queries = fuse(vectors[drive.track.path], drive.present)
                queries = _through(whitening, queries)
                pair = evaluate_pair(campus.mapped.track, places, drive.track, queries, rules)
                found.append([pair.figures[_key(tolerance)] for tolerance in TOLERANCES_M])
            _append(recalls, protocol, found)
    return recalls


def measure_chance(campuses: Sequence[Campus]) -> Recalls:
    """Return the recalls of places picked at random."""
    recalls = _no_recalls()
    for campus in campuses:
        for protocol, drives in campus.queries.items():
            figures = [
                chance_figures(drive.poses, campus.mapped.poses, TOLERANCES_M) for drive in drives
            ]
            found = [[each[_key(tolerance)] for tolerance in TOLERANCES_M] for each in figures]
            _append(recalls, protocol, found)
    return recalls


def concatenated(vectors: FloatArray, present: NDArray[np.bool_]) -> FloatArray:
    """Fuse by concatenation: each camera keeps its row."""
    return normalize(vectors * present[..., None])


def pixels_of(drive: Drive) -> FloatArray:
    """Describe a drive by its grey pixels, of images that are already of the network's size."""
    cameras = tuple(map(str, range(drive.images.shape[1])))
    width, height = SIZE
    pixels = PixelExtractor(
        DescriptorSpec(cameras, 'pixels', input_width=width, input_height=height)
    )
    flat = [resize(np.asarray(image), SIZE) for frame in drive.images for image in frame]
    return pixels.describe(flat).reshape(*drive.present.shape, -1)


def _faces_back(drive: Drive, mapped: Drive) -> bool:
    """Say whether most of a drive goes the other way than the mapped one."""
    _, nearest = cKDTree(mapped.poses[:, :2]).query(drive.poses[:, :2])
    apart = yaws(drive.poses) - yaws(mapped.poses)[nearest]
    return bool(np.median(np.cos(apart)) < 0)


def _different(campus: Campus) -> list[Drive]:
    return list(itertools.chain(campus.queries[FORWARDS], campus.queries[REVERSED]))


def _through(whitening: Whitening | None, vectors: FloatArray) -> FloatArray:
    return vectors if whitening is None else whitening.whiten(vectors)


def _key(tolerance_m: float) -> tuple[str, str, str]:
    return 'recall', f'{tolerance_m:g}', '1'


def _no_recalls() -> Recalls:
    return {column(protocol, m): [] for protocol in PROTOCOLS for m in TOLERANCES_M}


def _append(recalls: Recalls, protocol: str, found: Sequence[Sequence[float | None]]) -> None:
    """Add a campus: the mean over its drives, leaving out those that had nothing to find."""
    values = np.array(found, float).reshape(-1, len(TOLERANCES_M))
    for tolerance, shares in zip(TOLERANCES_M, values.T):
        shares = shares[np.isfinite(shares)]
        recalls[column(protocol, tolerance)] += [float(shares.mean())] if len(shares) else []
