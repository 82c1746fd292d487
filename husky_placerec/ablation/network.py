"""The network of a cell: trained by the recipe, and as fast as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import statistics
import time

from husky_placerec.ablation.protocol import concatenated
from husky_placerec.config import Config
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.network import DescriptorNetwork, make_network
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.progress import bar
from husky_placerec.training.checkpoint import save_weights, WEIGHTS
from husky_placerec.training.drives import Drive
from husky_placerec.training.recipe import Recipe
from husky_placerec.training.trainer import Trainer
from husky_placerec.training.validation import describe
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray
import torch

WARM_UP, TIMES = 3, 15  # runs of which the first do not count, and the median does


def trained(spec: DescriptorSpec, folder: Path) -> DescriptorNetwork:
    """Return the network that a training left in a folder."""
    return make_network(replace(spec, weights=str(folder / WEIGHTS)))


def train(
    spec: DescriptorSpec,
    config: Config,
    recipe: Recipe,
    groups: Sequence[Sequence[Drive]],
    folder: Path,
    title: str,
) -> None:
    """
    Train to the end of the recipe, and store the last weights.

    None are chosen by their recall: that would be measured where the cells are compared.

    :raises InputError: for a loss that is no number, and drives that give no two places.
    """
    trainer = Trainer(make_network(spec), groups, recipe, spec.fusion, opposite_cameras(config))
    with bar(title, recipe.total, ' iterations') as shown:
        for _ in range(recipe.total):
            done = trainer.step()
            shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
            shown.update()
    save_weights(folder, trainer.network)


class NetworkDescriber:
    """Describes drives by a network, and fuses what its cameras saw."""

    def __init__(self, network: DescriptorNetwork, fusion: str) -> None:
        self._network, self._fusion = network, fusion

    def describe(self, drive: Drive) -> FloatArray:
        """Return [N, C, D] unit vectors of the cameras."""
        return describe(self._network, drive, 'concat')

    @torch.inference_mode()
    def fuse(self, vectors: FloatArray, present: NDArray[np.bool_]) -> FloatArray:
        """Return [N, C, D], or [N, 1, D] of a fusion that keeps no camera apart."""
        if self._fusion == 'concat':
            return concatenated(vectors, present)
        device = self._network.mean.device
        inputs = torch.from_numpy(vectors).to(device), torch.from_numpy(present).to(device)
        return normalize(self._network.fuse(*inputs, self._fusion)[:, None].cpu().numpy())


@torch.inference_mode()
def milliseconds(network: DescriptorNetwork, spec: DescriptorSpec) -> float:
    """Return what a frame takes on one thread of the CPU, from resized images to descriptor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        count = len(spec.cameras)
        images = torch.rand(count, 3, spec.input_height, spec.input_width)
        present = torch.ones(1, count, dtype=torch.bool)
        seconds = []
        for _ in range(WARM_UP + TIMES):
            began = time.perf_counter()
            network.fuse(network(images)[None], present, spec.fusion)
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return 1000 * statistics.median(seconds[WARM_UP:])
