"""
Patch-NetVLAD: patches of a feature map at several scales, matched and verified in space.

The features of each cell are assigned softly to clusters. A patch is the sum of the residuals of
its cells (NetVLAD), which an integral image gives for each patch by four look-ups. The patches of
two images that are mutual nearest neighbours are verified by a homography, or scored by how little
their shifts differ (rapid spatial scoring). The scores of all scales are fused by weights.

Source: Hausler, Garg, Xu, Milford and Fischer, Patch-NetVLAD: Multi-Scale Fusion of
Locally-Global Descriptors for Place Recognition, CVPR 2021; NetVLAD: Arandjelovic et al., NetVLAD:
CNN architecture for weakly supervised place recognition, CVPR 2016. What differs: the feature map
is that of any network, and the clusters are fitted to a map, not trained. The published patches
have 2, 5 and 8 cells of 30x40; the grids here have about half as many, hence the smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.local.matcher import mutual_neighbours, SpatialAgreement
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Floats, Mask
import numpy as np

PATCHES, WEIGHTS = (2, 3, 5), (0.45, 0.15, 0.4)
CLUSTERS, SIZE = 16, 128
ROUNDS = 20  # of k-means
SHARPNESS = 40.0  # of the soft assignment
LEAST_MATCHES = 4  # that determine a homography
TOLERANCE = 1.5  # of the homography, in cells, as in the published program
RANSAC_ROUNDS = 500

PatchFeatures = tuple[FloatArray, ...]  # of each scale, [patches, SIZE] unit vectors


@dataclass(frozen=True, eq=False)
class PatchVocabulary:
    """
    What Patch-NetVLAD fits to a map.

    :param clusters: [K, D] of the features of cells.
    :param mean: [K * D] of patches, and `axes` [K * D, size], whitened principal components.
    :param patches: sizes of square patches in cells.
    """

    clusters: FloatArray
    mean: FloatArray
    axes: FloatArray
    patches: tuple[int, ...] = PATCHES

    @classmethod
    def fit(
        cls,
        maps: FloatArray,
        *,
        clusters: int = CLUSTERS,
        size: int = SIZE,
        patches: Sequence[int] = PATCHES,
    ) -> PatchVocabulary:
        """
        Fit clusters and principal components.

        :param maps: [N, rows, columns, D] feature maps of images.
        :raises InputError: for too few images, or a grid that is smaller than a patch.
        """
        rows, columns = maps.shape[1:3]
        if max(patches) > min(rows, columns):
            raise InputError(
                f'patches of {max(patches)} cells; the grid has only {rows}x{columns} cells'
            )
        middle = sorted(patches)[len(patches) // 2]
        count = len(maps) * (rows - middle + 1) * (columns - middle + 1)
        if count < 2 * size:
            raise InputError(f'patches: {count} to fit {size} components; expected {2 * size}')
        cells = normalize(np.asarray(maps, np.float32).reshape(-1, maps.shape[-1]))
        criteria = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, ROUNDS, 1e-3
        cv2.setRNGSeed(0)  # that of the shuffled first centres
        labels = np.zeros((len(cells), 1), np.int32)  # only written
        found = cv2.kmeans(cells, clusters, labels, criteria, 1, cv2.KMEANS_PP_CENTERS)
        centres = np.asarray(found[2], np.float32)
        vlads = np.concatenate([patch_vlads(each, centres, middle) for each in maps])
        mean = vlads.mean(axis=0)
        variances, components = np.linalg.eigh(np.cov((vlads - mean).T))
        variances, components = variances[::-1][:size], components[:, ::-1][:, :size]
        scale = 1 / np.sqrt(np.maximum(variances, 1e-6 * variances.max()))
        axes = (components * scale).astype(np.float32)
        return cls(centres, mean.astype(np.float32), axes, tuple(patches))

    def describe(self, features: FloatArray) -> PatchFeatures:
        """Return the patches of a feature map [rows, columns, D]; none of one that is all zero."""
        if not features.any():
            return tuple(np.zeros((0, self.axes.shape[1]), np.float32) for _ in self.patches)
        each = (patch_vlads(features, self.clusters, size) for size in self.patches)
        return tuple(
            normalize(np.asarray((vlads - self.mean) @ self.axes, np.float32)) for vlads in each
        )


def patch_vlads(features: FloatArray, clusters: FloatArray, size: int) -> FloatArray:
    """
    Return [patches, K * D] NetVLAD of each patch, row by row.

    The residuals of each cluster are normalised by themselves first, then all together.

    :param features: [rows, columns, D].
    :param clusters: [K, D].
    :param size: of a patch, in cells.
    """
    sums = _window_sums(_residuals(features, clusters), size)
    normed = normalize(sums)
    return normalize(normed.reshape(-1, clusters.size))


def _residuals(features: FloatArray, clusters: FloatArray) -> FloatArray:
    """Return [rows, columns, K, D]: by how much a cell differs from each cluster, weighted."""
    cells = normalize(np.asarray(features, np.float32))
    logits = SHARPNESS * (2 * cells @ clusters.T - np.square(clusters).sum(axis=1))
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights[..., None] * (cells[..., None, :] - clusters), np.float32)


def _window_sums(values: FloatArray, size: int) -> FloatArray:
    """Return the sums over all square windows of [rows, columns, ...] by an integral image."""
    rows, columns = values.shape[:2]
    integral = np.zeros((rows + 1, columns + 1, *values.shape[2:]), np.float64)
    integral[1:, 1:] = values.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    low, high = integral[:-size], integral[size:]
    sums = high[:, size:] - high[:, :-size] - low[:, size:] + low[:, :-size]
    return np.asarray(sums, np.float32)


@dataclass(frozen=True)
class PatchMatcher:
    """
    Compares the patches of images; see the module.

    :param rows: of the grid of cells, and `columns`.
    :param rapid: rapid spatial scoring instead of a homography.
    :param weights: of the scales in the score.
    """

    rows: int
    columns: int
    rapid: bool = False
    patches: tuple[int, ...] = PATCHES
    weights: tuple[float, ...] = WEIGHTS

    def agreement(self, image: PatchFeatures, others: Sequence[PatchFeatures]) -> SpatialAgreement:
        """Compare the patches of one image with those of K others; the flow is in cells."""
        found = [self._compared(image, other) for other in others]
        scores = np.array([score for score, _ in found]).reshape(-1, 1)
        return SpatialAgreement(scores, np.array([flow for _, flow in found]).reshape(-1, 2))

    def _compared(self, image: PatchFeatures, other: PatchFeatures) -> tuple[float, Floats]:
        verify: Callable[[Floats, Floats, Floats], tuple[float, Mask]] = (
            _rapid_score if self.rapid else _homography_score
        )
        total, shifts = 0.0, []
        for one, two, size, weight in zip(image, other, self.patches, self.weights):
            rows, partners = mutual_neighbours(one, two)
            if not len(rows):
                continue
            positions = self._positions(size)
            here, there = positions[rows], positions[partners]
            score, inliers = verify(here, there, positions)
            total += weight * score
            shifts.append((there - here)[inliers])
        moved = np.concatenate(shifts) if shifts else np.zeros((0, 2))
        return total, moved.mean(axis=0) if len(moved) else np.zeros(2)

    def _positions(self, size: int) -> Floats:
        """Return [patches, 2] the columns and rows of the patches of a size."""
        down, right = np.mgrid[: self.rows - size + 1, : self.columns - size + 1]
        return np.column_stack([right.ravel(), down.ravel()]).astype(np.float64)


def _homography_score(here: Floats, there: Floats, positions: Floats) -> tuple[float, Mask]:
    """Return the share of all patches that a homography explains, and which matches these are."""
    none = np.zeros(len(here), np.bool_)
    if len(here) < LEAST_MATCHES:
        return 0.0, none
    _, inliers = cv2.findHomography(
        here, there, cv2.RANSAC, TOLERANCE, maxIters=RANSAC_ROUNDS, confidence=0.995
    )
    if inliers is None:
        return 0.0, none
    chosen = inliers.ravel() > 0
    return float(chosen.sum() / len(positions)), chosen


def _rapid_score(here: Floats, there: Floats, positions: Floats) -> tuple[float, Mask]:
    """
    Return the rapid spatial score, 0 to 1, and all matches.

    A match counts by how near its shift is to the mean one: by the square of what is left of the
    greatest possible one, as in the published program.
    """
    shifts = there - here
    most = np.maximum(positions.max(axis=0), 1.0)
    left = np.maximum(most - np.abs(shifts - shifts.mean(axis=0)), 0.0)
    total = np.square(left).sum() / np.square(most).sum()
    return float(total / len(positions)), np.ones(len(here), np.bool_)
