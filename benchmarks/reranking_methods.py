"""The methods of reranking.py: what describes an image, and what compares two of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from husky_placerec.config import make_config
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.local.dense import DenseMatcher
from husky_placerec.descriptor.local.export import export_local
from husky_placerec.descriptor.local.keypoint_matcher import HOMOGRAPHY, KeyPointMatcher
from husky_placerec.descriptor.local.keypoints import COUNT, KeyPointNetwork, RootSift
from husky_placerec.descriptor.local.matcher import (
    Matcher,
    mutual_neighbours,
    SpatialAgreement,
)
from husky_placerec.descriptor.local.network import LocalNetwork, restored
from husky_placerec.descriptor.local.patch_netvlad import (
    PatchFeatures,
    PatchMatcher,
    PatchVocabulary,
)
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.preparation import resize
from husky_placerec.descriptor.shipped import SHIPPED, shipped_parameters
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.types import FloatArray, Floats, Pixels
import numpy as np
from reranking_tasks import HEIGHT, View, WIDTH

SMALL = (192, 112)
RATIO, LEAST_COSINE = 0.9, 0.6  # of matches of RootSIFT and of XFeat
WINDOW, STRIDE = 64, 32  # numbers of the global descriptor


@dataclass(frozen=True, eq=False)
class Family:
    """
    Methods that share their features.

    :param describe: returns the features of a view.
    :param matchers: by the name of the method.
    :param gather: makes the others of a matcher of the features of K images.
    :param image_bytes: what the features of an image take in a map.
    """

    describe: Callable[[View], Any]
    matchers: Mapping[str, Matcher[Any, Any]]
    image_bytes: int
    gather: Callable[[Sequence[Any]], Any] = list


class WindowTrick:
    """
    Windows over the global descriptor as if they were patches: what the package is not to do.

    Neighbouring numbers of the vector lie nowhere near each other in the image.
    """

    def agreement(self, image: FloatArray, others: Sequence[FloatArray]) -> SpatialAgreement:
        counts = [len(mutual_neighbours(image, other)[0]) / len(image) for other in others]
        return SpatialAgreement(np.array(counts)[:, None], np.zeros((len(others), 2)))

    @staticmethod
    def describe(view: View) -> FloatArray:
        windows = np.lib.stride_tricks.sliding_window_view(view.descriptor, WINDOW)[::STRIDE]
        return normalize(windows)


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks that all maps share; `xfeat` is None where its file is not given."""

    dense: LocalNetwork
    small: LocalNetwork
    xfeat: KeyPointNetwork | None

    def branch(self, images: Sequence[Pixels]) -> str:
        """Return the branch that most images trust, as a new map does."""
        far = [self.dense.far([image])[0] for image in images]
        return self.dense.branches[int(2 * sum(far) > len(far))]


def load_networks(xfeat: Path | None, images: Sequence[Pixels], folder: Path) -> Networks:
    """
    Load the networks, and make that of the small input.

    :param images: prepared ones, to which the bases of the small input are fitted.
    """
    spec = resolve_spec(make_config({'extractor': 'timm', **shipped_parameters()}), None)
    shrunk = [resize(image, SMALL) for image in images]
    small = export_local(make_network(spec), shrunk, folder / 'small.local.onnx', threads=1)
    return Networks(
        LocalNetwork(SHIPPED, threads=1), small, KeyPointNetwork(xfeat) if xfeat else None
    )


def families(networks: Networks, images: Sequence[Pixels]) -> list[Family]:
    """
    Return what compares images with the places of one map.

    :param images: prepared ones of the map, to which the clusters and components are fitted.
    """
    branch = networks.branch(images)
    spec = networks.dense.spec
    shape = spec.rows, spec.columns, spec.size

    def cells(image: Pixels) -> FloatArray:
        return restored(networks.dense.describe([image], [branch])[0][0])

    def small_cells(view: View) -> FloatArray:
        return restored(networks.small.describe([resize(view.image, SMALL)], [branch])[0][0])

    vocabulary = PatchVocabulary.fit(np.array([cells(i).reshape(shape) for i in images]))

    def patches(view: View) -> PatchFeatures:
        return vocabulary.describe(cells(view.image).reshape(shape))

    small, patching = networks.small.spec, PatchMatcher(spec.rows, spec.columns)
    patch_bytes = 2 * sum(each.size for each in vocabulary.describe(np.ones(shape, np.float32)))
    sift = KeyPointMatcher(WIDTH, HEIGHT, ratio=RATIO)
    found = [
        Family(
            lambda view: cells(view.image),
            {DENSE: DenseMatcher(spec.rows, spec.columns)},
            spec.bytes_of_place(1),
            np.array,
        ),
        Family(
            small_cells,
            {'dense, 192x112': DenseMatcher(small.rows, small.columns, across=2, along=1)},
            small.bytes_of_place(1),
            np.array,
        ),
        Family(
            patches,
            {
                'Patch-NetVLAD, RANSAC': patching,
                'Patch-NetVLAD, rapid': replace(patching, rapid=True),
            },
            patch_bytes,
        ),
        Family(
            lambda view: RootSift()(view.image),
            {'RootSIFT 256, displacement': sift},
            COUNT * (2 * 2 + 128),  # positions of two bytes, descriptors of one
        ),
    ]
    if networks.xfeat is not None:
        xfeat, points = networks.xfeat, KeyPointMatcher(WIDTH, HEIGHT, least_cosine=LEAST_COSINE)
        found.append(
            Family(
                lambda view: xfeat(view.image),
                {
                    'XFeat 256, displacement': points,
                    'XFeat 256, homography by MAGSAC++': replace(points, model=HOMOGRAPHY),
                },
                COUNT * (2 * 2 + 2 * 64),
            )
        )
    return [*found, Family(WindowTrick.describe, {'window trick': WindowTrick()}, 0)]


DENSE = 'dense, 384x224'


def fitted_factors(similarity: Floats, scores: Floats, right: np.ndarray) -> Floats:
    """
    Return [S] the factors of scores beside a similarity of factor 1, none below 0.

    Conditional logistic regression of which of the candidates is right (McFadden 1974).

    :param similarity: [Q, K], `scores` [Q, K, S], `right` [Q, K].
    """
    from scipy.optimize import minimize

    told = right.any(axis=1) & ~right.all(axis=1)
    columns = np.concatenate([similarity[..., None], scores], axis=2)[told]
    right, scale = right[told], np.maximum(columns.std(axis=(0, 1)), 1e-9)
    columns = columns / scale

    def loss(weights: Floats) -> float:
        logits = columns @ weights
        logits = logits - logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        share = (chances * right).sum(axis=1) / chances.sum(axis=1)
        return float(-np.log(np.maximum(share, 1e-12)).mean() + 1e-4 * np.square(weights).sum())

    start = np.ones(columns.shape[2])
    bounds = [(1e-2, None), *[(0.0, None)] * scores.shape[2]]
    weights = minimize(loss, start, method='L-BFGS-B', bounds=bounds).x / scale
    return np.asarray(weights[1:] / weights[0])
