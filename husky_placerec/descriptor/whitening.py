"""
Whitening: directions in which all views differ alike count less.

Symmetric (ZCA), so that a whitened descriptor is the nearest to the original among all whitenings
(Kessy, Lewin, Strimmer, Optimal whitening and decorrelation, 2018), shared by all cameras, so that
a view compares with that of another camera as before, and shrunk towards no whitening, since small
eigenvalues are noise. Each camera's vector is of unit length again after it; an absent one is zero
and stays so.

What a map stores stays raw. With the whitened vector w(m) = W(m - mean) and its length |w(m)|,

    cos(w(q), w(m)) = (direction(q) . m - offset(q)) / |w(m)|,

so raw descriptors are compared in the whitened space at the cost of one scalar product.
"""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.products import inner_products
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

# Of the covariance towards the identity of the same trace, at least: however many views there are,
# the directions in which they hardly differ tell places apart the least.
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

        The matrix has a mean eigenvalue of 1: its scale does not matter, but float32 likes it.
        """
        values = np.asarray(vectors, np.float64)
        mean = values.mean(axis=0)
        size = len(mean)
        covariance = (values - mean).T @ (values - mean) / max(len(values) - 1, 1)
        even = max(np.trace(covariance) / size, np.finfo(np.float32).tiny)
        shrinkage = max(_oracle_shrinkage(covariance, len(values)), LEAST_SHRINKAGE)
        shrunk = (1 - shrinkage) * covariance + shrinkage * even * np.eye(size)
        powers, directions = np.linalg.eigh(shrunk)
        scales = 1 / np.sqrt(powers)
        matrix = (directions * (scales / scales.mean())) @ directions.T
        return cls(mean.astype(np.float32), matrix.astype(np.float32))

    def whiten(self, vectors: FloatArray) -> FloatArray:
        """Return [..., D] whitened unit vectors; zero vectors stay zero."""
        return normalize(self._turned(vectors))

    def lengths(self, vectors: FloatArray) -> FloatArray:
        """Return [...], the length of each whitened vector before it is made a unit; never 0."""
        lengths = np.linalg.norm(self._turned(vectors), axis=-1)
        return np.asarray(np.where(lengths > 0, lengths, 1), np.float32)

    def probe(self, queries: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Return what compares unit vectors with raw ones in the whitened space.

        :param queries: [A, D].
        :return: direction [A, D] and offset [A]; both zero for a zero query.
        """
        whitened = inner_products(self.matrix, queries - self.mean)
        there = np.asarray(queries.any(axis=1, keepdims=True))
        direction = inner_products(self.matrix, normalize(whitened * there))
        return direction, np.asarray((direction * self.mean).sum(axis=1), np.float32)

    def _turned(self, vectors: FloatArray) -> FloatArray:
        there = np.asarray(vectors).any(axis=-1, keepdims=True)
        centred = (np.asarray(vectors, np.float32) - self.mean) * there
        return np.asarray(centred @ self.matrix, np.float32)


def _oracle_shrinkage(covariance: NDArray[np.float64], count: int) -> float:
    """Return how little so many samples tell of a covariance, 0 to 1 (OAS: Chen et al., 2010)."""
    size = len(covariance)
    squares, trace = float(np.sum(covariance**2)), float(np.trace(covariance))
    spread = (count + 1 - 2 / size) * (squares - trace**2 / size)
    return min(1.0, ((1 - 2 / size) * squares + trace**2) / spread) if spread > 0 else 1.0
