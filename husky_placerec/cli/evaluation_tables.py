"""The tables of an evaluation on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from husky_placerec.cli.common import out, percent
from rich.table import Table
from rich.text import Text

MOST_PAIRS = 30  # that get a table; summary.json has all pairs


def show_evaluation(numbers: Mapping[str, Any]) -> None:
    """Print the method beside its baselines, then by pair, season and light."""
    out.print(_methods(numbers))
    if 1 < len(numbers['pairs']) <= MOST_PAIRS:
        out.print(_groups('By pair', numbers['pairs']))
    for title, key in (('By season', 'by_season'), ('By light', 'by_light')):
        if len(numbers[key]) > 1:
            out.print(_groups(title, numbers[key]))


def _methods(numbers: Mapping[str, Any]) -> Table:
    title = f'Recall over {len(numbers["pairs"])} pairs of drives, with 95 % intervals'
    table = Table(title=title, title_justify='left')
    tolerances = list(numbers['recall'])
    table.add_column('', overflow='fold')
    for heading in (
        *(f'R@1\n{m} m' for m in tolerances),
        f'R@5\n{tolerances[0]} m',
        'mean top-1,\nall frames',
    ):
        table.add_column(heading, justify='right')
    rows = {numbers['method']: numbers, **numbers['baselines']}
    for name, row in rows.items():
        cells = [_interval(row, m, '1') for m in tolerances]
        cells.append(percent(row['recall'][tolerances[0]]['5']))
        table.add_row(Text(name), *map(Text, cells), _metres(row['mean_top1_distance_m']))
    return table


def _groups(title: str, groups: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=title, title_justify='left')
    tolerances = list(groups[0]['recall'])
    for heading in ('map', 'queries'):
        table.add_column(heading, overflow='fold')
    for heading in (*(f'R@1\n{m} m' for m in tolerances), 'mean top-1,\nall frames'):
        table.add_column(heading, justify='right')
    for group in groups:
        cells = [percent(group['recall'][m]['1']) for m in tolerances]
        cells.append(_metres(group['mean_top1_distance_m']))
        table.add_row(*map(Text, (group['database'], group['queries'], *cells)))
    return table


def _interval(row: Mapping[str, Any], tolerance: str, rank: str) -> str:
    """Return a recall in %, with its interval in the next line."""
    text = percent(row['recall'][tolerance][rank])
    bounds = row.get('intervals', {}).get('recall', {}).get(tolerance, {}).get(rank)
    return text if not bounds else f'{text}\n{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f}'


def _metres(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f} m'
