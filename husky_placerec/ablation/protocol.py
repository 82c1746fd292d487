"""
Recall@1 on campuses that were never trained on: forwards, reversed, and with one camera.

A candidate is right if its position is right. Headings are not compared, because a descriptor
fused by `add` or `attention` has no heading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import itertools

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.pixels import PixelExtractor, SIZE
from husky_placerec.descriptor.preparation import resize
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.evaluation.metrics import chance_figures
from husky_placerec.evaluation.protocol import evaluate_pair, PairProtocol
from husky_placerec.training.drives import Drive
from husky_placerec.training.sampler import yaws
from husky_placerec.types import FloatArray, Mask
import numpy as np
from scipy.spatial import cKDTree

TOLERANCES_M = (5.0, 10.0)
FORWARDS, REVERSED, ONE_CAMERA = PROTOCOLS = 'forwards', 'reversed', 'one camera'
Recalls = dict[str, list[float]]  # one per campus, by `column_name` such as `forwards 5`
Describe = Callable[[Drive], FloatArray]  # to [N, C, D] unit vectors, zeros for absent cameras
# From vectors [N, C, D] and present [N, C] to descriptors [N, R, D]; R is C, or 1 where fused.
Fuse = Callable[[FloatArray, Mask], FloatArray]


@dataclass(frozen=True)
class Campus:
    """
    The drives of one campus.

    :param mapped: the drive that makes the map.
    :param queries: the drives that are recognised in it, by protocol.
    """

    mapped: Drive
    queries: dict[str, list[Drive]]

    @classmethod
    def of(cls, drives: Sequence[Drive]) -> Campus:
        """Map the first drive; the poses of the others decide whether they are reversed."""
        mapped, *others = drives
        forwards = [drive for drive in others if not _is_reversed(drive, mapped)]
        reverse = [drive for drive in others if _is_reversed(drive, mapped)]
        one_camera = [
            replace(drive, present=drive.present & (np.arange(drive.present.shape[1]) == 0))
            for drive in forwards
        ]
        return cls(mapped, {FORWARDS: forwards, REVERSED: reverse, ONE_CAMERA: one_camera})


def column_name(protocol: str, tolerance_m: float) -> str:
    """Name a column of the table, such as `forwards 5`."""
    return f'{protocol} {tolerance_m:g}'


def measure_recalls(
    campuses: Sequence[Campus],
    describe: Describe,
    fuse: Fuse,
    opposites: tuple[int, ...] | None,
    whitened: bool,
) -> Recalls:
    """
    Return the recalls of a descriptor: for each campus, the mean over its drives.

    :param opposites: for each camera the index of the camera that looks the other way; None if
        some camera has no opposite.
    :param whitened: compare in the space of a whitening that is fitted to each map.
    """
    rules = PairProtocol(TOLERANCES_M, 1, opposites)
    recalls = _no_recalls()
    for campus in campuses:
        places = fuse(describe(campus.mapped), campus.mapped.present)
        whitening = Whitening.fit(places[places.any(axis=2)]) if whitened else None
        places = _whiten(whitening, places)
        driven = itertools.chain(campus.queries[FORWARDS], campus.queries[REVERSED])
        vectors = {drive.track.path: describe(drive) for drive in driven}
        for protocol, drives in campus.queries.items():
            found = []
            for drive in drives:
                queries = fuse(vectors[drive.track.path], drive.present)
                queries = _whiten(whitening, queries)
                pair = evaluate_pair(campus.mapped.track, places, drive.track, queries, rules)
                found.append([pair.figures[_key(tolerance)] for tolerance in TOLERANCES_M])
            _append(recalls, protocol, found)
    return recalls


def chance_recalls(campuses: Sequence[Campus]) -> Recalls:
    """Return the recalls of places that are drawn at random."""
    recalls = _no_recalls()
    for campus in campuses:
        for protocol, drives in campus.queries.items():
            figures = [
                chance_figures(drive.poses, campus.mapped.poses, TOLERANCES_M) for drive in drives
            ]
            found = [[each[_key(tolerance)] for tolerance in TOLERANCES_M] for each in figures]
            _append(recalls, protocol, found)
    return recalls


def fuse_by_concatenation(vectors: FloatArray, present: Mask) -> FloatArray:
    """Fuse by concatenation: each camera keeps its row."""
    return normalize(vectors * present[..., None])


def describe_by_pixels(drive: Drive) -> FloatArray:
    """Describe a drive by the grey pixels of its images, which have the network's input size."""
    cameras = tuple(map(str, range(drive.images.shape[1])))
    width, height = SIZE
    pixels = PixelExtractor(
        DescriptorSpec(cameras, 'pixels', input_width=width, input_height=height)
    )
    flat = [resize(np.asarray(image), SIZE) for frame in drive.images for image in frame]
    return pixels.describe(flat).reshape(*drive.present.shape, -1)


def _is_reversed(drive: Drive, mapped: Drive) -> bool:
    """Say whether most of a drive goes against the direction of the mapped drive."""
    _, nearest = cKDTree(mapped.poses[:, :2]).query(drive.poses[:, :2])
    angles = yaws(drive.poses) - yaws(mapped.poses)[nearest]
    return bool(np.median(np.cos(angles)) < 0)


def _whiten(whitening: Whitening | None, vectors: FloatArray) -> FloatArray:
    return vectors if whitening is None else whitening.whiten(vectors)


def _key(tolerance_m: float) -> tuple[str, str, str]:
    return 'recall', f'{tolerance_m:g}', '1'


def _no_recalls() -> Recalls:
    return {column_name(protocol, m): [] for protocol in PROTOCOLS for m in TOLERANCES_M}


def _append(recalls: Recalls, protocol: str, found: Sequence[Sequence[float | None]]) -> None:
    """Add a campus: the mean over its drives, without drives that never come near the map."""
    values = np.array(found, float).reshape(-1, len(TOLERANCES_M))
    for tolerance, shares in zip(TOLERANCES_M, values.T):
        shares = shares[np.isfinite(shares)]
        recalls[column_name(protocol, tolerance)] += [float(shares.mean())] if len(shares) else []
