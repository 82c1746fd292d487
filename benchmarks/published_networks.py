"""
Compare our presets of published networks with their authors' own code, with random weights.

Each network is made by the authors' module, in a process of its own, because their modules have
the same names. All its weights become random numbers, also those that begin as constants: the
position embedding of MegaLoc is zero and its LayerScale 1e-5, which would hide errors. Its state
dict is then loaded into our preset, as a checkpoint would be.

The table has the length of the difference of the two unit vectors, the largest over two images
and the input sizes, and for comparison the distance between the two images.

REPOSITORIES is a folder of clones that you made, by their own names: CosPlace, EigenPlaces,
MixVPR, Bag-of-Queries, salad, MegaLoc, dinov2. Their code runs; nothing is downloaded.

`--time` prints what a network costs instead: the CPU time of one thread for an image at the
default input size, beside MobileNetV2 at 320x192. No repository is needed for that.

Example: python benchmarks/published_networks.py clones
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
import importlib
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.published.presets import PRESETS
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.types import Frame
import numpy as np
import torch
from torch import nn

MOST_DIFFERENCE = 1e-5
TIMES = 4
REPOSITORY = {
    'cosplace': 'CosPlace',
    'eigenplaces': 'EigenPlaces',
    'mixvpr': 'MixVPR',
    'boq': 'Bag-of-Queries',
    'salad': 'salad',
    'cliquemining': 'salad',
    'megaloc': 'MegaLoc',
    'dinov2': 'dinov2',
}


class Pair(nn.Module):
    """The authors' backbone and aggregator, under the names of their checkpoints."""

    def __init__(self, backbone: nn.Module, aggregator: nn.Module) -> None:
        super().__init__()
        self.backbone, self.aggregator = backbone, aggregator

    def forward(self, images: torch.Tensor) -> Any:
        return self.aggregator(self.backbone(images))


