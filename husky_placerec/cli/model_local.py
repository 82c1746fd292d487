"""`placerec model local`: write a network of local features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    AllowOutsideOption,
    ConfigOption,
    KindOption,
    OverwriteOption,
    say,
    SetOption,
    SourceArgument,
)
from husky_placerec.errors import InputError
import typer

MOST_FRAMES = 60  # of the drive, evenly spread, to which the bases are fitted


def model_local(
    source: SourceArgument,
    output: Annotated[Path, typer.Argument(metavar='OUT', help='File of the network, .onnx.')],
    width: Annotated[int, typer.Option(help='Width of its input, px.', min=32, max=4096)] = 384,
    height: Annotated[int, typer.Option(help='Height of its input, px.', min=32, max=4096)] = 224,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Write the feature map of a network as local descriptors: 32 numbers for each cell.

    Their basis is fitted to images of SOURCE, without poses or labels. `local_weights=OUT` gives a
    map such local descriptors.
    """
    from dataclasses import replace

    from husky_placerec.config import read_config
    from husky_placerec.data.source import decoded_frames, open_source
    from husky_placerec.descriptor.preparation import Preparation
    from husky_placerec.descriptor.spec import resolve_spec
    from husky_placerec.files import refuse_existing

    refuse_existing(output, overwrite)
    if output.suffix != '.onnx':
        raise InputError(f'{output}: expected a name that ends in .onnx')
    parameters = read_config(config, settings or [], allow_outside=allow_outside)
    try:
        from husky_placerec.descriptor.local.export import export_local
        from husky_placerec.descriptor.network import make_network
    except ImportError as error:
        raise InputError(f'{error}; export needs pip install husky_placerec[export]') from error
    spec = resolve_spec(replace(parameters, extractor='timm'), None)
    prepare = Preparation((width, height))
    images = []
    with open_source(source, kind) as drive:
        drive.check(parameters)
        every = max(1, drive.frame_count(parameters) // MOST_FRAMES)
        frames = (f for n, f in enumerate(drive.frames(parameters)) if not n % every)
        for frame in decoded_frames(drive, frames, parameters.max_pixels):
            images += [prepare(name, image) for name, image in frame.images.items()]
    made = export_local(make_network(spec), images, output, threads=parameters.threads)
    local = made.spec
    say(
        f'{output}: {local.rows}x{local.columns} cells of {local.size} numbers, fitted to '
        f'{len(images)} images; {local.bytes_of_place(1) / 1000:.1f} kB an image'
    )
