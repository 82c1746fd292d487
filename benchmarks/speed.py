"""
How long each step takes, beside torch one by one and the machine's own matrix peak.

All rows come from one run: they are called in turn, so that what else the machine does falls on
all of them alike. Times are wall times. Networks have random weights, which take as long as
others.

    python benchmarks/speed.py                       # prints, writes bench.json, compares
    python benchmarks/speed.py --threads 2 --rounds 20
    python benchmarks/speed.py --only shipped --without int8    # by parts of their names
    python benchmarks/speed.py --node                # and the node's memory and start
    python benchmarks/speed.py --commit              # writes benchmarks/bench.json
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from husky_placerec.descriptor.runtimes.processor import short_name
from husky_placerec.progress import bar
import numpy as np
from rich.console import Console
from rich.table import Table
from speed_node import node_rows
from speed_rows import Bench, BUILT, EAGER, MATRIX, Row

COMMITTED = Path(__file__).with_name('bench.json')
SLOW = 'map_build_pair'  # a row of many pairs
console = Console(width=120)


@dataclass(frozen=True)
class Line:
    """
    A row of the table.

    :param spread_ms: from the lower to the upper quartile.
    :param ratio_to_eager: the median of the ratios to the eager row of the same round.
    :param ratio_spread: of these ratios, from the lower to the upper quartile.
    :param cpu_ms: the median time of all its threads, which a busy machine changes least.
    :param cpu_ratio: the median of its ratios to that of the eager row.
    """

    row: str
    median_ms: float
    spread_ms: float
    ratio_to_eager: float
    ratio_spread: float
    cpu_ms: float
    cpu_ratio: float
    share_of_peak: float | None = None


Times = dict[str, list[float]]


def timed(rows: dict[str, Row], rounds: int) -> tuple[Times, Times]:
    """
    Call each row once a round, in turn, and count no first round.

    :return: wall and CPU times, in ms.
    """
    times: Times = {name: [] for name in rows}
    spent_cpu: Times = {name: [] for name in rows}
    with bar('Measuring', rounds + 1, ' rounds') as shown:
        for _ in range(rounds + 1):
            for name, work in rows.items():
                began, cpu = time.perf_counter(), time.process_time()
                work()
                pairs = BUILT if name == SLOW else 1
                times[name].append(1000 * (time.perf_counter() - began) / pairs)
                spent_cpu[name].append(1000 * (time.process_time() - cpu) / pairs)
            shown.update()
    for each in (times, spent_cpu):
        for spent in each.values():
            del spent[0]
    return times, spent_cpu


def lines_of(times: Times, spent_cpu: Times, gflop: float) -> list[Line]:
    """
    Return a line a row.

    :param gflop: of a pair, for the share of the peak of the large network's rows.
    """
    eager = np.array(times[EAGER])
    peaks = [2 * MATRIX**3 / 1e6 / np.median(t) for n, t in spent_cpu.items() if 'matrix' in n]
    found = []
    for name, spent in times.items():
        ratios = np.array(spent) / eager
        low, middle, high = np.percentile(spent, (25, 50, 75))
        cpu_ms = float(np.median(spent_cpu[name]))
        cpu_ratio = float(np.median(np.array(spent_cpu[name]) / spent_cpu[EAGER]))
        share = gflop / (cpu_ms / 1000) / max(peaks) if peaks else None
        large = name.startswith(('descriptor_pair', 'eager_descriptor'))
        spread = float(np.subtract(*np.percentile(ratios, (75, 25))))
        values = middle, high - low, np.median(ratios), spread, cpu_ms, cpu_ratio
        rounded = [float(f'{value:.4g}') for value in values]
        share = round(float(share), 3) if large and share is not None else None
        found.append(Line(name, *rounded, share))
    return found


def table_of(lines: list[Line]) -> Table:
    table = Table(title_justify='left')
    columns = 'row', 'wall ms', 'spread', 'ratio to eager', 'CPU ms', 'ratio', 'of peak'
    for column in columns:
        table.add_column(column, justify='left' if column == 'row' else 'right', no_wrap=True)
    for line in lines:
        share = '' if line.share_of_peak is None else f'{line.share_of_peak:.2f}'
        ratio = f'{line.ratio_to_eager:.3f} ± {line.ratio_spread / 2:.3f}'
        times = f'{line.median_ms:.2f}', f'{line.spread_ms:.2f}', ratio, f'{line.cpu_ms:.2f}'
        table.add_row(line.row, *times, f'{line.cpu_ratio:.3f}', share)
    return table


def slower(before: list[Line], now: list[Line]) -> list[str]:
    """Return in sentences what got slower, relative to eager, by more than its spread."""
    old = {line.row: line for line in before}
    said = []
    for line in now:
        if line.row not in old:
            continue
        was = old[line.row]
        spread = max(line.ratio_spread, was.ratio_spread)
        if line.ratio_to_eager - was.ratio_to_eager > spread:
            said.append(
                f'{line.row}: {line.ratio_to_eager:.3f} of eager, was {was.ratio_to_eager:.3f} '
                f'(spread {spread:.3f})'
            )
    return said


def wanted(name: str, only: list[str], without: list[str]) -> bool:
    """Say whether a row was asked for, by parts of its name."""
    return any(part in name for part in only) and not any(part in name for part in without)


def write(path: Path, lines: list[Line], rows_of_node: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps([*map(asdict, lines), *rows_of_node], indent=1) + '\n')


def read_lines(path: Path) -> list[Line]:
    return [Line(**values) for values in json.loads(path.read_text()) if 'median_ms' in values]


def main() -> None:
    """Measure, print, write and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--backbone', default='convnext_tiny')
    parser.add_argument('--only', nargs='*', default=[''])
    parser.add_argument('--without', nargs='*', default=[])
    parser.add_argument('-o', '--output', type=Path, default=Path('bench.json'))
    parser.add_argument('--commit', action='store_true')
    parser.add_argument('--node', action='store_true', help='measure the node besides')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.backbone, options.threads)
        rows = {
            name: made()
            for name, made in bench.rows().items()
            if name == EAGER or 'matrix' in name or wanted(name, options.only, options.without)
        }
        lines = lines_of(*timed(rows, options.rounds), bench.gflop)
    console.print(
        f'{short_name()}, {options.threads} threads, {options.rounds} rounds, '
        f'{options.backbone} ({bench.gflop:.1f} GFLOP a pair)'
    )
    console.print(table_of(lines))
    output = COMMITTED if options.commit else options.output
    before = read_lines(COMMITTED) if COMMITTED.is_file() else []
    write(output, lines, [])
    if options.node:
        rows_of_node = node_rows()
        for row in rows_of_node:
            console.print(f'{row["row"]:28} {row["value"]:10.2f}', highlight=False)
        write(output, lines, rows_of_node)
    console.print(f'{output} written', highlight=False)
    worse = slower(before, lines)
    for sentence in worse:
        console.print(f'slower: {sentence}', highlight=False)
    if before and not worse:
        console.print(f'nothing is slower than in {COMMITTED.name} by more than its spread')
    sys.stdout.flush()


if __name__ == '__main__':
    main()
