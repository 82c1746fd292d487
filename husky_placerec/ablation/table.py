"""The table of an ablation: a row for each cell, below the baselines that it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
import io

from husky_placerec.ablation.grid import FACTORS
from husky_placerec.ablation.protocol import column_name, PROTOCOLS, Recalls, TOLERANCES_M

LEGEND = (
    'Recall@1 in % within 5 m/10 m, by position: the mean over campuses that were never trained '
    'on, and in brackets the least and the most of them within 5 m. ms: time from the resized '
    'images of a frame to its descriptor, on one thread. size: numbers in a descriptor of all '
    'cameras.'
)
HEADINGS = ('', *PROTOCOLS, 'M param.', 'size', 'ms')


@dataclass(frozen=True)
class Row:
    """
    The results of a cell or a baseline.

    :param parts: a cell's values of FACTORS, or a baseline's name.
    :param recalls: recall@1 on each campus, 0 to 1, by column name.
    :param parameters: number of the network's parameters; 0 without a network.
    :param size: numbers in a frame's descriptor.
    :param ms: time per frame in ms; None where it was not measured.
    """

    parts: tuple[str, ...]
    recalls: Recalls
    parameters: int = 0
    size: int = 0
    ms: float | None = None

    def cells(self, base: Sequence[str]) -> list[str]:
        """
        Format the row, one string for each of HEADINGS.

        :param base: parts of the base; a cell is named by the parts that differ from it.
        """
        return [
            self._name(base),
            *(self._recall(protocol) for protocol in PROTOCOLS),
            f'{self.parameters / 1e6:.2f}' if self.parameters else '',
            str(self.size) if self.size else '',
            f'{self.ms:.1f}' if self.ms is not None else '',
        ]

    def _name(self, base: Sequence[str]) -> str:
        if len(self.parts) < len(FACTORS):
            return self.parts[0]
        pairs = zip(FACTORS, self.parts, base)
        changed = [f'{factor} {own}' for factor, own, of_base in pairs if own != of_base]
        return ', '.join(changed) or f'base: {", ".join(self.parts[:3])}'

    def _recall(self, protocol: str) -> str:
        near, far = (self.recalls[column_name(protocol, tolerance)] for tolerance in TOLERANCES_M)
        if not near or not far:
            return '-'
        spread = f'{100 * min(near):.0f}-{100 * max(near):.0f}'
        return f'{100 * _mean(near):.1f}/{100 * _mean(far):.1f} ({spread})'


def format_rows(rows: Sequence[Row]) -> list[list[str]]:
    """Format all rows; the first row that is not a baseline is the base."""
    base = next((row.parts for row in rows if len(row.parts) == len(FACTORS)), ())
    return [row.cells(base) for row in rows]


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table and its legend as Markdown."""
    lines = [HEADINGS, ['---'] * len(HEADINGS), *format_rows(rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + f'\n\n{LEGEND}\n'


def as_csv(rows: Sequence[Row]) -> str:
    """Return all numbers as CSV, with the mean, least and most of each recall in columns."""
    text = io.StringIO()
    names = [column_name(protocol, m) for protocol in PROTOCOLS for m in TOLERANCES_M]
    writer = csv.writer(text, lineterminator='\n')
    kinds = ('mean', 'least', 'most')
    recalls = [f'{name.replace(" ", "_")}_m_{kind}' for name in names for kind in kinds]
    writer.writerow([*FACTORS, *recalls, 'parameters', 'size', 'ms'])
    for row in rows:
        found = [row.recalls[name] for name in names]
        numbers = [kind(each) if each else '' for each in found for kind in (_mean, min, max)]
        parts = [*row.parts, *[''] * (len(FACTORS) - len(row.parts))]
        ms = '' if row.ms is None else row.ms
        writer.writerow([*parts, *numbers, row.parameters, row.size, ms])
    return text.getvalue()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
