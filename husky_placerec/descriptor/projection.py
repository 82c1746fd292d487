"""
Projection: fewer numbers a descriptor, by the principal components of a map's own drive.

A projected vector is W (v - mean), normalised again; an absent camera's zeros stay zero. The
components are not scaled: this is PCA without whitening.

Source: Jegou and Chum, Negative Evidences and Co-occurrences in Image Retrieval: The Benefit of
PCA and Whitening, ECCV 2012.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import hashlib

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray
import numpy as np

MOST_VECTORS = 3000  # that the components are computed of; more change them little
TOLERANCE = 1e-3  # of the scalar products of the directions


@dataclass(frozen=True, eq=False)
class Projection:
    """
    A projection of the vectors of one camera; all cameras share it.

    :param mean: [D] float32.
    :param directions: [P, D] float32, orthonormal rows.
    """

    mean: FloatArray
    directions: FloatArray

    @classmethod
    def fit(cls, vectors: FloatArray, size: int) -> tuple[Projection, float]:
        """
        Fit to [N, D] vectors, and return also the share of their variance that remains.

        :raises InputError: for a size that N vectors of D numbers do not have.
        """
        step = -(-len(vectors) // MOST_VECTORS)
        values = np.asarray(vectors[::step], np.float64)
        most = min(len(values) - 1, values.shape[1] - 1)
        if not 1 <= size <= most:
            raise InputError(
                f'--project {size}: expected 1 to {most}, fewer than the {values.shape[1]} '
                f'numbers of a descriptor and the {len(values)} descriptors of the drive'
            )
        mean = values.mean(axis=0)
        _, scales, directions = np.linalg.svd(values - mean, full_matrices=False)
        variances = scales**2
        kept = float(variances[:size].sum() / max(variances.sum(), np.finfo(float).tiny))
        return cls(mean.astype(np.float32), directions[:size].astype(np.float32)), kept

    @classmethod
    def from_array(cls, stacked: FloatArray, source: str) -> Projection:
        """
        Make a projection of the stored [P + 1, D]: the mean, then the directions.

        :raises InputError: for numbers that no projection has.
        """
        made = cls(np.array(stacked[0]), np.array(stacked[1:]))
        products = made.directions @ made.directions.T
        if not np.abs(products - np.eye(len(products))).max() <= TOLERANCE:  # NaN is wrong, too
            raise InputError(f'{source}: the directions of the projection are not orthonormal')
        if not np.linalg.norm(made.mean) <= 1 + TOLERANCE:
            raise InputError(f'{source}: the mean of the projection is longer than 1')
        return made

    def as_array(self) -> FloatArray:
        """Return [P + 1, D]: the mean, then the directions."""
        return np.vstack([self.mean, self.directions])

    def apply(self, vectors: FloatArray) -> FloatArray:
        """Return [..., P] unit vectors of [..., D]; zero vectors stay zero."""
        values = np.asarray(vectors, np.float32)
        present = values.any(axis=-1, keepdims=True)
        return normalize(((values - self.mean) @ self.directions.T) * present)

    def of(self, spec: DescriptorSpec) -> DescriptorSpec:
        """Return the spec of projected descriptors; the projection counts among the weights."""
        digest = hashlib.sha256(spec.weights_sha256.encode() + self.as_array().tobytes())
        return replace(spec, size=len(self.directions), weights_sha256=digest.hexdigest())
