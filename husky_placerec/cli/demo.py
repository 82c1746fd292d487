"""`placerec demo`: map a simulated drive and recognise others with the real node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    err,
    out,
    percent,
    say,
)
from husky_placerec.optional import require
from husky_placerec.progress import progress
import numpy as np
from rich.table import Table
from rich.text import Text
import typer

if TYPE_CHECKING:
    from husky_placerec.demo.run import Demo, Outcome

EPILOG = (
    'Examples:\n\n  placerec demo\n\n'
    '  placerec demo -o elsewhere   (drives are kept there)\n\n  placerec demo --record demo.webp'
)


def demo(
    output: Annotated[
        Path, typer.Option('--output', '-o', help='Folder for drives, map, log and picture.')
    ] = Path('demo'),
    record: Annotated[
        Path | None,
        typer.Option(metavar='FILE', help='Write a film of the first drive: a .gif or .webp.'),
    ] = None,
) -> None:
    """
    Map a simulated summer day, then recognise a winter dusk and a drive in the other direction.

    The real node runs over DDS. The exit status is 1 if on either drive fewer than 80 % of the
    known places are recognised, or fewer than 98 % of the published poses are right.
    """
    require('numba', 'PIL', 'matplotlib')
    from husky_placerec.demo.run import run

    result = run(output, lambda title: progress(title, ' messages'), say, record)
    out.print(_demo_table(result))
    say(f'{result.picture}: the route with true and recognised poses')
    for name, outcome in result.outcomes.items():
        if outcome.failure:
            err.print(Text.assemble(('below what is expected', 'red'), f', {name}: '), end='')
            err.print(outcome.failure, highlight=False, markup=False)
    if not result.passed:
        raise typer.Exit(1)


def _demo_table(result: Demo) -> Table:
    table = Table(
        title=f'Demo: a summer day mapped ({result.places} places), other drives recognised',
        title_justify='left',
    )
    columns = {name: _rows(outcome) for name, outcome in result.outcomes.items()}
    table.add_column('')
    for name in columns:
        table.add_column(name, justify='right')
    for row in next(iter(columns.values())):
        table.add_row(row, *(Text(rows[row]) for rows in columns.values()))
    return table


def _rows(outcome: Outcome) -> dict[str, str]:
    score, heard = outcome.score, outcome.heard
    off_map = set(score.truths) - score.on_map
    p50, p95 = np.percentile(heard.latencies_ms or (np.nan,), (50, 95))
    return {
        'frames sent': str(len(heard.sent)),
        '   on the map / beyond it': f'{len(score.on_map)} / {len(off_map)}',
        'pairs made by the node': heard.diagnostics.get('frames', '?'),
        'dropped': heard.diagnostics.get('frames dropped', '?'),
        'poses published': str(len(score.published)),
        'recognised within 10 m, of those on the map': percent(score.recognised),
        'precision of the published poses': percent(score.precision),
        'published beyond the map': f'{len(off_map & set(score.published))} of {len(off_map)}',
        'latency p50 / p95, image to pose': f'{p50:.0f} / {p95:.0f} ms',
        'recall@1 at 10 m, before any refusal': percent(outcome.recall),
        '   of grey pixels': percent(outcome.baseline_recall),
        '   by chance': percent(outcome.chance),
    }
