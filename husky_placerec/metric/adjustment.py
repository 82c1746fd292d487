"""
Bundle adjustment of a map whose poses are noisy, with the given poses as priors.

The unknowns are the pose of each place, the inverse distance of each landmark, and what is wrong
with the mounting and the focal length of each camera. Gauss-Newton with the robust loss of Geman
and McClure; landmarks are eliminated by the Schur complement, which is a division, because each
has one unknown (Triggs et al., Bundle adjustment - a modern synthesis, 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.metric.adjustment_terms import OF_CAMERA, OF_POSE, Terms, terms_of
from husky_placerec.metric.triangulation import Bundle, Triangulated
from husky_placerec.types import Floats
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial.transform import Rotation

ROUNDS = 8
ANNEALED = (4.0, 3.0, 2.0, 1.5, 1.0)  # multiples of the last scale of the loss
SCALE_PX = 2.0  # of the loss at the end
MOST_LANDMARKS = 70  # of a camera of a place
MOUNTING_DEG, MOUNTING_M, FOCAL = 1.0, 0.02, 0.02  # standard deviations of what is given
HEAVY = 1e12  # weight of what does not change


@dataclass(frozen=True)
class PosePrior:
    """Standard deviations of the given poses: of a position, m, and of an orientation, rad."""

    metres: float
    radians: float


@dataclass(frozen=True, eq=False)
class Adjusted:
    """
    The result of an adjustment.

    :param poses: [N, 7].
    :param mountings: [C, 6] the correction of each camera in `base_link`: m, and rad about x y z.
    :param focals: [C] the correction of each focal length, as a share.
    :param sigma: of the residuals of right matches afterwards, in pixels.
    """

    poses: Floats
    mountings: Floats
    focals: Floats
    sigma: float


def adjust(
    poses: Floats,
    bundles: Sequence[Sequence[Bundle]],
    found: Sequence[Sequence[Triangulated]],
    origins: Floats,
    axes: Floats,
    prior: PosePrior,
    *,
    cameras: bool = True,
) -> Adjusted:
    """
    Refine poses by the landmarks that places share.

    :param poses: [N, 7] as given; N is some hundreds at most.
    :param bundles: [N][C], and `found` [N][C] the landmarks.
    :param origins: [C, 3] of the cameras in `base_link`.
    :param axes: [C, 3] their optical axes there.
    :param cameras: refine mountings and focal lengths, too.
    """
    terms = terms_of(bundles, found, MOST_LANDMARKS)
    count, of_cameras = len(poses), OF_CAMERA * len(origins)
    given_t, given_r = poses[:, :3], Rotation.from_quat(poses[:, 3:])
    place, camera = given_t.copy(), np.zeros((len(origins), OF_CAMERA))
    turned, inverse = given_r, terms.inverse.copy()
    heavy = _prior_weights(count, len(origins), prior, cameras)
    sigma = float('nan')
    for number in range(ROUNDS):
        scale = SCALE_PX * ANNEALED[min(number, len(ANNEALED) - 1)]
        residuals, left, right = terms.linearized(
            place, turned.as_matrix(), inverse, camera, origins, axes
        )
        lengths = np.linalg.norm(residuals, axis=1)
        weights = 1 / (1 + (lengths / scale) ** 2) ** 2
        sigma = float(np.median(lengths[lengths < 3 * scale])) if len(lengths) else sigma
        off = np.concatenate(
            [
                _off_prior(place, turned, given_t, given_r).ravel(),
                camera.ravel() if of_cameras else np.zeros(0),
            ]
        )
        step, deeper = _solved(terms, residuals, left, right, weights, heavy, off)
        moves = step[: OF_POSE * count].reshape(-1, OF_POSE)
        place = place + turned.apply(moves[:, :3])
        turned = turned * Rotation.from_rotvec(moves[:, 3:])
        camera = camera + step[OF_POSE * count :].reshape(-1, OF_CAMERA)
        inverse = np.clip(inverse + deeper, 1e-3, 2.0)
        if np.abs(moves).max(initial=0) < 1e-5:
            break
    refined = np.hstack([place, turned.as_quat()])
    return Adjusted(refined, camera[:, :6], camera[:, 6], sigma)


def _prior_weights(count: int, cameras: int, prior: PosePrior, refined: bool) -> Floats:
    """Return the weights of the priors of all unknowns but the distances, in their order."""
    of_pose = np.repeat([prior.metres**-2, prior.radians**-2], 3)
    of_camera = np.repeat([MOUNTING_M**-2, np.radians(MOUNTING_DEG) ** -2, FOCAL**-2], (3, 3, 1))
    if not refined:
        of_camera = np.full(OF_CAMERA, HEAVY)
    return np.concatenate([np.tile(of_pose, count), np.tile(of_camera, cameras)])


def _off_prior(place: Floats, turned: Rotation, given_t: Floats, given_r: Rotation) -> Floats:
    """Return [N, 6] how far poses are from the given ones, in their own frames."""
    moved = turned.inv().apply(place - given_t)
    return np.hstack([moved, (given_r.inv() * turned).as_rotvec()])


def _solved(
    terms: Terms,
    residuals: Floats,
    left: Floats,
    right: Floats,
    weights: Floats,
    heavy: Floats,
    off: Floats,
) -> tuple[Floats, Floats]:
    """Return the step of the poses and cameras, and that of the inverse distances."""
    root = np.sqrt(weights)
    blocks = terms.sparse(left * root[:, None, None], len(heavy))
    depths = terms.sparse_depths(right * root[:, None])
    values = (residuals * root[:, None]).ravel()
    of_depth = np.asarray(depths.multiply(depths).sum(axis=0)).ravel() + 1e-6
    crossed = (blocks.T @ depths).tocsr()
    normal = blocks.T @ blocks + sparse.diags(heavy)
    gradient = -(blocks.T @ values) - heavy * off
    shallow = -(depths.T @ values)
    reduced = normal - (crossed @ sparse.diags(1 / of_depth)) @ crossed.T
    step = spsolve(reduced.tocsc(), gradient - crossed @ (shallow / of_depth))
    return step, (shallow - crossed.T @ step) / of_depth
