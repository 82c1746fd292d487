"""
Whitening: directions in which all descriptors of a map differ a lot count less.

The whitening is
- symmetric (ZCA): among all whitenings it changes the descriptors the least (Kessy, Lewin and
  Strimmer, Optimal Whitening and Decorrelation, The American Statistician 2018);
- shared by all cameras, so that views of different cameras remain comparable;
- shrunk towards no whitening, since small eigenvalues of a covariance are mostly noise.

A whitened vector is normalised again, per camera. An absent camera's zeros stay zero.

A map stores raw descriptors. With w(m) = W(m - mean),

    cos(w(q), w(m)) = (direction(q) . m - offset(q)) / |w(m)|

so a search compares raw descriptors in the whitened space by one scalar product each.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.inner_products import inner_products
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray
import numpy as np

# At least this much shrinkage, whatever the number of descriptors: the directions in which they
# differ the least tell places apart the least.
LEAST_SHRINKAGE = 0.1


@dataclass(frozen=True, eq=False)
class Whitening:
    """
    A whitening of the vectors of one camera.

    :param mean: [D].
    :param matrix: [D, D], symmetric.
    """

    mean: FloatArray
    matrix: FloatArray

    @classmethod
    def fit(cls, vectors: FloatArray) -> Whitening:
        """
        Fit to [N, D] vectors of all cameras.

        The covariance is shrunk by Oracle Approximating Shrinkage (Chen, Wiesel, Eldar and Hero,
        Shrinkage Algorithms for MMSE Covariance Estimation, IEEE Transactions on Signal Processing
        2010). The eigenvalues of the matrix have mean 1: its scale does not change a cosine, and
        numbers near 1 suit float32.

        :raises InputError: without scikit-learn, which only the building of maps needs.
        """
        try:
            from sklearn.covariance import empirical_covariance, oas, shrunk_covariance
        except ImportError as error:
            raise InputError(
                f'whitening: {error}; it needs scikit-learn (pip install husky_placerec[report])'
            ) from error
        values = np.asarray(vectors, np.float64)
        mean = values.mean(axis=0)
        centred = values - mean
        _, shrinkage = oas(centred, assume_centered=True)
        covariance = empirical_covariance(centred, assume_centered=True)
        shrunk = shrunk_covariance(covariance, max(shrinkage, LEAST_SHRINKAGE))
        variances, directions = np.linalg.eigh(shrunk)
        scales = 1 / np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))
        matrix = (directions * (scales / scales.mean())) @ directions.T
        return cls(mean.astype(np.float32), matrix.astype(np.float32))

    def whiten(self, vectors: FloatArray) -> FloatArray:
        """Return [..., D] whitened unit vectors; zero vectors stay zero."""
        return normalize(self._transform(vectors))

    def lengths(self, vectors: FloatArray) -> FloatArray:
        """Return [...]: the length of each whitened vector before normalisation; 1 for zeros."""
        lengths = np.linalg.norm(self._transform(vectors), axis=-1)
        return np.asarray(np.where(lengths > 0, lengths, 1), np.float32)

    def query_directions(self, queries: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Return direction(q) and offset(q), as defined at the head of this module.

        :param queries: [A, D].
        :return: directions [A, D] and offsets [A]; both are zero for a zero query.
        """
        whitened = inner_products(self.matrix, queries - self.mean)
        present = np.asarray(queries.any(axis=1, keepdims=True))
        direction = inner_products(self.matrix, normalize(whitened * present))
        return direction, np.asarray((direction * self.mean).sum(axis=1), np.float32)

    def _transform(self, vectors: FloatArray) -> FloatArray:
        present = np.asarray(vectors).any(axis=-1, keepdims=True)
        centred = (np.asarray(vectors, np.float32) - self.mean) * present
        return np.asarray(centred @ self.matrix, np.float32)
