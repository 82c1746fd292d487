"""`placerec model`: list the published networks, and export networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    AllowOutsideOption,
    ConfigOption,
    KindOption,
    out,
    OverwriteOption,
    say,
    SetOption,
)
from husky_placerec.cli.model_local import model_local
from husky_placerec.cli.model_quantize import model_quantize
from husky_placerec.errors import InputError
import typer

if TYPE_CHECKING:
    from husky_placerec.config import Config
    from husky_placerec.descriptor.preparation import Preparation
    from husky_placerec.types import Pixels

app = typer.Typer(help='List, export and quantise networks.', no_args_is_help=True)
app.command(
    'local',
    epilog='Examples:\n\n'
    '  placerec model local drive_1 cells.onnx -s backbone=mobilenetv2_100 -s weights=net.pth\n\n'
    '  placerec map build drive_1 campus.map --local --set local_weights=cells.onnx',
)(model_local)
app.command(
    'quantize',
    epilog='Examples:\n\n'
    '  placerec model quantize convnext.onnx drive_1 --validate drive_2\n\n'
    '  placerec map build drive_1 campus.map -s extractor=onnx -s weights=convnext.int8.onnx',
)(model_quantize)

FRAMES = 8  # of a drive, on which the two are compared


@app.command(
    'export',
    epilog='Examples:\n\n'
    '  placerec model export campus.onnx -s backbone=lcn_cnn -s weights=small/weights.safetensors '
    '-s pooling=gem:2x4 -s head=128 -s input_width=160 -s input_height=96\n\n'
    '  placerec model export convnext.onnx --on drive_1 -c config/husky.yaml\n\n'
    '  placerec model export eigenplaces50.onnx -s preset=eigenplaces50\n\n'
    '  placerec map build drive_1 campus.map -s extractor=onnx -s weights=campus.onnx',
)
def model_export(
    output: Annotated[Path, typer.Argument(metavar='OUT', help='File of the new model, .onnx.')],
    on: Annotated[
        Path | None,
        typer.Option(
            '--on', metavar='SOURCE', help='A drive whose images to compare on; noise by default.'
        ),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Write a network as ONNX. It takes uint8 images [N, H, W, 3] and returns unit vectors.

    The export is first compared with the network on images. It is not written if they differ. Each
    of the two can search the maps of the other.
    """
    from husky_placerec.config import read_config
    from husky_placerec.descriptor.preparation import Preparation
    from husky_placerec.descriptor.spec import resolve_spec
    from husky_placerec.files import refuse_existing

    refuse_existing(output, overwrite)
    if output.suffix != '.onnx':
        raise InputError(f'{output}: expected a name that ends in .onnx')
    parameters = read_config(config, settings or [], allow_outside=allow_outside)
    spec = resolve_spec(parameters, None)
    if spec.extractor != 'timm':
        raise InputError(f'extractor {spec.extractor}: no network to export; expected timm')
    try:
        from husky_placerec.descriptor.onnx_export import export_onnx
    except ImportError as error:
        raise InputError(f'{error}; export needs pip install husky_placerec[export]') from error
    prepare = Preparation.of(spec, parameters)
    images = _noise(prepare) if on is None else _images(on, kind, parameters, prepare)
    difference = export_onnx(spec, output, images, threads=parameters.threads)
    size_mb = output.stat().st_size / 1e6
    say(
        f'{output}: {size_mb:.1f} MB; descriptors of {len(images)} images differ from torch by '
        f'{difference:.1g} at most'
    )


@app.command(
    'list',
    epilog='Examples:\n\n'
    '  placerec model list\n\n'
    '  placerec model list eigenplaces18 megaloc --time',
)
def model_list(
    names: Annotated[
        list[str] | None, typer.Argument(metavar='[NAME]...', help='Some presets; all by default.')
    ] = None,
    measured: Annotated[
        bool, typer.Option('--time', help='Measure what a pair of images costs here.')
    ] = False,
    threads: Annotated[int, typer.Option(help='CPU threads for --time.', min=1, max=256)] = 2,
) -> None:
    """
    List the published networks that `preset` names, and which of their weights are here.

    The times are of a pair of images at the default input size, with random weights.
    """
    from husky_placerec.descriptor.published.cache import cached_file
    from husky_placerec.descriptor.published.presets import preset_named, PRESETS
    from husky_placerec.progress import bar
    from rich.table import Table

    chosen = {name: preset_named(name) for name in names or PRESETS}
    columns = ['preset', 'network', 'numbers', 'input', 'MB', 'code; weights', 'in the cache']
    times: dict[str, float] = {}
    if measured:
        columns.append('ms a pair')
        with bar('Measuring', len(chosen), ' networks') as shown:
            for name in chosen:
                times[name] = _pair_ms(name, threads)
                shown.update()
    table = Table(title='Published networks', title_justify='left')
    for column in columns:
        right = column in ('numbers', 'MB', 'ms a pair')
        # A name that a narrow terminal cuts or wraps cannot be copied.
        table.add_column(
            column,
            justify='right' if right else 'left',
            overflow='fold',
            no_wrap=column == 'preset',
        )
    for name, preset in chosen.items():
        about = preset.checkpoint
        rule = '' if preset.fixed else f' ({preset.input_rule})'
        row = [
            name,
            f'{preset.backbone}, {preset.aggregation}',
            str(preset.size),
            '{}x{}'.format(*preset.input_size) + rule,
            str(about.megabytes),
            f'{about.code_licence}; {about.weights_licence}',
            'yes' if cached_file(preset).is_file() else 'no' if about.url else 'no; by hand',
        ]
        table.add_row(*row, *([f'{times[name]:.0f}'] if measured else []))
    out.print(table)
    if names:
        for name, preset in chosen.items():
            about = preset.checkpoint
            say(f'{name}: {preset.paper}')
            say(f'  {about.url or f"to download by hand from {about.page}"}')
            say(f'  SHA-256 {about.sha256 or "not known"}; kept at {cached_file(preset)}')


def _pair_ms(name: str, threads: int) -> float:
    from husky_placerec.config import make_config
    from husky_placerec.descriptor.extractor import load_extractor
    from husky_placerec.operations.compare_extractors import frame_ms

    config = make_config({'preset': name, 'weights': 'random', 'threads': threads})
    return frame_ms(load_extractor(config))


def _images(path: Path, kind: str | None, config: Config, prepare: Preparation) -> list[Pixels]:
    from itertools import islice

    from husky_placerec.data.problems import no_frames
    from husky_placerec.data.source import decoded_frames, open_source

    with open_source(path, kind) as source:
        source.check(config)
        frames = decoded_frames(source, source.frames(config), config.max_pixels)
        images = [
            prepare(name, image)
            for frame in islice(frames, FRAMES)
            for name, image in frame.images.items()
        ]
        if len(images) < 2:
            raise no_frames(source.path, source.problems)
    return images


def _noise(prepare: Preparation) -> list[Pixels]:
    """Make random images with structure of all sizes."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    blots = [rng.integers(0, 256, (3 + n, 4 + n, 3), np.uint8) for n in range(2 * FRAMES)]
    return [
        np.asarray(cv2.resize(each, prepare.size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for each in blots
    ]
