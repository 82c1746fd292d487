"""
Landmarks of a place: key points with an inverse distance, by neighbours whose poses are known.

A landmark is a bearing of its place and 1/distance (Civera, Davison and Montiel, Inverse depth
parametrization for monocular SLAM, IEEE Transactions on Robotics 2008). What deviates from the
epipolar plane is no match. Consensus among the neighbours chooses the distance, and Gauss-Newton
refines it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.metric.matching import NeighbourMatches
from husky_placerec.metric.rig import tangents
from husky_placerec.types import Floats, Indices, Mask
import numpy as np
from scipy.spatial.transform import Rotation

NEAR_M, FAR_M = 1.0, 60.0  # distances of landmarks
MOST_RELATIVE = 0.15  # standard deviation of a distance, as a share of it
LEAST_VIEWS = 2
ROUNDS = 3  # of Gauss-Newton
EPSILON = 1e-12


@dataclass(frozen=True, eq=False)
class Bundle:
    """
    Bearings of N key points of one camera of a place, and of their matches in J neighbours.

    All are in pixels of a focal length, across the bearing of the match.

    :param bearings: [N, 3] in the place's `base_link`.
    :param towards: [J, N, 3] the same bearings, turned into each neighbour's `base_link`.
    :param shifts: [J, 3] of the camera's centre, from the neighbour's to the place's, there.
    :param seen: [J, N, 3] bearings of the matches, and `across` [J, N, 2, 3] their tangents.
    :param there: [J, N] where there is a match.
    :param rows: [J, N] the matching key points; -1: none.
    """

    bearings: Floats
    towards: Floats
    shifts: Floats
    seen: Floats
    across: Floats
    there: Mask
    others: tuple[int, ...]
    rows: Indices
    focal: float

    def plane_errors(self) -> Floats:
        """Return [J, N] distances of the matches from their epipolar planes, in pixels."""
        normals = np.cross(self.towards, self.shifts[:, None])
        lengths = np.linalg.norm(normals, axis=2)
        apart = np.abs(np.einsum('jnk,jnk->jn', normals, self.seen))
        return np.where(self.there, apart / np.maximum(lengths, EPSILON) * self.focal, np.inf)

    def residuals(self, inverse: Floats) -> tuple[Floats, Floats]:
        """
        Return [J, N, 2] residuals in pixels, and their derivatives by the inverse distance.

        :param inverse: [N] inverse distances, 1/m.
        """
        points = self.towards + inverse[:, None] * self.shifts[:, None]
        ahead = np.einsum('jnk,jnk->jn', points, self.seen)
        ahead = np.where(np.abs(ahead) < EPSILON, EPSILON, ahead)
        off = np.einsum('jnak,jnk->jna', self.across, points) / ahead[..., None]
        steep = np.einsum('jnak,jk->jna', self.across, self.shifts)
        steep -= off * np.einsum('jnk,jk->jn', self.seen, self.shifts)[..., None]
        off[ahead < 0] = 1.0  # behind the neighbour
        return off * self.focal, steep / ahead[..., None] * self.focal

    def linear(self) -> Floats:
        """Return [J, N] inverse distances by one neighbour each; NaN where there is no match."""
        across = self.across
        fixed = np.einsum('jnak,jnk->jna', across, self.towards)
        slope = np.einsum('jnak,jk->jna', across, self.shifts)
        found = -(fixed * slope).sum(axis=2) / np.maximum((slope * slope).sum(axis=2), EPSILON)
        return np.where(self.there, found, np.nan)


def bundle_of(
    matches: NeighbourMatches,
    poses: Floats,
    origins: Floats,
    place: int,
    camera: int,
    focal: float,
) -> Bundle:
    """
    Return the matches of one camera of a place as bearings.

    :param poses: [N, 7] of the places.
    :param origins: [C, 3] of the cameras in `base_link`.
    """
    pairs = matches.pairs(place, camera)
    mine = matches.sights[place][camera].bearings
    count = len(mine)
    there = pairs.rows >= 0
    seen = np.zeros((len(pairs.others), count, 3))
    seen[..., 2] = 1.0
    for number, other in enumerate(pairs.others):
        theirs = matches.sights[other][camera].bearings
        seen[number, there[number]] = theirs[pairs.rows[number, there[number]]]
    towards, shifts = _seen_from(poses, origins[camera], mine, place, pairs.others)
    across = tangents(seen.reshape(-1, 3)).reshape(*seen.shape[:2], 2, 3)
    return Bundle(mine, towards, shifts, seen, across, there, pairs.others, pairs.rows, focal)


def _seen_from(
    poses: Floats, origin: Floats, bearings: Floats, place: int, others: Sequence[int]
) -> tuple[Floats, Floats]:
    """Return bearings of a place, and the shift of the camera, in the frames of others."""
    here = Rotation.from_quat(poses[place, 3:]).as_matrix()
    if not others:
        return np.zeros((0, len(bearings), 3)), np.zeros((0, 3))
    back = Rotation.from_quat(poses[list(others), 3:]).as_matrix().transpose(0, 2, 1)
    centre = here @ origin + poses[place, :3]
    shifts = np.einsum('jab,jb->ja', back, centre - poses[list(others), :3]) - origin
    return np.einsum('jab,nb->jna', back @ here, bearings), shifts


@dataclass(frozen=True, eq=False)
class Triangulated:
    """
    Landmarks of one camera of a place.

    :param rows: [M] key points of the place.
    :param inverse: [M] 1/distance, and `relative` [M] its standard deviation as a share.
    :param views: [M] places that see it.
    :param agree: [J, M] the neighbours that agree.
    """

    rows: Indices
    inverse: Floats
    relative: Floats
    views: Indices
    agree: Mask


def triangulate(bundle: Bundle, gate: float, sigma: float) -> Triangulated:
    """
    Return the key points of a bundle that have a distance.

    :param gate: most residual of a match, in pixels.
    :param sigma: standard deviation of a residual, in pixels.
    """
    count = len(bundle.bearings)
    there = bundle.there & (bundle.plane_errors() < gate)
    alone = bundle.linear()
    best, inverse = np.zeros(count), np.full(count, 1 / FAR_M)
    for guess in alone:
        good = np.isfinite(guess) & (guess > 1 / FAR_M) & (guess < 1 / NEAR_M)
        off = _lengths(bundle, np.where(good, guess, 1.0), there)
        score = np.where(good, np.clip(1 - (off / gate) ** 2, 0, None).sum(axis=0), -1.0)
        better = score > best
        best[better], inverse[better] = score[better], guess[better]
    weight = np.zeros(count)
    for _ in range(ROUNDS):
        off, slope = bundle.residuals(inverse)
        used = there & (np.linalg.norm(off, axis=2) < 1.5 * gate)
        weight = np.where(used, (slope * slope).sum(axis=2), 0.0).sum(axis=0)
        step = np.where(used, (slope * off).sum(axis=2), 0.0).sum(axis=0)
        inverse = np.clip(inverse - step / np.maximum(weight, EPSILON), 1e-4, 2.0)
    agree = _lengths(bundle, inverse, there) < gate
    views = 1 + agree.sum(axis=0)
    relative = sigma / np.sqrt(np.maximum(weight, EPSILON)) / inverse
    good = (best > 0) & (views >= LEAST_VIEWS) & (relative < MOST_RELATIVE)
    good &= (inverse > 1 / FAR_M) & (inverse < 1 / NEAR_M)
    rows = np.flatnonzero(good)
    return Triangulated(rows, inverse[rows], relative[rows], views[rows], agree[:, rows])


def _lengths(bundle: Bundle, inverse: Floats, there: Mask) -> Floats:
    """Return [J, N] lengths of the residuals in pixels; infinite where there is no match."""
    off, _ = bundle.residuals(inverse)
    return np.where(there, np.linalg.norm(off, axis=2), np.inf)
