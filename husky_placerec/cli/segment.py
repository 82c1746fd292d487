"""`placerec segment`: write the masks of a track by a segmentation network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    ConfigOption,
    OverwriteOption,
    percent,
    say,
    SetOption,
    tell,
    warn,
)
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec segment drive_1 --model street.onnx -s mask_classes=cityscapes\n\n'
    '  placerec segment drive_1 --model deeplab.tflite -s mask_classes=voc\n\n'
    '  placerec map build drive_1 campus.map -s masks=true -s mask_classes=voc'
)
SHOWN = 6  # classes


def segment(
    track: Annotated[Path, typer.Argument(metavar='TRACK', help='A folder with track.csv.')],
    model: Annotated[
        Path, typer.Option('--model', help='Network in a file, .onnx or .tflite.', metavar='FILE')
    ],
    config: ConfigOption = None,
    settings: SetOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Write a mask for each image of TRACK, into TRACK/masks.

    The classes of the network are those of the parameter mask_classes. Masks that placerec did not
    write are never replaced.
    """
    from husky_placerec.config import read_config
    from husky_placerec.operations.segment import segment as segment_track
    from husky_placerec.progress import progress

    found = segment_track(
        track,
        model,
        config=read_config(config, settings or []),
        overwrite=overwrite,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    often = ', '.join(f'{name} {percent(s)}' for name, s in list(found.classes.items())[:SHOWN])
    say(f'{found.folder}: {found.masks} masks; {percent(found.dynamic)} of the pixels move')
    say(f'most frequent: {often}')
