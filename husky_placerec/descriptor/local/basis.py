"""A smaller space for local features, in which frequent directions weigh less."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray
import numpy as np

SIZE = 32  # of a cell's vector
LEAST_IMAGES = 20  # whose cells give a stable basis


@dataclass(frozen=True, eq=False)
class Basis:
    """
    The principal components of local features, half whitened.

    `x -> (x - mean) @ axes`, where an axis is a principal component over the fourth root of its
    variance. Full whitening would raise the noise of the last components, and none would let the
    first ones decide alone.

    Source: Jegou and Chum, Negative evidences and co-occurrences in image retrieval: the benefit
    of PCA and whitening, ECCV 2012.

    :param mean: [C] of the features, and `axes` [C, D].
    """

    mean: FloatArray
    axes: FloatArray

    @classmethod
    def fit(cls, maps: FloatArray, size: int = SIZE) -> Basis:
        """
        Fit a basis to the feature maps [N, ..., C] of N images.

        :raises InputError: for too few images, or features of fewer than `size` numbers.
        """
        if len(maps) < LEAST_IMAGES:
            raise InputError(
                f'local features: {len(maps)} images to fit a basis; expected {LEAST_IMAGES}'
            )
        rows = np.asarray(maps, np.float64).reshape(-1, maps.shape[-1])
        if rows.shape[1] < size:
            raise InputError(f'local features: {rows.shape[1]} channels; expected at least {size}')
        mean = rows.mean(axis=0)
        variances, components = np.linalg.eigh(np.cov((rows - mean).T))
        variances, components = variances[::-1][:size], components[:, ::-1][:, :size]
        scale = np.power(np.maximum(variances, 1e-6 * variances.max()), -0.25)
        return cls(mean.astype(np.float32), (components * scale).astype(np.float32))