def authors_network(name: str, folder: Path) -> nn.Module:
    """Make a network by its authors' code, without a download."""
    dinov2 = torch.hub.load
    kinds = {'ResNet18': 'resnet18', 'ResNet50': 'resnet50'}

    def load(repository: str, entry: str, **given: Any) -> Any:
        if 'dinov2' in repository:
            return dinov2(str(folder / 'dinov2'), entry, source='local', pretrained=False)
        return nn.Module()  # EigenPlaces asks for the weights of CosPlace, which do not matter

    torch.hub.load = load
    kind = name.rstrip('1580').split('-')[0]
    sys.path.insert(0, str(folder / REPOSITORY[kind]))
    if kind in ('cosplace', 'eigenplaces'):
        module = importlib.import_module(f'{kind}_model.{kind}_network')
        backbone = next(each for each, timm in kinds.items() if timm == PRESETS[name].backbone)
        models = importlib.import_module('torchvision.models')
        module.get_pretrained_torchvision_model = lambda each: getattr(models, each.lower())()
        made = getattr(module, 'GeoLocalizationNet' + '_' * (kind == 'eigenplaces'))
        return made(backbone, PRESETS[name].size)
    if kind == 'boq':
        sys.path.insert(0, str(folder / REPOSITORY[kind] / 'src'))
        backbones, boq = map(importlib.import_module, ('backbones', 'boq'))
        dino = name == 'boq-dinov2'
        made = backbones.DinoV2() if dino else backbones.ResNet(pretrained=False)
        width = 384 if dino else 512
        aggregator = boq.BoQ(made.out_channels, width, 64, 2, PRESETS[name].size // width)
        return Pair(made, aggregator)
    if kind == 'megaloc':
        return importlib.import_module('megaloc_model').MegaLoc()
    if kind == 'dinov2':
        return load('dinov2', {'dinov2-s': 'dinov2_vits14', 'dinov2-b': 'dinov2_vitb14'}[name])
    if kind == 'mixvpr':
        resnet = importlib.import_module('models.backbones.resnet')
        mixvpr = importlib.import_module('models.aggregators.mixvpr')
        return Pair(
            resnet.ResNet('resnet50', pretrained=False, layers_to_crop=[4]),
            mixvpr.MixVPR(1024, 20, 20, 1024, mix_depth=4, mlp_ratio=1, out_rows=4),
        )
    backbones = importlib.import_module('models.backbones.dinov2')
    salad = importlib.import_module('models.aggregators.salad')
    return Pair(
        backbones.DINOv2('dinov2_vitb14', 4, norm_layer=True, return_token=True),
        salad.SALAD(num_channels=768, num_clusters=64, cluster_dim=128, token_dim=256),
    )


def randomize(network: nn.Module) -> None:
    """Give random values to all weights that are constants."""
    torch.manual_seed(1)
    for name, value in network.state_dict().items():
        constant = value.is_floating_point() and float(value.max() - value.min()) < 1e-9
        if not constant:
            continue
        level = float(value.mean())
        if name.endswith('.p'):  # GeM's power
            value.uniform_(2.5, 3.5)
        elif abs(level) > 0:
            value.uniform_(0.3, 1.0)
        else:
            value.normal_(0, 0.3)


def vector_of(found: Any, name: str) -> torch.Tensor:
    """Return the unit vectors of what the authors' network returns."""
    if isinstance(found, dict):  # dinov2's forward_features
        token, patches = found['x_norm_clstoken'], found['x_norm_patchtokens']
        found = torch.cat([token, patches.mean(1)], 1)
    if isinstance(found, tuple):  # BoQ's attention is the second
        found = found[0]
    return nn.functional.normalize(found, dim=1)


def sizes(name: str) -> list[tuple[int, int]]:
    """Return the input sizes on which a preset is compared."""
    preset = PRESETS[name]
    if preset.fixed:
        return [preset.input_size]
    return [preset.input_size, (224, 224) if preset.multiple > 1 else (256, 160)]


@torch.inference_mode()
def compare(name: str, folder: Path) -> dict[str, float]:
    """Return the difference of ours and the authors' network, and the distance of two images."""
    theirs = authors_network(name, folder)
    randomize(theirs)
    theirs.eval()
    call: Callable[..., Any] = theirs
    if name.startswith('dinov2'):
        call = theirs.forward_features  # type: ignore[assignment]
    worst, distance = 0.0, float('inf')
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / 'checkpoint.pth'
        torch.save(theirs.state_dict(), file)
        base = resolve_spec(make_config({'preset': name, 'weights': str(file)}), None)
        for width, height in sizes(name):
            ours = make_network(replace(base, input_width=width, input_height=height))
            rng = np.random.default_rng(0)
            images = torch.from_numpy(rng.random((2, 3, height, width), np.float32))
            images[1] = images[1].flip(-1) * 0.5
            expected = vector_of(call((images - ours.mean) / ours.std), name)
            found = ours(images)
            assert found.shape == (2, PRESETS[name].size), found.shape
            worst = max(worst, float((found - expected).norm(dim=1).max()))
            distance = min(distance, float((expected[0] - expected[1]).norm()))
    megabytes = sum(value.numel() for value in theirs.state_dict().values()) * 4 / 1e6
    return {'difference': worst, 'distance': distance, 'megabytes': megabytes}


def cpu_ms(values: dict[str, Any]) -> float:
    """Return the least CPU time of describing an image, of TIMES, by one thread."""
    extractor = load_extractor(make_config({**values, 'weights': 'random', 'threads': 1}))
    spec = extractor.spec
    image = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
    frame = Frame(0, {'front': image}, {'front': 0})
    times = []
    for _ in range(TIMES):
        began = time.process_time()
        extractor.describe(frame)
        times.append(time.process_time() - began)
    return 1000 * min(times)


def print_costs() -> None:
    """Print the cost of each preset, and that of MobileNetV2."""
    base = cpu_ms({'extractor': 'timm', 'backbone': 'mobilenetv2_100'})
    print(f'{"mobilenetv2_100":<17}{base:>8.0f} ms')
    for name in PRESETS:
        cost = cpu_ms({'preset': name})
        print(f'{name:<17}{cost:>8.0f} ms{cost / base:>8.1f} times', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('repositories', type=Path, metavar='REPOSITORIES', nargs='?')
    parser.add_argument('--time', action='store_true', help='print what each network costs')
    parser.add_argument('--only', choices=PRESETS, help='compare one, and print JSON')
    options = parser.parse_args()
    if options.time:
        print_costs()
        return
    if options.repositories is None:
        parser.error('expected REPOSITORIES, or --time')
    if options.only:
        print(json.dumps(compare(options.only, options.repositories.absolute())))
        return
    print(f'{"preset":<15}{"difference":>12}{"distance":>10}{"MB":>6}')
    bad = []
    for name in PRESETS:
        command = [sys.executable, __file__, str(options.repositories), '--only', name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f'{name:<15} failed: {done.stderr.strip().splitlines()[-1]}')
            bad.append(name)
            continue
        found = json.loads(done.stdout.strip().splitlines()[-1])
        figures = found['difference'], found['distance'], found['megabytes']
        print('{:<15}{:>12.1e}{:>10.3f}{:>6.0f}'.format(name, *figures), flush=True)
        bad += [name] * (found['difference'] > MOST_DIFFERENCE)
    if bad:
        sys.exit(f'more than {MOST_DIFFERENCE:g}, or failed: {", ".join(bad)}')


if __name__ == '__main__':
    main()
