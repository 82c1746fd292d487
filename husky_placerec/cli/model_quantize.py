"""`placerec model quantize`: an exported network in integers of 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    AllowOutsideOption,
    ConfigOption,
    OverwriteOption,
    say,
    SetOption,
    tell,
    warn,
)
from husky_placerec.errors import InputError
import typer


def model_quantize(
    model: Annotated[str, typer.Argument(metavar='MODEL', help='An .onnx file, or shipped.')],
    source: Annotated[
        Path, typer.Argument(metavar='SOURCE', help='A drive with poses, as the robot sees it.')
    ],
    output: Annotated[
        Path | None,
        typer.Option('--output', '-o', metavar='OUT', help='By default MODEL.int8.onnx.'),
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(
            '--validate',
            metavar='DRIVE',
            help='Another drive on the same roads, on which the recall is measured.',
        ),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Quantise an exported network to int8 by the images of a drive, and measure what that costs.

    It is written only if recall@1 of each kind of query and the precision of the gate stay within
    0.5 points. A map of float32 is searched with it only where the descriptors of its probes
    agree; else build one with it.
    """
    from husky_placerec.config import read_config
    from husky_placerec.descriptor.shipped import SHIPPED
    from husky_placerec.files import refuse_existing
    from husky_placerec.operations.quantize_model import quantize_model
    from husky_placerec.progress import progress

    name = 'campus' if model == SHIPPED else model.removesuffix('.onnx')
    target = output or Path(f'{name}.int8.onnx')
    refuse_existing(target, overwrite)
    if target.suffix != '.onnx':
        raise InputError(f'{target}: expected a name that ends in .onnx')
    parameters = read_config(config, settings or [], allow_outside=allow_outside)
    found = quantize_model(
        *(model, source, target),
        config=parameters,
        validate=validate,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    say(f'{target}: {target.stat().st_size / 1e6:.1f} MB; {found.words}')
