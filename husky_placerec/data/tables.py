"""Reading of CSV tables as people and spreadsheets write them, with any separator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import csv
from dataclasses import dataclass, field
import io
from pathlib import Path
from typing import Any

from husky_placerec.data.stamps import parse_stamp
from husky_placerec.errors import InputError

SEPARATORS = ',;\t'
MOST_HEADER = 1 << 20  # letters
GAPS = ('', 'nan', 'none', 'null')


@dataclass(frozen=True)
class Row:
    """A row of a table; a missing column reads as an empty one."""

    path: Path
    number: int  # of the line, from 1
    values: Sequence[str]
    columns: Mapping[str, int] = field(repr=False)

    @property
    def where(self) -> str:
        """The file and the line, for messages."""
        return f'{self.path.name}:{self.number}'

    def text(self, column: str) -> str:
        """Return the value of a column; empty if there is none."""
        index = self.columns.get(column, len(self.values))
        text = self.values[index].strip() if index < len(self.values) else ''
        return '' if text.lower() in GAPS else text

    def stamp_ns(self, column: str) -> int | None:
        """
        Return a stamp in ns; None for an empty value.

        :raises InputError: for a value that is no stamp.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            return parse_stamp(text)
        except (ValueError, ArithmeticError) as error:
            why = str(error) if isinstance(error, ValueError) else 'no number'
            raise InputError(
                f'{self.path}:{self.number}: {column} is {text!r} ({why}); expected a stamp: '
                '19 digits (ns), 16 digits (us), or seconds'
            ) from error

    def number_in(self, column: str) -> float:
        """
        Return a number; a decimal comma is accepted if commas do not separate columns.

        :raises InputError: for a value that is no number.
        """
        text = self.text(column)
        try:
            return float(text.replace(',', '.'))
        except ValueError as error:
            raise InputError(
                f'{self.path}:{self.number}: {column} is {text!r}; expected a number'
            ) from error


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file, and the names of its columns."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_header(path: Path) -> tuple[str, ...]:
    """
    Return the names of the columns of a table.

    :raises InputError: for a file that cannot be read.
    """
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            return _header(file.readline(MOST_HEADER))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{path}: cannot be read ({error})') from error


def read_table(path: Path) -> Table:
    """
    Read a CSV with a header, separated by comma, semicolon or tab; empty lines are skipped.

    :raises InputError: for a file that cannot be read, a repeated column, or a line that is longer
        than the header.
    """
    try:
        text = path.read_text(encoding='utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: cannot be read ({error})') from error
    separator = _separator(text.partition('\n')[0])
    lines = csv.reader(io.StringIO(text, newline=''), delimiter=separator)
    columns = tuple(name.strip() for name in next(_readable(lines, path), []))
    named = [name for name in columns if name]
    if not named or len(set(named)) < len(named):
        raise InputError(f'{path}: expected a header of different names; found {list(columns)}')
    index = {name: i for i, name in enumerate(columns) if name}
    rows = []
    for values in _readable(lines, path):
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(columns):
            raise InputError(
                f'{path}:{lines.line_num}: {len(values)} values; expected {len(columns)}, '
                f'separated by {separator!r} as in the header'
            )
        rows.append(Row(path, lines.line_num, tuple(values), index))
    return Table(path, columns, tuple(rows))


def _readable(lines: Any, path: Path) -> Iterator[list[str]]:
    """
    Yield the rows of a csv reader.

    :raises InputError: for a row that it cannot read, such as one with a value of over 128 kB.
    """
    try:
        yield from lines
    except csv.Error as error:
        raise InputError(f'{path}:{lines.line_num}: cannot be read as CSV ({error})') from error


def _header(line: str) -> tuple[str, ...]:
    words = next(csv.reader([line], delimiter=_separator(line)), [])
    return tuple(word.strip() for word in words)


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)
