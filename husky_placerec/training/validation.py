"""Recall on the validation drives, by the rules of the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
import itertools

from husky_placerec.config import Config
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.network import DescriptorNetwork
from husky_placerec.evaluation.metrics.chance import chance_figures
from husky_placerec.evaluation.protocol import evaluate_pair, PairProtocol
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.training.drives import Drive
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray
import torch

TOLERANCES_M = (5.0, 10.0, 25.0)
BATCH = 32  # images
Recalls = dict[str, float]  # recall@1, 0 to 1, by tolerance in metres


def measure_recalls(
    network: DescriptorNetwork, groups: Sequence[Sequence[Drive]], config: Config
) -> Recalls:
    """Return recall@1: the mean over all ordered pairs of drives of each group."""
    rules = PairProtocol(TOLERANCES_M, 1, opposite_cameras(config), config.search_reversed)
    found = []
    for group in groups:
        fusion, floor = config.fusion or 'concat', config.mask_floor
        described = [describe(network, drive, fusion, floor) for drive in group]
        for a, b in itertools.permutations(range(len(group)), 2):
            pair = evaluate_pair(group[a].track, described[a], group[b].track, described[b], rules)
            found.append([pair.figures['recall', f'{t:g}', '1'] for t in TOLERANCES_M])
    return _mean(found)


def chance_recalls(groups: Sequence[Sequence[Drive]]) -> Recalls:
    """Return the recall@1 of places that are drawn at random, over the same pairs."""
    found = []
    for group in groups:
        for a, b in itertools.permutations(group, 2):
            figures = chance_figures(b.poses, a.poses, TOLERANCES_M)
            found.append([figures['recall', f'{t:g}', '1'] for t in TOLERANCES_M])
    return _mean(found)


def describe(
    network: DescriptorNetwork, drive: Drive, fusion: str, floor: float = 1.0
) -> FloatArray:
    """
    Return the drive's descriptors: [N, C, D] for `concat`, else [N, 1, D].

    :param floor: weight of what moves, where the drive has masks.
    """
    flat = drive.images.reshape(-1, *drive.images.shape[2:])
    static = drive.static
    masks = None if static is None else static.reshape(-1, *static.shape[2:])
    vectors = describe_images(network, flat, masks, floor).reshape(*drive.present.shape, -1)
    present = torch.from_numpy(drive.present).to(vectors.device)
    vectors = vectors * present[..., None]
    if fusion != 'concat':
        with torch.inference_mode():
            vectors = network.fuse(vectors, present, fusion)[:, None]
    return normalize(vectors.cpu().numpy())


@torch.inference_mode()
def describe_images(
    network: DescriptorNetwork,
    images: NDArray[np.uint8],
    static: NDArray[np.uint8] | None = None,
    floor: float = 1.0,
) -> torch.Tensor:
    """
    Describe [B, H, W, 3] images as [B, D] unit vectors, in evaluation mode.

    :param static: [B, H, W] of 0 to 255, how static each pixel is; None: no masks.
    :param floor: weight of what moves.
    """
    training, device = network.training, network.mean.device
    network.eval()
    parts = []
    for first in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[first : first + BATCH])).permute(0, 3, 1, 2)
        weights = None
        if static is not None:
            share = torch.from_numpy(np.array(static[first : first + BATCH])).to(device) / 255
            weights = floor + (1 - floor) * share
        parts.append(network(batch.to(device).float() / 255, weights))
    network.train(training)
    return torch.cat(parts)


def _mean(found: Sequence[Sequence[float | None]]) -> Recalls:
    values = np.nanmean(np.array(found, float), axis=0)
    return {f'{tolerance:g}': float(value) for tolerance, value in zip(TOLERANCES_M, values)}
