"""Small trainings: a recipe of seconds, its trainer, and the gradients of one batch."""

from __future__ import annotations

import csv

from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.training import run
from husky_placerec.training.recipe import read_recipe
from husky_placerec.training.trainer import Trainer
import torch
import yaml

PARAMETERS = {
    'backbone': 'lcn_cnn',
    'weights': 'random',
    'pooling': 'gem:1x2',
    'head': 16,
    'input_width': 64,
    'input_height': 48,
    'threads': 1,
}
VIT = {
    **PARAMETERS,
    'backbone': 'vit_tiny_patch16_224',
    'backbone_options': 'depth=1 embed_dim=24 num_heads=2',
}
SMALL_RECIPE = {
    'epochs': 2,
    'iterations': 3,
    'save_every': 1,
    'negative_m': 15.0,
    'places': 3,
    'most_places': 6,
    'warm_up': 2,
    'parameters': PARAMETERS,
}


def write_recipe(path, tracks, **changes):
    """Write a small recipe on the drives a and b of a folder, with changes; return its file."""
    drives = [[str(tracks / 'a'), str(tracks / 'b')]]
    values = {'drives': drives, 'validation': drives, **SMALL_RECIPE, **changes}
    path.write_text(yaml.safe_dump(values))
    return path


def train(path, output, resume=False):
    """Train by the recipe file."""
    run.train(read_recipe(path), output, resume=resume, overwrite=False, say=lambda _: None)


def trainer_of(path, fusion='concat', opposites=(1, 0), folder=None):
    """Make the trainer of a recipe file; the folder keeps the decoded images."""
    recipe = read_recipe(path)
    spec = resolve_spec(recipe.parameters, None)
    groups = [
        [
            run.load_drive(track, recipe.parameters, spec, folder or path.parent / 'frames')
            for track in run.read_group(group, recipe.parameters, recipe.positive_m)
        ]
        for group in recipe.drives
    ]
    return Trainer(make_network(spec), groups, recipe, fusion, opposites)


def gradients(trainer, samples):
    """Return the gradients of a batch by parameter name."""
    places = torch.tensor([sample.place for sample in samples])
    loss, _ = trainer.loss(trainer.descriptors(samples), places, 1.0)
    loss.backward()
    return {n: p.grad.clone() for n, p in trainer.network.named_parameters() if p.grad is not None}


def read_numbers(path):
    """Read a CSV of numbers, a dict per row."""
    with path.open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
