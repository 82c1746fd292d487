"""
The agreement of two images by key points that one geometric model explains.

Mutual nearest neighbours are verified by a model: a common displacement, a homography or the
epipolar geometry of a moving camera. Many matches on one thing, such as a parked lorry, agree in
every model and still say little about the place. So the image is divided into blocks, of which
each counts at most a few matches.

Sources: ratio test, Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004;
displacement histogram, as the vote of a Hough transform in the same paper; MAGSAC++, Barath et
al., MAGSAC++, a fast, reliable and accurate robust estimator, CVPR 2020, by OpenCV's USAC; key
points spread over blocks, Mur-Artal et al., ORB-SLAM, IEEE Transactions on Robotics 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from husky_placerec.descriptor.local.keypoints import KeyPoints
from husky_placerec.descriptor.local.matcher import mutual_neighbours, SpatialAgreement
from husky_placerec.types import Floats, Mask
import numpy as np

DISPLACEMENT, HOMOGRAPHY, ESSENTIAL = 'displacement', 'homography', 'essential'
MODELS = DISPLACEMENT, HOMOGRAPHY, ESSENTIAL
FARTHEST = 0.3  # of width and height: how far a match may lie, as the place is seen from nearby
BIN = 16.0  # pixels: matches that agree in displacement lie within one bin
TOLERANCE = {HOMOGRAPHY: 3.0, ESSENTIAL: 1.0}  # pixels
ROUNDS = 200  # of MAGSAC++
LEAST_MATCHES = 8
BLOCKS = 4, 6  # rows and columns
MOST_OF_BLOCK = 4  # matches that count


@dataclass(frozen=True)
class KeyPointMatcher:
    """
    Compares key points; see the module.

    :param width: of the images in pixels, and `height`.
    :param model: one of MODELS.
    :param focal: focal length in pixels, which `essential` needs; the principal point is the
        middle of the image.
    :param ratio: greatest ratio of the distances to the nearest and the second; 1: no ratio test.
    :param least_cosine: of a match.
    """

    width: int
    height: int
    model: str = DISPLACEMENT
    focal: float = 0.0
    ratio: float = 1.0
    least_cosine: float = 0.0

    def agreement(self, image: KeyPoints, others: Sequence[KeyPoints]) -> SpatialAgreement:
        """Compare the key points of one image with those of K others; the flow is in pixels."""
        found = [self._compared(image, other) for other in others]
        scores = np.array([score for score, _ in found]).reshape(-1, 1)
        return SpatialAgreement(scores, np.array([flow for _, flow in found]).reshape(-1, 2))

    def _compared(self, image: KeyPoints, other: KeyPoints) -> tuple[float, Floats]:
        here, there = self._matches(image, other)
        if len(here) < LEAST_MATCHES:
            return 0.0, np.zeros(2)
        chosen = self._verified(here, there)
        if not chosen.any():
            return 0.0, np.zeros(2)
        score = self._spread(here[chosen]) / (BLOCKS[0] * BLOCKS[1] * MOST_OF_BLOCK)
        return score, (there - here)[chosen].mean(axis=0)

    def _matches(self, image: KeyPoints, other: KeyPoints) -> tuple[Floats, Floats]:
        """Return [M, 2] positions in both images of what matches."""
        rows, partners = mutual_neighbours(image.descriptors, other.descriptors)
        here = np.asarray(image.positions[rows], np.float64)
        there = np.asarray(other.positions[partners], np.float64)
        farthest = FARTHEST * np.array([self.width, self.height])
        good = (np.abs(there - here) < farthest).all(axis=1)
        if len(rows) and len(other) > 1 and (self.ratio < 1 or self.least_cosine > 0):
            cosines = image.descriptors[rows] @ other.descriptors.T
            second, first = np.partition(cosines, -2, axis=1)[:, -2:].T
            # Squared distances of unit vectors are 2 - 2 cosine.
            good &= (1 - first) <= self.ratio**2 * (1 - second)
            good &= first >= self.least_cosine
        return here[good], there[good]

    def _verified(self, here: Floats, there: Floats) -> Mask:
        """Return which matches the model explains."""
        if self.model == DISPLACEMENT:
            return _of_one_displacement(there - here)
        method, tolerance = cv2.USAC_MAGSAC, TOLERANCE[self.model]
        if self.model == HOMOGRAPHY:
            _, inliers = cv2.findHomography(here, there, method, tolerance, maxIters=ROUNDS)
        else:
            middle = (self.width - 1) / 2, (self.height - 1) / 2
            camera = np.array([[self.focal, 0, middle[0]], [0, self.focal, middle[1]], [0, 0, 1]])
            _, inliers = cv2.findEssentialMat(
                here, there, camera, method=method, threshold=tolerance, maxIters=ROUNDS
            )
        return np.zeros(len(here), np.bool_) if inliers is None else inliers.ravel() > 0

    def _spread(self, positions: Floats) -> int:
        """Return how many matches count, of which each block has at most a few."""
        rows, columns = BLOCKS
        right = np.clip(positions[:, 0] * columns / self.width, 0, columns - 1).astype(np.int64)
        down = np.clip(positions[:, 1] * rows / self.height, 0, rows - 1).astype(np.int64)
        counts = np.bincount(down * columns + right, minlength=rows * columns)
        return int(np.minimum(counts, MOST_OF_BLOCK).sum())


def _of_one_displacement(shifts: Floats) -> Mask:
    """Return which of [M, 2] shifts lie within a bin about the shift that has most beside it."""
    near: Mask = np.asarray((np.abs(shifts[:, None] - shifts[None]) <= BIN / 2).all(axis=2))
    return np.asarray(near[near.sum(axis=1).argmax()])
