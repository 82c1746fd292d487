"""`placerec train`: train a network on drives whose poses are known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    OverwriteOption,
    say,
)
from husky_placerec.errors import InputError
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec train config/training/sim_small.yaml -o small\n\n'
    '  placerec train config/training/sim_small.yaml -o small --resume\n\n'
    '  torchrun --nproc-per-node 2 -m husky_placerec.cli train recipe.yaml -o trained\n\n'
    '  placerec map build drive_1 campus.map -c trained.yaml --set weights=trained/weights.'
    'safetensors'
)


def train(
    recipe: Annotated[
        Path,
        typer.Argument(
            metavar='CONFIG', help='Recipe, such as those in config/training: drives and all else.'
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            '--output', '-o', metavar='DIR', help='Folder of the results; a dated one by default.'
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option('--resume', help='Go on from the checkpoint in the folder.')
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Train a network by a recipe, and keep the weights that recognise the validation drives best.

    Drives are tracks, bags or folders with poses; those of one group share a map frame. The folder
    gets weights.safetensors, checkpoint.pt, loss.csv and validation.csv.
    """
    try:
        from husky_placerec.training.run import train as train_by
    except ImportError as error:
        raise InputError(
            f'training: {error}; it needs torch and more (pip install husky_placerec[train])'
        ) from error
    from husky_placerec.training.recipe import read_recipe

    if resume and output is None:
        raise InputError('--resume: expected the folder of the training with -o')
    output = output or Path('results') / f'train-{datetime.now():%Y%m%d-%H%M%S}'

    train_by(read_recipe(recipe), output, resume=resume, overwrite=overwrite, say=say)
