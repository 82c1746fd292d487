"""Progress bars of long work: count, rate and remaining time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
import sys
from typing import Any

from husky_placerec.printable import printable
from tqdm import tqdm

Passing = Callable[[Iterable[Any], int], Iterable[Any]]


def bar(
    title: str, total: int | None = None, unit: str = ' frames', *, quiet: bool = False
) -> Any:
    """Return a tqdm bar on stderr; it updates every 5 s if stderr is no terminal."""
    every_s = 0.1 if sys.stderr.isatty() else 5.0
    return tqdm(
        desc=printable(title),
        total=total,
        unit=unit,
        dynamic_ncols=True,
        mininterval=every_s,
        disable=quiet,
    )


def progress(title: str, unit: str = ' frames') -> Passing:
    """Return a function that yields items and shows their number out of a total."""

    def passing(items: Iterable[Any], total: int) -> Iterator[Any]:
        with bar(title, total, unit) as shown:
            for item in items:
                yield item
                shown.update()

    return passing
