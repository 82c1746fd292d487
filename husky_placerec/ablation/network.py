"""The network of a cell: its training, its descriptors and its speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import statistics
import time

from husky_placerec.ablation.protocol import fuse_by_concatenation
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
from husky_placerec.types import FloatArray, Mask
import torch

WARM_UP_RUNS, TIMED_RUNS = 3, 15


def load_trained(spec: DescriptorSpec, folder: Path) -> DescriptorNetwork:
    """Load the network that `train` stored in a folder."""
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

    Choosing the best weights of several epochs would use the same recall by which the cells are
    compared.

    :param title: of the progress bar.
    :raises InputError: for a loss that is not finite, and drives without two places to compare.
    """
    trainer = Trainer(make_network(spec), groups, recipe, spec.fusion, opposite_cameras(config))
    with bar(title, recipe.total, ' iterations') as shown:
        for _ in range(recipe.total):
            done = trainer.step()
            shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
            shown.update()
    save_weights(folder, trainer.network)


class NetworkDescriber:
    """Describes drives by a network, and fuses the cameras' vectors."""

    def __init__(self, network: DescriptorNetwork, fusion: str) -> None:
        self._network, self._fusion = network, fusion

    def describe(self, drive: Drive) -> FloatArray:
        """Return the unit vectors of the cameras, [N, C, D]."""
        return describe(self._network, drive, 'concat')

    @torch.inference_mode()
    def fuse(self, vectors: FloatArray, present: Mask) -> FloatArray:
        """Return the fused descriptors: [N, C, D] for `concat`, else [N, 1, D]."""
        if self._fusion == 'concat':
            return fuse_by_concatenation(vectors, present)
        device = self._network.mean.device
        inputs = torch.from_numpy(vectors).to(device), torch.from_numpy(present).to(device)
        return normalize(self._network.fuse(*inputs, self._fusion)[:, None].cpu().numpy())


@torch.inference_mode()
def measure_ms(network: DescriptorNetwork, spec: DescriptorSpec) -> float:
    """Return the median time in ms from a frame's resized images to its descriptor, one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        count = len(spec.cameras)
        images = torch.rand(count, 3, spec.input_height, spec.input_width)
        present = torch.ones(1, count, dtype=torch.bool)
        seconds = []
        for _ in range(WARM_UP_RUNS + TIMED_RUNS):
            began = time.perf_counter()
            network.fuse(network(images)[None], present, spec.fusion)
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return 1000 * statistics.median(seconds[WARM_UP_RUNS:])
