"""The residuals of a bundle adjustment and their derivatives, for all observations at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.metric.triangulation import Bundle, Triangulated
from husky_placerec.types import Floats, Indices
import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

OF_POSE = 6  # position, m, and rotation, rad, in the frame of the place
OF_CAMERA = 7  # position, m, rotation, rad, in `base_link`, and logarithm of the focal length
WIDTH = 2 * OF_POSE + OF_CAMERA  # unknowns of an observation, besides the inverse distance


@dataclass(frozen=True, eq=False)
class Terms:
    """
    K observations of M landmarks.

    :param inverse: [M] 1/distance at the beginning.
    :param landmark: [K] rows of `inverse`.
    :param home: [K] places of the landmarks, `other` [K] places that see them.
    :param camera: [K].
    :param bearings: [K, 3] at home, and `seen` [K, 3] in the other place, in `base_link`.
    :param across: [K, 2, 3] tangents of `seen`.
    :param focal: [K] px.
    """

    inverse: Floats
    landmark: Indices
    home: Indices
    other: Indices
    camera: Indices
    bearings: Floats
    seen: Floats
    across: Floats
    focal: Floats

    def linearized(
        self,
        place: Floats,
        turned: Floats,
        inverse: Floats,
        cameras: Floats,
        origins: Floats,
        axes: Floats,
    ) -> tuple[Floats, Floats, Floats]:
        """
        Return [K, 2] residuals, [K, 2, WIDTH] derivatives, and [K, 2] those by the distance.

        :param place: [N, 3] positions, and `turned` [N, 3, 3] rotations of the places.
        :param cameras: [C, OF_CAMERA] corrections of the cameras.
        """
        here, there = turned[self.home], turned[self.other]
        relative = np.einsum('kba,kbc->kac', there, here)
        fix = cameras[self.camera]
        origin = origins[self.camera] + fix[:, :3]
        axis = axes[self.camera]
        turns = Rotation.from_rotvec(cameras[:, 3:6]).as_matrix()[self.camera]
        bearing = _corrected(self.bearings, fix, axis, turns)
        w = inverse[self.landmark][:, None]
        between = np.einsum('kba,kb->ka', there, place[self.home] - place[self.other])
        local = bearing + w * origin
        seen_from = np.einsum('kab,kb->ka', relative, local) + w * between
        point = seen_from - w * origin
        # The other camera is corrected by turning the point instead of its bearing.
        shown = _uncorrected(point, fix, axis, turns)
        eye = np.eye(3)
        slope = np.concatenate(
            [
                w[..., None] * relative,
                -relative @ _cross(local),
                -w[..., None] * eye[None],
                _cross(seen_from),
                w[..., None] * (relative - eye[None]),
                -relative @ _cross(bearing) + _cross(shown),
                (_beside(shown, axis) - np.einsum('kab,kb->ka', relative, _beside(bearing, axis)))[
                    ..., None
                ],
            ],
            axis=2,
        )
        deeper = np.einsum('kab,kb->ka', relative, origin) + between - origin
        ahead = np.maximum(np.einsum('kn,kn->k', self.seen, shown), 1e-3)
        off = np.einsum('kan,kn->ka', self.across, shown) / ahead[:, None]
        project = self.across - off[..., None] * self.seen[:, None]
        project *= (self.focal / ahead)[:, None, None]
        return (
            off * self.focal[:, None],
            project @ slope,
            np.einsum('kan,kn->ka', project, deeper),
        )

    def sparse(self, blocks: Floats, columns: int) -> csr_matrix:
        """Return [2 K, columns] of blocks [K, 2, WIDTH]; `columns` counts poses and cameras."""
        count = len(self.home)
        poses = columns - OF_CAMERA * (int(self.camera.max(initial=0)) + 1)
        poses = poses // OF_POSE * OF_POSE
        of = np.concatenate(
            [
                OF_POSE * self.home[:, None] + np.arange(OF_POSE),
                OF_POSE * self.other[:, None] + np.arange(OF_POSE),
                poses + OF_CAMERA * self.camera[:, None] + np.arange(OF_CAMERA),
            ],
            axis=1,
        )
        indices = np.repeat(of, 2, axis=0).ravel()
        pointers = np.arange(0, 2 * count * WIDTH + 1, WIDTH)
        return csr_matrix((blocks.ravel(), indices, pointers), (2 * count, columns))

    def sparse_depths(self, slopes: Floats) -> csr_matrix:
        """Return [2 K, M] of [K, 2] derivatives by the inverse distances."""
        count = len(self.home)
        pointers = np.arange(2 * count + 1)
        shape = 2 * count, len(self.inverse)
        return csr_matrix((slopes.ravel(), self.landmark.repeat(2), pointers), shape)


def terms_of(
    bundles: Sequence[Sequence[Bundle]], found: Sequence[Sequence[Triangulated]], most: int
) -> Terms:
    """
    Return the observations of the best landmarks of each place and camera.

    :param most: landmarks of a camera of a place.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    inverse, landmarks = [np.zeros(0)], 0
    for place, (seen_by, made) in enumerate(zip(bundles, found)):
        for camera, (bundle, triangulated) in enumerate(zip(seen_by, made)):
            best = np.argsort(-triangulated.views, kind='stable')[:most]
            rows = triangulated.rows[best]
            number, which = np.nonzero(triangulated.agree[:, best])
            at = rows[which]
            others = np.array(bundle.others, np.int64)
            size = len(which)
            parts.append(
                (
                    landmarks + which,
                    np.full(size, place),
                    others[number] if size else np.zeros(0, np.int64),
                    np.full(size, camera),
                    bundle.bearings[at],
                    bundle.seen[number, at],
                    bundle.across[number, at],
                    np.full(size, bundle.focal),
                )
            )
            inverse.append(triangulated.inverse[best])
            landmarks += len(best)
    columns = [np.concatenate(column) for column in zip(*parts)]
    return Terms(np.concatenate(inverse), *columns)


def _cross(vectors: Floats) -> Floats:
    """Return [K, 3, 3] matrices that give the cross product of vectors with others."""
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.moveaxis(np.array(rows), -1, 0)


def _beside(vectors: Floats, axis: Floats) -> Floats:
    """Return the parts of vectors across the optical axis."""
    return vectors - np.einsum('kn,kn->k', vectors, axis)[:, None] * axis


def _corrected(bearings: Floats, fix: Floats, axis: Floats, turns: Floats) -> Floats:
    """Return bearings of cameras that are turned, and whose focal lengths are longer."""
    beside = _beside(bearings, axis)
    longer = bearings + (np.exp(-fix[:, 6:]) - 1) * beside
    return np.einsum('kab,kb->ka', turns, longer)


def _uncorrected(points: Floats, fix: Floats, axis: Floats, turns: Floats) -> Floats:
    """Return points as cameras see them without their correction: the inverse of it."""
    back = np.einsum('kba,kb->ka', turns, points)
    return back + (np.exp(fix[:, 6:]) - 1) * _beside(back, axis)
