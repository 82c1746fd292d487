"""
Train the network that the package ships, from simulated drives to weights.

The network is MobileNetV2 in two branches. One branch is trained on campuses of both protocols,
with identical and unlike cameras; the other keeps its ImageNet weights. The results are in
husky_placerec/models/README.md.

Example: python benchmarks/shipped_network.py weights.safetensors --imagenet mobilenetv2_100.pth
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
import time

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import drive_of
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.files import write_atomic
from husky_placerec.progress import bar
from husky_placerec.training.drives import Drive
from husky_placerec.training.recipe import read_recipe, Recipe
from husky_placerec.training.trainer import Trainer
import numpy as np
from rendered import Lens, PINHOLE_FOCAL, rendered
import safetensors.torch

RECIPE = Path(__file__).parent / 'shipped_network.yaml'
SEEDS = {'standard': range(101, 107), 'hard': range(111, 116)}
STEP_M = {'standard': 3.5, 'hard': 6.0}
DRIVES = (
    {'condition': 'summer_day'},
    {'condition': 'night'},
    {'condition': 'winter_dusk'},
    {'condition': 'autumn_rain', 'lane_change_m': 1.5},
    {'condition': 'night', 'reverse': True},
    {'condition': 'summer_day', 'reverse': True},
    {'condition': 'winter_night', 'lane_change_m': 2.6},
)


def campus_drives(protocol: str, seed: int, number: int) -> list[DriveConfig]:
    """
    Return the drives of one campus, each over the whole route.

    :param number: of the campus in its protocol; campuses of odd number have unlike cameras.
    """
    common = drive_of(
        protocol,
        seed=seed,
        style=number,
        step_m=STEP_M[protocol],
        identical_cameras=number % 2 == 0,
    )
    common = replace(common, length_m=float(int(common.campus().route.length_m)))
    return [replace(common, drive=10 + k, **changes) for k, changes in enumerate(DRIVES)]


def training_drives() -> list[list[DriveConfig]]:
    """Return the drives of all campuses, a list for each campus."""
    return [
        campus_drives(protocol, seed, number)
        for protocol, seeds in SEEDS.items()
        for number, seed in enumerate(seeds)
    ]


def rendered_campuses(recipe: Recipe, folder: Path) -> list[list[Drive]]:
    """Render the drives; unlike cameras are resampled to one virtual pinhole."""
    plans = training_drives()
    size = recipe.parameters.input_width, recipe.parameters.input_height
    campuses = []
    for plan in plans:
        lens = Lens(*size, 0.0 if plan[0].identical_cameras else PINHOLE_FOCAL)
        campuses.append(rendered(plan, lens, folder))
    return campuses


def train(campuses: list[list[Drive]], recipe: Recipe, weights: Path) -> None:
    """Train by the recipe; the weights are written after each tenth of the training."""
    network = make_network(resolve_spec(recipe.parameters, None))
    trainer = Trainer(network, campuses, recipe, 'concat', (1, 0))
    losses, began = [], time.monotonic()
    with bar('Training', recipe.total, ' iterations') as shown:
        for iteration in range(1, recipe.total + 1):
            losses.append(trainer.step()['loss'])
            shown.set_postfix(loss=f'{np.mean(losses[-50:]):.3f}', refresh=False)
            shown.update()
            if iteration % max(1, recipe.total // 10) == 0:
                write_atomic(weights, safetensors.torch.save(_state(trainer)))
                minutes = (time.monotonic() - began) / 60
                loss = f'loss {np.mean(losses[-100:]):.3f}'
                print(f'{iteration} iterations, {minutes:.1f} min: {loss}', flush=True)


def _state(trainer: Trainer) -> dict:
    state = trainer.network.state_dict()
    return {name: value.detach().contiguous() for name, value in state.items()}


def main() -> None:
    """Render the missing drives, train, and write the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('weights', type=Path, help='file to write')
    parser.add_argument('--imagenet', type=Path, required=True, help='file of initial weights')
    parser.add_argument('--recipe', type=Path, default=RECIPE)
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    args = parser.parse_args()
    recipe = read_recipe(args.recipe)
    parameters = replace(recipe.parameters, weights=str(args.imagenet))
    recipe = replace(recipe, parameters=parameters)
    train(rendered_campuses(recipe, args.drives), recipe, args.weights)


if __name__ == '__main__':
    main()
