"""`placerec ablate`: what each part of a descriptor is worth."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    err,
    out,
    OverwriteOption,
    say,
)
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from husky_placerec.ablation.table import Row

EPILOG = (
    'Examples:\n\n'
    '  placerec ablate config/training/ablation.yaml -o ablation   (its head says how to render '
    'the drives)\n\n'
    '  placerec ablate config/training/ablation.yaml -o ablation --resume   (after a stop, or '
    'with more in the grid)'
)


def ablate(
    grid: Annotated[
        Path,
        typer.Argument(
            metavar='CONFIG', help='Grid, such as config/training/ablation.yaml: what is varied.'
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            '--output', '-o', metavar='DIR', help='Folder of the results; a dated one by default.'
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option('--resume', help='Keep the cells in the folder that are finished.')
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Train and measure networks that differ in backbone, pooling, fusion, whitening or pinhole.

    Each run exchanges one part of the base network, unless the grid asks for all combinations. The
    folder gets table.md, table.csv and the weights of each network. The baselines are chance, raw
    pixels and random weights.
    """
    try:
        from husky_placerec.ablation.run import ablate as ablate_by
    except ImportError as error:
        raise InputError(
            f'ablation: {error}; it needs torch and more (pip install husky_placerec[train])'
        ) from error
    from husky_placerec.ablation.grid import read_grid

    if resume and output is None:
        raise InputError('--resume: expected the folder of the ablation with -o')
    output = output or Path('results') / f'ablate-{datetime.now():%Y%m%d-%H%M%S}'

    def tell(line: str) -> None:
        err.print(printable(line), highlight=False)

    rows = ablate_by(read_grid(grid), output, resume=resume, overwrite=overwrite, say=tell)
    out.print(_table(rows))
    say(f'{output}: table.md, table.csv, networks/')


def _table(rows: Sequence[Row]) -> Table:
    from husky_placerec.ablation.table import format_rows, HEADINGS, LEGEND

    table = Table(
        title='Ablation',
        caption=LEGEND,
        title_justify='left',
        caption_justify='left',
        box=SIMPLE_HEAD,  # seven columns fit in 80 characters
        padding=(0, 1, 0, 0),
    )
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify='right' if number else 'left', no_wrap=number > 0)
    for cells in format_rows(rows):
        table.add_row(*(Text(cell.replace(' (', '\n(')) for cell in cells))
    return table
