"""The table of an ablation: a row a cell, beside what any of them has to beat."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
import io

from husky_placerec.ablation.grid import FACTORS
from husky_placerec.ablation.protocol import column, PROTOCOLS, Recalls, TOLERANCES_M

LEGEND = (
    'Recall@1 in % within 5 m/10 m by position, the mean over campuses that were never trained '
    'on, and behind it the least and the most within 5 m. ms: a frame of all cameras on one '
    'thread, from resized images to its descriptor. size: numbers of a descriptor, all cameras.'
)
HEADINGS = ('', *PROTOCOLS, 'M param.', 'size', 'ms')


@dataclass(frozen=True)
class Row:
    """
    What came of a cell or a baseline.

    :param parts: values of FACTORS; of a baseline its name.
    :param recalls: of each campus.
    :param parameters: of the network.
    :param size: numbers a frame.
    :param ms: a frame; None where that was not measured.
    """

    parts: tuple[str, ...]
    recalls: Recalls
    parameters: int = 0
    size: int = 0
    ms: float | None = None

    def cells(self, base: Sequence[str]) -> list[str]:
        """
        Return the row in words, as HEADINGS has them.

        :param base: parts of the base; a row is named by what it has in their place.
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
        others = [f'{factor} {own}' for factor, own, usual in pairs if own != usual]
        return ', '.join(others) or f'base: {", ".join(self.parts[:3])}'

    def _recall(self, protocol: str) -> str:
        near, far = (self.recalls[column(protocol, tolerance)] for tolerance in TOLERANCES_M)
        if not near or not far:
            return '-'
        spread = f'{100 * min(near):.0f}-{100 * max(near):.0f}'
        return f'{100 * _mean(near):.1f}/{100 * _mean(far):.1f} ({spread})'


def in_words(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of the rows; the first that is no baseline is the base."""
    base = next((row.parts for row in rows if len(row.parts) == len(FACTORS)), ())
    return [row.cells(base) for row in rows]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [HEADINGS, ['---'] * len(HEADINGS), *in_words(rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + f'\n\n{LEGEND}\n'


def as_csv(rows: Sequence[Row]) -> str:
    """Return all numbers, a column for the mean, the least and the most of each recall."""
    text = io.StringIO()
    names = [column(protocol, m) for protocol in PROTOCOLS for m in TOLERANCES_M]
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
