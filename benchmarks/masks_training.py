"""
Train the shipped network further, with masks or without, on campuses of varied traffic.

With masks, they weigh the pooling from the first batch on, and what moves is copied from image to
image. Without, the same drives, batches and number of steps are the control.

Example: python benchmarks/masks_training.py masked.safetensors --masks
"""

from __future__ import annotations

import argparse
from pathlib import Path

from husky_placerec.config import make_config
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.files import write_atomic
from husky_placerec.progress import bar
from husky_placerec.training.recipe import Recipe
from husky_placerec.training.trainer import Trainer
from masks_drives import load_training
import safetensors.torch
import torch

NETWORK = {
    'extractor': 'timm',
    'backbone': 'anchored_mobilenetv2',
    'backbone_options': 'pad_type=same',
    'weights': 'shipped',
    'normalization': 'half',
    'pooling': 'gem:2x4',
    'head': 256,
    'input_width': 192,
    'input_height': 112,
}


def recipe_of(masks: bool, iterations: int) -> Recipe:
    """Return the recipe of the shipped network, gentler, with masks or without."""
    parameters = make_config({**NETWORK, 'masks': masks})
    paths = (('rendered', 'rendered'),)
    return Recipe(
        drives=paths,
        validation=paths,
        parameters=parameters,
        epochs=1,
        iterations=iterations,
        positive_m=7.0,
        negative_m=20.0,
        places=10,
        most_places=10,
        groups_a_batch=2,
        loss='infonce',
        temperature=0.07,
        learning_rate=0.0005,
        backbone_rate=0.3,
        weight_decay=0.02,
        warm_up=20,
        least_rate=0.00001,
        frozen='stem anchor',
        norm='stored',
        precision='bfloat16',
        light=1.0,
        geometry=0.8,
        texture=0.3,
        occlusion=0.15,
        traffic=0.5 if masks else 0.0,
    )


def main() -> None:
    """Train, and write the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('weights', type=Path)
    parser.add_argument('--masks', action='store_true')
    parser.add_argument('--iterations', type=int, default=120)
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    args = parser.parse_args()
    torch.set_num_threads(1)
    recipe = recipe_of(args.masks, args.iterations)
    network = make_network(resolve_spec(recipe.parameters, None))
    groups = load_training(args.drives, args.masks)
    trainer = Trainer(network, groups, recipe, 'concat', (1, 0))
    with bar('Training', recipe.total, ' iterations') as shown:
        while trainer.iteration < recipe.total:
            done = trainer.step()
            shown.set_postfix(loss=f'{done["loss"]:.3f}', refresh=False)
            shown.update()
    state = {name: value.contiguous() for name, value in network.eval().state_dict().items()}
    write_atomic(args.weights, safetensors.torch.save(state))
    print(f'{args.weights}: loss {trainer.history[-1]["loss"]:.3f}')


if __name__ == '__main__':
    main()
